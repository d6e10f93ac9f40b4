"""The likelihood of circular orbits, compiled by numba for many frequencies at once.

The constant columns of the least squares problem of `astro_hier.core.linear` do not depend on the
frequency. They come first here, made orthonormal once for each star and scatter, their share of the
velocities removed; what is left at each frequency are the columns of a and b,

    chi2 = |r|^2 less the share of r along both,   |A| |Lambda| = |a|^2 |b'|^2 times a constant,

where b' is b less its share along a. Trends thus cost next to nothing. On a grid, the products come
from sums over visits, as in `astro_hier.core.circular`; elsewhere from the columns themselves.

All is done for `LANES` frequencies at a time, in rows of one array. As `rows_compiled`, this is
imported where it is needed.
"""

import numpy as np
from numba import njit

from astro_hier.core.rows_compiled import FAST, LANES, TWO_PI, aligned, dot, exp, ln, turn, zero

# rows of the array of work; those of visits follow
A_A, B_B, A_B, A_R, B_R, R_R, HEIGHT, OTHER, SCALE, EXTRA = range(10)


@njit(**FAST)
def _add_pair(work, first, second, visits, weights):
    """Add two visits to all sums; more of them would hold up loops, and one has idle units."""
    w, v, u, other_w, other_v, other_u = weights
    for lane in range(LANES):
        c, s = work[first, lane], work[first + visits, lane]
        d, t = work[second, lane], work[second + visits, lane]
        wc, wd = w * c, other_w * d
        work[A_A, lane] += wc * c + wd * d
        work[A_B, lane] += wc * s + wd * t
        work[A_R, lane] += v * c + other_v * d
        work[B_R, lane] += v * s + other_v * t
        work[HEIGHT, lane] += u * c + other_u * d
        work[OTHER, lane] += u * s + other_u * t


@njit(**FAST)
def _along_unit(star, node, k, work, cosines):
    """Sums for one of the constant columns."""
    visits, inverse, unit = len(star.time), star.inverse[node], star.unit[node]
    zero(work, HEIGHT, OTHER + 1)
    for j in range(visits):
        u = inverse[j] * unit[k, j]
        for lane in range(LANES):
            work[HEIGHT, lane] += u * work[cosines + j, lane]
            work[OTHER, lane] += u * work[cosines + visits + j, lane]


@njit(**FAST)
def _remove_along_unit(work):
    for lane in range(LANES):
        c, s = work[HEIGHT, lane], work[OTHER, lane]
        work[A_A, lane] -= c * c
        work[A_B, lane] -= c * s
        work[B_B, lane] -= s * s


@njit(**FAST)
def _by_sums(star, node, work, cosines):
    """Products of a, b and r from sums over visits; rows of cosines precede those of sines."""
    visits, inverse = len(star.time), star.inverse[node]
    rest, unit = star.rest[node], star.unit[node]
    zero(work, A_A, OTHER + 1)
    total = np.sum(inverse * inverse)
    for j in range(0, visits, 2):
        i, of = inverse[j], min(j + 1, visits - 1)
        e = inverse[of] if of > j else 0.0
        weights = i * i, i * rest[j], i * unit[0, j], e * e, e * rest[of], e * unit[0, of]
        _add_pair(work, cosines + j, cosines + of, visits, weights)
    for lane in range(LANES):
        work[B_B, lane] = total - work[A_A, lane]
    _remove_along_unit(work)
    for k in range(1, len(unit)):
        _along_unit(star, node, k, work, cosines)
        _remove_along_unit(work)
    constant = np.sum(rest * rest)
    a, b = star.mean[0], star.mean[1]
    for lane in range(LANES):
        aa, ab, bb = work[A_A, lane], work[A_B, lane], work[B_B, lane]
        ar, br = work[A_R, lane], work[B_R, lane]
        work[R_R, lane] = (
            constant - 2 * (a * ar + b * br) + a * a * aa + 2 * a * b * ab + b * b * bb
        )
        work[A_R, lane] = ar - a * aa - b * ab
        work[B_R, lane] = br - a * ab - b * bb


