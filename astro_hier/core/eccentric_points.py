"""The nodes of a star: points in the leaves of its tree, or about what few visits allow.

Before the final points there are fewer that show which leaves were taken too lightly, and which of
the roots put aside were; those are split on. The final points are drawn but once, whatever they
show: to repeat them until no weight stands out would bias p(v).
"""

from dataclasses import dataclass, replace

import numpy as np

from astro_hier.core import orbit
from astro_hier.core.eccentric_kernel import KeplerData, thinned
from astro_hier.core.eccentric_nodes import EccentricNodes, Strata
from astro_hier.core.eccentric_prior import OrbitPrior, ScatterTable
from astro_hier.core.eccentric_roots import MANY_VISITS, SLAB, THINNED, Effort, Roots
from astro_hier.core.eccentric_sparse import sparse_points
from astro_hier.core.eccentric_tree import DEFENSIVE, MATTERS, OPEN, Star
from astro_hier.core.period_cells import log_sum
from astro_hier.core.period_nodes import unresolved

NIGHTS = (5, 7, 10, 15, 20)
KAPPAS = (1.5, 1.2, 0.8, 0.6, 0.5)
KAPPA_WITH_SCATTER = 0.8
FEW, FEW_NEGLIGIBLE, FEW_NEGLIGIBLE_ROOT = 15, 13.0, 16.0
FEWEST_NIGHTS = 5  # up to which there are defensive points
REST, REST_OF_FEW = 2000, 20_000  # points among roots put aside; of few nights these matter
PILOTS, PILOT = 2, 0.25  # draws before the final one, and their share of its points
HOT, HOTTER = 0.004, 4.0  # share of p(v) of an unrefined leaf, and over what was expected
AT_PEAKS = 0.1  # of the defensive points
PERIODS = 400  # cells of the profile of prior draws


@dataclass(frozen=True)
class Prepared:
    """All that searches for one star have in common; ``ratio`` is the scatter of visits over s."""

    visits: orbit.Visits
    prior: OrbitPrior
    ratio: np.ndarray
    scatter: ScatterTable
    data: KeplerData
    screened: KeplerData
    nights: int

    @classmethod
    def of(cls, visits: orbit.Visits, prior: OrbitPrior, ratio: np.ndarray | None) -> "Prepared":
        """Of visits and what is known; ``ratio`` is the scatter of each visit over s."""
        scatter = ScatterTable.of(prior.scatter, visits.rv_error)
        ratio = np.ones(len(visits.time)) if ratio is None else ratio
        extra = scatter.at_visits(ratio)
        screened = data = KeplerData.of(visits, extra)
        if len(visits.time) > MANY_VISITS:
            screened = thinned(visits, extra, data, THINNED)
        nights = count_nights(visits.time, prior.period_range[0])
        return cls(visits, prior, ratio, scatter, data, screened, nights)

    def star(self) -> Star:
        """Likelihood and prior, with nothing evaluated yet."""
        return Star(self.data, self.prior, self.scatter)

    @property
    def effort(self) -> Effort:
        few = self.nights <= FEW
        kappa = float(np.interp(self.nights, NIGHTS, KAPPAS))
        if not self.scatter.known:
            kappa = max(kappa, KAPPA_WITH_SCATTER)
        effort = Effort(kappa, curves=self.data.rank < 3)
        if few:
            effort = replace(effort, negligible=FEW_NEGLIGIBLE, negligible_root=FEW_NEGLIGIBLE_ROOT)
        return effort


def count_nights(time: np.ndarray, shortest: float) -> int:
    """Groups of visits that lie within a quarter of the shortest period, or half a day."""
    return 1 + int(np.sum(np.diff(np.sort(time)) > min(0.25 * shortest, 0.5)))


def finish(star, tree, rng):
    """Points that show which leaves were taken too lightly, and then the final ones."""
    for _ in range(PILOTS):
        strata = _strata(star, tree, PILOT)
        points, log_weight, box = strata.draw_boxes(rng)
        weight = log_weight + tree.star.log_p(points)
        rough = strata.rough[box]
        mass = weight[rough] + np.log(np.maximum(strata.count[box[rough]], 1))
        np.maximum.at(tree.cells.tried, box[rough], mass)
        total = max(log_sum(weight), tree.effort.floor)
        share = np.bincount(box, np.exp(weight - total), tree.cells.size)
        expected = strata.count / strata.count.sum()
        open_ = tree.cells.of("state") == OPEN
        hot = np.flatnonzero(open_ & (share > np.maximum(HOT, HOTTER * expected)))
        adopted = _hot_rest(star, tree, total, rng)
        if not len(hot) + len(adopted):
            break
        tree.grow(100_000, forced=np.concatenate([hot, adopted]))
    return _final(star, tree, rng)


