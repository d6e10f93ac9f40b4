"""Hierarchical Bayesian models for astronomical tables."""

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astro_hier import (
        columns,
        covariances,
        datasets,
        injections,
        outliers,
        populations,
        priors,
        profiles,
        samples,
    )
    from astro_hier.model import NotFittedError
    from astro_hier.models.binary_population import BinaryPopulation
    from astro_hier.models.period_luminosity import PeriodLuminosity
    from astro_hier.models.sample_population import SamplePopulation
    from astro_hier.models.sb1_binary import SB1Binary
    from astro_hier.models.star_cluster import StarCluster
    from astro_hier.models.velocity_dispersion import VelocityDispersion
    from astro_hier.posterior import SavedFileError
    from astro_hier.table import TableError

    __version__: str

__all__ = [
    "BinaryPopulation",
    "NotFittedError",
    "PeriodLuminosity",
    "SB1Binary",
    "SamplePopulation",
    "SavedFileError",
    "StarCluster",
    "TableError",
    "VelocityDispersion",
    "columns",
    "covariances",
    "datasets",
    "injections",
    "outliers",
    "populations",
    "priors",
    "profiles",
    "samples",
]
# Where the classes are. They and the modules are imported when they are first used: importing the
# package takes no time, which is what the command's help and completion need.
_HOMES = {
    "BinaryPopulation": "models.binary_population",
    "NotFittedError": "model",
    "PeriodLuminosity": "models.period_luminosity",
    "SB1Binary": "models.sb1_binary",
    "SamplePopulation": "models.sample_population",
    "SavedFileError": "posterior",
    "StarCluster": "models.star_cluster",
    "TableError": "table",
    "VelocityDispersion": "models.velocity_dispersion",
}


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__, "__version__"})


if not TYPE_CHECKING:  # type checkers refuse unknown names

    def __getattr__(name):
        if name == "__version__":
            value = importlib.import_module("importlib.metadata").version("astro_hier")
        elif name in _HOMES:
            value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        elif name in __all__ or _is_module(name):
            value = importlib.import_module(f"{__name__}.{name}")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def _is_module(name: str) -> bool:
    """Whether a module of the package that is not listed above has this name."""
    return not name.startswith("_") and find_spec(f"{__name__}.{name}") is not None
