"""Where the search for an orbit starts: a periodogram's highest peak, or the best of some draws."""

from dataclasses import replace
from typing import Any

import numpy as np

from astro_hier import priors
from astro_hier.core import orbit
from astro_hier.models.orbits.ellipse import Ellipse
from astro_hier.models.sb1_binary.data import OneStar

PERIODS_PER_PEAK = 10  # of the periodogram for the starting point
DRAWS, SEED = 200, 1  # of the posterior of an ellipse
MIN_VISITS = 5  # with fewer, any period fits


def initial(model, data: OneStar) -> dict[str, Any]:
    """A point near the highest peak of the posterior.

    For a circle it has the period of the highest Lomb-Scargle peak, and the best linear parameters
    there; with fewer than five visits, which any period fits, that is the median of the prior
    instead. The jitter starts at the scatter about this orbit. For an ellipse it is the draw of
    highest density, with normal priors in the place of others.
    """
    if isinstance(data.orbit, Ellipse):
        return _best_draw(model, data)
    period = _highest_peak(data)
    values = {"P": np.array([period])} | _best_linear(data, period)
    excess = (data.rv - data.velocity(values)[0]) ** 2 - data.rv_error**2
    values |= data.scatter.start(data, excess)
    values |= data.orbit.derive(values)
    return {name: value[0] for name, value in values.items()}


def _best_draw(model, data):
    if not data.is_closed:
        data = replace(data, is_closed=True)
    values, *_ = data.draw(DRAWS, np.random.default_rng(SEED))
    best = int(np.argmax(model.log_likelihood(data, values).sum(axis=1)))
    found = {name: of[best] for name, of in values.items()}
    for name in model.free_names():
        found[name] = model.within_bulk(name, found[name])
    return found


def _highest_peak(data):
    """Period of the highest peak in the periodogram within the range searched [d]."""
    from astropy.timeseries import LombScargle

    period, (shortest, longest) = float(data.period.median()), data.searched
    if len(data.time) < MIN_VISITS or np.ptp(data.time) == 0 or shortest == longest:
        return period
    frequency, power = LombScargle(data.time, data.rv, data.rv_error).autopower(
        minimum_frequency=1 / longest,
        maximum_frequency=1 / shortest,
        samples_per_peak=PERIODS_PER_PEAK,
    )
    if not len(power):
        return period
    return float(np.clip(1 / frequency[np.argmax(power)], shortest, longest))


def _best_linear(data, period):
    """Least squares at a period, moved into the bulk of the priors, as arrays of one draw."""
    best = orbit.Solution(replace(data.visits, jitter=None), np.array([1 / period])).linear()
    bulk = np.array([_bulk(column) for column in data.linear])
    return data.named(np.clip(best, bulk[:, :1], bulk[:, 1:]))


def _bulk(column):
    if column.prior is None:
        return -np.inf, np.inf
    return priors.bulk(column.prior, column.unit)
