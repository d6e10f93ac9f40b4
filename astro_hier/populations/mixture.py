"""Several normal distributions of ln P."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from scipy.special import logsumexp, ndtr

from astro_hier import priors
from astro_hier.populations.family import Population, _log_normal, _smallest
from astro_hier.posterior import UNBOUNDED, Parameter, register


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
            priors.check(name, priors.of(getattr(self, name)), u.one, *bounds.get(name, ()))

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


# the names are those in users' files: they stay, wherever the classes go
register(NormalMixture, "astro_hier.populations.NormalMixture")
