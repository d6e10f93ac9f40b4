"""The likelihood of a joint population of ln P and e, from weighted nodes of each star.

A star's nodes j are points (P_j, e_j) whose masses m_j are its likelihood there times the mass
that a reference prior pi gives them, see `astro_hier.core.eccentric_nodes`. For a population with
density g, its likelihood is

    sum_j m_j g(x_j | theta) / pi(x_j).

The ratio g / pi is known by cells, where it is the population's share over that of the reference
prior, G_k / pi_k, which stays finite where both densities grow without bound, as at e = 0. Between
the middles of cells it is interpolated by straight lines in ln P and e, and beyond the outermost
ones it is constant. So the likelihood is sum_k W_k G_k, with a mass shared between up to four cells
and divided by the share of pi in each of them: the rows of `astro_hier.core.cells`, with cells in
place of points and shares in place of densities. Where pi has no share, a cell says nothing about
the ratio, and the mass goes to the others of the four.

Circular orbits are cells of their own, one for each of ln P, beside those of e > 0. Masses and
reference prior are those of any measure: circles may be a search by themselves, with a reference
prior that also adds up to one.
"""

from dataclasses import dataclass, replace

import numpy as np

from astro_hier.core import cells
from astro_hier.core.floats import TINY
from astro_hier.core.grid import Axis, Grid

PARTS = 16  # of a cell of ln P, over which a largest eccentricity that depends on P is averaged
CELLS_PER_WIDTH = 0.4  # of the narrowest population: its variance is 4 percent too large
PERIODS = 40, 600  # least and largest number of cells of ln P
UNKNOWN = 100  # cells of ln P, for a population that does not say how narrow it may be
ECCENTRICITIES = 32  # cells of e


@dataclass(frozen=True)
class Plane:
    """Cells of ln P times cells of e, circular orbits first, and a reference prior's shares.

    Attributes
    ----------
    ln_period_edges, e_edges : ndarray
        Rising; two cells of ln P or more.
    reference : ndarray
        Shape (cell of ln P, 1 + cell of e), as from a population's ``shares``.
    """

    ln_period_edges: np.ndarray
    e_edges: np.ndarray
    reference: np.ndarray

    def __post_init__(self):
        expected = len(self.ln_period_edges) - 1, len(self.e_edges)
        if np.shape(self.reference) != expected:
            raise ValueError(
                f"reference of shape {np.shape(self.reference)}; expected {expected}, with circular"
                " orbits before the cells of e"
            )

    @property
    def size(self):
        """Number of cells."""
        return np.size(self.reference)

    def deal(self, ln_period, e):
        """The cells nearest to each node, and the shares of its mass that they get.

        Parameters
        ----------
        ln_period, e : ndarray
            Shape (node,).

        Returns
        -------
        cell, share : ndarray
            Numbers of the cells, counted through the product, and shares, shape (4, node).

        Raises
        ------
        ValueError
            If a node lies beyond the cells, or where the reference prior has no share.
        """
        for name, value, edges in (
            ("ln P", ln_period, self.ln_period_edges),
            ("e", e, self.e_edges),
        ):
            _check_inside(name, value, edges)
        ln_period = _between_middles(ln_period, self.ln_period_edges)
        e = np.where(e == 0, 0.0, 1 + _between_middles(e, self.e_edges))
        grid = Grid(tuple(Axis(0.0, n - 1.0, n) for n in self.reference.shape))
        cell, share = grid.deal(ln_period, e)
        share = np.where(self.reference.ravel()[cell] > 0, share, 0.0)
        whole = share.sum(axis=0)
        if not np.all(whole > 0):
            raise ValueError(
                f"{np.sum(~(whole > 0))} nodes lie where the reference prior has no share; expected"
                " the prior that the nodes were weighted with"
            )
        return cell, share / whole

    def row(self, period, e, log_mass):
        """The row of a star in the matrix of all stars, with its Monte Carlo variance.

        Parameters
        ----------
        period, e, log_mass : ndarray
            Periods, in the unit of the cells, and eccentricities of the nodes, zero for circles,
            and ln of likelihood times mass of the reference prior, shape (node,).

        Returns
        -------
        cells.Row
            Its "density" is the share of the population in each cell.
        """
        draws = len(log_mass)
        row = cells.row_of_draws(self, (np.log(period), e), log_mass + np.log(draws), draws)
        reference = self.reference.ravel()[row.index]
        squares = row.squares / reference**2
        return replace(row, weight=row.weight / reference, squares=squares)

    def log_shares(self, shares, matrix):
        """What the methods of a `cells.Matrix` take in place of ln of the density.

        ``shares`` are those of the population, shape (theta, cell of ln P, 1 + cell of e).
        """
        used = shares.reshape(len(shares), -1)[:, matrix.points]
        return np.log(np.maximum(used, TINY))

    def ratio(self, shares, period, e):
        """Ratio of the population's density to the reference prior's at nodes, (theta, node)."""
        cell, share = self.deal(np.log(period), e)
        reference = np.maximum(self.reference.ravel(), TINY)
        of_cells = shares.reshape(len(shares), -1) / reference
        return sum(of * of_cells[:, k] for k, of in zip(cell, share, strict=True))


