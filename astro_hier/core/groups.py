"""Groups among values with errors: where the members of a mixture may be.

A window is a run of neighbouring values. Each window that is tried starts a mixture of normal
distributions, one for the values inside and others for the rest, which is then fitted by
expectation-maximisation with the errors deconvolved (Bovy, Hogg & Roweis 2011, Ann. Appl. Stat. 5,
1657). No likelihood of a model is evaluated.
"""

from dataclasses import dataclass

import numpy as np

from astro_hier.core.floats import TINY
from astro_hier.core.thinning import evenly

MAX_ROWS = 4000  # larger tables are represented by as many
SIZES = (3, 5, 10)  # of windows, in rows
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8)  # sizes of windows as shares of all rows
NARROWEST = 3  # windows of each size and kind, without overlap
RANDOM = 24  # windows of random size, from three rows to
LARGEST_RANDOM = 0.8  # of all
STEPS = 30  # of expectation-maximisation
# two mixtures are the same if they differ by less in mean (in blurred sds), ln sd and share
SAME_MEAN = 0.5
SAME_LN_SD = 0.3
SAME_SHARE = 0.07
SMALLEST_SD = 0.01  # in units of the median error, or of the sd of all values if that is smaller


@dataclass(frozen=True)
class Groups:
    """A mixture of normal distributions: shares, means and sds, each of shape (part,)."""

    share: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def exchanged(self):
        """The mixture with each part first in turn, the others by increasing sd."""
        for first in range(len(self.share)):
            others = [k for k in np.argsort(self.sd, kind="stable") if k != first]
            order = [first, *others]
            yield Groups(self.share[order], self.mean[order], self.sd[order])


def labelled(value, error, most_parts=2, rng=None):
    """`Groups` with two to ``most_parts`` parts, each part first in turn."""
    for parts in range(2, most_parts + 1):
        for found in find(value, error, parts, rng):
            yield from found.exchanged()


def find(value, error, parts=2, rng=None):
    """Distinct mixtures of ``parts`` normal distributions, as `Groups`.

    Parameters
    ----------
    value, error : ndarray
        Shape (row,).
    parts : int
        Number of distributions: one for the window, the others for the rest.
    rng : `numpy.random.Generator`, optional
        Start from random windows instead of the densest ones.
    """
    if len(value) < 2 * SIZES[0]:
        return []
    order = np.argsort(value, kind="stable")
    order = order[evenly(len(order), MAX_ROWS)]
    value, error = value[order], error[order]
    windows = _densest(value) if rng is None else _random(len(value), rng)
    inside = np.zeros((len(windows), len(value)), bool)
    for row, (first, stop) in zip(inside, windows, strict=True):
        row[first:stop] = True
    share, mean, sd = _fit(value, error, *_first_guess(value, inside, parts))
    found = []
    for groups in map(Groups, share, mean, sd):
        if not any(_same(groups, other, np.median(error)) for other in found):
            found.append(groups)
    return found


def _densest(value):
    """The densest windows (first, stop) of each size among sorted values.

    Density is measured both absolutely and relative to the surroundings, because a small group in
    the wing of a field is less dense than the middle of the field.
    """
    windows = []
    sizes = {*SIZES, *(int(np.ceil(share * len(value))) for share in SHARES)}
    for size in sorted(size for size in sizes if size < len(value)):
        first = np.arange(len(value) - size + 1)
        width = value[first + size - 1] - value[first]
        around = value[np.minimum(first + 3 * size, len(value)) - 1]
        around -= value[np.maximum(first - 2 * size, 0)]
        windows += _smallest(width, size)
        windows += _smallest(width / np.maximum(around, TINY), size)
    return list(dict.fromkeys(windows))


def _smallest(figure, size):
    """The windows of one size with the smallest figures, without overlap."""
    figure, found = figure.copy(), []
    for _ in range(NARROWEST):
        first = int(np.argmin(figure))
        if not np.isfinite(figure[first]):
            break
        found.append((first, first + size))
        figure[max(0, first - size + 1) : first + size] = np.inf
    return found


def _random(n_rows, rng):
    """Windows of random size and position."""
    largest = max(LARGEST_RANDOM * n_rows, SIZES[0] + 1)
    sizes = np.exp(rng.uniform(np.log(SIZES[0]), np.log(largest), RANDOM)).astype(int)
    first = (rng.random(RANDOM) * (n_rows - sizes + 1)).astype(int)
    return list(zip(first, first + sizes, strict=True))


def _first_guess(value, inside, parts):
    """Shares, means and sds (window, part) by hard assignment, not inflated by distant rows.

    The rest is one part, or is split into halves near to and far from its median.
    """
    labels = np.where(inside, 0, 1)
    for n in range(2, parts):
        for row in labels:
            rest = row == n - 1
            off = np.abs(value - np.median(value[rest]))
            row[rest & (off > np.median(off[rest]))] = n
    masses = np.stack([labels == n for n in range(parts)]).astype(float)
    share = masses.mean(axis=2)
    count = np.maximum(masses.sum(axis=2), 1)
    mean = (masses * value).sum(axis=2) / count
    sd = np.sqrt((masses * (value - mean[..., None]) ** 2).sum(axis=2) / count)
    return share.T, mean.T, sd.T


def _fit(value, error, share, mean, sd):
    """Expectation-maximisation for all windows at once; arrays of shape (window, part)."""
    typical = np.median(error)
    least = SMALLEST_SD * (min(typical, np.std(value)) or typical)
    variance = error**2
    for _ in range(STEPS):
        sd = np.maximum(sd, least)
        blurred = sd[..., None] ** 2 + variance
        off = value - mean[..., None]
        log_mass = np.log(np.maximum(share, 1e-12))[..., None]
        log_mass = log_mass - 0.5 * (off**2 / blurred + np.log(blurred))
        log_mass -= log_mass.max(axis=1, keepdims=True)
        mass = np.exp(log_mass)
        mass /= mass.sum(axis=1, keepdims=True)
        total = np.maximum(mass.sum(axis=2), 1e-12)
        weight = sd[..., None] ** 2 / blurred
        step = weight * off
        move = (mass * step).sum(axis=2) / total
        left = (step - move[..., None]) ** 2 + weight * variance
        mean, share = mean + move, total / len(value)
        sd = np.sqrt((mass * left).sum(axis=2) / total)
    return share, mean, np.maximum(sd, least)


def _same(one, other, error):
    near = np.abs(one.mean - other.mean) < SAME_MEAN * np.hypot(other.sd, error)
    as_wide = np.abs(np.log(one.sd / other.sd)) < SAME_LN_SD
    return np.all(near & as_wide & (np.abs(one.share - other.share) < SAME_SHARE))
