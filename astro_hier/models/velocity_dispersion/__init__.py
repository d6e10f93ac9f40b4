"""The velocity dispersion of a system, from the velocities or the redshifts of its members."""

from astro_hier.models.velocity_dispersion.model import VelocityDispersion

__all__ = ["VelocityDispersion"]
