"""The arguments that shape an orbit: its eccentricity, and the priors of its amplitudes."""

from functools import partial
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.given import same, switch
from astro_hier.models.orbits.amplitudes import Amplitudes, Elements, Scale, ScaledAmplitudes
from astro_hier.models.orbits.ellipse import Ellipse
from astro_hier.models.orbits.velocity import KMS, Circle

AMPLITUDE = priors.Normal(0 * KMS, 100 * KMS)  # the default of a and b
OFFSET = priors.Normal(0 * KMS, 5 * KMS)  # the default
# Kipping (2013, MNRAS 434, L51), cut where orbits become needles that no search is sure to find
KIPPING = priors.Beta(0.867, 3.03, upper=0.95)
LARGEST = 0.999
EXAMPLE = "priors.PeriodScaled(30 * u.km / u.s)"


def orbit(eccentricity: Any) -> Circle:
    """The kind of orbit that the argument ``eccentricity`` means; 0 is a kind of ellipse."""
    return Circle() if eccentricity is None or eccentricity is False else Ellipse()


def as_prior(eccentricity: Any) -> priors.Prior:
    """The prior that the argument ``eccentricity`` stands for."""
    prior = KIPPING if eccentricity is True else priors.as_prior(eccentricity)
    if not isinstance(prior, priors.Prior):
        raise priors.PriorError(
            f"eccentricity={eccentricity!r}; expected None for circular orbits, True for"
            f" {KIPPING!r}, a prior on values from 0 to 1, or the value itself"
        )
    return prior


def check(model) -> None:
    """Raise a `~astro_hier.priors.PriorError` where the arguments do not go together."""
    if model.is_eccentric:
        _check_eccentricity(model.eccentricity)
    _ = model.amplitudes
    check_instruments(model)


def check_instruments(model) -> None:
    """Raise a ValueError where an argument is only for instruments, and has no effect."""
    check_shared_jitter(model)
    priors.check("offset", priors.as_prior(model.offset), KMS)
    if model.instrument is None and not same(model.offset, OFFSET):
        raise ValueError(
            f"offset={model.offset!r} has no effect without instrument=; expected both, or neither"
        )


def check_shared_jitter(model) -> None:
    """Raise a ValueError where ``shared_jitter`` has no effect."""
    shared = switch("shared_jitter", model.shared_jitter)
    if shared and (model.jitter is None or model.instrument is None):
        raise ValueError(
            f"shared_jitter={model.shared_jitter!r} has no effect without jitter= and instrument=;"
            " expected both, or False"
        )


def amplitudes(model) -> Amplitudes:
    """The term of the orbit itself."""
    given = model.amplitude
    if given is None:
        if not model.is_eccentric:
            return Amplitudes.of(model.orbit, model.a, model.b, model.v0)
        return Elements.scaled(model.orbit, _common(model.a, model.b), model.a, model.v0)
    for name in ("a", "b"):
        own = getattr(model, name)
        if not same(own, AMPLITUDE):
            raise priors.PriorError(
                f"{name}={own!r}: amplitude={given!r} also is a prior on {name}; give only one of"
                " them"
            )
    kind = Elements if model.is_eccentric else ScaledAmplitudes
    return kind.scaled(model.orbit, scale_of(given), given, model.v0)


def _check_eccentricity(given):
    prior = as_prior(given)
    try:
        priors.check("eccentricity", prior, u.one, 0.0, 1.0)
    except priors.PriorError as error:
        raise priors.PriorError(f"{error}, such as {KIPPING!r}") from None
    low = prior.frozen(u.one).support()[0]
    if low > LARGEST:
        raise priors.PriorError(
            f"eccentricity={given!r}; expected values up to {LARGEST}: a bound orbit has e < 1"
        )


def _common(a, b) -> Scale:
    """The standard deviation that a and b share, for an ellipse."""
    if same(a, b) and isinstance(a, priors.Normal) and a.frozen(KMS).mean() == 0:
        return _constant(a)
    which = "" if same(a, AMPLITUDE) else f"a={a!r}, "
    raise priors.PriorError(
        f"{which}b={b!r}: with eccentricity=, a and b must have the same prior, normal with mean 0"
        " and known width, or the result would depend on the direction from which periastron is"
        f" counted; expected such priors, or amplitude={EXAMPLE}"
    )


def scale_of(given: Any) -> Scale:
    """The standard deviation of both amplitudes that ``amplitude`` stands for."""
    if isinstance(given, priors.PeriodScaled):
        return given.in_unit(KMS)
    if isinstance(given, priors.Normal):
        priors.check("amplitude", given, KMS)
        if given.frozen(KMS).mean() == 0:
            return _constant(given)
    raise priors.PriorError(
        f"amplitude={given!r}; expected a prior of both amplitudes: {EXAMPLE}, or priors.Normal"
        " with mean 0"
    )


def _constant(prior):
    sd = np.float64(prior.frozen(KMS).std())
    return partial(_the_same, sd)


def _the_same(sd, period, eccentricity):
    return sd + 0 * period


def period_range(given: Any) -> tuple[float, float]:
    """The shortest and longest period [d] that the argument ``period_range`` stands for."""
    try:
        shortest, longest = (float(u.Quantity(period).to_value(u.day)) for period in given)
    except (TypeError, ValueError, u.UnitConversionError):
        shortest, longest = np.nan, np.nan
    if not 0 < shortest < longest < np.inf:
        raise ValueError(
            f"period_range={given!r}; expected two times, the shorter first, such as"
            " (1 * u.day, 1000 * u.day)"
        )
    return shortest, longest
