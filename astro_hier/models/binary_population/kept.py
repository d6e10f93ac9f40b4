r"""The share of stars that a selection keeps: the likelihood of a selected sample.

Of a population of density g(x | theta) of companions' x = ln P, or ln P and e, of which stars have
the share f, a selection keeps the share

    alpha(theta) = f alpha_c(theta) + (1 - f) alpha_0.

alpha_c is a mean over N_inj injected orbits that were drawn from p(x), of which those in K were
kept, and alpha_0 is the share of M simulated stars of constant velocity that were kept:

    alpha_c = (1 / N_inj) sum_{j in K} g(x_j | theta) / p(x_j).

The likelihood of N stars of a selected sample has the additional factor alpha^-N (Mandel, Farr &
Gair 2019, MNRAS 486, 1086). The Monte Carlo variance of alpha is

    var = f^2 [(1 / N_inj^2) sum_{j in K} (g / p)^2 - alpha_c^2 / N_inj]
          + (1 - f)^2 alpha_0 (1 - alpha_0) / M,

that of ln of the likelihood N^2 var / alpha^2. Where alpha^2 / var, the effective number of
injections, is below 4 N, the sum cannot be trusted, and the likelihood is zero (Farr 2019, Research
Notes of the AAS 3, 66; Essick & Farr 2022, arXiv:2204.00461).

The sums over injections are a row of `astro_hier.core.cells`. Companions beyond the range searched
are kept as those in the outermost twentieth of it are.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from astro_hier.core import cells
from astro_hier.core.floats import TINY
from astro_hier.core.plane import Plane
from astro_hier.core.population import OUTERMOST, LnPeriodGrid
from astro_hier.models.binary_population.selection import Selection

FEWEST = 4  # effective injections for each star
LOWEST = np.log(TINY) + 30  # a density that is lower everywhere stands for zero


@dataclass(frozen=True, eq=False)
class Kept:
    """The share of stars that a selection keeps, of any population, and its error.

    ``log_density`` is ln of the density of ln P at ``matrix.points``, or ln of the shares of the
    cells with these numbers, shape (theta, point); `with_tails` or `spread` add what lies outside
    the range searched. ``fraction`` is the share of stars with companions, shape (theta,); by
    default all have one.

    Attributes
    ----------
    matrix : cells.Matrix
        Of one row, `Selection.row` or `Selection.row_1d`.
    without_companion : tuple of float or None
        As in `Selection`.
    """

    matrix: cells.Matrix
    without_companion: tuple[float, float] | None = None

    @classmethod
    def on(cls, selection: Selection, where: LnPeriodGrid | Plane) -> Self:
        """On a grid of ln P, for circles, or on a plane of cells."""
        if isinstance(where, Plane):
            row = selection.row(where)
        else:
            row = selection.row_1d(where)
        return cls(cells.Matrix.of([row]), selection.kept_without_companion)

    def log_share(
        self, log_density: np.ndarray, fraction: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """ln alpha, and its relative Monte Carlo variance, both of shape (theta,)."""
        log_share, variance = self._of_companions(log_density)
        if fraction is None:
            return log_share, variance
        if self.without_companion is None:
            raise ValueError(
                "the selection does not say which share of stars without companions it keeps;"
                ' expected meta["kept_without_companion"], for a companion_fraction'
            )
        alone, number = self.without_companion
        with np.errstate(divide="ignore"):
            both = np.log(fraction) + log_share, np.log1p(-fraction) + np.log(alone)
        total = np.logaddexp(*both)
        of_both = variance, (1 - alone) / (max(alone, TINY) * number)
        parts = (_weighted(log, total, of) for log, of in zip(both, of_both, strict=True))
        return total, np.where(np.isneginf(total), np.inf, sum(parts))

    def log_likelihood(
        self, n_stars: int, log_density: np.ndarray, fraction: np.ndarray | None = None
    ) -> np.ndarray:
        """-N ln alpha of N stars, shape (theta,); -inf where too few injections matter."""
        log_share, variance = self.log_share(log_density, fraction)
        enough = variance * FEWEST * n_stars <= 1
        return np.where(enough, -n_stars * np.where(enough, log_share, 0.0), -np.inf)

    def variance(
        self, n_stars: int, log_density: np.ndarray, fraction: np.ndarray | None = None
    ) -> np.ndarray:
        """Monte Carlo variance of `log_likelihood`, shape (theta,)."""
        return n_stars**2 * self.log_share(log_density, fraction)[1]

    def _of_companions(self, log_density):
        """ln alpha_c and its relative variance: -inf and infinity where nothing is kept."""
        any_there = log_density.max(axis=1) > LOWEST
        log_density = np.where(any_there[:, None], log_density, 0.0)
        log_share = self.matrix.log_likelihood(log_density)[:, 0]
        variance = np.maximum(self.matrix.relative_variance(log_density)[:, 0], 0.0)
        return np.where(any_there, log_share, -np.inf), np.where(any_there, variance, np.inf)


def _weighted(log_part, log_total, relative_variance):
    """What a part adds to the relative variance of a sum: nothing if the part is zero."""
    with np.errstate(invalid="ignore"):
        share = np.exp(2 * (log_part - log_total))
    return np.where(np.isneginf(log_part), 0.0, share * np.where(share > 0, relative_variance, 0.0))


def with_tails(
    grid: LnPeriodGrid, points: np.ndarray, log_density: np.ndarray, outside: np.ndarray
) -> np.ndarray:
    """ln of a density on points of a grid, with the shares outside spread over the outermost part.

    Parameters
    ----------
    grid : LnPeriodGrid
    points : ndarray
        Numbers of its points.
    log_density : ndarray
        Shape (theta, point).
    outside : ndarray
        Shares of the population below and above the range, shape (2, theta).
    """
    ends = _in_ends(grid.points, grid.low, grid.high)
    # its lines fall to zero within one step beyond the last of its points
    height = ends / ((ends.sum(axis=1, keepdims=True) - 0.5) * grid.step)
    with np.errstate(divide="ignore"):
        return np.logaddexp(log_density, np.log(outside.T @ height[:, points]))


def spread(plane: Plane, shares: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Shares of cells, with those outside spread over the outermost part of the range.

    Eccentricities there are distributed as they are inside.

    Parameters
    ----------
    plane : Plane
    shares : ndarray
        Shape (theta, cell of ln P, 1 + cell of e).
    outside : ndarray
        Shape (2, theta).
    """
    edges = plane.ln_period_edges
    width = np.diff(edges) * _in_ends(0.5 * (edges[1:] + edges[:-1]), edges[0], edges[-1])
    width = width / width.sum(axis=1, keepdims=True)  # shape (2, cell of ln P)
    of_e = shares.sum(axis=1)
    of_e = of_e / np.maximum(of_e.sum(axis=1, keepdims=True), TINY)
    return shares + np.einsum("st,sp,te->tpe", outside, width, of_e)


def _in_ends(points, low, high):
    """Which points, or the outermost, are in the first and the last twentieth, (2, point)."""
    reach = OUTERMOST * (high - low)
    first, last = max(low + reach, points[0]), min(high - reach, points[-1])
    return np.array([points <= first, points >= last])
