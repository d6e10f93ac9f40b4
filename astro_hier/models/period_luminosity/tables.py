"""Results of a fit: each star's own, absolute magnitudes, and distances of other stars."""

from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.table import QTable, Table
from numpy.typing import ArrayLike

from astro_hier.annotations import TableLike
from astro_hier.core import log_distance
from astro_hier.core.floats import Theta
from astro_hier.core.thinning import evenly
from astro_hier.given import RandomState, generator
from astro_hier.models.period_luminosity import likelihood, prepare
from astro_hier.models.period_luminosity.checks import expected_modulus
from astro_hier.models.period_luminosity.data import AT_KPC, PER_LN, Stars
from astro_hier.posterior import UnitLike, in_units, quantity_in
from astro_hier.table import as_columns, as_table, named, read_columns

AVERAGED_DRAWS = 400  # of the hyperparameters
PERCENT = 16, 50, 84
SEED = 1  # of draws of stars that the fit did not keep
OF_PARALLAX = {"parallax", "parallax_error", "zero_point"}


def all_draws(model) -> Theta:
    """The draws of the parameters common to all stars."""
    return {p.name: model.samples(p.name).value for p in model.parameters if not p.dims}


def few_draws(model) -> Theta:
    """Some of them."""
    theta = all_draws(model)
    chosen = evenly(len(theta["alpha"]), AVERAGED_DRAWS)
    return {name: values[chosen] for name, values in theta.items()}


def star_draws(model) -> dict[str, np.ndarray]:
    """Draws of the stars' own parameters, those that were kept or some more."""
    names = [p.name for p in model.parameters if p.dims]
    if names[0] in model.posterior:
        return {name: model.samples(name).value for name in names}
    return likelihood.draw_latents(
        model.fitted_data(), few_draws(model), np.random.default_rng(SEED)
    )


def star_table(model, unit: UnitLike = None) -> QTable:
    """Every star's own results, given its row and the relation.

    Parameters
    ----------
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star, parallax and parallax_error (as measured), r and r_sd (mean and standard
        deviation of the distance), modulus and modulus_sd (of the distance modulus),
        absolute_magnitude and absolute_magnitude_sd, member (probability of membership, only with
        outliers) and n_sigma: by how many standard deviations the parallax differs from what all
        else says, with its error and the uncertainty of the relation combined.

    Examples
    --------
    >>> from astro_hier import PeriodLuminosity, datasets
    >>> table = datasets.make_period_luminosity(20, random_state=1)
    >>> relation = PeriodLuminosity().fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> relation.star_table()["star", "r", "modulus"].colnames
    ['star', 'r', 'modulus']
    """
    data, drawn = model.fitted_data(), star_draws(model)
    theta = few_draws(model)
    columns = likelihood.columns_of(theta)
    mean, sd = expected_modulus(data, theta)
    expected = np.exp(-(mean - AT_KPC) / PER_LN)
    spread = (expected * sd / PER_LN) ** 2 + data.errors.true(data.parallax_error, columns) ** 2
    expected = expected + data.zero_point.added(columns)
    modulus = AT_KPC + PER_LN * np.log(drawn["r"])
    table = QTable({
        "star": data.star,
        "parallax": data.parallax * u.mas,
        "parallax_error": data.parallax_error * u.mas,
    })  # fmt: skip
    for name, draws, own in (
        ("r", drawn["r"], u.kpc),
        ("modulus", modulus, u.mag),
        ("absolute_magnitude", drawn["absolute_magnitude"], u.mag),
    ):
        table[name], table[f"{name}_sd"] = draws.mean(axis=0) * own, draws.std(axis=0) * own
    if "member" in drawn:
        data.outliers.add_membership(table, drawn["member"].mean(axis=0))
    variance = spread.mean(axis=0) + expected.var(axis=0)
    table["n_sigma"] = (data.parallax - expected.mean(axis=0)) / np.sqrt(variance)
    for name in table.colnames[1:]:
        exact = name in ("parallax", "r", "modulus", "absolute_magnitude")
        table[name].info.format = ".5g" if exact else ".3g"
    return in_units(model, table, unit)


def predict(
    model,
    period: u.Quantity | None = None,
    feh: u.Quantity | ArrayLike | None = None,
    *,
    scatter: bool = True,
    random_state: RandomState = None,
    unit: UnitLike = None,
) -> u.Quantity:
    """Absolute magnitudes of stars that follow the relation.

    Parameters
    ----------
    period : `~astropy.units.Quantity`, optional
        Their periods, shape (star,). By default those of the fitted stars, with their [Fe/H], as
        they were measured.
    feh : `~astropy.units.Quantity` or array_like, optional
        Their [Fe/H] in dex. By default they are drawn from the population at that period, if the
        fitted table had metallicities.
    scatter : bool, optional
        Whether to add the intrinsic scatter, which is what a single star has; without it the draws
        are those of the relation itself.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.
    unit : unit, list or dict, optional
        The unit of the result, or several as in `summary`; by default mag.

    Returns
    -------
    `~astropy.units.Quantity`
        Absolute magnitudes, shape (chain * draw, star).

    Raises
    ------
    ValueError
        If periods are not positive times, or metallicities are given to a relation without them.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import PeriodLuminosity, datasets
    >>> table = datasets.make_period_luminosity(20, random_state=1)
    >>> relation = PeriodLuminosity().fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> relation.predict([0.5, 0.6] * u.day, feh=-1.5 * u.dex, random_state=1).shape
    (200, 2)
    """
    data, theta = model.fitted_data(), all_draws(model)
    rng, columns = generator(random_state), likelihood.columns_of(theta)
    if period is None:
        period = 10 ** (data.log_period + data.log_pivot) * u.day
        feh = data.feh + data.feh_pivot if feh is None and data.feh is not None else feh
    x = np.atleast_1d(prepare.log_period("period", period)) - data.log_pivot
    z = _metallicity(data, columns, x, feh, rng)
    mean = columns["alpha"] + columns["beta"] * x
    mean = mean if z is None else mean + columns["gamma"] * z
    found = (rng.normal(mean, columns["scatter"]) if scatter else mean) * u.mag
    return quantity_in(model, "absolute_magnitude", found, unit)


