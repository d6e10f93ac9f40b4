"""Rows that are not members: a broad background, mixed into a model of the members.

With a probability of ``outlier_fraction`` a row is not a member. Its value is then normally
distributed about ``outlier_mean`` with the standard deviation ``outlier_sd`` and its own error in
quadrature (Hogg, Bovy & Lang 2010, arXiv:1008.4686, section 3). Which rows are members is summed
over exactly: each has a posterior probability of membership, none is removed.
"""

from dataclasses import dataclass
from functools import cache

import astropy.units as u
import numpy as np
from scipy.special import expit
from scipy.stats import norm

from astro_hier import checks, priors
from astro_hier.posterior import Parameter, register

__all__ = ["Background", "ParallaxBackground", "VelocityBackground"]

KMS = u.km / u.s
# draws in which a background is no wider than this many sds of the members, and has this share of
# the rows, are warned of if they are more than this share of all
NARROW, MANY, OFTEN = 4.0, 0.05, 0.1
WINGS = checks.define(
    "wings",
    limit=f"at most {100 * OFTEN:.0f} percent of the draws",
    said="in {found} percent of the draws the outliers are more than"
    f" {100 * MANY:.0f} percent of the rows, and hardly wider spread than the members: they are the"
    " wings of the members' own distribution",
    python="if you look for others, say how widely these are spread, such as with {remedy}",
    shell="if you look for others, say how widely these are spread with --prior 'outlier_sd=...'",
)


@dataclass(frozen=True)
class Background:
    """Base of backgrounds: a subclass has defaults, and the unit of the values.

    Parameters
    ----------
    outlier_fraction : `~astro_hier.priors.Prior` or float
        Prior on the share of rows that are not members.
    outlier_mean, outlier_sd : `~astro_hier.priors.Prior` or `~astropy.units.Quantity`
        Priors on the mean and the standard deviation of their true values.
    """

    outlier_fraction: object
    outlier_mean: object
    outlier_sd: object
    unit = u.one

    def __post_init__(self):
        priors.check("outlier_fraction", priors.of(self.outlier_fraction), u.one, 0, 1)
        priors.check("outlier_mean", priors.of(self.outlier_mean), self.unit)
        priors.check("outlier_sd", priors.of(self.outlier_sd), self.unit, 0)

    @property
    def parameters(self):
        return (
            Parameter("outlier_fraction", u.one, "f_o", "share of rows that are not members"),
            Parameter("outlier_mean", self.unit, r"\mu_o", "mean of those that are not members"),
            Parameter("outlier_sd", self.unit, r"\sigma_o", "their standard deviation"),
        )

    def log_density(self, value, error, theta):
        """ln of the density of a row that is not a member, shape (theta, row)."""
        mean, sd = theta["outlier_mean"][:, None], theta["outlier_sd"][:, None]
        return norm.logpdf(value, mean, np.hypot(sd, error))

    def mix(self, log_member, value, error, theta):
        """Members and background together.

        Parameters
        ----------
        log_member : ndarray
            ln of the density of each row if it is a member, shape (theta, row).
        value, error : ndarray
            Measurements and their standard errors, shape (row,) or (theta, row).
        theta : dict
            Parameters, arrays of shape (theta,).

        Returns
        -------
        log_density, membership : ndarray
            ln of the density of the mixture, and the probability that each row is a member.
        """
        fraction = theta["outlier_fraction"][:, None]
        with np.errstate(divide="ignore"):
            member = np.log1p(-fraction) + log_member
            other = np.log(fraction) + self.log_density(value, error, theta)
        return np.logaddexp(member, other), expit(member - other)

    def narrow(self, start, value, sd):
        """A starting point with a background about the members' ``value``, two ``sd`` wide.

        So it takes the wings of their distribution, where ``start`` has stars of the field.
        """
        guess = {"outlier_fraction": 0.2, "outlier_mean": value, "outlier_sd": 2 * sd}
        bounds = {
            p.name: priors.of(getattr(self, p.name)).frozen(p.unit).ppf([0.001, 0.999])
            for p in self.parameters
        }
        return start | {name: float(np.clip(guess[name], *bounds[name])) for name in guess}

    def check_wings(self, theta, sd, remedy):
        """Whether the background stands for the wings of the members' distribution.

        ``sd`` is the members' standard deviation with errors, shape (theta,).
        """
        narrow = theta["outlier_sd"] < NARROW * sd
        share = float(np.mean(narrow & (theta["outlier_fraction"] > MANY)))
        return WINGS.finding(f"{100 * share:.0f}", share > OFTEN, remedy=remedy)

    def draw(self, theta, size, rng):
        """Which of ``size`` rows are members, and true values of others, shape (theta, size)."""
        shape = len(theta["outlier_fraction"]), size
        member = rng.random(shape) >= theta["outlier_fraction"][:, None]
        mean, sd = theta["outlier_mean"][:, None], theta["outlier_sd"][:, None]
        return member, rng.normal(mean, sd, shape)

    def draw_true(self, value, error, theta, rng):
        """True values of rows that are not members, given their measured ones, (theta, row)."""
        mean, variance = theta["outlier_mean"][:, None], theta["outlier_sd"][:, None] ** 2
        share = variance / (variance + error**2)
        return rng.normal(mean + share * (value - mean), np.sqrt(share) * error)


@dataclass(frozen=True)
class ParallaxBackground(Background):
    """Field stars among the members of a star cluster, in parallax."""

    outlier_fraction: object = priors.Beta(1, 9)
    outlier_mean: object = priors.Normal(0 * u.mas, 10 * u.mas)
    outlier_sd: object = priors.LogNormal(1, 1, scale=1 * u.mas)
    unit = u.mas


@dataclass(frozen=True)
class VelocityBackground(Background):
    """Interlopers among the members of a cluster or a galaxy, in velocity."""

    outlier_fraction: object = priors.Beta(1, 9)
    outlier_mean: object = priors.Normal(0 * KMS, 1e5 * KMS)
    outlier_sd: object = priors.LogNormal(0, 1.5, scale=1000 * KMS)
    unit = KMS


def of(given, kind):
    """The background that a model's argument stands for, one of ``kind``; None if there is none."""
    if given is None or given is False:
        return None
    background = _default(kind) if given is True else given
    if not isinstance(background, Background) or background.unit != kind.unit:
        raise ValueError(
            f"outliers={given!r}; accepted are True, False, None and"
            f" astro_hier.outliers.{kind.__name__}()"
        )
    return background


@cache  # it is asked for at every evaluation
def _default(kind):
    return kind()


for _background in (ParallaxBackground, VelocityBackground):
    register(_background)
