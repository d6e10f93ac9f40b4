"""Eccentric orbits of one star, integrated over period, eccentricity, phase and scatter on nodes.

The search for nodes is random, but always the same for the same visits; draws are fresh.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier.core import eccentric_modes, eccentric_star, orbit_evidence
from astro_hier.core.eccentric_checks import unlikely
from astro_hier.core.eccentric_fit import eccentric_nodes
from astro_hier.core.eccentric_nodes import EccentricNodes
from astro_hier.core.eccentric_prior import OrbitPrior
from astro_hier.core.eccentric_scatter import InstrumentNodes
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits.ellipse import nearest_passage, unbroken
from astro_hier.models.orbits.velocity import KMS
from astro_hier.models.sb1_binary.data import OneStar

FEWEST = 300  # effective nodes with a jitter of each instrument
POINTS_BEYOND = 4000  # nodes beyond the periods searched


@dataclass(frozen=True, eq=False)
class EccentricStar(OneStar):
    """The velocities of a star on an eccentric orbit.

    Attributes
    ----------
    prior : OrbitPrior
        Of period, eccentricity, amplitude and scatter.
    """

    prior: OrbitPrior

    @cached_property
    def nodes(self) -> EccentricNodes | InstrumentNodes:
        """Weighted nodes for integrals over the posterior."""
        scatter = self.scatter
        apart = not (scatter.is_known or scatter.is_common) and len(self.instruments) > 1
        return eccentric_star.search(self._searched_visits, self.prior, apart)

    @property
    def _searched_visits(self):
        """The visits, with a known scatter as part of their errors."""
        known = self._known_scatter(1) if self.scatter.is_known else {}
        return replace(self.visits, rv_error=self.errors(known)[0]) if known else self.visits

    @property
    def common(self) -> EccentricNodes:
        """The nodes of a scatter that all instruments share."""
        return self.nodes.common

    @property
    def log_evidence(self):
        return self.nodes.log_evidence

    def beyond(self):
        """Of ellipses if none within fits, else of circles, which take less time.

        With one scatter of all instruments, whose evidence is that of ``common``.
        """
        scatter = None if self.known is None else replace(self.known, count=1)
        visits = replace(self._searched_visits, instrument=0 * self.instrument)
        evidence = partial(self._ellipses, visits) if unlikely(self.common) else None
        within = self.common.log_evidence
        log_mean, *periods = orbit_evidence.beyond(
            visits, self.searched, within, None if self.scatter.is_known else scatter, evidence
        )
        return log_mean - within, *periods

    def _ellipses(self, visits, period):
        """ln p(v) and the best period of ellipses with another prior of the period."""
        prior = replace(self.prior, period=period)
        nodes = eccentric_nodes(
            visits, prior, np.random.default_rng(eccentric_star.SEED), points=POINTS_BEYOND
        )
        return nodes.log_evidence, nodes.period[np.argmax(nodes.log_p)]

    @property
    def information(self):
        return eccentric_star.information(self.common)

    @cached_property
    def _modes(self):
        """The partition of orbits into modes, and a description of each."""
        self.check_closed()
        orbits = self.nodes.period, self.nodes.eccentricity, self.nodes.probability
        partition = eccentric_modes.Partition.of(*orbits, np.ptp(self.time))
        number = partition.number(*orbits[:2])
        return partition, eccentric_modes.described(number, *orbits, self.nodes.amplitude)

    @property
    def mode_probabilities(self):
        return np.array([mode.probability for mode in self._modes[1]])

    def mode_table(self):
        columns = np.array(self._modes[1]).T
        names = ("probability", "P", "P_sd", "e", "e_sd", "K")
        units = (u.one, u.day, u.day, u.one, u.one, KMS)
        return QTable(
            {
                name: of if unit is u.one else of * unit
                for name, of, unit in zip(names, columns, units, strict=True)
            }
        )

    def mode_of(self, values):
        return self._modes[0].number(values["P"], values["e"])

    def draw(self, size, rng):
        self.check_closed()
        drawn = self.nodes.draw(size, rng)
        orbit = {"P": drawn.period, "e": drawn.eccentricity, "t_peri": drawn.t_peri}
        if self.scatter.is_known:
            scatter = self._known_scatter(size)
        else:
            scatter = self.scatter.named(self, drawn.scatter.T, (size,))
        values = self.settled(orbit | self.named(drawn.linear) | scatter)
        nodes = self.nodes
        attrs = {
            "log_evidence": nodes.log_evidence,
            "log_evidence_error": self.common.log_evidence_error,
            "effective_size": nodes.effective_size,
            "pareto_k": self.common.pareto_k,
            "evaluations": self.common.evaluations,
        }
        return values, {}, attrs

    def settled(self, values):
        t_peri = nearest_passage(values["t_peri"], values["P"], self.mean_time[0])
        return {**values, "t_peri": t_peri, "omega": unbroken(values["omega"])}

    def _known_scatter(self, size):
        """Known scatters as draws."""
        if self.known is None:
            return {}
        values = np.full((size, self.known.count), float(self.known.prior.median()))
        return self.scatter.named(self, values, (size,))

    def best_p_chi2(self):
        if not self.scatter.is_known:
            return np.nan
        found = orbit_evidence.tail_probability(self.common.least_chi2, self.degrees_of_freedom)
        return float(found)

    def periodogram(self):
        """Both ends of each cell of the period, all eccentricities integrated out."""
        shortest, longest, log_p = self.common.profile()
        period = np.stack([np.minimum(shortest, longest), np.maximum(shortest, longest)], axis=1)
        order = np.argsort(period[:, 0], kind="stable")
        return np.ravel(period[order]), np.repeat(log_p[order], 2)

    def findings(self):
        size, found = self.nodes.effective_size, self.common.shortcomings()
        if self.scatter.is_known:  # the check of the best orbit's chi2 says it in its own words
            found = [(name, value) for name, value in found if name != "improbable chi2"]
        if self.nodes is not self.common and size < FEWEST:
            found = [*found, ("effective size with a jitter of each instrument", size)]
        return [orbit_checks.check_search(found, size)]
