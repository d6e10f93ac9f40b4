"""What injected orbits are drawn from, their elements and their velocities.

Periods are in d, velocities in km/s and angles in rad.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core import kepler
from astro_hier.models.orbits import shape
from astro_hier.priors.base import FrozenPrior

KMS = u.km / u.s
LARGEST = 0.999  # eccentricity
LEAST = 1e-12  # eccentricity of an orbit that is not a circle


@dataclass(frozen=True, eq=False)
class Orbits:
    """Orbits by their elements, and what they were drawn from, each of shape (orbit,).

    Attributes
    ----------
    P, e, K, omega, phase, v0 : ndarray
        In d, km/s and rad; ``phase`` is that of a star's first visit after periastron [cycles].
    jitter : ndarray
        Scatter of the velocities [km/s].
    density : ndarray
        Of ln P and, unless e is zero, of e.
    """

    P: np.ndarray
    e: np.ndarray
    K: np.ndarray
    omega: np.ndarray
    phase: np.ndarray
    v0: np.ndarray
    jitter: np.ndarray
    density: np.ndarray

    def velocities(self, numbers: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Of the orbits with these ``numbers`` at times in d since the first visit."""
        P, e, K, omega, phase, v0 = (
            of[numbers] for of in (self.P, self.e, self.K, self.omega, self.phase, self.v0)
        )
        return v0 + kepler.velocity(time, P, e, -phase * P, K, omega)


@dataclass(frozen=True)
class Proposal:
    """What orbits are drawn from: frozen priors, in d and km/s.

    Attributes
    ----------
    log_ends : tuple of float
        ln of the shortest and longest period.
    eccentricity : FrozenPrior or None
    circular : float
        Share of circles.
    scale : callable
        The scale of K, of period and eccentricity.
    v0, jitter : FrozenPrior
    """

    log_ends: tuple[float, float]
    eccentricity: FrozenPrior | None
    circular: float
    scale: Callable[[np.ndarray, np.ndarray], np.ndarray]
    v0: FrozenPrior
    jitter: FrozenPrior

    @classmethod
    def of(
        cls, period_range: Any, eccentricity: Any, circular: Any, amplitude: Any, v0: Any,
        jitter: Any,
    ) -> Self:  # fmt: skip
        """From the arguments of `make_injections`, with their checks."""
        v0, jitter = (priors.as_prior(given) for given in (v0, jitter))
        priors.check("v0", v0, KMS)
        priors.check("jitter", jitter, KMS, low=0.0)
        of_e = _eccentricity(eccentricity)
        return cls(
            tuple(np.log(shape.period_range(period_range)).tolist()),
            of_e,
            _share_of_circles(circular, of_e),
            shape.scale_of(amplitude),
            v0.frozen(KMS),
            jitter.frozen(KMS),
        )

    def draw(self, n: int, rng: np.random.Generator) -> Orbits:
        """``n`` orbits."""
        low, high = self.log_ends
        P = np.exp(rng.uniform(low, high, n))
        e, density = np.zeros(n), np.full(n, self.circular)
        if self.eccentricity is not None:
            drawn = rng.random(n) >= self.circular
            inside = self.eccentricity.cdf(LARGEST)
            e[drawn] = self.eccentricity.ppf(rng.random(drawn.sum()) * inside)
            e[drawn] = np.clip(e[drawn], LEAST, LARGEST)
            of_e = np.exp(self.eccentricity.logpdf(e[drawn])) / inside
            density[drawn] = (1 - self.circular) * of_e
        K = rng.rayleigh(self.scale(P, e))
        omega, phase = rng.uniform(-np.pi, np.pi, n), rng.random(n)
        v0, jitter = (np.asarray(of.ppf(rng.random(n))) for of in (self.v0, self.jitter))
        return Orbits(P, e, K, omega, phase, v0, jitter, density / (high - low))


def _eccentricity(given):
    """The frozen prior of the eccentricity; None for circles."""
    if given is None:
        return None
    prior = priors.as_prior(given)
    if not isinstance(prior, priors.Prior) or isinstance(prior, priors.Fixed):
        raise priors.PriorError(
            f"eccentricity={given!r}; expected None for circles, or a prior to draw from, such as"
            " priors.Uniform(0, 0.95)"
        )
    priors.check("eccentricity", prior, u.one, 0.0, 1.0)
    frozen = prior.frozen(u.one)
    if not frozen.support()[0] < LARGEST:
        raise priors.PriorError(f"eccentricity={given!r}; expected values below {LARGEST}")
    return frozen


def _share_of_circles(given, eccentricity):
    """The share of circles: all of them if there is no prior of the eccentricity."""
    if isinstance(given, bool) or not (np.isscalar(given) and 0 <= given < 1):
        raise ValueError(f"circular={given!r}; expected a share of at least 0 and less than 1")
    return 1.0 if eccentricity is None else float(given)
