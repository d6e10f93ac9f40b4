"""Results of a fit: each member's own, predictions, and an upper limit on the dispersion."""

from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.core.floats import Theta
from astro_hier.given import RandomState, generator
from astro_hier.models import upper_limit
from astro_hier.models.velocity_dispersion import likelihood
from astro_hier.models.velocity_dispersion.likelihood import KMS
from astro_hier.posterior import UnitLike, in_units, quantity_in

AVERAGED_DRAWS = 200  # of the hyperparameters


def sigma_v_upper_limit(model, probability: float = 0.95, unit: UnitLike = None) -> u.Quantity:
    """An upper limit on the velocity dispersion, for a prior flat in sigma_v.

    The prior is flat from zero to the upper end of the fit's prior. Unlike quantiles of the draws,
    the limit therefore does not depend on the lower end of the fit's prior. It needs at least three
    members. The posterior with this prior is drawn anew, always with the same random state, so the
    limit does not depend on the random state of the fit either.

    Parameters
    ----------
    probability : float, optional
        Probability that sigma_v lies below the limit.
    unit : unit, list or dict, optional
        The unit of the result, or several as in `summary`; by default km/s.

    Returns
    -------
    `~astropy.units.Quantity`
        The limit.

    Examples
    --------
    >>> from astro_hier import VelocityDispersion, datasets
    >>> table = datasets.make_velocities(40, random_state=1)
    >>> system = VelocityDispersion().fit(table, random_state=1, progressbar=False)
    >>> print(f"{system.sigma_v_upper_limit():.0f}")
    6 km / s
    """
    limit = upper_limit.upper_limit(model, model.fitted_data(), "sigma_v", probability) * KMS
    return quantity_in(model, "sigma_v", limit, unit)


def star_table(model, unit: UnitLike = None) -> QTable:
    """Every member's own results, given its row and the system.

    Parameters
    ----------
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star, the measurement and its error, v and v_sd (mean and standard deviation of the
        velocity relative to the system) and, with ``outliers``, member (the probability of
        membership). v and v_sd are masked where member is below 0.5: a row that is not a member
        has no velocity within the system.

    Examples
    --------
    >>> from astro_hier import VelocityDispersion, datasets
    >>> table = datasets.make_velocities(40, random_state=1)
    >>> system = VelocityDispersion().fit(table, random_state=1, progressbar=False)
    >>> system.star_table()["star", "v", "v_sd"].colnames
    ['star', 'v', 'v_sd']
    """
    data, theta = model.fitted_data(), few_draws(model)
    log_some = likelihood.log_some(data, theta)
    found = [_described(block, theta, log_some) for block in data.blocks()]
    member, mean, square = np.concatenate(found, axis=1)
    quantity, table = data.quantity, QTable({"star": data.star})
    table[quantity.name] = data.measured * quantity.unit
    table[quantity.error_name] = data.measured_error * quantity.unit
    table["v"], table["v_sd"] = mean * KMS, np.sqrt(square - mean**2) * KMS
    data.background.add_membership(table, member, ("v", "v_sd"))
    for name in table.colnames[1:]:
        table[name].info.format = ".4g" if name in ("v", "v_sd", "member") else ".7g"
    return in_units(model, table, unit)


def _described(data, theta, log_some):
    """Means of membership, v and v^2 over theta, shape (3, row); ``log_some`` is that of all."""
    member, mean, square = np.zeros((3, len(data.star)))
    for i in range(AVERAGED_DRAWS):
        one = {name: values[i : i + 1] for name, values in theta.items()}
        (v,), (sd,) = likelihood.given_row(data, one)
        share = np.ravel(likelihood.members(data, one, log_some[i : i + 1]))
        member += share / AVERAGED_DRAWS
        mean += share * v / AVERAGED_DRAWS
        other = (1 - share) * np.exp(2 * one["ln_sigma_v"])
        square += (share * (v**2 + sd**2) + other) / AVERAGED_DRAWS
    return np.array([member, mean, square])


def predict(
    model,
    error: u.Quantity | None = None,
    *,
    random_state: RandomState = None,
    unit: UnitLike = None,
) -> u.Quantity:
    """Posterior predictive velocities or redshifts of other members.

    With ``outliers``, some of them are not members.

    Parameters
    ----------
    error : `~astropy.units.Quantity`, optional
        Errors of members yet to be measured, shape (star,), of velocities or redshifts like the
        table's. By default the errors in the table.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.
    unit : unit, list or dict, optional
        The unit of the result, or several as in `summary`; by default km/s for velocities.

    Returns
    -------
    `~astropy.units.Quantity`
        Velocities or redshifts, shape (chain * draw, star).

    Examples
    --------
    >>> from astro_hier import VelocityDispersion, datasets
    >>> table = datasets.make_velocities(40, random_state=1)
    >>> system = VelocityDispersion().fit(table, random_state=1, progressbar=False)
    >>> system.predict(random_state=1).shape
    (4000, 40)
    """
    data = model.fitted_data()
    if error is not None:
        data = replace(data, measured_error=_given_errors(error, data.quantity))
    theta = {name: model.samples(name).value for name in model.sampled_names()}
    rng = generator(random_state)
    simulated = likelihood.simulate(data, theta, rng, some=False)
    found = simulated[data.quantity.name] * data.quantity.unit
    return quantity_in(model, data.quantity.name, found, unit)


def _given_errors(error, quantity):
    """Errors of members yet to be measured, as floats in the quantity's unit."""
    try:
        errors = np.atleast_1d(u.Quantity(error).to_value(quantity.unit))
    except (TypeError, u.UnitConversionError):
        errors = np.array([np.nan])
    if errors.ndim != 1 or not np.all((errors > 0) & np.isfinite(errors)):
        raise ValueError(
            f"error={error!r}; expected positive {quantity.error_name}s, one for each star, such"
            f" as {quantity.example}"
        )
    return errors


def few_draws(model) -> Theta:
    """Some of the fit's draws of the hyperparameters."""
    values = {name: model.samples(name).value for name in model.sampled_names()}
    some = np.linspace(0, len(values["v_sys"]) - 1, AVERAGED_DRAWS).astype(int)
    return {name: of[some] for name, of in values.items()}
