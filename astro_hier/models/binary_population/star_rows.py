"""What a survey keeps of each star: its row of the matrix of all stars, and its likeliest orbits.

Nothing in it depends on other stars, nor on the population's parameters, so rows can be made
anywhere, in any order, and serve any population whose widths the cells of ln P resolve.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from astro_hier.core import (
    compiling,
    eccentric_population,
    orbit_evidence,
    population_star,
    star_modes,
)
from astro_hier.core.eccentric_population import Reference
from astro_hier.core.population import LnPeriodGrid
from astro_hier.models.binary_population import prepare
from astro_hier.models.binary_population.data import Sample
from astro_hier.models.binary_population.eccentric import MISSED
from astro_hier.models.orbits.data import Velocities
from astro_hier.posterior.encoding import encode
from astro_hier.table import Rows

FORMAT = 1  # of the rows: raised when their meaning changes
MANY = 10**9  # rows, so that their cells do not depend on how many there are
FIELDS = {  # of a row, and what each holds; lists are written as [kind]
    "index": "[i4]", "weight": "[f8]", "log_scale": "f8", "constant": "f8",  # of the matrix
    "best_period": "f8", "best_e": "f4", "linear": "[f4]", "chi2": "f4", "error": "f4",
    "scatter": "f4", "least_scatter": "f4", "median_error": "f4", "flat_bayes": "f4",
    "effective_size": "f4", "missed": "i4",
    "log_mass": "[f8]", "mode": "[i4]", "P": "[f8]", "shortest": "[f4]", "longest": "[f4]",
    "P_sd": "[f4]", "mode_chi2": "[f4]", "K": "[f4]", "K_low": "[f4]", "K_high": "[f4]",
    "v0": "[f4]", "phase": "[f4]", "e": "[f4]", "omega": "[f4]",
}  # fmt: skip
UNITS = dict.fromkeys(("best_period", "P", "P_sd", "shortest", "longest"), "d")
UNITS |= dict.fromkeys(("K", "K_low", "K_high", "v0", "scatter", "median_error"), "km / s")
OF_ORBITS = ("a", "b", "v0", "amplitude", "trend", "jitter", "shared_jitter")  # arguments


@dataclass(frozen=True, eq=False)
class PopulationRows:
    """The work on the stars of a survey, for a population of orbits.

    Attributes
    ----------
    model : BinaryPopulation
        With ``period_range``.
    cells : int or None
        The number of cells of ln P; by default what the model's population needs.
    """

    model: Any
    cells: int | None = None

    fields = FIELDS
    units = UNITS
    times = ()

    @property
    def note(self) -> str:
        """What the first star waits for."""
        return "" if self.model.is_eccentric else compiling.note()

    @cached_property
    def sample(self) -> Sample:
        """A sample without stars."""
        model = self.model
        nothing = Rows({"time": np.empty(0), "rv": np.empty(0), "rv_error": np.empty(0),
                        "star": np.empty(0, int)})  # fmt: skip
        measured = Velocities.of(nothing, model.orbit, model.terms, model.scatter)
        ends = prepare.ends_of(model, measured)
        compiled = not model.is_eccentric and compiling.is_available()
        common = prepare.common_to_all(model, measured, ends, compiled)
        return measured.extended(Sample, summaries=[], kept=None, **common)

    @cached_property
    def grid(self) -> LnPeriodGrid:
        """The points of ln P, for circles."""
        if self.cells is not None:
            return LnPeriodGrid(*self.sample.log_ends, self.cells, "ln")
        return prepare.levels_for(self.model, self.sample, MANY).grids[-1]

    @cached_property
    def reference(self) -> Reference:
        """Cells and priors of the searches, for ellipses."""
        return prepare.reference_of(self.model, self.sample, MANY, self.cells)

    @cached_property
    def specification(self) -> str:
        """All that the rows depend on, as JSON."""
        model = self.model
        if model.is_eccentric:
            cells = len(self.reference.plane.ln_period_edges) - 1
            searches = ["circles" if p.eccentricity.known else "ellipses"
                        for p in self.reference.priors]  # fmt: skip
        else:
            cells, searches = self.grid.count, ["circles"]
        said = {
            "rows": FORMAT,
            "model": type(model).__name__,
            "orbits": searches,
            "eccentric": model.is_eccentric,
            "period_range": [float(end) for end in self.sample.ends],
            "cells": cells,
            **{name: encode(getattr(model, name)) for name in OF_ORBITS},
        }
        return json.dumps(said, sort_keys=True)

    def of_star(
        self, star: Any, time: np.ndarray, rv: np.ndarray, rv_error: np.ndarray
    ) -> Mapping[str, Any]:
        """The row of one star.

        Parameters
        ----------
        star : object
            Its label, which chooses random numbers.
        time, rv, rv_error : ndarray
            Time since its first visit [d], velocities and errors [km/s], shape (visit,).

        Returns
        -------
        dict
            Numbers and arrays, by the names of `FIELDS`.
        """
        visits = self.sample.visits_from(time, rv, rv_error)
        if self.model.is_eccentric:
            row = self._of_ellipse(star, visits)
        else:
            row = self._of_circle(visits)
        return {**row, "median_error": np.median(rv_error)}

    def _of_circle(self, visits):
        known, grids = self.sample.known, (self.grid,)
        constant = orbit_evidence.log_evidence_without_orbit(visits, known)
        visits, nodes = population_star.search(visits, known, self.grid)
        star = population_star.summary_of(visits, nodes, False, grids, None, None)
        row, count = star.rows[0], self.grid.count
        total = np.log(row.weight.sum()) + row.log_scale
        found = star_modes.of_circle(visits, nodes)
        ends = [count, count + 1]
        return {
            "index": np.append(row.index, ends).astype(np.int32),
            "weight": np.append(row.weight[0], row.tails[0]),
            "log_scale": row.log_scale,
            "constant": constant,
            "flat_bayes": total - np.log(self.grid.high - self.grid.low) - constant,
            "best_period": star.best_period,
            "error": star.error,
            **_of_best(star),
            **found,
        }

    def _of_ellipse(self, label, visits):
        seed = prepare.seed_of(label)
        star = eccentric_population.summarise(visits, self.reference, seed)
        row, plane = star.row, self.reference.plane
        expected = plane.reference.ravel()[row.index] / len(self.reference.priors)
        total = np.log(row.weight[0] @ expected) + row.log_scale
        found = star_modes.of_ellipse(visits, star, np.random.default_rng([seed, 1]))
        ends = [plane.size, plane.size + 1]
        return {
            "index": np.append(row.index, ends).astype(np.int32),
            "weight": np.append(row.weight[0], row.tails[0]),
            "log_scale": row.log_scale,
            "constant": star.constant,
            "flat_bayes": total - star.constant,
            "best_period": star.best.period[0],
            "effective_size": star.effective_size,
            "missed": int(any(name in MISSED for name, _ in star.shortcomings)),
            "best_e": star.best.eccentricity[0],
            **_of_best(star),
            **found,
        }


def _of_best(star):
    """What checks need of the best orbit, of circles and ellipses alike."""
    scatter = star.scatter[0] if star.scatter.size else np.nan
    least = star.least_scatter[0] if star.least_scatter.size else np.nan
    return {"linear": star.linear, "chi2": star.chi2, "scatter": scatter, "least_scatter": least}
