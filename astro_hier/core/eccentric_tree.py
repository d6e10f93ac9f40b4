"""Cells of nodes, split where posterior mass may be, and fresh points in them.

A cell is a box of (p, u, m, z), see `eccentric_prior`. Its bound (`eccentric_bounds`) decides
whether it is split, and the axis along which the likelihood changes most is where; it is fine when
it changes by less than a standard deviation along all of them. Cells whose bound is negligible
are left as they are. What is negligible is measured against the mass of their own slab of scatters
first, then against all: a broad solution at a large scatter, found early, would else hide a needle.

Of open cells up to `BATCH` are split at a time, equal numbers of the highest bound, ln p and
annealed bound. Ordered by the bound alone, needles are not reached.

Then a random point is tried in all leaves that are not fine; those whose mass it shows to
matter are split on. The final points are fresh, so that their mean is an unbiased estimate of
p(v) given the tree, however wrong its bounds.
"""

import numpy as np

from astro_hier.core import eccentric_bounds
from astro_hier.core.eccentric_kernel import Nodes, evaluate
from astro_hier.core.eccentric_roots import pick

BATCH = 6000
FORCED = 3  # halvings of a cell that a point shows to matter
AFTER_SLABS = 100_000  # evaluations that are left for cells open by the total
EXTRA = 100_000  # and for those that points show to matter
SURPRISES = 4
MOST_TRIED = 60_000
TRIED_ABOVE = 25.0  # bounds that are worse than exp(-this) of the total are not tried
MATTERS = 9.0  # of the total, in ln
ENOUGH = 0.01  # share of the total found by points beyond what was known
OPEN, FINE, SPLIT = 0, 1, 2
BY_BOUND = 0.1  # share of final points by the square root of the bound
DEFENSIVE = 200_000  # final points by prior mass, of very few visits


class Star:
    """Likelihood and prior of the points of one star."""

    def __init__(self, data, prior, scatter):
        self.data, self.prior, self.scatter = data, prior, scatter
        self.evaluations = 0
        self.least_chi2 = np.full(len(scatter.values), np.inf)

    def nodes(self, points):
        """The nodes at points of shape (4, point)."""
        p, u, m, z = points
        period = self.prior.period_at(p)
        e = self.prior.eccentricity_at(u, period)
        sd = np.broadcast_to(self.prior.amplitude(period, e), e.shape).astype(float)
        return Nodes(1 / period, e, m, self.scatter.step(z), sd)

    def evaluate(self, nodes, slopes=False):
        """ln p and more of nodes, which are counted."""
        found = evaluate(self.data, nodes, slopes)
        self.evaluations += len(found.log_p)
        np.minimum.at(self.least_chi2, nodes.step, found.chi2)
        return found

    def log_p(self, points):
        """ln p at points, shape (4, point)."""
        return self.evaluate(self.nodes(points)).log_p

    def assess(self, low, high, kappa):
        """ln of the prior mass and of p at the centre, and the bounds, of cells."""
        nodes = self.nodes(0.5 * (low + high))
        found = self.evaluate(nodes, slopes=True)
        frequency = [1 / self.prior.period_at(edge[0]) for edge in (low, high)]
        middle = 1 / nodes.frequency
        e_low, e_high = (self.prior.eccentricity_at(edge[1], middle) for edge in (low, high))
        h_f, h_m = 0.5 * np.abs(frequency[0] - frequency[1]), 0.5 * (high[2] - low[2])
        mean_square = (self.data.moment / self.data.total)[nodes.step]
        g = np.stack(eccentric_bounds.generic(e_low, e_high, h_f, h_m, mean_square))
        half = np.stack([h_f, 0.5 * (e_high - e_low), h_m])
        distance = [self.scatter.distance_at(edge[3]) for edge in (low, high)]
        steps = np.minimum(
            self.scatter.step(low[3] + np.multiply.outer(eccentric_bounds.STEPS, high[3] - low[3])),
            self.scatter.step(np.nextafter(high[3], 0)),
        )
        log_mass = np.log(high - low).sum(axis=0)
        return log_mass, found.log_p, eccentric_bounds.tight(
            self.data, found, nodes.step, steps, half, e_high, g,
            0.5 * (distance[1] - distance[0]), log_mass, kappa,
        )  # fmt: skip


class Cells:
    """A growing table of cells."""

    FIELDS = ("log_mass", "log_p", "upper", "anneal", "width", "tried")

    def __init__(self):
        self.size = 0
        self.low, self.high = np.empty((4, 0)), np.empty((4, 0))
        for name in self.FIELDS:
            setattr(self, name, np.empty(0))
        self.axis, self.state, self.slab = (np.empty(0, np.int8) for _ in range(3))

    def add(self, low, high, log_mass, log_p, bounds, slab):
        """Append cells, open unless they are fine; returns their numbers."""
        state = np.where(bounds.width < 1, FINE, OPEN)
        new = {"low": low, "high": high, "log_mass": log_mass, "log_p": log_p,
               "upper": bounds.upper, "anneal": bounds.anneal, "width": bounds.width,
               "tried": np.full(len(log_p), -np.inf), "axis": bounds.axis, "state": state,
               "slab": slab}  # fmt: skip
        start, self.size = self.size, self.size + len(log_p)
        for name, values in new.items():
            old = getattr(self, name)
            if old.shape[-1] < self.size:
                room = np.empty((*old.shape[:-1], 2 * self.size), old.dtype)
                room[..., :start] = old[..., :start]
                setattr(self, name, room)
            getattr(self, name)[..., start : self.size] = values
        return np.arange(start, self.size)

    def of(self, name):
        """A field of all cells."""
        return getattr(self, name)[..., : self.size]

    @property
    def leaves(self):
        """Numbers of the cells that are not split."""
        return np.flatnonzero(self.of("state") != SPLIT)


