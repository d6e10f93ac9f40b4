"""The interface of a population's distribution, `Population`.

A family describes one number of each object, such as ln(P / d), as plain floats, and knows nothing
else about the object.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core.floats import Theta
from astro_hier.core.normal import Floats
from astro_hier.part import Part
from astro_hier.posterior import UNBOUNDED, Parameter

TAIL = 1e-3  # quantile that stands for the end of a prior that has none
EVERYWHERE = (-np.inf, np.inf)

Ends = tuple[float, float]


def check_priors(part: Part, names: tuple[str, ...]) -> None:
    """Raise `~astro_hier.priors.PriorError` if a field does not hold a prior for its parameter.

    ``part`` declares ``parameters``; fields called ``names`` are checked unless they are None.
    Priors on those that have the unit of the quantity may have any unit, which is the model's to
    check.
    """
    in_unit = getattr(part, "in_unit", ())
    for parameter in part.parameters:
        given = getattr(part, parameter.name, None)
        if parameter.name in names and given is not None:
            bounds, prior = parameter.bounds or UNBOUNDED, priors.as_prior(given)
            unit = getattr(prior, "unit", u.one) if parameter.name in in_unit else parameter.unit
            priors.check(parameter.name, prior, unit, *bounds)


class Population(Part):
    """Base of all populations: the methods that a new one writes.

    A population is a frozen dataclass whose fields are its own priors, if it has any. It declares
    ``parameters``, a tuple of `~astro_hier.posterior.Parameter`, and ``sampled``, the names of
    those that have a prior. Where a field is None or missing, the model's own prior is used; models
    have priors on mu and lnsigma. ``theta`` is a dict of float arrays of shape (theta,) by those
    names, ``ends`` are ln of the shortest and longest period searched, and periods are ln(P / d).

    A family may also describe any other quantity q, in a unit that the table has. All methods then
    speak of a number y, and ``ends`` are limits of it or infinite.

    Attributes
    ----------
    quantity : str
        What it is a distribution of: "lnP" of ln(P / d), "e" of eccentricities, "any" of nothing in
        particular. A family of "lnP" or "e" may describe other quantities too.
    scale : str
        What y is of another quantity: "linear" if y = q / unit, "ln" if y = ln(q / unit).
    in_unit : tuple of str
        Names of its parameters that have the unit of that quantity; none if ``scale`` is "ln".
    edged : bool
        Whether the density jumps, such as at an edge that is inferred: models then use the shares
        of cells rather than the density at points.
    """

    quantity = "lnP"
    scale = "linear"
    in_unit: ClassVar[tuple[str, ...]] = ()
    edged = False
    parameters: tuple[Parameter, ...] = ()
    sampled: tuple[str, ...] = ()

    @property
    def standard_normals(self) -> dict[str, int]:
        """Parameters of several elements that are standard normal a priori: their numbers by name.

        In ``theta`` they have shape (theta, number).
        """
        return {}

    @property
    def coordinates(self) -> dict[str, np.ndarray]:
        """Labels of the dimensions of its parameters."""
        return {}

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, priors.Prior]:
        """Default priors where they depend on the scale of the values, by name.

        Parameters
        ----------
        middle, spread : float
            Mean and standard deviation of rough values of y.
        unit : `~astropy.units.Unit`
            The unit in which y is q, and which the priors of parameters ``in_unit`` have.
        """
        return {}

    def in_unit_of(self, unit: u.UnitBase) -> "Population":
        """The same with its fixed values, such as the edges of bins, as numbers in ``unit``."""
        return self

    def log_density(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        """ln of the density at ``ln_period`` (period,) for each theta, shape (theta, period)."""
        raise NotImplementedError

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        """Shares of the population between ``low`` and ``high``; the last axis is that of theta.

        ``low`` and ``high`` are numbers, or arrays of the same shape, whose axes come first.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define the share of an interval")

    def shares(self, edges: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        """Shares of the population between neighbouring ``edges``, shape (theta, interval)."""
        return self.share(edges[:-1], edges[1:], theta, ends).T

    def within(
        self,
        low: Floats,
        high: Floats,
        chance: Floats,
        theta: Theta,
        ends: Ends = EVERYWHERE,
    ) -> np.ndarray:
        """Values below which the fraction ``chance`` of an interval's share lies.

        The result and all arguments except ``theta`` and ``ends`` have shape (theta, ...).
        """
        raise NotImplementedError(f"{type(self).__name__} does not define values in an interval")

    def share_of_each(
        self, low: np.ndarray, high: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        """Shares of intervals that differ from theta to theta.

        The result, ``low`` and ``high`` have shape (theta, ...). By default from `share`, for one
        theta after the other.
        """
        each = [
            self.share(of_low, of_high, {name: x[n : n + 1] for name, x in theta.items()}, ends)
            for n, (of_low, of_high) in enumerate(zip(low, high, strict=True))
        ]
        return np.array(each)[..., 0]

    def outside(self, theta: Theta, ends: Ends) -> np.ndarray:
        """Shares of the population below and above ``ends``, shape (2, theta)."""
        low, high = np.array([[-np.inf, ends[1]], [ends[0], np.inf]])
        return self.share(low, high, theta, ends)

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        """ln periods of ``size`` members for each theta, shape (theta, size)."""
        raise NotImplementedError

    def smallest_width(self, frozen: Mapping) -> float:
        """The narrowest feature of the density that the priors ``frozen`` allow, in ln P."""
        raise NotImplementedError

    def width(self, theta: Theta) -> np.ndarray:
        """The narrowest feature of the density of each theta, in ln P, shape (theta,).

        By default ``smallest_width`` with each theta known exactly.
        """
        each = zip(*theta.values(), strict=True)
        known = [[priors.Fixed(float(x)).frozen(u.one) for x in values] for values in each]
        return np.array([self.smallest_width(dict(zip(theta, k, strict=True))) for k in known])

    def extent(self, frozen: Mapping) -> tuple[float, float]:
        """Where practically all values lie, for anything that the priors ``frozen`` allow."""
        raise NotImplementedError(f"{type(self).__name__} does not say how far it extends")

    def initial(self, ln_period: np.ndarray) -> dict[str, float]:
        """A starting point from the stars' rough ln periods, a dict of floats."""
        raise NotImplementedError

    def pymc(self, theta: Mapping, ends: Ends, **options):
        """The distribution as the PyMC variable lnP; only ``method="nuts"`` needs it."""
        raise NotImplementedError

    def pymc_log_density(self, x: np.ndarray, theta: Mapping, ends: Ends) -> Any:
        """ln of the density at known ``x`` (value,) for variables ``theta`` of PyMC.

        The result is a PyTensor variable of the shape of ``x``.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has a log_density but no pymc_log_density of its own, which"
            " method='nuts' needs: write pymc_log_density, or fit with method='marginal'"
        )

    def check_pymc(self) -> None:
        """Raise ValueError if ``pymc`` is missing, or belongs to a class of another density."""
        if not self.agrees("pymc"):
            raise ValueError(
                f"{type(self).__name__} has a log_density but no pymc of its own, which"
                " method='nuts' needs: write pymc, or fit with method='marginal'"
            )

    def agrees(self, method: str) -> bool:
        """Whether a method exists, and belongs to the same distribution as ``log_density``."""
        writer = self._writer(method)
        if writer is Population or not issubclass(writer, self._writer("log_density")):
            return False
        # where methods follow from the components, it does not matter which class wrote those
        follows = "follow_from_components" in vars(writer)
        return follows or issubclass(writer, self._writer("components"))

    def _writer(self, method):
        """The class that defines a method."""
        return next((c for c in type(self).__mro__ if method in vars(c)), Population)


def corners(names: tuple[str, ...], frozen: Mapping, ends: Callable) -> dict:
    """Every combination of the parameters at the ends of their priors, shape (corner,)."""
    grid = np.meshgrid(*(ends(frozen[name]) for name in names), indexing="ij")
    return {name: values.ravel() for name, values in zip(names, grid, strict=True)}


def tails(prior):
    """Extreme quantiles of a prior."""
    return prior.ppf([TAIL, 1 - TAIL])
