"""Distributions of the distances about that of a cluster: one normal distribution, or several.

`Profile` says what makes one.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.posterior import Parameter, register

__all__ = ["CoreHalo", "Normal", "Profile"]


class Profile:
    """Base of all profiles: a concentric mixture of normal distributions, each cut at zero.

    A profile is a frozen dataclass whose fields are its own priors, if it has any. It declares
    ``parameters``, a tuple of `~astro_hier.posterior.Parameter`. ``theta`` is a dict of the
    model's and the profile's parameters: arrays of shape (theta,), or variables of PyMC.
    """

    parameters = ()

    def derive(self, theta):
        """Parameters that follow from those that have priors, a dict."""
        return {}

    def components(self, theta):
        """Pairs of the weight of each component and its standard deviation [kpc]."""
        raise NotImplementedError

    def draw(self, theta, size, rng):
        """The standard deviations that ``size`` stars are drawn with, shape (theta, size or 1)."""
        weights, sds = zip(*self.components(theta), strict=True)
        if len(sds) == 1:
            return sds[0][:, None]
        upper = np.cumsum(weights, axis=0)[:-1, :, None]
        chosen = np.sum(rng.random((len(sds[0]), size)) > upper, axis=0)
        return np.take_along_axis(np.transpose(sds), chosen, axis=1)

    def variance(self, theta):
        """Variance of the distances, shape (theta,), before they are cut at zero."""
        return sum(weight * sd**2 for weight, sd in self.components(theta))


@dataclass(frozen=True)
class Normal(Profile):
    """r ~ TruncatedNormal(mu_r, std_r, lower=0)."""

    def components(self, theta):
        return [(1.0, theta["std_r"])]


@dataclass(frozen=True)
class CoreHalo(Profile):
    """Two concentric normal distributions: a core, whose depth is std_r, and a wider halo.

    A concentric mixture as that of Olivares et al. (2020, A&A 644, A7).

    Parameters
    ----------
    halo_fraction : `~astro_hier.priors.Prior` or float
        Prior on the share of stars in the halo.
    ln_halo_ratio : `~astro_hier.priors.Prior` or float
        Prior on ln of the halo's depth over the core's, not negative.
    """

    halo_fraction: object = priors.Beta(1, 3)
    ln_halo_ratio: object = priors.TruncatedNormal(1, 0.5, lower=0)

    parameters = (
        Parameter("halo_fraction", u.one, "f_h", "share of stars in the halo", bounds=(0, 1)),
        Parameter("ln_halo_ratio", u.one, r"\ln\rho_h", "ln of halo_ratio", bounds=(0, np.inf)),
        Parameter("halo_ratio", u.one, r"\rho_h", "depth of the halo over that of the core"),
    )

    def __post_init__(self):
        priors.check("halo_fraction", priors.as_prior(self.halo_fraction), u.one, 0, 1)
        priors.check("ln_halo_ratio", priors.as_prior(self.ln_halo_ratio), u.one, 0)

    def derive(self, theta):
        return {"halo_ratio": np.exp(theta["ln_halo_ratio"])}

    def components(self, theta):
        share = theta["halo_fraction"]
        return [(1 - share, theta["std_r"]), (share, theta["std_r"] * theta["halo_ratio"])]


# the names are those in users' files: they stay, wherever the classes go
register(Normal, "astro_hier.profiles.Normal")
register(CoreHalo, "astro_hier.profiles.CoreHalo")
