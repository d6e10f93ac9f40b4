"""What models of orbits share: the velocity and its terms, extra scatter, and checks."""

from astro_hier.models.orbits.model import OrbitModel

__all__ = ["OrbitModel"]
