"""Prior distributions with units."""

from astro_hier.priors.amplitude import PeriodScaled
from astro_hier.priors.base import Prior, PriorError
from astro_hier.priors.families import (
    Beta,
    Fixed,
    Gamma,
    HalfNormal,
    LogNormal,
    LogUniform,
    Normal,
    TruncatedNormal,
    Uniform,
)
from astro_hier.priors.given import as_prior as as_prior
from astro_hier.priors.given import bulk as bulk
from astro_hier.priors.given import check as check
from astro_hier.priors.tails import Exponential, HalfCauchy, StudentT

__all__ = [
    "Beta",
    "Exponential",
    "Fixed",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "LogNormal",
    "LogUniform",
    "Normal",
    "PeriodScaled",
    "Prior",
    "PriorError",
    "StudentT",
    "TruncatedNormal",
    "Uniform",
]


def __dir__() -> list[str]:
    """What completion shows."""
    return sorted(__all__)
