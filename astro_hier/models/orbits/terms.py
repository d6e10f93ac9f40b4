"""The linear terms of a velocity: amplitudes, systemic velocity, trend, offsets of instruments.

A model has a list of them. An option that is off has no term in it, or one without parameters, so
that what works on the list need not ask which are on. The linear parameters of a list are one for
each column of the design matrix, in its order; with normal priors they are integrated out in closed
form (`astro_hier.core.orbit`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.models.orbits.velocity import KMS, Circle
from astro_hier.posterior import Parameter
from astro_hier.priors import Prior

YEAR = u.yr.to(u.day)
TREND = 10.0  # km/s per year, per year squared, ...: standard deviation of the default priors
LARGEST_ORDER = 5


@dataclass(frozen=True)
class Linear:
    """The linear parameter of one column; ``label`` tells those of several instruments apart."""

    label: str
    unit: u.UnitBase
    prior: Prior

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.label.partition("[")[0]


@dataclass(frozen=True)
class Term:
    """Linear parameters of one kind.

    Attributes
    ----------
    parameters : tuple of Parameter
    priors : tuple of Prior
        One for each parameter.
    """

    parameters: tuple[Parameter, ...]
    priors: tuple[Prior, ...]

    at_visits_alone = False  # whether it says nothing of other times than the visits'

    def linear(self, instruments: np.ndarray) -> list[Linear]:
        """The parameters of all columns, given the labels of the instruments."""
        both = zip(self.parameters, self.priors, strict=True)
        return [Linear(parameter.name, parameter.unit, prior) for parameter, prior in both]

    def columns(self, time: np.ndarray, instrument: np.ndarray, count: int) -> np.ndarray:
        """Columns that do not depend on the orbit, that of v0 aside, shape (visit, column).

        ``time`` in d since the star's first visit, and number of the ``instrument``, of ``count``.
        """
        raise NotImplementedError

    def pieces(self, time: np.ndarray, value, math=np) -> Iterator[Any]:
        """What the term adds to the velocity, see `astro_hier.models.orbits.velocity`."""
        raise NotImplementedError

    def named(self, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """Values by name of the columns' parameters, which are the first axis of ``drawn``."""
        return dict(zip((p.name for p in self.parameters), drawn, strict=True))

    def stacked(self, values) -> list[np.ndarray]:
        """The inverse of ``named``: values of each column's parameter."""
        return [values[p.name] for p in self.parameters]

    def n_adjusted(self, count: int) -> int:
        """How many parameters were adjusted to visits made with ``count`` instruments."""
        return sum(not isinstance(prior, priors.Fixed) for prior in self.priors)

    def log_prior(self, values) -> np.ndarray | float:
        """ln of the prior density of what is not among the model's own sampled parameters."""
        return 0.0

    def simulate(self, size: int, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draws of what is not among the model's own sampled parameters."""
        return {}

    def pymc(self, initial) -> dict[str, Any]:
        """Those with dimensions, as PyMC variables."""
        both = zip(self.parameters, self.priors, strict=True)
        return {
            p.name: variables(p.name, prior, p.unit, initial[p.name], p.dims)
            for p, prior in both
            if p.dims
        }


@dataclass(frozen=True)
class Amplitudes(Term):
    """a and b, of the two columns of an ``orbit``, and v0; the core writes their columns itself."""

    orbit: Circle

    @classmethod
    def of(cls, orbit: Circle, a: Prior, b: Prior, v0: Prior) -> "Amplitudes":
        parameters = (
            Parameter("a", KMS, "a", "amplitude of the cosine", orbit.dims),
            Parameter("b", KMS, "b", "amplitude of the sine", orbit.dims),
            Parameter("v0", KMS, "v_0", "systemic velocity", orbit.dims),
        )
        return cls(parameters, tuple(priors.as_prior(prior) for prior in (a, b, v0)), orbit)

    def columns(self, time, instrument, count):
        return np.empty((len(time), 0))

    def pieces(self, time, value, math=np):
        cosine, sine = self.orbit.waves(time, value, math)
        yield value("a") * cosine + value("b") * sine + value("v0")


@dataclass(frozen=True)
class Trend(Term):
    """A polynomial in time without its constant; of order zero it has no parameters."""

    @classmethod
    def of(cls, trend, dims: tuple[str, ...]) -> "Trend":
        """From an order, or the priors of the coefficients."""
        of_each = _trend_priors(trend)
        parameters = tuple(
            Parameter(
                f"trend{k}", KMS / u.yr**k, rf"\dot v_{k}" if k > 1 else r"\dot v",
                f"coefficient of (t / yr)^{k}", dims,
            )
            for k in range(1, len(of_each) + 1)
        )  # fmt: skip
        return cls(parameters, of_each)

    def columns(self, time, instrument, count):
        return (time[:, None] / YEAR) ** np.arange(1, len(self.parameters) + 1)

    def pieces(self, time, value, math=np):
        for k, parameter in enumerate(self.parameters, start=1):
            yield value(parameter.name) * (time / YEAR) ** k


@dataclass(frozen=True)
class Offsets(Term):
    """Velocities of the instruments less that of the first, which are zero of the first."""

    at_visits_alone = True

    @classmethod
    def of(cls, offset: Prior, dims: tuple[str, ...]) -> "Offsets":
        about = "velocity of an instrument less that of the first"
        return cls(
            (Parameter("offset", KMS, r"\Delta v", about, dims),), (priors.as_prior(offset),)
        )

    def linear(self, instruments):
        return [Linear(f"offset[{of}]", KMS, self.priors[0]) for of in instruments[1:]]

    def columns(self, time, instrument, count):
        return (instrument[:, None] == np.arange(1, count)).astype(float)

    def pieces(self, time, value, math=np):
        yield value("offset")

    def named(self, drawn):
        first = np.zeros((1, *drawn.shape[1:]))
        return {"offset": np.moveaxis(np.concatenate([first, drawn]), 0, -1)}

    def stacked(self, values):
        return list(np.moveaxis(values["offset"], -1, 0)[1:])

    def n_adjusted(self, count):
        return (count - 1) * super().n_adjusted(count)

    def log_prior(self, values):
        prior = self.priors[0].frozen(KMS)
        return prior.logpdf(values["offset"][:, 1:]).sum(axis=1)

    def simulate(self, size, count, rng):
        offset = self.priors[0].frozen(KMS).rvs((size, count), random_state=rng)
        offset[:, 0] = 0
        return {"offset": offset}

    def pymc(self, initial):
        import pymc as pm
        import pytensor.tensor as pt

        (parameter,), start = self.parameters, initial["offset"][..., 1:]
        others = variables("offset_", self.priors[0], KMS, start)
        first = pt.zeros((*start.shape[:-1], 1))
        offset = pt.concatenate([first, others], axis=-1)
        return {"offset": pm.Deterministic("offset", offset, dims=parameter.dims)}


def _trend_priors(trend) -> tuple[Prior, ...]:
    if isinstance(trend, (int, np.integer)) and 0 <= trend <= LARGEST_ORDER:
        units = [KMS / u.yr**k for k in range(1, trend + 1)]
        return tuple(priors.Normal(0 * unit, TREND * unit) for unit in units)
    if isinstance(trend, (tuple, list)):
        return tuple(priors.as_prior(prior) for prior in trend)
    raise ValueError(
        f"trend={trend!r}; accepted is the order of a polynomial, 0 to {LARGEST_ORDER}, or"
        " a tuple of priors of its coefficients of t, t^2, ..., such as"
        " (priors.Normal(0 * u.km / u.s / u.yr, 1 * u.km / u.s / u.yr),)"
    )


# ---- of a list of terms


def linear(terms: Sequence[Term], instruments: np.ndarray) -> list[Linear]:
    """The linear parameters of all columns, in their order."""
    return [column for term in terms for column in term.linear(instruments)]


def not_normal(terms: Sequence[Term], instruments: np.ndarray) -> list[Linear]:
    """The linear parameters whose priors cannot be integrated out in closed form."""
    return [
        column
        for column in linear(terms, instruments)
        if not isinstance(column.prior, (priors.Normal, priors.Fixed))
    ]


def cannot_integrate(column: Linear) -> priors.PriorError:
    """The error that says so of one that is `not_normal`."""
    return priors.PriorError(
        f"{column.name}={column.prior!r}; accepted is priors.Normal, or the value itself, for it is"
        " integrated out in closed form (SB1Binary takes others with method='nuts')"
    )


def moments(terms: Sequence[Term], instruments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of the linear parameters, shape (column,) each.

    Raises
    ------
    astro_hier.priors.PriorError
        If a prior is not normal, and so cannot be integrated out.
    """
    columns = linear(terms, instruments)
    for column in columns:
        priors.check(column.name, column.prior, column.unit)
    for column in not_normal(terms, instruments):
        raise cannot_integrate(column)
    frozen = [column.prior.frozen(column.unit) for column in columns]
    return np.array([p.mean() for p in frozen]), np.array([p.std() for p in frozen])


def named(
    terms: Sequence[Term], instruments: np.ndarray, drawn: np.ndarray
) -> dict[str, np.ndarray]:
    """Values by name of the linear parameters, which are the first axis of ``drawn``."""
    ends = np.cumsum([len(term.linear(instruments)) for term in terms])
    values: dict[str, np.ndarray] = {}
    for term, of_term in zip(terms, np.split(drawn, ends[:-1]), strict=True):
        values |= term.named(of_term)
    return values


def variables(
    name: str,
    prior: Prior,
    unit: u.UnitBase,
    start: np.ndarray,
    dims: tuple[str, ...] | None = None,
) -> Any:
    """Independent variables of PyMC, all of one prior, in the shape of ``start``."""
    import pymc as pm
    import pytensor.tensor as pt

    if isinstance(prior, priors.Fixed):
        known = pt.zeros(start.shape) + prior.frozen(unit).mean()
        return pm.Deterministic(name, known, dims=dims)
    if isinstance(prior, priors.Normal):
        # as arrays, for PyTensor takes a plain 100.0 for a number of single precision
        mean, sd = (np.asarray(of) for of in (prior.frozen(unit).mean(), prior.frozen(unit).std()))
        return pm.Normal(name, mean, sd, shape=start.shape, dims=dims, initval=start)
    # others are of one number each
    each = [prior.pymc(f"{name}_{i}_", unit, x) for i, x in enumerate(np.ravel(start))]
    return pm.Deterministic(name, pt.stack(each).reshape(start.shape), dims=dims)
