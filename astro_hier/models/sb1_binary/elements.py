r"""The elements of an orbit as papers list them.

From the period P, the semi-amplitude K and the eccentricity e follow

    f(m) = P K^3 (1 - e^2)^{3/2} / (2 pi G),    a_1 sin i = P K sqrt(1 - e^2) / (2 pi),

the mass function and the projected semi-major axis of the star's own orbit (Batten, Fletcher &
MacCarthy 1989, Publ. Dominion Astrophys. Obs. 17, 1, whose formulas have the same constants in km/s
and d). The times of periastron and conjunction recur with the period, and omega with a turn: of
each draw the passage nearest the circular mean is taken, so that quantiles are those of one peak.
"""

from typing import Any

import astropy.units as u
import numpy as np
from astropy import constants
from astropy.table import QTable
from astropy.time import Time

from astro_hier.models.orbits.ellipse import TURN, nearest_passage, unbroken
from astro_hier.models.orbits.velocity import KMS
from astro_hier.models.sb1_binary.data import OneStar
from astro_hier.models.sb1_binary.tables import draws_of

STATISTICS = {"median": 0.5, "16%": 0.16, "84%": 0.84}
MOST_DECIMALS = 15
SMALL = 1e-3  # below which numbers are printed with an exponent
SEVERAL = (
    "{n} modes have more than 1 percent probability, and these numbers are of all of them together:"
    " modes() lists them, and elements(mode=0) describes the most probable one"
)


def elements(model, mode: int | None = None) -> QTable:
    r"""The elements of the orbit: median, and the ends of the central 68 percent.

    The numbers are quantiles of the draws, also of quantities that follow from several parameters.

    Parameters
    ----------
    mode : int, optional
        Number of a row of ``modes()``, 0 for the most probable mode: only draws in that mode are
        used. By default all are, and ``meta["note"]`` says so if there are several modes.

    Returns
    -------
    `~astropy.table.QTable`
        Rows "median", "16%" and "84%", as the first column, ``statistic``, says, and the columns

        - ``P`` (d), ``e``, ``omega`` (rad; of the star, within half a turn of its circular mean),
          ``K``, ``v0`` (km/s);
        - ``T_peri`` and ``T_conj``: the passages through periastron and through the conjunction
          with the companion in front of the star (:math:`\nu + \omega = \pi / 2`, where a transit
          would be; the star then recedes no longer and is about to approach), those nearest the
          weighted mean time of the visits. They are of the table's kind: `~astropy.time.Time` of
          the same scale, rounded to a hundredth of the interval, or Quantities that count from the
          same origin;
        - ``mass_function`` (solar masses) :math:`= P K^3 (1 - e^2)^{3/2} / (2 \pi G)`, and
          ``a1_sini`` :math:`= P K \sqrt{1 - e^2} / (2 \pi)` in Gm, which are the 10^6 km of
          catalogues of spectroscopic binaries;
        - the parameters of trend, offsets and jitter, if there are any, such as ``trend1`` or
          ``jitter[name]`` of an instrument.

        On a circular orbit e is 0, and neither omega nor T_peri is defined: they are NaN, and
        a Time, which cannot be NaN, is masked. ``meta`` has ``star`` (if it is known), ``mode``,
        ``probability`` (of the mode) and ``draws`` (how many were used).

    Raises
    ------
    ValueError
        If there is no mode of that number, or no draw lies in it.
    astro_hier.priors.PriorError
        If ``mode`` is given and modes cannot be found because a prior is not normal.
    """
    data: OneStar = model.fitted_data()
    values, meta = _chosen(model, data, mode)
    table = QTable({"statistic": list(STATISTICS)}, meta=meta)
    P, of_orbit = values["P"], data.orbit.elements(values)
    named = {
        "P": P * u.day, "e": of_orbit["e"] * u.one, "omega": unbroken(of_orbit["omega"]) * u.rad,
        "K": values["K"] * KMS, "v0": values["v0"] * KMS,
    }  # fmt: skip
    for name, draws in named.items():
        _add(table, name, draws)
    for name in ("t_peri", "t_conj"):
        passage = _about_the_mean(of_orbit[name], P, data.mean_time[0])
        _add_time(table, name.capitalize(), passage, data)
    e, K = of_orbit["e"], values["K"]
    _add(table, "mass_function", mass_function(P, e, K))
    _add(table, "a1_sini", projected_axis(P, e, K))
    for name, draws in _others(data, values):
        _add(table, name, draws)
    return table