class Tree:
    """The cells of a star, and how they are split."""

    def __init__(self, star, roots, effort, rng):
        self.star, self.effort, self.rng = star, effort, rng
        self.cells, self.roots = Cells(), roots
        slab, cell = np.nonzero(roots.kept)
        self.adopt(slab, cell)
        self.resolved = True

    def adopt(self, slab, cell):
        """Take roots in; returns their numbers."""
        low, high = self.roots.boxes(slab, cell)
        assessed = self.star.assess(low, high, self.effort.kappa)
        self.roots.kept[slab, cell] = True
        return self.cells.add(low, high, *assessed, slab)

    def split(self, index):
        """Halve cells; returns the numbers of the halves."""
        cells = self.cells
        low, high, axis = cells.low[:, index], cells.high[:, index], cells.axis[index]
        each = np.arange(len(index))
        middle = 0.5 * (low[axis, each] + high[axis, each])
        first, second = high.copy(), low.copy()
        first[axis, each] = second[axis, each] = middle
        cells.state[index] = SPLIT
        low, high = np.hstack([low, second]), np.hstack([first, high])
        slab = np.tile(cells.slab[index], 2)
        return cells.add(low, high, *self.star.assess(low, high, self.effort.kappa), slab)

    def grow(self, most, by_slab=False, forced=()):
        """Split what may matter until nothing does, or after ``most`` more evaluations."""
        index = np.asarray(forced, int)
        for _ in range(FORCED if len(index) else 0):
            index = self.split(index)
        most += self.star.evaluations
        while True:
            index = self._open(by_slab)
            self.resolved = len(index) == 0
            if self.resolved or self.star.evaluations > most:
                return
            self.split(index)

    def _open(self, by_slab):
        """Cells to be split next."""
        cells, slabs = self.cells, len(self.roots.slab_edges) - 1
        upper, leaf = cells.of("upper"), cells.of("state") != SPLIT
        mass, slab = cells.of("log_mass") + cells.of("log_p"), cells.of("slab")
        wanted = np.zeros(len(upper), bool)
        groups = [slab == i for i in range(slabs)] if by_slab else [np.ones(len(upper), bool)]
        for group in groups:
            if (leaf & group).any():
                total = np.logaddexp.reduce(mass[leaf & group])
                wanted |= group & (upper > total - self.effort.negligible)
        wanted &= cells.of("state") == OPEN
        keys = upper, cells.of("anneal"), cells.of("log_p")
        return np.concatenate([pick(wanted & g, BATCH // len(groups), *keys) for g in groups])

    @property
    def log_evidence(self):
        """ln of the sum of p at the centres of leaves times their prior mass."""
        leaves = self.cells.leaves
        return np.logaddexp.reduce(self.cells.log_mass[leaves] + self.cells.log_p[leaves])

    def points_in(self, low, high):
        """A random point in each cell."""
        return low + (high - low) * self.rng.random(low.shape)

    def search(self):
        """Split by bounds, then where random points find more."""
        if len(self.roots.slab_edges) > 2:
            self.grow(self.effort.evaluations, by_slab=True)
            self.grow(AFTER_SLABS)
        else:
            self.grow(self.effort.evaluations)
        for _ in range(SURPRISES):
            cells, total = self.cells, self.log_evidence
            open_ = cells.of("state") == OPEN
            index = pick(open_ & (cells.of("upper") > total - TRIED_ABOVE), MOST_TRIED,
                         cells.of("upper"))  # fmt: skip
            if not len(index):
                return
            points = self.points_in(cells.low[:, index], cells.high[:, index])
            mass = cells.log_mass[index] + self.star.log_p(points)
            cells.tried[index] = np.logaddexp(cells.tried[index], mass)
            if np.logaddexp.reduce(mass) < total + np.log(ENOUGH):
                return
            self.grow(EXTRA, forced=index[mass > total - MATTERS])

    def expected(self):
        """Numbers of the leaves, and the shares of final points in each."""
        cells = self.cells
        leaves = cells.leaves
        mass = cells.log_mass[leaves] + cells.log_p[leaves]
        best = np.maximum(mass, cells.tried[leaves])
        upper = cells.upper[leaves]
        guess = np.where(cells.state[leaves] == FINE, mass,
                         np.logaddexp(best, np.minimum(upper, best + 6) - 3))  # fmt: skip
        share = _normalised(guess)
        return leaves, (1 - BY_BOUND) * share + BY_BOUND * _normalised(
            0.5 * np.maximum(upper, mass)
        )


def _normalised(log_weight):
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()
