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

    phase_label = "phase, time since periastron / {P}"
    phases = -0.5, 0.5  # periastron, near which velocities change fastest, in the middle
    range_label = r"$v_0 + K (e \cos\omega \pm 1)$"

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
        return ((time - values["t_peri"]) / values["P"] + 0.5) % 1 - 0.5

    def elements(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """At the conjunction nu + omega = pi / 2."""
        P, e, omega, t_peri = (values[name] for name in ("P", "e", "omega", "t_peri"))
        half = 0.5 * (0.5 * np.pi - omega)
        E = 2 * np.arctan2(np.sqrt(1 - e) * np.sin(half), np.sqrt(1 + e) * np.cos(half))
        t_conj = t_peri + P * (E - e * np.sin(E)) / TURN
        defined = {"omega": omega, "t_peri": t_peri}
        defined = {name: np.where(e > 0, of, np.nan) for name, of in defined.items()}
        return {"e": e, "t_conj": t_conj, **defined}

    def times(
        self, first: float, last: float, values: Mapping[str, np.ndarray], per_cycle: int
    ) -> np.ndarray:
        """Evenly spaced in E, which brings them close together near periastron.

        The velocity runs from one extreme to the other within 2 arccos(e) of E at the least.
        """
        P, e, t_peri = (values[name][:, None] for name in ("P", "e", "t_peri"))
        ends = _eccentric_anomaly((np.array([first, last]) - t_peri) / P, e)
        most = np.max(np.ptp(ends, axis=1) / np.sqrt(1 - e[:, 0])) / TURN
        E = np.linspace(ends[:, 0], ends[:, 1], int(per_cycle * most) + 2, axis=1)
        return t_peri + P * (E - e * np.sin(E)) / TURN

    def extremes(self, values: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        K, middle = values["K"], values["K"] * values["e"] * np.cos(values["omega"])
        return middle - K, middle + K

    def folded(
        self, values: Mapping[str, np.ndarray], best: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Not each from its own periastron, which the visits of a nearly round orbit leave open."""
        P, since = values["P"], values["t_peri"] - best["t_peri"]
        return {**values, "P": np.ones_like(P), "t_peri": since / P}


def nearest_passage(t_peri: np.ndarray, P: np.ndarray, time: np.ndarray | float) -> np.ndarray:
    """The periastron passage nearest to a time, given any passage and the period; broadcasts."""
    return t_peri - P * np.rint((t_peri - time) / P)


def unbroken(angle: np.ndarray) -> np.ndarray:
    """Draws of an angle [rad] within pi of their circular mean, so that no cut divides them.

    The draws are the first axis of ``angle``, and each of its further elements has its own mean.
    """
    mean = np.angle(np.mean(np.exp(1j * angle), axis=0))
    return angle - TURN * np.rint((angle - mean) / TURN)


def _eccentric_anomaly(cycles, e):
    """E [rad], which goes on growing from one cycle to the next."""
    cosine, sine = kepler.solve(cycles, e, True, *kepler.tables())
    return TURN * np.floor(cycles + 0.5) + np.arctan2(sine, cosine)


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
