"""The distribution of the scatter beyond the errors."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from scipy.special import ndtr, ndtri

from astro_hier import priors
from astro_hier.populations.family import SMALL
from astro_hier.posterior import UNBOUNDED, Parameter, register


@dataclass(frozen=True)
class LogNormalJitter:
    """The scatter of the velocities beyond their errors: its ln is normal among stars.

    Parameters
    ----------
    mu_jitter : `~astro_hier.priors.Prior` or float
        Prior on the mean of ln(jitter / (km/s)).
    lnsigma_jitter : `~astro_hier.priors.Prior` or float
        Prior on ln of its standard deviation.
    """

    mu_jitter: priors.Prior = priors.Normal(-1.5, 1.5)
    lnsigma_jitter: priors.Prior = priors.Normal(0, 0.5)

    parameters = (
        Parameter("mu_jitter", u.one, r"\mu_s", "mean of ln(jitter / (km/s))", bounds=UNBOUNDED),
        Parameter(
            "lnsigma_jitter",
            u.one,
            r"\ln\sigma_s",
            "ln of its standard deviation",
            bounds=UNBOUNDED,
        ),
    )

    def __post_init__(self):
        for parameter in self.parameters:
            prior = priors.of(getattr(self, parameter.name))
            priors.check(parameter.name, prior, u.one)

    def _scaled(self, value, theta):
        """ln of a scatter in standard deviations from the mean, the last axis that of theta."""
        with np.errstate(divide="ignore"):
            return (np.log(value) - theta["mu_jitter"]) / np.exp(theta["lnsigma_jitter"])

    def range(self):
        """Scatters beyond which practically none lies, whatever the priors allow, in km/s."""
        mu, sigma = (
            priors.of(prior).frozen(u.one) for prior in (self.mu_jitter, self.lnsigma_jitter)
        )
        reach = 5 * np.exp(sigma.ppf(1 - SMALL))
        return np.exp(mu.ppf(SMALL) - reach), np.exp(mu.ppf(1 - SMALL) + reach)

    def shares(self, low, high, theta):
        """Shares of stars whose scatters lie in cells, shape (cell, theta).

        ``low`` and ``high`` have shape (cell, instrument).
        """
        low, high = (self._scaled(end[..., None], theta) for end in (low, high))
        # of the two ways to write the share, the one whose terms are small
        flip = low > 0
        low, high = np.where(flip, -high, low), np.where(flip, -low, high)
        return np.prod(ndtr(high) - ndtr(low), axis=1)

    def within(self, low, high, chance, theta):
        """Scatters between ends that have a share ``chance`` below them, shape (theta, instrument).

        So have all arguments, but for ``theta``.
        """
        low, high = (self._scaled(end.T, theta).T for end in (low, high))
        flip = low > 0
        low, high = np.where(flip, -high, low), np.where(flip, -low, high)
        chance = np.where(flip, 1 - chance, chance)
        x = ndtri(ndtr(low) + chance * (ndtr(high) - ndtr(low)))
        sigma = np.exp(theta["lnsigma_jitter"])
        return np.exp(theta["mu_jitter"] + np.where(flip, -x, x).T * sigma).T

    def draw(self, theta, shape, rng):
        """Scatters in km/s, the first axis that of theta, then those of ``shape``."""
        extra = (...,) + (None,) * len(shape)
        mu, sigma = theta["mu_jitter"][extra], np.exp(theta["lnsigma_jitter"])[extra]
        return np.exp(rng.normal(mu, sigma, (len(mu), *shape)))

    def initial(self, jitter):
        """A starting point from rough scatters of the stars, a dict of floats."""
        ln = np.log(jitter)
        return {"mu_jitter": np.mean(ln), "lnsigma_jitter": np.log(max(np.std(ln), 0.3))}

    def pymc(self, theta, **options):
        """The distribution as the PyMC variable jitter."""
        import pymc as pm

        sigma = pm.math.exp(theta["lnsigma_jitter"])
        return pm.LogNormal("jitter", mu=theta["mu_jitter"], sigma=sigma, **options)


# the names are those in users' files: they stay, wherever the classes go
register(LogNormalJitter, "astro_hier.populations.LogNormalJitter")
