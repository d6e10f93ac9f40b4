"""The scatter of velocities beyond their errors, of which any family describes the logarithm.

`Jitter` passes logarithms and parameters, by the family's own names, to the family that it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.core.normal import Floats
from astro_hier.part import Part
from astro_hier.populations import components, family
from astro_hier.populations.family import EVERYWHERE, Components, Population
from astro_hier.populations.normal import Normal
from astro_hier.populations.quantity import LN_JITTER
from astro_hier.posterior import Parameter, register

LEAST_LNSIGMA = np.log(0.3)  # of a starting point: those of a few stars may look alike by chance


class Jitter(Part):
    """Base of populations of jitters: a subclass has ``family``, that of ln(jitter / (km/s)).

    ``theta`` is a dict of float arrays of shape (theta,) by the names of ``parameters``, and
    scatters are in km/s.
    """

    family: Population

    @property
    def sampled(self) -> tuple[str, ...]:
        """Names of the parameters, all of which have priors."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the family that have priors, as they are called here."""
        of_family = {parameter.name: parameter for parameter in self.family.parameters}
        return tuple(LN_JITTER.parameter(of_family[name]) for name in self.family.sampled)

    def _own(self, values):
        """Values of parameters by the family's names."""
        return {
            name: values[here]
            for name, here in zip(self.family.sampled, self.sampled, strict=True)
            if here in values
        }

    def range(self) -> tuple[float, float]:
        """Scatters beyond which practically none lies, whatever the priors allow, in km/s."""
        frozen = {name: priors.as_prior(getattr(self, name)).frozen(u.one) for name in self.sampled}
        low, high = self.family.extent(self._own(frozen))
        return np.exp(low), np.exp(high)

    def log_density(self, jitter: np.ndarray, theta: Mapping) -> np.ndarray:
        """ln of the density per km/s at ``jitter`` (value,), shape (theta, value)."""
        return self.family.log_density(np.log(jitter), self._own(theta), EVERYWHERE) - np.log(
            jitter
        )

    def shares(self, low: Floats, high: Floats, theta: Mapping) -> np.ndarray:
        """Shares of stars whose scatters lie in cells, shape (cell, theta).

        ``low`` and ``high`` have shape (cell, instrument).
        """
        return np.prod(self.family.share(_ln(low), _ln(high), self._own(theta)), axis=1)

    def within(self, low: Floats, high: Floats, chance: Floats, theta: Mapping) -> np.ndarray:
        """Scatters between ends that have a share ``chance`` below them.

        All arguments except ``theta`` have shape (theta, instrument), as has the result.
        """
        return np.exp(self.family.within(_ln(low), _ln(high), chance, self._own(theta)))

    def draw(self, theta: Mapping, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Scatters in km/s, the first axis that of theta, then those of ``shape``."""
        drawn = self.family.draw(self._own(theta), EVERYWHERE, int(np.prod(shape)), rng)
        return np.exp(drawn).reshape(-1, *shape)

    def initial(self, jitter: np.ndarray) -> dict[str, float]:
        """A starting point from rough scatters of the stars, a dict of floats."""
        start = self.family.initial(np.log(jitter))
        return {here: start[n] for n, here in zip(self.family.sampled, self.sampled, strict=True)}

    def pymc(self, theta: Mapping, **options):
        """The distribution as the PyMC variable jitter."""
        self.family.check_pymc()
        if not isinstance(self.family, Components):
            raise ValueError(
                f"method='nuts' takes no jitter of {type(self.family).__name__}: fit with"
                " method='marginal'"
            )
        parts = self.family.components(self._own(theta))
        return components.pymc(parts, "jitter", logarithmic=True, **options)


def _ln(value):
    with np.errstate(divide="ignore"):
        return np.log(value)


@dataclass(frozen=True)
class LogNormalJitter(Jitter):
    """The scatter of the velocities beyond their errors: its ln is normal among stars.

    Parameters
    ----------
    mu_jitter : `~astro_hier.priors.Prior` or float
        Prior on the mean of ln(jitter / (km/s)).
    lnsigma_jitter : `~astro_hier.priors.Prior` or float
        Prior on ln of its standard deviation.
    """

    mu_jitter: priors.Prior | float = LN_JITTER.defaults["mu"]
    lnsigma_jitter: priors.Prior | float = LN_JITTER.defaults["lnsigma"]

    family = Normal()

    def __post_init__(self):
        family.check_priors(self, self.sampled)

    def initial(self, jitter: np.ndarray) -> dict[str, float]:
        start = super().initial(jitter)
        return start | {"lnsigma_jitter": max(start["lnsigma_jitter"], LEAST_LNSIGMA)}


@dataclass(frozen=True)
class JitterOf(Jitter):
    """The scatter of the velocities beyond their errors: its ln follows any family among stars.

    Parameters
    ----------
    family : `~astro_hier.populations.Population`
        Distribution of ln(jitter / (km/s)), such as
        ``populations.NormalMixture(mu1=priors.Normal(-3, 1), separation=priors.Uniform(0, 4))``.
        Its priors are of that, so say them: those of most families are meant for ln(P / d).

    Notes
    -----
    Parameters have the family's names with ``_jitter`` behind, such as ``mu1_jitter``.
    """

    family: Population = Normal()

    def __post_init__(self):
        if not isinstance(self.family, Population) or not all(
            self.family.agrees(method) for method in ("share", "within")
        ):
            raise ValueError(
                f"family={self.family!r}; expected is one of astro_hier.populations, whose methods"
                " share and within follow its density"
            )
        for name, here in zip(self.family.sampled, self.sampled, strict=True):
            # where a model looks for the priors of parameters
            given = getattr(self.family, name, None)
            vars(self)[here] = LN_JITTER.defaults.get(name) if given is None else given
        family.check_priors(self, self.sampled)


# the names are those in users' files: they stay, wherever the classes go
register(LogNormalJitter, "astro_hier.populations.LogNormalJitter")
register(JitterOf, "astro_hier.populations.JitterOf")
