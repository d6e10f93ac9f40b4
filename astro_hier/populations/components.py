"""Weighted normal distributions: density, shares, points within intervals, draws.

With weights w_k, means m_k and standard deviations s_k, density and share of an interval are

    p(x) = sum_k w_k N(x | m_k, s_k),    S(a, b) = sum_k w_k [Phi((b - m_k) / s_k) - ...].

``parts`` is a list of triples (w_k, m_k, s_k), one for each component. Unless a function says
otherwise, they broadcast with its other arguments: `expanded` adds the axes that those have after
the axis of theta.
"""

from typing import Any

import numpy as np

from astro_hier.core import normal
from astro_hier.core.floats import TINY, log_sum_exp
from astro_hier.core.normal import Floats

Parts = list[tuple[Floats, Floats, Floats]]  # weight, mean, standard deviation

HALVINGS = 60  # of the interval that brackets a point: more than a float has digits


def expanded(parts: Parts, axes: int) -> Parts:
    """The parts, of shape (theta,), with this many axes of length one appended."""

    def column(x):
        return np.reshape(x, np.shape(x) + (1,) * axes)

    return [(column(weight), column(mean), column(sd)) for weight, mean, sd in parts]


def log_density(parts: Parts, x: np.ndarray) -> np.ndarray:
    """ln of the density at ``x`` (value,), shape (theta, value)."""
    terms = [normal.log_density(x, mean, sd) for _, mean, sd in expanded(parts, 1)]
    if len(terms) == 1 and np.ndim(parts[0][0]) == 0:
        return terms[0]
    log_weight = [np.log(np.maximum(w, TINY)) for w, _, _ in expanded(parts, 1)]
    return log_sum_exp([w + term for w, term in zip(log_weight, terms, strict=True)])


def share(parts: Parts, low: Floats, high: Floats) -> np.ndarray:
    """Share between ``low`` and ``high``."""
    shares = [
        weight * normal.share((low - mean) / sd, (high - mean) / sd) for weight, mean, sd in parts
    ]
    return np.sum(shares, axis=0)


def log_share(parts: Parts, low: Floats, high: Floats) -> np.ndarray:
    """ln of the share, even where the share itself is too small for a float."""
    terms = [
        np.log(np.maximum(weight, TINY)) + normal.log_share((low - mean) / sd, (high - mean) / sd)
        for weight, mean, sd in parts
    ]
    return terms[0] if len(terms) == 1 else log_sum_exp(terms)


def within(parts: Parts, low: Floats, high: Floats, chance: Floats) -> np.ndarray:
    """Points below which the fraction ``chance`` of the share from ``low`` to ``high`` lies.

    The distribution within the interval is a mixture of those of its components, so its quantile
    lies between the lowest and the highest of theirs; it is found by bisection.
    """
    each = [
        np.clip(mean + sd * normal.within((low - mean) / sd, (high - mean) / sd, chance), low, high)
        for _, mean, sd in parts
    ]
    if len(each) == 1:
        return each[0]
    below, above = np.min(each, axis=0), np.max(each, axis=0)
    wanted = chance * share(parts, low, high)
    for _ in range(HALVINGS):
        middle = 0.5 * (below + above)
        too_low = share(parts, low, middle) < wanted
        below, above = np.where(too_low, middle, below), np.where(too_low, above, middle)
    return above


def chosen(parts: Parts, shape: tuple[int, ...], rng: np.random.Generator) -> tuple:
    """Means and standard deviations of components, each picked by its weight.

    The weights need not add up to one. With a single component, no random number is drawn.
    """
    if len(parts) == 1:
        return parts[0][1:]
    weight, mean, sd = (
        np.array([np.broadcast_to(x, shape) for x in column]) for column in zip(*parts, strict=True)
    )
    cumulative = np.cumsum(weight, axis=0)
    number = np.sum(rng.random(shape) * cumulative[-1] >= cumulative[:-1], axis=0)[None]
    return tuple(np.take_along_axis(x, number, axis=0)[0] for x in (mean, sd))


def draw(parts: Parts, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Values of ``shape``, drawn from the components."""
    mean, sd = chosen(parts, shape, rng)
    return rng.normal(mean, sd, shape)


def pymc_log_density(parts: list, x: np.ndarray) -> Any:
    """`log_density` where the parts hold PyMC variables, of the shape of ``x``."""
    return _pymc_sum(parts, [normal.log_density(x, mean, sd) for _, mean, sd in parts])


def pymc_log_share(parts: list, low: float, high: float) -> Any:
    """`log_share` where the parts hold PyMC variables."""
    return _pymc_sum(parts, [_pymc_log_share(low, high, mean, sd) for _, mean, sd in parts])


def _pymc_log_share(low, high, mean, sd):
    """Of one normal distribution, mirrored into its lower tail as in `normal.log_share`."""
    import pytensor.tensor as pt

    if np.isinf(low) and np.isinf(high):
        return np.float64(0.0)
    if np.isinf(low) or np.isinf(high):
        return pymc_log_ndtr((high - mean) / sd if np.isinf(low) else (mean - low) / sd)
    low, high = (low - mean) / sd, (high - mean) / sd
    flip = low > 0
    of_low = pymc_log_ndtr(pt.switch(flip, -high, low))
    of_high = pymc_log_ndtr(pt.switch(flip, -low, high))
    return of_high + pt.log1p(-pt.exp(of_low - of_high))


def pymc_log_ndtr(z: Any) -> Any:
    """ln of the share of a normal distribution below ``z`` standard deviations, of a variable."""
    import pytensor.tensor as pt

    scaled = z * np.sqrt(0.5)
    below = pt.log(0.5 * pt.erfcx(-pt.minimum(scaled, 0.0))) - pt.minimum(scaled, 0.0) ** 2
    return pt.switch(z < 0, below, pt.log1p(-0.5 * pt.erfc(pt.maximum(scaled, 0.0))))


def _pymc_sum(parts, log_terms):
    """ln of the weighted sum of terms."""
    import pytensor.tensor as pt

    if len(parts) == 1:
        return log_terms[0] + np.log(parts[0][0])
    terms = [np.log(part[0]) + term for part, term in zip(parts, log_terms, strict=True)]
    return pt.logsumexp(pt.stack(terms), axis=0)


def pymc(parts: list, name: str, logarithmic: bool = False, **options):
    """The distribution as a PyMC variable; if ``logarithmic``, that of exp(x)."""
    import pymc as pm

    kind = pm.LogNormal if logarithmic else pm.Normal
    if len(parts) == 1:
        return kind(name, mu=parts[0][1], sigma=parts[0][2], **options)
    weight, mean, sd = (pm.math.stack(column) for column in zip(*parts, strict=True))
    return pm.Mixture(name, w=weight, comp_dists=kind.dist(mu=mean, sigma=sd), **options)
