"""What all models have in common."""

from astro_hier.core.floats import Theta
from astro_hier.model.estimator import HierarchicalModel
from astro_hier.model.results import NotFittedError

__all__ = ["HierarchicalModel", "NotFittedError", "Theta"]
