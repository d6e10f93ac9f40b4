r"""The elements of an orbit as papers list them.

From the period P, the semi-amplitude K and the eccentricity e follow

    f(m) = P K^3 (1 - e^2)^{3/2} / (2 pi G),    a_1 sin i = P K sqrt(1 - e^2) / (2 pi),

the mass function and the projected semi-major axis of the star's own orbit (Batten, Fletcher &
MacCarthy 1989, Publ. Dominion Astrophys. Obs. 17, 1, whose formulas have the same constants in km/s
and d). The times of periastron and conjunction recur with the period, and omega with a turn: of
each draw the passage nearest the circular mean is taken, so that quantiles are those of one peak.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import astropy.units as u
import numpy as np
from astropy import constants
from astropy.table import QTable
from astropy.time import Time

from astro_hier.models.orbits.data import Velocities
from astro_hier.models.orbits.ellipse import TURN, nearest_passage, unbroken
from astro_hier.models.orbits.velocity import KMS
from astro_hier.posterior import Units

STATISTICS = {"median": 0.5, "16%": 0.16, "84%": 0.84}
DERIVED = {"mass_function": u.solMass, "a1_sini": u.Gm}
MOST_DECIMALS = 15
SMALL = 1e-3  # below which numbers are printed with an exponent
OWN = Units(None, {})


def of_draws(
    data: Velocities,
    values: Mapping[str, np.ndarray],
    star: int = 0,
    meta: Mapping[str, Any] | None = None,
    units: Units = OWN,
) -> QTable:
    """The elements of one star's orbit: quantiles of draws, and of what follows from them.

    Parameters
    ----------
    data : Velocities
        The visits of the star, or of a sample that it belongs to.
    values : dict of ndarray
        Draws of the star's parameters, shape (draw,), or (draw, instrument) of those that each
        instrument has: those of the orbit and of all terms and scatters, and K.
    star : int, optional
        Number of the star.
    meta : dict, optional
        The table's ``meta``.
    units : Units, optional
        Those of the columns.

    Returns
    -------
    `~astropy.table.QTable`
        Rows "median", "16%" and "84%"; columns ``statistic``, ``P``, ``e``, ``omega``, ``K``,
        ``v0``, ``T_peri``, ``T_conj``, ``mass_function``, ``a1_sini``, and the parameters of trend,
        offsets and jitter, of the instruments that the star was visited with.
    """
    table = QTable({"statistic": list(STATISTICS)}, meta=meta)
    of_orbit = data.orbit.elements(values)
    P, e, K = values["P"], of_orbit["e"], values["K"]
    named = {
        "P": P * u.day, "e": e * u.one, "omega": unbroken(of_orbit["omega"]) * u.rad,
        "K": K * KMS, "v0": values["v0"] * KMS,
    }  # fmt: skip
    for name, draws in named.items():
        _add(table, name, draws, units)
    for name in ("t_peri", "t_conj"):
        passage = _about_the_mean(of_orbit[name], P, data.mean_time[star])
        _add_time(table, name.capitalize(), passage, data, star)
    _add(table, "mass_function", mass_function(P, e, K), units)
    _add(table, "a1_sini", projected_axis(P, e, K), units)
    for name, draws in _others(data, values, star):
        _add(table, name, draws, units)
    return table


def mass_function(P: np.ndarray, e: np.ndarray, K: np.ndarray) -> u.Quantity:
    """P K^3 (1 - e^2)^1.5 / (2 pi G) of periods in d and semi-amplitudes in km/s."""
    found = P * u.day * (K * KMS) ** 3 * (1 - e**2) ** 1.5 / (TURN * constants.G)
    return found.to(DERIVED["mass_function"])


def projected_axis(P: np.ndarray, e: np.ndarray, K: np.ndarray) -> u.Quantity:
    """P K (1 - e^2)^0.5 / (2 pi) of periods in d and semi-amplitudes in km/s."""
    return (P * u.day * K * KMS * np.sqrt(1 - e**2) / TURN).to(DERIVED["a1_sini"])


def _about_the_mean(passage, P, time):
    """The passage of each draw nearest the circular mean of those nearest to a time."""
    mean = np.angle(np.mean(np.exp(1j * TURN * (passage - time) / P))) / TURN
    return nearest_passage(passage, P, time + mean * P)


def _others(data, values, star) -> Iterator[tuple[str, u.Quantity]]:
    """Names and draws of the parameters of further terms and of the scatter."""
    visited = np.unique(data.instrument[data.rows_of[star]])
    for parameter in (p for part in data.parts[1:] for p in part.parameters):
        draws = values[parameter.name] * parameter.unit
        if "instrument" not in parameter.dims:
            yield parameter.name, draws
            continue
        for number in visited:
            if np.any(draws[:, number] != 0):  # the first one's offset is zero by definition
                yield f"{parameter.name}[{data.instruments[number]}]", draws[:, number]


def _add(table, name, draws, units):
    """A column of quantiles, printed to two digits of half the interval."""
    found = np.quantile(draws, list(STATISTICS.values()))
    found = found.to(units.of(found.unit, name, name.partition("[")[0]))
    table[name] = found
    decimals, size = _decimals(found.value), abs(found[0].value)
    if 0 < size < SMALL:
        table[name].info.format = f".{max(decimals + int(np.floor(np.log10(size))), 1)}e"
    else:
        table[name].info.format = f".{max(decimals, 0)}f"


def _add_time(table, name, passage, data, star):
    """A column of quantiles of times in d from the star's first visit."""
    found = np.quantile(passage, list(STATISTICS.values()))
    decimals = max(_decimals(found), 0)
    at = data.epoch.at(data.first[star] + np.nan_to_num(found))
    if not isinstance(at, Time):
        table[name] = np.where(np.isnan(found), np.nan, at)
        table[name].info.format = f".{decimals}f"
        return
    # a column of Time has no format that files keep
    at = Time(np.round(at.jd, decimals + 1), format="jd", scale=at.scale)
    if np.isnan(found).any():
        at[:] = np.ma.masked
    table[name] = at


def _decimals(quantiles):
    """Number of decimals that show two digits of half the width; 6 if there is none."""
    half = 0.5 * (quantiles[2] - quantiles[1])
    return min(1 - int(np.floor(np.log10(half))), MOST_DECIMALS) if half > 0 else 6
