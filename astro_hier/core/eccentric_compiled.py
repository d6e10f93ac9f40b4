"""The loops of `eccentric_kernel`, compiled by numba.

Sums over visits run along contiguous arrays, one node after another. numba is loaded with this
module, which therefore is imported where it is needed; what it compiles is kept on disk.
"""

import numpy as np
from numba import njit

from astro_hier.core import kepler

FAST = {"fastmath": True, "error_model": "numpy", "cache": True, "nogil": True}
TWO_PI = kepler.TWO_PI
ANGLES, PHASES, ECCENTRICITIES = kepler.ANGLES, kepler.PHASES, kepler.ECCENTRICITIES

improve = njit(kepler.improve, inline="always", **FAST)


@njit(**FAST)
def _look_up(time, f, m, row, nearest, cosines, sines, mean, angle, sign, cosine, sine):
    """Mean anomalies of [0, pi] and the nearest angles of the table; `kepler.solve` begins so."""
    for j in range(len(time)):
        cycles = f * time[j] + m
        cycles -= np.floor(cycles + 0.5)
        size = abs(cycles)
        mean[j], angle[j] = TWO_PI * size, np.sqrt(2 * size) * PHASES + 0.5
        sign[j] = -1.0 if cycles < 0 else 1.0
    for j in range(len(time)):
        start = nearest[row + int(angle[j])]
        angle[j], cosine[j], sine[j] = start * (np.pi / ANGLES), cosines[start], sines[start]


@njit(**FAST)
def _correct(mean, e, angle, cosine, sine):
    """One step towards the solution at all visits."""
    for j in range(len(mean)):
        angle[j], cosine[j], sine[j] = improve(angle[j], cosine[j], sine[j], e, mean[j])


@njit(**FAST)
def _project(sign, e, x, y):
    """X and Y in place of the cosine and sine of E."""
    square = 1 - e * e
    root = np.sqrt(square)
    for j in range(len(sign)):
        ratio = 1 / (1 - e * x[j])
        x[j] = square * x[j] * ratio
        y[j] = -root * y[j] * ratio * sign[j]


@njit(**FAST)
def fill(time, f, e, m, twice, nearest, cosines, sines, work, x, y):
    """X and Y at all visits, as in `kepler.waves`; ``work`` has shape (3, visit).

    What is looked up and what is computed are loops of their own, and their arrays known to be
    apart, for then the latter run on several visits at once.
    """
    row = int(e * ECCENTRICITIES + 0.5) * (PHASES + 1)
    mean, angle, sign = work[0], work[1], work[2]  # unpacked, they would not count as contiguous
    _look_up(time, f, m, row, nearest, cosines, sines, mean, angle, sign, x, y)
    if twice:
        _correct(mean, e, angle, x, y)
    _correct(mean, e, angle, x, y)
    _project(sign, e, x, y)


@njit(**FAST)
def products(weight, x, y, rv, wx, wy):
    """Products of X, Y and v, and weights times X and Y."""
    xx = xy = yy = xv = yv = 0.0
    for j in range(len(x)):
        wx[j], wy[j] = weight[j] * x[j], weight[j] * y[j]
        xx += wx[j] * x[j]
        xy += wx[j] * y[j]
        yy += wy[j] * y[j]
        xv += wx[j] * rv[j]
        yv += wy[j] * rv[j]
    return xx, xy, yy, xv, yv


@njit(**FAST)
def _subtract(factor, c, out):
    for j in range(len(c)):
        out[j] -= factor * c[j]


@njit(**FAST)
def _differentiate(time, e, x, y, a, b, by_f, by_e, by_m):
    """`kepler.derivatives`."""
    square = 1 - e * e
    factor = TWO_PI / (square * np.sqrt(square))
    for j in range(len(time)):
        cosine = x[j] - e
        g, h = a * y[j] - b * cosine, 1 + e * cosine
        turn = factor * g * h * h
        by_m[j] = turn
        by_f[j] = time[j] * turn
        by_e[j] = a - g * y[j] * (1 + h) / square


@njit(**FAST)
def dot(c, d):
    total = 0.0
    for j in range(len(c)):
        total += c[j] * d[j]
    return total


