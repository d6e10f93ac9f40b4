"""What a distribution of a population has to say: `Population`, and `Components` of normal ones.

A family describes one number of each object, such as ln(P / d), on plain floats, and knows nothing
else of it. `Components` are weighted normal distributions, of which a new one writes
``components`` alone: its density, its shares, what lies within an interval, draws and the narrowest
feature follow. `Truncated` cuts any of them to the range that is searched.
"""

from collections.abc import Callable, Mapping

import numpy as np

from astro_hier import priors
from astro_hier.core.normal import Floats
from astro_hier.part import Part
from astro_hier.populations import components
from astro_hier.posterior import UNBOUNDED, Parameter

SMALL = 1e-3  # quantile that stands for the end of a prior that has none
REACH = 5  # standard deviations beyond which practically nothing lies
EVERYWHERE = (-np.inf, np.inf)

Theta = Mapping[str, np.ndarray]
Ends = tuple[float, float]


def check_priors(part: Part, names: tuple[str, ...]) -> None:
    """Raise `~astro_hier.priors.PriorError` where a field holds no prior of its parameter.

    ``part`` declares ``parameters``; those called ``names`` are checked, unless they are None.
    """
    for parameter in part.parameters:
        given = getattr(part, parameter.name, None)
        if parameter.name in names and given is not None:
            bounds = parameter.bounds or UNBOUNDED
            priors.check(parameter.name, priors.as_prior(given), parameter.unit, *bounds)