def mass_function(P: np.ndarray, e: np.ndarray, K: np.ndarray) -> u.Quantity:
    """P K^3 (1 - e^2)^1.5 / (2 pi G) of periods in d and semi-amplitudes in km/s."""
    found = P * u.day * (K * KMS) ** 3 * (1 - e**2) ** 1.5 / (TURN * constants.G)
    return found.to(u.solMass)


def projected_axis(P: np.ndarray, e: np.ndarray, K: np.ndarray) -> u.Quantity:
    """P K (1 - e^2)^0.5 / (2 pi) of periods in d and semi-amplitudes in km/s."""
    return (P * u.day * K * KMS * np.sqrt(1 - e**2) / TURN).to(u.Gm)


def _chosen(model, data: OneStar, mode: int | None) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Draws of all parameters in a mode, or all draws, and what is to be said of them."""
    values, attrs = draws_of(model), model.posterior.attrs
    meta: dict[str, Any] = {"star": attrs["star"]} if "star" in attrs else {}
    if mode is None:
        meta |= {"mode": None, "probability": 1.0, "draws": len(values["P"])}
        several = attrs.get("n_modes", 1)
        return values, meta | ({"note": SEVERAL.format(n=several)} if several > 1 else {})
    data.check_closed()
    probability = np.asarray(data.mode_table()["probability"])
    if mode not in range(len(probability)):
        raise ValueError(
            f"mode={mode!r}; expected a number of a row of modes(min_probability=0), which has"
            f" {len(probability)}, the first of number 0"
        )
    number = np.argsort(-probability, kind="stable")[mode]
    inside = data.mode_of(values) == number
    if not inside.any():
        raise ValueError(
            f"mode={mode}: none of the {len(inside)} draws lies in this mode, which has probability"
            f" {probability[number]:.2g}; fit with more draws, or choose a more probable mode"
        )
    meta |= {"mode": int(mode), "probability": min(float(probability[number]), 1.0)}
    return {name: of[inside] for name, of in values.items()}, meta | {"draws": int(inside.sum())}


def _about_the_mean(passage, P, time):
    """The passage of each draw nearest the circular mean of those nearest to a time."""
    mean = np.angle(np.mean(np.exp(1j * TURN * (passage - time) / P))) / TURN
    return nearest_passage(passage, P, time + mean * P)


def _others(data, values):
    """Names and draws of the parameters of further terms and of the scatter."""
    for parameter in (p for part in data.parts[1:] for p in part.parameters):
        draws = values[parameter.name] * parameter.unit
        if not parameter.dims:
            yield parameter.name, draws
            continue
        (dim,) = parameter.dims
        for label, of_one in zip(data.labels[dim], draws.T, strict=True):
            if np.any(of_one != 0):  # the offset of the first instrument is zero by definition
                yield f"{parameter.name}[{label}]", of_one


def _add(table, name, draws):
    """A column of quantiles, printed to two digits of half the interval."""
    found = np.quantile(draws, list(STATISTICS.values()))
    table[name] = found
    decimals, size = _decimals(found.value), abs(found[0].value)
    if 0 < size < SMALL:
        table[name].info.format = f".{max(decimals + int(np.floor(np.log10(size))), 1)}e"
    else:
        table[name].info.format = f".{max(decimals, 0)}f"


def _add_time(table, name, passage, data):
    """A column of quantiles of times in d from the star's first visit."""
    found = np.quantile(passage, list(STATISTICS.values()))
    decimals = max(_decimals(found), 0)
    at = data.epoch.at(data.first[0] + np.nan_to_num(found))
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
