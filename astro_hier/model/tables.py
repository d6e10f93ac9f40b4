"""Tables of results that every model has, as functions of the model."""

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.posterior import UnitLike, in_units

__all__ = ["explanations"]


def explanations(model: Any, min_probability: float = 0.01, unit: UnitLike = None) -> QTable:
    """The distinct explanations of the data, most probable first.

    They are separate regions of the posterior of the parameters common to all stars: between
    two of them the density falls to less than a tenth of that at the lower peak.

    Parameters
    ----------
    min_probability : float, optional
        Explanations with a lower probability are left out; those below one percent always are.
        ``meta["probability_left_out"]`` is the total probability of all that are left out.
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

    Returns
    -------
    `~astropy.table.QTable`
        Columns probability; for each inferred parameter its median in the explanation and, with
        ``_sd``, half of the 68 percent interval; and, if rows have a membership probability,
        n_members, the mean number of members.

    Raises
    ------
    ValueError
        If the draws are not from ``method="marginal"``, or the model has no parameters common
        to all stars.

    Examples
    --------
    >>> from astro_hier import VelocityDispersion, datasets
    >>> table = datasets.make_velocities(40, random_state=1)
    >>> system = VelocityDispersion().fit(table, random_state=1, progressbar=False)
    >>> print(len(system.explanations()), "explanation")
    1 explanation
    """
    stats = model.inference_data["sample_stats"]
    if "explanation" not in stats:
        raise ValueError(
            "explanations are found by method='marginal', for models with parameters common to"
            " all stars; a binary's periods are listed by modes()"
        )
    number = np.ravel(stats.to_dataset()["explanation"].values)
    probability = np.bincount(number[number >= 0], minlength=1) / number.size
    listed = np.flatnonzero(probability >= max(min_probability, 1 / number.size))
    table = QTable({"probability": probability[listed]})
    for name in (p.name for p in model._common_parameters() if p.name in model.free_names()):
        values = [model.samples(name)[number == n] for n in listed]
        low, middle, high = (
            u.Quantity([np.quantile(of, q) for of in values]) for q in (0.16, 0.5, 0.84)
        )
        table[name], table[f"{name}_sd"] = middle, 0.5 * (high - low)
    if "member" in model.posterior:
        members = model.samples("member").value.sum(axis=1)
        table["n_members"] = [members[number == n].mean() for n in listed]
    for name in table.colnames:
        table[name].info.format = ".4g"
    table.meta["probability_left_out"] = float(1 - probability[listed].sum())
    return in_units(model, table, unit)
