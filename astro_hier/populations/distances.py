"""Distributions of stars' distances about that of their cluster: one normal, or several.

With weights w_k and standard deviations s_k, and a normal distribution cut at zero,

    p(r) = sum_k w_k N(r | mu_r, s_k) / Phi(mu_r / s_k)  for r > 0,

which for r > 0 is a sum of normal distributions with weights w_k / Phi(mu_r / s_k).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core import normal
from astro_hier.core.normal import Floats
from astro_hier.part import Part
from astro_hier.populations import components, family
from astro_hier.posterior import Parameter, register


class Profile(Part):
    """Base of all profiles: a concentric mixture of normal distributions, each cut at zero.

    A profile is a frozen dataclass whose fields are its own priors, if it has any. It declares
    ``parameters``, a tuple of `~astro_hier.posterior.Parameter`, and writes ``components``.
    ``theta`` is a dict of the model's and the profile's parameters: arrays of shape (theta,), or
    PyMC variables. Distances are in kpc.
    """

    parameters: tuple[Parameter, ...] = ()

    def components(self, theta: Mapping) -> list[tuple]:
        """Weight and standard deviation [kpc] of each component, as pairs."""
        raise NotImplementedError

    def draw(self, theta: Mapping, size: int, rng: np.random.Generator) -> np.ndarray:
        """Standard deviations to draw ``size`` stars' distances with, (theta, size or 1)."""
        parts = [(weight, sd, sd) for weight, sd in self.components(theta)]
        return components.chosen(components.expanded(parts, 1), (len(parts[0][1]), size), rng)[1]

    def variance(self, theta: Mapping) -> np.ndarray:
        """Variance of the distances before the cut at zero, shape (theta,)."""
        return sum(weight * sd**2 for weight, sd in self.components(theta))

    def log_density(self, r: np.ndarray, theta: Mapping) -> np.ndarray:
        """ln of the density at distances ``r`` (distance,), shape (theta, distance)."""
        density = components.log_density(self._above_zero(theta), r)
        return np.where(r > 0, density, -np.inf)

    def share(self, low: Floats, high: Floats, theta: Mapping) -> np.ndarray:
        """Shares of the stars between two distances; the last axis is that of theta."""
        low, high = (np.maximum(np.asarray(end)[..., None], 0) for end in (low, high))
        return components.share(self._above_zero(theta), low, high)

    def within(self, low: Floats, high: Floats, chance: Floats, theta: Mapping) -> np.ndarray:
        """Distances below which the fraction ``chance`` of an interval's share lies.

        The result and all arguments except ``theta`` have shape (theta, ...).
        """
        parts = components.expanded(self._above_zero(theta), np.ndim(chance) - 1)
        return components.within(parts, np.maximum(low, 0), np.maximum(high, 0), chance)

    def _above_zero(self, theta):
        """The components whose sum is the density above zero."""
        return [
            (weight / normal.share(-theta["mu_r"] / sd, np.inf), theta["mu_r"], sd)
            for weight, sd in self.components(theta)
        ]


@dataclass(frozen=True)
class Normal(Profile):
    """r ~ TruncatedNormal(mu_r, std_r, lower=0).

    Examples
    --------
    >>> from astro_hier import StarCluster, profiles
    >>> model = StarCluster(profile=profiles.Normal())  # the default
    """

    def components(self, theta: Mapping) -> list[tuple]:
        return [(1.0, theta["std_r"])]


@dataclass(frozen=True)
class CoreHalo(Profile):
    """Two concentric normal distributions: a core of depth std_r, and a wider halo.

    A concentric mixture like that of Olivares et al. (2020, A&A 644, A7).

    Parameters
    ----------
    halo_fraction : `~astro_hier.priors.Prior` or float
        Prior on the share of stars in the halo.
    ln_halo_ratio : `~astro_hier.priors.Prior` or float
        Prior on ln of the ratio of the halo's depth to the core's, which is not negative.

    Examples
    --------
    >>> from astro_hier import StarCluster, priors, profiles
    >>> profile = profiles.CoreHalo(halo_fraction=priors.Beta(1, 9))
    >>> model = StarCluster(profile=profile)
    >>> [p.name for p in profile.parameters]
    ['halo_fraction', 'ln_halo_ratio', 'halo_ratio']
    """

    halo_fraction: priors.Prior | float = priors.Beta(1, 3)
    ln_halo_ratio: priors.Prior | float = priors.TruncatedNormal(1, 0.5, lower=0)

    parameters = (
        Parameter("halo_fraction", u.one, "f_h", "share of stars in the halo", bounds=(0, 1)),
        Parameter("ln_halo_ratio", u.one, r"\ln\rho_h", "ln of halo_ratio", bounds=(0, np.inf)),
        Parameter("halo_ratio", u.one, r"\rho_h", "depth of the halo over that of the core"),
    )

    def __post_init__(self):
        family.check_priors(self, ("halo_fraction", "ln_halo_ratio"))

    def derive(self, theta: Mapping) -> dict:
        return {"halo_ratio": np.exp(theta["ln_halo_ratio"])}

    def components(self, theta: Mapping) -> list[tuple]:
        share = theta["halo_fraction"]
        return [(1 - share, theta["std_r"]), (share, theta["std_r"] * theta["halo_ratio"])]


# users' files hold these names: they stay the same, wherever the classes move
register(Normal, "astro_hier.profiles.Normal")
register(CoreHalo, "astro_hier.profiles.CoreHalo")
