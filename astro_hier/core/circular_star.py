"""One star on a circular orbit, described by cells of its period: its best mode, and all modes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from astro_hier.core import jitter, orbit, orbit_evidence, period_cells, population_star
from astro_hier.core.floats import TINY
from astro_hier.core.orbit import Visits
from astro_hier.core.period_cells import PeriodNodes

PROBABILITIES = 0.16, 0.5, 0.84
LIMIT = 0.95  # probability of K below its upper limit
LISTED = 0.01  # probability of a mode that is counted
LIGHT = 1e-4  # of a mode's probability, in cells whose K does not matter to its mean


@dataclass(frozen=True)
class Modes:
    """Cells of a star's period, their probability, and the modes that they belong to.

    Attributes
    ----------
    nodes : PeriodNodes
    probability : ndarray
        Of each cell, shape (cell,).
    number : ndarray of int
        Of the mode of each cell, shape (cell,).
    total : ndarray
        Probability of each mode, shape (mode,).
    """

    nodes: PeriodNodes
    probability: np.ndarray
    number: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, nodes: PeriodNodes, probability: np.ndarray, compiled: bool) -> "Modes":
        """Of some cells; ``compiled`` says whether loops are."""
        number = period_cells.mode_of_cells(nodes, compiled)
        return cls(nodes, probability, number, np.bincount(number, probability))

    @property
    def frequency(self) -> np.ndarray:
        """In the middle of each cell."""
        return 0.5 * (self.nodes.low + self.nodes.high)

    def described(self, visits: Visits, listed: np.ndarray) -> dict[str, np.ndarray]:
        """Some modes: probability, mean and standard deviation of P, and the best orbits' mean K.

        ``listed`` are their numbers, and arrays have its shape.
        """
        place = np.full(len(self.total), -1)
        place[listed] = np.arange(len(listed))
        cell = np.flatnonzero(place[self.number] >= 0)
        mode, share = place[self.number[cell]], self.probability[cell]
        total, nodes = self.total[listed], self.nodes.cells(cell)

        def mean(of, mode=mode, share=share):
            return np.bincount(mode, share * of, len(listed)) / np.maximum(total, TINY)

        frequency = self.frequency[cell]
        P = mean(1 / frequency)
        width2 = (1 / nodes.low - 1 / nodes.high) ** 2 / 12
        spread = np.sqrt(mean((1 / frequency - P[mode]) ** 2 + width2))
        size = np.bincount(mode, minlength=len(listed))
        heavy = share * size[mode] >= LIGHT * total[mode]
        K = _best_amplitudes(visits, frequency[heavy])
        of_heavy = np.bincount(mode[heavy], share[heavy], len(listed))
        K = mean(K, mode[heavy], share[heavy]) * total / np.maximum(of_heavy, TINY)
        return {"probability": total, "P": P, "P_sd": spread, "K": K}

    def best_mode(
        self, visits: Visits, log_gain: np.ndarray | float, n_fitted: int
    ) -> tuple[dict[str, Any], np.ndarray, dict[str, Any], Visits]:
        """The most probable mode, as a dict of numbers.

        Parameters
        ----------
        visits : `~astro_hier.core.orbit.Visits`
            With the nodes of the scatter, if there is one.
        log_gain : ndarray or float
            ln of a density of the period that multiplies the likelihood at the most probable one.
        n_fitted : int
            Number of parameters fitted to the star's velocities.

        Returns
        -------
        tuple
            The numbers, the cells in the mode, its best orbit as a dict of ``P`` and ``linear``,
            and the visits with the likely scatter of that orbit.
        """
        inside = np.flatnonzero(self.number == np.argmax(self.total))
        of_mode, probability = self.nodes.cells(inside), self.probability[inside]
        low, middle, high = period_cells.quantiles(of_mode, probability, PROBABILITIES)
        K_low, K_high, K_upper = self._limits(visits, inside)
        density = 0.5 * (self.nodes.log_low + self.nodes.log_high) + log_gain
        best = self.frequency[inside[np.argmax(density[inside])]]
        found: dict[str, Any] = {}
        if visits.jitter is not None:
            found["jitter"] = population_star.scatter_at(visits, best)[0]
            visits = visits.scattered(found["jitter"])
        linear, chi2 = population_star.fitted(visits, best)
        dof = len(visits.rv) - n_fitted
        found |= {
            "n_visits": len(visits.rv),
            "baseline": np.ptp(visits.time),
            "P": middle,
            "P_low": low,
            "P_high": high,
            "P_sd": _spread(of_mode, probability),
            "P_map": 1 / best,
            "K": np.hypot(*linear[:2]),
            "K_low": K_low,
            "K_high": K_high,
            "K_upper": K_upper,
            "v0": linear[2],
            "n_modes": int(np.sum(self.total > LISTED)),
            "probability": min(float(self.total.max()), 1.0),
            "chi2_per_dof": chi2 / dof if dof > 0 else np.nan,
            "p_chi2": orbit_evidence.tail_probability(chi2, dof),
        }
        return found, inside, {"P": np.array([1 / best]), "linear": linear[:, None]}, visits

    def _limits(self, visits, inside):
        """Percentiles of K in a mode of some cells, and the upper limit of K in all modes."""
        shares, frequency = (PROBABILITIES[0], PROBABILITIES[-1]), self.frequency
        if len(inside) == len(frequency):
            return orbit_evidence.amplitude_quantiles(
                visits, frequency, self.probability, (*shares, LIMIT)
            )
        of_mode = orbit_evidence.amplitude_quantiles(
            visits, frequency[inside], self.probability[inside], shares
        )
        upper = orbit_evidence.amplitude_quantiles(visits, frequency, self.probability, LIMIT)
        return *of_mode, float(upper)


def _best_amplitudes(visits, frequency):
    """K of the best orbit at each frequency, with the mean scatter there."""
    if visits.jitter is not None:
        visits = visits.scattered(jitter.likely(visits, frequency))
    return np.hypot(*orbit.Solution(visits, frequency).linear()[:2])


def _spread(nodes, probability):
    """Standard deviation of the period."""
    P, probability = 2 / (nodes.low + nodes.high), probability / probability.sum()
    width2 = (1 / nodes.low - 1 / nodes.high) ** 2 / 12
    return np.sqrt(probability @ ((P - probability @ P) ** 2 + width2))
