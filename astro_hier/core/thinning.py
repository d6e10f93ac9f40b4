"""Some of many, evenly spaced."""

import numpy as np


def evenly(n: int, size: int) -> np.ndarray:
    """Indices of ``size`` evenly spaced items of ``n``, or of all if there are fewer."""
    return np.linspace(0, n - 1, min(n, size)).astype(int)
