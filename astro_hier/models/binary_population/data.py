"""What is prepared of the visits of a sample: every star's likelihood of its period, on a grid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from astro_hier import priors
from astro_hier.core import population as core
from astro_hier.core import population_star
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.core.population_star import StarSummary
from astro_hier.models.orbits import terms
from astro_hier.models.orbits.data import Velocities
from astro_hier.populations import Population
from astro_hier.table import Rows

SHORTEST = 0.5 * u.day  # of the range searched by default
BASELINES = 3.0  # the longest, in the longest baseline
CELLS_KEPT = 2_000_000  # of all stars, 80 MB; those of other stars are made again when needed
MOST_POINTS = 50_000  # of the grid in ln P
TABLE_DRAWS = 200  # of the hyperparameters, to average the population over

Theta = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Stars(Velocities):
    """The velocities of a sample of stars, and the likelihood of each one's period.

    Attributes
    ----------
    population : Population
        Distribution of ln P.
    ends : tuple of float
        Shortest and longest period searched, in d.
    moments : tuple of ndarray
        Means and standard deviations of the linear parameters, shape (column,).
    known : JitterPrior or None
        What is known of the scatter, None if there is none.
    grid : LnPeriodGrid
        Points in ln P, common to all stars.
    summaries : list of StarSummary
        What is known of each star.
    matrix : object
        The stars' likelihoods on the grid, see `astro_hier.core.population`.
    """

    population: Population
    ends: tuple[float, float]
    moments: tuple[np.ndarray, np.ndarray]
    known: JitterPrior | None
    grid: core.LnPeriodGrid
    summaries: list[StarSummary]
    matrix: Any

    @property
    def log_ends(self) -> tuple[float, float]:
        """ln of the shortest and longest period searched."""
        return tuple(np.log(self.ends))

    def visits(self, star: int) -> Visits:
        """The visits of one star, as the core takes them."""
        return self.visits_of(star, *self.moments)

    def of_population(self, theta: Theta) -> tuple:
        """What the matrix takes: the population's density, and shares beyond and of scatters."""
        points = self.grid.points[self.matrix.points]
        return (
            self.population.log_density(points, theta, self.log_ends),
            self.population.outside(theta, self.log_ends),
            self.scatter.shares(self.summaries, theta),
        )

    def on_grid(self, theta: Theta) -> tuple:
        """ln of the population's densities on the grid, and averages over ``theta``.

        Averages of the density, of the shares beyond the range, and of those of scatters between
        ends of cells, a function, or None.
        """
        log_density = self.population.log_density(self.grid.points, theta, self.log_ends)
        outside = self.population.outside(theta, self.log_ends).mean(axis=1)
        shares = self.scatter.mean_shares(theta)
        return log_density, np.exp(log_density).mean(axis=0), outside, shares

    def significance(self, theta: Theta) -> np.ndarray:
        """Of each star ln of its Bayes factor, and what its visits say about its period, in nats.

        Shape (2, star).
        """
        _, *mean = self.on_grid(thinned(theta))
        found = [population_star.significance(star, self.grid, *mean) for star in self.summaries]
        return np.transpose(found)

    def describe(self, stars: Iterable[int], theta: Theta) -> Iterable[Any]:
        """The work of describing some stars, given their velocities and the population."""
        common = self.grid, *self.on_grid(thinned(theta))
        for n in stars:
            n_fitted = len(self.orbit.parameters) + self.n_adjusted(n)
            yield delayed(population_star.describe)(
                self.visits(n), self.summaries[n], *common, n_fitted
            )

    def draw(self, theta: Theta, rng: np.random.Generator) -> Iterable[Any]:
        """The work of drawing each star's period, scatter and linear parameters."""
        seed = int(rng.integers(2**63))
        for n, star in enumerate(self.summaries):
            points = self.grid.points[star.row.index]
            yield delayed(population_star.draw)(
                self.visits(n),
                self.known,
                self.grid,
                star,
                self.population.log_density(points, theta, self.log_ends),
                *self.scatter.of_star(star, theta),
                np.random.default_rng([seed, n]),
            )


def prepare(model, rows: Rows, progressbar: bool) -> Stars:
    """Every star's likelihood of its period, on a common grid."""
    measured = Velocities.of(rows, model.orbit, model.terms, model.scatter)
    moments = terms.moments(measured.terms, measured.instruments)
    ends, known = _ends(model, measured), measured.scatter.known(len(measured.instruments))
    grid, n_stars = _grid(model, ends), len(measured.stars)
    common = known, measured.scatter.layered, grid, CELLS_KEPT // n_stars
    work = (
        delayed(population_star.summarise)(measured.visits_of(n, *moments), *common)
        for n in range(n_stars)
    )
    summaries = in_parallel(work, model.n_jobs, n_stars, "periods", progressbar)
    matrix = core.matrix([star.row for star in summaries])
    return measured.extended(
        Stars, population=model.population, ends=ends, moments=moments, known=known, grid=grid,
        summaries=summaries, matrix=matrix,
    )  # fmt: skip


def in_parallel(
    work: Iterable[Any], n_jobs: int, total: int, desc: str, progressbar: bool
) -> list[Any]:
    """What the pieces of work return, in their order."""
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    return list(tqdm(parallel(work), total=total, unit="star", desc=desc, disable=not progressbar))


def thinned(theta: Theta) -> dict[str, np.ndarray]:
    """Some of the draws, equally spaced."""
    size = len(next(iter(theta.values())))
    some = np.linspace(0, size - 1, min(size, TABLE_DRAWS)).astype(int)
    return {name: draws[some] for name, draws in theta.items()}


def _ends(model, measured):
    """Shortest and longest period searched, in d."""
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
            f"period_range={model.period_range!r}; accepted are two times, the shorter"
            " first, such as (1 * u.day, 1000 * u.day)"
        )
    return float(shortest), float(longest)


def _grid(model, ends):
    width = model.population.smallest_width(model.frozen_priors())
    count = core.LnPeriodGrid.size(*ends, width)
    if count > MOST_POINTS:
        raise priors.PriorError(
            f"the priors allow populations as narrow as {width:.2g} in ln P, which take"
            f" {count:.2g} grid points, more than {MOST_POINTS:.0e}: raise the lower end of the"
            " prior on lnsigma, such as with priors.TruncatedNormal(..., lower=-3)"
        )
    return core.LnPeriodGrid(*ends, width)
