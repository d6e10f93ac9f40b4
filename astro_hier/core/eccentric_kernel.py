"""The likelihood of a node (f, e, m, s), its linear parameters integrated out, and its slopes.

With weights w_j = 1 / (sigma_j^2 + s^2), the columns of the linear parameters are A X + B Y, whose
priors are Normal(0, sd), and others that depend on no node: v0, offsets, powers of time. The latter
are made orthonormal, unit_a, once for each s; what is left of a column c when they are projected
out has the products

    <c, d> = sum_j w_j c_j d_j - sum_a (sum_j w_j unit_aj c_j) (sum_j w_j unit_aj d_j),

so that A and B solve a system of two equations, [<X, X> + 1 / sd^2, <X, Y>; ...] (A, B) =
(<X, v>, <Y, v>), and ln p is that of `astro_hier.core.linear`. chi2 is summed over the residuals,
so that few digits are lost however small the errors. With D the derivatives of the velocity by
f, e and m, chi2 falls with slope 2 D^T W r and curves by

    H_kl = <D_k, D_l> with X and Y projected out as well,

the Gauss-Newton matrix of what is left when all linear parameters follow.

`evaluate` and `screen` take the compiled loops of `eccentric_compiled` where numba is
installed; what is here in NumPy is the reference that they are held to.
"""

import importlib.util
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from astro_hier.core import kepler
from astro_hier.core.orbit import Visits

BLOCK = 400_000  # elements of an array of (visit, node)
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))  # of f, e, m in curvatures
COMPILED = importlib.util.find_spec("numba") is not None


class Nodes(NamedTuple):
    """Some nodes, each array of shape (node,).

    ``frequency`` [1 / d], ``eccentricity``, ``phase`` m [cycles], the number ``step`` of the
    scatter, and the prior's standard deviation ``sd`` of A and of B.
    """

    frequency: np.ndarray
    eccentricity: np.ndarray
    phase: np.ndarray
    step: np.ndarray
    sd: np.ndarray


class Evaluated(NamedTuple):
    """What is known of nodes; slopes and curvatures may be left out.

    ``log_p`` and ``chi2`` (priors included) and the best ``a`` and ``b`` have shape (node,);
    ``slope`` D^T W r by f, e and m (node, 3), ``curvature`` H in the order of `PAIRS` (node, 6).
    """

    log_p: np.ndarray
    chi2: np.ndarray
    a: np.ndarray
    b: np.ndarray
    slope: np.ndarray | None = None
    curvature: np.ndarray | None = None


