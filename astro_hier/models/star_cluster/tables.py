"""Tables and numbers that a fit gives: each star's results, predictions, an upper limit."""

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.stats import norm

from astro_hier import outliers
from astro_hier.core import distance
from astro_hier.models import goodness, upper_limit
from astro_hier.models.star_cluster import likelihood


def all_draws(model):
    """The draws of all parameters but the stars' own."""
    names = [p.name for p in model.parameters if p.dims != ("star",)]
    return {name: model.samples(name).value for name in names}


def star_table(model):
    """Every star's own results.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star, parallax and parallax_error (as measured), r and r_sd (mean and standard
        deviation of the distance), member (probability, with outliers only) and n_sigma: by
        how many standard deviations the parallax differs from that of a member, of error,
        depth (1/r taken as linear) and parameters together. With outliers, r and r_sd are
        masked where member is below 0.5: a star that is not a member has no distance here.
    """
    data, theta = model.fitted_data(), all_draws(model)
    r, columns = model.samples("r"), likelihood.columns_of(theta)
    expected = 1 / columns["mu_r"] + likelihood.offset_of(data, columns)
    spread = model.profile.variance(theta)[:, None] / columns["mu_r"] ** 4
    variance = np.mean(spread + likelihood.error_of(data, columns) ** 2, axis=0)
    table = QTable({
        "star": data["star"],
        "parallax": data["parallax"] * u.mas,
        "parallax_error": data["parallax_error"] * u.mas,
        "r": r.mean(axis=0),
        "r_sd": r.std(axis=0),
    })  # fmt: skip
    if model._background():
        table["member"] = model.samples("member").value.mean(axis=0)
        for name in ("r", "r_sd"):
            table[name] = goodness.of_members(table[name], table["member"])
    deviation = data["parallax"] - expected.mean(axis=0)
    table["n_sigma"] = deviation / np.sqrt(variance + expected.var(axis=0))
    for name in table.colnames[1:]:
        table[name].info.format = ".5g" if name in ("parallax", "r") else ".3g"
    return table


def std_r_upper_limit(model, probability=0.95):
    """An upper limit on the depth, for a prior flat in std_r.

    The prior is flat from zero to the upper end of that of the fit, so the limit does not
    depend on the latter's lower end, as quantiles of the draws would. It needs three members.
    The posterior with this prior is drawn anew, always with the same random state: the limit
    does not depend on that of the fit.

    Parameters
    ----------
    probability : float, optional
        That std_r lies below the limit.

    Returns
    -------
    `~astropy.units.Quantity`
        In kpc.
    """
    return upper_limit.upper_limit(model, model.fitted_data(), "std_r", probability) * u.kpc


def predict(model, parallax_error=None, *, random_state=None):
    """Parallaxes as the model would have them measured: its posterior predictive.

    Parameters
    ----------
    parallax_error : `~astropy.units.Quantity`, optional
        Stated errors of stars yet to be measured, members of the cluster, shape (star,). By
        default the fitted stars are measured again, with the same common offsets. Where stars
        differ by their place on the sky or zero point, each new one has those of a fitted
        star picked at random.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.units.Quantity`
        Parallaxes in mas, shape (chain * draw, star).
    """
    rng = np.random.default_rng(random_state)
    if parallax_error is None:
        data, theta = model.fitted_data(), all_draws(model)
        r, columns = model.samples("r").to_value(u.kpc), likelihood.columns_of(theta)
        value, error = (
            1 / r + likelihood.offset_of(data, columns),
            likelihood.error_of(data, columns),
        )
        if model._background():
            log_member = norm.logpdf(data["parallax"], value, error)
            member = outliers.draw_members(likelihood.mix(model, log_member, data, theta)[1], rng)
            others = model._background().draw_true(data["parallax"], error, theta, rng)
            value = np.where(member, value, others)
        return rng.normal(value, error) * u.mas
    try:
        error = np.atleast_1d(u.Quantity(parallax_error).to_value(u.mas))
    except (TypeError, u.UnitConversionError):
        error = np.array([np.nan])
    if error.ndim != 1 or not np.all((error > 0) & np.isfinite(error)):
        raise ValueError(
            f"parallax_error={parallax_error!r}; accepted are positive angles, one a star, such"
            " as [0.1, 0.2] * u.mas"
        )
    data, theta = model.fitted_data(), all_draws(model)
    own = [name for name in ("zero_point", "modes", "own_variance") if name in data]
    if own:
        places = rng.integers(len(data["parallax"]), size=len(error))
        data = data | {name: data[name][..., places] for name in own}
    r = distance.draw_population(
        theta["mu_r"][:, None],
        model.profile.draw(theta, len(error), rng),
        (len(theta["mu_r"]), len(error)),
        rng,
    )
    data, theta = data | {"parallax_error": error}, likelihood.columns_of(theta)
    return (
        rng.normal(1 / r + likelihood.offset_of(data, theta), likelihood.error_of(data, theta))
        * u.mas
    )
