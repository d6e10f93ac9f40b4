"""One star on an eccentric orbit: the search for its posterior, and its description by draws."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from astro_hier.core import eccentric_modes, orbit_evidence
from astro_hier.core.circular_star import LIMIT, LISTED, PROBABILITIES
from astro_hier.core.eccentric_fit import eccentric_nodes
from astro_hier.core.eccentric_kernel import Nodes
from astro_hier.core.eccentric_nodes import LIGHT, Draws, EccentricNodes, drawn_at
from astro_hier.core.eccentric_population import fitted_with
from astro_hier.core.eccentric_prior import OrbitPrior
from astro_hier.core.eccentric_scatter import InstrumentNodes, instrument_nodes
from astro_hier.core.floats import TINY
from astro_hier.core.orbit import Visits

SEED = 20130  # of the search, and of draws that describe
SPACING = 50  # nodes on either side between which their density is measured
DESCRIBED = 2000  # draws that describe an orbit


def search(visits: Visits, prior: OrbitPrior, apart: bool) -> EccentricNodes | InstrumentNodes:
    """Weighted nodes, always the same for the same visits.

    ``apart`` says whether each instrument has a scatter of its own.
    """
    rng = np.random.default_rng(SEED)
    if apart and visits.instrument is not None:
        return instrument_nodes(visits, prior, visits.instrument, rng)
    return eccentric_nodes(visits, prior, rng)


def information(nodes: EccentricNodes) -> float:
    """Kullback-Leibler divergence of the period's posterior from its prior, in nats.

    From the spacing of nodes in the prior's measure of the period.
    """
    low, high = nodes.star.prior.period_shares
    matters = nodes.probability > LIGHT / len(nodes.probability)
    share = (nodes.points[0][matters] - low) / (high - low)
    order = np.argsort(share, kind="stable")
    below = np.cumsum(nodes.probability[matters][order])
    first = np.maximum(np.arange(len(order)) - SPACING, 0)
    last = np.minimum(np.arange(len(order)) + SPACING, len(order) - 1)
    mass = (below[last] - below[first]) / below[-1]
    width = np.maximum(share[order][last] - share[order][first], TINY)
    log_density = np.log(mass) - np.log(width)
    return max(float(np.average(log_density, weights=nodes.probability[matters][order])), 0.0)


def of_draws(
    visits: Visits,
    drawn: Mapping[str, np.ndarray],
    number: np.ndarray,
    total: np.ndarray,
    chi2: float,
    n_fitted: int,
) -> dict[str, Any]:
    """The most probable mode, as a dict of numbers, from equally probable draws.

    Parameters
    ----------
    visits : `~astro_hier.core.orbit.Visits`
    drawn : dict
        ``P``, ``e`` and ``K``, shape (draw,).
    number : ndarray of int
        Of the mode of each draw, shape (draw,).
    total : ndarray
        Probability of each mode, shape (mode,).
    chi2 : float
        Of the best orbit.
    n_fitted : int
        Number of parameters fitted to the star's velocities.
    """
    first = int(np.argmax(total))
    inside, dof = number == first, len(visits.rv) - n_fitted
    found: dict[str, Any] = {"n_visits": len(visits.rv), "baseline": np.ptp(visits.time)}
    for name in ("P", "e", "K"):
        low, middle, high = np.quantile(drawn[name][inside], PROBABILITIES)
        found |= {name: middle, f"{name}_low": low, f"{name}_high": high}
    return found | {
        "P_sd": float(np.std(drawn["P"][inside])),
        "K_upper": float(np.quantile(drawn["K"], LIMIT)),
        "n_modes": int(np.sum(total > LISTED)),
        "probability": min(float(total[first]), 1.0),
        "chi2_per_dof": chi2 / dof if dof > 0 else np.nan,
        "p_chi2": orbit_evidence.tail_probability(chi2, dof),
    }


def describe(
    visits: Visits, nodes: EccentricNodes | InstrumentNodes, n_fitted: int
) -> tuple[dict[str, Any], list[eccentric_modes.Mode]]:
    """The star given its nodes, as a dict of numbers, and all its modes.

    The dict is that of ``of_draws``, and ``P_map``, ``omega`` [rad], ``t_peri`` [d], ``linear``
    and ``jitter`` (shape (instrument,)) of the best orbit in the most probable mode.
    """
    orbits = nodes.period, nodes.eccentricity, nodes.probability
    partition = eccentric_modes.Partition.of(*orbits, np.ptp(visits.time))
    modes = eccentric_modes.described(partition.number(*orbits[:2]), *orbits, nodes.amplitude)
    total = np.array([mode.probability for mode in modes])
    first = int(np.argmax(total))
    drawn = _drawn(nodes)
    number = partition.number(drawn.period, drawn.eccentricity)
    of_mode = number == first
    if not of_mode.any():  # of so many modes that draws have missed the first
        number[:], of_mode[:] = first, True
    jitter = np.atleast_2d(drawn.scatter)[:, of_mode].mean(axis=1)
    best, t_ref = _best(nodes.common, partition, first), nodes.common.star.data.t_ref
    extra = jitter[visits.instrument] if len(jitter) > 1 else np.full(len(visits.rv), jitter[0])
    linear, chi2 = fitted_with(visits, best, t_ref, extra)
    values = {"P": drawn.period, "e": drawn.eccentricity, "K": drawn.amplitude}
    phase = best.phase[0] - np.floor(best.phase[0] + 0.5)
    found = of_draws(visits, values, number, total, chi2, n_fitted)
    return found | {
        "P_map": 1 / best.frequency[0],
        "e_map": best.eccentricity[0],
        "omega": np.arctan2(linear[1], linear[0]),
        "t_peri": t_ref - phase / best.frequency[0],
        "linear": linear,
        "jitter": jitter,
    }, modes


def _drawn(nodes: EccentricNodes | InstrumentNodes) -> Draws:
    """Draws from the nodes at hand, which cost no further evaluations."""
    rng = np.random.default_rng(SEED)
    if isinstance(nodes, InstrumentNodes):
        return nodes.draw(DESCRIBED, rng)
    below = np.cumsum(nodes.probability)
    at = (np.arange(DESCRIBED) + 0.5) / DESCRIBED * below[-1]
    chosen = np.minimum(np.searchsorted(below, at), len(below) - 1)
    few, scatter = nodes.star.nodes(nodes.points[:, chosen]), nodes.scatter[chosen]
    extra = np.multiply.outer(nodes.ratio, scatter)
    return drawn_at(nodes.visits, few, nodes.star.data.t_ref, scatter, extra, rng)


def _best(nodes: EccentricNodes, partition: eccentric_modes.Partition, mode: int) -> Nodes:
    """The node of highest likelihood in a mode."""
    number = partition.number(nodes.period, nodes.eccentricity)
    best = np.argmax(np.where(number == mode, nodes.log_p, -np.inf))
    return nodes.star.nodes(nodes.points[:, [best]])