@dataclass(frozen=True)
class KeplerData:
    """The visits of one star, with what depends on the scatter alone.

    Attributes
    ----------
    time : ndarray
        From ``t_ref``, shape (visit,) [d].
    rv : ndarray
        Less the centre of the constant columns, shape (visit,).
    t_ref : float
        The weighted mean time: there m is correlated least with f.
    weight : ndarray
        Shape (step, visit).
    unit : ndarray
        The constant columns, orthonormal in weights and priors, shape (step, column, visit).
    target : ndarray
        Their best coefficients for ``rv``, shape (step, column).
    back : ndarray
        From these coefficients to those of the columns in prior standard deviations, shape
        (step, column, column); ``pull`` is the prior's mean of the latter, shape (column,).
    log_norm : ndarray
        What ln p has of determinants that no node changes, shape (step,).
    chi2_constant : ndarray
        chi2 without an orbit, shape (step,).
    total, moment, log_variance : ndarray
        Sums over visits of w, w t^2 and -ln w, shape (step,).
    half_range : float
        Half the range of the velocities that the constant columns leave.
    rank : int
        How many of f, e and m the visits can tell, from 0 to 3.
    """

    time: np.ndarray
    rv: np.ndarray
    t_ref: float
    weight: np.ndarray
    unit: np.ndarray
    target: np.ndarray
    back: np.ndarray
    pull: np.ndarray
    log_norm: np.ndarray
    chi2_constant: np.ndarray
    total: np.ndarray
    moment: np.ndarray
    log_variance: np.ndarray
    half_range: float
    rank: int

    @classmethod
    def of(cls, visits: Visits, extra: np.ndarray) -> "KeplerData":
        """Of visits with no scatter yet, and that of each step, shape (step, visit)."""
        variance = visits.rv_error**2 + extra**2
        weight = 1 / variance
        typical = weight[len(weight) // 2]
        t_ref = np.average(visits.time, weights=typical)
        time, sd = visits.time - t_ref, visits.sd[2:]
        columns, rv = visits.constant * sd, visits.from_center
        pull = np.where(sd > 0, (visits.mean - visits.center)[2:] / np.where(sd > 0, sd, 1), 0)
        triangle = np.linalg.cholesky(
            np.eye(len(sd)) + np.einsum("ja,kj,jb->kab", columns, weight, columns)
        )
        back = np.linalg.inv(triangle)
        unit = np.einsum("kab,jb->kaj", back, columns)
        target = np.einsum("kaj,kj,j->ka", unit, weight, rv) + back @ pull
        diagonal = np.log(np.einsum("kaa->ka", triangle)).sum(axis=1)
        log_variance = np.log(variance).sum(axis=1)
        left = rv - target[len(weight) // 2] @ unit[len(weight) // 2]
        return cls(
            time=time,
            rv=rv,
            t_ref=float(t_ref),
            weight=weight,
            unit=np.ascontiguousarray(unit),
            target=target,
            back=back,
            pull=pull,
            log_norm=len(rv) * np.log(2 * np.pi) + log_variance + 2 * diagonal,
            # not zero, for chi2 is taken over it
            chi2_constant=np.maximum(
                weight @ rv**2 + pull @ pull - np.sum(target**2, axis=1), 1e-9
            ),
            total=weight.sum(axis=1),
            moment=weight @ time**2,
            log_variance=log_variance,
            half_range=max(float(np.ptp(left)) / 2, 1e-9 * float(visits.rv_error.min())),
            rank=int(np.clip(len(rv) - 2 - np.sum(sd > 0), 0, 3)),
        )


def thinned(visits: Visits, extra: np.ndarray, data: KeplerData, size: int) -> KeplerData:
    """Of about ``size`` visits, evenly in time and the most extreme, with smaller errors for it."""
    count = len(visits.time)
    extreme = np.argsort(visits.rv)[[0, 1, -2, -1]]
    even = np.argsort(visits.time)[np.rint(np.linspace(0, count - 1, size - 4)).astype(int)]
    kept = np.unique(np.concatenate([extreme, even]))
    ratio = np.sqrt(len(kept) / count)
    few = replace(
        visits,
        time=visits.time[kept],
        rv=visits.rv[kept],
        rv_error=visits.rv_error[kept] * ratio,
        columns=None if visits.columns is None else visits.columns[kept],
        instrument=None,
    )
    fewer = KeplerData.of(few, extra[:, kept] * ratio)
    time = few.time - data.t_ref
    return replace(fewer, time=time, t_ref=data.t_ref, moment=fewer.weight @ time**2)


def evaluate(
    data: KeplerData, nodes: Nodes, slopes: bool = False, compiled: bool | None = None
) -> Evaluated:
    """ln p of nodes and, with one step of Kepler's equation in place of two, its slopes."""
    if COMPILED if compiled is None else compiled:
        from astro_hier.core import eccentric_compiled

        return Evaluated(*eccentric_compiled.evaluate(data, nodes, slopes))
    size = max(1, BLOCK // len(data.time))
    starts = range(0, len(nodes.frequency), size)
    parts = [_evaluate(data, Nodes(*(x[i : i + size] for x in nodes)), slopes) for i in starts]
    joined: list[Any] = [
        None if x[0] is None else np.concatenate(x) for x in zip(*parts, strict=True)
    ]
    return Evaluated(*joined)


def _evaluate(data, nodes, slopes):
    """`evaluate` of one block of nodes, arrays of shape (visit, node) and (column, node)."""
    x, y = kepler.waves(data.time, *nodes[:3], twice=not slopes)
    weight, unit = data.weight[nodes.step].T, data.unit[nodes.step].transpose(1, 2, 0)
    target, rv = data.target[nodes.step].T, data.rv[:, None]

    def shadow(column):
        """Its part along the constant columns."""
        return np.einsum("ajn,jn,jn->an", unit, weight, column)

    def product(c, c_shadow, d, d_shadow):
        return np.einsum("jn,jn,jn->n", weight, c, d) - np.sum(c_shadow * d_shadow, axis=0)

    x_shadow, y_shadow, along = shadow(x), shadow(y), nodes.sd**-2
    xx = product(x, x_shadow, x, x_shadow) + along
    xy = product(x, x_shadow, y, y_shadow)
    yy = product(y, y_shadow, y, y_shadow) + along
    xv = np.einsum("jn,jn,j->n", weight, x, data.rv) - np.sum(x_shadow * target, axis=0)
    yv = np.einsum("jn,jn,j->n", weight, y, data.rv) - np.sum(y_shadow * target, axis=0)
    first = np.sqrt(xx)
    mixed = xy / first
    second = np.sqrt(np.maximum(yy - mixed**2, 1e-12 * yy))
    b = (yv - mixed * xv / first) / second**2
    a = (xv / first - mixed * b) / first
    rest = target - a * x_shadow - b * y_shadow
    residual = rv - a * x - b * y - np.einsum("an,ajn->jn", rest, unit)
    pulled = np.einsum("nab,an->bn", data.back[nodes.step], rest) - data.pull[:, None]
    chi2 = np.einsum("jn,jn,jn->n", weight, residual, residual)
    chi2 += np.sum(pulled**2, axis=0) + along * (a**2 + b**2)
    determinant = 2 * np.log(first * second) + 4 * np.log(nodes.sd)
    log_p = -0.5 * (chi2 + data.log_norm[nodes.step] + determinant)
    if not slopes:
        return Evaluated(log_p, chi2, a, b)
    found = kepler.derivatives(data.time, nodes.eccentricity, x, y, a, b)
    shadows = [shadow(d) for d in found]
    along_x = [product(d, s, x, x_shadow) / first for d, s in zip(found, shadows, strict=True)]
    along_y = [
        (product(d, s, y, y_shadow) - mixed * p) / second
        for d, s, p in zip(found, shadows, along_x, strict=True)
    ]
    curvature = [
        product(found[k], shadows[k], found[i], shadows[i])
        - along_x[k] * along_x[i]
        - along_y[k] * along_y[i]
        for k, i in PAIRS
    ]
    slope = [np.einsum("jn,jn,jn->n", weight, d, residual) for d in found]
    return Evaluated(log_p, chi2, a, b, np.array(slope).T, np.array(curvature).T)
