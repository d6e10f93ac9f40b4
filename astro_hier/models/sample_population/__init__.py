"""The population of objects whose own results are known: draws, densities, or values."""

from astro_hier.models.sample_population.model import SamplePopulation

__all__ = ["SamplePopulation"]
