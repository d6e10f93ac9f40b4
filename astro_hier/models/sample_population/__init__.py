"""The population of objects whose own results are known: draws, densities, or values."""
