"""Distributions of the logarithm of the period in a population of binaries, and of their jitter.

`Population` says what makes one of periods. One that is made of normal distributions writes the
``components`` of `Components` alone.
"""

from astro_hier.populations.family import Components, Population
from astro_hier.populations.jitter import Jitter, JitterOf, LogNormalJitter
from astro_hier.populations.mixture import NormalMixture
from astro_hier.populations.normal import Normal, TruncatedNormal

__all__ = [
    "Components",
    "Jitter",
    "JitterOf",
    "LogNormalJitter",
    "Normal",
    "NormalMixture",
    "Population",
    "TruncatedNormal",
]

FAMILIES = (Normal, TruncatedNormal, NormalMixture)  # of ln P, by name on the command line
