"""Circular orbits of one star, integrated over their periods on cells."""

from dataclasses import dataclass
from functools import cached_property

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.core import orbit, orbit_evidence, period_nodes
from astro_hier.core.circular_star import Modes
from astro_hier.core.period_cells import PeriodNodes
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits.velocity import KMS
from astro_hier.models.sb1_binary.data import OneStar

PER_PEAK = 10  # periods of the periodogram
FEWEST, MOST = 2000, 200_000


@dataclass(frozen=True, eq=False)
class CircularStar(OneStar):
    """The velocities of a star on a circular orbit; ``visits`` have the nodes of the scatter."""

    @cached_property
    def nodes(self) -> PeriodNodes:
        """Cells for integrals over the period's posterior."""
        self.check_closed()
        return period_nodes.period_nodes(orbit.likelihood(self.visits), self.period)

    @property
    def log_evidence(self):
        return float(self.nodes.log_evidence)

    @property
    def information(self):
        return orbit_evidence.information(self.nodes)

    @property
    def why_not_beyond(self):
        slow = len(self.instruments) > 1 and not (self.scatter.is_known or self.scatter.is_common)
        too_slow = "not searched: jitters of several instruments take too long" if slow else ""
        return super().why_not_beyond or too_slow

    @cached_property
    def _modes(self):
        return Modes.of(self.nodes, self.nodes.probability, self.visits.compiled)

    @property
    def mode_probabilities(self):
        return self._modes.total

    def mode_table(self):
        found = self._modes.described(self.visits, np.arange(len(self.mode_probabilities)))
        units = {"P": u.day, "P_sd": u.day, "K": KMS}
        return QTable(
            {name: of * units[name] if name in units else of for name, of in found.items()}
        )

    def mode_of(self, values):
        order = np.argsort(self.nodes.low)
        cell = np.searchsorted(self.nodes.low[order], 1 / values["P"], side="right") - 1
        return self._modes.number[order[np.maximum(cell, 0)]]

    def draw(self, size, rng):
        nodes = self.nodes
        P, log_likelihood = period_nodes.draw_periods(
            nodes, orbit.likelihood(self.visits), self.period, size, rng
        )
        visits, s = self.scatter.draw(self.visits, self.known, 1 / P, rng)
        linear = self.named(orbit.draw_linear(visits, 1 / P, rng))
        drawn = {"P": P} | self.scatter.named(self, s, (size,)) | linear
        attrs = {"log_evidence": float(nodes.log_evidence), "period_error": nodes.error}
        return drawn, {"log_marginal": log_likelihood}, attrs

    def best_p_chi2(self):
        if not self.scatter.is_known:
            return np.nan
        visits, best = self.scatter.as_known(self.visits), self.nodes.best_frequency
        linear = orbit.Solution(visits, np.array([best])).linear()[:, 0]
        residual = (visits.rv - orbit.velocity(visits, best, linear)) / visits.rv_error
        chi2, dof = np.sum(residual**2), self.degrees_of_freedom
        return float(orbit_evidence.tail_probability(chi2, dof))

    def periodogram(self):
        """A grid that covers the range, and the cells that follow its needles."""
        (shortest, longest), nodes = self.searched, self.nodes
        count = PER_PEAK * np.ptp(self.time) * (1 / shortest - 1 / longest)
        count = int(np.clip(count, FEWEST, MOST))
        step = (1 / shortest - 1 / longest) / (count - 1)
        frequency = np.concatenate([1 / longest + step * np.arange(count), nodes.low])
        grid = orbit.log_marginal_grid(self.visits, 1 / longest, step, count)
        log_p = np.concatenate([grid, nodes.log_low])
        order = np.argsort(-frequency)
        return np.clip(1 / frequency, shortest, longest)[order], log_p[order]

    def findings(self):
        return [orbit_checks.check_error(self.nodes.error)]
