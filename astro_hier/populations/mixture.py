"""Two normal distributions of ln P."""

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.populations import components, family
from astro_hier.populations.normal import MIN_SPREAD
from astro_hier.populations.weighted_normals import Components
from astro_hier.posterior import UNBOUNDED, Parameter, register

MU1 = Parameter(
    "mu1", u.one, r"\mu_1", "mean of ln(P / d) of the first component", bounds=UNBOUNDED
)
SEPARATION = Parameter(
    "separation", u.one, r"\Delta\mu", "how far the second mean lies above", bounds=(0, np.inf)
)
LNSIGMA1 = Parameter(
    "lnsigma1", u.one, r"\ln\sigma_1", "ln of the first standard deviation", bounds=UNBOUNDED
)
LNSIGMA2 = Parameter(
    "lnsigma2", u.one, r"\ln\sigma_2", "ln of the second standard deviation", bounds=UNBOUNDED
)
FRACTION1 = Parameter("fraction1", u.one, "f_1", "share of the first component", bounds=(0, 1))
MU2 = Parameter("mu2", u.one, r"\mu_2", "mean of ln(P / d) of the second component")
SIGMA1 = Parameter(
    "sigma1", u.one, r"\sigma_1", "standard deviation of ln(P / d) of the first component"
)
SIGMA2 = Parameter(
    "sigma2", u.one, r"\sigma_2", "standard deviation of ln(P / d) of the second component"
)


@dataclass(frozen=True)
class NormalMixture(Components):
    """Two normal distributions of ln(P / d), with means mu1 and mu1 + separation.

    Parameters
    ----------
    mu1, separation, lnsigma1, lnsigma2, fraction1 : `~astro_hier.priors.Prior`
        Priors on the mean of the component of shorter periods, on how far the other's mean lies
        above it (positive), on ln of their standard deviations, and on the share of the first.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.NormalMixture()
    >>> model = BinaryPopulation(population=family)
    >>> family.sampled
    ('mu1', 'separation', 'lnsigma1', 'lnsigma2', 'fraction1')
    >>> [p.name for p in family.parameters if p.name not in family.sampled]
    ['mu2', 'sigma1', 'sigma2']
    """

    mu1: priors.Prior = priors.Uniform(-1, 8)
    separation: priors.Prior = priors.Uniform(0, 8)
    lnsigma1: priors.Prior = priors.Uniform(-2, 2)
    lnsigma2: priors.Prior = priors.Uniform(-2, 2)
    fraction1: priors.Prior = priors.Beta(1, 1)

    parameters = (MU1, SEPARATION, LNSIGMA1, LNSIGMA2, FRACTION1, MU2, SIGMA1, SIGMA2)
    sampled = ("mu1", "separation", "lnsigma1", "lnsigma2", "fraction1")
    in_unit = ("mu1", "separation", "mu2", "sigma1", "sigma2")

    def __post_init__(self):
        family.check_priors(self, self.sampled)

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, priors.Prior]:
        narrower = priors.Normal(np.log(spread / 2), 1)
        return {
            "mu1": priors.Normal((middle - spread) * unit, 3 * spread * unit),
            "separation": priors.HalfNormal(4 * spread * unit),
            "lnsigma1": narrower,
            "lnsigma2": narrower,
        }

    def components(self, theta: Mapping) -> components.Parts:
        share = theta["fraction1"]
        return [
            (share, theta["mu1"], np.exp(theta["lnsigma1"])),
            (1 - share, theta["mu1"] + theta["separation"], np.exp(theta["lnsigma2"])),
        ]

    def derive(self, theta: Mapping) -> dict:
        scales = {f"sigma{n}": np.exp(theta[f"lnsigma{n}"]) for n in (1, 2)}
        return {"mu2": theta["mu1"] + theta["separation"], **scales}

    def initial(self, ln_period: np.ndarray) -> dict[str, float]:
        low, high = np.quantile(ln_period, [0.25, 0.75])
        width = np.log(max(np.std(ln_period) / 2, MIN_SPREAD))
        return {"mu1": low, "separation": max(high - low, 0.1), "lnsigma1": width,
                "lnsigma2": width, "fraction1": 0.5}  # fmt: skip


# users' files hold these names: they stay the same, wherever the classes move
register(NormalMixture, "astro_hier.populations.NormalMixture")
