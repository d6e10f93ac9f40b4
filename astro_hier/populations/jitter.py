"""Populations of jitters, the scatter of velocities beyond their errors.

A family describes the logarithm of the jitter. `Jitter` passes logarithms, and parameters under the
family's own names, to the family that it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core.normal import Floats
from astro_hier.part import Part
from astro_hier.populations import components, family
from astro_hier.populations.family import EVERYWHERE, Population
from astro_hier.populations.normal import Normal
from astro_hier.populations.quantity import LN_JITTER
from astro_hier.populations.weighted_normals import Components
from astro_hier.posterior import Parameter, register

MIN_LNSIGMA = np.log(0.3)  # at a starting point: jitters of a few stars may agree by chance


class Jitter(Part):
    """Base of populations of jitters: a subclass sets ``family``, that of ln(jitter / (km/s)).

    ``theta`` is a dict of float arrays of shape (theta,) by the names of ``parameters``; jitters
    are in km/s.
    """

    family: Population

    @property
    def sampled(self) -> tuple[str, ...]:
        """Names of the parameters that have priors."""
        known = {parameter.name: parameter for parameter in self.family.parameters}
        return tuple(LN_JITTER.parameter(known[name]).name for name in self.family.sampled)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The family's parameters that have one value, under their names here."""
        return tuple(LN_JITTER.parameter(of) for of in self.family.parameters if not of.dims)

    def derive(self, theta: Mapping[str, Any]) -> dict[str, Any]:
        derived, known = self.family.derive(self._own(theta)), self.family.parameters
        return {
            LN_JITTER.parameter(of).name: derived[of.name]
            for of in known if of.name in derived and not of.dims
        }  # fmt: skip

    def _own(self, values):
        """Values of the parameters under the family's names."""
        return {
            name: values[here]
            for name, here in zip(self.family.sampled, self.sampled, strict=True)
            if here in values
        }

    def range(self) -> tuple[float, float]:
        """Lowest and highest jitter [km/s] that the priors practically allow."""
        frozen = {name: priors.as_prior(getattr(self, name)).frozen(u.one) for name in self.sampled}
        low, high = self.family.extent(self._own(frozen))
        return np.exp(low), np.exp(high)

    def log_density(self, jitter: np.ndarray, theta: Mapping) -> np.ndarray:
        """ln of the density per km/s at ``jitter`` (value,), shape (theta, value)."""
        return self.family.log_density(np.log(jitter), self._own(theta), EVERYWHERE) - np.log(
            jitter
        )

    def shares(self, low: Floats, high: Floats, theta: Mapping) -> np.ndarray:
        """Shares of stars whose jitters lie in cells, shape (cell, theta).

        ``low`` and ``high`` have shape (cell, instrument).
        """
        return np.prod(self.family.share(_ln(low), _ln(high), self._own(theta)), axis=1)

    def within(self, low: Floats, high: Floats, chance: Floats, theta: Mapping) -> np.ndarray:
        """Jitters below which the fraction ``chance`` of an interval's share lies.

        The result and all arguments except ``theta`` have shape (theta, instrument).
        """
        return np.exp(self.family.within(_ln(low), _ln(high), chance, self._own(theta)))

    def draw(self, theta: Mapping, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Jitters in km/s; the first axis is that of theta, followed by those of ``shape``."""
        drawn = self.family.draw(self._own(theta), EVERYWHERE, int(np.prod(shape)), rng)
        return np.exp(drawn).reshape(-1, *shape)

    def initial(self, jitter: np.ndarray) -> dict[str, float]:
        """A starting point from rough jitters of the stars, a dict of floats."""
        start = self.family.initial(np.log(jitter))
        return {here: start[n] for n, here in zip(self.family.sampled, self.sampled, strict=True)}

    def pymc(self, theta: Mapping, **options):
        """The distribution as the PyMC variable jitter."""
        self.family.check_pymc()
        if not isinstance(self.family, Components):
            raise ValueError(
                f"method='nuts' cannot sample jitters from {type(self.family).__name__}: fit with"
                " method='marginal'"
            )
        parts = self.family.components(self._own(theta))
        return components.pymc(parts, "jitter", logarithmic=True, **options)


def _ln(value):
    with np.errstate(divide="ignore"):
        return np.log(value)


@dataclass(frozen=True)
class LogNormalJitter(Jitter):
    """The scatter of velocities beyond their errors: its ln is normally distributed among stars.

    Parameters
    ----------
    mu_jitter : `~astro_hier.priors.Prior` or float
        Prior on the mean of ln(jitter / (km/s)).
    lnsigma_jitter : `~astro_hier.priors.Prior` or float
        Prior on ln of the standard deviation of ln(jitter / (km/s)).

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> jitter = populations.LogNormalJitter()
    >>> model = BinaryPopulation(jitter=jitter)
    >>> [p.name for p in jitter.parameters]
    ['mu_jitter', 'lnsigma_jitter', 'sigma_jitter']
    """

    mu_jitter: priors.Prior | float = LN_JITTER.defaults["mu"]
    lnsigma_jitter: priors.Prior | float = LN_JITTER.defaults["lnsigma"]

    family = Normal()

    def __post_init__(self):
        family.check_priors(self, self.sampled)

    def initial(self, jitter: np.ndarray) -> dict[str, float]:
        start = super().initial(jitter)
        return start | {"lnsigma_jitter": max(start["lnsigma_jitter"], MIN_LNSIGMA)}


@dataclass(frozen=True)
class JitterOf(Jitter):
    """The scatter of velocities beyond their errors: its ln follows any family among stars.

    Parameters
    ----------
    family : `~astro_hier.populations.Population`
        Distribution of ln(jitter / (km/s)), such as
        ``populations.NormalMixture(mu1=priors.Normal(-3, 1), separation=priors.Uniform(0, 4))``.
        State its priors: the defaults of most families are meant for ln(P / d).

    Notes
    -----
    Parameters have the family's names followed by ``_jitter``, such as ``mu1_jitter``.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, populations
    >>> jitter = populations.JitterOf()
    >>> model = BinaryPopulation(jitter=jitter)
    >>> [p.name for p in jitter.parameters]
    ['mu_jitter', 'lnsigma_jitter', 'sigma_jitter']
    """

    family: Population = Normal()

    def __post_init__(self):
        if (
            not isinstance(self.family, Population)
            or self.family.standard_normals
            or type(self.family).extent is Population.extent
            or not all(self.family.agrees(method) for method in ("share", "within"))
        ):
            raise ValueError(
                f"family={self.family!r}; expected one of astro_hier.populations whose parameters"
                " have one value each, that says how far it extends, and whose methods share and"
                " within follow from its density, such as populations.NormalMixture()"
            )
        for name, here in zip(self.family.sampled, self.sampled, strict=True):
            # models look for a parameter's prior in the attribute of its name
            given = getattr(self.family, name, None)
            vars(self)[here] = LN_JITTER.defaults.get(name) if given is None else given
        family.check_priors(self, self.sampled)


# users' files hold these names: they stay the same, wherever the classes move
register(LogNormalJitter, "astro_hier.populations.LogNormalJitter")
register(JitterOf, "astro_hier.populations.JitterOf")
