"""Tables and numbers that a fit gives: each member's results, predictions, an upper limit."""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.models import goodness, upper_limit
from astro_hier.models.velocity_dispersion import likelihood
from astro_hier.models.velocity_dispersion.checks import PAIRS
from astro_hier.models.velocity_dispersion.likelihood import KMS

FEW_DRAWS = 200  # of the hyperparameters, to average over


def sigma_v_upper_limit(model, probability=0.95):
    """An upper limit on the velocity dispersion, for a prior flat in sigma_v.

    The prior is flat from zero to the upper end of that of the fit, so the limit does not
    depend on the latter's lower end, as quantiles of the draws would. It needs three members.
    The posterior with this prior is drawn anew, always with the same random state: the limit
    does not depend on that of the fit.

    Parameters
    ----------
    probability : float, optional
        That sigma_v lies below the limit.

    Returns
    -------
    `~astropy.units.Quantity`
    """
    return upper_limit.upper_limit(model, model.fitted_data(), "sigma_v", probability) * KMS


def star_table(model):
    """Every member's own results, given its row and the system.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star, those that were measured, v and v_sd (mean and standard deviation of the
        velocity relative to the system) and, with ``outliers``, member (the probability of
        membership). v and v_sd are masked where it is below 0.5: a row that is not a member has
        no velocity within the system.
    """
    data = model.fitted_data()
    member, mean, square = np.zeros((3, len(data["star"])))
    theta = few_draws(model)
    for i in range(FEW_DRAWS):
        one = {name: values[i : i + 1] for name, values in theta.items()}
        (v,), (sd,) = likelihood.given_row(model, data, one)
        share = np.ravel(likelihood.membership(model, data, one))
        member += share / FEW_DRAWS
        mean += share * v / FEW_DRAWS
        other = (1 - share) * np.exp(2 * one["ln_sigma_v"])
        square += (share * (v**2 + sd**2) + other) / FEW_DRAWS
    table = QTable({"star": data["star"]})
    for role in model.roles:
        if role.name in data and role.unit is not None:
            table[role.name] = data[role.name] * role.unit
    table["v"], table["v_sd"] = mean * KMS, np.sqrt(square - mean**2) * KMS
    if model._background():
        table["member"] = member
        for name in ("v", "v_sd"):
            table[name] = goodness.of_members(table[name], member)
    for name in table.colnames[1:]:
        table[name].info.format = ".4g" if name in ("v", "v_sd", "member") else ".7g"
    return table


def predict(model, error=None, *, random_state=None):
    """What the model would have measured of other members: its posterior predictive.

    With ``outliers`` some of them are not members.

    Parameters
    ----------
    error : `~astropy.units.Quantity`, optional
        Errors of members yet to be measured, shape (star,), of velocities or redshifts as the
        table was. By default as many as in the table, with the same errors.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.units.Quantity`
        Velocities in km/s, or redshifts, shape (chain * draw, star).
    """
    data = model.fitted_data()
    value, name = next(pair for pair in PAIRS if pair[0] in data)
    unit = next(role.unit for role in model.roles if role.name == name)
    if error is not None:
        try:
            data = {name: np.atleast_1d(u.Quantity(error).to_value(unit))}
        except (TypeError, u.UnitConversionError):
            data = {name: np.array([np.nan])}
    if data[name].ndim != 1 or not np.all((data[name] > 0) & np.isfinite(data[name])):
        raise ValueError(
            f"error={error!r}; accepted are positive {name}s, one a star, such as"
            f" {'[0.5, 1] * u.km / u.s' if unit == KMS else '[1e-4, 2e-4]'}"
        )
    theta = {name: model.samples(name).value for name in model.sampled_names()}
    rng = np.random.default_rng(random_state)
    return model.simulate(data, theta, rng, some=False)[value] * unit


def few_draws(model):
    """Some draws of the hyperparameters, of all those of the fit."""
    values = {name: model.samples(name).value for name in model.sampled_names()}
    some = np.linspace(0, len(values["v_sys"]) - 1, FEW_DRAWS).astype(int)
    return {name: of[some] for name, of in values.items()}
