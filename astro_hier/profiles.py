"""Distributions of stars' distances about that of their cluster: one normal, or several.

`Profile` is the interface that all of them share.
"""

from astro_hier.populations.distances import CoreHalo, Normal, Profile

__all__ = ["CoreHalo", "Normal", "Profile"]
