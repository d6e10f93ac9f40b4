"""The likelihood of a distribution of periods, from each star's likelihood of its own period.

For a density g(ln P | theta) of the population,

    p(data_n | theta) = integral of p(v_n | P) g(ln P | theta) d ln P.

The likelihood of star n is known on its cells (`astro_hier.core.period_nodes`), of which there may
be many thousands; g varies on the scale of its smallest width alone. So the mass of each cell is
dealt out to the two nearest of `LnPeriodGrid`'s points, in proportion to its nearness: then
p(data_n | theta) is the product of row n of a sparse matrix W with the values of g on the grid.
Dealing to two points keeps the mass and mean of each cell, so the product is that of g interpolated
by straight lines, and is off by (step / width)^2 / 8 of g where g bends as a normal density does.

Beyond the range searched, p(v_n | P) is taken to be what it is on average over the outermost
twentieth of it: the same for all long periods, which are trends, and the mean over the forest of
needles for short ones. So a star whose likelihood is flat says nothing about the population,
wherever that lies.

Where the scatter of the velocities is drawn from a population too, a star has a row of W for each
of the values at which its scatter is tried, its layers, and they are summed in proportion to the
shares of the scatters in their cells.

Periods are in d; ln P is ln(P / d).
"""

import numpy as np

from astro_hier.core.cells import Row
from astro_hier.core.period_nodes import place_in_cell

OUTERMOST = 0.05
STEPS_PER_WIDTH = 40  # grid points per smallest width of g: an error of 8e-5


class LnPeriodGrid:
    """Equally spaced ln P over the searched range, fine against the narrowest population."""

    def __init__(self, shortest, longest, smallest_width):
        self.low, self.high = np.log(shortest), np.log(longest)
        count = self.size(shortest, longest, smallest_width)
        self.points = np.linspace(self.low, self.high, max(int(count), 2))
        self.step = self.points[1] - self.points[0]

    @staticmethod
    def size(shortest, longest, smallest_width):
        """Number of points that the grid takes."""
        return np.ceil(np.log(longest / shortest) / smallest_width * STEPS_PER_WIDTH) + 1

    def support(self):
        return np.exp(self.low), np.exp(self.high)

    def cdf(self, period):
        """Share of the range in ln P below ``period``: the measure that cells are integrated in."""
        return np.clip((np.log(period) - self.low) / (self.high - self.low), 0, 1)

    def ppf(self, share):
        return np.exp(self.low + share * (self.high - self.low))


def _deal(nodes, grid):
    """The middle of each cell, the grid point below it, and the share for the point above."""
    ln_period = -0.5 * (np.log(nodes.low) + np.log(nodes.high))
    place = (ln_period - grid.low) / grid.step
    left = np.clip(place.astype(int), 0, len(grid.points) - 2)
    return ln_period, left, np.clip(place - left, 0, 1)


def star_row(nodes, grid, layers=None):
    """Deal the cells of one star, none wider than a step, out to the grid.

    ``layers`` are the same cells at each value of the scatter; ``nodes`` alone by default.
    """
    ln_period, left, share = _deal(nodes, grid)
    layers = [np.exp(layer.log_mass - nodes.log_evidence) for layer in layers or (nodes,)]
    size = len(grid.points)
    weight = np.array(
        [
            np.bincount(left, mass * (1 - share), size) + np.bincount(left + 1, mass * share, size)
            for mass in layers
        ]
    )
    index = np.flatnonzero(weight.any(axis=0))
    log_scale = nodes.log_evidence + np.log(grid.high - grid.low)
    width = OUTERMOST * (grid.high - grid.low)
    ends = np.array([ln_period < grid.low + width, ln_period > grid.high - width])
    tails = np.array(layers) @ ends.T / width
    return Row(index, weight[:, index], tails, float(log_scale))


def draw_periods(nodes, grid, points, rng):
    """A period within each of the grid points given, from the star's own cells.

    A cell deals mass to the points on either side of it, so it is drawn among the cells within one
    step of the point, in proportion to what it dealt there.
    """
    _, left, share = _deal(nodes, grid)
    # every cell twice, with the point and the mass that it dealt there
    cell = np.tile(np.arange(len(left)), 2)
    point = np.concatenate([left, left + 1])
    mass = np.concatenate([nodes.probability * (1 - share), nodes.probability * share])
    order = np.argsort(point, kind="stable")
    cell, point, cumulative = cell[order], point[order], np.cumsum(mass[order])
    first = np.searchsorted(point, points, side="left")
    last = np.searchsorted(point, points, side="right") - 1
    below = np.where(first > 0, cumulative[first - 1], 0.0)
    chance = below + rng.random(len(points)) * (cumulative[last] - below)
    chosen = cell[np.clip(np.searchsorted(cumulative, chance), first, last)]
    ends = nodes.log_low[chosen], nodes.log_high[chosen]
    _, within = place_in_cell(*ends, rng.random(len(points)))
    low, high = np.log(nodes.low[chosen]), np.log(nodes.high[chosen])
    return np.exp(-(low + within * (high - low)))
