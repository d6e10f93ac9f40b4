"""Cells of nodes, split where posterior mass may be, and fresh points in them.

A cell is a box of (p, u, m, z), see `eccentric_prior`. Its bound (`eccentric_bounds`) decides
whether it is split, and the axis along which the likelihood changes most is where; it is fine when
it changes by less than a standard deviation along all of them. Cells whose bound is negligible
are left as they are. What is negligible is measured against the mass of their own slab of scatters
first, then against all: a broad solution at a large scatter, found early, would else hide a needle.

Of open cells up to `BATCH` are split at a time, equal numbers of the highest bound, ln p and
annealed bound. Ordered by the bound alone, needles are not reached. Of their halves those of the
highest ln p are split at once, and so on: a needle that is found early shows how much else is
negligible.

Then a random point is tried in all leaves that are not fine; those whose mass it shows to
matter are split on. So are cells that border on those of most mass: bounds fail where a needle
crosses the corner of a cell. The final points are fresh, so that their mean is an unbiased
estimate of p(v) given the tree, however wrong its bounds.
"""

import numpy as np

from astro_hier.core import eccentric_bounds, eccentric_cells
from astro_hier.core.eccentric_kernel import Nodes, evaluate
from astro_hier.core.eccentric_roots import highest
from astro_hier.core.period_cells import log_sum

BATCH = 6000
DIVES, DIVE = 3, 600  # after each batch: of what it made, so many of the highest ln p, so often
FORCED = 3  # halvings of a cell that a point shows to matter
AFTER_SLABS = 100_000  # evaluations that are left for cells open by the total
EXTRA = 100_000  # for those that points show to matter
OTHERS = 30_000  # and for all others after these
SURPRISES = 4
NEIGHBOURS, HEAVIEST, CHUNK = 4, 200, 50  # rounds; cells whose neighbours are split; at a time
MOST_TRIED = 30_000
TRIED_ABOVE = 25.0  # bounds that are worse than exp(-this) of the total are not tried
MATTERS = 9.0  # of the total, in ln
ENOUGH = 0.01  # share of the total found by points beyond what was known
OPEN, FINE = 0, 1
BY_BOUND = 0.1  # share of final points by the square root of the bound
ROUGH = 10.0  # standard deviations, in cells
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

    def half_widths(self, low, high):
        """Half of what f, e and m change by over cells, f with its sign; shape (3, cell)."""
        frequency = [1 / self.prior.period_at(edge[0]) for edge in (low, high)]
        middle = self.prior.period_at(0.5 * (low[0] + high[0]))
        e = [self.prior.eccentricity_at(edge[1], middle) for edge in (low, high)]
        return 0.5 * np.stack([frequency[1] - frequency[0], e[1] - e[0], high[2] - low[2]])

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
        return log_mass, found.log_p, eccentric_cells.tight(
            self.data, found, nodes.step, steps, half, e_high, g,
            0.5 * (distance[1] - distance[0]), log_mass, kappa,
        )  # fmt: skip


