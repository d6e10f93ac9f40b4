"""An eccentric orbit: the shape of its velocity, for draws and for PyMC.

    v(t) = K [cos(nu(t) + omega) + e cos omega] + v0 = A X(t) + B Y(t) + v0,

with A = K cos omega and B = K sin omega; see `astro_hier.core.kepler` for X and Y. In PyMC Kepler's
equation is solved without iteration (Markley 1995, Celest. Mech. Dyn. Astron. 63, 101), and then by
one of Newton's steps, E + (M - E + e sin E) / (1 - e cos E) with E held constant, which also has
the derivatives of the solution, 1 / (1 - e cos E) and sin E / (1 - e cos E).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.core import kepler
from astro_hier.models.orbits.velocity import Circle, Value
from astro_hier.posterior import Parameter

TURN = 2 * np.pi


@dataclass(frozen=True)
class Ellipse(Circle):
    """An eccentric orbit, whose two columns are X and Y."""

    phase_label = "phase, time since periastron / {P:.7g} d"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        shape = Parameter("e", u.one, "e", "eccentricity", self.dims, bounds=(0.0, 1.0))
        return (*super().parameters, shape)

    @property
    def derived(self) -> tuple[Parameter, ...]:
        return ()

    def waves(self, time: np.ndarray, value: Value, math: ModuleType = np) -> tuple[Any, Any]:
        cycles, e = (time - value("t_peri")) / value("P"), value("e")
        return kepler.shapes(cycles, e) if math is np else _symbolic_shapes(cycles, e)

    def derive(self, theta: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {}

    def pymc(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def phase(self, time: np.ndarray, values: Mapping[str, np.ndarray]) -> np.ndarray:
        return (time - values["t_peri"]) / values["P"] % 1

    def folded(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        ones = np.ones_like(values["P"])
        return {**values, "P": ones, "t_peri": 0 * ones}


def nearest_passage(t_peri: np.ndarray, P: np.ndarray, time: float) -> np.ndarray:
    """The periastron passage nearest to a time, given any passage and the period."""
    return t_peri - P * np.rint((t_peri - time) / P)


def unbroken(angle: np.ndarray) -> np.ndarray:
    """Draws of an angle [rad] within pi of their circular mean, so that no cut divides them."""
    mean = np.angle(np.mean(np.exp(1j * angle)))
    return angle - TURN * np.rint((angle - mean) / TURN)


def _symbolic_shapes(cycles, e):
    """X and Y as PyTensor variables."""
    import pytensor.tensor as pt
    from pytensor.gradient import disconnected_grad

    cycles, e = pt.as_tensor(cycles), pt.as_tensor(e)
    mean = TURN * (cycles - pt.floor(cycles + 0.5))
    E = disconnected_grad(pt.sign(mean) * _anomaly(abs(mean), e))
    E = E + (mean - E + e * pt.sin(E)) / (1 - disconnected_grad(e) * pt.cos(E))
    cosine, sine = pt.cos(E), pt.sin(E)
    ratio, square = 1 / (1 - e * cosine), 1 - e**2
    return square * cosine * ratio, -pt.sqrt(square) * sine * ratio


def _anomaly(M, e):
    """The eccentric anomaly at mean anomalies from 0 to pi, by Markley's cubic and one step."""
    import pytensor.tensor as pt

    alpha = (3 * np.pi**2 + 1.6 * np.pi * (np.pi - M) / (1 + e)) / (np.pi**2 - 6)
    d = 3 * (1 - e) + alpha * e
    r = 3 * alpha * d * (d - 1 + e) * M + M**3
    q = 2 * alpha * d * (1 - e) - M**2
    w = (abs(r) + pt.sqrt(q**3 + r**2)) ** (2 / 3)
    E = (2 * r * w / (w**2 + w * q + q**2) + M) / d
    sine, cosine = e * pt.sin(E), e * pt.cos(E)
    miss, slope = E - sine - M, 1 - cosine
    step = -miss / (slope - 0.5 * miss * sine / slope)
    step = -miss / (slope + 0.5 * step * sine + step**2 * cosine / 6)
    return E + step