@njit(**FAST)
def _sums_to_height(star, node, work):
    """ln p from these products."""
    a, b, extra = star.sd[0], star.sd[1], star.height[node]
    for lane in range(LANES):
        scale = work[SCALE, lane]
        sd_a, sd_b = a * scale, b * scale
        aa, bb = 1 + sd_a * sd_a * work[A_A, lane], 1 + sd_b * sd_b * work[B_B, lane]
        ab = sd_a * sd_b * work[A_B, lane]
        ar, br = sd_a * work[A_R, lane], sd_b * work[B_R, lane]
        determinant = max(aa * bb - ab * ab, 1.0)  # which it is but for rounding
        explained = (bb * ar * ar - 2 * ab * ar * br + aa * br * br) / determinant
        work[HEIGHT, lane] = determinant
        work[R_R, lane] = work[R_R, lane] - explained
    ln(work, HEIGHT, OTHER)
    for lane in range(LANES):
        work[HEIGHT, lane] = extra - 0.5 * (work[R_R, lane] + work[HEIGHT, lane])


@njit(**FAST)
def _column(star, node, work, waves, first, sd):
    """Rows of the column of a or b, less its share along the constant ones."""
    inverse, unit = star.inverse[node], star.unit[node]
    visits, columns = len(inverse), len(unit)
    for j in range(visits):
        factor = sd * inverse[j]
        for lane in range(LANES):
            work[first + j, lane] = factor * work[SCALE, lane] * work[waves + j, lane]
    zero(work, first + visits, first + visits + columns + 2)
    for k in range(columns):
        _remove_unit(unit, k, work, first)


@njit(**FAST)
def _remove_unit(unit, k, work, first):
    rows = unit.shape[1]
    zero(work, OTHER, OTHER + 1)
    for row in range(rows):
        factor = unit[k, row]
        for lane in range(LANES):
            work[OTHER, lane] += factor * work[first + row, lane]
    for row in range(rows):
        factor = unit[k, row]
        for lane in range(LANES):
            work[first + row, lane] -= factor * work[OTHER, lane]


@njit(**FAST)
def _remove(work, column, square, other, rows):
    """Take from ``other`` its share along a column whose square is known."""
    dot(work, column, other, rows, OTHER)
    for lane in range(LANES):
        work[OTHER, lane] /= work[square, lane]
    for row in range(rows):
        for lane in range(LANES):
            work[other + row, lane] -= work[OTHER, lane] * work[column + row, lane]


@njit(**FAST)
def _rest(star, node, work, cosines, first):
    """Rows of the velocities, less their share along the constant columns."""
    visits, columns, inverse = len(star.time), star.unit.shape[1], star.inverse[node]
    a, b = star.mean[0], star.mean[1]
    moved = a != 0 or b != 0
    rest = star.start[node] if moved else star.rest[node]
    for row in range(visits + columns):
        for lane in range(LANES):
            work[first + row, lane] = rest[row]
    zero(work, first + visits + columns, first + visits + columns + 2)
    if moved:
        for j in range(visits):
            c_row, s_row = cosines + j, cosines + visits + j
            for lane in range(LANES):
                mean = a * work[c_row, lane] + b * work[s_row, lane]
                work[first + j, lane] -= inverse[j] * mean
        for k in range(columns):
            _remove_unit(star.unit[node], k, work, first)


@njit(**FAST)
def _by_columns(star, node, work, cosines):
    """ln p from the columns themselves: modified Gram-Schmidt, as in `linear.Solution`."""
    visits, columns = len(star.time), star.unit.shape[1]
    inner, rows, extra = visits + columns, visits + columns + 2, star.height[node]
    a, b, r = cosines + 2 * visits, cosines + 2 * visits + rows, cosines + 2 * visits + 2 * rows
    _column(star, node, work, cosines, a, star.sd[0])
    _column(star, node, work, cosines + visits, b, star.sd[1])
    for lane in range(LANES):
        work[a + inner, lane] = 1.0
        work[b + inner + 1, lane] = 1.0
    _rest(star, node, work, cosines, r)
    dot(work, a, a, rows, A_A)
    _remove(work, a, A_A, b, rows)
    dot(work, b, b, rows, B_B)
    _remove(work, a, A_A, r, rows)
    _remove(work, b, B_B, r, rows)
    dot(work, r, r, rows, R_R)
    for lane in range(LANES):
        work[HEIGHT, lane] = work[A_A, lane] * work[B_B, lane]
    ln(work, HEIGHT, OTHER)
    for lane in range(LANES):
        work[HEIGHT, lane] = extra - 0.5 * (work[R_R, lane] + work[HEIGHT, lane])


