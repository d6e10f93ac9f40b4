r"""The velocity of a star on an orbit, and what else adds to it.

    v(t) = a cos(2 pi t / P) + b sin(2 pi t / P) + v0 + sum_k trend_k (t / yr)^k + offset_i,

with t counted from the star's first visit and i the instrument of a visit. Trend and offsets are
optional. K = sqrt(a^2 + b^2) is the semi-amplitude.

All parameters except P enter linearly. They belong to a list of `astro_hier.models.orbits.terms`;
the two columns of a and b, which depend on P, are those of an orbit, `Circle`. For eccentric orbits
see `astro_hier.models.orbits.ellipse`.

The same formulas serve draws, in NumPy, and PyMC variables: they take ``value``, a function from
a parameter's name to its values, which broadcast against the times, and ``math``, the module that
provides cosine and sine.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from types import ModuleType
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.posterior import Parameter

KMS = u.km / u.s

Value = Callable[[str], Any]  # from a parameter's name to its values


@dataclass(frozen=True)
class Circle:
    """A circular orbit.

    Attributes
    ----------
    dims : tuple of str
        Dimensions of each star's own parameters.
    """

    dims: tuple[str, ...] = ()
    phase_label = "phase, time since first visit / {P}"
    phases = 0.0, 1.0  # of a figure
    range_label = r"$v_0 \pm K$"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters that shape the columns of a and b."""
        return (Parameter("P", u.day, "P", "period", self.dims),)

    @property
    def derived(self) -> tuple[Parameter, ...]:
        """Parameters that follow from the others."""
        return (Parameter("K", KMS, "K", "semi-amplitude", self.dims),)

    def waves(self, time: np.ndarray, value: Value, math: ModuleType = np) -> tuple[Any, Any]:
        """The columns of a and b at times in d."""
        phase = 2 * np.pi * time / value("P")
        return math.cos(phase), math.sin(phase)

    def derive(self, theta: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The derived parameters, if ``theta`` has what they follow from."""
        return {"K": np.hypot(theta["a"], theta["b"])} if "a" in theta else {}

    def pymc(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same as PyMC variables."""
        import pymc as pm

        K = pm.math.sqrt(values["a"] ** 2 + values["b"] ** 2)
        return {"K": pm.Deterministic("K", K, dims=self.dims or None)}

    def phase(self, time: np.ndarray, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Phases, within ``phases``, of times in d on one orbit."""
        return time / values["P"] % 1

    def elements(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """e, omega [rad], and passages t_peri and t_conj [d], NaN where they are not defined.

        t_conj is the conjunction with the companion in front of the star: the velocity falls
        through v0, a quarter of a period after its maximum.
        """
        none = np.full_like(values["P"], np.nan)
        maximum = np.arctan2(values["b"], values["a"]) / (2 * np.pi)
        t_conj = values["P"] * (maximum + 0.25)
        return {"e": 0 * values["P"], "omega": none, "t_peri": none, "t_conj": t_conj}

    def times(
        self, first: float, last: float, values: Mapping[str, np.ndarray], per_cycle: int
    ) -> np.ndarray:
        """Times between which the curve of each draw is nearly straight, shape (draw, time)."""
        count = int(per_cycle * (last - first) / values["P"].min()) + 2
        return np.tile(np.linspace(first, last, count), (len(values["P"]), 1))

    def extremes(self, values: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Least and largest velocity on the orbit, relative to v0 [km/s]."""
        return -values["K"], values["K"]

    def folded(
        self, values: Mapping[str, np.ndarray], best: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Orbits as functions of the phase, each of its own period, with the zero of the best."""
        return {**values, "P": np.ones_like(values["P"])}


def total(
    terms: Iterable[Any], time: np.ndarray, value: Value, math: ModuleType = np
) -> np.ndarray:
    """The velocity [km/s] of all ``terms`` together."""
    return reduce(add, (piece for term in terms for piece in term.pieces(time, value, math)))
