"""The search of `astro_hier.core.period_nodes` for circles, compiled by numba.

The panels are halved by the same rules, for a prior that is uniform in ln P. As
`circular_compiled`, which gives it ln p, this is imported where it is needed.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from astro_hier.core import circular_compiled
from astro_hier.core.floats import TINY
from astro_hier.core.period_cells import PeriodNodes

# sums and comparisons as NumPy does them
EXACT = {"error_model": "numpy", "cache": True, "nogil": True}
LOST = 45.0  # a sum over panels lacks those below exp(-LOST) of the highest
SIDE_BY_SIDE = 256  # panels of the grid whose prior mass has a common bound


class Rules(NamedTuple):
    """Constants of `astro_hier.core.period_nodes`, by their names there."""

    bend: float
    safety: float
    negligible: float
    max_halvings: int
    most_bends: int


@njit(**EXACT)
def _log_mass(low, high, span):
    """ln of the prior probability of a panel, where ln P is uniform over ``span``."""
    return np.log(max(np.log1p((high - low) / low) / span, TINY))


@njit(**EXACT)
def _grid_total(frequency, log_p, span):
    """ln of the mass of all panels of the grid, taking ln p for its highest in each."""
    count, highest, total = (len(frequency) - 1) // 2, -np.inf, 0.0
    for first in range(0, count, SIDE_BY_SIDE):
        last = min(first + SIDE_BY_SIDE, count)
        bound = _log_mass(frequency[2 * first], frequency[2 * first + 2], span)
        for i in range(first, last):
            top = max(log_p[2 * i], log_p[2 * i + 1], log_p[2 * i + 2])
            if top + bound > highest - LOST:
                height = top + _log_mass(frequency[2 * i], frequency[2 * i + 2], span)
                if height > highest:
                    total = total * np.exp(highest - height) + 1.0
                    highest = height
                else:
                    total += np.exp(height - highest)
    return highest + np.log(total)


@njit(**EXACT)
def _of_grid(frequency, log_p, span, total, special, narrow, rules):
    """The panels of the grid that matter, and which of them bend."""
    count, found = (len(frequency) - 1) // 2, 0
    chosen, bends = np.empty(count, np.int64), np.empty(count, np.bool_)
    bound, place = 0.0, 0
    for i in range(count):
        low, high = frequency[2 * i], frequency[2 * i + 2]
        if i % SIDE_BY_SIDE == 0:
            bound = _log_mass(low, high, span)
        first, middle, last = log_p[2 * i], log_p[2 * i + 1], log_p[2 * i + 2]
        bend = abs(first - 2 * middle + last)
        top = max(first, middle, last)
        limit = total - rules.negligible - rules.safety * bend - top
        matters = bound > limit and _log_mass(low, high, span) > limit
        place, holds = _holds(special, place, low, high, narrow)
        if matters or holds:
            chosen[found], bends[found] = i, holds or bend > rules.bend
            found += 1
    return chosen[:found], bends[:found]


@njit(**EXACT)
def _holds(special, place, low, high, narrow):
    """Whether a panel that is not yet narrow holds a special frequency.

    ``place`` is that of the first special frequency which earlier panels did not leave behind.
    """
    while place < len(special) and special[place] < low:
        place += 1
    return place, place < len(special) and special[place] <= high and high - low > narrow


@njit(**EXACT)
def _halves(star, panels):
    """`period_nodes._halve`."""
    count = panels.shape[1]
    frequency, halves = np.empty(2 * count), np.empty((6, 2 * count))
    for i in range(count):
        frequency[2 * i] = 0.5 * (panels[0, i] + panels[1, i])
        frequency[2 * i + 1] = 0.5 * (panels[1, i] + panels[2, i])
    log_p = circular_compiled.log_p(star, frequency, 0.0)
    for i in range(count):
        for side in range(2):
            to = 2 * i + side
            halves[0, to], halves[2, to] = panels[side, i], panels[side + 1, i]
            halves[3, to], halves[5, to] = panels[3 + side, i], panels[4 + side, i]
            halves[1, to], halves[4, to] = frequency[to], log_p[to]
    return halves


@njit(**EXACT)
def _total(panels, span):
    """ln of the mass of panels, taking ln p for its highest in each, and ln of their priors'."""
    count = panels.shape[1]
    log_mass, height = np.empty(count), np.empty(count)
    for i in range(count):
        log_mass[i] = _log_mass(panels[0, i], panels[2, i], span)
        height[i] = log_mass[i] + max(panels[3, i], panels[4, i], panels[5, i])
    highest, total = height.max(), 0.0
    for i in range(count):
        total += np.exp(height[i] - highest)
    return highest + np.log(total), log_mass


@njit(**EXACT)
def _sorted_out(panels, log_mass, total, special, narrow, rules):
    """Panels that matter and do not bend, and those that bend."""
    count, kept, bent, place = panels.shape[1], 0, 0, 0
    keep, bend_them = np.empty((6, count)), np.empty((6, count))
    for i in range(count):
        bend = abs(panels[3, i] - 2 * panels[4, i] + panels[5, i])
        top = max(panels[3, i], panels[4, i], panels[5, i])
        matters = log_mass[i] + top + rules.safety * bend > total - rules.negligible
        place, holds = _holds(special, place, panels[0, i], panels[2, i], narrow)
        if holds or (matters and bend > rules.bend):
            for k in range(6):
                bend_them[k, bent] = panels[k, i]
            bent += 1
        elif matters:
            for k in range(6):
                keep[k, kept] = panels[k, i]
            kept += 1
    return keep[:, :kept].copy(), bend_them[:, :bent].copy()


