"""The posterior of an eccentric orbit: searches, and the checks that nothing was lost.

A tree of cells (`eccentric_tree`) is a search that may miss a needle. Three signs of this, with
the limits of `eccentric_checks`, start a second search from other roots:

1. a least chi2 that is improbable in its degrees of freedom, at little scatter,
   while the scatter is known or comes out large (in the latter case among smaller scatters only,
   where a missed orbit would be);
2. roots that were put aside hold more than their share of p(v);
3. an effective size that is small from 6 visits on, where the second search takes more evaluations
   and points.

Where the two differ by more than `DIFFERENT` standard errors, the nodes of the better are forced
upon the cells of the other. Nights are counted rather than visits: what lies within a quarter of
the shortest period, or half a day, is one.
"""

from dataclasses import replace

import numpy as np

from astro_hier.core import orbit
from astro_hier.core.eccentric_checks import (
    FEWEST,
    MOST_REST,
    PRECISE,
    largest_rest,
    unlikely,
)
from astro_hier.core.eccentric_nodes import EccentricNodes
from astro_hier.core.eccentric_points import Prepared, finish, sparse_nodes
from astro_hier.core.eccentric_prior import OrbitPrior
from astro_hier.core.eccentric_roots import SLAB, roots
from astro_hier.core.eccentric_sparse import ENOUGH, PriorSource, source
from astro_hier.core.eccentric_tree import FINE, Tree
from astro_hier.core.period_nodes import unresolved

SMALL = 0.005  # of the posterior of the scatter, below which a missed orbit would be
DIFFERENT = 5.0
FORCED_NODES = 300
BROAD, BROAD_WANTED = 250, 1000  # effective number of the first draws from the prior, and of all


def eccentric_nodes(
    visits: orbit.Visits,
    prior: OrbitPrior,
    rng: np.random.Generator,
    *,
    ratio: np.ndarray | None = None,
    twice: bool = False,
    points: int = 20_000,
    per_baseline: float = 3.0,
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
    per_baseline : float, optional
        Roots per 1 / baseline of the frequency; another number is another search.

    Returns
    -------
    EccentricNodes
    """
    star = Prepared.of(visits, prior, ratio)
    counted = star.star()
    sparse = source(counted)
    if sparse is not None:
        return _resolved(sparse_nodes(star, counted, sparse, rng, points), visits)
    effort = replace(star.effort, final=points, per_baseline=per_baseline)
    tree, nodes = _search(star, effort, rng)
    poor = nodes.effective_size < FEWEST and len(visits.time) >= PRECISE
    other = replace(effort, per_baseline=4.3 / 3 * per_baseline, phases=7 / 6)
    if poor:
        other = replace(other, negligible=13.0, negligible_root=16.0,
                        evaluations=900_000, final=5 * points)  # fmt: skip
    elif not (twice or nodes.rest > largest_rest(star.nights)):
        if not unlikely(nodes):
            return nodes
        if not star.scatter.known:
            quiet = _quiet(star, other, nodes, rng)
            if quiet is not None:
                return quiet
    second_tree, second = _search(star, other, rng)
    return _compared((tree, nodes), (second_tree, second), star, rng)


def broad_nodes(
    visits: orbit.Visits, prior: OrbitPrior, rng: np.random.Generator
) -> EccentricNodes | None:
    """Nodes drawn from the prior, if that is enough, as of a constant velocity; else None."""
    star = Prepared.of(visits, prior, None)
    counted = star.star()
    draws = PriorSource(counted)
    points, _ = draws.draw(rng)
    log_p = counted.log_p(points)
    mass = np.exp(log_p - log_p.max())
    if mass.sum() ** 2 < BROAD * np.sum(mass**2):
        return None
    return sparse_nodes(star, counted, draws, rng, int(BROAD_WANTED / ENOUGH))


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
    effort = replace(effort, slabs=slabs, evaluations=evaluations, final=effort.final // 4,
                     floor=nodes.log_evidence)  # fmt: skip
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
        forced = finish(star, worse, rng)
        difference = abs(better.log_evidence - forced.log_evidence)
        best = max((better, forced), key=lambda found: found.log_evidence)
    else:
        best = max((nodes, other), key=lambda found: found.effective_size)
    evaluations = tree.star.evaluations + other_tree.star.evaluations
    return replace(best, log_ratio=float(abs(difference)), evaluations=evaluations)


def _search(star, effort, rng):
    """One tree, and its nodes."""
    counted = star.star()
    found = roots(star.prior, star.scatter, star.screened, star.visits.rv_error, effort)
    if not found.kept.any():  # no likelihood is finite
        raise unresolved(star.visits)
    counted.evaluations += found.kept.size
    tree = Tree(counted, found, effort, rng)
    tree.search()
    return tree, _resolved(finish(star, tree, rng), star.visits)


def _resolved(nodes, visits):
    """The nodes, of which there must be some with a finite likelihood."""
    if not len(nodes.log_mass) or not np.isfinite(nodes.log_evidence):
        raise unresolved(visits)
    return nodes


def _force(tree, better):
    """Split the cells of a tree about the nodes of a better one."""
    weight = better.probability
    chosen = tree.rng.choice(len(weight), FORCED_NODES, p=weight / weight.sum())
    points = better.points[:, np.unique(chosen)]
    _adopt_roots(tree, points)
    low, high = tree.cells.of("low"), tree.cells.of("high")
    inside = {int(i) for x in points.T for i in _containing(low, high, x)}
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
