"""A sample of stars on circular orbits: the likelihood of every star's period, on grids."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import delayed

from astro_hier.core import cells, circular_description, orbit, population_star
from astro_hier.core.cell_draws import Densities
from astro_hier.core.floats import TINY, Theta
from astro_hier.models.binary_population.data import Sample, in_parallel, thinned
from astro_hier.models.binary_population.kept import with_tails
from astro_hier.models.grids import Levels
from astro_hier.models.orbits import checks as orbit_checks

SHARED_VALUES = 20_000_000  # of densities at all points that stars use, 160 MB, or twice that


@dataclass(frozen=True, eq=False)
class CircularStars(Sample):
    """The velocities of stars on circular orbits, and the likelihood of each star's period.

    Attributes
    ----------
    levels : Levels
        Grids in ln P, common to all stars, and which of them resolves a population.
    matrices : list of Matrix
        The stars' likelihoods on each of the grids.
    """

    levels: Levels
    matrices: list[cells.Matrix]

    def with_orbit(self, theta: Theta) -> np.ndarray:
        return self.levels.each(
            theta,
            lambda n, some: self.matrices[n].log_likelihood(*self.of_population(n, some)),
            len(self.stars),
        )

    def of_population(self, level: int, theta: Theta) -> tuple:
        """Arguments of a matrix: the population's density, shares outside the range, and jitters'.

        ``level`` is the number of the grid.
        """
        points = self.levels.grids[level].points[self.matrices[level].points]
        return (
            self.population.log_density(points, theta, self.log_ends),
            self.population.outside(theta, self.log_ends),
            self.scatter.shares([star.jitter for star in self.summaries], theta),
        )

    def without_orbit(self, theta: Theta) -> np.ndarray:
        nodes = [star.constant for star in self.summaries]
        shares = self.scatter.shares([of.jitter for of in nodes], theta)
        log_p = np.concatenate([of.log_p for of in nodes])
        if shares is None:
            return log_p[None]
        count = [len(of.log_p) for of in nodes]
        first = (np.cumsum(count) - count).astype(int)
        log_mass = log_p[:, None] + np.log(np.maximum(shares, TINY))
        return np.logaddexp.reduceat(log_mass, first, axis=0).T

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
        level, grid, _, *mean = self.on_grid(thinned(theta))
        found = [
            circular_description.significance(star, level, grid, *mean) for star in self.summaries
        ]
        return np.transpose(found)

    def describe(self, stars: Iterable[int], theta: Theta) -> Iterable[Any]:
        common = self.on_grid(thinned(theta))
        for n in stars:
            n_fitted = len(self.orbit.parameters) + self.n_adjusted(n)
            yield delayed(circular_description.describe)(
                self.visits(n), self.summaries[n], *common, n_fitted
            )

    def log_density_for_kept(self, theta):
        grid, points = self.levels.grids[-1], self.kept.matrix.points
        log_density = self.population.log_density(grid.points[points], theta, self.log_ends)
        return with_tails(grid, points, log_density, self.population.outside(theta, self.log_ends))

    def best_orbits(self) -> dict[str, np.ndarray]:
        P = np.array([star.best_period for star in self.summaries])
        fitted = [self._best_at(n, period) for n, period in enumerate(P)]
        linear, scatter = (np.array(of) for of in zip(*fitted, strict=True))
        return {"lnP": np.log(P), "P": P, **self.named(linear.T),
                **self.scatter.named(self, scatter)}  # fmt: skip

    def _best_at(self, star, period):
        """The linear parameters and scatters of a star that fit best at a given period."""
        visits = replace(self.visits(star), jitter=self.summaries[star].jitter)
        visits, scatter = self.scatter.fitted(visits, 1 / period)
        return orbit.Solution(visits, np.array([1 / period])).linear()[:, 0], scatter

    def flat_bayes_factors(self) -> np.ndarray:
        low, high = self.log_ends
        orbit = [np.log(star.rows[0].weight.sum(axis=1).mean()) + star.rows[0].log_scale
                 for star in self.summaries]  # fmt: skip
        constant = [np.logaddexp.reduce(star.constant.log_p) for star in self.summaries]
        count = [len(star.constant.log_p) for star in self.summaries]
        return np.array(orbit) - np.log(high - low) - np.array(constant) + np.log(count)

    def accuracy(self, theta):
        return {"period_error": max(star.error for star in self.summaries)}

    def check_integrals(self, theta, attrs):
        worst = int(np.argmax([star.error for star in self.summaries]))
        error = orbit_checks.check_error(attrs["period_error"], self.stars[worst])
        return [*self.levels.check(theta), error]

    def draw_stars(
        self, theta: Theta, rng: np.random.Generator, n_jobs: int | None, progressbar: bool
    ) -> dict[str, np.ndarray]:
        seed, size = int(rng.integers(2**63)), len(next(iter(theta.values())))
        values: dict[str, np.ndarray] = {}
        for level, chosen in self.levels.groups(theta):
            some = {name: of[chosen] for name, of in theta.items()}
            work = self._draws(level, some, [seed, level] if level else [seed])
            drawn = in_parallel(work, n_jobs, len(self.stars), "orbits", progressbar)
            for name, of in self._by_name(drawn).items():
                values.setdefault(name, np.empty((size, *of.shape[1:])))[chosen] = of
        return values

    def _draws(self, level: int, theta: Theta, seeds: Sequence[int]) -> Iterable[Any]:
        """Tasks that draw each star's period, scatter and linear parameters.

        The grid of number ``level`` must resolve all ``theta``.
        """
        densities = self._densities(level, theta)
        for n, star in enumerate(self.summaries):
            yield delayed(population_star.draw)(
                self.visits(n),
                self.known,
                level,
                self.levels.grids,
                star,
                densities(star.rows[level]),
                *self.scatter.of_star(star, theta),
                np.random.default_rng([*seeds, n]),
            )

    def _densities(self, level: int, theta: Theta) -> Callable[[cells.Row], Densities]:
        """The population's densities at the points of a row, and maybe at others.

        They are computed once for all stars if that fits in memory.
        """
        points, used = self.levels.grids[level].points, self.matrices[level].points

        def at(index):
            log_density = self.population.log_density(points[index], theta, self.log_ends)
            return Densities.of(index, log_density, self.compiled)

        if len(used) * len(next(iter(theta.values()))) > SHARED_VALUES:
            return lambda row: at(row.index)
        shared = at(used)
        return lambda row: shared

    def _by_name(self, drawn: Iterable[tuple]) -> dict[str, np.ndarray]:
        """Results of ``_draws``, one tuple for each star, as arrays (theta, star, ...) by name."""
        P, s, linear = zip(*drawn, strict=True)
        values = {"P": np.array(P).T, **self.named(np.moveaxis(np.array(linear), 0, 2))}
        return values | self.scatter.of_draws(self, s)
