"""A star of a population of eccentric orbits, given its velocities and the population."""

from typing import Any

import numpy as np

from astro_hier.core import eccentric_modes
from astro_hier.core.circular_description import CURVES
from astro_hier.core.eccentric_population import SEED, EccentricSummary, draw, fitted
from astro_hier.core.eccentric_star import of_draws
from astro_hier.core.floats import TINY
from astro_hier.core.orbit import Visits
from astro_hier.core.plane import Plane
from astro_hier.core.thinning import evenly

TABLE_DRAWS = 2000  # of a star's orbit, for its line of the table


def significance(
    star: EccentricSummary, plane: Plane, shares: np.ndarray, outside: np.ndarray
) -> tuple[float, float]:
    """Whether a star has an orbit, and whether its visits say what its period is.

    Parameters
    ----------
    star, plane
    shares : ndarray
        The population's shares in all cells, averaged over its draws, shape (cell,).
    outside : ndarray
        The same below and above the range, shape (2,).

    Returns
    -------
    tuple of float
        ln of the Bayes factor of an orbit over a constant velocity, and the Kullback-Leibler
        divergence of the period's posterior from the population, in nats; needles narrower than a
        cell count as wide as the cell.
    """
    row = star.row
    mass = row.weight[0] * shares[row.index]
    beyond = row.tails[0] * outside
    evidence = mass.sum() + beyond.sum()
    if not evidence > 0:
        return -np.inf, 0.0
    n_e = plane.reference.shape[1]
    size = plane.reference.shape[0]
    posterior = np.append(np.bincount(row.index // n_e, mass, size), beyond) / evidence
    prior = np.append(shares.reshape(size, n_e).sum(axis=1), outside)
    used = (posterior > 0) & (prior > 0)
    nats = posterior[used] @ np.log(posterior[used] / prior[used])
    return float(np.log(evidence) + row.log_scale - star.constant), max(float(nats), 0.0)


def describe(
    visits: Visits,
    star: EccentricSummary,
    plane: Plane,
    shares: np.ndarray,
    outside: np.ndarray,
    n_fitted: int,
) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The star given its velocities and the population, as numbers for a table.

    ``shares`` and ``outside`` are those of some draws of the population, shapes (theta, cell) and
    (2, theta); ``n_fitted`` is the number of parameters fitted to the star's velocities. Also
    returns the errors of the visits with the scatter of the best orbit, that orbit and a few draws
    in the same mode, each as `draw` returns them.
    """
    bayes, nats = significance(star, plane, shares.mean(axis=0), outside.mean(axis=1))
    rng = np.random.default_rng(SEED)
    drawn = draw(visits, star, plane, shares, rng, each=-(-TABLE_DRAWS // len(shares)))
    orbits, baseline = (drawn["P"], drawn["e"]), np.ptp(visits.time)
    even = np.full(len(drawn["P"]), 1 / len(drawn["P"]))
    partition = eccentric_modes.Partition.of(*orbits, even, baseline)
    by_mode = np.bincount(partition.number(*orbits), even)
    number, first = partition.number(*orbits), int(np.argmax(by_mode))
    best = _most_probable(star, plane, shares.mean(axis=0), partition, first)
    linear, chi2 = fitted(visits, best, star.t_ref)
    values = {"P": drawn["P"], "e": drawn["e"], "K": np.hypot(*drawn["linear"][:2])}
    found = of_draws(visits, values, number, by_mode, chi2, n_fitted)
    found |= {
        "P_map": best.period[0],
        "v0": linear[2],
        "jitter": best.scatter,
        "ln_bayes_factor": bayes,
        "period_information": nats,
    }
    of_best = {
        "P": best.period,
        "e": best.eccentricity,
        "t_peri": star.t_ref - best.phase * best.period,
        "scatter": best.scatter,
        "linear": linear[:, None],
    }
    few = np.flatnonzero(number == first)
    few = few[evenly(len(few), CURVES)]
    error = np.hypot(visits.rv_error, best.scatter)
    return found, (error, of_best, {name: of[..., few] for name, of in drawn.items()})


def _most_probable(star, plane, shares, partition, mode):
    """The orbit of the highest likelihood times density of the population in a mode."""
    orbits = star.orbits
    number = partition.number(orbits.period, orbits.eccentricity)
    gain = plane.ratio(shares[None], orbits.period, orbits.eccentricity)[0]
    height = np.where(number == mode, orbits.log_p + np.log(np.maximum(gain, TINY)), -np.inf)
    return orbits.chosen(np.array([np.argmax(height)]))
