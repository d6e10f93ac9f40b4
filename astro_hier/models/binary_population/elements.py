"""The elements of the orbit of one star of a sample."""

from typing import Any

from astropy.table import QTable

from astro_hier.models.binary_population.data import Sample
from astro_hier.models.binary_population.tables import companion_probability, describe
from astro_hier.models.orbits import elements as orbit_elements
from astro_hier.posterior import UnitLike, units_of

SEVERAL = (
    "{n} modes have more than 1 percent probability, and these numbers are of all of them together:"
    " star_table() describes the most probable one"
)


def elements(model, star: str | int, unit: UnitLike = None) -> QTable:
    r"""The elements of one star's orbit: median, and the ends of the central 68 percent.

    The numbers are quantiles of the star's draws, given its velocities and the population, also of
    quantities that follow from several parameters.

    Parameters
    ----------
    star : str or int
        The star's identifier in the table.
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

    Returns
    -------
    `~astropy.table.QTable`
        As from ``SB1Binary.elements()``: rows "median", "16%" and "84%", and the columns
        ``statistic``, ``P`` (d), ``e``, ``omega`` (rad), ``K``, ``v0`` (km/s), ``T_peri`` and
        ``T_conj`` (times of the table's kind), ``mass_function`` (solar masses), ``a1_sini`` (Gm),
        and the parameters of trend, offsets and jitter. ``meta`` has ``star``, ``draws`` (how many
        were used), ``companion`` (the probability that the star has one, with
        ``companion_fraction``; the elements are those that its orbit then has), and a ``note`` if
        there are several modes.

    Raises
    ------
    ValueError
        If the star is not among those fitted, or draws of single stars were not kept.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> sample = BinaryPopulation()
    >>> sample = sample.fit(visits, draws=100, random_state=1, progressbar=False)
    >>> sample.elements(visits["star"][0])["statistic"].tolist()
    ['median', '16%', '84%']
    """
    data: Sample = model.fitted_data()
    labels = list(data.stars)
    if star not in labels:
        raise ValueError(
            f"star={star!r} is not among the {len(labels)} fitted; expected an identifier of the"
            f" table, such as {labels[0].item()!r}"
        )
    number = labels.index(star)
    parts = data.orbit, *data.parts
    names = {p.name for part in parts for p in part.parameters} | {"K"}
    values = {name: model.samples(name).value[:, number] for name in names}
    meta: dict[str, Any] = {"star": labels[number].item(), "draws": len(values["P"])}
    if model.companion_fraction is not None:
        meta["companion"] = float(companion_probability(model)[number])
    ((row, _),) = describe(model, [number])
    if row["n_modes"] > 1:
        meta["note"] = SEVERAL.format(n=row["n_modes"])
    units = units_of(model, unit)
    return orbit_elements.of_draws(data, values, number, meta, units)
