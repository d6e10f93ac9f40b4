"""How posteriors are drawn: one module per method, each with ``sample`` and its ``OPTIONS``."""

from astro_hier.inference import marginal, nuts
from astro_hier.inference.problem import Problem

__all__ = ["METHODS", "Problem"]

METHODS = {"marginal": marginal, "nuts": nuts}
