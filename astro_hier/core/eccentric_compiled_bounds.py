"""The loops of `eccentric_roots` and `eccentric_cells`, compiled by numba.

As `eccentric_compiled`, which it begins with, this is imported where it is needed.
"""

import numpy as np
from numba import njit

from astro_hier.core import eccentric_bounds, kepler
from astro_hier.core.eccentric_compiled import FAST, dot, fill, products

loose = njit(eccentric_bounds.loose, inline="always", **FAST)
close = njit(eccentric_bounds.close, inline="always", **FAST)
promised = njit(eccentric_bounds.promised, inline="always", **FAST)
filled = njit(eccentric_bounds.filled, inline="always", **FAST)
annealed = njit(eccentric_bounds.annealed, inline="always", **FAST)


@njit(**FAST)
def _rise(chi2, low, total, log_variance, step, steps, column):
    """`eccentric_bounds.best_scatter`."""
    rise = -np.inf
    for fifth in range(len(steps)):
        other = steps[fifth, column]
        risen = 0.5 * (chi2 - low * total[other] / total[step])
        rise = max(rise, risen + 0.5 * (log_variance[step] - log_variance[other]))
    return rise


@njit(**FAST)
def _bounds(
    total, constant, log_variance, half_range, rank, chi2, a, b, slope, curvature, step, steps,
    half, g, kappa, tau, least, out,
):  # fmt: skip
    for i in range(len(chi2)):
        k, h_f, h_e, h_m = step[i], half[0, i], half[1, i], half[2, i]
        ff = max(curvature[i, 0] * h_f * h_f, 0.0)
        ee = max(curvature[i, 1] * h_e * h_e, 0.0)
        mm = max(curvature[i, 2] * h_m * h_m, 0.0)
        gain = promised(
            chi2[i], slope[i, 0] * h_f, slope[i, 1] * h_e, slope[i, 2] * h_m, ff, ee, mm,
            curvature[i, 3] * h_f * h_e, curvature[i, 4] * h_f * h_m, curvature[i, 5] * h_e * h_m,
        )  # fmt: skip
        low, d_f, d_e, d_m, length, split_f, split_e, split_m = close(
            chi2[i], a[i] * a[i] + b[i] * b[i], ff, ee, mm, gain, g[0, i], g[1, i], g[2, i],
            total[k], constant[k], half_range, kappa[i],
        )  # fmt: skip
        rise = _rise(chi2[i], low, total, log_variance, k, steps, i)
        out[0, i] = rise - filled(d_f, d_e, d_m, rank)
        out[1, i] = annealed(split_f, split_e, split_m, length, chi2[i], least, tau[i])
        out[2, i], out[3, i], out[4, i] = split_f, split_e, split_m


def bounds(data, found, step, steps, half, e_high, g, kappa):
    """`eccentric_cells._tight`."""
    out = np.empty((5, len(step)))
    _bounds(
        data.total, data.chi2_constant, data.log_variance, data.half_range, data.rank,
        found.chi2, found.a, found.b, found.slope, found.curvature, step, steps, half, g,
        eccentric_bounds.margin(kappa, e_high), eccentric_bounds.annealing(data, step),
        eccentric_bounds.NEEDLE**2, out,
    )  # fmt: skip
    return out


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
        fill(time, f[i], e[i], m[i], False, nearest, cosines, sines, work, x, y)
        along, determinant = 1 / (sd[i] * sd[i]), 4 * np.log(sd[i])
        for number in range(len(chosen)):
            k = chosen[number]
            weight, unit, target = weights[k], units[k], targets[k]
            xx, xy, yy, xv, yv = products(weight, x, y, rv, wx, wy)
            xx, yy = xx + along, yy + along
            for c in range(p):
                on_x, on_y = dot(wx, unit[c]), dot(wy, unit[c])
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
            low, d_f, d_e, d_m, length = loose(
                chi2, a * a + b * b, mean_square[number] * g_f[i], g_e[i], g_m[i], total[k],
                constant[k], half_range, kappa[i],
            )  # fmt: skip
            rise = _rise(chi2, low, total, log_variance, k, spread, number)
            log_p[number, i] = height
            anneal[number, i] = annealed(d_f, d_e, d_m, length, chi2, 1.0, tau[number])
            upper[number, i] = height + rise - filled(d_f, d_e, d_m, rank)


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
