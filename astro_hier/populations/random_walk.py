"""A random walk over places, as the prior of ln of a density there.

From one place x_k to the next, ln of the density h_k changes by

    ln h_(k+1) - ln h_k = smoothness z_k [(x_(k+1) - x_k) / w]^(1/2),

where z_k is standard normal and w an average distance: a Gaussian random walk of first order (Rue &
Held 2005, Gaussian Markov Random Fields, section 3.3), of Brownian motion for places at unequal
distances. Where it starts is arbitrary: a density is normalised.
"""

from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.posterior import UNBOUNDED, Parameter

LARGEST_STEP = 2.0  # of a starting point
SMOOTHNESS = (0.1, 1.0)


def parameters(suffix: str, index: str, what: str) -> tuple[Parameter, Parameter]:
    """The smoothness, and the steps in standard normals; ``what`` are neighbouring heights."""
    return (
        Parameter(
            f"smoothness{suffix}", u.one, f"s{index}",
            f"standard deviation of ln of the ratio of {what}", bounds=(0, np.inf),
        ),
        Parameter(
            f"step{suffix}", u.one, f"z{index}", f"ratios of {what}, in standard normals",
            dims=(f"step{suffix}_number",), bounds=UNBOUNDED,
        ),
    )  # fmt: skip


def deviations(places: np.ndarray, average: float) -> np.ndarray:
    """Standard deviations of the changes between places, for a smoothness of one."""
    return np.sqrt(np.diff(places) / average)


def changes(smoothness: Any, step: Any, deviation: np.ndarray) -> Any:
    """Changes from place to place, of arrays (theta,), (theta, change), or of PyMC variables."""
    return smoothness[..., None] * step * deviation


def log_heights(changes: np.ndarray) -> np.ndarray:
    """ln of the heights over that at the first place, shape (theta, place)."""
    walk = np.cumsum(changes, axis=-1)
    return np.concatenate([np.zeros_like(walk[..., :1]), walk], axis=-1)


def pymc_log_heights(changes: Any) -> Any:
    """The same of a PyMC variable, shape (place,)."""
    import pytensor.tensor as pt

    return pt.concatenate([pt.zeros(1), pt.cumsum(changes, axis=-1)])


def initial(changes: np.ndarray, deviation: np.ndarray) -> tuple[float, np.ndarray]:
    """Smoothness and steps of a starting point, from rough changes."""
    steps = changes / deviation
    smoothness = float(np.clip(np.std(steps), *SMOOTHNESS))
    return smoothness, np.clip(steps / smoothness, -LARGEST_STEP, LARGEST_STEP)