class Cells:
    """A growing table of the cells that are not split: of two halves, one replaces the whole."""

    FIELDS = ("log_mass", "log_p", "upper", "anneal", "width", "tried")

    def __init__(self, slabs):
        self.size, self.peak = 0, np.full(slabs, -1e300)  # the largest mass there ever was
        self.low, self.high = np.empty((4, 0)), np.empty((4, 0))
        for name in self.FIELDS:
            setattr(self, name, np.empty(0))
        self.axis, self.state, self.slab = (np.empty(0, np.int8) for _ in range(3))

    def put(self, index, low, high, log_mass, log_p, bounds, slab):
        """Cells at some numbers, open unless they are fine."""
        np.maximum.at(self.peak, slab, log_mass + log_p)
        state = np.where(bounds.width < 1, FINE, OPEN)
        self.low[:, index], self.high[:, index] = low, high
        self.log_mass[index], self.log_p[index], self.tried[index] = log_mass, log_p, -np.inf
        self.upper[index], self.anneal[index] = bounds.upper, bounds.anneal
        self.width[index] = bounds.width
        self.axis[index], self.state[index], self.slab[index] = bounds.axis, state, slab

    def room(self, count):
        """Numbers of so many more cells."""
        start, self.size = self.size, self.size + count
        for name in ("low", "high", "axis", "state", "slab", *self.FIELDS):
            old = getattr(self, name)
            if old.shape[-1] < self.size:
                longer = np.empty((*old.shape[:-1], 2 * self.size), old.dtype)
                longer[..., :start] = old[..., :start]
                setattr(self, name, longer)
        return np.arange(start, self.size)

    def of(self, name):
        """A field of all cells."""
        return getattr(self, name)[..., : self.size]

    def totals(self):
        """ln of the mass of each slab, by the cells' centres."""
        slab = self.of("slab")
        mass = np.exp(self.of("log_mass") + self.of("log_p") - self.peak[slab])
        return self.peak + np.log(np.maximum(np.bincount(slab, mass, len(self.peak)), 1e-300))


