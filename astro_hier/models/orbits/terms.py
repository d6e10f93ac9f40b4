"""The linear terms of a velocity: what all have in common, trends, and instrument offsets.

A model has a list of them. An option that is off has no term in the list, or one without
parameters, so that code that works on the list need not ask which options are on. The list has one
linear parameter for each column of the design matrix, in the order of the columns; with normal
priors they are integrated out in closed form (`astro_hier.core.orbit`). The first term is that of
the orbit itself (`astro_hier.models.orbits.amplitudes`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.annotations import PriorLike
from astro_hier.models.orbits.velocity import KMS
from astro_hier.posterior import Parameter
from astro_hier.priors import Prior

YEAR = u.yr.to(u.day)
TREND = 10.0  # standard deviation of the default priors, in km/s/yr, km/s/yr^2, ...
MAX_ORDER = 5


@dataclass(frozen=True)
class Linear:
    """The linear parameter of one column; ``label`` also names the instrument if it has one.

    Without a ``prior`` it is an amplitude whose prior depends on the orbit.
    """

    label: str
    unit: u.UnitBase
    prior: Prior | None

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
    priors: tuple[Prior | None, ...]

    at_visits_alone = False  # whether the term is undefined at times other than the visits'

    def linear(self, instruments: np.ndarray) -> list[Linear]:
        """The parameter of each column, given the labels of the instruments."""
        both = zip(self.parameters, self.priors, strict=True)
        return [Linear(parameter.name, parameter.unit, prior) for parameter, prior in both]

    def columns(self, time: np.ndarray, instrument: np.ndarray, count: int) -> np.ndarray:
        """Columns that do not depend on the orbit, except that of v0, shape (visit, column).

        ``time`` is in d since the star's first visit, and ``instrument`` is the number of each
        visit's instrument, out of ``count``.
        """
        raise NotImplementedError

    def pieces(self, time: np.ndarray, value, math=np) -> Iterator[Any]:
        """What the term adds to the velocity; see `astro_hier.models.orbits.velocity`."""
        raise NotImplementedError

    def named(self, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """Values by parameter, from ``drawn``, whose first axis is that of the columns."""
        return dict(zip((p.name for p in self.parameters), drawn, strict=True))

    def stacked(self, values) -> list[np.ndarray]:
        """Values by column: the inverse of ``named``."""
        return [values[p.name] for p in self.parameters]

    def n_adjusted(self, count: int) -> int:
        """Number of parameters fitted to visits made with ``count`` instruments."""
        return sum(not isinstance(prior, priors.Fixed) for prior in self.priors)

    def log_prior(self, values) -> np.ndarray | float:
        """For one star, ln of the prior density of parameters that are not sampled ones."""
        return 0.0

    def simulate(self, theta, data, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Prior draws of the parameters that ``theta`` lacks, shape (draw, ...) by name.

        For one star these are those that are not among the model's sampled ones, and for a sample
        all of them, shape (draw, star) or, of the offsets, (draw, star, instrument). ``theta`` has
        what shapes the orbit, P and for an ellipse e, of shape (draw,) or (draw, star).
        """
        both = zip(self.parameters, self.priors, strict=True)
        return {
            p.name: _draws(prior, p, theta, data, rng)
            for p, prior in both
            if prior is not None and p.name not in theta
        }

    def pymc(self, values, data, initial) -> dict[str, Any]:
        """The parameters that are not among the model's sampled ones, as PyMC variables."""
        both = zip(self.parameters, self.priors, strict=True)
        return {
            p.name: variables(p.name, prior, p.unit, initial[p.name], p.dims)
            for p, prior in both
            if p.dims and prior is not None
        }


@dataclass(frozen=True)
class Trend(Term):
    """A polynomial in time without the constant term; of order zero, it has no parameters."""

    priors: tuple[Prior, ...]

    @classmethod
    def of(cls, trend, dims: tuple[str, ...]) -> "Trend":
        """From an order, or from the priors of the coefficients."""
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
    """Velocity offsets of the instruments from the first one, whose own offset is zero."""

    at_visits_alone = True

    @classmethod
    def of(cls, offset: PriorLike, dims: tuple[str, ...]) -> "Offsets":
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

    def simulate(self, theta, data, rng):
        offset = _draws(self.priors[0], self.parameters[0], theta, data, rng)
        offset[..., 0] = 0
        return {"offset": offset}

    def pymc(self, values, data, initial):
        import pymc as pm
        import pytensor.tensor as pt

        (parameter,), start = self.parameters, initial["offset"][..., 1:]
        others = variables("offset_", self.priors[0], KMS, start)
        first = pt.zeros((*start.shape[:-1], 1))
        offset = pt.concatenate([first, others], axis=-1)
        return {"offset": pm.Deterministic("offset", offset, dims=parameter.dims)}


