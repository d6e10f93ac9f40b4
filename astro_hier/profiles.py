"""Distributions of the distances about that of a cluster: one normal distribution, or several.

`Profile` says what makes one.
"""

from astro_hier.populations.distances import CoreHalo, Normal, Profile

__all__ = ["CoreHalo", "Normal", "Profile"]
