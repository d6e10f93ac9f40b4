"""Tables of a population of orbits: each star's own results, and predicted velocities."""

import astropy.units as u
import numpy as np
from astropy.table import QTable
from joblib import delayed

from astro_hier.core import population_star
from astro_hier.models.orbits.model import KMS

EXACT = ("P", "P_low", "P_high", "P_map")  # columns of more digits
TABLE_DRAWS = 200  # of the hyperparameters, to average the population over


def star_table(model, progressbar=False):
    """Every star's own results, given its velocities and the population.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star, n_visits, baseline, P, P_low, P_high and P_sd (median, 16 and 84 percent
        and standard deviation in the most probable mode), P_map (the most probable there), K
        (of the best orbit there), K_upper (its 95 percent upper limit, whatever the period), v0
        (there), n_modes (of more than 1 percent), probability (of the best mode), jitter
        (there, if it is inferred; of each instrument), chi2_per_dof (there, with the jitter;
        not a number for as few visits as parameters), p_chi2 (its tail probability),
        ln_bayes_factor (of an orbit over a constant velocity) and period_information (the
        Kullback-Leibler divergence of the period's posterior from the population, in nats: 0
        where the visits say nothing).
    """
    data = model.fitted_data()
    describe = describer(model, data)
    work = (describe(n) for n in range(len(data["stars"])))
    rows = model._in_parallel(work, len(data["stars"]), "stars", progressbar)
    rows = [row for row, _ in rows]
    table = QTable({name: np.array([row[name] for row in rows]) for name in rows[0]})
    table.add_column(data["stars"], name="star", index=0)
    units = dict.fromkeys(("baseline", "P", "P_low", "P_high", "P_sd", "P_map"), u.day)
    units |= {"K": KMS, "K_upper": KMS, "v0": KMS}
    if model.jitter is not None:
        units["jitter"] = KMS
        if not model.instrument:
            table["jitter"] = table["jitter"][:, 0]
    for name, unit in units.items():
        table[name] = table[name] * unit
    for name in table.colnames[2:]:
        table[name].info.format = ".8g" if name in EXACT else ".4g"
    table["n_modes"].info.format = None
    return table


def describer(model, data):
    """A function from the number of a star to the work that describes it."""
    common = data["grid"], *model._population_on_grid(data, model._some_draws())
    return lambda n: delayed(population_star.describe)(
        model._visits(data, n),
        data["summaries"][n],
        *common,
        1 + model._n_adjusted(data, data["visits"][n]),
    )


def predict(model, times=None):
    """Radial velocities of every star and draw, without measurement errors.

    Parameters
    ----------
    times : `~astropy.units.Quantity` or `~astropy.time.Time`, optional
        Times as the table's, shape (time,), the same for all stars; by default each visit's
        own.

    Returns
    -------
    `~astropy.units.Quantity`
        Velocities in km/s, shape (chain * draw, visit), or (chain * draw, star, time).
    """
    data = model.fitted_data()
    names = ["P", *model._linear_names()]
    values = {n: model.samples(n).value for n in names + ["offset"] * bool(model.instrument)}
    if times is None:
        return model._velocity(data, values) * KMS
    days = np.atleast_1d(data["epoch"].since(times))
    first = first_visits(data)
    of_star = {name: values[name][:, :, None] for name in names}
    return model._velocity_at(days - first[:, None], of_star) * KMS


def thinned(theta):
    """Some of the draws, equally spaced."""
    size = len(next(iter(theta.values())))
    some = np.linspace(0, size - 1, min(size, TABLE_DRAWS)).astype(int)
    return {name: draws[some] for name, draws in theta.items()}


def first_visits(data):
    """Time of each star's first visit, in d."""
    return np.array([data["time"][visits].min() for visits in data["visits"]])
