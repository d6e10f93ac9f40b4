"""The posterior of a period, from a likelihood that is a forest of needles.

ln p(v | f) varies on the scale 1 / baseline in frequency f, so a grid of `POINTS` per 1 / baseline
follows it; p itself is sharper, the more so the better the data are. The grid is therefore cut into
panels of three points, and every panel is halved that can matter and over which ln p bends by more
than `BEND`. Whether it can matter depends on the mass that it would have if ln p rose above the
highest of its points by as much as its bend allows. Likelihood and prior are then integrated by
the trapezoid rule over the cells between points, in the prior's own measure.

A likelihood may name special frequencies at which needles hide between the points of the grid: the
panels around them are halved down to a given width, whatever the likelihood at their points.

The likelihood is an object such as `astro_hier.core.orbit.Circle`: ``time`` holds the times of the
visits, ``at`` gives ln p(v | f) at any frequencies, ``grid`` at equally spaced ones, and
``special`` the special frequencies and the width. If it has a compiled ``star``, and the prior is
uniform in ln P, all this is done by `astro_hier.core.period_compiled`, with the same cells.

At the end all cells are halved once more; the resulting change of the mean of ln P is the error
that is reported.
"""

from dataclasses import replace

import numpy as np

from astro_hier.core.floats import TINY
from astro_hier.core.period_cells import PeriodNodes, log_sum, moments, place_in_cell

POINTS = 32
POINTS_MANY_VISITS = 12  # enough where no few visits can decide the likelihood
MANY_VISITS = 10
MAX_POINTS = 2e7
MIN_POINTS = 513
BEND = 0.02
SAFETY = 3.0
NEGLIGIBLE = 22.0  # panels below exp(-NEGLIGIBLE) of the total do not matter
MAX_HALVINGS = 60
# Where rounding of ln p looks like bends, their number doubles with each halving. Else it is about
# that of the grid's panels at most.
MAX_GROWTH, LEAST_MOST = 8, 100_000
SHARES = np.array([0.0, 0.1234, 0.3819, 0.5, 0.7071, 0.9, 1.0])  # of the range in ln P


def period_nodes(likelihood, prior):
    """Find the cells.

    Parameters
    ----------
    likelihood : object
        Of one star, see above.
    prior : object
        Prior of the period 1 / f, with ``support()``, ``cdf`` and ``ppf`` as in `scipy.stats`.

    Returns
    -------
    PeriodNodes

    Raises
    ------
    ValueError
        If the shortest period takes more frequencies than fit in memory, or the posterior is not
        resolved.
    """
    shortest, longest = searched_range(prior)
    if shortest == longest:
        known = np.array([1 / shortest])
        height = likelihood.at(known)
        return PeriodNodes(known, known, height, height, np.ones(1), error=0.0)
    if _is_compiled(likelihood, prior):
        return _compiled(likelihood, prior, -np.inf, halved=True)
    panels = _panels(likelihood, prior)
    coarse = _cells(panels, prior)
    fine = _cells(_halve(panels, likelihood.at), prior)
    before, after = moments(coarse), moments(fine)
    return replace(fine, error=float(abs(after[0] - before[0]) / after[1]))


def coarse_nodes(likelihood, prior, floor=-np.inf):
    """The cells without the last halving and its error.

    Whatever is negligible compared with an evidence of exp(``floor``) is left out, which may leave
    no cells at all.
    """
    if len(set(searched_range(prior))) == 1:
        return period_nodes(likelihood, prior)
    if _is_compiled(likelihood, prior):
        return _compiled(likelihood, prior, floor, halved=False)
    return _cells(_panels(likelihood, prior, floor), prior)


def log_evidence(likelihood, prior, floor=-np.inf):
    """ln p(v) without the last halving and its error, or a bound where it is negligible."""
    nodes = coarse_nodes(likelihood, prior, floor)
    return nodes.log_evidence if nodes.low.size else floor - NEGLIGIBLE