class Population(Part):
    """Base of all populations: what a new one has to say.

    A population is a frozen dataclass whose fields are its own priors, if it has any. It declares
    ``parameters``, a tuple of `~astro_hier.posterior.Parameter`, and ``sampled``, the names of
    those that have a prior; where a field is None, or missing, the model's own priors serve, which
    it has of mu and lnsigma. ``theta`` is a dict of float arrays of shape (theta,) by those names,
    ``ends`` are the ln of the shortest and longest period searched, and periods are ln(P / d).
    """

    parameters: tuple[Parameter, ...] = ()
    sampled: tuple[str, ...] = ()

    def log_density(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        """ln of the density at ``ln_period`` (period,) for each theta, shape (theta, period)."""
        raise NotImplementedError

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        """Shares of the population between ``low`` and ``high``, the last axis that of theta.

        ``low`` and ``high`` are numbers, or arrays of one shape, whose axes come first.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no share of an interval")

    def within(
        self,
        low: Floats,
        high: Floats,
        chance: Floats,
        theta: Theta,
        ends: Ends = EVERYWHERE,
    ) -> np.ndarray:
        """Values between ends that have the part ``chance`` of the share there below them.

        All arguments but ``theta`` and ``ends`` have shape (theta, ...), as has the result.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no values within an interval")

    def outside(self, theta: Theta, ends: Ends) -> np.ndarray:
        """Shares of the population at ln periods below and above ``ends``, shape (2, theta)."""
        low, high = np.array([[-np.inf, ends[1]], [ends[0], np.inf]])
        return self.share(low, high, theta, ends)

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        """ln periods of ``size`` members for each theta, shape (theta, size)."""
        raise NotImplementedError

    def derive(self, theta: Theta) -> dict:
        """Parameters that follow from those sampled, a dict of arrays."""
        return {}

    def smallest_width(self, frozen: Mapping) -> float:
        """The narrowest feature of the density that the priors ``frozen`` allow, in ln P."""
        raise NotImplementedError

    def width(self, theta: Theta) -> np.ndarray:
        """The narrowest feature of the density of each theta, in ln P, shape (theta,).

        By default what ``smallest_width`` says of priors that are points.
        """
        each = np.column_stack(list(theta.values())).tolist()
        return np.array(
            [
                self.smallest_width({n: _Point(x) for n, x in zip(theta, values, strict=True)})
                for values in each
            ]
        )

    def extent(self, frozen: Mapping) -> tuple[float, float]:
        """Where practically all values lie, whatever the priors ``frozen`` allow."""
        raise NotImplementedError(f"{type(self).__name__} does not say how far it extends")

    def initial(self, ln_period: np.ndarray) -> dict[str, float]:
        """A starting point from rough ln periods of the stars, a dict of floats."""
        raise NotImplementedError

    def pymc(self, theta: Mapping, ends: Ends, **options):
        """The distribution as the PyMC variable lnP; only ``method="nuts"`` asks for it."""
        raise NotImplementedError

    def check_pymc(self) -> None:
        """Refuse where ``pymc`` is missing, or that of a class whose density is another."""
        if not self.agrees("pymc"):
            raise ValueError(
                f"{type(self).__name__} has a log_density but no pymc of its own, which"
                " method='nuts' needs: write pymc, or fit with method='marginal'"
            )

    def agrees(self, method: str) -> bool:
        """Whether a method is there, and follows from the density or was written for it."""
        writer = self._writer(method)
        if writer is Population or not issubclass(writer, self._writer("log_density")):
            return False
        # those below follow from the components, whoever wrote these
        return writer in (Components, Truncated) or issubclass(writer, self._writer("components"))

    def _writer(self, method):
        """The class whose method it is."""
        return next((c for c in type(self).__mro__ if method in vars(c)), Population)


class Components(Population):
    """Weighted normal distributions: a new one writes ``components``, and ``initial``."""

    def components(self, theta: Theta) -> components.Parts:
        """Weight, mean and standard deviation of each component, shape (theta,).

        ``theta`` may hold variables of PyMC. A single component has the weight 1.0, a number.
        """
        raise NotImplementedError

    def log_density(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        return components.log_density(self.components(theta), ln_period)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        low, high = np.asarray(low)[..., None], np.asarray(high)[..., None]
        return components.share(self.components(theta), low, high)

    def within(
        self,
        low: Floats,
        high: Floats,
        chance: Floats,
        theta: Theta,
        ends: Ends = EVERYWHERE,
    ) -> np.ndarray:
        parts = components.expanded(self.components(theta), np.ndim(chance) - 1)
        return components.within(parts, low, high, chance)

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        parts = self.components(theta)
        return components.draw(components.expanded(parts, 1), (np.size(parts[0][1]), size), rng)

    def smallest_width(self, frozen: Mapping) -> float:
        parts = self.components(_corners(self.sampled, frozen, _ends))
        return float(min(np.min(sd) for _, _, sd in parts))

    def width(self, theta: Theta) -> np.ndarray:
        if type(self).smallest_width is not Components.smallest_width:  # it knows of more
            return super().width(theta)
        size = len(next(iter(theta.values())))
        return np.min([np.broadcast_to(sd, size) for _, _, sd in self.components(theta)], axis=0)

    def extent(self, frozen: Mapping) -> tuple[float, float]:
        parts = self.components(_corners(self.sampled, frozen, _tails))
        low = min(np.min(mean - REACH * sd) for _, mean, sd in parts)
        return low, max(np.max(mean + REACH * sd) for _, mean, sd in parts)

    def pymc(self, theta: Mapping, ends: Ends, **options):
        self._name_derived(theta)
        return components.pymc(self.components(theta), "lnP", **options)

    def _name_derived(self, theta):
        """Give what follows from variables of PyMC its names."""
        import pymc as pm

        for name, value in self.derive(theta).items():
            pm.Deterministic(name, value)


class Truncated(Components):
    """Components cut to the range that is searched, each by the same: no objects lie beyond."""

    def log_density(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        inside = components.log_share(self.components(theta), *ends)
        log_density = super().log_density(ln_period, theta, ends) - inside[:, None]
        within = (ln_period >= ends[0]) & (ln_period <= ends[1])
        return log_density if np.all(within) else np.where(within, log_density, -np.inf)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        parts = self.components(theta)
        low, high = (np.clip(np.asarray(end)[..., None], *ends) for end in (low, high))
        log_inside = components.log_share(parts, *ends)
        return np.exp(components.log_share(parts, low, high) - log_inside)

    def within(
        self,
        low: Floats,
        high: Floats,
        chance: Floats,
        theta: Theta,
        ends: Ends = EVERYWHERE,
    ) -> np.ndarray:
        return super().within(np.clip(low, *ends), np.clip(high, *ends), chance, theta)

    def outside(self, theta: Theta, ends: Ends) -> np.ndarray:
        return np.zeros((2, np.size(self.components(theta)[0][1])))

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        chance = rng.random((np.size(self.components(theta)[0][1]), size))
        return super().within(*ends, chance, theta)

    def pymc(self, theta: Mapping, ends: Ends, **options):
        import pymc as pm

        self._name_derived(theta)
        parts = self.components(theta)
        cut = {"lower": ends[0], "upper": ends[1]}
        if len(parts) == 1:
            return pm.TruncatedNormal("lnP", mu=parts[0][1], sigma=parts[0][2], **cut, **options)
        weight, mean, sd = (pm.math.stack(column) for column in zip(*parts, strict=True))
        whole = pm.Normal.dist(mu=mean, sigma=sd)
        inside = [pm.math.exp(pm.logcdf(whole, end)) for end in ends]
        weight = weight * (inside[1] - inside[0])
        of = pm.TruncatedNormal.dist(mu=mean, sigma=sd, **cut)
        return pm.Mixture("lnP", w=weight / weight.sum(), comp_dists=of, **options)


class _Point:
    """The prior of a number that is known."""

    def __init__(self, value: float):
        self.value = value

    def support(self) -> tuple[float, float]:
        return self.value, self.value

    def ppf(self, share: Floats) -> np.ndarray:
        return np.full(np.shape(share), self.value)

    isf = ppf

    def mean(self) -> float:
        return self.value

    median = mean


def _corners(names: tuple[str, ...], frozen: Mapping, ends: Callable) -> dict:
    """Parameters where every one is at either end of its prior, arrays of shape (corner,)."""
    grid = np.meshgrid(*(ends(frozen[name]) for name in names), indexing="ij")
    return {name: values.ravel() for name, values in zip(names, grid, strict=True)}


def _tails(prior):
    return prior.ppf([SMALL, 1 - SMALL])


def _ends(prior):
    """The ends of a prior, or its quantiles where it has none."""
    support = np.array(prior.support())
    return np.where(np.isfinite(support), support, _tails(prior))
