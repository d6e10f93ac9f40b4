"""The distribution of periods of a sample of single-lined binaries."""

from astro_hier.models.binary_population.model import BinaryPopulation

__all__ = ["BinaryPopulation"]
