"""A period-luminosity-metallicity relation, from parallaxes."""

from astro_hier.models.period_luminosity.model import PeriodLuminosity

__all__ = ["PeriodLuminosity"]
