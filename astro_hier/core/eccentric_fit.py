"""The posterior of an eccentric orbit: searches, and the checks that nothing was lost.

A tree of cells (`eccentric_tree`) is a search that may miss a needle. Three signs of this are
looked at, all of which start a second search from other roots:

1. with `DECIDED` nights or more, a least chi2 that is improbable (p < `IMPROBABLE`) in its degrees
   of freedom, at little scatter, while the scatter is known or comes out large (in the latter
   case among smaller scatters only, where a missed orbit would be);
2. roots that were put aside hold more than `MOST_REST` of p(v);
3. an effective size below `FEWEST` with `PRECISE` nights or more, where the second search takes
   more evaluations and points.

Where the two differ by more than `DIFFERENT` standard errors, the nodes of the better are forced
upon the cells of the other. Nights are counted rather than visits: what lies within a quarter of
the shortest period, or half a day, is one.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2 as chi2_distribution

from astro_hier.core import orbit
from astro_hier.core.eccentric_kernel import KeplerData, thinned
from astro_hier.core.eccentric_nodes import EccentricNodes, Strata
from astro_hier.core.eccentric_prior import OrbitPrior, ScatterTable
from astro_hier.core.eccentric_roots import MANY_VISITS, SLAB, THINNED, Effort, roots
from astro_hier.core.eccentric_sparse import source, sparse_points
from astro_hier.core.eccentric_tree import DEFENSIVE, FINE, MATTERS, OPEN, Star, Tree

NIGHTS = (5, 7, 10, 15, 20)
KAPPAS = (1.5, 1.2, 0.8, 0.6, 0.5)
KAPPA_WITH_SCATTER = 0.8
FEW, FEW_NEGLIGIBLE, FEW_NEGLIGIBLE_ROOT = 15, 13.0, 16.0
FEWEST_NIGHTS = 5  # up to which there are defensive points
DECIDED, IMPROBABLE, LARGE_SCATTER = 7, 1e-4, 3.0
MOST_REST = 0.01
SMALL = 0.005  # of the posterior of the scatter, below which a missed orbit would be
PRECISE, FEWEST = 6, 1000
DIFFERENT = 5.0
REST = 2000  # points among roots put aside
PILOTS, PILOT = 2, 0.25  # draws before the final one, and their share of its points
HOT, HOTTER = 0.004, 4.0  # share of p(v) of an unrefined leaf, and over what was expected
FORCED_NODES = 300
PERIODS = 400  # cells of the profile of prior draws


@dataclass(frozen=True)
class _Star:
    """All that searches for one star have in common."""

    visits: orbit.Visits
    prior: OrbitPrior
    ratio: np.ndarray
    scatter: ScatterTable
    data: KeplerData
    screened: KeplerData
    nights: int

    @property
    def effort(self) -> Effort:
        few = self.nights <= FEW
        kappa = float(np.interp(self.nights, NIGHTS, KAPPAS))
        if not self.scatter.known:
            kappa = max(kappa, KAPPA_WITH_SCATTER)
        effort = Effort(kappa)
        if few:
            effort = replace(effort, negligible=FEW_NEGLIGIBLE, negligible_root=FEW_NEGLIGIBLE_ROOT)
        return effort


def eccentric_nodes(
    visits: orbit.Visits,
    prior: OrbitPrior,
    rng: np.random.Generator,
    *,
    ratio: np.ndarray | None = None,
    twice: bool = False,
    points: int = 20_000,
) -> EccentricNodes:
    """The posterior of the orbit of one star.

    Parameters
    ----------
    visits : `~astro_hier.core.orbit.Visits`
        Its ``mean`` and ``sd`` of A and B are not looked at, nor is its ``jitter``; scatters that
        are known per instrument belong into ``rv_error``.
    prior : OrbitPrior
        Of period, eccentricity, amplitude and scatter.
    rng : `numpy.random.Generator`
    ratio : ndarray, optional
        The scatter of each visit over s, shape (visit,); 1 if not given.
    twice : bool, optional
        Whether to search a second time where nothing asks for it.
    points : int, optional
        How many nodes there are to be, about.

    Returns
    -------
    EccentricNodes
    """
    star = _prepare(visits, prior, ratio)
    counted = Star(star.data, prior, star.scatter)
    sparse = source(counted)
    if sparse is not None:
        return _sparse(star, counted, sparse, rng, points)
    effort = replace(star.effort, final=points)
    tree, nodes = _search(star, effort, rng)
    poor = nodes.effective_size < FEWEST and star.nights >= PRECISE
    other = replace(effort, per_baseline=4.3, phases=7 / 6)
    if poor:
        other = replace(other, negligible=13.0, negligible_root=16.0,
                        evaluations=900_000, final=5 * points)  # fmt: skip
    elif not (twice or nodes.rest > MOST_REST):
        if not unlikely(nodes, visits.rv_error):
            return nodes
        if not star.scatter.known:
            quiet = _quiet(star, other, nodes, rng)
            if quiet is not None:
                return quiet
    second_tree, second = _search(star, other, rng)
    return _compared((tree, nodes), (second_tree, second), star, rng)


def _quiet(star, effort, nodes, rng):
    """The nodes, if a second search among scatters smaller than theirs finds nothing new.

    An orbit that was missed leaves less scatter than what takes its place.
    """
    edges = star.scatter.slabs(float(np.median(star.visits.rv_error)), SLAB)
    order = np.argsort(nodes.points[3])
    smaller = nodes.points[3][order][np.searchsorted(np.cumsum(nodes.probability[order]), SMALL)]
    slabs = int(np.searchsorted(edges, smaller, side="right")) - 1
    if slabs < 1:
        return None
    share = slabs / (len(edges) - 1)
    evaluations = int(share * effort.evaluations)
    effort = replace(effort, slabs=slabs, evaluations=evaluations, final=effort.final // 4)
    tree, second = _search(star, effort, rng)
    gained = np.exp(min(second.log_evidence - nodes.log_evidence, 50.0))
    if gained > MOST_REST:
        return None
    evaluations = nodes.evaluations + tree.star.evaluations
    return replace(nodes, log_ratio=float(gained), evaluations=evaluations)


def _compared(first, second, star, rng):
    """The better of two searches, after it was told what the other found."""
    (tree, nodes), (other_tree, other) = first, second
    difference = other.log_evidence - nodes.log_evidence
    error = np.hypot(nodes.log_evidence_error, other.log_evidence_error)
    if abs(difference) > DIFFERENT * max(error, 0.02):
        better, worse = (other, tree) if difference > 0 else (nodes, other_tree)
        _force(worse, better)
        forced = _finish(star, worse, rng)
        difference = abs(better.log_evidence - forced.log_evidence)
        best = max((better, forced), key=lambda found: found.log_evidence)
    else:
        best = max((nodes, other), key=lambda found: found.effective_size)
    evaluations = tree.star.evaluations + other_tree.star.evaluations
    return replace(best, log_ratio=float(abs(difference)), evaluations=evaluations)


def count_nights(time: np.ndarray, shortest: float) -> int:
    """Groups of visits that lie within a quarter of the shortest period, or half a day."""
    return 1 + int(np.sum(np.diff(np.sort(time)) > min(0.25 * shortest, 0.5)))


def unlikely(nodes: EccentricNodes, rv_error: np.ndarray) -> bool:
    """Whether no orbit found fits without a scatter that is large and was to be found."""
    if nodes.dof < 1 or nodes.least_chi2 < chi2_distribution.isf(IMPROBABLE, nodes.dof):
        return False
    if nodes.star.scatter.known:
        return True
    return nodes.probability @ nodes.scatter > LARGE_SCATTER * np.median(rv_error)


def _prepare(visits, prior, ratio):
    scatter = ScatterTable.of(prior.scatter, visits.rv_error)
    ratio = np.ones(len(visits.time)) if ratio is None else ratio
    extra = scatter.at_visits(ratio)
    screened = data = KeplerData.of(visits, extra)
    if len(visits.time) > MANY_VISITS:
        screened = thinned(visits, extra, data, THINNED)
    nights = count_nights(visits.time, prior.period_range[0])
    return _Star(visits, prior, ratio, scatter, data, screened, nights)


def _search(star, effort, rng):
    """One tree, and its nodes."""
    counted = Star(star.data, star.prior, star.scatter)
    found = roots(star.prior, star.scatter, star.screened, star.visits.rv_error, effort)
    counted.evaluations += found.kept.size
    tree = Tree(counted, found, effort, rng)
    tree.search()
    return tree, _finish(star, tree, rng)


def _finish(star, tree, rng):
    """Points that show which leaves were taken too lightly, and then the final ones."""
    for _ in range(PILOTS):
        strata, leaves = _strata(star, tree, PILOT)
        points, log_weight, box = strata.draw_boxes(rng)
        weight = log_weight + tree.star.log_p(points)
        total = np.logaddexp.reduce(weight)
        share = np.bincount(box, np.exp(weight - total), len(leaves))
        expected = strata.count / strata.count.sum()
        hot = leaves[
            (tree.cells.state[leaves] == OPEN) & (share > np.maximum(HOT, HOTTER * expected))
        ]
        adopted = _hot_rest(star, tree, total, rng)
        if not len(hot) + len(adopted):
            break
        tree.grow(100_000, forced=np.concatenate([hot, adopted]))
    return _final(star, tree, rng)


def _strata(star, tree, factor=1.0):
    """The leaves with the numbers of points in each."""
    leaves, share = tree.expected()
    log_mass = tree.cells.log_mass[leaves]
    count = factor * tree.effort.final * share
    if star.nights <= FEWEST_NIGHTS:
        count = count + factor * DEFENSIVE * np.exp(log_mass)
    return Strata(tree.cells.low[:, leaves], tree.cells.high[:, leaves], count, log_mass), leaves


def _draw_rest(star, tree, rng):
    """Points among the roots put aside: slab, cell, points, and ln p; empty if there are none."""
    if tree.roots.kept.all():
        return np.empty(0, int), np.empty(0, int), np.empty((4, 0)), np.empty(0)
    defensive = DEFENSIVE * tree.roots.rest_mass if star.nights <= FEWEST_NIGHTS else 0
    slab, cell = tree.roots.draw_rest(REST + int(defensive), rng)
    points = tree.points_in(*tree.roots.boxes(slab, cell))
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


def _force(tree, better):
    """Split the cells of a tree about the nodes of a better one."""
    weight = better.probability
    chosen = tree.rng.choice(len(weight), FORCED_NODES, p=weight / weight.sum())
    points = better.points[:, np.unique(chosen)]
    _adopt_roots(tree, points)
    leaves = tree.cells.leaves
    low, high = tree.cells.low[:, leaves], tree.cells.high[:, leaves]
    inside = {int(leaves[i]) for x in points.T for i in _containing(low, high, x)}
    forced = np.array([i for i in inside if tree.cells.state[i] != FINE], int)
    tree.grow(200_000, forced=forced)


def _containing(low, high, point):
    return np.flatnonzero(np.all((low <= point[:, None]) & (point[:, None] <= high), axis=0))


def _adopt_roots(tree, points):
    """Take in the roots put aside that hold some points."""
    low, high = tree.roots.corners
    for point in points.T:
        cell = _containing(low, high, point[:3])
        slab = min(np.searchsorted(tree.roots.slab_edges, point[3], side="right"),
                   len(tree.roots.slab_edges) - 1) - 1  # fmt: skip
        cell = cell[~tree.roots.kept[slab, cell]]
        if len(cell):
            tree.adopt(np.full(len(cell), slab), cell)


def _final(star, tree, rng):
    """The nodes: fresh points in all leaves and in the roots put aside."""
    strata, leaves = _strata(star, tree)
    points, log_weight, box = strata.draw_boxes(rng)
    _, _, others, _ = _draw_rest(star, tree, rng)
    if others.size:
        rest = np.full(others.shape[1], np.log(tree.roots.rest_mass / others.shape[1]))
        points, log_weight = np.hstack([points, others]), np.append(log_weight, rest)
    nodes = _nodes(star, tree.star, points, log_weight, strata, tree.roots.slab_edges[1])
    mass, own = nodes.probability, len(box)
    return replace(
        nodes,
        period_edges=tree.roots.period_edges,
        period_log_p=tree.roots.period_log_p,
        unrefined=float(mass[:own][tree.cells.state[leaves[box]] == OPEN].sum()),
        rest=float(mass[own:].sum()),
        resolved=tree.resolved,
    )


def _sparse(star, counted, draws, rng, wanted):
    """Nodes without a tree."""
    points, log_weight = sparse_points(draws, counted, rng, wanted)
    slab = star.scatter.slabs(float(np.median(star.visits.rv_error)), SLAB)[1]
    return _nodes(star, counted, points, log_weight, draws, slab)


def _nodes(star, counted, points, log_weight, strata, lowest):
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
        source=strata,
        period_edges=edges,
        period_log_p=np.full(PERIODS, -np.inf),
        unrefined=0.0,
        rest=0.0,
        resolved=True,
        least_chi2=float(counted.least_chi2[:steps].min()),
        dof=len(star.visits.time) - 5 - int(np.sum(star.visits.sd[2:] > 0)),
        evaluations=counted.evaluations,
    )
