"""A log-normal distribution: ln of a quantity is normally distributed."""

from dataclasses import dataclass
from typing import ClassVar

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.populations.normal import LNSIGMA, Normal
from astro_hier.posterior import UNBOUNDED, Parameter, register

LEAST_SPREAD = 1e-3  # of ln of the quantity, at a starting point
MU = Parameter("mu", u.one, r"\mu", "mean of ln of the quantity", bounds=UNBOUNDED)
SIGMA = Parameter("sigma", u.one, r"\sigma", "standard deviation of ln of the quantity")


@dataclass(frozen=True, repr=False)
class LogNormal(Normal):
    """ln of a positive quantity ~ Normal(mu, sigma).

    Parameters
    ----------
    mu, lnsigma : `~astro_hier.priors.Prior` or float, optional
        Priors on the mean of ln(quantity / unit), where the unit is that of the model, and on ln of
        its standard deviation; by default about those of the values.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, populations
    >>> family = populations.LogNormal()
    >>> model = SamplePopulation(quantity="mass", population=family)
    >>> [p.name for p in family.parameters]
    ['mu', 'lnsigma', 'sigma']
    """

    quantity = "any"
    scale = "ln"
    parameters = (MU, LNSIGMA, SIGMA)
    in_unit: ClassVar[tuple[str, ...]] = ()

    def priors_for(self, middle: float, spread: float, unit: u.UnitBase) -> dict[str, priors.Prior]:
        return super().priors_for(middle, spread, u.one)

    def initial(self, ln_x: np.ndarray) -> dict[str, float]:
        return {"mu": np.mean(ln_x), "lnsigma": np.log(max(np.std(ln_x), LEAST_SPREAD))}


# users' files hold this name: it stays the same, wherever the class moves
register(LogNormal, "astro_hier.populations.LogNormal")
