"""The few most probable modes of a star's orbit, as numbers to keep where there are many stars.

Modes are those under a population that is flat in ln P, or under the reference prior of ellipses.
Within a mode they are given by the period's mean and standard deviation in ln P, by percentiles of
K and e, and by the rest of its best orbit; and each has the likelihood integrated over it, from
which its probability under any population follows.
"""

from typing import Any

import numpy as np

from astro_hier.core import orbit, orbit_evidence, period_cells
from astro_hier.core.eccentric_modes import Partition
from astro_hier.core.eccentric_population import EccentricSummary, with_linear
from astro_hier.core.orbit import Visits

MODES = 8  # that are kept
LEAST = 1e-3  # of the probability of the best, below which others are left out
ENDS = 0.16, 0.84
DRAWS = 400  # of an ellipse, from which its modes' elements are taken


def of_circle(visits: Visits, nodes: period_cells.PeriodNodes) -> dict[str, np.ndarray]:
    """Modes of a circular orbit.

    Parameters
    ----------
    visits : Visits
        With the nodes of their scatter, if there is one.
    nodes : PeriodNodes
        The star's cells, uniform in ln P.

    Returns
    -------
    dict of ndarray
        Shape (mode,), the most probable first: ``log_mass``, ln of the likelihood times the prior
        probability of the period, integrated over the mode; ``P`` of the best orbit [d] and ``P_sd``;
        ``K``, ``K_low``, ``K_high`` and ``v0`` [km/s]; and ``phase`` in (0, 1) of the period, from
        time zero to the next maximum of the velocity.
    """
    number = period_cells.mode_of_cells(nodes, visits.compiled)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    probability = nodes.probability
    by_mode = np.add.reduceat(probability, first)
    chosen = _foremost(by_mode)
    ends = np.append(first, len(number))
    ln_period = -0.5 * (np.log(nodes.low) + np.log(nodes.high))
    spread = [
        _spread(ln_period[i:j], probability[i:j], np.log(nodes.high[i:j] / nodes.low[i:j]))
        for i, j in zip(ends[chosen], ends[chosen + 1], strict=True)
    ]
    peak = [
        ends[k] + int(np.argmax(nodes.log_low[ends[k] : ends[k + 1]])) for k in chosen
    ]
    frequency = nodes.low[peak]
    scattered = orbit.likelihood(visits).picked(frequency, np.full(len(frequency), 0.5))
    solution = orbit.Solution(scattered, frequency)
    linear = solution.linear()
    low, high = np.quantile(orbit_evidence.amplitudes(solution), ENDS, axis=0)
    return {
        "log_mass": np.log(by_mode[chosen]) + nodes.log_evidence,
        "P": 1 / frequency,
        "P_sd": np.array(spread) / frequency,
        "K": np.hypot(*linear[:2]),
        "K_low": low,
        "K_high": high,
        "v0": linear[2],
        "phase": np.arctan2(linear[1], linear[0]) / (2 * np.pi) % 1,
    }


def of_ellipse(
    visits: Visits, star: EccentricSummary, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Modes of an eccentric orbit: as `of_circle`, and ``e``, ``e_low``, ``e_high``, ``omega``.

    ``phase`` is that from time zero to the next periastron, and omega [rad] is its argument.
    """
    orbits = star.orbits
    mass = np.exp(orbits.log_mass - orbits.log_mass.max())
    places = (np.arange(DRAWS) + rng.random()) / DRAWS * mass.sum()
    drawn = orbits.chosen(np.minimum(np.searchsorted(np.cumsum(mass), places), len(mass) - 1))
    draws = with_linear(visits, star, drawn, rng)
    partition = Partition.of(orbits.period, orbits.eccentricity, mass / mass.sum(),
                             float(np.ptp(visits.time)))  # fmt: skip
    number = partition.number(orbits.period, orbits.eccentricity)
    by_mode = np.bincount(number, mass)
    chosen = _foremost(by_mode)
    of_draws = partition.number(draws["P"], draws["e"])
    each = [_of_mode(draws, of_draws == k) for k in chosen if np.any(of_draws == k)]
    chosen = np.array([k for k in chosen if np.any(of_draws == k)])
    found = {name: np.array([of[name] for of in each]) for name in each[0]}
    log_mass = np.log(by_mode[chosen]) + orbits.log_mass.max()
    return {"log_mass": log_mass, **found}


def _of_mode(draws: dict[str, np.ndarray], inside: np.ndarray) -> dict[str, Any]:
    P, e, K = draws["P"][inside], draws["e"][inside], np.hypot(*draws["linear"][:2, inside])
    middle = np.argsort(P)[len(P) // 2]  # one orbit: its numbers belong together
    linear = draws["linear"][:, inside][:, middle]
    e_low, e_mid, e_high = np.quantile(e, (ENDS[0], 0.5, ENDS[1]))
    K_low, K_mid, K_high = np.quantile(K, (ENDS[0], 0.5, ENDS[1]))
    return {
        "P": P[middle],
        "P_sd": float(np.std(P)),
        "K": K_mid,
        "K_low": K_low,
        "K_high": K_high,
        "v0": linear[2],
        "phase": draws["t_peri"][inside][middle] / P[middle] % 1,
        "e": e_mid,
        "e_low": e_low,
        "e_high": e_high,
        "omega": float(np.arctan2(linear[1], linear[0])),
    }


def _foremost(mass: np.ndarray) -> np.ndarray:
    """Numbers of the few modes of most mass, that of most first."""
    order = np.argsort(-mass, kind="stable")[:MODES]
    return order[mass[order] >= LEAST * mass[order[0]]]


def _spread(x: np.ndarray, probability: np.ndarray, width: np.ndarray) -> float:
    """Standard deviation of ln P over cells of some widths."""
    share = probability / probability.sum()
    return float(np.sqrt(share @ ((x - share @ x) ** 2 + width**2 / 12)))