def _strata(star, tree, factor=1.0):
    """The cells with the numbers of points in each."""
    log_mass = tree.cells.of("log_mass").copy()
    count = factor * tree.effort.final * tree.expected()
    if star.nights <= FEWEST_NIGHTS:
        # each point about a peak is worth many
        count += factor * DEFENSIVE * np.exp(log_mass) * np.where(tree.rough, AT_PEAKS, 1)
    low, high = tree.cells.of("low").copy(), tree.cells.of("high").copy()
    return Strata(tree.star, low, high, count, log_mass, tree.rough)


@dataclass(frozen=True)
class Everywhere:
    """Draws from the cells of a tree, and from the roots put aside, ``count`` of them."""

    strata: Strata
    roots: Roots
    count: int

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Points, shape (4, point), and ln of the prior mass of each."""
        points, log_weight = self.strata.draw(rng)
        if not self.count:
            return points, log_weight
        *_, others = _points_of_rest(self.roots, self.count, rng)
        rest = np.full(self.count, np.log(self.roots.rest_mass / self.count))
        return np.hstack([points, others]), np.append(log_weight, rest)


def _points_of_rest(roots, count, rng):
    """Points among the roots put aside: slab, cell and points."""
    slab, cell = roots.draw_rest(count, rng)
    low, high = roots.boxes(slab, cell)
    return slab, cell, low + (high - low) * rng.random(low.shape)


def _draw_rest(star, tree, rng):
    """Points among the roots put aside: slab, cell, points, and ln p; empty if there are none."""
    if tree.roots.kept.all():
        return np.empty(0, int), np.empty(0, int), np.empty((4, 0)), np.empty(0)
    defensive = DEFENSIVE * tree.roots.rest_mass if star.nights <= FEWEST_NIGHTS else 0
    count = (REST_OF_FEW if star.nights <= FEW else REST) + int(defensive)
    slab, cell, points = _points_of_rest(tree.roots, count, rng)
    return slab, cell, points, tree.star.log_p(points)


def _hot_rest(star, tree, total, rng):
    """Roots put aside that a point shows to matter, taken in."""
    slab, cell, _, log_p = _draw_rest(star, tree, rng)
    share = np.log(tree.roots.mass[cell] * np.diff(tree.roots.slab_edges)[slab])
    hot = np.flatnonzero(share + log_p > total - MATTERS)
    if not len(hot):
        return np.empty(0, int)
    slab, cell = np.unique(np.stack([slab[hot], cell[hot]]), axis=1)
    return tree.adopt(slab, cell)


def _final(star, tree, rng):
    """The nodes: fresh points in all leaves and in the roots put aside."""
    strata = _strata(star, tree)
    points, log_weight, box = strata.draw_boxes(rng)
    _, _, others, _ = _draw_rest(star, tree, rng)
    if others.size:
        rest = np.full(others.shape[1], np.log(tree.roots.rest_mass / others.shape[1]))
        points, log_weight = np.hstack([points, others]), np.append(log_weight, rest)
    source = Everywhere(strata, tree.roots, others.shape[1])
    nodes = _nodes(star, tree.star, points, log_weight, source, tree.roots.slab_edges[1])
    mass, own = nodes.probability, len(box)
    return replace(
        nodes,
        period_edges=tree.roots.period_edges,
        period_log_p=tree.roots.period_log_p,
        unrefined=float(mass[:own][tree.cells.state[box] == OPEN].sum()),
        rest=float(mass[own:].sum()),
        resolved=tree.resolved,
    )


def sparse_nodes(star, counted, draws, rng, wanted):
    """Nodes without a tree."""
    points, log_weight = sparse_points(draws, counted, rng, wanted)
    if not points.shape[1]:
        raise unresolved(star.visits)
    slab = star.scatter.slabs(float(np.median(star.visits.rv_error)), SLAB)[1]
    return _nodes(star, counted, points, log_weight, draws, slab)


def _nodes(star, counted, points, log_weight, source, lowest):
    """Points with all that is told of them; ``lowest`` is the share of the lowest scatters."""
    nodes = counted.nodes(points)
    found = counted.evaluate(nodes)
    steps = star.scatter.step(np.nextafter(lowest, 0)) + 1
    edges = np.linspace(*star.prior.period_shares, PERIODS + 1)
    return EccentricNodes(
        points=points,
        period=1 / nodes.frequency,
        eccentricity=nodes.eccentricity,
        phase=nodes.phase,
        scatter=star.scatter.values[nodes.step],
        log_weight=log_weight,
        log_p=found.log_p,
        amplitude=np.hypot(found.a, found.b),
        star=counted,
        visits=star.visits,
        ratio=star.ratio,
        source=source,
        period_edges=edges,
        period_log_p=np.full(PERIODS, -np.inf),
        unrefined=0.0,
        rest=0.0,
        resolved=True,
        least_chi2=float(counted.least_chi2[:steps].min()),
        dof=len(star.visits.time) - 5 - int(np.sum(star.visits.sd[2:] > 0)),
        evaluations=counted.evaluations,
        nights=star.nights,
    )
