"""Distributions of two quantities at once: a normal one with a correlation, and products.

Each of the two numbers has a family of its own, that of its marginal distribution. A pair says how
they go together. `Product` has them independent, p(x, y) = f(x) g(y); for `BivariateNormal`,

    x ~ N(mu_1, sigma_1),
    y | x ~ N(mu_2 + rho sigma_2 (x - mu_1) / sigma_1, sigma_2 (1 - rho^2)^(1/2)).

Parameters of the families keep their names; ``thetas`` are those of the one, of the other, and of
neither, three dicts of arrays of shape (theta, ...).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core import normal
from astro_hier.core.floats import Theta
from astro_hier.part import Part
from astro_hier.populations import family
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.populations.normal import Normal
from astro_hier.posterior import Parameter, register

Thetas = tuple[Theta, Theta, Theta]

CORRELATION = Parameter("correlation", u.one, r"\rho", "correlation coefficient", bounds=(-1, 1))
HIGHEST = 0.95  # correlation of a starting point
LEAST = 1e-14  # 1 - correlation^2: at the ends of its prior, the density remains one


class Pair(Part):
    """Base of distributions of two numbers: a new one writes the methods that follow.

    A pair is a frozen dataclass. It declares ``own``, a tuple of the parameters of neither family,
    whose priors are fields of their names.
    """

    own: tuple[Parameter, ...] = ()

    @property
    def families(self) -> tuple[Population, Population]:
        """The distribution of the one number whatever the other, and that of the other."""
        raise NotImplementedError

    def log_density(
        self, x: np.ndarray, y: np.ndarray, thetas: Thetas, ends: Sequence[Ends]
    ) -> np.ndarray:
        """ln of the density at points (x, y), each of shape (point,): shape (theta, point)."""
        raise NotImplementedError

    def draw(
        self, thetas: Thetas, ends: Sequence[Ends], size: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both numbers of ``size`` members for each theta, each of shape (theta, size)."""
        raise NotImplementedError

    def initial(self, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """A starting point of its own parameters, from rough values (object,)."""
        return {}


@dataclass(frozen=True)
class Product(Pair):
    """Two quantities that are independent of each other.

    Parameters
    ----------
    first, second : `~astro_hier.populations.Population`
        The families of the one and of the other.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, populations
    >>> family = populations.Product(populations.LogNormal(), populations.Normal())
    >>> model = SamplePopulation(quantity=("mass", "spin"), population=family)
    """

    first: Population
    second: Population

    def __post_init__(self):
        if not all(isinstance(of, Population) for of in self.families):
            raise ValueError(
                f"first={self.first!r}, second={self.second!r}; expected families of"
                " astro_hier.populations, such as populations.Normal()"
            )

    @property
    def families(self) -> tuple[Population, Population]:
        return self.first, self.second

    def log_density(
        self, x: np.ndarray, y: np.ndarray, thetas: Thetas, ends: Sequence[Ends]
    ) -> np.ndarray:
        of_x = self.first.log_density(x, thetas[0], ends[0])
        return of_x + self.second.log_density(y, thetas[1], ends[1])

    def draw(
        self, thetas: Thetas, ends: Sequence[Ends], size: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        x = self.first.draw(thetas[0], ends[0], size, rng)
        return x, self.second.draw(thetas[1], ends[1], size, rng)


@dataclass(frozen=True)
class BivariateNormal(Pair):
    """Two quantities are normal together, with a correlation.

    Parameters
    ----------
    mu1, lnsigma1, mu2, lnsigma2 : `~astro_hier.priors.Prior` or float, optional
        Priors on the means of both quantities, and on ln of their standard deviations; by default
        about those of the values.
    correlation : `~astro_hier.priors.Prior` or float, optional
        Prior on their correlation coefficient.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, populations
    >>> family = populations.BivariateNormal()
    >>> model = SamplePopulation(quantity=("mass", "radius"), population=family)
    >>> [p.name for p in family.parameters]
    ['correlation']
    """

    mu1: priors.Prior | u.Quantity | float | None = None
    lnsigma1: priors.Prior | float | None = None
    mu2: priors.Prior | u.Quantity | float | None = None
    lnsigma2: priors.Prior | float | None = None
    correlation: priors.Prior | float = priors.Uniform(-1, 1)

    own = (CORRELATION,)

    def __post_init__(self):
        family.check_priors(self, ("correlation",))
        self.families  # noqa: B018  # which check theirs

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.own

    @property
    def families(self) -> tuple[Population, Population]:
        first = Normal(mu=self.mu1, lnsigma=self.lnsigma1)
        return first, Normal(mu=self.mu2, lnsigma=self.lnsigma2)

    def log_density(
        self,
        x: np.ndarray,
        y: np.ndarray,
        thetas: Thetas,
        ends: Sequence[Ends] = (EVERYWHERE, EVERYWHERE),
    ) -> np.ndarray:
        (mean_x, sd_x), (mean_y, sd_y), rho = _columns(thetas)
        given_x = mean_y + rho * sd_y / sd_x * (x - mean_x)
        rest = np.sqrt(np.maximum((1 - rho) * (1 + rho), LEAST))
        of_y = normal.log_density(y, given_x, sd_y * rest)
        return normal.log_density(x, mean_x, sd_x) + of_y

    def draw(
        self, thetas: Thetas, ends: Sequence[Ends], size: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        (mean_x, sd_x), (mean_y, sd_y), rho = _columns(thetas)
        of_x, rest = rng.normal(size=(2, len(rho), size))
        of_y = rho * of_x + np.sqrt((1 - rho) * (1 + rho)) * rest
        return mean_x + sd_x * of_x, mean_y + sd_y * of_y

    def initial(self, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        if len(x) < 3 or not np.std(x) * np.std(y) > 0:
            return {"correlation": 0.0}
        return {"correlation": float(np.clip(np.corrcoef(x, y)[0, 1], -HIGHEST, HIGHEST))}


def _columns(thetas):
    """Mean and standard deviation of both numbers, and their correlation, shape (theta, 1)."""
    each = [(of["mu"][:, None], np.exp(of["lnsigma"])[:, None]) for of in thetas[:2]]
    return *each, thetas[2]["correlation"][:, None]


# users' files hold these names: they stay the same, wherever the classes move
register(Product, "astro_hier.populations.Product")
register(BivariateNormal, "astro_hier.populations.BivariateNormal")
