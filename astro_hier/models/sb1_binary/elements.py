"""The elements of the orbit of one star, of all draws or of those in one mode."""

from typing import Any

import numpy as np
from astropy.table import QTable

from astro_hier.models.orbits import elements as orbit_elements
from astro_hier.models.sb1_binary.data import OneStar
from astro_hier.models.sb1_binary.tables import draws_of
from astro_hier.posterior import UnitLike, units_of

SEVERAL = (
    "{n} modes have more than 1 percent probability, and these numbers are of all of them together:"
    " modes() lists them, and elements(mode=0) describes the most probable one"
)


def elements(model, mode: int | None = None, unit: UnitLike = None) -> QTable:
    r"""The elements of the orbit: median, and the ends of the central 68 percent.

    The numbers are quantiles of the draws, also of quantities that follow from several parameters.

    Parameters
    ----------
    mode : int, optional
        Number of a row of ``modes()``, 0 for the most probable mode: only draws in that mode are
        used. By default all are, and ``meta["note"]`` says so if there are several modes.
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

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

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> star.elements()["statistic", "P", "K", "e"].colnames
    ['statistic', 'P', 'K', 'e']
    """
    data: OneStar = model.fitted_data()
    values, meta = _chosen(model, data, mode)
    return orbit_elements.of_draws(data, values, meta=meta, units=units_of(model, unit))


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
