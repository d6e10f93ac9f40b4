"""A family as the distribution of any quantity: a mass, a redshift, an effective spin.

A family describes a plain number y. For a quantity x that has a unit, y is x in that unit, or its
logarithm for families that are of ln x, and those parameters of the family that lie on the same
axis as x have its unit. For two quantities, the names of the parameters end in that of theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import astropy.units as u
import numpy as np

from astro_hier.core.floats import Theta
from astro_hier.core.grid import SCALES, Axis
from astro_hier.core.shares import Likelihood
from astro_hier.part import Part
from astro_hier.populations.binned import Binned
from astro_hier.populations.eccentricity import BOUND, Eccentricity
from astro_hier.populations.eccentricity_families import Beta
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.populations.power_law import PowerLaw
from astro_hier.populations.quantity import LN_PERIOD
from astro_hier.populations.spline import Spline
from astro_hier.populations.weighted_normals import Truncated
from astro_hier.posterior import Parameter

__all__ = ["OfQuantity"]

OF_E = "_e"  # ends the names of parameters of distributions of eccentricities
POSITIVE = (0.0, np.inf)
WITH_LIMITS = Truncated, PowerLaw, Eccentricity  # whose densities are normalised between them
NEAR = 12  # steps from an end where a density may diverge: beyond, cells change it by 2e-4


@dataclass(frozen=True)
class OfQuantity(Part):
    """A family as the distribution of a quantity x.

    Attributes
    ----------
    given : `~astro_hier.populations.Population`
        The family, whose parameters have its own names; ``theta`` has those of ``parameters``.
    name : str
        Of the quantity.
    unit : `~astropy.units.Unit`
        Of the quantity.
    middle, spread : float
        Where values lie and how much they scatter, in y, for default priors.
    limits : tuple of float
        Lowest and highest x that there are.
    suffix : str
        Of the parameters' names.
    """

    given: Population
    name: str
    unit: u.UnitBase = u.one
    middle: float = 0.0
    spread: float = 1.0
    limits: Ends = EVERYWHERE
    suffix: str = ""

    def __post_init__(self):
        if self.limits != EVERYWHERE and not isinstance(self.family, WITH_LIMITS):
            raise ValueError(
                f"limits=: {self.given!r} extends beyond any limits of {self.name}; expected"
                " another population, such as populations.TruncatedNormal(), or no limits"
            )
        if isinstance(self.family, PowerLaw) and not np.all(np.isfinite(self.ends)):
            raise ValueError(
                f"population={self.given!r} is a power law, which ends somewhere: expected"
                f" limits=(LOW, HIGH), both above zero, the lowest and highest {self.name}"
            )
        scaled = self.family.priors_for(self.middle, self.spread, self.unit)
        for name, here in self._names.items():
            # models look for a parameter's prior in the attribute of its name
            vars(self)[here] = self._prior(name, scaled.get(name))

    @cached_property
    def family(self) -> Population:
        """The family of plain numbers, in the unit of the quantity and between its limits."""
        family = self.given.in_unit_of(self.unit)
        if not isinstance(family, Eccentricity):
            return family
        low, high = self.limits
        highest = BOUND[1] if isinstance(family, Beta) else np.inf
        return family.on((max(low, POSITIVE[0]), min(high, highest)))

    def with_prior(self, name: str, prior: Any) -> Population:
        here = {here: of for of, here in self._names.items()}
        return replace(self.given, **{here[name]: prior})  # type: ignore[type-var]

    def _prior(self, name, scaled):
        """The prior that was given, or the one that follows the values if none was."""
        given = getattr(self.given, name, None)
        default = getattr(type(self.given), name, None)
        return scaled if scaled is not None and (given is None or given == default) else given

    # ---- names

    @property
    def _names(self):
        """Names here by the family's names, of the parameters that have a prior."""
        return {name: self._name(name) for name in self.family.sampled}

    def _name(self, name):
        return name.removesuffix(OF_E) + self.suffix

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The family's parameters, under their names here, with their units."""
        return tuple(self._here(parameter) for parameter in self.family.parameters)

    def _here(self, parameter):
        of = self.name if self.family.scale == "linear" else f"ln {self.name}"
        words = parameter.long_name.replace(LN_PERIOD, of).replace("the quantity", of)
        words = words.replace("the eccentricities", of)
        symbol = parameter.symbol.replace("_e", "")
        index = self.suffix.removeprefix("_").replace("_", r"\_")
        return replace(
            parameter,
            name=self._name(parameter.name),
            unit=self.unit if parameter.name in self.family.in_unit else parameter.unit,
            symbol=f"{{{symbol}}}_{{\\mathrm{{{index}}}}}" if self.suffix else symbol,
            long_name=words.replace("eccentricities", of),
            dims=tuple(self._name(dim) for dim in parameter.dims),
        )

    @property
    def sampled(self) -> tuple[str, ...]:
        """Names of the parameters that have priors."""
        return tuple(self._names.values())

    @property
    def standard_normals(self) -> dict[str, int]:
        return {self._name(name): n for name, n in self.family.standard_normals.items()}

    @property
    def coordinates(self) -> dict[str, np.ndarray]:
        """Labels of the dimensions of its parameters."""
        return {self._name(name): of for name, of in self.family.coordinates.items()}

    def _own(self, values: Mapping) -> dict[str, Any]:
        """Values under the family's names."""
        names = self._names | {n: self._name(n) for n in self.family.standard_normals}
        return {name: values[here] for name, here in names.items() if here in values}

    def _renamed(self, values: Mapping) -> dict[str, Any]:
        return {self._name(name): of for name, of in values.items()}

    @property
    def names(self) -> tuple[str]:
        """The name of the quantity."""
        return (self.name,)

    def marginal(self, number: int) -> "OfQuantity":
        """The distribution of one of the quantities, of which there is one."""
        return self

    # ---- the coordinate

    def coordinate(self, x: np.ndarray) -> np.ndarray:
        """y at values of the quantity."""
        return SCALES[self.family.scale][0](x)

    def value(self, y: np.ndarray) -> np.ndarray:
        """Values of the quantity at y."""
        return SCALES[self.family.scale][1](y)

    def log_slope(self, x: np.ndarray) -> np.ndarray | float:
        """ln of dx/dy at values of the quantity."""
        return np.log(x) if self.family.scale == "ln" else 0.0

    def possible(self, x: np.ndarray) -> np.ndarray:
        """Which values lie between the limits and, if y is ln x, have a logarithm."""
        low, high = self.limits
        within = (x >= low) & (x <= high)
        if self.family.scale == "ln":
            within &= x > 0
        y = self.coordinate(np.where(within, x, 1.0))
        return within & (y >= self.ends[0]) & (y <= self.ends[1])

    @property
    def ends(self) -> Ends:
        """The limits, in y: those given, or where bins, knots or the family itself end."""
        if isinstance(self.family, (Binned, Spline)):
            return self.family.extent({})
        if isinstance(self.family, Eccentricity):
            return self.family.bound
        low, high = self.limits
        if self.family.scale == "ln":
            return (np.log(low) if low > 0 else -np.inf), np.log(high)
        return low, high

    @property
    def coordinate_in_words(self) -> str:
        """What y is."""
        per = "" if self.unit == u.one else f" / ({self.unit})"
        return f"ln({self.name}{per})" if self.family.scale == "ln" else self.name

    @property
    def range_in_words(self) -> str:
        """Which values there may be."""
        low, high = self.value(np.array(self.ends))
        return f"{self.name} from {low:.6g} to {high:.6g} {self.unit}".rstrip()

    # ---- the distribution

    @property
    def jumps(self) -> bool:
        """Whether the density may jump somewhere: its means over cells do not."""
        return self.family.edged or isinstance(self.family, Binned)

    def log_density(self, axis: Axis, used: np.ndarray, theta: Theta) -> np.ndarray:
        """ln of the density of y at some points of a grid, shape (theta, point).

        Where it may jump or diverge, it is the mean over the cell about each point.
        """
        own = self._own(theta)
        if self.jumps:
            return self._log_mean_density(axis, used, own)
        log_density = self.family.log_density(axis.points[used], own, self.ends)
        if not isinstance(self.family, Eccentricity):
            return log_density
        log_density = np.array(log_density)
        for end in self.family.bound:  # where it may diverge
            near = np.abs(axis.points[used] - end) < NEAR * axis.step
            if near.any():
                log_density[:, near] = self._log_mean_density(axis, used[near], own)
        return log_density

    def _log_mean_density(self, axis, used, own):
        """ln of the mean density over the cells about points: half a cell at the ends."""
        edges = _cells(axis, used)
        mean = self.family.shares(edges, own, self.ends) / np.diff(edges)
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(mean[:, used - used[0]], 0.0))

    # ---- histograms

    @property
    def bins(self) -> int:
        """The number of bins, zero if it is no histogram."""
        return len(self.family.edges) - 1 if isinstance(self.family, Binned) else 0

    def densities_of_bins(self, axis: Axis, used: np.ndarray) -> np.ndarray:
        """What `log_density` is the ln of, if one of the bins has all, shape (point, bin)."""
        return cast(Binned, self.family).mean_densities(_cells(axis, used))[used - used[0]]

    def posterior_of_shares(self, likelihood: Likelihood, priors: Mapping, near: Mapping) -> Any:
        """As `~astro_hier.populations.binned.Binned.posterior`."""
        family = cast(Binned, self.family)
        return family.posterior(likelihood, self._own(priors), self._own(near))

    def theta_of_shares(self, posterior: Any, points: np.ndarray) -> dict[str, np.ndarray]:
        """As `~astro_hier.populations.binned.Binned.theta_of`."""
        return self._renamed(cast(Binned, self.family).theta_of(posterior, points))

    # ---- values

    def log_density_of(self, x: np.ndarray, theta: Theta) -> np.ndarray:
        """ln of the density of the quantity itself, shape (theta, value)."""
        possible = self.possible(x)
        x = np.where(possible, x, self.value(np.asarray(self.middle)))
        found = self.family.log_density(self.coordinate(x), self._own(theta), self.ends)
        return np.where(possible, found - self.log_slope(x), -np.inf)

    def draw(self, theta: Theta, size: int, rng: np.random.Generator) -> np.ndarray:
        """Values of ``size`` members for each theta, shape (theta, size)."""
        return self.value(self.family.draw(self._own(theta), self.ends, size, rng))

    def derive(self, theta: Theta) -> dict:
        """Parameters that follow from the sampled ones."""
        return self._renamed(self.family.derive(self._own(theta)))

    def initial(self, x: np.ndarray) -> dict:
        """A starting point from rough values of the objects."""
        possible = x[self.possible(x)]
        return self._renamed(self.family.initial(self.coordinate(possible)))

    def width(self, theta: Theta) -> np.ndarray:
        """The narrowest feature of the density of each theta, in y, shape (theta,)."""
        return self.family.width(self._own(theta))

    def smallest_width(self, frozen: Mapping) -> float:
        """The narrowest feature of the density that the priors allow, in y."""
        return self.family.smallest_width(self._own(frozen))

    def pymc_log_density(self, y: np.ndarray, theta: Mapping) -> Any:
        """ln of the density of y at fixed points, in terms of PyMC variables."""
        return self.family.pymc_log_density(y, self._own(theta), self.ends)


def _cells(axis, used):
    """Edges of the cells about the points from the first to the last one used."""
    points = axis.points
    middles = 0.5 * (points[1:] + points[:-1])
    return np.concatenate([points[:1], middles, points[-1:]])[used[0] : used[-1] + 2]
