"""Groups among values with errors: where the members of a mixture may be.

A window is a run of neighbouring values. Each of some windows starts a mixture of normal
distributions, one for what lies in it and others for the rest, which expectation and maximisation
then fits with the errors deconvolved (Bovy, Hogg & Roweis 2011, Ann. Appl. Stat. 5, 1657). No
likelihood of a model is evaluated.
"""

from dataclasses import dataclass

import numpy as np

from astro_hier.core.floats import TINY

MOST_ROWS = 4000  # more are represented by as many
SIZES = (3, 5, 10)  # of windows, in rows
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8)  # and in shares of all
NARROWEST = 3  # windows of each size and kind, without overlap
RANDOM = 24  # windows, of sizes from three rows to this share of all
LARGEST_RANDOM = 0.8
STEPS = 30  # of expectation and maximisation
SAME_MEAN = 0.5  # blurred sds, ln sd and share within which two mixtures are the same
SAME_LN_SD = 0.3
SAME_SHARE = 0.07
SMALLEST_SD = 0.01  # of the median error, or of all values where that is smaller


@dataclass(frozen=True)
class Groups:
    """A mixture of normal distributions: shares, means and sds, arrays of shape (part,)."""

    share: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def exchanged(self):
        """Each part as the first in turn, the others by increasing sd."""
        for first in range(len(self.share)):
            others = [k for k in np.argsort(self.sd, kind="stable") if k != first]
            order = [first, *others]
            yield Groups(self.share[order], self.mean[order], self.sd[order])


def labelled(value, error, most_parts=2, rng=None):
    """`Groups` of two parts up to ``most_parts``, each part as the first in turn."""
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
        How many distributions: of the window, and of the rest.
    rng : `numpy.random.Generator`, optional
        Start from random windows in place of the densest ones.
    """
    if len(value) < 2 * SIZES[0]:
        return []
    order = np.argsort(value, kind="stable")
    order = order[np.linspace(0, len(order) - 1, min(len(order), MOST_ROWS)).astype(int)]
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
    """Windows (first, stop) of sorted values, the densest of each size.

    In themselves, and by contrast with what is around them: a small group in the wing of a field is
    less dense than the field's middle.
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
    """Windows of a size whose figures are the smallest, without overlap."""
    figure, found = figure.copy(), []
    for _ in range(NARROWEST):
        first = int(np.argmin(figure))
        if not np.isfinite(figure[first]):
            break
        found.append((first, first + size))
        figure[max(0, first - size + 1) : first + size] = np.inf
    return found


def _random(n_rows, rng):
    """Windows of random size and place."""
    largest = max(LARGEST_RANDOM * n_rows, SIZES[0] + 1)
    sizes = np.exp(rng.uniform(np.log(SIZES[0]), np.log(largest), RANDOM)).astype(int)
    first = (rng.random(RANDOM) * (n_rows - sizes + 1)).astype(int)
    return list(zip(first, first + sizes, strict=True))


def _first_guess(value, inside, parts):
    """Shares, means and sds (window, part) by hard assignment, which far rows do not inflate.

    The rest is one part, or its inner and outer halves by distance from its median.
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
    """Expectation and maximisation, all windows at once; arrays (window, part)."""
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
