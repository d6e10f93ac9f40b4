"""One star's distance r, given its cluster, where the density of ln r is nearly normal: a series.

In the notation of `distance_lattice` the density of x = ln r is proportional to exp(-f) with

    f = ((X - Cx)^2 + (Y - Cy)^2) / 2 - x,

whose derivatives are, because X rises with x as fast as it is large and Y falls as fast,

    f_k = X (2^(k-1) X - Cx) + (-1)^k Y (2^(k-1) Y - Cy),    less 1 for k = 1.

About a point found by Newton's method, with t = (x - x_0) sqrt(f_2) and g_k = f_k / f_2^(k/2), they
are d t + t^2 / 2 + g_3 t^3 / 6 + g_4 t^4 / 24 + ..., where d is what Newton's method leaves over.

*The integral* is Laplace's, with the terms of a loop expansion to second order in u = max(g_3^2,
|g_4|) (Tierney & Kadane 1986, JASA 81, 82, give the first order):

    ln I = -f + ln sqrt(2 pi / f_2) + 5 g_3^2 / 24 - g_4 / 8
           - g_6 / 48 + g_4^2 / 12 + 7 g_3 g_5 / 48 - 25 g_3^2 g_4 / 48 + 5 g_3^4 / 16
           + d^2 / 2 + g_3 d (1 / 2 + d^2 / 6).

What is left out is of the order of 3 u^3 + u d^2 + 3 |d| u^1.5. In trials the error was up to twice
that, so twice that must be below `MAX_ERROR`. The estimate knows nothing of a second hump: it is
believed only where the parallax is `MIN_RATIO` errors above zero and within `MAX_DISTANCE` standard
deviations of that of the cluster.

*Moments.* The cumulants of t are -d - g_3 / 2, 1 + g_3^2 - g_4 / 2 + g_3 d and -g_3, to first order
in u; those of r = r_0 exp(t / sqrt(f_2)) follow.

All functions are of pairs of hyperparameters and star: the lattice's q, Cx and Cy. They are written
for arrays, and compiled for numbers in `distance_compiled`.
"""

import numpy as np

STEPS = 2  # of Newton's method
MAX_ERROR = 1e-6  # of ln I
MIN_RATIO = 8.0  # parallax over error
MAX_DISTANCE = 6.0  # of the parallax from the cluster's, error and depth together
MAX_SLOPE2 = 1e-4  # d^2: the peak was found


def peak(q, Cx, Cy):
    """X and Y next to the peak of the density of ln r; there f_1, f_2, f_3, and X^2 + Y^2."""
    X = (Cx * Cx * Cx + q * Cy) / (Cx * Cx + Cy * Cy)
    for _ in range(STEPS):
        Y = q / X
        S, W = X * X + Y * Y, X * Cx + Y * Cy
        half = 0.5 * ((X * X - Y * Y) - (X * Cx - Y * Cy) - 1) / (2 * S - W)
        X = X * (1 - half) / (1 + half)
    Y = q / X
    S, D = X * X + Y * Y, X * X - Y * Y
    f_1 = D - (X * Cx - Y * Cy) - 1
    return X, Y, f_1, 2 * S - (X * Cx + Y * Cy), f_1 + 1 + 3 * D, S


def is_good(q, Cx, Cy, f_1, f_2, f_3, S):
    """Whether the series holds; all but the first three are from `peak`."""
    inverse = 1 / f_2
    g_33, g_4 = f_3 * f_3 * inverse * inverse * inverse, (f_2 + 6 * S) * inverse * inverse
    d2 = f_1 * f_1 * inverse
    u = np.maximum(g_33, np.abs(g_4))
    error = 2 * (3 * u * u * u + u * d2 + 3 * u * np.sqrt(np.abs(d2) * u))
    # (p - 1 / m) / e, and what the depth adds to the variance of p / e
    away, depth = Cy - q / Cx, q / (Cx * Cx)
    near = away * away < MAX_DISTANCE * MAX_DISTANCE * (1 + depth * depth)
    # S is positive, unless it overflowed
    sound = (f_2 > 0) & (S < 1e200) & (d2 < MAX_SLOPE2)
    return sound & near & (error < MAX_ERROR) & (Cy > MIN_RATIO) & (Cx > 0)


def log_integral(X, Y, Cx, Cy, f_1, f_2, f_3, S):
    """ln of the integral of exp(-f) by x, less ln(a) / 2, and a; X in place of r in f."""
    inverse = 1 / f_2
    inverse2 = inverse * inverse
    g_33, g_4 = f_3 * f_3 * inverse2 * inverse, (f_2 + 6 * S) * inverse2
    g_6 = (f_2 + 30 * S) * inverse2 * inverse
    g_3_by_5 = f_3 * (f_3 + 12 * (X * X - Y * Y)) * inverse2 * inverse2
    d2, g_3_by_d = f_1 * f_1 * inverse, f_3 * f_1 * inverse2
    terms = g_33 * (5 / 24 + 5 / 16 * g_33 - 25 / 48 * g_4) + g_4 * (g_4 / 12 - 1 / 8)
    terms = terms + (7 / 48 * g_3_by_5 - g_6 / 48) + (0.5 * d2 + g_3_by_d * (0.5 + d2 / 6))
    away_X, away_Y = X - Cx, Y - Cy
    return terms - 0.5 * (away_X * away_X + away_Y * away_Y), 2 * np.pi * X * X * inverse


def moments(X, f_1, f_2, f_3, S):
    """Mean and variance of X; the arguments are from `peak`."""
    inverse = 1 / f_2
    inverse2 = inverse * inverse
    # cumulants of x - x_0
    first = -f_1 * inverse - 0.5 * f_3 * inverse2
    g_4 = (f_2 + 6 * S) * inverse2
    second = (1 + f_3 * f_3 * inverse2 * inverse - 0.5 * g_4 + f_3 * f_1 * inverse2) * inverse
    third = -f_3 * inverse2 * inverse
    # exp and expm1 of numbers of the order of 1 / f_2
    rise, spread = first + 0.5 * second + third / 6, second + third
    mean = X * (1 + rise * (1 + rise * (1 / 2 + rise / 6)))
    return mean, mean * mean * spread * (1 + spread * (1 / 2 + spread / 6))
