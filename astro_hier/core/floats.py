"""Floats that stand in for others."""

TINY = 1e-300  # in place of zero, where its logarithm is taken or something is divided by it