def _draws(prior: Prior, parameter: Parameter, theta, data, rng) -> np.ndarray:
    """As many independent draws of a parameter as ``theta`` has, in the shape of its dims."""
    size = len(theta["P"]), *data.shape(parameter.dims)
    return prior.frozen(parameter.unit).rvs(size, random_state=rng)


def _trend_priors(trend) -> tuple[Prior, ...]:
    if isinstance(trend, (int, np.integer)) and 0 <= trend <= MAX_ORDER:
        units = [KMS / u.yr**k for k in range(1, trend + 1)]
        return tuple(priors.Normal(0 * unit, TREND * unit) for unit in units)
    if isinstance(trend, (tuple, list)):
        return tuple(priors.as_prior(prior) for prior in trend)
    raise ValueError(
        f"trend={trend!r}; expected the order of a polynomial, 0 to {MAX_ORDER}, or a tuple of"
        " priors on its coefficients of t, t^2, ..., such as"
        " (priors.Normal(0 * u.km / u.s / u.yr, 1 * u.km / u.s / u.yr),)"
    )


# ---- for a list of terms


def linear(terms: Sequence[Term], instruments: np.ndarray) -> list[Linear]:
    """The linear parameter of each column, in order."""
    return [column for term in terms for column in term.linear(instruments)]


def not_normal(terms: Sequence[Term], instruments: np.ndarray) -> list[Linear]:
    """The linear parameters whose priors cannot be integrated out in closed form."""
    return [
        column
        for column in linear(terms, instruments)
        if not isinstance(column.prior, (priors.Normal, priors.Fixed, type(None)))
    ]


def cannot_integrate(column: Linear) -> priors.PriorError:
    """The error for a linear parameter that is `not_normal`."""
    return priors.PriorError(
        f"{column.name}={column.prior!r}; expected priors.Normal, or the value itself, because"
        f" {column.name} is integrated out in closed form (SB1Binary takes other priors with"
        " method='nuts')"
    )


def moments(terms: Sequence[Term], instruments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of the linear parameters, shape (column,) each.

    They are 0 and 1 for amplitudes whose prior depends on the orbit.

    Raises
    ------
    astro_hier.priors.PriorError
        If a prior is not normal, so that the parameter cannot be integrated out.
    """
    columns = linear(terms, instruments)
    for column in columns:
        if column.prior is not None:
            priors.check(column.name, column.prior, column.unit)
    for column in not_normal(terms, instruments):
        raise cannot_integrate(column)
    return approximate_moments(columns)


def approximate_moments(columns: Sequence[Linear]) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of columns, exact where their priors are normal."""
    none = priors.Normal(0 * KMS, 1 * KMS)
    frozen = [(column.prior or none).frozen(column.unit) for column in columns]
    return np.array([p.mean() for p in frozen]), np.array([p.std() for p in frozen])


def named(
    terms: Sequence[Term], instruments: np.ndarray, drawn: np.ndarray
) -> dict[str, np.ndarray]:
    """Values by parameter, from ``drawn``, whose first axis is that of the columns."""
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
    """Independent PyMC variables that share one prior, in the shape of ``start``."""
    import pymc as pm
    import pytensor.tensor as pt

    if isinstance(prior, priors.Fixed):
        known = pt.zeros(start.shape) + prior.frozen(unit).mean()
        return pm.Deterministic(name, known, dims=dims)
    if isinstance(prior, priors.Normal):
        # as arrays, because PyTensor takes a plain 100.0 as single precision
        mean, sd = (np.asarray(of) for of in (prior.frozen(unit).mean(), prior.frozen(unit).std()))
        return pm.Normal(name, mean, sd, shape=start.shape, dims=dims, initval=start)
    # other priors build one scalar variable at a time
    each = [prior.pymc(f"{name}_{i}_", unit, x) for i, x in enumerate(np.ravel(start))]
    return pm.Deterministic(name, pt.stack(each).reshape(start.shape), dims=dims)
