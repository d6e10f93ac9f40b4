"""Where the search for an orbit starts: the highest peak of a periodogram."""

import numpy as np

from astro_hier.core import orbit, period_nodes
from astro_hier.models.orbits.model import KMS

PERIODS_PER_PEAK = 10  # of the periodogram that gives the starting point


def initial(model, data):
    """Period of the highest Lomb-Scargle peak, and linear least squares with the priors.

    With fewer than five visits, which any period fits, it is the prior's median. The jitter is
    the scatter that this orbit leaves.
    """
    from astropy.timeseries import LombScargle

    prior = model.frozen_priors()
    period = float(model._prior_of_period().median())
    shortest, longest = period_nodes.searched_range(prior["P"])
    if len(data["time"]) >= 5 and np.ptp(data["time"]) > 0 and shortest < longest:
        search = LombScargle(data["time"], data["rv"], data["rv_error"])
        frequency, power = search.autopower(
            minimum_frequency=1 / longest,
            maximum_frequency=1 / shortest,
            samples_per_peak=PERIODS_PER_PEAK,
        )
        if len(power):
            period = float(np.clip(1 / frequency[np.argmax(power)], shortest, longest))
    values = {"P": np.array([period])} | _best_linear(model, data, period)
    if model.jitter is not None:
        number, frozen = data["instrument_index"], model._jitter_prior()
        left2 = (data["rv"] - model._velocity(data, values)[0]) ** 2 - data["rv_error"] ** 2
        found = np.sqrt(np.maximum(np.bincount(number, left2) / np.bincount(number), 1e-12))
        found = np.clip(found, *frozen.ppf([0.05, 0.95]))
        values["jitter"] = found[None] if model.instrument else found
    values["K"] = np.hypot(values["a"], values["b"])
    return {name: value[0] for name, value in values.items()}


def _best_linear(model, data, period):
    """Least squares at a period, moved into the bulk of the priors; arrays of one draw."""
    frozen = [
        model.prior_of(name).frozen(model.parameter(name).unit) for name in model._linear_names()
    ]
    others = len(data["instruments"]) - 1
    if model.instrument:
        frozen += [model.prior_of("offset").frozen(KMS)] * others
    linear = tuple(np.array([getattr(p, of)() for p in frozen]) for of in ("mean", "std"))
    visits = model._visits_of(data, slice(None), linear)
    best = orbit.Solution(visits, np.array([1 / period])).linear()
    bulk = np.array([prior.ppf([0.001, 0.999]) for prior in frozen])
    return model._named_linear(np.clip(best, bulk[:, :1], bulk[:, 1:]))
