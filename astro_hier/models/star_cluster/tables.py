"""Results of a fit: each star's own, predictions, and an upper limit on the depth."""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.core import distance
from astro_hier.core.thinning import evenly
from astro_hier.given import RandomState, generator
from astro_hier.models import upper_limit
from astro_hier.models.star_cluster import likelihood
from astro_hier.models.star_cluster.described import Described, describe
from astro_hier.models.star_cluster.draws import draw_latents
from astro_hier.models.zero_point import Theta
from astro_hier.posterior import UnitLike, in_units, quantity_in

# draws of the parameters to average over: all for a thousand stars, and fewer of more, which leave
# the parameters less uncertain
MAX_AVERAGED, MIN_DRAWS = 4_000_000, 200  # stars times draws; draws


def all_draws(model) -> Theta:
    """The draws of all parameters except the stars' own."""
    names = [p.name for p in model.parameters if p.dims != ("star",)]
    return {name: model.samples(name).value for name in names}


def few_draws(model) -> Theta:
    """Some of them, to average over where the stars' own draws were not kept."""
    theta, n_stars = all_draws(model), len(model.fitted_data().star)
    some = evenly(len(theta["mu_r"]), max(MAX_AVERAGED // n_stars, MIN_DRAWS))
    return {name: of[some] for name, of in theta.items()}


def described(model) -> Described:
    """Each star's distance and membership, from its draws if they were kept."""
    data = model.fitted_data()
    if "r" not in model.posterior:
        return describe(data, few_draws(model))
    r, member = model.samples("r").value, np.ones(len(data.star))
    if data.background:
        member = model.samples("member").value.mean(axis=0)
    return Described(r.mean(axis=0), r.std(axis=0), member)


def star_table(model, unit: UnitLike = None) -> QTable:
    """Every star's own results.

    Parameters
    ----------
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star, parallax and parallax_error (as measured), r and r_sd (mean and standard
        deviation of the distance), member (probability of membership, only with outliers) and
        n_sigma: by how many standard deviations the parallax differs from that of a member, with
        error, depth (1/r linearised) and uncertainty of the parameters combined. With outliers, r
        and r_sd are masked where member is below 0.5: a star that is not a member has no distance
        here.

    Where the stars' own draws were not kept, moments of each distance are integrated at some
    draws of the parameters, at least 200.

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster()
    >>> cluster = cluster.fit(table, draws=50, random_state=1, progressbar=False)
    >>> cluster.star_table()["star", "r", "r_sd"].colnames
    ['star', 'r', 'r_sd']
    """
    data, found = model.fitted_data(), described(model)
    theta = all_draws(model) if "r" in model.posterior else few_draws(model)
    table = QTable({
        "star": data.star,
        "parallax": data.parallax * u.mas,
        "parallax_error": data.parallax_error * u.mas,
        "r": found.r * u.kpc,
        "r_sd": found.r_sd * u.kpc,
    })  # fmt: skip
    data.background.add_membership(table, found.member, ("r", "r_sd"))
    table["n_sigma"] = np.concatenate([_n_sigma(block, theta) for block in data.blocks()])
    for name in table.colnames[1:]:
        table[name].info.format = ".5g" if name in ("parallax", "r") else ".3g"
    return in_units(model, table, unit)


def _n_sigma(data, theta):
    """By how many standard deviations each parallax differs from that of a member."""
    columns = likelihood.columns_of(theta)
    expected = 1 / columns["mu_r"] + data.offset(columns)
    spread = data.profile.variance(theta)[:, None] / columns["mu_r"] ** 4
    variance = np.mean(spread + data.error(columns) ** 2, axis=0)
    return (data.parallax - expected.mean(axis=0)) / np.sqrt(variance + expected.var(axis=0))


def std_r_upper_limit(model, probability: float = 0.95, unit: UnitLike = None) -> u.Quantity:
    """An upper limit on the depth, for a prior flat in std_r.

    The prior is flat from zero to the upper end of the fit's prior. Unlike quantiles of the draws,
    the limit therefore does not depend on the lower end of the fit's prior. It needs at least three
    members. The posterior with this prior is drawn anew, always with the same random state, so the
    limit does not depend on the random state of the fit either.

    Parameters
    ----------
    probability : float, optional
        Probability that std_r lies below the limit.
    unit : unit, list or dict, optional
        The unit of the result, or several as in `summary`; by default kpc.

    Returns
    -------
    `~astropy.units.Quantity`
        The limit.

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster()
    >>> cluster = cluster.fit(table, draws=50, random_state=1, progressbar=False)
    >>> print(f"{cluster.std_r_upper_limit(unit='pc'):.0f}")
    10 pc
    """
    limit = upper_limit.upper_limit(model, model.fitted_data(), "std_r", probability) * u.kpc
    return quantity_in(model, "std_r", limit, unit)


def predict(
    model,
    parallax_error: u.Quantity | None = None,
    *,
    random_state: RandomState = None,
    unit: UnitLike = None,
) -> u.Quantity:
    """Posterior predictive parallaxes.

    Parameters
    ----------
    parallax_error : `~astropy.units.Quantity`, optional
        Stated errors of members of the cluster yet to be measured, shape (star,). By default the
        fitted stars are measured again, with the same common offsets. Where stars differ in their
        place on the sky or in zero point, each new one has those of a fitted star picked at random.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.
    unit : unit, list or dict, optional
        The unit of the result, or several as in `summary`; by default mas.

    Returns
    -------
    `~astropy.units.Quantity`
        Parallaxes, shape (chain * draw, star).

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster()
    >>> cluster = cluster.fit(table, draws=50, random_state=1, progressbar=False)
    >>> cluster.predict(random_state=1).shape
    (200, 256)
    """
    rng = generator(random_state)
    data, theta = model.fitted_data(), all_draws(model)
    if parallax_error is None:
        r, columns = _distances(model, data, theta, rng), likelihood.columns_of(theta)
        value, error = 1 / r + data.offset(columns), data.error(columns)
        value = data.background.contaminated_given(value, data.parallax, error, theta, rng)
        return quantity_in(model, "parallax", rng.normal(value, error) * u.mas, unit)
    data = data.yet_to_be_measured(_given_errors(parallax_error), rng)
    shape = len(theta["mu_r"]), len(data.parallax_error)
    sd = data.profile.draw(theta, shape[1], rng)
    r = distance.draw_population(theta["mu_r"][:, None], sd, shape, rng)
    columns = likelihood.columns_of(theta)
    measured = rng.normal(1 / r + data.offset(columns), data.error(columns)) * u.mas
    return quantity_in(model, "parallax", measured, unit)


def _distances(model, data, theta, rng):
    """Draws of the stars' distances [kpc], made now if they were not kept."""
    if "r" in model.posterior:
        return model.samples("r").to_value(u.kpc)
    return draw_latents(data, theta, rng)["r"]


def _given_errors(parallax_error):
    """Errors of stars yet to be measured [mas]."""
    try:
        error = np.atleast_1d(u.Quantity(parallax_error).to_value(u.mas))
    except (TypeError, u.UnitConversionError):
        error = np.array([np.nan])
    if error.ndim != 1 or not np.all((error > 0) & np.isfinite(error)):
        raise ValueError(
            f"parallax_error={parallax_error!r}; expected positive angles, one for each star, such"
            " as [0.1, 0.2] * u.mas"
        )
    return error