@njit(**FAST)
def _scale(star, work, frequency, first, count):
    """Frequencies to the power of the amplitudes."""
    varies = star.power != 0
    for lane in range(LANES):
        work[SCALE, lane] = frequency[first + min(lane, count - 1)] if varies else 1.0
    if varies:
        ln(work, SCALE, OTHER)
        for lane in range(LANES):
            work[SCALE, lane] *= star.power
        exp(work, SCALE, OTHER)


@njit(inline="always", **FAST)
def _all_nodes(star, work, cosines, step, out, first, count):
    """ln p summed over the nodes of a scatter, from the waves in the rows after ``cosines``."""
    nodes = len(star.height)
    for node in range(nodes):
        if step > 0 and star.sums[node]:
            _by_sums(star, node, work, cosines)
            _sums_to_height(star, node, work)
        else:
            _by_columns(star, node, work, cosines)
        if nodes > 1:
            for lane in range(LANES):
                work[EXTRA + node, lane] = work[HEIGHT, lane]
    if nodes > 1:
        _log_sum(work, nodes)
    for lane in range(count):
        out[first + lane] = work[HEIGHT, lane]


@njit(**FAST)
def _log_sum(work, nodes):
    for lane in range(LANES):
        work[R_R, lane] = work[EXTRA, lane]
        work[HEIGHT, lane] = 0.0
    for node in range(EXTRA + 1, EXTRA + nodes):
        for lane in range(LANES):
            work[R_R, lane] = max(work[R_R, lane], work[node, lane])
    for node in range(EXTRA, EXTRA + nodes):
        for lane in range(LANES):
            work[node, lane] -= work[R_R, lane]
        exp(work, node, OTHER)
        for lane in range(LANES):
            work[HEIGHT, lane] += work[node, lane]
    ln(work, HEIGHT, OTHER)
    for lane in range(LANES):
        work[HEIGHT, lane] += work[R_R, lane]


@njit(**FAST)
def _room(star):
    """The array of work, and the row after which waves begin."""
    nodes, columns, visits = star.unit.shape[0], star.unit.shape[1], len(star.time)
    cosines = EXTRA + nodes
    return aligned(cosines + 5 * visits + 3 * (columns + 2)), cosines


@njit(**FAST)
def _turn_at(star, work, cosines, frequency, first, count):
    """Waves at any frequencies."""
    visits = len(star.time)
    for j in range(visits):
        t, row = star.time[j], cosines + j
        for lane in range(count):
            work[row, lane] = t * frequency[first + lane]
        for lane in range(count, LANES):
            work[row, lane] = 0.0
        turn(work, row, row + visits)


@njit(**FAST)
def _turn_on(star, work, cosines, fine, start):
    """Waves at equally spaced frequencies, which those in ``fine`` have from ``start`` on."""
    visits = len(star.time)
    for j in range(visits):
        angle = star.time[j] * start
        angle = TWO_PI * (angle - np.floor(angle + 0.5))
        c, s, c_row, s_row = np.cos(angle), np.sin(angle), cosines + j, cosines + visits + j
        for lane in range(LANES):
            x, y = fine[j, lane], fine[visits + j, lane]
            work[c_row, lane] = c * x - s * y
            work[s_row, lane] = s * x + c * y


@njit(**FAST)
def log_p(star, frequency, step):
    """ln p at frequencies: any, or, if ``step`` is not 0, equally spaced ones."""
    out, visits = np.empty(len(frequency)), len(star.time)
    work, cosines = _room(star)
    fine = aligned(2 * visits)
    for j in range(visits):
        for lane in range(LANES):
            fine[j, lane] = star.time[j] * step * lane
        turn(fine, j, visits + j)
    for first in range(0, len(frequency), LANES):
        count = min(LANES, len(frequency) - first)
        _scale(star, work, frequency, first, count)
        if step > 0:
            _turn_on(star, work, cosines, fine, frequency[first])
        else:
            _turn_at(star, work, cosines, frequency, first, count)
        _all_nodes(star, work, cosines, step, out, first, count)
    return out
