"""How posteriors are drawn: one module a method, each with ``sample`` and its ``OPTIONS``."""

from astro_hier.inference import marginal, nuts

METHODS = {"marginal": marginal, "nuts": nuts}
