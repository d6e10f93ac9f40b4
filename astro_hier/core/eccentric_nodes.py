"""The posterior of an eccentric orbit as weighted nodes, and draws from it.

Node i stands for the prior mass w_i, so that sums of w_i p(v | node i) are integrals over the
prior: p(v), and the probability of anything. The nodes are fresh random points in strata, so that
such sums are unbiased, and their effective number is (sum W)^2 / sum W^2, W_i = w_i p_i.

Draws come from further points of the same strata by systematic resampling, in random order; then
A, B, v0, ... from their normal distribution given the node. K = hypot(A, B), omega = atan2(B, A).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from astro_hier.core import eccentric_checks, kepler, orbit
from astro_hier.core.eccentric_kernel import Nodes
from astro_hier.core.eccentric_peaks import peaked
from astro_hier.core.eccentric_tree import Star
from astro_hier.core.linear import Solution
from astro_hier.core.period_cells import log_sum
from astro_hier.core.period_nodes import unresolved

MOST_DRAWN, ENOUGH = 2_500_000, 5
NEGLIGIBLE = 25.0  # points below exp(-this) of the heaviest are forgotten
PER_CELL = 200  # nodes of a part of the profile
LIGHT = 1e-3  # weight of a node over the average that says nothing of the density
RESOLVED = 8  # nodes at a period that say more of it than the cells' centres


@dataclass(frozen=True)
class Draws:
    """Independent draws, arrays of shape (draw,).

    ``period`` [d], ``eccentricity``, ``omega`` [rad], ``phase`` m [cycles] at the weighted mean
    time, ``t_peri`` [d] the periastron passage nearest to it on the visits' scale, ``amplitude``
    K, ``scatter``; ``linear`` holds A, B, v0 and those of further columns, shape (parameter, draw).
    """

    period: np.ndarray
    eccentricity: np.ndarray
    omega: np.ndarray
    phase: np.ndarray
    t_peri: np.ndarray
    amplitude: np.ndarray
    linear: np.ndarray
    scatter: np.ndarray


@dataclass(frozen=True)
class Strata:
    """Boxes of points, shape (4, box), the mean number of points in each and its prior mass.

    In those that are ``rough`` they are drawn about peaks.
    """

    star: Star
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
    log_mass: np.ndarray
    rough: np.ndarray

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Points, shape (4, point), and ln of the prior mass of each."""
        return self.draw_boxes(rng)[:2]

    def draw_boxes(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same with the number of the box of each."""
        whole = np.floor(self.count)
        number = whole + (rng.random(len(whole)) < self.count - whole)
        box = np.repeat(np.arange(len(whole)), number.astype(int))
        low, high = self.low[:, box], self.high[:, box]
        points = low + (high - low) * rng.random(low.shape)
        log_weight, keep = self.log_mass[box] - np.log(self.count[box]), np.ones(len(box), bool)
        rough = np.flatnonzero(self.rough[box])
        points[:, rough], log_ratio, keep[rough] = peaked(
            self.star, low[:, rough], high[:, rough], rng
        )
        log_weight[rough] += log_ratio
        return points[:, keep], log_weight[keep], box[keep]


@dataclass(frozen=True)
class EccentricNodes:
    """Weighted nodes, arrays of shape (node,).

    Attributes
    ----------
    points : ndarray
        (p, u, m, z) of `eccentric_prior`, shape (4, node).
    period, eccentricity, phase, scatter : ndarray
        P [d], e, m [cycles] at the weighted mean time, and s.
    log_weight, log_p : ndarray
        ln of the prior mass of each, and ln p(v | node).
    amplitude : ndarray
        K that fits best.
    star, visits : Star, Visits
    ratio : ndarray
        The scatter of each visit over s, shape (visit,).
    source : Everywhere, PriorSource or SheetSource
        What more may be drawn from.
    period_edges, period_log_p : ndarray
        Shares of the period between the cells of the first search, and ln of the mean likelihood.
    unrefined, rest : float
        Shares of p(v) in cells that are not fine, and in those that were put aside at first.
    resolved : bool
        Whether every cell that may matter was split. A search that was stopped before may be
        right all the same: see `shortcomings`.
    least_chi2, dof : float
        Of the best orbit without scatter, or with little, and its degrees of freedom.
    evaluations : int
        How often the likelihood was computed.
    nights : int
        Groups of visits that are far enough apart in time to be told from each other.
    log_ratio : float
        By how much ln p(v) of two searches differs, or the share of p(v) that a second one among
        small scatters found besides; not a number if there was none.
    """

    points: np.ndarray
    period: np.ndarray
    eccentricity: np.ndarray
    phase: np.ndarray
    scatter: np.ndarray
    log_weight: np.ndarray
    log_p: np.ndarray
    amplitude: np.ndarray
    star: Star
    visits: orbit.Visits
    ratio: np.ndarray
    source: Any
    period_edges: np.ndarray
    period_log_p: np.ndarray
    unrefined: float
    rest: float
    resolved: bool
    least_chi2: float
    dof: int
    evaluations: int
    nights: int
    log_ratio: float = np.nan

    @property
    def common(self) -> "EccentricNodes":
        """Themselves, as where instruments have a scatter each."""
        return self

    @property
    def log_mass(self) -> np.ndarray:
        """ln of the posterior mass of each node, not normalised."""
        return self.log_weight + self.log_p

    @property
    def log_evidence(self) -> float:
        """ln p(v)."""
        return float(log_sum(self.log_mass))

    @property
    def probability(self) -> np.ndarray:
        """Posterior probability of each node."""
        return np.exp(self.log_mass - self.log_evidence)

    @property
    def effective_size(self) -> float:
        """Number of equal weights that would be as good."""
        return float(1 / np.sum(self.probability**2))

    @property
    def log_evidence_error(self) -> float:
        """Standard error of ln p(v), were all nodes independent: at most so much."""
        return float(np.sqrt(max(1 / self.effective_size - 1 / len(self.log_p), 0)))

    @property
    def pareto_k(self) -> float:
        """Shape of the tail of the weights; above 0.7 sums of them are not to be trusted."""
        return pareto_shape(self.probability)

    def shortcomings(self) -> list[tuple[str, float]]:
        """What the nodes fall short of, names and values; see `eccentric_checks`."""
        return eccentric_checks.shortcomings(self)

    def draw(self, size: int, rng: np.random.Generator) -> Draws:
        """Independent draws from the posterior."""
        points = self.draw_points(size, rng)
        nodes, star = self.star.nodes(points), self.star
        step, table = nodes.step, star.scatter
        scatter = table.low[step] + rng.random(size) * (table.high[step] - table.low[step])
        extra = np.multiply.outer(self.ratio, scatter)
        return drawn_at(self.visits, nodes, star.data.t_ref, scatter, extra, rng)

    def draw_points(
        self, size: int, rng: np.random.Generator, enough: float = ENOUGH
    ) -> np.ndarray:
        """Fresh points, so that each call is independent of others.

        They are chosen by their weights from ``enough`` times as many by effective number, so
        that few are chosen twice.
        """
        points, log_mass, drawn = np.empty((4, 0)), np.empty(0), 0
        while drawn < MOST_DRAWN:
            fresh, weight = self.source.draw(rng)
            drawn += len(weight)
            points = np.hstack([points, fresh])
            log_mass = np.append(log_mass, weight + self.star.log_p(fresh))
            matter = log_mass > log_mass.max() - NEGLIGIBLE
            if not matter.any():  # the likelihoods are no numbers
                raise unresolved(self.visits)
            points, log_mass = points[:, matter], log_mass[matter]
            mass = np.exp(log_mass - log_mass.max())
            if mass.sum() ** 2 > enough * size * np.sum(mass**2):
                break
        below = np.cumsum(mass)
        chosen = np.searchsorted(below, (np.arange(size) + rng.random()) / size * below[-1])
        return points[:, rng.permutation(np.minimum(chosen, len(below) - 1))]

    @cached_property
    def profile_edges(self) -> np.ndarray:
        """Ends of ``profile``: those of the first search, whose cells of many nodes are divided."""
        matters = self.probability > LIGHT / len(self.probability)
        share = np.sort(self.points[0][matters])
        first = np.searchsorted(share, self.period_edges)
        many = ((i, j) for i, j in pairwise(first) if j - i >= 2 * PER_CELL)
        # the first and the last node too, beyond which a cell may be empty
        divided = [np.append(share[i : j - PER_CELL + 1 : PER_CELL], share[j - 1]) for i, j in many]
        return np.union1d(self.period_edges, np.concatenate([[], *divided]))

    def profile(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ln p(v | P) over the periods searched, all else integrated out.

        Returns shortest and longest period of each cell [d], and ln of the mean likelihood in it:
        from the nodes where there are several, else from what the first search saw of it.
        """
        edges = self.profile_edges
        which = np.clip(np.searchsorted(edges, self.points[0], side="right") - 1, 0, len(edges) - 2)
        count = np.bincount(which, minlength=len(edges) - 1)
        with np.errstate(divide="ignore"):
            own = np.log(np.bincount(which, self.probability, len(edges) - 1) / np.diff(edges))
        seen = self.period_log_p[np.searchsorted(self.period_edges, edges[:-1], side="right") - 1]
        resolved = (count >= RESOLVED) & np.isfinite(own)  # weights far below the rest are 0
        log_p = np.where(resolved, own + self.log_evidence, seen)
        ends = self.star.prior.period_at(edges)
        return ends[:-1], ends[1:], log_p


def drawn_at(
    visits: orbit.Visits,
    nodes: Nodes,
    t_ref: float,
    scatter: np.ndarray,
    extra: np.ndarray,
    rng: np.random.Generator,
) -> Draws:
    """Draws at nodes, whose ``scatter`` is ``extra`` at the visits, shape (visit, node)."""
    linear = linear_at(visits, nodes, t_ref, extra, rng)
    phase = nodes.phase - np.floor(nodes.phase + 0.5)
    return Draws(
        period=1 / nodes.frequency,
        eccentricity=nodes.eccentricity,
        omega=np.arctan2(linear[1], linear[0]),
        phase=phase,
        t_peri=t_ref - phase / nodes.frequency,
        amplitude=np.hypot(linear[0], linear[1]),
        linear=linear,
        scatter=scatter,
    )


def linear_at(
    visits: orbit.Visits,
    nodes: Nodes,
    t_ref: float,
    extra: np.ndarray,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """A, B, v0, ... at each node, the best or, with ``rng``, drawn; shape (parameter, node).

    ``extra`` is the scatter of each visit at each node, shape (visit, node).
    """
    x, y = kepler.waves(visits.time - t_ref, *nodes[:3])
    unscaled = replace(
        visits,
        mean=np.append(np.zeros(2), visits.mean[2:]),
        sd=np.append(np.ones(2), visits.sd[2:]),
        rv_error=np.hypot(visits.rv_error[:, None], extra),
        amplitude=None,
    )
    solution = Solution(unscaled, nodes.frequency, (x * nodes.sd, y * nodes.sd))
    shape = len(visits.sd), len(nodes.sd)
    linear = solution.linear(None if rng is None else rng.standard_normal(shape))
    linear[:2] *= nodes.sd
    return linear


def pareto_shape(weight: np.ndarray) -> float:
    """The shape of a generalised Pareto distribution of the largest weights.

    By the estimate of Zhang & Stephens (2009, Technometrics 51, 316), of the 3 sqrt(n) largest or
    the largest fifth of n weights.
    """
    count = int(min(0.2 * len(weight), 3 * np.sqrt(len(weight))))
    if count < 5:
        return np.nan
    largest = np.sort(weight)[-count - 1 :]
    x = largest[1:] - largest[0]
    if not x[-1] > 0:
        return -np.inf
    number = 30 + int(np.sqrt(count))
    quarter = max(x[int(count / 4 + 0.5) - 1], 1e-12 * x[-1])
    theta = 1 / x[-1] + (1 - np.sqrt(number / (np.arange(number) + 0.5))) / (3 * quarter)
    shape = np.log1p(-theta[:, None] * x).mean(axis=1)
    height = count * (np.log(-theta / shape) - shape - 1)
    with np.errstate(over="ignore"):
        mean = theta @ (1 / np.exp(height[:, None] - height).sum(axis=0))
    return float(np.log1p(-mean * x).mean())
