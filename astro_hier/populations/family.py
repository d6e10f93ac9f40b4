"""The interface of a population's distribution, `Population`.

A family describes one number of each object, such as ln(P / d), as plain floats, and knows nothing
else about the object.
"""

from collections.abc import Callable, Mapping

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
    """
    for parameter in part.parameters:
        given = getattr(part, parameter.name, None)
        if parameter.name in names and given is not None:
            bounds = parameter.bounds or UNBOUNDED
            priors.check(parameter.name, priors.as_prior(given), parameter.unit, *bounds)


class Population(Part):
    """Base of all populations: the methods that a new one writes.

    A population is a frozen dataclass whose fields are its own priors, if it has any. It declares
    ``parameters``, a tuple of `~astro_hier.posterior.Parameter`, and ``sampled``, the names of
    those that have a prior. Where a field is None or missing, the model's own prior is used; models
    have priors on mu and lnsigma. ``theta`` is a dict of float arrays of shape (theta,) by those
    names, ``ends`` are ln of the shortest and longest period searched, and periods are ln(P / d).
    """

    quantity = "lnP"  # what it is a distribution of; "e" of eccentricities
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

    def derive(self, theta: Theta) -> dict:
        """Parameters that follow from the sampled ones, a dict of arrays."""
        return {}

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
