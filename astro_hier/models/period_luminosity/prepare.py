"""From the rows of a table to the data of a period-luminosity relation."""

from collections.abc import Mapping

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier.given import switch
from astro_hier.logarithms import value_in
from astro_hier.models.errors import as_errors
from astro_hier.models.period_luminosity.data import Stars
from astro_hier.models.period_luminosity.outliers import as_outliers
from astro_hier.models.zero_point import as_zero_point
from astro_hier.table import Rows, as_columns, named


def check_arguments(model) -> None:
    """Raise a ValueError unless the pivots are a period and a metallicity."""
    model.keeps_draws(0)
    pivots(model)
    as_outliers(model.outliers)
    has_trends(model)


def has_trends(model) -> bool:
    """Whether metallicities and distances depend on the period."""
    try:
        return switch("trends", model.trends)
    except ValueError as error:
        raise ValueError(
            f"{error}. Their priors are the arguments feh_period, modulus_period and modulus_feh,"
            " which may also be values"
        ) from None


def pivots(model) -> tuple[float, float]:
    """log10(P0 / d), and [Fe/H]0."""
    return float(log_period("pivot_period", model.pivot_period)), float(
        metallicity("pivot_feh", model.pivot_feh)
    )


def log_period(name: str, period: u.Quantity) -> np.ndarray:
    """log10(P / d) of periods that a user gives."""
    try:
        days = np.asarray(u.Quantity(period).to_value(u.day), float)
    except (TypeError, u.UnitConversionError):
        days = np.array(np.nan)
    if not np.all((days > 0) & np.isfinite(days)):
        raise ValueError(f"{name}={period!r}; expected a positive time, such as 0.5 * u.day")
    return np.log10(days)


def metallicity(name: str, feh: u.Quantity | float) -> np.ndarray:
    """[Fe/H] in dex that a user gives, with or without unit."""
    try:
        given = u.Quantity(feh)
        dex = given.value if given.unit == u.one else value_in(given, u.dex)
        dex = np.asarray(dex, float)
    except (TypeError, u.UnitConversionError):
        dex = np.array(np.nan)
    if not np.all(np.isfinite(dex)):
        raise ValueError(f"{name}={feh!r}; expected [Fe/H] in dex, such as -1.5 * u.dex")
    return dex


def has_feh(table: Table, columns: Mapping | str | None) -> bool:
    """Whether a table has the column of [Fe/H]."""
    return isinstance(table, Table) and bool(named(table, as_columns(columns).get("feh", "feh")))


def prepare(model, rows: Rows, progressbar: bool) -> Stars:
    """The rows, with what the options need of them."""
    log_pivot, feh_pivot = pivots(model)
    none = np.zeros(rows.size)
    period, feh = rows["period"], rows.get("feh")
    extinction = rows.get("extinction", none)
    return Stars(
        np.log10(period) - log_pivot,
        rows.get("period_error", none) / (period * np.log(10)),
        rows["magnitude"] - extinction,
        np.hypot(rows["magnitude_error"], rows.get("extinction_error", none)),
        extinction,
        rows["parallax"],
        rows["parallax_error"],
        None if feh is None else feh - feh_pivot,
        rows.get("feh_error", none),
        rows["star"],
        log_pivot,
        feh_pivot,
        as_zero_point(model.zero_point).prepared(rows),
        as_errors(model.error_scale),
        as_outliers(model.outliers),
    )
