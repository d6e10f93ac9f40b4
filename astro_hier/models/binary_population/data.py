"""The prepared visits of a sample: the likelihood of every star's period, on grids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from astro_hier.core import cells, population_star
from astro_hier.core.floats import Theta
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.core.population_star import StarSummary
from astro_hier.core.thinning import evenly
from astro_hier.models.binary_population import grid
from astro_hier.models.binary_population.grid import Levels
from astro_hier.models.orbits import terms
from astro_hier.models.orbits.data import Velocities
from astro_hier.populations import Population
from astro_hier.table import Rows

SHORTEST = 0.5 * u.day  # period searched by default
BASELINES = 3.0  # longest period searched by default, in units of the longest baseline
CELLS_KEPT = 2_000_000  # for all stars, 80 MB; those of other stars are recomputed when needed
TABLE_DRAWS = 200  # of the hyperparameters, to average the population over


@dataclass(frozen=True, eq=False)
class Stars(Velocities):
    """The velocities of a sample of stars, and the likelihood of each star's period.

    Attributes
    ----------
    population : Population
        Distribution of ln P.
    ends : tuple of float
        Shortest and longest period searched [d].
    moments : tuple of ndarray
        Prior means and standard deviations of the linear parameters, shape (column,).
    known : JitterPrior or None
        What is known about the scatter; None if there is none.
    levels : Levels
        Grids in ln P, common to all stars, and which of them resolves a population.
    summaries : list of StarSummary
        What is kept for each star.
    matrices : list of Matrix
        The stars' likelihoods on each of the grids.
    """

    population: Population
    ends: tuple[float, float]
    moments: tuple[np.ndarray, np.ndarray]
    known: JitterPrior | None
    levels: Levels
    summaries: list[StarSummary]
    matrices: list[cells.Matrix]

    @property
    def log_ends(self) -> tuple[float, float]:
        """ln of the shortest and longest period searched."""
        return tuple(np.log(self.ends))

    def visits(self, star: int) -> Visits:
        """The visits of one star, as the core takes them."""
        return self.visits_of(star, *self.moments)

    def log_marginal(self, theta: Theta) -> np.ndarray:
        """ln p(rv | theta) of all stars together, shape (theta,)."""
        return self.levels.each(
            theta, lambda n, some: self.matrices[n].log_marginal(*self._of_population(n, some))
        )

    def log_likelihood(self, theta: Theta) -> np.ndarray:
        """ln p(rv_n | theta) of each star, shape (theta, star)."""
        return self.levels.each(
            theta,
            lambda n, some: self.matrices[n].log_likelihood(*self._of_population(n, some)),
            len(self.stars),
        )

    def _of_population(self, level: int, theta: Theta) -> tuple:
        """Arguments of a matrix: the population's density, shares outside the range, and jitters'.

        ``level`` is the number of the grid.
        """
        points = self.levels.grids[level].points[self.matrices[level].points]
        return (
            self.population.log_density(points, theta, self.log_ends),
            self.population.outside(theta, self.log_ends),
            self.scatter.shares(self.summaries, theta),
        )

    def on_grid(self, theta: Theta) -> tuple:
        """A grid that resolves all ``theta``, their densities on it, and averages over them.

        Returns the grid's number, the grid, ln of each density, and the averages of the density, of
        the shares outside the range, and of a function of the ends of cells in the scatter that
        returns their shares (or None).
        """
        level = self.levels.finest(theta)
        log_density = self.levels.densities(level, theta, self.log_ends)
        outside = self.population.outside(theta, self.log_ends).mean(axis=1)
        shares = self.scatter.mean_shares(theta)
        density = np.exp(log_density).mean(axis=0)
        return level, self.levels.grids[level], log_density, density, outside, shares

    def significance(self, theta: Theta) -> np.ndarray:
        """ln Bayes factor of each star's orbit, and information on its period [nat], (2, star)."""
        level, grid, _, *mean = self.on_grid(thinned(theta))
        found = [population_star.significance(star, level, grid, *mean) for star in self.summaries]
        return np.transpose(found)

    def describe(self, stars: Iterable[int], theta: Theta) -> Iterable[Any]:
        """Tasks that describe some stars, given their velocities and the population."""
        common = self.on_grid(thinned(theta))
        for n in stars:
            n_fitted = len(self.orbit.parameters) + self.n_adjusted(n)
            yield delayed(population_star.describe)(
                self.visits(n), self.summaries[n], *common, n_fitted
            )

    def draw(self, level: int, theta: Theta, seeds: Sequence[int]) -> Iterable[Any]:
        """Tasks that draw each star's period, scatter and linear parameters.

        The grid of number ``level`` must resolve all ``theta``.
        """
        for n, star in enumerate(self.summaries):
            points = self.levels.grids[level].points[star.rows[level].index]
            yield delayed(population_star.draw)(
                self.visits(n),
                self.known,
                level,
                self.levels.grids,
                star,
                self.population.log_density(points, theta, self.log_ends),
                *self.scatter.of_star(star, theta),
                np.random.default_rng([*seeds, n]),
            )

    def by_name(self, drawn: Iterable[tuple]) -> dict[str, np.ndarray]:
        """Results of ``draw``, one tuple for each star, as arrays (theta, star, ...) by name."""
        P, s, linear = zip(*drawn, strict=True)
        values = {"P": np.array(P).T, **self.named(np.moveaxis(np.array(linear), 0, 2))}
        return values | self.scatter.of_draws(self, s)


