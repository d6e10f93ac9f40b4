"""The loops of `eccentric_kernel` and `eccentric_roots`, compiled by numba.

Sums over visits run along contiguous arrays, one node after another. numba is loaded with this
module, which therefore is imported where it is needed; what it compiles is kept on disk.
"""

import numpy as np
from numba import njit

from astro_hier.core import eccentric_bounds, kepler

FAST = {"fastmath": True, "error_model": "numpy", "cache": True, "nogil": True}
TWO_PI = kepler.TWO_PI
ANGLES, PHASES, ECCENTRICITIES = kepler.ANGLES, kepler.PHASES, kepler.ECCENTRICITIES

improve = njit(kepler.improve, inline="always", **FAST)
loose = njit(eccentric_bounds.loose, inline="always", **FAST)


@njit(**FAST)
def _look_up(time, f, m, row, nearest, cosines, sines, mean, angle, sign, cosine, sine):
    """Mean anomalies of [0, pi] and the nearest angles of the table; `kepler.solve` begins so."""
    for j in range(len(time)):
        cycles = f * time[j] + m
        cycles -= np.floor(cycles + 0.5)
        size = abs(cycles)
        start = nearest[row + int(np.sqrt(2 * size) * PHASES + 0.5)]
        mean[j], angle[j] = TWO_PI * size, start * (np.pi / ANGLES)
        cosine[j], sine[j] = cosines[start], sines[start]
        sign[j] = -1.0 if cycles < 0 else 1.0


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
def _fill(time, f, e, m, twice, nearest, cosines, sines, work, x, y):
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
def _multiply(c, d, out):
    for j in range(len(c)):
        out[j] = c[j] * d[j]


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
def _dot(c, d):
    total = 0.0
    for j in range(len(c)):
        total += c[j] * d[j]
    return total


@njit(**FAST)
def _slopes(time, e, weight, unit, residual, x, y, a, b, columns, D, slope, curvature):
    """Slopes and curvatures of one node; ``columns`` is what `_solve` found of X and Y."""
    wx, wy, shadow_x, shadow_y, first, mixed, second = columns
    J, p = len(time), unit.shape[0]
    _differentiate(time, e, x, y, a, b, D[0], D[1], D[2])
    along = np.empty((3, p + 2))
    weighted = np.empty((3, J))
    for k in range(3):
        _multiply(weight, D[k], weighted[k])
        slope[k] = _dot(weighted[k], residual)
        on_x, on_y = _dot(wx, D[k]), _dot(wy, D[k])
        for c in range(p):
            along[k, c] = _dot(weighted[k], unit[c])
            on_x -= along[k, c] * shadow_x[c]
            on_y -= along[k, c] * shadow_y[c]
        along[k, p] = on_x / first
        along[k, p + 1] = (on_y - mixed * along[k, p]) / second
    for number in range(6):
        k = number if number < 3 else (0 if number < 5 else 1)
        i = number if number < 3 else (1 if number == 3 else 2)
        curvature[number] = _dot(weighted[k], D[i]) - _dot(along[k], along[i])


