"""The numbers of one star's orbit, without draws of its posterior: a circle's or an ellipse's.

Both return a dict of numbers and arrays, the best orbit as a dict of its elements, shape (1,), and
the linear parameters of that, shape (column,).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from astro_hier.core import circular_star, eccentric_star, orbit, orbit_evidence, period_nodes
from astro_hier.core.eccentric_prior import OrbitPrior
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.models.orbits.ellipse import nearest_passage
from astro_hier.models.orbits.scatter import NoScatter
from astro_hier.models.orbits.velocity import Circle
from astro_hier.priors.base import FrozenPrior

MOST_MODES, LEAST = 8, 1e-3  # that are listed, and the probability of the least of these
OF_ELLIPSES = "probability", "P", "P_sd", "e", "e_sd", "K"  # fields of a mode

Found = tuple[dict[str, Any], Mapping[str, np.ndarray], np.ndarray]


def circle(
    visits: Visits,
    scatter: NoScatter,
    known: JitterPrior | None,
    period: FrozenPrior,
    n_fitted: int,
) -> Found:
    """A circle, searched for in compiled loops if the visits say so.

    ``known`` is what is known about the scatter, and ``n_fitted`` the number of parameters fitted.
    """
    constant = orbit_evidence.log_evidence_without_orbit(visits, known)
    visits = scatter.with_nodes(visits, known, period, iter)
    nodes = period_nodes.period_nodes(orbit.likelihood(visits), period)
    modes = circular_star.Modes.of(nodes, nodes.probability, visits.compiled)
    found, _, best, _ = modes.best_mode(visits, 0.0, n_fitted)
    listed = np.argsort(-modes.total, kind="stable")[:MOST_MODES]
    listed = listed[modes.total[listed] >= LEAST]
    of_modes = modes.described(visits, listed)
    found |= {f"modes_{name}": of for name, of in of_modes.items()}
    found |= _evidence(visits, nodes.log_evidence, constant)
    found |= {
        "period_information": orbit_evidence.information(nodes),
        "period_error": nodes.error,
    }
    linear = best["linear"][:, 0]
    return found, {"P": best["P"], "a": linear[:1], "b": linear[1:2]}, linear


def ellipse(
    visits: Visits,
    scatter: NoScatter,
    known: JitterPrior | None,
    prior: OrbitPrior,
    n_fitted: int,
) -> Found:
    """An ellipse; ``known`` and ``n_fitted`` are as for a circle."""
    constant = orbit_evidence.log_evidence_without_orbit(visits, known)
    apart = known is not None and not scatter.is_known and known.count > 1
    if known is not None and scatter.is_known:
        visits = visits.scattered(np.full(known.count, float(known.prior.median())))
    nodes = eccentric_star.search(visits, prior, apart)
    found, modes = eccentric_star.describe(visits, nodes, n_fitted)
    listed = sorted((mode for mode in modes if mode.probability >= LEAST), reverse=True)
    columns = np.array(listed[:MOST_MODES]).T
    found |= {f"modes_{name}": of for name, of in zip(OF_ELLIPSES, columns, strict=True)}
    found |= _evidence(visits, nodes.log_evidence, constant)
    found |= {
        "period_information": eccentric_star.information(nodes.common),
        "log_evidence_error": nodes.common.log_evidence_error,
        "effective_size": nodes.effective_size,
        "shortcomings": ", ".join(name for name, _ in nodes.common.shortcomings()),
    }
    best = {"P": found["P_map"], "e": found["e_map"], "omega": found["omega"],
            "t_peri": found["t_peri"]}  # fmt: skip
    return found, {name: np.atleast_1d(of) for name, of in best.items()}, found["linear"]


def _evidence(visits, log_evidence, constant):
    """The evidence, and that of an orbit; without an amplitude in the prior there is none."""
    bayes = float(log_evidence - constant) if visits.sd[:2].any() else np.nan
    return {"log_evidence": float(log_evidence), "ln_bayes_factor": bayes}


def passages(of: Circle, best: Mapping[str, np.ndarray], visits: Visits) -> dict[str, float]:
    """Times of passage of the best orbit nearest the weighted mean time of the visits [d]."""
    mean_time = np.average(visits.time, weights=visits.rv_error**-2.0)
    found = of.elements(best)
    return {
        name: float(nearest_passage(found[name], best["P"], mean_time)[0])
        for name in ("t_peri", "t_conj")
    }
