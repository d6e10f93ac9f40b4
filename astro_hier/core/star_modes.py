"""The likeliest orbits of a star, as a few numbers to keep where there are many stars.

Of circles these are modes, under a population that is flat in ln P: the best orbit in each, the
spread of its period and K, and the likelihood integrated over it, from which its probability under
any population follows. Of ellipses they are weighted orbits, under the reference prior.
"""

import numpy as np

from astro_hier.core import orbit, orbit_evidence, period_cells
from astro_hier.core.eccentric_modes import Partition
from astro_hier.core.eccentric_population import EccentricSummary, with_linear
from astro_hier.core.orbit import Visits

MODES = 12  # that are kept
LEAST = 1e-3  # of the probability of the best, below which others are left out
ENDS = 0.16, 0.84
ORBITS = 128  # of an ellipse that are kept, about


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
        probability of the period, integrated over the mode; ``P`` of the best orbit [d], ``P_sd``,
        and the mode's ``shortest`` and ``longest``; its ``mode_chi2``;
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
    peak = [ends[k] + int(np.argmax(nodes.log_low[ends[k] : ends[k + 1]])) for k in chosen]
    frequency = nodes.low[peak]
    scattered = orbit.likelihood(visits).picked(frequency, np.full(len(frequency), 0.5))
    solution = orbit.Solution(scattered, frequency)
    linear = solution.linear()
    low, high = np.quantile(orbit_evidence.amplitudes(solution), ENDS, axis=0)
    return {
        "log_mass": np.log(by_mode[chosen]) + nodes.log_evidence,
        "P": 1 / frequency,
        "shortest": 1 / nodes.high[ends[chosen + 1] - 1],
        "longest": 1 / nodes.low[ends[chosen]],
        "P_sd": np.array(spread) / frequency,
        "mode_chi2": _chi2(scattered, frequency, linear),
        "K": np.hypot(*linear[:2]),
        "K_low": low,
        "K_high": high,
        "v0": linear[2],
        "phase": np.arctan2(linear[1], linear[0]) / (2 * np.pi) % 1,
    }


def of_ellipse(
    visits: Visits, star: EccentricSummary, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """A few orbits of a star on an ellipse, with weights.

    Returns
    -------
    dict of ndarray
        Shape (orbit,): ``log_mass``, ln of the likelihood times the mass of the reference prior;
        the number of its ``mode``; and ``P`` [d], ``e``, ``K``, ``v0`` [km/s], ``omega`` [rad] and
        ``phase``, in (0, 1) of the period, from time zero to the next periastron. Linear parameters
        are drawn.
    """
    all_of, few = star.orbits, star.orbits.thinned(ORBITS, rng)
    mass = np.exp(all_of.log_mass - np.logaddexp.reduce(all_of.log_mass))
    baseline = float(np.ptp(visits.time))
    partition = Partition.of(all_of.period, all_of.eccentricity, mass, baseline)
    drawn = with_linear(visits, star, few, rng)
    linear = drawn["linear"]
    return {
        "log_mass": few.log_mass,
        "mode": partition.number(few.period, few.eccentricity),
        "P": few.period,
        "e": few.eccentricity,
        "K": np.hypot(*linear[:2]),
        "v0": linear[2],
        "omega": np.arctan2(linear[1], linear[0]),
        "phase": drawn["t_peri"] / few.period % 1,
    }


def _chi2(visits: Visits, frequency: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """chi2 of orbits, with the errors at each frequency."""
    phase = 2 * np.pi * np.outer(visits.time, frequency)
    fitted = linear[0] * np.cos(phase) + linear[1] * np.sin(phase) + visits.constant @ linear[2:]
    error = visits.rv_error if visits.rv_error.ndim == 2 else visits.rv_error[:, None]
    return np.sum(((visits.rv[:, None] - fitted) / error) ** 2, axis=0)


def _foremost(mass: np.ndarray) -> np.ndarray:
    """Numbers of the few modes of most mass, that of most first."""
    order = np.argsort(-mass, kind="stable")[:MODES]
    return order[mass[order] >= LEAST * mass[order[0]]]


def _spread(x: np.ndarray, probability: np.ndarray, width: np.ndarray) -> float:
    """Standard deviation of ln P over cells of some widths."""
    share = probability / probability.sum()
    return float(np.sqrt(share @ ((x - share @ x) ** 2 + width**2 / 12)))
