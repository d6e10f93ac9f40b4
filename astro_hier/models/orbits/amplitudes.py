r"""The two amplitudes of an orbit and its systemic velocity, and their priors.

The velocity is linear in the amplitudes, which are a and b of a circle's cosine and sine, or
A = K cos omega and B = K sin omega of an ellipse's two columns. A circle's have either priors of
their own or, like an ellipse's, a common prior Normal(0, s), where s may depend on the period and
the eccentricity. Then K = sqrt(A^2 + B^2) is Rayleigh,

    p(K) = K / s^2 exp(-K^2 / 2 s^2),

and the angle omega is uniform.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import astropy.units as u
import numpy as np
from scipy.stats import norm, rayleigh

from astro_hier import priors
from astro_hier.models.orbits.ellipse import TURN
from astro_hier.models.orbits.terms import Linear, Term
from astro_hier.models.orbits.velocity import KMS, Circle
from astro_hier.posterior import Parameter
from astro_hier.priors import Prior

# the standard deviation s of both amplitudes [km/s], of periods in d and eccentricities
Scale = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Amplitudes(Term):
    """v0, and a and b of a circle's two columns; the core computes all three columns."""

    orbit: Circle

    @classmethod
    def of(cls, orbit: Circle, a: Prior, b: Prior, v0: Prior) -> "Amplitudes":
        """With priors of their own."""
        of_each = tuple(priors.as_prior(prior) for prior in (a, b, v0))
        return cls(_of_circle(orbit), of_each, orbit)

    @property
    def of_frequency(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """The prior's standard deviation of a and b [km/s] at frequencies [1/d], if it varies."""
        return None

    def columns(self, time, instrument, count):
        return np.empty((len(time), 0))

    def pieces(self, time, value, math=np):
        cosine, sine = self.orbit.waves(time, value, math)
        yield value("a") * cosine + value("b") * sine + value("v0")

    def without(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Values of an orbit without amplitude."""
        return {**values, "a": 0 * values["a"], "b": 0 * values["b"]}


@dataclass(frozen=True)
class ScaledAmplitudes(Amplitudes):
    """The same where a and b have a common prior, whose width depends on the period."""

    scale: Scale
    given: Any  # what the model's argument says of them

    @classmethod
    def scaled(cls, orbit: Circle, scale: Scale, given: Any, v0: Prior) -> Self:
        """With a common prior of a and b."""
        return cls(_of_circle(orbit), (None, None, priors.as_prior(v0)), orbit, scale, given)

    def over_scale(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """K over the scale of its Rayleigh prior."""
        return values["K"] / self.scale(values["P"], values.get("e", 0.0))

    @property
    def of_frequency(self):
        return self._scale_at

    def _scale_at(self, frequency):
        return self.scale(1 / frequency, 0.0)

    def log_prior(self, values):
        s = self.scale(values["P"], 0.0)
        return norm.logpdf(values["a"], 0, s) + norm.logpdf(values["b"], 0, s)

    def simulate(self, theta, data, rng):
        s = self.scale(theta["P"], 0.0)
        drawn = {name: rng.normal(0, s, theta["P"].shape) for name in ("a", "b")}
        return drawn | super().simulate(theta, data, rng)

    def pymc(self, values, data, initial):
        import pymc as pm

        s, dims = self.scale(values["P"], 0.0), self.orbit.dims or None
        both = {name: pm.Normal(name, 0, s, initval=initial[name], dims=dims) for name in "ab"}
        return both | super().pymc(values, data, initial)


@dataclass(frozen=True)
class Elements(ScaledAmplitudes):
    """v0, and K, omega and t_peri of an ellipse."""

    @classmethod
    def scaled(cls, orbit: Circle, scale: Scale, given: Any, v0: Prior) -> Self:
        dims = orbit.dims
        parameters = (
            Parameter("omega", u.rad, r"\omega", "argument of periastron of the star", dims,
                      turn=TURN),
            Parameter("t_peri", u.day, r"t_\mathrm{peri}",
                      "periastron passage nearest the visits' weighted mean time, from the first"
                      " visit", dims),
            Parameter("K", KMS, "K", "semi-amplitude", dims),
            Parameter("v0", KMS, "v_0", "systemic velocity", dims),
        )  # fmt: skip
        none = (None,) * 3
        return cls(parameters, (*none, priors.as_prior(v0)), orbit, scale, given)

    def linear(self, instruments):
        columns = zip(("A", "B"), (None, None), strict=True)
        return [*(Linear(name, KMS, prior) for name, prior in columns),
                Linear("v0", KMS, self.priors[-1])]  # fmt: skip

    def pieces(self, time, value, math=np):
        x, y = self.orbit.waves(time, value, math)
        omega = value("omega")
        yield value("K") * (math.cos(omega) * x + math.sin(omega) * y) + value("v0")

    def without(self, values):
        return {**values, "K": 0 * values["K"]}

    def named(self, drawn):
        A, B, v0 = drawn
        return {"omega": np.arctan2(B, A), "K": np.hypot(A, B), "v0": v0}

    def stacked(self, values):
        K, omega = values["K"], values["omega"]
        return [K * np.cos(omega), K * np.sin(omega), values["v0"]]

    def n_adjusted(self, count):
        return 3 + (not isinstance(self.priors[-1], priors.Fixed))

    def log_prior(self, values):
        """Of K, of omega and of t_peri, which is uniform within one period."""
        s = self.scale(values["P"], values["e"])
        return rayleigh.logpdf(values["K"], 0, s) - np.log(TURN * values["P"])

    def simulate(self, theta, data, rng):
        P, mean_time = theta["P"], self._mean_time(data)
        drawn = {
            "omega": rng.uniform(-np.pi, np.pi, P.shape),
            "K": rng.rayleigh(self.scale(P, theta["e"]), P.shape),
            "t_peri": mean_time - rng.uniform(-0.5, 0.5, P.shape) * P,
        }
        return drawn | Term.simulate(self, theta, data, rng)

    def pymc(self, values, data, initial):
        """Angles count from where the sampler starts, so that they seldom reach a cut."""
        import pymc as pm
        import pytensor.tensor as pt

        P, s, mean_time = values["P"], self.scale(values["P"], values["e"]), self._mean_time(data)
        omega, cycles = initial["omega"], (mean_time - initial["t_peri"]) / initial["P"]
        dims = self.orbit.dims or None
        along = pm.Normal("along_", 0, s, initval=initial["K"], dims=dims)
        across = pm.Normal("across_", 0, s, initval=0 * initial["K"], dims=dims)
        phase = cycles + pm.Uniform("phase_", -0.5, 0.5, initval=0 * cycles, dims=dims)
        found = {
            "omega": omega + pt.arctan2(across, along),
            "t_peri": mean_time - phase * P,
            "K": pm.math.sqrt(along**2 + across**2),
        }
        named = {name: pm.Deterministic(name, of, dims=dims) for name, of in found.items()}
        return named | Term.pymc(self, values, data, initial)

    def _mean_time(self, data):
        """The visits' weighted mean time, as each star's own parameters are shaped."""
        return data.mean_time.reshape(data.shape(self.orbit.dims))


def _of_circle(orbit):
    return (
        Parameter("a", KMS, "a", "amplitude of the cosine", orbit.dims),
        Parameter("b", KMS, "b", "amplitude of the sine", orbit.dims),
        Parameter("v0", KMS, "v_0", "systemic velocity", orbit.dims),
    )
