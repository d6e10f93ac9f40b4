"""Results of a population of orbits: a table of the stars, and predicted velocities."""

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.models.binary_population.data import in_parallel
from astro_hier.models.orbits.velocity import KMS

EXACT = ("P", "P_low", "P_high", "P_map")  # columns shown with more digits
UNITS = dict.fromkeys(("baseline", "P", "P_low", "P_high", "P_sd", "P_map"), u.day)
UNITS |= dict.fromkeys(("K", "K_upper", "v0", "jitter"), KMS)


def star_table(model, progressbar=False):
    """Every star's own results, given its velocities and the population.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star, n_visits, baseline, P, P_low, P_high and P_sd (median, 16th and 84th
        percentile and standard deviation in the most probable mode), P_map (the most probable
        period there), K (of the best orbit there), K_upper (the 95 percent upper limit of K,
        whatever the period), v0 (of the best orbit), n_modes (with more than 1 percent
        probability), probability (of the best mode), jitter (of the best orbit, if it is inferred;
        for each instrument), chi2_per_dof (of the best orbit, with the jitter; NaN with as few
        visits as parameters), p_chi2 (its tail probability), ln_bayes_factor (of an orbit over a
        constant velocity) and period_information (the Kullback-Leibler divergence of the period's
        posterior from the population, in nats: 0 if the visits say nothing).
    """
    data = model.fitted_data()
    rows = describe(model, range(len(data.stars)), progressbar)
    columns = {name: np.array([row[name] for row, _ in rows]) for name in rows[0][0]}
    for parameter in data.scatter.parameters:
        columns[parameter.name] = columns[parameter.name].reshape(data.shape(parameter.dims))
    table = QTable(columns)
    table.add_column(data.stars, name="star", index=0)
    for name in set(UNITS) & set(table.colnames):
        table[name] = table[name] * UNITS[name]
    for name in table.colnames[2:]:
        table[name].info.format = ".8g" if name in EXACT else ".4g"
    table["n_modes"].info.format = None
    return table


def population_draws(model) -> dict[str, np.ndarray]:
    """The draws of the population's parameters."""
    names = *model.sampled_names(), *model.standard_normals(model.fitted_data())
    return {name: model.samples(name).value for name in names}


def describe(model, stars: Sequence[int], progressbar: bool = False) -> list[tuple[dict, tuple]]:
    """For some stars, the line of the table, and the visits with the best orbit."""
    work = model.fitted_data().describe(stars, population_draws(model))
    return in_parallel(work, model.n_jobs, len(stars), "stars", progressbar)


def predict(model, times=None):
    """Radial velocity of every star in every draw, without measurement errors.

    Parameters
    ----------
    times : `~astropy.units.Quantity` or `~astropy.time.Time`, optional
        Times of the same kind as the table's, shape (time,), the same for all stars; by default
        those of the visits.

    Returns
    -------
    `~astropy.units.Quantity`
        Velocities in km/s, shape (chain * draw, visit), or (chain * draw, star, time).
    """
    data = model.fitted_data()
    parts = data.orbit, *data.terms
    values = {p.name: model.samples(p.name).value for part in parts for p in part.parameters}
    if times is None:
        return data.velocity(values) * KMS
    days = np.atleast_1d(data.epoch.since(times))
    return data.velocity_at(days - data.first[:, None], values) * KMS
