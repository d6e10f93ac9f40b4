"""Scatter of the velocities beyond their stated errors: none, one prior for all, or a population.

The error of visit j is sqrt(error_j^2 + s_i^2), where s_i is the scatter of its star with its
instrument i. All three classes have the same methods, so that no caller asks which one it has:
`NoScatter` adds no parameters, and returns visits and errors as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import loguniform

from astro_hier import populations, priors
from astro_hier.core import jitter, population_star
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.models.orbits.terms import variables
from astro_hier.models.orbits.velocity import KMS
from astro_hier.posterior import Parameter
from astro_hier.priors.base import FrozenPrior

MIN_VARIANCE = 1e-12  # of a scatter at the start, in (km/s)^2
BULK = 0.05, 0.95  # quantiles of the prior between which a scatter starts


@dataclass(frozen=True)
class NoScatter:
    """The stated errors are right. Also the base of the classes that add a scatter to them."""

    layered = False  # whether the likelihood is kept at each scatter, as a population needs it

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The scatters, as parameters of a model."""
        return ()

    @property
    def parts(self) -> tuple[Any, ...]:
        """Parts that own the priors of further parameters."""
        return ()

    @property
    def is_known(self) -> bool:
        """Whether there is nothing to infer."""
        return True

    @property
    def is_common(self) -> bool:
        """Whether all instruments have the same."""
        return True

    # ---- for draws, arrays of shape (draw, ...)

    def errors(self, data, values) -> np.ndarray:
        """Standard errors of the visits, scatter included, shape (draw, visit)."""
        return data.rv_error[None]

    def mean(self, values) -> dict[str, np.ndarray]:
        """The mean scatter, as one draw."""
        return {p.name: values[p.name].mean(axis=0, keepdims=True) for p in self.parameters}

    def log_prior(self, values) -> np.ndarray | float:
        """ln of the prior density of scatters that are not among the model's sampled parameters."""
        return 0.0

    def simulate(self, data, theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draws of the scatter, from the prior or the population, unless ``theta`` has it."""
        return {}

    def named(self, data, values: np.ndarray, lead: tuple[int, ...] = ()) -> dict:
        """Scatters by name; axes of ``values`` are ``lead``, then star and instrument."""
        return {}

    def of_draws(self, data, drawn: Sequence) -> dict[str, np.ndarray]:
        """Scatters by name, from those drawn for each star, shape (instrument, draw)."""
        return {}

    # ---- for one star's visits, as the core takes them

    def numbers(self, instrument: np.ndarray) -> np.ndarray:
        """The number of the scatter of each visit, given that of its instrument."""
        return instrument

    def known(self, count: int) -> JitterPrior | None:
        """What is known about the scatter of each of ``count`` instruments."""
        return None

    def with_nodes(self, visits: Visits, known: JitterPrior | None, period, progress) -> Visits:
        """The visits with nodes in the scatter; ``progress`` wraps the search for them."""
        return visits

    def draw(self, visits: Visits, known: JitterPrior | None, frequency, rng):
        """Draw the scatter at each frequency: visits with it, and it, (frequency, instrument)."""
        return visits, np.empty((len(frequency), 0))

    def likely(self, visits: Visits, frequency: np.ndarray) -> Visits:
        """The visits with the likeliest scatter at each frequency."""
        return visits

    def fitted(self, visits: Visits, frequency: float) -> tuple[Visits, np.ndarray]:
        """The visits with the likeliest scatter at one frequency, and that, (instrument,)."""
        return visits, np.empty(0)

    def as_known(self, visits: Visits) -> Visits:
        """The visits with the known scatter; only where ``is_known``."""
        return visits

    def n_adjusted(self, count: int) -> int:
        """Number of scatters fitted to visits made with ``count`` instruments."""
        return 0

    # ---- starting points and PyMC

    def start(self, data, excess: np.ndarray) -> dict[str, np.ndarray]:
        """One draw to start from; ``excess`` is squared residuals minus squared errors."""
        return {}

    def initial(self, found) -> dict[str, float]:
        """Where the parameters of a population of scatters start, from the stars' scatters."""
        return {}

    def pymc(self, theta, initial) -> dict[str, Any]:
        """Scatters of several stars or instruments as PyMC variables."""
        return {}

    def pymc_errors(self, data, at_visits) -> Any:
        """The errors in PyMC; ``at_visits(name)`` returns a parameter's values at each visit."""
        return data.rv_error

    # ---- for a population of scatters

    def shares(self, jitters, theta) -> np.ndarray | None:
        """Shares of the population in the cells of all ``jitters``, shape (cell, theta)."""
        return None

    def mean_shares(self, theta) -> Callable | None:
        """A function of the ends of cells: the shares in them, averaged over ``theta``."""
        return None

    def of_star(self, summary: population_star.StarSummary, theta) -> tuple:
        """Shares of the population in a star's cells, and a function that draws within them."""
        return None, None


@dataclass(frozen=True)
class Jitter(NoScatter):
    """A scatter for each star and instrument, all with the same prior.

    Attributes
    ----------
    given : object
        The prior, or the value itself if it is known.
    dims : tuple of str
        Dimensions of the parameter.
    """

    given: Any
    dims: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (Parameter("jitter", KMS, "s", "scatter beyond the stated errors", self.dims),)

    @cached_property
    def prior(self) -> FrozenPrior:
        """The frozen prior of every scatter, in km/s."""
        prior = priors.as_prior(self.given)
        priors.check("jitter", prior, KMS)
        frozen = prior.frozen(KMS)
        if frozen.support()[0] < 0:
            raise priors.PriorError(
                f"jitter={self.given!r} allows values below zero; expected a prior on positive"
                " values, such as priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)"
            )
        return frozen

    @property
    def is_known(self) -> bool:
        return isinstance(priors.as_prior(self.given), priors.Fixed)

    def errors(self, data, values):
        return np.hypot(data.rv_error, data.at_visits(values["jitter"], self.dims))

    def log_prior(self, values):
        if not self.dims:  # it is one of the model's sampled parameters
            return 0.0
        return self.prior.logpdf(values["jitter"]).sum(axis=1)

    def simulate(self, data, theta, rng):
        if "jitter" in theta:
            return {}
        shape = len(theta["P"]), *data.shape(self.dims)
        return {"jitter": self.prior.rvs(shape, random_state=rng)}

    def named(self, data, values, lead=()):
        return {"jitter": values.reshape(*lead, *data.shape(self.dims))}

    def of_draws(self, data, drawn):
        values = np.moveaxis(np.array(drawn), 2, 0)
        return self.named(data, values, (len(values),))

    @property
    def is_common(self) -> bool:
        return "instrument" not in self.dims

    def numbers(self, instrument):
        return np.zeros_like(instrument) if self.is_common else instrument

    def known(self, count):
        return JitterPrior(1 if self.is_common else count, self.prior)

    def with_nodes(self, visits, known, period, progress):
        return known.with_nodes(visits, period, progress)

    def draw(self, visits, known, frequency, rng):
        s = known.draw(visits, frequency, rng)
        return visits.scattered(s), s.T

    def likely(self, visits, frequency):
        return visits.scattered(jitter.likely(visits, frequency))

    def fitted(self, visits, frequency):
        s = jitter.likely(visits, np.array([frequency]))[:, 0]
        return visits.scattered(s), s

    def as_known(self, visits):
        return visits.scattered(visits.jitter.values[0])

    def n_adjusted(self, count):
        return 0 if self.is_known else 1 if self.is_common else count

    def start(self, data, excess):
        number = self.numbers(data.instrument)
        variance = np.bincount(number, excess) / np.bincount(number)
        found = np.sqrt(np.maximum(variance, MIN_VARIANCE))
        return self.named(data, np.clip(found, *self.prior.ppf(BULK)), (1,))

    def pymc(self, theta, initial):
        if not self.dims:  # it is one of the model's sampled parameters
            return {}
        prior = priors.as_prior(self.given)
        return {"jitter": variables("jitter", prior, KMS, initial["jitter"], self.dims)}

    def pymc_errors(self, data, at_visits):
        import pymc as pm

        return pm.math.sqrt(data.rv_error**2 + at_visits("jitter") ** 2)


@dataclass(frozen=True)
class JitterPopulation(Jitter):
    """A scatter for each star and instrument, drawn from the population ``given``."""

    given: populations.Jitter
    layered = True

    @property
    def parts(self) -> tuple[populations.Jitter]:
        return (self.given,)

    @property
    def is_known(self) -> bool:
        return False

    @cached_property
    def prior(self) -> FrozenPrior:
        return loguniform(*self.given.range())

    def simulate(self, data, theta, rng):
        return {"jitter": self.given.draw(theta, data.shape(self.dims), rng)}

    def initial(self, found):
        return self.given.initial(found["jitter"])

    def pymc(self, theta, initial):
        start = initial["jitter"]
        return {"jitter": self.given.pymc(theta, dims=self.dims, initval=start)}

    def shares(self, jitters, theta):
        cells = [(jitter.low, jitter.high) for jitter in jitters]
        return self.given.shares(*map(np.concatenate, zip(*cells, strict=True)), theta)

    def mean_shares(self, theta):
        return lambda low, high: self.given.shares(low, high, theta).mean(axis=1)

    def of_star(self, summary, theta):
        def within(low, high, chance, which):
            chosen = {name: theta[name][which] for name in theta}
            return self.given.within(low, high, chance, chosen)

        return self.given.shares(summary.jitter.low, summary.jitter.high, theta), within


def as_scatter(given: Any, dims: tuple[str, ...]) -> NoScatter:
    """The scatter that a model's argument ``jitter`` stands for."""
    return NoScatter() if given is None else Jitter(given, dims)
