"""A pair of families as the distribution of two quantities."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from astro_hier.core.floats import Theta
from astro_hier.part import Part
from astro_hier.populations.of_quantity import OfQuantity
from astro_hier.populations.pair import Pair
from astro_hier.posterior import Parameter

__all__ = ["OfPair"]


@dataclass(frozen=True)
class OfPair(Part):
    """A pair of families as the distribution of two quantities.

    Attributes
    ----------
    pair : `~astro_hier.populations.Pair`
        How the quantities go together.
    each : tuple of OfQuantity
        The distribution of each, whatever the other, with parameters whose names end in its name.
    """

    pair: Pair
    each: tuple[OfQuantity, OfQuantity]

    def __post_init__(self):
        for of in self.each:
            for name in of.sampled:
                # models look for a parameter's prior in the attribute of its name
                vars(self)[name] = vars(of)[name]
        for parameter in self.pair.own:
            vars(self)[parameter.name] = getattr(self.pair, parameter.name)

    def with_prior(self, name: str, prior: Any) -> Pair:
        if name in vars(self.pair):
            return replace(self.pair, **{name: prior})  # type: ignore[type-var]
        raise ValueError(
            f"{name}: give it in Python, in the population's families: population={self.pair!r}"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the quantities."""
        return tuple(of.name for of in self.each)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.each[0].parameters, *self.each[1].parameters, *self.pair.own)

    @property
    def sampled(self) -> tuple[str, ...]:
        """Names of the parameters that have priors."""
        own = (parameter.name for parameter in self.pair.own)
        return (*self.each[0].sampled, *self.each[1].sampled, *own)

    @property
    def standard_normals(self) -> dict[str, int]:
        return self.each[0].standard_normals | self.each[1].standard_normals

    @property
    def coordinates(self) -> dict[str, np.ndarray]:
        """Labels of the dimensions of the parameters."""
        return self.each[0].coordinates | self.each[1].coordinates

    def marginal(self, number: int) -> OfQuantity:
        """The distribution of one of the quantities, whatever the other."""
        return self.each[number]

    def possible(self, x: np.ndarray) -> np.ndarray:
        """Which values (draw, quantity) the population may have, shape (draw,)."""
        return self.each[0].possible(x[:, 0]) & self.each[1].possible(x[:, 1])

    def log_slope(self, x: np.ndarray) -> float:
        """Zero: densities are those of the quantities themselves."""
        return 0.0

    @property
    def range_in_words(self) -> str:
        """Which values there may be."""
        return " and ".join(of.range_in_words for of in self.each)

    def log_density_of(self, x: np.ndarray, theta: Theta) -> np.ndarray:
        """ln of the density at values (draw, quantity), shape (theta, draw)."""
        possible = self.possible(x)
        inside = [
            np.where(possible, column, of.value(np.asarray(of.middle)))
            for of, column in zip(self.each, x.T, strict=True)
        ]
        y = [of.coordinate(column) for of, column in zip(self.each, inside, strict=True)]
        ends = [of.ends for of in self.each]
        found = self.pair.log_density(y[0], y[1], self._thetas(theta), ends)
        slope = sum(of.log_slope(column) for of, column in zip(self.each, inside, strict=True))
        return np.where(possible, found - slope, -np.inf)

    def _thetas(self, theta: Mapping) -> tuple[dict, dict, dict]:
        own = {p.name: theta[p.name] for p in self.pair.own}
        return self.each[0]._own(theta), self.each[1]._own(theta), own

    def draw(self, theta: Theta, size: int, rng: np.random.Generator) -> np.ndarray:
        """Values of ``size`` members for each theta, shape (theta, size, quantity)."""
        ends = [of.ends for of in self.each]
        drawn = self.pair.draw(self._thetas(theta), ends, size, rng)
        each = [of.value(y) for of, y in zip(self.each, drawn, strict=True)]
        return np.stack(each, axis=-1)

    def derive(self, theta: Theta) -> dict[str, Any]:
        """Parameters that follow from the sampled ones."""
        return self.each[0].derive(theta) | self.each[1].derive(theta)

    def initial(self, x: np.ndarray) -> dict[str, Any]:
        """A starting point from rough values of the objects, shape (object, quantity)."""
        x = x[self.possible(x)]
        y = [of.coordinate(column) for of, column in zip(self.each, x.T, strict=True)]
        each = [of.initial(column) for of, column in zip(self.each, x.T, strict=True)]
        return each[0] | each[1] | self.pair.initial(*y)
