"""Nodes of stars whose visits tell little of an orbit.

With no more visits than linear parameters every (P, e, m) fits, and all that weighs nodes is the
prior of the amplitudes: plain draws from the prior are good nodes.

With one visit more the nodes that fit are sheets, error / K thick, which a tree of cells can but
cover as a whole. But at given e, m and s they are points of P, found by Newton's method, one in
a short interval of P as a rule. So the interval is drawn by its prior mass and e, m and s by
theirs, and P within it from a mixture of two densities: one that is flat in the prior's measure
and holds `FLAT` of it, and a Cauchy density about the point found, as wide as the sheet is thick,
cut at the interval's ends. Where Newton's method leads out of the interval all is flat, and
one in `1 / FLAT` of such draws is kept, with that much more weight. So is what else it may miss
found by the flat part, and the weights are unbiased in any case.
"""

from dataclasses import dataclass

import numpy as np

from astro_hier.core.eccentric_roots import period_edges
from astro_hier.core.eccentric_tree import Star

PER_BASELINE = 16.0  # intervals of P
STEPS = 3  # of Newton's method after the first
REACH = 1.5  # widths of the interval that the first may lead to
FLAT = 0.1
BATCH = 100_000
MOST = 4_000_000
ENOUGH = 0.4  # effective number of nodes over that wanted
NEGLIGIBLE = 25.0  # weights below exp(-this) of the largest are forgotten


@dataclass(frozen=True)
class PriorSource:
    """Draws from the prior."""

    star: Star

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Points, shape (4, point), and ln of the prior mass of each."""
        low, high = self.star.prior.period_shares
        points = rng.random((4, BATCH))
        points[0] = low + (high - low) * points[0]
        return points, np.full(BATCH, np.log((high - low) / BATCH))


@dataclass(frozen=True)
class SheetSource:
    """Draws about the periods that fit."""

    star: Star
    edges: np.ndarray

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Points, shape (4, point), and ln of the prior mass of each."""
        first, last = self.edges[[0, -1]]
        points = rng.random((4, BATCH))
        start = first + (last - first) * (np.arange(BATCH) + points[0]) / BATCH
        cell = np.clip(np.searchsorted(self.edges, start, side="right") - 1, 0, len(self.edges) - 2)
        low, high = self.edges[cell], self.edges[cell + 1]
        points[0] = low + (high - low) * points[0]
        share, width = self._newton(points, 0.5 * (low + high), low, high)
        near = np.flatnonzero(np.abs(share - 0.5 * (low + high)) < REACH * (high - low))
        for _ in range(STEPS):
            centre = np.clip(share[near], low[near], high[near])
            share[near], width[near] = self._newton(points[:, near], centre, low[near], high[near])
            near = near[(low[near] <= share[near]) & (share[near] <= high[near])]
        log_weight = np.full(BATCH, np.log((last - first) / BATCH / FLAT))
        points[0, near], density = _mixed(share[near], width[near], low[near], high[near], rng)
        log_weight[near] += np.log(FLAT) - np.log(density)
        keep = rng.random(BATCH) < FLAT
        keep[near] = True
        return points[:, keep], log_weight[keep]

    def _newton(self, points, share, low, high):
        """Where the likelihood peaks in the period by Newton's method, and how widely."""
        prior = self.star.prior
        frequency = 1 / prior.period_at(low), 1 / prior.period_at(high)
        rate = (high - low) / np.minimum(frequency[1] - frequency[0], -1e-300)
        found = self.star.evaluate(self.star.nodes(np.stack([share, *points[1:]])), slopes=True)
        curvature = np.maximum(found.curvature[:, 0], 1e-300)
        width = np.clip(np.abs(rate) / np.sqrt(curvature), 1e-12 * (high - low), high - low)
        return share + rate * found.slope[:, 0] / curvature, width


def _mixed(centre, width, low, high, rng):
    """Draws of the flat density and the Cauchy density, and the mixture's over the flat one."""
    ends = np.arctan((low - centre) / width), np.arctan((high - centre) / width)
    chance, uniform, which = rng.random((3, len(centre)))
    angle = ends[0] + (ends[1] - ends[0]) * chance
    drawn = np.clip(centre + width * np.tan(angle), low, high)
    drawn = np.where(which < FLAT, low + (high - low) * uniform, drawn)
    distance = (drawn - centre) / width
    peak = (high - low) / (width * (ends[1] - ends[0]) * (1 + distance**2))
    return drawn, FLAT + (1 - FLAT) * peak


def source(star: Star) -> PriorSource | SheetSource | None:
    """What to draw nodes of a star from, or nothing if its visits tell enough for a tree."""
    if star.data.rank == 0:
        return PriorSource(star)
    if star.data.rank == 1:
        edges = period_edges(star.prior, np.ptp(star.data.time), PER_BASELINE)
        return SheetSource(star, edges)
    return None


def sparse_points(
    draws: PriorSource | SheetSource, star: Star, rng: np.random.Generator, wanted: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points that matter, shape (4, point), and ln of the prior mass of each.

    There are as many as it takes for an effective number of `ENOUGH` of those ``wanted``.
    """
    points, weight, log_p, count = np.empty((4, 0)), np.empty(0), np.empty(0), 0
    while count * BATCH < MOST:
        new, log_weight = draws.draw(rng)
        points, weight = np.hstack([points, new]), np.append(weight, log_weight)
        log_p, count = np.append(log_p, star.log_p(new)), count + 1
        mass = weight + log_p
        keep = mass > mass.max() - NEGLIGIBLE
        points, weight, log_p = points[:, keep], weight[keep], log_p[keep]
        if not keep.any():  # the likelihoods are no numbers
            break
        mass = np.exp(mass[keep] - mass.max())
        if mass.sum() ** 2 > ENOUGH * wanted * np.sum(mass**2):
            break
    return points, weight - np.log(count)
