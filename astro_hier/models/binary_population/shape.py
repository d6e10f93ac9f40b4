"""The arguments that shape the population, whether they go together, and its own parameters."""

import numbers
from typing import Any

import astropy.units as u

from astro_hier import populations, priors
from astro_hier.given import same, workers
from astro_hier.models.binary_population.data import FRACTION
from astro_hier.models.orbits import shape as orbit_shape
from astro_hier.populations import Circular, Independent, KnownDistribution, PeriodEccentricity
from astro_hier.posterior import Parameter

COMPANION = Parameter(
    "companion", u.one, "c", "probability of a companion, given the population", ("star",)
)
FRACTION_OF_STARS = Parameter(
    FRACTION, u.one, r"f_\mathrm{c}", "share of stars with a companion", bounds=(0.0, 1.0)
)
LN_P = Parameter("lnP", u.one, r"\ln(P/\mathrm{d})", "ln of the period", ("star",))

# the model's own priors, which not all populations use: `check` refuses unused ones
DEFAULTS = {"mu": priors.Uniform(-2, 12), "lnsigma": priors.Uniform(-2, 3)}
WANTED = (
    "expected None for circular orbits, True, a family such as populations.Beta() or"
    " populations.Rayleigh(), a prior on values from 0 to 1, or 0"
)


def own_parameters(model) -> tuple[Parameter, ...]:
    """What a sample has beside the parameters of its parts and those of the orbits."""
    if model.companion_fraction is None:
        return (LN_P,)
    return FRACTION_OF_STARS, COMPANION, LN_P


def check_saved(model) -> None:
    """The same as `check`, but for priors that earlier versions had by default, and did not use."""
    model.keeps_draws(0)
    workers("n_jobs", model.n_jobs)
    _ = model.amplitudes
    orbit_shape.check_instruments(model)
    if model.companion_fraction is not None:
        fraction = priors.as_prior(model.companion_fraction)
        priors.check("companion_fraction", fraction, u.one, 0.0, 1.0)


def check(model) -> None:
    """Raise a ValueError where the arguments do not go together."""
    check_saved(model)
    for name, default in DEFAULTS.items():
        given = getattr(model, name)
        if same(given, default):
            continue
        if name not in model.sampled_names():
            raise priors.PriorError(
                f"{name}={given!r}: {type(model.distribution).__name__} has no such"
                f" parameter; its parameters are {model.sampled_names()}"
            )
        if model.owner(name) is not model:
            raise priors.PriorError(
                f"{name}={given!r}: population={model.population!r} also has a prior on {name};"
                " give only one of them"
            )


def joint(population: Any, eccentricity: Any) -> PeriodEccentricity | None:
    """The joint population of ln P and e; None if orbits are circular, as by default.

    Raises
    ------
    ValueError
        If the arguments are not what is expected, or do not go together.
    """
    absent = eccentricity is None or eccentricity is False
    if isinstance(population, PeriodEccentricity):
        if not absent:
            raise ValueError(
                f"eccentricity={eccentricity!r}: population={population!r} has eccentricities of"
                " its own; give only one of them"
            )
        return population
    if not isinstance(population, populations.Population) or population.quantity != "lnP":
        raise ValueError(
            f"population={population!r}; expected one of astro_hier.populations that is of periods,"
            " such as populations.Normal()"
        )
    if absent:
        return None
    if isinstance(eccentricity, numbers.Real) and not isinstance(eccentricity, bool):
        if eccentricity == 0:
            return Circular(population)
        raise ValueError(f"eccentricity={eccentricity!r}; {WANTED}")
    return Independent(population, _family(eccentricity))


def _family(eccentricity):
    if eccentricity is True:
        return populations.Beta()
    if isinstance(eccentricity, populations.Population) and eccentricity.quantity == "e":
        return eccentricity
    if isinstance(eccentricity, priors.Prior):
        try:
            priors.check("eccentricity", eccentricity, u.one, 0.0, 1.0)
        except priors.PriorError as error:
            raise priors.PriorError(f"{error}; {WANTED}") from None
        return KnownDistribution(eccentricity)
    raise ValueError(f"eccentricity={eccentricity!r}; {WANTED}")
