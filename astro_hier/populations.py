"""Distributions of the logarithm of the period in a population of binaries, and of their jitter.

`Population` says what makes one of periods.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri

from astro_hier import priors
from astro_hier.posterior import UNBOUNDED, Parameter, register

__all__ = ["LogNormalJitter", "Normal", "NormalMixture", "Population", "TruncatedNormal"]

MU = Parameter("mu", u.one, r"\mu", "mean of ln(P / d)", bounds=UNBOUNDED)
LNSIGMA = Parameter("lnsigma", u.one, r"\ln\sigma", "ln of sigma", bounds=UNBOUNDED)
SIGMA = Parameter("sigma", u.one, r"\sigma", "standard deviation of ln(P / d)")
SMALL = 1e-3  # lower quantile that stands for the smallest width a prior allows


def _log_normal(ln_period, mu, sigma):
    """ln of the normal density, shape (theta, period)."""
    scaled = (ln_period - mu[:, None]) / sigma[:, None]
    return -0.5 * scaled**2 - np.log(np.sqrt(2 * np.pi) * sigma)[:, None]


def _smallest(prior):
    low = prior.support()[0]
    return float(np.exp(low if np.isfinite(low) else prior.ppf(SMALL)))


class Population:
    """Base of all populations: what a new one has to say.

    A population is a frozen dataclass whose fields are its own priors, if it has any. It declares
    ``parameters``, a tuple of `~astro_hier.posterior.Parameter`, and ``sampled``, the names of
    those that have a prior; the model's own priors serve those called mu and lnsigma. ``theta``
    is a dict of float arrays of shape (theta,) by those names, ``ends`` are the ln of the shortest
    and longest period searched, and periods are ln(P / d).
    """

    parameters = ()
    sampled = ()

    def log_density(self, ln_period, theta, ends):
        """ln of the density at ``ln_period`` (period,) for each theta, shape (theta, period)."""
        raise NotImplementedError

    def outside(self, theta, ends):
        """Shares of the population at ln periods below and above ``ends``, shape (2, theta)."""
        raise NotImplementedError

    def draw(self, theta, ends, size, rng):
        """ln periods of ``size`` members for each theta, shape (theta, size)."""
        raise NotImplementedError

    def derive(self, theta):
        """Parameters that follow from those sampled, a dict of arrays."""
        return {}

    def smallest_width(self, frozen):
        """The narrowest feature of the density that the priors ``frozen`` allow, in ln P."""
        raise NotImplementedError

    def initial(self, ln_period):
        """A starting point from rough ln periods of the stars, a dict of floats."""
        raise NotImplementedError

    def pymc(self, theta, ends, **options):
        """The distribution as the PyMC variable lnP; only ``method="nuts"`` asks for it."""
        raise NotImplementedError

    def check_pymc(self):
        """Refuse where ``pymc`` is missing, or that of a class whose density is another."""
        of = [next(c for c in type(self).__mro__ if f in vars(c)) for f in ("pymc", "log_density")]
        if of[0] is Population or not issubclass(*of):
            raise ValueError(
                f"{type(self).__name__} has a log_density but no pymc of its own, which"
                " method='nuts' needs: write pymc, or fit with method='marginal'"
            )


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


@dataclass(frozen=True)
class NormalMixture(Population):
    """Two normal distributions of ln(P / d), of means mu and mu + separation.

    Parameters
    ----------
    mu1, separation, lnsigma1, lnsigma2, fraction1 : `~astro_hier.priors.Prior`
        Priors on the mean of the component of shorter periods, on how far the other lies above
        it (positive), on ln of their standard deviations, and on the share of the first.
    """

    mu1: priors.Prior = priors.Uniform(-1, 8)
    separation: priors.Prior = priors.Uniform(0, 8)
    lnsigma1: priors.Prior = priors.Uniform(-2, 2)
    lnsigma2: priors.Prior = priors.Uniform(-2, 2)
    fraction1: priors.Prior = priors.Beta(1, 1)

    parameters = (
        Parameter(
            "mu1", u.one, r"\mu_1", "mean of ln(P / d) of the first component", bounds=UNBOUNDED
        ),
        Parameter(
            "separation",
            u.one,
            r"\Delta\mu",
            "how far the second mean lies above",
            bounds=(0, np.inf),
        ),
        Parameter(
            "lnsigma1",
            u.one,
            r"\ln\sigma_1",
            "ln of the first standard deviation",
            bounds=UNBOUNDED,
        ),
        Parameter(
            "lnsigma2",
            u.one,
            r"\ln\sigma_2",
            "ln of the second standard deviation",
            bounds=UNBOUNDED,
        ),
        Parameter("fraction1", u.one, "f_1", "share of the first component", bounds=(0, 1)),
        Parameter("mu2", u.one, r"\mu_2", "mean of ln(P / d) of the second component"),
    )
    sampled = ("mu1", "separation", "lnsigma1", "lnsigma2", "fraction1")

    def __post_init__(self):
        bounds = {"fraction1": (0, 1), "separation": (0,)}
        for name in self.sampled:
            priors.check(name, priors.as_prior(getattr(self, name)), u.one, *bounds.get(name, ()))

    def _components(self, theta):
        share = theta["fraction1"]
        return (
            (share, theta["mu1"], np.exp(theta["lnsigma1"])),
            (1 - share, theta["mu1"] + theta["separation"], np.exp(theta["lnsigma2"])),
        )

    def log_density(self, ln_period, theta, ends):
        parts = [
            np.log(np.maximum(share, 1e-300))[:, None] + _log_normal(ln_period, mu, sigma)
            for share, mu, sigma in self._components(theta)
        ]
        return logsumexp(parts, axis=0)

    def outside(self, theta, ends):
        return sum(
            share * np.array([ndtr((ends[0] - mu) / sigma), ndtr((mu - ends[1]) / sigma)])
            for share, mu, sigma in self._components(theta)
        )

    def draw(self, theta, ends, size, rng):
        (share, *first), (_, *second) = self._components(theta)
        of_first = rng.random((len(share), size)) < share[:, None]
        mu, sigma = (
            np.where(of_first, x[:, None], y[:, None]) for x, y in zip(first, second, strict=True)
        )
        return rng.normal(mu, sigma)

    def derive(self, theta):
        return {"mu2": theta["mu1"] + theta["separation"]}

    def smallest_width(self, frozen):
        return min(_smallest(frozen["lnsigma1"]), _smallest(frozen["lnsigma2"]))

    def initial(self, ln_period):
        low, high = np.quantile(ln_period, [0.25, 0.75])
        width = np.log(max(np.std(ln_period) / 2, 0.2))
        return {"mu1": low, "separation": max(high - low, 0.1), "lnsigma1": width,
                "lnsigma2": width, "fraction1": 0.5}  # fmt: skip

    def pymc(self, theta, ends, **options):
        import pymc as pm

        mu2 = pm.Deterministic("mu2", theta["mu1"] + theta["separation"])
        weights = pm.math.stack([theta["fraction1"], 1 - theta["fraction1"]])
        return pm.NormalMixture(
            "lnP",
            w=weights,
            mu=pm.math.stack([theta["mu1"], mu2]),
            sigma=pm.math.exp(pm.math.stack([theta["lnsigma1"], theta["lnsigma2"]])),
            **options,
        )


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
            prior = priors.as_prior(getattr(self, parameter.name))
            priors.check(parameter.name, prior, u.one)

    def _scaled(self, value, theta):
        """ln of a scatter in standard deviations from the mean, the last axis that of theta."""
        with np.errstate(divide="ignore"):
            return (np.log(value) - theta["mu_jitter"]) / np.exp(theta["lnsigma_jitter"])

    def range(self):
        """Scatters beyond which practically none lies, whatever the priors allow, in km/s."""
        mu, sigma = (
            priors.as_prior(prior).frozen(u.one) for prior in (self.mu_jitter, self.lnsigma_jitter)
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
register(Normal, "astro_hier.populations.Normal")
register(TruncatedNormal, "astro_hier.populations.TruncatedNormal")
register(NormalMixture, "astro_hier.populations.NormalMixture")
register(LogNormalJitter, "astro_hier.populations.LogNormalJitter")