def _metallicity(data, theta, x, feh, rng):
    """z as given or, with theta as columns, as drawn from the population; None without it."""
    if data.feh is None:
        if feh is not None:
            raise ValueError(
                f"feh={feh!r}; expected none, because the table that was fitted has no feh"
            )
        return None
    if feh is not None:
        return np.atleast_1d(prepare.metallicity("feh", feh)) - data.feh_pivot
    middle_x, middle_z = likelihood.middle_of(data, theta)
    mean = middle_z + theta.get("feh_period", 0.0) * (x - middle_x)
    return rng.normal(mean, theta["sigma_feh"])


def distance(
    model,
    table: TableLike,
    *,
    draws: bool = False,
    random_state: RandomState = None,
    unit: UnitLike = None,
) -> QTable | u.Quantity:
    """Distances of other stars that follow the relation.

    Nothing is assumed about where these stars are: their distance moduli have a flat prior. Nor
    about their periods and metallicities, if they were measured; stars without [Fe/H] have that of
    the fitted stars. A star's own parallax is used if the table has one, but does not change the
    relation: fit all stars together if it should.

    Parameters
    ----------
    table : `~astropy.table.Table` or data frame
        Columns as those of the fitted table, of which those of parallaxes, metallicities and
        extinctions may be missing.
    draws : bool, optional
        Whether to return draws, which the uncertainty of the relation correlates.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.
    unit : unit, list or dict, optional
        Units of the result, as in `summary`; by default kpc and mag.

    Returns
    -------
    `~astropy.table.QTable` or `~astropy.units.Quantity`
        Columns star, r (median of the distance), r_low and r_high (16 and 84 percent), modulus
        and modulus_sd (mean and standard deviation of the distance modulus); or distances, shape
        (chain * draw, star).

    Raises
    ------
    TableError
        If the table cannot be used.

    Examples
    --------
    >>> from astro_hier import PeriodLuminosity, datasets
    >>> table = datasets.make_period_luminosity(20, random_state=1)
    >>> relation = PeriodLuminosity().fit(
    ...     table, draws=50, random_state=1, certify=False, progressbar=False
    ... )
    >>> others = datasets.make_period_luminosity(10, random_state=4)
    >>> others.remove_columns(["parallax", "parallax_error"])
    >>> relation.distance(others, random_state=1).colnames
    ['star', 'r', 'r_low', 'r_high', 'modulus', 'modulus_sd']
    >>> relation.distance(others, draws=True, random_state=1, unit="pc").unit
    Unit("pc")
    """
    data = _others(model, as_table(table))
    r = _distances(data, model.fitted_data(), all_draws(model), generator(random_state))
    if draws:
        return quantity_in(model, "r", r * u.kpc, unit)
    low, middle, high = np.percentile(r, PERCENT, axis=0) * u.kpc
    modulus = AT_KPC + PER_LN * np.log(r)
    found = QTable({
        "star": data.star, "r": middle, "r_low": low, "r_high": high,
        "modulus": modulus.mean(axis=0) * u.mag, "modulus_sd": modulus.std(axis=0) * u.mag,
    })  # fmt: skip
    for name in found.colnames[1:]:
        found[name].info.format = ".3g" if name == "modulus_sd" else ".5g"
    return in_units(model, found, unit)


def _others(model, table: Table) -> Stars:
    """The rows of another table, as data; without parallaxes if it lacks some of their columns."""
    there = {
        role: place
        for role, place in as_columns(model.columns).items()
        if role not in OF_PARALLAX or named(table, place)
    }
    roles = [replace(r, required=r.required and r.name not in OF_PARALLAX) for r in model.roles]
    rows = read_columns(table, roles, there, model.on_invalid)
    if not {role.name for role in roles} & OF_PARALLAX <= set(rows):
        none = np.zeros(rows.size)
        rows = rows.replaced(parallax=none, parallax_error=none + np.inf, zero_point=none)
    return prepare.prepare(model, rows, False)


def _distances(data: Stars, fitted: Stars, theta: Theta, rng) -> np.ndarray:
    """Draws of r [kpc], shape (theta, star)."""
    columns = likelihood.columns_of(theta)
    x = rng.normal(data.log_period, data.log_period_error, (len(theta["alpha"]), len(data.star)))
    mean = columns["alpha"] + columns["beta"] * x
    if fitted.feh is not None and data.feh is None:
        mean = mean + columns["gamma"] * _metallicity(fitted, columns, x, None, rng)
    elif fitted.feh is not None:
        mean = mean + columns["gamma"] * rng.normal(data.feh, data.feh_error, x.shape)
    sd = np.hypot(columns["scatter"], data.magnitude_error)
    parallax = data.parallax - data.zero_point.added(columns)
    error = data.errors.true(data.parallax_error, columns)
    u0 = (data.magnitude - mean - AT_KPC) / PER_LN
    return np.exp(log_distance.draw(parallax, error, u0, sd / PER_LN, rng))