def _is_compiled(likelihood, prior):
    """Whether compiled loops do the search."""
    if getattr(likelihood, "star", None) is None:
        return False
    # loops know one prior only: that which is uniform in ln P
    shortest, longest = searched_range(prior)
    shares = prior.cdf(shortest * (longest / shortest) ** SHARES)
    return np.allclose(shares, SHARES, rtol=0, atol=1e-12)


def _compiled(likelihood, prior, floor, halved):
    """The cells, found by compiled loops, ``halved`` once more or not."""
    from astro_hier.core import period_compiled

    frequency = _frequencies(likelihood, prior)
    special = likelihood.special(frequency[0], frequency[-1])
    rules = period_compiled.Rules(
        BEND, SAFETY, NEGLIGIBLE, MAX_HALVINGS, _most_bends(len(frequency) // 2)
    )
    nodes, settled = period_compiled.search(
        likelihood.star, frequency, *special, floor, halved, rules
    )
    _check_settled(settled, likelihood)
    return nodes


def _panels(likelihood, prior, floor=-np.inf):
    """Panels that follow every needle that matters compared with exp(``floor``)."""
    frequency = _frequencies(likelihood, prior)
    lowest, highest, count = frequency[0], frequency[-1], len(frequency)
    log_p = likelihood.grid(lowest, (highest - lowest) / (count - 1), count)
    panels = np.array([frequency[:-2:2], frequency[1:-1:2], frequency[2::2],
                       log_p[:-2:2], log_p[1:-1:2], log_p[2::2]])  # fmt: skip
    special, narrow = likelihood.special(lowest, highest)
    panels, settled = _refine(panels, likelihood.at, prior, special, narrow, floor)
    _check_settled(settled, likelihood)
    return panels


def _frequencies(likelihood, prior):
    """The grid: equally spaced, an odd number."""
    shortest, longest = searched_range(prior)
    lowest, highest = 1 / longest, 1 / shortest
    baseline = np.ptp(likelihood.time)
    count = grid_size(len(likelihood.time), baseline, lowest, highest)
    if count > MAX_POINTS:
        raise ValueError(
            f"periods down to {shortest:.3g} d over {baseline:.4g} d take {count:.2g} frequencies,"
            f" more than {MAX_POINTS:.0e}: raise the shortest period that the prior allows"
        )
    return np.linspace(lowest, highest, int(count) + 1 - int(count) % 2)


def grid_size(n_visits, baseline, lowest, highest):
    """About how many frequencies the grid has, for stars of so many visits and such baselines."""
    points = np.where(np.asarray(n_visits) < MANY_VISITS, POINTS, POINTS_MANY_VISITS)
    return np.maximum(MIN_POINTS, (highest - lowest) * baseline * points + 1)


def _most_bends(n_panels):
    """The number of panels that may bend after a halving, for a grid of so many."""
    return max(MAX_GROWTH * n_panels, LEAST_MOST)


def _check_settled(settled, likelihood):
    if settled:
        return
    raise unresolved(getattr(likelihood, "visits", None))


def unresolved(visits):
    """The error where numbers of a star's visits are too large or small to tell its period."""
    found = "" if visits is None else f" ({_extremes(visits)})"
    return ValueError(
        "the posterior of the period is not resolved by halving its frequency grid, because"
        f" rounding hides it{found}; are the times in days, the velocities right, and the errors"
        " not far too small? Correct or remove such visits; where only the errors are too small, a"
        " jitter helps too"
    )


def _extremes(visits):
    """The smallest error and the farthest velocity of a star, and their visits, in words."""
    small = int(np.argmin(visits.rv_error))
    far = int(np.argmax(np.abs(visits.rv - np.median(visits.rv))))
    return (
        f"the smallest error is {visits.rv_error[small]:.3g}, where velocities span"
        f" {np.ptp(visits.rv):.3g}, of visit {small}; the farthest is {visits.rv[far]:.6g}, of"
        f" visit {far}; visits of the star are counted from 0"
    )


def searched_range(prior, tail=1e-6):
    """Shortest and longest period: the prior's support, less 1e-6 of its mass at an open end."""
    low, high = prior.support()
    if not low > 0:
        low = prior.ppf(tail)
    if not np.isfinite(high):
        high = prior.ppf(1 - tail)
    return float(low), float(high)


def _refine(panels, log_marginal, prior, special, narrow, total):
    """Halve panels that matter and bend until none does; a panel is a column f, f, f, L, L, L.

    Panels that hold a ``special`` frequency are halved until they are no wider than ``narrow``.
    ``total`` is ln of a lower bound on the mass elsewhere.
    """
    kept, most = [], _most_bends(panels.shape[1])
    for _ in range(MAX_HALVINGS):
        low, _, high, *log_p = panels
        bend = np.abs(log_p[0] - 2 * log_p[1] + log_p[2])
        mass = np.maximum(prior.cdf(1 / low) - prior.cdf(1 / high), TINY)
        largest = np.log(mass) + np.max(log_p, axis=0) + SAFETY * bend
        total = max(total, log_sum(np.log(mass) + np.max(log_p, axis=0)))
        matters = largest > total - NEGLIGIBLE
        bends = matters & (bend > BEND)
        if special.size:
            holds = np.searchsorted(special, low) < np.searchsorted(special, high, side="right")
            bends |= holds & (high - low > narrow)
        kept.append(panels[:, matters & ~bends])
        if not bends.any():
            break
        if np.sum(bends) > most:
            return panels, False
        panels = _halve(panels[:, bends], log_marginal)
    else:
        return panels, False
    panels = np.concatenate(kept, axis=1)
    return panels[:, np.argsort(panels[0])], True


def _halve(panels, log_marginal):
    """Split each panel in two, in order."""
    low, middle, high, log_low, log_middle, log_high = panels
    left, right = 0.5 * (low + middle), 0.5 * (middle + high)
    log_left, log_right = log_marginal(np.concatenate([left, right])).reshape(2, -1)
    first = np.array([low, left, middle, log_low, log_left, log_middle])
    second = np.array([middle, right, high, log_middle, log_right, log_high])
    return np.stack([first, second], axis=2).reshape(6, -1)


def _cells(panels, prior):
    """The two cells of each panel."""
    low, middle, high, log_low, log_middle, log_high = panels

    def both(first, second):
        return np.stack([first, second], axis=1).ravel()

    low, high = both(low, middle), both(middle, high)
    mass = prior.cdf(1 / low) - prior.cdf(1 / high)
    return PeriodNodes(low, high, both(log_low, log_middle), both(log_middle, log_high), mass)


def draw_periods(nodes, likelihood, prior, size, rng):
    """Independent draws of the period from its exact posterior, and ln p(v | P) of each.

    A cell is drawn in proportion to its mass, and a place in it from the straight line between the
    likelihoods at its ends; the draw is then kept with a probability proportional to the ratio of
    the exact likelihood to that line.
    """
    cumulative = np.cumsum(nodes.probability)
    periods, log_likelihood = np.empty(size), np.empty(size)
    missing = np.arange(size)
    while missing.size:
        n = missing.size
        cell = np.searchsorted(cumulative, rng.random(n) * cumulative[-1])
        cell = np.minimum(cell, len(cumulative) - 1)
        log_low, log_high = nodes.log_low[cell], nodes.log_high[cell]
        tilt, place = place_in_cell(log_low, log_high, rng.random(n))
        # the place is measured in prior mass, from the longer period, the lower frequency, on
        above = prior.cdf(1 / nodes.low[cell])
        period = prior.ppf(above - place * nodes.prior_mass[cell])
        period = np.clip(period, 1 / nodes.high[cell], 1 / nodes.low[cell])
        period = np.clip(period, *prior.support())
        exact = likelihood.at(1 / period)
        line = np.logaddexp(log_low, log_high) - np.log(2) + np.log1p((2 * place - 1) * tilt)
        keep = np.log(rng.random(n)) < exact - line - BEND
        periods[missing[keep]] = period[keep]
        log_likelihood[missing[keep]] = exact[keep]
        missing = missing[~keep]
    return periods, log_likelihood
