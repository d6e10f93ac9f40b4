"""Distributions of the logarithm of the period in a population of binaries, and of their jitter.

`Population` is the interface of a distribution of periods. One made of normal distributions is a
subclass of `Components` and only writes ``components``.
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
