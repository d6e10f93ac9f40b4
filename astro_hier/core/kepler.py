"""Kepler's equation, and the radial velocity of an eccentric orbit.

A node (f, e, m) is an orbit of frequency f = 1 / P and eccentricity e whose mean anomaly is

    M = f t + m

in cycles: m at the time from which t counts, so that the periastron passage is at t = -m / f. With
the eccentric anomaly E, which solves

    E - e sin E = 2 pi M,

and the true anomaly nu, the velocity is linear in the two amplitudes A = K cos omega and
B = K sin omega,

    v = K [cos(nu + omega) + e cos omega] = A X + B Y,
    X = cos nu + e = (1 - e^2) cos E / (1 - e cos E),
    Y = -sin nu = -sqrt(1 - e^2) sin E / (1 - e cos E).

Its derivatives are, with h = 1 + e cos nu and g = A Y - B cos nu,

    dv/dm = 2 pi g h^2 / (1 - e^2)^1.5,    dv/df = t dv/dm,    dv/de = A - g Y (1 + h) / (1 - e^2).

The equation is solved without trigonometric functions. A table holds, for `ECCENTRICITIES` + 1
values of e and `PHASES` + 1 of sqrt(2 |M|), which near periastron is as smooth as E is, the number
of the nearest of `ANGLES` + 1 angles in [0, pi], whose sine and cosine are tabulated. From there
a step of fifth order (Danby & Burkardt 1983, Celestial Mechanics 31, 95) leaves less than 1e-6
of error in cos E up to e = 0.95, and two of them leave rounding errors up to e = 0.999. Sine and
cosine of a step are those of its Taylor series. `solve` is plain arithmetic, so that what is
written here for arrays is what is compiled for numbers.
"""

from functools import cache

import numpy as np

TWO_PI = 2 * np.pi
ECCENTRICITIES = 128
PHASES = 512
ANGLES = 2048
LARGEST_ECCENTRICITY = 0.9995  # of the table
NEWTON_STEPS = 50


@cache
def tables():
    """The angle nearest to E by e and sqrt(2 |M|), flattened, and all angles' cosines and sines."""
    eccentricity = np.arange(ECCENTRICITIES + 1)[:, None] / ECCENTRICITIES
    eccentricity = np.minimum(eccentricity, LARGEST_ECCENTRICITY)
    mean = np.pi * (np.arange(PHASES + 1) / PHASES) ** 2
    low, high = np.zeros((ECCENTRICITIES + 1, PHASES + 1)), np.pi
    for _ in range(NEWTON_STEPS):  # bisection: E grows with M
        middle = 0.5 * (low + high)
        below = middle - eccentricity * np.sin(middle) < mean
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    angle = np.arange(ANGLES + 1) * (np.pi / ANGLES)
    nearest = np.rint(low * (ANGLES / np.pi)).astype(np.int16)
    return nearest.ravel(), np.cos(angle), np.sin(angle)


def improve(E, cosine, sine, e, mean):
    """E, cos E and sin E after one step of fifth order towards E - e sin E = mean, in rad."""
    first, second, third = 1 - e * cosine, e * sine, e * cosine
    miss = E - second - mean
    step = -miss / first
    step = -miss / (first + 0.5 * step * second)
    step = -miss / (first + step * (0.5 * second + step * third / 6))
    square = step * step
    cos_step = 1 - square * (0.5 - square * (1 / 24 - square / 720))
    sin_step = step * (1 - square * (1 / 6 - square * (1 / 120 - square / 5040)))
    turned = cosine * cos_step - sine * sin_step, sine * cos_step + cosine * sin_step
    return E + step, turned[0], turned[1]


def solve(cycles, e, twice, nearest, cosines, sines):
    """cos E and sin E at mean anomalies of ``cycles``, by one step of fifth order or by two.

    For arrays that broadcast or, compiled, for numbers; ``nearest, cosines, sines`` are `tables`.
    """
    cycles = cycles - np.floor(cycles + 0.5)
    size = np.abs(cycles)
    column = np.int64(np.sqrt(2 * size) * PHASES + 0.5)
    start = nearest[np.int64(e * ECCENTRICITIES + 0.5) * (PHASES + 1) + column]
    E, cosine, sine = start * (np.pi / ANGLES), cosines[start], sines[start]
    E, cosine, sine = improve(E, cosine, sine, e, TWO_PI * size)
    if twice:
        E, cosine, sine = improve(E, cosine, sine, e, TWO_PI * size)
    return cosine, np.copysign(sine, cycles)


def waves(time, frequency, eccentricity, phase, twice=True):
    """X and Y of nodes at some times, shape (time, node).

    Parameters
    ----------
    time : ndarray
        From where the phases count [d], shape (time,).
    frequency, eccentricity, phase : ndarray
        f [1 / d], e < 0.9995 and m [cycles], shape (node,).
    twice : bool, optional
        Whether to take the second step, for rounding errors rather than 1e-6.
    """
    return shapes(np.multiply.outer(time, frequency) + phase, eccentricity, twice)


def shapes(cycles, eccentricity, twice=True):
    """X and Y at mean anomalies of ``cycles``, for arrays that broadcast, with e < 0.9995."""
    cosine, sine = solve(cycles, eccentricity, twice, *tables())
    ratio = 1 / (1 - eccentricity * cosine)
    square = 1 - eccentricity**2
    return square * cosine * ratio, -np.sqrt(square) * sine * ratio


def derivatives(time, eccentricity, x, y, a, b):
    """dv/df, dv/de and dv/dm of v = a x + b y, each of shape (time, node).

    ``x`` and ``y`` are `waves` at ``time``; ``a`` and ``b`` have shape (node,).
    """
    square = 1 - eccentricity**2
    cosine = x - eccentricity
    g, h = a * y - b * cosine, 1 + eccentricity * cosine
    by_phase = TWO_PI * g * h**2 / square**1.5
    by_eccentricity = a - g * y * (1 + h) / square
    return time[:, None] * by_phase, by_eccentricity, by_phase


def velocity(time, period, eccentricity, t_peri, K, omega):
    """Radial velocity about that of the centre of mass, broadcasting.

    Parameters
    ----------
    time, period, t_peri : array_like
        Times, periods and periastron passages [d].
    eccentricity : array_like
        Below 0.9995.
    K : array_like
        Semi-amplitude, in the unit of what is returned.
    omega : array_like
        Argument of periastron of the star [rad].
    """
    cycles = np.asarray((np.asarray(time) - t_peri) / period)
    x, y = shapes(cycles, np.asarray(eccentricity, float))
    return K * (np.cos(omega) * x + np.sin(omega) * y)
