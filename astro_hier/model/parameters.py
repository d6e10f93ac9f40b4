"""The priors of a model's parameters, which the model or its parts hold."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from astro_hier import priors
from astro_hier.core.above import Above
from astro_hier.core.floats import Theta
from astro_hier.given import names as as_names
from astro_hier.model.arguments import Arguments
from astro_hier.posterior import LOG_PROB, Parameter

__all__ = ["Priors"]

MAX_ROUNDS = 1000  # of draws from priors that depend on each other
ABOVE_END = 1.2  # factor by which a starting point lies above the lower end of a prior


class Priors(Arguments):
    """The priors of the parameters that a model declares.

    The prior of a parameter is an attribute, with its name, of the model itself or of one of its
    ``parts``.
    """

    @property
    def parameters(self) -> Sequence[Parameter]:
        """All quantities of the posterior.

        Examples
        --------
        >>> from astro_hier import StarCluster
        >>> [parameter.name for parameter in StarCluster().parameters]
        ['mu_r', 'ln_std_r', 'std_r', 'r']
        """
        return ()

    @property
    def parts(self) -> Sequence[Any]:
        """What owns priors besides the model itself: options, populations, backgrounds."""
        return ()

    def lower_ends(self, data) -> dict[str, Callable[[Theta], np.ndarray]]:
        """Lower limits at which priors are truncated and normalised, given other parameters.

        By name, functions of theta that return arrays of shape (theta,); a parameter comes after
        those that its limit depends on.
        """
        return {}

    def owner(self, name: str) -> Any:
        """The part or model that holds the prior of a parameter; None if it has no prior."""
        of_parts = (part for part in self.parts if vars(part).get(name) is not None)
        return next(of_parts, self if name in vars(self) else None)

    def prior_of(self, name: str) -> priors.Prior:
        """The prior of a sampled parameter; `~astro_hier.priors.Fixed` if a value was given.

        Examples
        --------
        >>> from astro_hier import StarCluster
        >>> StarCluster().prior_of("ln_std_r")
        Uniform(lower=-8, upper=0)
        """
        owner = self.owner(name) if isinstance(name, str) else None
        if owner is None:
            raise no_prior(self, name)
        prior = priors.as_prior(getattr(owner, name, None))
        plain = not isinstance(prior, priors.Prior) or isinstance(prior, priors.Fixed)
        if plain and name not in {p.name for p in self.parameters}:
            raise no_prior(self, name)
        return prior

    def sampled_names(self) -> list[str]:
        """Names of the parameters with a prior or a given value, not of those derived from them."""
        return [p.name for p in self.parameters if not p.dims and self.owner(p.name)]

    def free_names(self) -> list[str]:
        """Names of the parameters that are inferred: those not given as plain values."""
        return [n for n in self.sampled_names() if not isinstance(self.prior_of(n), priors.Fixed)]

    def parameter(self, name: str) -> Parameter:
        """The parameter with a name; a ValueError lists the names if there is none."""
        by_name = {p.name: p for p in [*self.parameters, LOG_PROB]}
        if not isinstance(name, str) or name not in by_name:
            raise ValueError(
                f"{type(self).__name__} has no parameter {name!r}; it has {list(by_name)}"
            )
        return by_name[name]

    def parameters_named(self, names: str | Sequence[str]) -> list[Parameter]:
        """The parameters with one or several names."""
        names = as_names("var_names", names)
        if not names:
            raise ValueError(
                f"no parameter is named; there are {[p.name for p in self.parameters]}"
            )
        return [self.parameter(name) for name in names]

    def frozen_priors(self) -> dict[str, Any]:
        """`scipy.stats` distributions of the sampled parameters, in their declared units.

        Parameters given as plain values are included, as points.

        Raises
        ------
        astro_hier.priors.PriorError
            If an argument is not a prior, or has the wrong physical type.

        Examples
        --------
        >>> from astro_hier import StarCluster
        >>> sorted(StarCluster().frozen_priors())
        ['ln_std_r', 'mu_r']
        """
        frozen = {}
        for name in self.sampled_names():
            prior, parameter = self.prior_of(name), self.parameter(name)
            priors.check(name, prior, parameter.unit)
            frozen[name] = prior.frozen(parameter.unit)
            low, high = frozen[name].support()
            if parameter.positive and (low < 0 or high <= 0):
                given = getattr(self.owner(name), name)
                raise priors.PriorError(
                    f"{name}={given!r}; it must be positive, such as priors.LogNormal(0, 0.3)"
                )
        return frozen

    def log_prior(self, theta: Theta, data=None) -> np.ndarray:
        """ln of the prior density of the sampled parameters, shape (theta,).

        ``data`` are needed if the limits of priors depend on them.
        """
        frozen, ends = self.frozen_priors(), self.lower_ends(data)
        cut = {name: Above(frozen[name], low(theta)) for name, low in ends.items()}
        return sum(prior.logpdf(theta[name]) for name, prior in (frozen | cut).items())

    def draw_prior(self, data, size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draws of the sampled parameters from their priors: arrays of shape (size,) by name."""
        frozen, free, left = self.frozen_priors(), self.free_names(), np.arange(size)
        theta = {name: np.empty(size) for name in frozen}
        for _ in range(MAX_ROUNDS):
            drawn = {name: p.rvs(len(left), random_state=rng) for name, p in frozen.items()}
            possible = np.ones(len(left), bool)
            for name, low in self.lower_ends(data).items():
                above = Above(frozen[name], low(drawn))
                possible &= above.possible
                if name in free:
                    drawn[name] = above.of_normal(rng.standard_normal(len(left)))
            for name, values in drawn.items():
                theta[name][left] = values
            left = left[~possible]
            if not left.size:
                return theta
        raise ValueError(
            f"the priors of {list(self.lower_ends(data))} lie almost entirely below the limits set"
            " by other parameters: widen them, or narrow the priors of the members' spread"
        )

    def within_bulk(self, name: str, value: float, tail: float = 0.001) -> float:
        """A value of a parameter, moved into the bulk of its prior if it lies outside."""
        prior, unit = self.prior_of(name), self.parameter(name).unit
        return float(np.clip(value, *priors.bulk(prior, unit, tail)))

    def above_ends(self, data, point: Mapping[str, Any]) -> dict[str, Any]:
        """A point with parameters moved above those lower limits that depend on others."""
        point = dict(point)
        for name, low in self.lower_ends(data).items():
            if name in self.free_names():
                point[name] = max(point[name], ABOVE_END * float(low(point)))
        return point

    def pymc_priors(self, data, initial: Mapping[str, Any]) -> dict[str, Any]:
        """The sampled parameters as variables of the PyMC model in whose context this is called."""
        theta: dict[str, Any] = {}
        ends = self.lower_ends(data)
        for name in sorted(self.sampled_names(), key=lambda name: name in ends):
            prior, unit = self.prior_of(name), self.parameter(name).unit
            if name in ends:
                excess = max(initial[name] - ends[name](initial), 1e-3 * initial[name])
                theta[name] = prior.pymc_above(name, unit, ends[name](theta), excess)
            else:
                theta[name] = prior.pymc(name, unit, initial[name])
        return theta


def no_prior(model: Priors, name: Any) -> ValueError:
    """The error that nothing with a prior has that name."""
    return ValueError(
        f"name={name!r}; expected the name of a parameter that has a prior: {model.sampled_names()}"
    )
