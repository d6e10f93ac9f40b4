"""Distributions of the logarithm of the period in a population of binaries, and of their jitter.

`Population` says what makes one of periods.
"""

from astro_hier.populations.family import Population
from astro_hier.populations.jitter import LogNormalJitter
from astro_hier.populations.mixture import NormalMixture
from astro_hier.populations.normal import Normal, TruncatedNormal

__all__ = ["LogNormalJitter", "Normal", "NormalMixture", "Population", "TruncatedNormal"]
