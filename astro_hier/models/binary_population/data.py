"""The prepared visits of a sample, whatever their orbits are, and the likelihood of all.

A star has a companion with probability f, `companion_fraction`, and else a constant velocity. With
the likelihoods L_n of its orbit, given the population, and C_n of a constant velocity,

    ln p(v | theta) = sum_n ln [f L_n(theta) + (1 - f) C_n(theta)] - N ln alpha(theta).

Without a prior of f all stars have one. alpha is the share of stars that a selection keeps
(`astro_hier.models.binary_population.kept`), one if there is none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel
from scipy.special import expit

from astro_hier import progress
from astro_hier.checks import Finding
from astro_hier.core.floats import Theta
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.core.thinning import evenly
from astro_hier.core.threads import a_few_at_a_time
from astro_hier.models.binary_population.kept import Kept
from astro_hier.models.orbits.amplitudes import Amplitudes
from astro_hier.models.orbits.data import Velocities
from astro_hier.populations import membership

TABLE_DRAWS = 200  # of the hyperparameters, to average the population over
FRACTION = "companion_fraction"


@dataclass(frozen=True, eq=False)
class Sample(Velocities):
    """The velocities of a sample of stars, and integrals over the orbits of each.

    Attributes
    ----------
    population : Population or PeriodEccentricity
        Distribution of ln P, or of ln P and e.
    ends : tuple of float
        Shortest and longest period searched [d].
    moments : tuple of ndarray
        Prior means and standard deviations of the linear parameters, shape (column,).
    known : JitterPrior or None
        What is known about the scatter; None if there is none.
    summaries : list
        What is kept for each star.
    kept : Kept or None
        The share of stars that got into the table; None if all did.
    compiled : bool
        Whether circles are searched for in compiled loops.
    """

    population: Any
    ends: tuple[float, float]
    moments: tuple[np.ndarray, np.ndarray]
    known: JitterPrior | None
    summaries: list[Any]
    kept: Kept | None
    compiled: bool

    @property
    def log_ends(self) -> tuple[float, float]:
        """ln of the shortest and longest period searched."""
        return tuple(np.log(self.ends))

    @property
    def amplitudes(self) -> Amplitudes:
        """The term of the orbits themselves."""
        (first,) = (term for term in self.terms if isinstance(term, Amplitudes))
        return first

    def visits(self, star: int) -> Visits:
        """The visits of one star, as the core takes them."""
        visits = self.visits_of(star, *self.moments)
        return replace(visits, amplitude=self.amplitudes.of_frequency, compiled=self.compiled)

    def visits_from(self, time: np.ndarray, rv: np.ndarray, rv_error: np.ndarray) -> Visits:
        """The visits of a star that is not of the sample, with all of one instrument.

        Times are in d since its first visit, shape (visit,).
        """
        instrument = np.zeros(len(time), int)
        columns = np.hstack([term.columns(time, instrument, 1) for term in self.terms])
        number = self.scatter.numbers(instrument)
        visits = Visits(time, rv, rv_error, *self.moments, columns, number)
        return replace(visits, amplitude=self.amplitudes.of_frequency, compiled=self.compiled)

    def log_marginal(self, theta: Theta) -> np.ndarray:
        """ln p(rv | theta) of all stars together, shape (theta,)."""
        return a_few_at_a_time(lambda some: self.log_likelihood(some).sum(axis=1), theta)

    def log_likelihood(self, theta: Theta) -> np.ndarray:
        """ln p(rv_n | theta) of each star, shape (theta, star)."""
        found = self._mixed(theta)[0] if FRACTION in theta else self.with_orbit(theta)
        if self.kept is None:
            return found
        selected = self.kept.log_likelihood(*self._for_kept(theta))
        return found + selected[:, None] / len(self.stars)

    def selection_variance(self, theta: Theta) -> np.ndarray:
        """Monte Carlo variance of ln p(rv | theta) because injections are few, shape (theta,)."""
        if self.kept is None:
            return np.zeros(len(next(iter(theta.values()))))
        return self.kept.variance(*self._for_kept(theta))

    def _for_kept(self, theta):
        return len(self.stars), self.log_density_for_kept(theta), theta.get(FRACTION)

    def companions(self, theta: Theta) -> dict[str, np.ndarray]:
        """Probability that each star has a companion, shape (theta, star), by name."""
        return {"companion": expit(self._mixed(theta)[1])}

    def companion_probability(self, theta: Theta) -> np.ndarray:
        """The same averaged over theta, shape (star,)."""
        return self.companions(theta)["companion"].mean(axis=0)

    # ---- the best orbit of each star, for checks

    def goodness(self) -> tuple[np.ndarray, np.ndarray]:
        """chi2 of each star's best orbit, and its degrees of freedom, shape (star,) each."""
        n_shape = len(self.orbit.parameters)
        spare = [len(of) - n_shape - self.n_adjusted(n) for n, of in enumerate(self.rows_of)]
        return np.array([star.chi2 for star in self.summaries]), np.array(spare)

    def best_linear(self) -> np.ndarray:
        """Its linear parameters, shape (column, star)."""
        return np.array([star.linear for star in self.summaries]).T

    def jitters(self) -> Iterator[tuple[int, float, float, float]]:
        """Of each star and instrument: the star's number, mean and least jitter, median error."""
        for n, (star, rows) in enumerate(zip(self.summaries, self.rows_of, strict=True)):
            number, error = self.scatter.numbers(self.instrument[rows]), self.rv_error[rows]
            for i in np.unique(number):
                yield n, star.scatter[i], star.least_scatter[i], np.median(error[number == i])

    # ---- densities

    def _mixed(self, theta):
        """ln of each star's density, and of the odds of a companion.

        A population that is too narrow to be computed has no likelihood, whatever the fraction.
        """
        orbit, alone = self.with_orbit(theta), 1 - theta[FRACTION]
        log_density, log_odds = membership.mix(orbit, self.without_orbit(theta), alone)
        computed = ~np.isneginf(orbit).all(axis=1, keepdims=True)
        return np.where(computed, log_density, -np.inf), log_odds

    def significance_given(self, theta: Theta) -> np.ndarray:
        """As `significance`, which is kept for the draws that it was last asked for."""
        last, found = vars(self).get("_significance", ({}, None))
        if last.keys() != theta.keys() or any(last[name] is not of for name, of in theta.items()):
            found = self.significance(theta)
            vars(self)["_significance"] = dict(theta), found
        return found

    # ---- what circles and ellipses do each in their way

    def with_orbit(self, theta: Theta) -> np.ndarray:
        """ln p(rv_n | theta) of each star if it has a companion, shape (theta, star)."""
        raise NotImplementedError

    def without_orbit(self, theta: Theta) -> np.ndarray:
        """ln p(rv_n | theta) of each star if its velocity is constant, broadcasts to the same."""
        raise NotImplementedError

    def best_orbits(self) -> dict[str, np.ndarray]:
        """The orbit and scatter of each star that fit best, shape (star, ...) by name."""
        raise NotImplementedError

    def log_density_for_kept(self, theta: Theta) -> np.ndarray:
        """The population's density where there are injections, as `Kept` takes it."""
        raise NotImplementedError

    def flat_bayes_factors(self) -> np.ndarray:
        """ln Bayes factor of each star's orbit, roughly, for periods uniform in ln P, (star,)."""
        raise NotImplementedError

    def accuracy(self, theta: Theta) -> dict[str, float]:
        """How good the integrals over orbits are, as attributes of the posterior."""
        raise NotImplementedError

    def check_integrals(self, theta: Theta, attrs: Mapping[str, Any]) -> list[Finding]:
        """Checks of these integrals."""
        raise NotImplementedError

    def draw_stars(
        self, theta: Theta, rng: np.random.Generator, n_jobs: int | None, progressbar: bool
    ) -> dict[str, np.ndarray]:
        """One draw of each star's orbit and scatter for each theta, (theta, star, ...) by name."""
        raise NotImplementedError

    def significance(self, theta: Theta) -> np.ndarray:
        """ln Bayes factor of each star's orbit, and information on its period [nat], (2, star)."""
        raise NotImplementedError

    def describe(self, stars: Iterable[int], theta: Theta) -> Iterable[Any]:
        """Tasks that describe some stars, given their velocities and the population."""
        raise NotImplementedError


def of_star(label: Any, task: Callable[..., Any], *given: Any) -> Any:
    """The result of a task, whose errors name the star."""
    try:
        return task(*given)
    except ValueError as error:
        raise ValueError(f"star {label}: {error}") from error


def in_parallel(
    work: Iterable[Any], n_jobs: int | None, total: int, desc: str, progressbar: bool
) -> list[Any]:
    """Results of the tasks, in order."""
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    return list(progress.over(parallel(work), desc, total, "star", progressbar))


def of_population(model, data: Sample, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The draws of the parameters that all stars share, from those of all parameters."""
    names = *model.sampled_names(), *model.standard_normals(data)
    return {name: values[name] for name in names}


def thinned(theta: Theta) -> dict[str, np.ndarray]:
    """At most `TABLE_DRAWS` of the draws, equally spaced."""
    chosen = evenly(len(next(iter(theta.values()))), TABLE_DRAWS)
    return {name: draws[chosen] for name, draws in theta.items()}
