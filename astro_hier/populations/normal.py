"""One normal distribution of ln P, whole or cut to the range searched."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from scipy.special import log_ndtr, ndtr

from astro_hier.populations.family import Population, _log_normal, _smallest
from astro_hier.posterior import UNBOUNDED, Parameter, register

MU = Parameter("mu", u.one, r"\mu", "mean of ln(P / d)", bounds=UNBOUNDED)
LNSIGMA = Parameter("lnsigma", u.one, r"\ln\sigma", "ln of sigma", bounds=UNBOUNDED)
SIGMA = Parameter("sigma", u.one, r"\sigma", "standard deviation of ln(P / d)")


@dataclass(frozen=True)
class Normal(Population):
    """ln(P / d) ~ Normal(mu, sigma), with the priors on mu and lnsigma that the model has."""

    parameters = (MU, LNSIGMA, SIGMA)
    sampled = ("mu", "lnsigma")

    def log_density(self, ln_period, theta, ends):
        return _log_normal(ln_period, theta["mu"], np.exp(theta["lnsigma"]))

    def outside(self, theta, ends):
        low, high = ((end - theta["mu"]) / np.exp(theta["lnsigma"]) for end in ends)
        return np.array([ndtr(low), ndtr(-high)])

    def draw(self, theta, ends, size, rng):
        sigma = np.exp(theta["lnsigma"])[:, None]
        return rng.normal(theta["mu"][:, None], sigma, (len(sigma), size))

    def derive(self, theta):
        return {"sigma": np.exp(theta["lnsigma"])}

    def smallest_width(self, frozen):
        return _smallest(frozen["lnsigma"])

    def initial(self, ln_period):
        return {"mu": np.mean(ln_period), "lnsigma": np.log(max(np.std(ln_period), 0.2))}

    def pymc(self, theta, ends, **options):
        import pymc as pm

        sigma = pm.Deterministic("sigma", pm.math.exp(theta["lnsigma"]))
        return pm.Normal("lnP", mu=theta["mu"], sigma=sigma, **options)


@dataclass(frozen=True)
class TruncatedNormal(Normal):
    """The same, cut to the range of periods that is searched: no binaries lie beyond it."""

    def log_density(self, ln_period, theta, ends):
        sigma = np.exp(theta["lnsigma"])
        low, high = ((end - theta["mu"]) / sigma for end in ends)
        # of the two ways to write the share within, the one whose terms are small
        flip = low > 0
        low, high = np.where(flip, -high, low), np.where(flip, -low, high)
        inside = log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))
        return _log_normal(ln_period, theta["mu"], sigma) - inside[:, None]

    def outside(self, theta, ends):
        return np.zeros((2, len(theta["mu"])))

    def draw(self, theta, ends, size, rng):
        from scipy.stats import truncnorm

        mu, sigma = theta["mu"][:, None], np.exp(theta["lnsigma"])[:, None]
        low, high = ((end - mu) / sigma for end in ends)
        return truncnorm.rvs(low, high, mu, sigma, size=(len(mu), size), random_state=rng)

    def pymc(self, theta, ends, **options):
        import pymc as pm

        sigma = pm.Deterministic("sigma", pm.math.exp(theta["lnsigma"]))
        return pm.TruncatedNormal(
            "lnP", mu=theta["mu"], sigma=sigma, lower=ends[0], upper=ends[1], **options
        )


# the names are those in users' files: they stay, wherever the classes go
register(Normal, "astro_hier.populations.Normal")
register(TruncatedNormal, "astro_hier.populations.TruncatedNormal")