class Tree:
    """The cells of a star, and how they are split."""

    def __init__(self, star, roots, effort, rng):
        self.star, self.effort, self.rng = star, effort, rng
        self.cells, self.roots = Cells(len(roots.slab_edges) - 1), roots
        slab, cell = np.nonzero(roots.kept)
        self.adopt(slab, cell)
        self.resolved = True

    def adopt(self, slab, cell):
        """Take roots in; returns their numbers."""
        low, high = self.roots.boxes(slab, cell)
        self.roots.kept[slab, cell] = True
        index = self.cells.room(len(cell))
        assessed = self.star.assess(low, high, self.effort.kappa)
        self.cells.put(index, low, high, *assessed, slab)
        return index

    def split(self, index):
        """Halve cells; returns the numbers of the halves."""
        cells = self.cells
        low, high, axis = cells.low[:, index], cells.high[:, index], cells.axis[index]
        each = np.arange(len(index))
        middle = 0.5 * (low[axis, each] + high[axis, each])
        first, second = high.copy(), low.copy()
        first[axis, each] = second[axis, each] = middle
        low, high = np.hstack([low, second]), np.hstack([first, high])
        slab = np.tile(cells.slab[index], 2)
        index = np.concatenate([index, cells.room(len(index))])
        cells.put(index, low, high, *self.star.assess(low, high, self.effort.kappa), slab)
        return index

    def grow(self, most, by_slab=False, forced=()):
        """Split what may matter until nothing does, or after ``most`` more evaluations.

        If there are cells that are ``forced``, they and what comes of them, and no others.
        """
        forced, start = np.asarray(forced, int), self.cells.size if len(forced) else 0
        index, most = forced, most + self.star.evaluations
        for _ in range(FORCED if len(forced) else 0):
            index = self.split(index)
        keys, by_slab = ("upper", "anneal", "log_p"), by_slab and len(self.cells.peak) > 1
        while True:
            least = self.cells.totals() if by_slab else np.full(1, self.log_evidence)
            least -= self.effort.negligible
            among = np.append(forced, np.arange(start, self.cells.size))
            index = self._choose(among, least, BATCH, keys)
            done = len(index) == 0
            self.resolved = self.resolved if len(forced) else done
            if done or self.star.evaluations > most:
                return
            for _ in range(DIVES + 1):
                index = self._choose(self.split(index), least, DIVE, ("log_p",))
                if not len(index):
                    break

    def _choose(self, among, least, most, keys):
        """Cells to be split next, out of some, whose bound is above ``least`` of their slab."""
        cells, slabs, chosen = self.cells, len(least), []
        open_ = among[(cells.state[among] == OPEN) & (cells.upper[among] > least.min())]
        for number in range(slabs):
            own = open_[cells.slab[open_] == number] if slabs > 1 else open_
            own = own[cells.upper[own] > least[number]]
            chosen.append(own[highest(most // slabs, *(getattr(cells, k)[own] for k in keys))])
        return np.concatenate(chosen)

    @property
    def log_evidence(self):
        """ln of the sum of p at the centres of cells times their prior mass."""
        return log_sum(self.cells.of("log_mass") + self.cells.of("log_p"))

    def points_in(self, low, high):
        """A random point in each cell."""
        return low + (high - low) * self.rng.random(low.shape)

    def search(self):
        """Split by bounds, then where random points find more, then what lies about the mass."""
        if len(self.roots.slab_edges) > 2:
            self.grow(self.effort.evaluations, by_slab=True)
            self.grow(AFTER_SLABS)
        else:
            self.grow(self.effort.evaluations)
        for _ in range(SURPRISES):
            if not self._surprised():
                break
        for _ in range(NEIGHBOURS):
            before, index = self.log_evidence, self._beside()
            if len(index):
                self.grow(EXTRA, forced=index)
            if self.log_evidence < before + ENOUGH:
                break

    def _surprised(self):
        """Try a point in open cells; whether that led to new ones."""
        cells, total = self.cells, max(self.log_evidence, self.effort.floor)
        open_ = cells.of("state") == OPEN
        index = np.flatnonzero(open_ & (cells.of("upper") > total - TRIED_ABOVE))
        index = index[highest(MOST_TRIED, cells.upper[index])]
        if not len(index):
            return False
        points = self.points_in(cells.low[:, index], cells.high[:, index])
        mass = cells.log_mass[index] + self.star.log_p(points)
        cells.tried[index] = np.logaddexp(cells.tried[index], mass)
        if log_sum(mass) < total + np.log(ENOUGH):
            return False
        self.grow(EXTRA, forced=index[mass > total - MATTERS])
        self.grow(OTHERS)
        return True

    def _beside(self):
        """Open cells that border on those of most mass, whatever their bounds."""
        cells = self.cells
        mass = cells.of("log_mass") + cells.of("log_p")
        heavy = np.argsort(-mass)[:HEAVIEST]
        heavy = heavy[mass[heavy] > self.log_evidence - MATTERS]
        low, high = cells.low[:, heavy], cells.high[:, heavy]
        middle, step = 0.5 * (low + high), (0.5 + 1e-6) * (high - low)
        sides = np.vstack([np.eye(4)[:3], -np.eye(4)[:3]])
        beside = np.hstack([middle + side[:, None] * step for side in sides])
        beside[2] -= np.floor(beside[2])
        beside = beside[:, np.argsort(beside[0])]
        open_, found = np.flatnonzero(cells.of("state") == OPEN), []
        low, high = cells.low[:, open_], cells.high[:, open_]
        for start in range(0, beside.shape[1], CHUNK):
            probe = beside[:, start : start + CHUNK]
            near = np.flatnonzero((low[0] <= probe[0, -1]) & (high[0] >= probe[0, 0]))
            own = (low[:, near, None] <= probe[:, None]) & (probe[:, None] <= high[:, near, None])
            found.append(open_[near[own.all(axis=0).any(axis=1)]])
        return np.unique(np.concatenate(found)) if found else open_[:0]

    @property
    def rough(self):
        """Which cells curves of orbits that fit may cross, much thinner than they are."""
        if not self.effort.curves:
            return np.zeros(self.cells.size, bool)
        return (self.cells.of("state") == OPEN) & (self.cells.of("width") > ROUGH)

    def expected(self):
        """The share of final points in each cell."""
        cells = self.cells
        mass, upper = cells.of("log_mass") + cells.of("log_p"), cells.of("upper")
        best = np.maximum(mass, cells.of("tried"))
        # where there are sheets, the bound of a rough cell says more than a point that misses them
        bound = np.where(self.rough, upper - 1, np.minimum(upper, best + 6) - 3)
        guess = np.where(cells.of("state") == FINE, mass, np.logaddexp(best, bound))
        bound = _normalised(0.5 * np.maximum(upper, mass))
        return (1 - BY_BOUND) * _normalised(guess) + BY_BOUND * bound


def _normalised(log_weight):
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()
