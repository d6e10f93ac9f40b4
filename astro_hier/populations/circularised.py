"""Joint populations made of a family of ln P and a family of e.

With the families' densities f(ln P) and g(e), orbits are circular below a period P_circ:

    c(ln P) = f(ln P) [ln P < ln P_circ],    p(ln P, e) = f(ln P) g(e) [ln P >= ln P_circ].

P_circ is zero if the two are independent, and infinite if all orbits are circular. Tides make short
orbits circular: Meibom & Mathieu (2005, ApJ 620, 970) find that they did so below 3 to 16 d, in
clusters of solar-type binaries from the youngest to the oldest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core.floats import Theta
from astro_hier.populations import family
from astro_hier.populations.eccentricity import BOUND, KnownDistribution, number_of
from astro_hier.populations.eccentricity_families import Beta
from astro_hier.populations.family import Ends, Population
from astro_hier.populations.normal import Normal
from astro_hier.populations.period_eccentricity import PeriodEccentricity
from astro_hier.posterior import UNBOUNDED, Parameter, register

LN_P_CIRC = Parameter(
    "ln_P_circ", u.one, r"\ln P_\mathrm{circ}", "ln(P / d) below which orbits are circular",
    bounds=UNBOUNDED,
)  # fmt: skip
P_CIRC = Parameter("P_circ", u.day, r"P_\mathrm{circ}", "period below which orbits are circular")
CLEARLY_ECCENTRIC = 0.1  # at a starting point
START = 0.01, 0.95  # of an eccentricity that is sampled


class Factored(PeriodEccentricity):
    """Base of those with a ``period`` family and an ``eccentricity`` family."""

    period: Population
    eccentricity: Population
    own: tuple[Parameter, ...] = ()  # parameters of neither family

    def __post_init__(self):
        families = self.period, self.eccentricity
        if not all(isinstance(of, Population) for of in families):
            raise ValueError(
                f"period={self.period!r}, eccentricity={self.eccentricity!r}; expected families of"
                " astro_hier.populations"
            )
        names = [p.name for p in self.parameters]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(
                f"period={self.period!r} and eccentricity={self.eccentricity!r} both have a"
                f" parameter {', '.join(sorted(twice))}; expected a family of ln P and one of e"
            )
        for of in families:
            for name in of.sampled:
                # models look for a parameter's prior in the attribute of its name
                vars(self)[name] = getattr(of, name, None)
        family.check_priors(self, tuple(p.name for p in self.own))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.period.parameters, *self.eccentricity.parameters, *self.own)

    @property
    def sampled(self) -> tuple[str, ...]:
        return (*self.period.sampled, *self.eccentricity.sampled)

    @property
    def standard_normals(self) -> dict[str, int]:
        return self.period.standard_normals | self.eccentricity.standard_normals

    @property
    def coordinates(self) -> dict[str, np.ndarray]:
        return self.period.coordinates | self.eccentricity.coordinates

    def boundary(self, theta: Theta) -> np.ndarray:
        """ln of the period below which all orbits are circular, shape (theta,)."""
        raise NotImplementedError

    def log_density(
        self, ln_period: np.ndarray, e: np.ndarray, theta: Theta, ends: Ends
    ) -> np.ndarray:
        log_density = self.period.log_density(ln_period, theta, ends)
        log_density = log_density + self.eccentricity.log_density(e, theta, BOUND)
        return np.where(ln_period >= self.boundary(theta)[:, None], log_density, -np.inf)

    def log_density_of_circles(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        log_density = self.period.log_density(ln_period, theta, ends)
        return np.where(ln_period < self.boundary(theta)[:, None], log_density, -np.inf)

    def shares(
        self, ln_period_edges: np.ndarray, e_edges: np.ndarray, theta: Theta, ends: Ends
    ) -> np.ndarray:
        circles, others = self._period_shares(np.asarray(ln_period_edges, float), theta, ends)
        of_e = self.eccentricity.shares(e_edges, theta, BOUND)
        others = others[..., None] * of_e[:, None]
        return np.concatenate([circles[..., None], others], axis=2)

    def smallest_width(self, frozen: Mapping) -> float:
        return self.period.smallest_width({name: frozen[name] for name in self.period.sampled})

    def width(self, theta: Theta) -> np.ndarray:
        return self.period.width({name: theta[name] for name in self.period.sampled})

    def outside(self, theta: Theta, ends: Ends) -> np.ndarray:
        return self.period.outside(theta, ends)

    def _period_shares(self, edges, theta, ends):
        """Shares in cells of ln P of circular orbits and of the others, each (theta, cell)."""
        whole = self.period.shares(edges, theta, ends)
        boundary = self.boundary(theta)
        circular = edges[1:] <= boundary[:, None]
        circles, others = np.where(circular, whole, 0.0), np.where(circular, 0.0, whole)
        cell = np.searchsorted(edges, boundary, side="right") - 1
        split = np.flatnonzero((cell >= 0) & (cell < len(edges) - 1))  # of these theta, one cell is
        some, cell = {name: x[split] for name, x in theta.items()}, cell[split]
        if len(split):
            of = edges[cell], boundary[split], edges[cell + 1]
            circles[split, cell] = self.period.share_of_each(of[0], of[1], some, ends)
            others[split, cell] = self.period.share_of_each(of[1], of[2], some, ends)
        return circles, others

    def draw(
        self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        ln_period = self.period.draw(theta, ends, size, rng)
        e = self.eccentricity.draw(theta, BOUND, size, rng)
        return ln_period, np.where(ln_period < self.boundary(theta)[:, None], 0.0, e)

    def derive(self, theta: Theta) -> dict:
        return self.period.derive(theta) | self.eccentricity.derive(theta)

    def initial(self, ln_period: np.ndarray, e: np.ndarray) -> dict:
        return self.period.initial(ln_period) | self.eccentricity.initial(e)


@dataclass(frozen=True)
class Independent(Factored):
    """Periods and eccentricities are independent of each other; no orbit is exactly circular.

    Parameters
    ----------
    period, eccentricity : `~astro_hier.populations.Population`, optional
        Families of ln(P / d) and of e.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.Independent()
    >>> model = BinaryPopulation(population=family)
    >>> [p.name for p in family.parameters]
    ['mu', 'lnsigma', 'sigma', 'alpha_e', 'beta_e']
    """

    period: Population = Normal()
    eccentricity: Population = Beta()

    has_circles = False

    def boundary(self, theta: Theta) -> np.ndarray:
        return np.full(number_of(theta), -np.inf)

    def pymc(self, theta: Mapping, ends: Ends, initial: Mapping | None = None, **options) -> dict:
        start = {name: initial[name] for name in ("lnP", "e")} if initial else {}
        if "e" in start:
            start["e"] = np.clip(start["e"], *START)
        of_each = {name: {"initval": of, **options} for name, of in start.items()}
        return {
            "lnP": self.period.pymc(theta, ends, **of_each.get("lnP", options)),
            "e": self.eccentricity.pymc(theta, BOUND, **of_each.get("e", options)),
        }

    def check_pymc(self) -> None:
        self.period.check_pymc()
        self.eccentricity.check_pymc()


@dataclass(frozen=True)
class Circularised(Factored):
    """All orbits are circular below a period that is inferred; above, e has a family of its own.

    Parameters
    ----------
    period, eccentricity : `~astro_hier.populations.Population`, optional
        Families of ln(P / d) and, for orbits longer than that period, of e.
    ln_P_circ : `~astro_hier.priors.Prior` or float, optional
        Prior on ln(P_circ / d), by default centred on 10 d.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.Circularised()
    >>> model = BinaryPopulation(population=family)
    >>> [p.name for p in family.parameters]
    ['mu', 'lnsigma', 'sigma', 'alpha_e', 'beta_e', 'ln_P_circ', 'P_circ']
    """

    period: Population = Normal()
    eccentricity: Population = Beta()
    ln_P_circ: priors.Prior | float = priors.Normal(2.3, 0.7)

    own = (LN_P_CIRC, P_CIRC)

    @property
    def sampled(self) -> tuple[str, ...]:
        return (*super().sampled, "ln_P_circ")

    def boundary(self, theta: Theta) -> np.ndarray:
        return theta["ln_P_circ"]

    def derive(self, theta: Theta) -> dict:
        return super().derive(theta) | {"P_circ": np.exp(theta["ln_P_circ"])}

    def initial(self, ln_period: np.ndarray, e: np.ndarray) -> dict:
        eccentric = e > CLEARLY_ECCENTRIC
        longer = e[ln_period >= ln_period[eccentric].min()] if eccentric.any() else e
        shortest = ln_period[eccentric].min() if eccentric.any() else ln_period.max()
        start = float(np.clip(shortest, *priors.bulk(self.ln_P_circ, u.one)))
        return super().initial(ln_period, longer) | {"ln_P_circ": start}


@dataclass(frozen=True)
class Circular(Factored):
    """All orbits are circular.

    Parameters
    ----------
    period : `~astro_hier.populations.Population`, optional
        Family of ln(P / d).

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> family = populations.Circular()
    >>> model = BinaryPopulation(population=family)
    >>> [p.name for p in family.parameters]
    ['mu', 'lnsigma', 'sigma']
    """

    period: Population = Normal()

    eccentricity = KnownDistribution()  # of the others, of which there are none

    def boundary(self, theta: Theta) -> np.ndarray:
        return np.full(number_of(theta), np.inf)

    def pymc(self, theta: Mapping, ends: Ends, initial: Mapping | None = None, **options) -> dict:
        start = {"initval": initial["lnP"]} if initial else {}
        lnP = self.period.pymc(theta, ends, **start, **options)
        return {"lnP": lnP, "e": 0.0 * lnP}

    def check_pymc(self) -> None:
        self.period.check_pymc()


# users' files hold these names: they stay the same, wherever the classes move
register(Independent, "astro_hier.populations.Independent")
register(Circularised, "astro_hier.populations.Circularised")
register(Circular, "astro_hier.populations.Circular")
