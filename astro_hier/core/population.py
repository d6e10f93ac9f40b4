"""The likelihood of a distribution of periods, from each star's likelihood of its own period.

For a population with density g(ln P | theta),

    p(data_n | theta) = integral of p(v_n | P) g(ln P | theta) d ln P.

The likelihood of star n is known on its cells (`astro_hier.core.period_nodes`), of which there may
be many thousands: they are distributed over an `LnPeriodGrid`, and p(data_n | theta) is the product
of row n of a sparse matrix W and the values of g on the grid, see `astro_hier.core.cells`.

Beyond the range searched, p(v_n | P) is taken to be its average over the outermost twentieth of the
range: the same for all long periods, which are trends, and the mean over the forest of needles for
short ones. So a star whose likelihood is flat says nothing about the population, wherever that
lies.

If the scatter of the velocities also comes from a population, a star has one row of W, or layer,
for each value of its scatter that is tried, and these are summed in proportion to the population's
shares of scatters in their cells.

Periods are in d; ln P is ln(P / d).
"""

import numpy as np

from astro_hier.core.cell_draws import draw_masses
from astro_hier.core.cells import row_of_cells
from astro_hier.core.grid import Axis, Grid
from astro_hier.core.period_cells import place_in_cell

OUTERMOST = 0.05
STEPS_PER_WIDTH = 40  # grid points per smallest width of g: a relative error of 8e-5


class LnPeriodGrid(Axis):
    """Equally spaced ln P over the range searched, and the measure that is uniform in it."""

    @classmethod
    def following(cls, shortest, longest, width):
        """The grid that resolves a population as narrow as ``width``."""
        count = max(int(cls.size(shortest, longest, width)), 2)
        return cls(np.log(shortest), np.log(longest), count, "ln")

    @staticmethod
    def size(shortest, longest, width):
        """The number of points that the grid needs."""
        return np.ceil(np.log(longest / shortest) / width * STEPS_PER_WIDTH) + 1

    def support(self):
        return np.exp(self.low), np.exp(self.high)

    def cdf(self, period):
        """Share of the range in ln P below ``period``, the measure for integrals over cells."""
        return np.clip((np.log(period) - self.low) / (self.high - self.low), 0, 1)

    def ppf(self, share):
        return np.exp(self.low + share * (self.high - self.low))


def _ln_period(nodes):
    """The middle of each cell."""
    return -0.5 * (np.log(nodes.low) + np.log(nodes.high))


def star_row(nodes, grid, layers=None):
    """Distribute the cells of one star, none wider than a step, over the grid.

    ``layers`` are the same cells at each value of the scatter; by default ``nodes`` alone.
    """
    ln_period = _ln_period(nodes)
    log_evidence = nodes.log_evidence
    layers = [np.exp(layer.log_mass - log_evidence) for layer in layers or (nodes,)]
    log_scale = log_evidence + np.log(grid.high - grid.low)
    width = OUTERMOST * (grid.high - grid.low)
    ends = np.array([ln_period < grid.low + width, ln_period > grid.high - width])
    tails = np.array(layers) @ ends.T / width
    return row_of_cells(Grid((grid,)), (ln_period,), layers, log_scale, tails)


def draw_periods(nodes, grid, points, rng):
    """Draw a period for each of the given grid points, from the star's own cells.

    A cell gives mass to the points on either side of it, so it is drawn among the cells within one
    step of the point, in proportion to the mass that it gave to that point.
    """
    points_of_cells, shares = Grid((grid,)).deal(_ln_period(nodes))
    chosen = draw_masses(points_of_cells, nodes.probability * shares, points, rng)
    ends = nodes.log_low[chosen], nodes.log_high[chosen]
    _, within = place_in_cell(*ends, rng.random(len(points)))
    low, high = np.log(nodes.low[chosen]), np.log(nodes.high[chosen])
    return np.exp(-(low + within * (high - low)))
