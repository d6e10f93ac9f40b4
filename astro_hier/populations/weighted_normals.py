"""Populations that are weighted normal distributions: `Components`, and `Truncated` ones.

A new one only writes ``components``: the density, shares of intervals, points within them, draws
and the narrowest feature follow. `Truncated` cuts any of them to the range that is searched.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from astro_hier.core.floats import Theta
from astro_hier.core.normal import Floats
from astro_hier.populations import components
from astro_hier.populations.family import EVERYWHERE, Ends, Population, corners, tails

REACH = 5  # standard deviations beyond which practically nothing lies


class Components(Population):
    """Weighted normal distributions: a new one writes ``components`` and ``initial``."""

    follow_from_components = True  # its methods

    def components(self, theta: Theta) -> components.Parts:
        """Weight, mean and standard deviation of each component, shape (theta,).

        ``theta`` may hold PyMC variables. The weight of a single component is the number 1.0.
        """
        raise NotImplementedError

    def log_density(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        return components.log_density(self.components(theta), ln_period)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        low, high = np.asarray(low)[..., None], np.asarray(high)[..., None]
        return self._between(self.components(theta), low, high, ends)

    def share_of_each(
        self, low: np.ndarray, high: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        if "follow_from_components" not in vars(self._writer("share")):
            return super().share_of_each(low, high, theta, ends)
        parts = components.expanded(self.components(theta), np.ndim(low) - 1)
        return self._between(parts, low, high, ends)

    def _between(self, parts, low, high, ends):
        return components.share(parts, low, high)

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
        parts = self.components(corners(self.sampled, frozen, _ends))
        return float(min(np.min(sd) for _, _, sd in parts))

    def width(self, theta: Theta) -> np.ndarray:
        if type(self).smallest_width is not Components.smallest_width:  # it has narrower features
            return super().width(theta)
        size = len(next(iter(theta.values())))
        return np.min([np.broadcast_to(sd, size) for _, _, sd in self.components(theta)], axis=0)

    def extent(self, frozen: Mapping) -> tuple[float, float]:
        parts = self.components(corners(self.sampled, frozen, tails))
        low = min(np.min(mean - REACH * sd) for _, mean, sd in parts)
        return low, max(np.max(mean + REACH * sd) for _, mean, sd in parts)

    def pymc(self, theta: Mapping, ends: Ends, **options):
        self._name_derived(theta)
        return components.pymc(self.components(theta), "lnP", **options)

    def pymc_log_density(self, x: np.ndarray, theta: Mapping, ends: Ends) -> Any:
        return components.pymc_log_density(self.components(theta), x)

    def _name_derived(self, theta):
        """Name the derived parameters in the PyMC model."""
        import pymc as pm

        for name, value in self.derive(theta).items():
            pm.Deterministic(name, value)


class Truncated(Components):
    """Components truncated to the range that is searched: no objects lie beyond it."""

    follow_from_components = True

    def log_density(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        inside = components.log_share(self.components(theta), *ends)
        log_density = super().log_density(ln_period, theta, ends) - inside[:, None]
        within = (ln_period >= ends[0]) & (ln_period <= ends[1])
        return log_density if np.all(within) else np.where(within, log_density, -np.inf)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        return super().share(low, high, theta, ends)

    def _between(self, parts, low, high, ends):
        log_share = components.log_share(parts, np.clip(low, *ends), np.clip(high, *ends))
        return np.exp(log_share - components.log_share(parts, *ends))

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

    def pymc_log_density(self, x: np.ndarray, theta: Mapping, ends: Ends) -> Any:
        import pytensor.tensor as pt

        inside = components.pymc_log_share(self.components(theta), *ends)
        log_density = super().pymc_log_density(x, theta, ends) - inside
        return pt.switch((x >= ends[0]) & (x <= ends[1]), log_density, -np.inf)

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


def _ends(prior):
    """The ends of a prior, or extreme quantiles where it has none."""
    support = np.array(prior.support())
    return np.where(np.isfinite(support), support, tails(prior))
