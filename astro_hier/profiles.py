"""Distributions of distances in a cluster: one normal distribution, or several.

`Profile` explains how to write another.
"""

from astro_hier.populations.distances import CoreHalo, Normal, Profile

__all__ = ["CoreHalo", "Normal", "Profile"]
