"""What floats are called, and one that stands in for zero."""

from collections.abc import Mapping

import numpy as np

Theta = Mapping[str, np.ndarray]  # values of parameters by name, shape (theta, ...)
TINY = 1e-300  # in place of zero, where its logarithm is taken or something is divided by it
