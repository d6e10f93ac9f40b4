"""A scatter of its own for each instrument, from the posterior with one for all.

Let x be a node (P, e, m), s the scatter that all instruments share there and s_i that of
instrument i. Draws of (x, s) from the posterior with one scatter, and of each s_i given x from

    q_i(s_i | x) ~ prior(s_i) prod_j N(r_j; 0, sigma_j^2 + s_i^2),

r the residuals of the best orbit at x, or for a share of `PRIOR` from the prior, have weights in
the posterior with all of them

    [p(v | x, s_1, ...) prod_i prior(s_i) / q_i(s_i | x)] [h(s | x) / p(v | x, s) prior(s)],

where h, any density of s given x, is taken like q. Their mean is the ratio of the evidences. The
weights are even where the orbits are not much better known with the one than with the other. If
they are not, s is replaced by s times a ratio of each instrument, that of the scatters found, and
all is done again: a second search costs as much as the first, and makes the weights even.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from astro_hier.core import kepler, orbit
from astro_hier.core.eccentric_fit import eccentric_nodes
from astro_hier.core.eccentric_kernel import KeplerData, Nodes, evaluate
from astro_hier.core.eccentric_nodes import Draws, EccentricNodes, drawn_at, linear_at
from astro_hier.core.eccentric_prior import OrbitPrior, ScatterTable

SIZE = 16_000  # draws that are weighted, so many that few are needed twice
CELLS = 64  # of a conditional density
PRIOR = 0.1
EVEN = 0.2  # effective number over SIZE below which ratios are tried


@dataclass(frozen=True)
class InstrumentNodes:
    """Weighted draws with a scatter of each instrument.

    Attributes
    ----------
    common : EccentricNodes
        What they were drawn from, with its modes and its checks.
    nodes : Nodes
        Arrays of shape (draw,); ``step`` is their own number.
    scatter : ndarray
        Shape (instrument, draw).
    instrument : ndarray
        Number of that of each visit, shape (visit,).
    probability : ndarray
        Shape (draw,).
    log_evidence : float
        ln p(v).
    amplitude : ndarray
        K that fits best, shape (draw,).
    """

    common: EccentricNodes
    nodes: Nodes
    scatter: np.ndarray
    instrument: np.ndarray
    probability: np.ndarray
    log_evidence: float
    amplitude: np.ndarray

    @property
    def period(self) -> np.ndarray:
        """P [d]."""
        return 1 / self.nodes.frequency

    @property
    def eccentricity(self) -> np.ndarray:
        return self.nodes.eccentricity

    @property
    def effective_size(self) -> float:
        """Number of equal weights that would be as good."""
        return float(1 / np.sum(self.probability**2))

    def draw(self, size: int, rng: np.random.Generator) -> Draws:
        """Draws, whose ``scatter`` has shape (instrument, draw); few are the same node twice."""
        order = rng.permutation(len(self.probability))
        below = np.cumsum(self.probability[order])
        at = (np.arange(size) + rng.random()) / size * below[-1]
        chosen = rng.permutation(order[np.minimum(np.searchsorted(below, at), len(order) - 1)])
        nodes = Nodes(*(x[chosen] for x in self.nodes))
        scatter, t_ref = self.scatter[:, chosen], self.common.star.data.t_ref
        extra = scatter[self.instrument]
        return drawn_at(self.common.visits, nodes, t_ref, scatter, extra, rng)


def instrument_nodes(
    visits: orbit.Visits,
    prior: OrbitPrior,
    instrument: np.ndarray,
    rng: np.random.Generator,
    **options: Any,
) -> InstrumentNodes:
    """The posterior of one star whose instruments have a scatter each, of the same prior.

    Parameters
    ----------
    visits, prior, rng, options
        As of `~astro_hier.core.eccentric_fit.eccentric_nodes`.
    instrument : ndarray
        Number of that of each visit, shape (visit,).
    """
    common = eccentric_nodes(visits, prior, rng, **options)
    found = _weighted(common, prior.scatter, instrument, rng)
    if found.effective_size > EVEN * SIZE:
        return found
    log_scatter = np.log(found.scatter) @ found.probability
    ratio = np.exp(log_scatter - np.mean(log_scatter[instrument]))[instrument]
    common = eccentric_nodes(visits, prior, rng, ratio=ratio, **options)
    again = _weighted(common, prior.scatter, instrument, rng)
    return max((found, again), key=lambda nodes: nodes.effective_size)


def _weighted(common, scatter_prior, instrument, rng):
    """Draws of the common posterior with scatters of all instruments, and their weights."""
    visits, star = common.visits, common.star
    points = common.draw_points(SIZE, rng, enough=1.0)
    nodes = star.nodes(points)
    shared = evaluate(star.data, nodes)
    residual = _residual(common, nodes)
    everywhere = _Conditional(star.scatter, residual / common.ratio[:, None],
                              visits.rv_error / common.ratio)  # fmt: skip
    log_weight = everywhere.log_density(points[3]) - shared.log_p
    scatter = []
    for number in range(instrument.max() + 1):
        own = instrument == number
        error = visits.rv_error[own] if own.any() else visits.rv_error
        table = ScatterTable.of(scatter_prior, error)
        conditional = _Conditional(table, residual[own], visits.rv_error[own])
        share = conditional.draw(rng)
        log_weight -= conditional.log_density(share)
        scatter.append(table.at(share))
    scatter = np.array(scatter)
    data = KeplerData.of(visits, scatter[instrument].T)
    # its time counts from another mean, which follows the weights
    data = replace(data, time=star.data.time, t_ref=star.data.t_ref)
    nodes = nodes._replace(step=np.arange(SIZE))
    found = evaluate(data, nodes)
    log_weight += found.log_p
    total = np.logaddexp.reduce(log_weight)
    log_evidence = common.log_evidence + total - np.log(SIZE)
    probability = np.exp(log_weight - total)
    return InstrumentNodes(
        common, nodes, scatter, instrument, probability, float(log_evidence),
        np.hypot(found.a, found.b),
    )  # fmt: skip


def _residual(common, nodes):
    """Of the best orbit at each node, shape (visit, node)."""
    visits, star = common.visits, common.star
    extra = np.multiply.outer(common.ratio, star.scatter.values[nodes.step])
    linear = linear_at(visits, nodes, star.data.t_ref, extra)
    x, y = kepler.waves(star.data.time, *nodes[:3])
    return visits.rv[:, None] - linear[0] * x - linear[1] * y - visits.constant @ linear[2:]


class _Conditional:
    """A density of the scatter given residuals, over the prior's, on cells of a table.

    ``residual`` has shape (visit, node); cells are of about equal distance.
    """

    def __init__(self, table, residual, rv_error):
        wanted = np.linspace(0, table.distance[-1], CELLS + 1)
        inner = np.interp(wanted[1:-1], table.distance, table.edges)
        even = np.linspace(0, 1, CELLS // 2 + 1)
        self.edges = np.unique(np.concatenate([even, inner]))
        values = table.at(0.5 * (self.edges[1:] + self.edges[:-1]))
        variance = rv_error**2 + values[:, None] ** 2
        with np.errstate(divide="ignore"):
            log_mass = np.log(np.diff(self.edges)) - 0.5 * np.log(variance).sum(axis=1)
        height = log_mass[:, None] - 0.5 * (1 / variance) @ residual**2
        mass = np.exp(height - height.max(axis=0))
        self.mass = (1 - PRIOR) * mass / mass.sum(axis=0) + PRIOR * np.diff(self.edges)[:, None]

    def draw(self, rng):
        """A share of the prior for each node."""
        below = np.cumsum(self.mass, axis=0)
        chance = rng.random(self.mass.shape[1]) * below[-1]
        cell = np.minimum((below < chance).sum(axis=0), len(below) - 1)
        return self.edges[cell] + rng.random(len(cell)) * np.diff(self.edges)[cell]

    def log_density(self, share):
        """ln of the density at a share of each node, over that of the prior."""
        cell = np.clip(np.searchsorted(self.edges, share, side="right") - 1, 0, len(self.mass) - 1)
        mass = self.mass[cell, np.arange(self.mass.shape[1])]
        return np.log(np.maximum(mass, 1e-300) / np.diff(self.edges)[cell])
