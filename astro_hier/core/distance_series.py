"""One star's distance r, integrated out, described or drawn, by the series of `distance_expansion`.

A draw is accepted from a normal distribution. Within T = `REACH` of the peak f_4 is positive,
wherever the series holds. By Taylor's theorem f - f_0 is therefore at least d t + t^2 / 2 + g_3 t^3
/ 6, which for |t| < T is no less than t^2 / (2 c^2) - |d| T with 1 / c^2 = 1 - |g_3| T / 3. So a
normal t of standard deviation c, accepted with probability exp(t^2 / (2 c^2) - |d| T - f + f_0), is
an exact draw from the density within T, which leaves out less than 1e-8 of it.

All functions are of pairs of hyperparameters and star: the lattice's q, Cx and Cy, arrays of shape
(pair,). The loops of `distance_compiled` serve where numba is installed and there are many stars.
"""

import importlib.util

import numpy as np
from numpy.typing import NDArray

from astro_hier.core import distance_expansion as expansion

Floats = NDArray[np.floating]

REACH = 7.0  # of draws from the peak, in standard deviations
LEAST_METRIC = 400.0  # Cx^2 + Cy^2 below which the series hardly ever holds
BLOCK = 8192  # pairs at a time: their arrays stay in a core's cache
HAS_NUMBA = importlib.util.find_spec("numba") is not None


def likely(q: Floats, Cx: Floats, Cy: Floats) -> NDArray[np.bool_]:
    """Where the series is worth trying: it holds in few other places."""
    away, depth = Cy - q / Cx, q / (Cx * Cx)
    near = away * away < expansion.MAX_DISTANCE**2 * (1 + depth * depth)
    return near & (Cy > expansion.MIN_RATIO) & (Cx > 0) & (Cx * Cx + Cy * Cy > LEAST_METRIC)


def integrate(q: Floats, Cx: Floats, Cy: Floats, compiled: bool = False) -> tuple:
    """ln of the integral that `distance_lattice.integrate` returns, and where it is right."""
    value, argument, good = np.empty(len(q)), np.empty(len(q)), np.empty(len(q), bool)
    if compiled:
        from astro_hier.core import distance_compiled

        distance_compiled.integrate(q, Cx, Cy, value, argument, good)
    else:
        for at in _blocks(len(q)):
            X, Y, *at_peak = expansion.peak(q[at], Cx[at], Cy[at])
            good[at] = expansion.is_good(q[at], Cx[at], Cy[at], *at_peak)
            value[at], argument[at] = expansion.log_integral(X, Y, Cx[at], Cy[at], *at_peak)
    value += 0.5 * np.log(argument)
    return value, good


def describe(q: Floats, Cx: Floats, Cy: Floats, compiled: bool = False) -> tuple:
    """Mean and variance of X, shape (2, pair), and where they are right."""
    found, good = np.empty((2, len(q))), np.empty(len(q), bool)
    if compiled:
        from astro_hier.core import distance_compiled

        distance_compiled.describe(q, Cx, Cy, found[0], found[1], good)
        return found, good
    for at in _blocks(len(q)):
        X, _, *at_peak = expansion.peak(q[at], Cx[at], Cy[at])
        good[at] = expansion.is_good(q[at], Cx[at], Cy[at], *at_peak)
        found[:, at] = expansion.moments(X, *at_peak)
    return found, good


def draw(q: Floats, Cx: Floats, Cy: Floats, rng: np.random.Generator) -> tuple:
    """One exact draw of X for each pair, and where it is one."""
    drawn, good = np.empty(len(q)), np.empty(len(q), bool)
    for at in _blocks(len(q)):
        X, Y, *at_peak = expansion.peak(q[at], Cx[at], Cy[at])
        good[at] = expansion.is_good(q[at], Cx[at], Cy[at], *at_peak)
        f_1, f_2, f_3, _ = at_peak
        # standard deviation of x, 1 / c^2, and |d| T
        sd = 1 / np.sqrt(f_2)
        narrowing = 1 - np.abs(f_3) * sd * sd * sd * (REACH / 3)
        pairs = X, Y, Cx[at], Cy[at], sd, narrowing, np.abs(f_1) * sd * REACH
        _reject(drawn[at], np.flatnonzero(good[at]), pairs, rng)
    return drawn, good


def _reject(drawn, left, pairs, rng):
    """Draw X for the pairs with the numbers ``left``, again and again until all are accepted."""
    while len(left):
        X, Y, Cx, Cy, sd, narrowing, shift = (of[left] for of in pairs)
        t = rng.standard_normal(len(left)) / np.sqrt(narrowing)
        factor = np.exp(t * sd)
        at = X * factor
        fall = (at - X) * (0.5 * (at + X) - Cx)
        lower = Y / factor
        fall += (lower - Y) * (0.5 * (lower + Y) - Cy) - t * sd
        fall += shift - 0.5 * t * t * narrowing
        accepted = (rng.standard_exponential(len(left)) > fall) & (np.abs(t) < REACH)
        drawn[left[accepted]] = at[accepted]
        left = left[~accepted]


def _blocks(size):
    """Slices of at most `BLOCK` pairs."""
    return [slice(start, start + BLOCK) for start in range(0, size, BLOCK)]
