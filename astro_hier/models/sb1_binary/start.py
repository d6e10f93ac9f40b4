"""Where the search for an orbit starts: the highest peak of a periodogram."""

from typing import Any

import numpy as np

from astro_hier import priors
from astro_hier.core import orbit
from astro_hier.models.sb1_binary.data import OneStar

PERIODS_PER_PEAK = 10  # of the periodogram for the starting point
MIN_VISITS = 5  # with fewer, any period fits


def initial(model, data: OneStar) -> dict[str, Any]:
    """Period of the highest Lomb-Scargle peak, and the best linear parameters there.

    With fewer than five visits, which any period fits, it is the median of the prior instead. The
    jitter starts at the scatter about this orbit.
    """
    period = _highest_peak(data)
    values = {"P": np.array([period])} | _best_linear(data, period)
    excess = (data.rv - data.velocity(values)[0]) ** 2 - data.rv_error**2
    values |= data.scatter.start(data, excess)
    values |= data.orbit.derive(values)
    return {name: value[0] for name, value in values.items()}


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
    frozen = [column.prior.frozen(column.unit) for column in data.linear]
    moments = (np.array([getattr(p, of)() for p in frozen]) for of in ("mean", "std"))
    best = orbit.Solution(data.visits_of(0, *moments), np.array([1 / period])).linear()
    bulk = np.array([priors.bulk(column.prior, column.unit) for column in data.linear])
    return data.named(np.clip(best, bulk[:, :1], bulk[:, 1:]))
