"""One normal distribution of ln P, whole or truncated to the range that is searched."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import ClassVar

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.populations import components, family
from astro_hier.populations.weighted_normals import Components, Truncated
from astro_hier.posterior import UNBOUNDED, Parameter, register
from astro_hier.priors import Prior

MU = Parameter("mu", u.one, r"\mu", "mean of ln(P / d)", bounds=UNBOUNDED)
LNSIGMA = Parameter("lnsigma", u.one, r"\ln\sigma", "ln of sigma", bounds=UNBOUNDED)
SIGMA = Parameter("sigma", u.one, r"\sigma", "standard deviation of ln(P / d)")
MIN_SPREAD = 0.2  # of ln P at a starting point


@dataclass(frozen=True, repr=False)
class Normal(Components):
    """ln(P / d) ~ Normal(mu, sigma).

    Parameters
    ----------
    mu, lnsigma : `~astro_hier.priors.Prior` or float, optional
        Priors on the mean and on ln of the standard deviation; by default those of the model.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.Normal()
    >>> model = BinaryPopulation(population=family)
    >>> [p.name for p in family.parameters]
    ['mu', 'lnsigma', 'sigma']
    """

    _: KW_ONLY
    mu: Prior | float | None = None
    lnsigma: Prior | float | None = None

    parameters = (MU, LNSIGMA, SIGMA)
    sampled = ("mu", "lnsigma")
    in_unit: ClassVar[tuple[str, ...]] = ("mu", "sigma")

    def __post_init__(self):
        family.check_priors(self, ("mu", "lnsigma"))

    def __repr__(self):
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        said = (f"{name}={value!r}" for name, value in given.items() if value is not None)
        return f"{type(self).__name__}({', '.join(said)})"

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, Prior]:
        return {
            "mu": priors.Normal(middle * unit, 3 * spread * unit),
            "lnsigma": priors.Normal(np.log(spread), 1.5),
        }

    def components(self, theta: Mapping) -> components.Parts:
        return [(1.0, theta["mu"], np.exp(theta["lnsigma"]))]

    def derive(self, theta: Mapping) -> dict:
        return {"sigma": np.exp(theta["lnsigma"])}

    def initial(self, ln_period: np.ndarray) -> dict[str, float]:
        spread = max(np.std(ln_period), MIN_SPREAD)
        return {"mu": np.mean(ln_period), "lnsigma": np.log(spread)}


@dataclass(frozen=True, repr=False)
class TruncatedNormal(Truncated, Normal):
    """ln(P / d) ~ Normal(mu, sigma), truncated to the periods searched: none lie beyond.

    Parameters
    ----------
    mu, lnsigma : `~astro_hier.priors.Prior` or float, optional
        Priors on the parameters of the normal distribution before it is truncated.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.TruncatedNormal()
    >>> model = BinaryPopulation(population=family)
    >>> [p.name for p in family.parameters]
    ['mu', 'lnsigma', 'sigma']
    """


# users' files hold these names: they stay the same, wherever the classes move
register(Normal, "astro_hier.populations.Normal")
register(TruncatedNormal, "astro_hier.populations.TruncatedNormal")
