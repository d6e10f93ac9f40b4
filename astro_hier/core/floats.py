"""What floats are called, one that stands in for zero, and a sum of exponentials."""

from collections.abc import Mapping

import numpy as np

Theta = Mapping[str, np.ndarray]  # values of parameters by name, shape (theta, ...)
TINY = 1e-300  # in place of zero, where its logarithm is taken or something is divided by it


def log_sum_exp(values: np.ndarray | list[np.ndarray]) -> np.ndarray:
    """ln of the sum of exp along the first axis, four times as fast as SciPy's, for floats alone.

    It is -inf where all values are.
    """
    values = np.asarray(values)
    highest = values.max(axis=0)
    shift = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(values - shift).sum(axis=0)) + shift
