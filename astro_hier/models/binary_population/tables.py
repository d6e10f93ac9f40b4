"""Results of a population of orbits: a table of the stars, and predicted velocities."""

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.time import Time

from astro_hier.models.binary_population.data import in_parallel
from astro_hier.models.orbits.velocity import KMS
from astro_hier.posterior import UnitLike, in_units, quantity_in

EXACT = ("P", "P_low", "P_high", "P_map")  # columns shown with more digits
UNITS = dict.fromkeys(("baseline", *EXACT, "P_sd"), u.day)
UNITS |= dict.fromkeys(("K", "K_low", "K_high", "K_upper", "v0", "jitter"), KMS)
ECCENTRICITY = "e", "e_low", "e_high"
ORDER = (
    "n_visits", "baseline", "P", "P_low", "P_high", "P_sd", "P_map", *ECCENTRICITY, "K", "K_low",
    "K_high", "K_upper", "v0", "n_modes", "probability", "jitter", "chi2_per_dof", "p_chi2",
    "ln_bayes_factor", "period_information",
)  # fmt: skip


def star_table(model, progressbar: bool = False, unit: UnitLike = None) -> QTable:
    """Every star's own results, given its velocities and the population.

    Parameters
    ----------
    progressbar : bool, optional
        Whether to show progress.
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each star. Results of an orbit are those that the star has if it has one, and
        those called low and high are 16th and 84th percentiles. The columns are

        - ``star``, ``n_visits`` and ``baseline`` (d);
        - ``P``, ``P_low``, ``P_high``, ``P_sd`` (d): median, percentiles and standard deviation of
          the period in the most probable mode, and ``P_map``, the most probable period there;
        - ``e``, ``e_low``, ``e_high``, if orbits are eccentric: median and percentiles in the mode;
        - ``K`` (km/s): of the best orbit in the mode or, if orbits are eccentric, the median there;
          ``K_low``, ``K_high``: percentiles in the mode; ``K_upper``: the 95 percent upper limit,
          whatever the period;
        - ``v0`` (km/s), of the best orbit;
        - ``n_modes``, with more than 1 percent probability, and ``probability``, of the best mode;
        - ``jitter`` (km/s; for each instrument), of the best orbit, if it is inferred;
        - ``chi2_per_dof`` of the best orbit, with the jitter (NaN with as few visits as
          parameters), and ``p_chi2``, its tail probability;
        - ``ln_bayes_factor`` of an orbit over a constant velocity;
        - ``period_information``, the Kullback-Leibler divergence of the period's posterior from the
          population, in nats: 0 if the visits say nothing;
        - ``companion``, with ``companion_fraction``: the probability that the star has a companion,
          averaged over the draws of the population.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> sample = BinaryPopulation()
    >>> sample = sample.fit(visits, draws=100, random_state=1, progressbar=False)
    >>> sample.star_table()["star", "n_visits", "P", "K"].colnames
    ['star', 'n_visits', 'P', 'K']
    """
    data = model.fitted_data()
    rows = [row for row, _ in describe(model, range(len(data.stars)), progressbar)]
    inferred = {parameter.name: parameter.dims for parameter in data.scatter.parameters}
    table = QTable({"star": data.stars})
    for name in ORDER:
        if name not in rows[0] or (name == "jitter" and name not in inferred):
            continue
        table[name] = np.array([row[name] for row in rows])
        if name in inferred:
            table[name] = table[name].reshape(data.shape(inferred[name]))
        if name in UNITS:
            table[name] = table[name] * UNITS[name]
        table[name].info.format = ".8g" if name in EXACT else ".4g"
    if model.companion_fraction is not None:
        table["companion"] = companion_probability(model)
        table["companion"].info.format = ".4g"
    for name in ("n_visits", "n_modes"):
        table[name].info.format = None
    return in_units(model, table, unit)


def population_draws(model) -> dict[str, np.ndarray]:
    """The draws of the population's parameters."""
    names = *model.sampled_names(), *model.standard_normals(model.fitted_data())
    return {name: model.samples(name).value for name in names}


def companion_probability(model) -> np.ndarray:
    """Each star's probability of a companion, averaged over the population's draws, (star,).

    It is 1 if all stars have one.
    """
    if model.companion_fraction is None:
        return np.ones(len(model.fitted_data().stars))
    if "companion" in model.posterior:
        return model.samples("companion").value.mean(axis=0)
    return model.fitted_data().companion_probability(population_draws(model))


def describe(model, stars: Sequence[int], progressbar: bool = False) -> list[tuple[dict, tuple]]:
    """For some stars, the line of the table; and errors, best orbit and a few draws, for figures.

    The errors of the star's visits include the jitter, and orbits are dicts as of the core.
    """
    work = model.fitted_data().describe(stars, population_draws(model))
    return in_parallel(work, model.n_jobs, len(stars), "stars", progressbar)


def predict(model, times: u.Quantity | Time | None = None, unit: UnitLike = None) -> u.Quantity:
    """Radial velocity of every star in every draw, without measurement errors.

    Parameters
    ----------
    times : `~astropy.units.Quantity` or `~astropy.time.Time`, optional
        Times of the same kind as the table's, shape (time,), the same for all stars; by default
        those of the visits.
    unit : unit, list or dict, optional
        The unit of the result, or several as in `summary`; by default km/s.

    Returns
    -------
    `~astropy.units.Quantity`
        Velocities, shape (chain * draw, visit), or (chain * draw, star, time).

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> sample = BinaryPopulation()
    >>> sample = sample.fit(visits, draws=100, random_state=1, progressbar=False)
    >>> sample.predict().shape
    (400, 60)
    """
    data = model.fitted_data()
    parts = data.orbit, *data.terms
    values = {p.name: model.samples(p.name).value for part in parts for p in part.parameters}
    if times is None:
        return quantity_in(model, "rv", data.velocity(values) * KMS, unit)
    days = np.atleast_1d(data.epoch.since(times))
    found = data.velocity_at(days - data.first[:, None], values) * KMS
    return quantity_in(model, "rv", found, unit)
