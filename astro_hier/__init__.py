"""Hierarchical Bayesian models for astronomical tables."""

from importlib.metadata import version

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

__version__ = version("astro_hier")

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