def edges(log_ends, width, count=None):
    """Edges of the cells of ln P and of e.

    Cells of ln P resolve a population as narrow as ``width``, zero if it is unknown, and those of e
    are narrower the closer they are to zero, where observed eccentricities are known best. Or there
    are ``count`` cells of ln P.
    """
    low, high = log_ends
    if count is None and width > 0:
        wanted = np.ceil((high - low) / (CELLS_PER_WIDTH * width))
        count = int(np.clip(wanted, *PERIODS))
    count = UNKNOWN if count is None else count
    return np.linspace(low, high, count + 1), np.linspace(0, 1, ECCENTRICITIES + 1) ** 1.5


def reference_shares(ln_period_edges, e_edges, prior) -> np.ndarray:
    """Shares of the prior of a star's nodes in the product of cells.

    Parameters
    ----------
    ln_period_edges, e_edges : ndarray
        As in `Plane`, for periods in d.
    prior : `~astro_hier.core.eccentric_prior.OrbitPrior`
        Its eccentricities have a density, or are zero. Circular orbits are also those of periods
        for which it allows no others.

    Returns
    -------
    ndarray
        Shape (cell of ln P, 1 + cell of e). They add up to the prior probability of the periods
        that were searched.

    Raises
    ------
    ValueError
        If the eccentricity is known, and not zero.
    """
    e = prior.eccentricity
    if e.known and e.e[0] > 0:
        raise ValueError(
            f"an eccentricity known to be {e.e[0]:g}; expected a distribution, for a population of"
            " eccentricities, or 0"
        )
    below = np.clip(prior.period.cdf(np.exp(ln_period_edges)), *prior.period_shares)
    part = (np.arange(PARTS) + 0.5) / PARTS
    period = prior.period_at(below[:-1, None] + np.diff(below)[:, None] * part)
    limit = np.ones(period.shape)
    if prior.largest_eccentricity is not None:
        limit = prior.largest_eccentricity(period)
    eccentric = (limit > 0) & (not e.known)
    of_e = np.zeros((*period.shape, len(e_edges) - 1))
    if eccentric.any():
        of_e[eccentric] = np.diff(e.cdf(e_edges / limit[eccentric][:, None]))
    both = np.concatenate([~eccentric[..., None], of_e], axis=2).mean(axis=1)
    return np.diff(below)[:, None] * both


def _between_middles(value, edges):
    """The place of values among the middles of cells: 1.5 is between the second and the third."""
    middles = 0.5 * (np.asarray(edges)[1:] + np.asarray(edges)[:-1])
    return np.interp(value, middles, np.arange(float(len(middles))))


def _check_inside(name, value, edges):
    outside = (value < edges[0]) | (value > edges[-1])
    if np.any(outside):
        raise ValueError(
            f"{np.sum(outside)} nodes have {name} from {np.min(value):.6g} to {np.max(value):.6g};"
            f" expected {edges[0]:.6g} to {edges[-1]:.6g}, the ends of the cells"
        )