@njit(**FAST)
def _evaluate(
    time, rv, weights, units, targets, back, pull, log_norm, nearest, cosines, sines,
    f, e, m, step, sd, slopes, log_p, chi2, a, b, slope, curvature,
):  # fmt: skip
    J, p = len(time), units.shape[1]
    x, y, wx, wy, residual = (np.empty(J), np.empty(J), np.empty(J), np.empty(J), np.empty(J))
    shadow_x, shadow_y, rest = np.empty(p), np.empty(p), np.empty(p)
    D, work = np.empty((3, J)), np.empty((3, J))
    for i in range(len(f)):
        k = step[i]
        weight, unit, target = weights[k], units[k], targets[k]
        _fill(time, f[i], e[i], m[i], not slopes, nearest, cosines, sines, work, x, y)
        _multiply(weight, x, wx)
        _multiply(weight, y, wy)
        along = 1 / (sd[i] * sd[i])
        xx, xy, yy = _dot(wx, x) + along, _dot(wx, y), _dot(wy, y) + along
        xv, yv = _dot(wx, rv), _dot(wy, rv)
        for c in range(p):
            shadow_x[c], shadow_y[c] = _dot(wx, unit[c]), _dot(wy, unit[c])
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
        residual[:] = rv
        _subtract(a[i], x, residual)
        _subtract(b[i], y, residual)
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
        determinant = 2 * np.log(first * second) + 4 * np.log(sd[i])
        log_p[i] = -0.5 * (total + log_norm[k] + determinant)
        if slopes:
            columns = wx, wy, shadow_x, shadow_y, first, mixed, second
            _slopes(time, e[i], weight, unit, residual, x, y, a[i], b[i], columns, D,
                    slope[i], curvature[i])  # fmt: skip


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


@njit(**FAST)
def _screen(
    time, rv, weights, units, targets, log_norm, constant, total, log_variance, half_range,
    rank, nearest, cosines, sines, f, e, m, sd, mean_square, g_f, g_e, g_m, kappa, tau, chosen,
    spread, log_p, upper, anneal,
):  # fmt: skip
    J, p = len(time), units.shape[1]
    x, y, wx, wy = np.empty(J), np.empty(J), np.empty(J), np.empty(J)
    work = np.empty((3, J))
    for i in range(len(f)):
        _fill(time, f[i], e[i], m[i], False, nearest, cosines, sines, work, x, y)
        along, determinant = 1 / (sd[i] * sd[i]), 4 * np.log(sd[i])
        for number in range(len(chosen)):
            k = chosen[number]
            weight, unit, target = weights[k], units[k], targets[k]
            _multiply(weight, x, wx)
            _multiply(weight, y, wy)
            xx, xy, yy = _dot(wx, x) + along, _dot(wx, y), _dot(wy, y) + along
            xv, yv = _dot(wx, rv), _dot(wy, rv)
            for c in range(p):
                on_x, on_y = _dot(wx, unit[c]), _dot(wy, unit[c])
                xx -= on_x * on_x
                xy -= on_x * on_y
                yy -= on_y * on_y
                xv -= on_x * target[c]
                yv -= on_y * target[c]
            first = np.sqrt(xx)
            mixed = xy / first
            second = np.sqrt(max(yy - mixed * mixed, 1e-12 * yy))
            u, v = xv / first, (yv - mixed * xv / first) / second
            b = v / second
            a = (u - mixed * b) / first
            chi2 = max(constant[k] - u * u - v * v, 0.0)
            height = -0.5 * (chi2 + log_norm[k] + 2 * np.log(first * second) + determinant)
            low, volume, key = loose(
                chi2, a * a + b * b, mean_square[number] * g_f[i], g_e[i], g_m[i], total[k],
                constant[k], half_range, kappa[i], tau[number], rank,
            )  # fmt: skip
            rise = -np.inf
            for fifth in range(len(spread)):
                other = spread[fifth, number]
                risen = 0.5 * (chi2 - low * total[other] / total[k])
                rise = max(rise, risen + 0.5 * (log_variance[k] - log_variance[other]))
            log_p[number, i], anneal[number, i] = height, key
            upper[number, i] = height + rise - volume


def screen(data, nodes, g, kappa, tau, chosen, spread):
    """`eccentric_roots.screen`, without the prior's mass."""
    found = np.empty((3, len(chosen), len(nodes.frequency)))
    _screen(
        data.time, data.rv, data.weight, data.unit, data.target, data.log_norm,
        data.chi2_constant, data.total, data.log_variance, data.half_range, data.rank,
        *kepler.tables(), nodes.frequency, nodes.eccentricity, nodes.phase, nodes.sd,
        (data.moment / data.total)[chosen], *g, kappa, tau, chosen, spread, *found,
    )  # fmt: skip
    return found
