"""What the models of orbits share: their linear parameters, extra scatter, and reading of visits.

Likelihood
    rv_j ~ Normal(a cos(2 pi t_j / P) + b sin(2 pi t_j / P) + v0 + sum_k trend_k (t_j / yr)^k
    + offset_i, sqrt(rv_error_j^2 + jitter_i^2)), with t_j counted from the star's first visit and i
    the instrument of visit j. Trend, offset and jitter are there if they are asked for.

All but P and jitter enter linearly, and are integrated out in closed form with normal priors.
"""

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core import orbit
from astro_hier.core.jitter import JitterPrior
from astro_hier.model import HierarchicalModel
from astro_hier.part import Option
from astro_hier.posterior import Parameter
from astro_hier.table import Role

KMS = u.km / u.s
AMPLITUDES = ("a", "b", "v0")
TREND = 10.0  # km/s per year, per year squared, ...: standard deviation of the default priors
LARGEST_ORDER = 5
DAYS = u.yr.to(u.day)


class OrbitModel(HierarchicalModel):
    """Base of models of radial velocities; a subclass says whose orbits they are.

    ``of_each`` are the dimensions of what each star has of its own.
    """

    row = "visit"
    of_each = ()
    roles_of_options = ("instrument",)
    options = (
        Option("jitter", takes_prior=True),
        Option("trend", "1"),
        Option("instrument", "COLUMN"),
        Option("offset", takes_prior=True),
    )

    def __init__(self, *, a, b, v0, jitter, trend, instrument, offset, columns, on_invalid):
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.a = a
        self.b = b
        self.v0 = v0
        self.jitter = jitter
        self.trend = trend
        self.instrument = instrument
        self.offset = offset

    @property
    def roles(self):
        found = [
            Role("time", u.day, is_time=True),
            Role("rv", KMS, observed=True),
            Role("rv_error", KMS, positive=True),
            Role("star", None, required=bool(self.of_each)),
        ]
        if self.instrument is not None:
            if not isinstance(self.instrument, str):
                raise ValueError(
                    f"instrument={self.instrument!r}; accepted is the name of a column that says"
                    " with which instrument each velocity was measured"
                )
            found.append(Role("instrument", None, column=self.instrument))
        return tuple(found)

    # ---- parameters

    def _extra_parameters(self):
        """Those of the options that are on."""
        found = [
            Parameter(
                f"trend{k}", KMS / u.yr**k, rf"\dot v_{k}" if k > 1 else r"\dot v",
                f"coefficient of (t / yr)^{k}", self.of_each,
            )
            for k in range(1, len(self._trend()) + 1)
        ]  # fmt: skip
        by_instrument = (*self.of_each, *(("instrument",) if self.instrument else ()))
        if self.instrument:
            about = "velocity of an instrument less that of the first"
            found.append(Parameter("offset", KMS, r"\Delta v", about, by_instrument))
        if self.jitter is not None:
            about = "scatter beyond the stated errors"
            found.append(Parameter("jitter", KMS, "s", about, by_instrument))
        return tuple(found)

    def _trend(self):
        """Priors of the trend's coefficients."""
        if isinstance(self.trend, (int, np.integer)) and 0 <= self.trend <= LARGEST_ORDER:
            units = [KMS / u.yr**k for k in range(1, self.trend + 1)]
            return tuple(priors.Normal(0 * unit, TREND * unit) for unit in units)
        if isinstance(self.trend, (tuple, list)):
            return tuple(priors.as_prior(prior) for prior in self.trend)
        raise ValueError(
            f"trend={self.trend!r}; accepted is the order of a polynomial, 0 to {LARGEST_ORDER}, or"
            " a tuple of priors of its coefficients of t, t^2, ..., such as"
            " (priors.Normal(0 * u.km / u.s / u.yr, 1 * u.km / u.s / u.yr),)"
        )

    def owner(self, name):
        return self if name.startswith("trend") else super().owner(name)

    def prior_of(self, name):
        if name.startswith("trend"):
            return self._trend()[int(name.removeprefix("trend")) - 1]
        return super().prior_of(name)

    def _linear_names(self):
        return [*AMPLITUDES, *(f"trend{k}" for k in range(1, len(self._trend()) + 1))]

    def _is_linear(self):
        """Whether all priors of linear parameters are such as can be integrated out."""
        names = [*self._linear_names(), *(["offset"] if self.instrument else [])]
        given = [self.prior_of(name) for name in names]
        return all(isinstance(prior, (priors.Normal, priors.Fixed)) for prior in given)

    def _linear_priors(self, data):
        """Means and standard deviations of a, b, v0, trend and offsets but the first."""
        units = [*[KMS] * 3, *(KMS / u.yr**k for k in range(1, len(self._trend()) + 1))]
        names = self._linear_names()
        if self.instrument:
            names += ["offset"] * (len(data["instruments"]) - 1)
            units += [KMS] * (len(data["instruments"]) - 1)
        frozen = []
        for name, unit in zip(names, units, strict=True):
            prior = self.prior_of(name)
            priors.check(name, prior, unit)
            if not isinstance(prior, (priors.Normal, priors.Fixed)):
                raise priors.PriorError(
                    f"{name}={prior!r}; accepted is priors.Normal, or the value itself, for it is"
                    " integrated out in closed form (SB1Binary takes others with method='nuts')"
                )
            frozen.append(prior.frozen(unit))
        return np.array([p.mean() for p in frozen]), np.array([p.std() for p in frozen])

    def _jitter_prior(self):
        """The prior of every scatter in km/s, or None."""
        if self.jitter is None:
            return None
        prior = priors.as_prior(self.jitter)
        priors.check("jitter", prior, KMS)
        frozen = prior.frozen(KMS)
        if frozen.support()[0] < 0:
            raise priors.PriorError(
                f"jitter={self.jitter!r} allows values below zero; accepted are priors of positive"
                " values, such as priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)"
            )
        return frozen

    # ---- data

    def _with_instruments(self, rows):
        """The rows with the instruments' labels, and the number of that of each visit."""
        data = dict(rows) | {"epoch": rows.epoch}
        if not self.instrument:
            number = np.zeros(len(data["rv"]), int)
            return data | {"instruments": np.array([""]), "instrument_index": number}
        labels, number = np.unique(data["instrument"], return_inverse=True)
        return data | {"instruments": labels, "instrument_index": number}

    def coordinates(self, data):
        return {"instrument": data["instruments"]} if self.instrument else {}

    def _visits_of(self, data, rows, linear):
        """Some of the visits, with the priors of the linear parameters, as the core takes them."""
        time = data["time"][rows] - data["time"][rows].min()
        order = len(self._trend())
        number = data["instrument_index"][rows]
        columns = np.hstack(
            [
                (time[:, None] / DAYS) ** np.arange(1, order + 1),
                number[:, None] == np.arange(1, len(data["instruments"])),
            ]
        )
        measured = data["rv"][rows], data["rv_error"][rows]
        return orbit.Visits(time, *measured, *linear, columns, number)

    def _known_jitter(self, data):
        """What is known of the scatter of the velocities, or None."""
        prior = self._jitter_prior()
        return None if prior is None else JitterPrior(len(data["instruments"]), prior)

    def _n_adjusted(self, data, rows):
        """How many parameters besides the period were adjusted to some of the visits."""
        n_instruments = len(np.unique(data["instrument_index"][rows]))
        given = [(self.prior_of(name), 1) for name in self._linear_names()]
        given.append((self.prior_of("offset"), n_instruments - 1))
        if self.jitter is not None:
            given.append((priors.as_prior(self.jitter), n_instruments))
        return sum(count for prior, count in given if not isinstance(prior, priors.Fixed))

    def _named_linear(self, drawn):
        """Draws of the linear parameters, the first axis, by name."""
        names = self._linear_names()
        values = dict(zip(names, drawn, strict=False))
        if self.instrument:
            first = np.zeros_like(drawn[:1])
            values["offset"] = np.moveaxis(np.concatenate([first, drawn[len(names) :]]), 0, -1)
        return values

    def _velocity_at(self, time, values):
        """Velocities in the frame of the first instrument; values broadcast against ``time``."""
        velocity = orbit.radial_velocity(time, *(values[name] for name in ("P", *AMPLITUDES)))
        for k in range(1, len(self._trend()) + 1):
            velocity = velocity + values[f"trend{k}"] * (time / DAYS) ** k
        return velocity

    def derive(self, theta):
        return {"K": np.hypot(theta["a"], theta["b"])} if "a" in theta else {}