@njit(**FAST)
def _slopes(weight, unit, residual, x_y, D, weighted, along, slope, curvature):
    """Slopes and curvatures of one node; ``x_y`` is what `_evaluate` found of X and Y.

    ``weighted`` and ``along`` are room for the derivatives ``D`` times weights, and their
    coefficients along all columns.
    """
    wx, wy, shadow_x, shadow_y, first, mixed, second = x_y
    J, p = len(weight), len(unit)
    for k in range(3):
        d, w = D[k], weighted[k]
        by_residual = on_x = on_y = 0.0
        for j in range(J):
            w[j] = weight[j] * d[j]
            by_residual += w[j] * residual[j]
            on_x += wx[j] * d[j]
            on_y += wy[j] * d[j]
        slope[k] = by_residual
        for c in range(p):
            along[k, c] = dot(w, unit[c])
            on_x -= along[k, c] * shadow_x[c]
            on_y -= along[k, c] * shadow_y[c]
        along[k, p] = on_x / first
        along[k, p + 1] = (on_y - mixed * along[k, p]) / second
    f, e, m, w_f, w_e, w_m = D[0], D[1], D[2], weighted[0], weighted[1], weighted[2]
    ff = ee = mm = fe = fm = em = 0.0
    for j in range(J):
        ff += w_f[j] * f[j]
        ee += w_e[j] * e[j]
        mm += w_m[j] * m[j]
        fe += w_f[j] * e[j]
        fm += w_f[j] * m[j]
        em += w_e[j] * m[j]
    for c in range(p + 2):
        ff -= along[0, c] * along[0, c]
        ee -= along[1, c] * along[1, c]
        mm -= along[2, c] * along[2, c]
        fe -= along[0, c] * along[1, c]
        fm -= along[0, c] * along[2, c]
        em -= along[1, c] * along[2, c]
    curvature[0], curvature[1], curvature[2] = ff, ee, mm
    curvature[3], curvature[4], curvature[5] = fe, fm, em


@njit(**FAST)
def _evaluate(
    time, rv, weights, units, targets, back, pull, log_norm, nearest, cosines, sines,
    f, e, m, step, sd, slopes, log_p, chi2, a, b, slope, curvature,
):  # fmt: skip
    J, p = len(time), units.shape[1]
    x, y, wx, wy, residual = (np.empty(J), np.empty(J), np.empty(J), np.empty(J), np.empty(J))
    shadow_x, shadow_y, rest = np.empty(p), np.empty(p), np.empty(p)
    D, work, along_all = np.empty((3, J)), np.empty((3, J)), np.empty((3, p + 2))
    for i in range(len(f)):
        k = step[i]
        weight, unit, target = weights[k], units[k], targets[k]
        fill(time, f[i], e[i], m[i], not slopes, nearest, cosines, sines, work, x, y)
        along = 1 / (sd[i] * sd[i])
        xx, xy, yy, xv, yv = products(weight, x, y, rv, wx, wy)
        xx, yy = xx + along, yy + along
        for c in range(p):
            shadow_x[c], shadow_y[c] = dot(wx, unit[c]), dot(wy, unit[c])
            xx -= shadow_x[c] * shadow_x[c]
            xy -= shadow_x[c] * shadow_y[c]
            yy -= shadow_y[c] * shadow_y[c]
            xv -= shadow_x[c] * target[c]
            yv -= shadow_y[c] * target[c]
        first = np.sqrt(xx)
        mixed = xy / first
        second = np.sqrt(max(yy - mixed * mixed, 1e-12 * yy))
        b[i] = (yv - mixed * xv / first) / (second * second)
        a[i] = (xv / first - mixed * b[i]) / first
        for j in range(J):
            residual[j] = rv[j] - a[i] * x[j] - b[i] * y[j]
        for c in range(p):
            rest[c] = target[c] - a[i] * shadow_x[c] - b[i] * shadow_y[c]
            _subtract(rest[c], unit[c], residual)
        total = along * (a[i] * a[i] + b[i] * b[i])
        for j in range(J):
            total += weight[j] * residual[j] * residual[j]
        for c in range(p):
            pulled = -pull[c]
            for d in range(p):
                pulled += back[k, d, c] * rest[d]
            total += pulled * pulled
        chi2[i] = total
        determinant = 2 * np.log(first * second * sd[i] * sd[i])
        log_p[i] = -0.5 * (total + log_norm[k] + determinant)
        if slopes:
            x_y = wx, wy, shadow_x, shadow_y, first, mixed, second
            _differentiate(time, e[i], x, y, a[i], b[i], D[0], D[1], D[2])
            _slopes(weight, unit, residual, x_y, D, work, along_all, slope[i], curvature[i])


@njit(**FAST)
def _find(values, edges, guide, found):
    last = len(guide) - 1
    for i in range(len(values)):
        k = guide[min(max(int(values[i] * last), 0), last)]
        while k < len(edges) - 2 and edges[k + 1] <= values[i]:
            k += 1
        found[i] = k


def find(values, edges, guide):
    """`eccentric_prior.Guide.find`."""
    values = np.ascontiguousarray(values)
    found = np.empty(values.shape, np.int64)
    _find(values.ravel(), edges, guide, found.ravel())
    return found


def evaluate(data, nodes, slopes):
    """ln p, chi2, A, B and, where wanted, slopes and curvatures of nodes."""
    n = len(nodes.frequency)
    found = np.empty((4, n))
    slope, curvature = np.empty((n if slopes else 0, 3)), np.empty((n if slopes else 0, 6))
    _evaluate(
        data.time, data.rv, data.weight, data.unit, data.target, data.back, data.pull,
        data.log_norm, *kepler.tables(), *nodes, slopes, *found, slope, curvature,
    )  # fmt: skip
    return (*found, slope, curvature) if slopes else tuple(found)