def prepare(model, rows: Rows, progressbar: bool) -> Stars:
    """The likelihood of every star's period, on common grids."""
    measured = Velocities.of(rows, model.orbit, model.terms, model.scatter)
    moments = terms.moments(measured.terms, measured.instruments)
    ends, known = _ends(model, measured), measured.scatter.known(len(measured.instruments))
    n_stars, layered = len(measured.stars), measured.scatter.layered
    levels = grid.plan(model.population, model.frozen_priors(), ends, n_stars, layered)
    common = known, layered, levels.grids, CELLS_KEPT // n_stars
    work = (
        delayed(population_star.summarise)(measured.visits_of(n, *moments), *common)
        for n in range(n_stars)
    )
    summaries = in_parallel(work, model.n_jobs, n_stars, "periods", progressbar)
    matrices = [
        cells.Matrix.of(rows) for rows in zip(*(star.rows for star in summaries), strict=True)
    ]
    return measured.extended(
        Stars, population=model.population, ends=ends, moments=moments, known=known,
        levels=levels, summaries=summaries, matrices=matrices,
    )  # fmt: skip


def in_parallel(
    work: Iterable[Any], n_jobs: int, total: int, desc: str, progressbar: bool
) -> list[Any]:
    """Results of the tasks, in order."""
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    return list(tqdm(parallel(work), total=total, unit="star", desc=desc, disable=not progressbar))


def thinned(theta: Theta) -> dict[str, np.ndarray]:
    """At most `TABLE_DRAWS` of the draws, equally spaced."""
    chosen = evenly(len(next(iter(theta.values()))), TABLE_DRAWS)
    return {name: draws[chosen] for name, draws in theta.items()}


def _ends(model, measured):
    """Shortest and longest period searched [d]."""
    if model.period_range is None:
        shortest, longest = SHORTEST.to_value(u.day), np.zeros(len(measured.stars))
        np.maximum.at(longest, measured.star, measured.time)
        return shortest, max(BASELINES * longest.max(), 100 * shortest)
    try:
        shortest, longest = (u.Quantity(p).to_value(u.day) for p in model.period_range)
    except (TypeError, ValueError, u.UnitConversionError):
        shortest, longest = np.nan, np.nan
    if not 0 < shortest < longest < np.inf:
        raise ValueError(
            f"period_range={model.period_range!r}; expected two times, the shorter first, such as"
            " (1 * u.day, 1000 * u.day)"
        )
    return float(shortest), float(longest)
