"""Distributions of a quantity in a population: periods, eccentricities, jitters, or anything.

`Population` is the interface of a distribution of one quantity, `PeriodEccentricity` that of the
periods and eccentricities of binaries together, and `Pair` that of any two quantities. A population
made of normal distributions is a subclass of `Components` and only writes ``components``.
"""

from astro_hier.populations.circularised import Circular, Circularised, Independent
from astro_hier.populations.dirichlet import DirichletHistogram
from astro_hier.populations.eccentricity import Eccentricity, KnownDistribution
from astro_hier.populations.eccentricity_families import (
    Beta,
    Exponential,
    Gamma,
    Rayleigh,
    RayleighExponential,
)
from astro_hier.populations.family import Population
from astro_hier.populations.histogram import EccentricityHistogram, Histogram, PeriodHistogram
from astro_hier.populations.jitter import Jitter, JitterOf, LogNormalJitter
from astro_hier.populations.log_normal import LogNormal
from astro_hier.populations.mixture import NormalMixture
from astro_hier.populations.normal import Normal, TruncatedNormal
from astro_hier.populations.pair import BivariateNormal, Pair, Product
from astro_hier.populations.period_eccentricity import PeriodEccentricity
from astro_hier.populations.power_law import PowerLaw
from astro_hier.populations.power_law_peak import PowerLawPeak
from astro_hier.populations.spline import Spline
from astro_hier.populations.uniform import Uniform
from astro_hier.populations.weighted_normals import Components

__all__ = [
    "Beta",
    "BivariateNormal",
    "Circular",
    "Circularised",
    "Components",
    "DirichletHistogram",
    "Eccentricity",
    "EccentricityHistogram",
    "Exponential",
    "Gamma",
    "Histogram",
    "Independent",
    "Jitter",
    "JitterOf",
    "KnownDistribution",
    "LogNormal",
    "LogNormalJitter",
    "Normal",
    "NormalMixture",
    "Pair",
    "PeriodEccentricity",
    "PeriodHistogram",
    "Population",
    "PowerLaw",
    "PowerLawPeak",
    "Product",
    "Rayleigh",
    "RayleighExponential",
    "Spline",
    "TruncatedNormal",
    "Uniform",
]

# by name on the command line
FAMILIES = Normal, TruncatedNormal, NormalMixture, PowerLaw, PeriodHistogram, Circularised
OF_ANY_QUANTITY = (
    Normal, LogNormal, NormalMixture, TruncatedNormal, Uniform, PowerLaw, PowerLawPeak, Beta, Gamma,
    Exponential, Rayleigh,
)  # fmt: skip
ECCENTRICITIES = Beta, Rayleigh, Exponential, Gamma, RayleighExponential, EccentricityHistogram


def __dir__() -> list[str]:
    """What completion shows."""
    return sorted(__all__)
