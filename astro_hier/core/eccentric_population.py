"""The work on one star of a population of eccentric orbits: its likelihood, draws and description.

A star is known by weighted nodes (`astro_hier.core.eccentric_nodes`) under a reference prior that
all stars share: ln P uniform in the range searched, e by a broad distribution, amplitude and
scatter by their own priors. From them follows its row of the matrix of all stars, on the cells of a
`astro_hier.core.plane.Plane`. If the population has circular orbits, there are as many nodes of
e = 0, from a search of their own.

Whose visits say little has nodes that are drawn from the prior: they are tried first, and are all
that is needed for stars of constant velocity.

A draw for given hyperparameters is a cell, in proportion to its mass under the population, then a
node of those that gave mass to the cell, then the linear parameters given the node.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from astro_hier.core import cell_draws, cells, kepler, orbit_evidence
from astro_hier.core.eccentric_fit import broad_nodes, eccentric_nodes
from astro_hier.core.eccentric_kernel import Nodes
from astro_hier.core.eccentric_nodes import linear_at
from astro_hier.core.eccentric_prior import OrbitPrior
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.core.plane import Plane
from astro_hier.core.population import OUTERMOST
from astro_hier.core.population_star import LEAST_SHARE

ECCENTRICITY = stats.beta(1, 2)  # of the reference prior
POINTS = 8000  # nodes of a search, about
SEED = 20160


@dataclass(frozen=True)
class Reference:
    """What the searches of all stars have in common.

    Attributes
    ----------
    plane : Plane
    priors : tuple of OrbitPrior
        Of the searches: of eccentric orbits, or of circular ones, or both.
    known : JitterPrior or None
        What is known about the scatter.
    kept : int
        How many nodes of a star are kept, about.
    """

    plane: Plane
    priors: tuple[OrbitPrior, ...]
    known: JitterPrior | None
    kept: int


@dataclass(frozen=True)
class Orbits:
    """Weighted orbits of a star, arrays of shape (orbit,).

    Period [d], eccentricity, phase [cycles] at a common time, scatter, the prior's standard
    deviation of A and B, ln p(v | orbit), and ln of that times its mass in the reference prior.
    """

    period: np.ndarray
    eccentricity: np.ndarray
    phase: np.ndarray
    scatter: np.ndarray
    sd: np.ndarray
    log_p: np.ndarray
    log_mass: np.ndarray

    def chosen(self, index: np.ndarray) -> "Orbits":
        """Those of some indices."""
        return Orbits(*(of[index] for of in vars(self).values()))

    def thinned(self, size: int, rng: np.random.Generator) -> "Orbits":
        """About ``size`` of them, with weights that keep all sums on average.

        Half are chosen by their mass, and half evenly, for populations unlike the reference.
        """
        if len(self.log_mass) <= size:
            return self
        mass = np.exp(self.log_mass - self.log_mass.max())
        chance = np.minimum(0.5 * size * (mass / mass.sum() + 1 / len(mass)), 1)
        keep = np.flatnonzero(rng.random(len(mass)) < chance)
        some = self.chosen(keep)
        return replace(some, log_mass=some.log_mass - np.log(chance[keep]))

    @property
    def nodes(self) -> Nodes:
        """As the kernel takes them; the step of the scatter is their own number."""
        number = np.arange(len(self.period))
        return Nodes(1 / self.period, self.eccentricity, self.phase, number, self.sd)


@dataclass(frozen=True)
class EccentricSummary:
    """What the first pass keeps of each star.

    Attributes
    ----------
    row : cells.Row
        Of the matrix of all stars.
    orbits : Orbits
        Some of its nodes, for draws and tables.
    t_ref : float
        Time of their phases [d].
    constant : float
        ln p(v) without an orbit.
    shortcomings : list of tuple
        What the searches fall short of, names and values.
    effective_size : float
        Of the nodes, under the reference prior.
    evaluations : int
        Of single orbits.
    scatter, least_scatter : ndarray
        Mean of the scatter, and what 99 percent of its posterior exceeds, shape (1,).
    best : Orbits
        The one of the highest likelihood.
    linear : ndarray
        The linear parameters that fit best there.
    chi2 : float
        Of that orbit, with its scatter.
    """

    row: cells.Row
    orbits: Orbits
    t_ref: float
    constant: float
    shortcomings: list[tuple[str, float]]
    effective_size: float
    evaluations: int
    scatter: np.ndarray
    least_scatter: np.ndarray
    best: Orbits
    linear: np.ndarray
    chi2: float


def summarise(visits: Visits, reference: Reference, seed: int) -> EccentricSummary:
    """The first pass over one star; ``seed`` chooses its random numbers."""
    rng = np.random.default_rng([SEED, seed])
    searches = [_search(visits, prior, rng) for prior in reference.priors]
    orbits = _joined([_orbits(nodes) for nodes in searches])
    row = reference.plane.row(orbits.period, orbits.eccentricity, orbits.log_mass)
    row = replace(row, tails=_tails(orbits, reference.plane, row.log_scale, len(searches)))
    t_ref = searches[0].star.data.t_ref
    best = orbits.chosen(np.array([np.argmax(orbits.log_p)]))
    weight = np.exp(orbits.log_mass - np.logaddexp.reduce(orbits.log_mass))
    linear, chi2 = fitted(visits, best, t_ref)
    return EccentricSummary(
        row=row,
        orbits=orbits.thinned(reference.kept, rng),
        t_ref=t_ref,
        constant=orbit_evidence.log_evidence_without_orbit(visits, reference.known),
        shortcomings=[found for nodes in searches for found in nodes.shortcomings()],
        effective_size=min(nodes.effective_size for nodes in searches),
        evaluations=sum(nodes.evaluations for nodes in searches),
        scatter=np.array([weight @ orbits.scatter]),
        least_scatter=np.array([orbit_evidence.quantile(orbits.scatter, weight, LEAST_SHARE)]),
        best=best,
        linear=linear,
        chi2=chi2,
    )


def _search(visits, prior, rng):
    """Nodes from the prior if they do, else from a tree."""
    nodes = broad_nodes(visits, prior, rng)
    return eccentric_nodes(visits, prior, rng, points=POINTS) if nodes is None else nodes


def _orbits(nodes):
    sd = nodes.star.prior.amplitude(nodes.period, nodes.eccentricity)
    return Orbits(
        nodes.period, nodes.eccentricity, nodes.phase, nodes.scatter,
        np.broadcast_to(sd, nodes.period.shape).astype(float), nodes.log_p, nodes.log_mass,
    )  # fmt: skip


def _joined(parts):
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Orbits(*(np.concatenate(of) for of in columns))


def _tails(orbits, plane, log_scale, searches):
    """Weights of the population beyond either end: the mean likelihood of the outermost periods.

    Of circular and eccentric orbits alike, if there are both.
    """
    ln_period = np.log(orbits.period)
    low, high = plane.ln_period_edges[[0, -1]]
    width = OUTERMOST * (high - low)
    mass = np.exp(orbits.log_mass - log_scale) / searches
    ends = ln_period < low + width, ln_period > high - width
    return np.array([[mass[end].sum() for end in ends]]) / OUTERMOST


def fitted(visits, orbit, t_ref):
    """The linear parameters that fit best on one orbit, and chi2 with its scatter."""
    return fitted_with(visits, orbit.nodes, t_ref, np.full(len(visits.time), orbit.scatter[0]))


def fitted_with(
    visits: Visits, orbit: Nodes, t_ref: float, extra: np.ndarray
) -> tuple[np.ndarray, float]:
    """The linear parameters that fit best on one orbit, and chi2, both with a scatter.

    ``orbit`` has one node, and ``extra``, shape (visit,), is the scatter of each visit.
    """
    linear = linear_at(visits, orbit, t_ref, extra[:, None])
    residual = visits.rv - velocity(visits, orbit, t_ref, linear)[:, 0]
    return linear[:, 0], float(np.sum(residual**2 / (visits.rv_error**2 + extra**2)))


def velocity(visits: Visits, orbits: Nodes, t_ref: float, linear: np.ndarray) -> np.ndarray:
    """Velocities at the visits, shape (visit, orbit)."""
    x, y = kepler.waves(visits.time - t_ref, *orbits[:3])
    columns = 0.0 if visits.columns is None else visits.columns @ linear[3:]
    return linear[0] * x + linear[1] * y + linear[2] + columns


def draw(
    visits: Visits,
    star: EccentricSummary,
    plane: Plane,
    shares: np.ndarray,
    rng: np.random.Generator,
    each: int = 1,
) -> dict[str, np.ndarray]:
    """Draw orbits for each theta.

    Parameters
    ----------
    visits, star, plane
        The star's visits and summary, and the cells.
    shares : ndarray
        The population's shares in all cells, shape (theta, cell).
    rng : `numpy.random.Generator`
    each : int, optional
        How many to draw for each theta.

    Returns
    -------
    dict
        ``P``, ``e``, ``t_peri``, ``scatter`` of shape (theta * each,), and ``linear``, shape
        (column, theta * each).
    """
    orbits = star.orbits
    kept = plane.row(orbits.period, orbits.eccentricity, orbits.log_mass)
    weight = np.bincount(kept.index, kept.weight[0], plane.size).reshape(plane.reference.shape)
    cell = cell_draws.draw_cells(weight, shares.reshape(-1, *weight.shape), each, rng)
    cells_of, share = plane.deal(np.log(orbits.period), orbits.eccentricity)
    mass = np.exp(orbits.log_mass - orbits.log_mass.max()) * share
    number = cell_draws.draw_masses(cells_of, mass, cell, rng)
    return with_linear(visits, star, orbits.chosen(number), rng)


def with_linear(
    visits: Visits, star: EccentricSummary, orbits: Orbits, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The given orbits with a draw of the linear parameters of each, by name as of `draw`."""
    extra = np.outer(np.ones(len(visits.time)), orbits.scatter)
    linear = linear_at(visits, orbits.nodes, star.t_ref, extra, rng)
    phase = orbits.phase - np.floor(orbits.phase + 0.5)
    return {
        "P": orbits.period,
        "e": orbits.eccentricity,
        "t_peri": star.t_ref - phase * orbits.period,
        "scatter": orbits.scatter,
        "linear": linear,
    }