@njit(inline="always", **EXACT)
def _from_grid(star, frequency, span, special, narrow, total, rules):
    """The first generation of panels: those kept, those that bend, and the total."""
    step = (frequency[-1] - frequency[0]) / (len(frequency) - 1)
    log_p = circular_compiled.log_p(star, frequency, step)
    total = max(total, _grid_total(frequency, log_p, span))
    chosen, bends = _of_grid(frequency, log_p, span, total, special, narrow, rules)
    bent = np.sum(bends)
    keep, bend_them = np.empty((6, len(chosen) - bent)), np.empty((6, bent))
    kept = bent = 0
    for number in range(len(chosen)):
        i = 2 * chosen[number]
        to, place = (bend_them, bent) if bends[number] else (keep, kept)
        for k in range(3):
            to[k, place], to[3 + k, place] = frequency[i + k], log_p[i + k]
        if bends[number]:
            bent += 1
        else:
            kept += 1
    return keep, bend_them, total


@njit(inline="always", **EXACT)
def _refine(star, frequency, span, special, narrow, total, rules):
    """The panels that `period_nodes._refine` makes of the grid, and whether none still bends."""
    keep, bend_them, total = _from_grid(star, frequency, span, special, narrow, total, rules)
    kept = [keep]
    for _ in range(rules.max_halvings - 1):
        if bend_them.shape[1] == 0 or bend_them.shape[1] > rules.most_bends:
            break
        panels = _halves(star, bend_them)
        of_these, log_mass = _total(panels, span)
        total = max(total, of_these)
        keep, bend_them = _sorted_out(panels, log_mass, total, special, narrow, rules)
        kept.append(keep)
    panels = kept.pop()
    while len(kept) > 0:  # each generation is in order
        panels = _merged(kept.pop(), panels)
    return panels, bend_them.shape[1] == 0


@njit(**EXACT)
def _merged(first, second):
    """The panels of both, in order."""
    count, other = first.shape[1], second.shape[1]
    merged = np.empty((6, count + other))
    i = j = 0
    while i + j < count + other:
        is_first = j == other or (i < count and first[0, i] < second[0, j])
        for k in range(6):
            merged[k, i + j] = first[k, i] if is_first else second[k, j]
        if is_first:
            i += 1
        else:
            j += 1
    return merged


@njit(**EXACT)
def _cells(panels, span):
    """`period_nodes._cells`, as one array: low, high, ln p there, and the prior's mass."""
    count = panels.shape[1]
    cells = np.empty((5, 2 * count))
    for i in range(count):
        for side in range(2):
            to, low, high = 2 * i + side, panels[side, i], panels[side + 1, i]
            cells[0, to], cells[1, to] = low, high
            cells[2, to], cells[3, to] = panels[3 + side, i], panels[4 + side, i]
            cells[4, to] = np.log1p((high - low) / low) / span
    return cells


@njit(**EXACT)
def _moments(cells, span, highest, middle):
    """Mean of ln P, from that at the frequency ``middle``, and its standard deviation.

    ``highest`` is about the highest ln p.
    """
    count = cells.shape[1]
    mass = mean = square = 0.0
    last = last_height = np.nan
    for i in range(count):
        first_height = last_height if cells[2, i] == last else np.exp(cells[2, i] - highest)
        last, last_height = cells[3, i], np.exp(cells[3, i] - highest)
        of_cell = cells[4, i] * 0.5 * (first_height + last_height)
        place = -0.5 * np.log((cells[0, i] / middle) * (cells[1, i] / middle))
        mass += of_cell
        mean += of_cell * place
        square += of_cell * (place * place + (span * cells[4, i]) ** 2 / 12)
    mean /= mass
    return mean, np.sqrt(max(square / mass - mean * mean, TINY))


@njit(**EXACT)
def find_cells(star, frequency, special, narrow, total, halved, rules):
    """The cells, how they are ``settled``, and the error that halving them shows."""
    span = np.log(frequency[-1] / frequency[0])
    panels, settled = _refine(star, frequency, span, special, narrow, total, rules)
    cells, error = _cells(panels, span), np.nan
    if halved and settled:
        best = np.argmax(panels[4])
        middle, highest = panels[1, best], panels[4, best]
        mean, _ = _moments(cells, span, highest, middle)
        cells = _cells(_halves(star, panels), span)
        found, sd = _moments(cells, span, highest, middle)
        error = abs(found - mean) / sd
    return cells, error, settled


def search(star, frequency, special, narrow, total, halved, rules):
    """The cells of a star, and whether they are settled.

    Parameters
    ----------
    star : `~astro_hier.core.star_compiled.Star`
    frequency : ndarray
        The grid: equally spaced, an odd number.
    special, narrow, total
        As `period_nodes._refine` takes them.
    halved : bool
        Whether to halve all cells once more and find the error.
    rules : Rules
    """
    given = np.array(special, float), float(narrow), float(total), bool(halved), rules
    cells, error, settled = find_cells(star, frequency, *given)
    return PeriodNodes(*cells, error=float(error)), settled
