"""The cells that the search for orbits begins with.

Frequencies are cut into `Effort.per_baseline` cells per 1 / baseline, none wider than
`WIDEST` in ln P; eccentricities at the prior's shares `SHARES`, phases the finer the more
eccentric the cells are; and the scatter into slabs, for each of which X and Y are used again.

There may be a million of them, of which few matter. With derivatives left out and, where there are
more than `MANY_VISITS`, on `THINNED` visits, `screen` bounds the mass of each; in every slab those
whose bound is not negligible are kept, at most `Effort.roots`: a third by the bound, a third
by ln p, a third by the bound with errors inflated, without which needles are not found. All others
are the rest, one stratum of the final draws.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from astro_hier.core import eccentric_bounds, eccentric_kernel, kepler
from astro_hier.core.eccentric_kernel import KeplerData, Nodes

WIDEST = 0.5
SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0)
PHASES = (1, 2, 4, 6, 6, 6)  # cells in m, of each of these
SLAB = 4.0  # ratio of the scatters at the ends of a slab
MANY_VISITS = 32
THINNED = 25


@dataclass(frozen=True)
class Effort:
    """How hard to search.

    Attributes
    ----------
    kappa : float
        The margin of bounds, see `eccentric_bounds`.
    negligible, negligible_root : float
        Cells and roots are left alone where their bound is below exp(-negligible) of the total.
    evaluations : int
        Of cells, after which the search ends.
    final : int
        Points of the final draws.
    per_baseline, phases : float
        Cells per 1 / baseline, and a factor on `PHASES`.
    roots : int
        Most of the roots that are kept in a slab.
    slabs : int, optional
        How many slabs of the scatter to search, those of the smallest.
    curves : bool, optional
        Whether what fits may be curves that are much thinner than cells.
    floor : float, optional
        ln p(v) found elsewhere: what is negligible to that is not looked into.
    """

    kappa: float
    negligible: float = 10.0
    negligible_root: float = 10.0
    evaluations: int = 300_000
    final: int = 20_000
    per_baseline: float = 3.0
    phases: float = 1.0
    roots: int = 10_000
    slabs: int | None = None
    curves: bool = False
    floor: float = -np.inf


@dataclass(frozen=True)
class Roots:
    """All cells, which of them are kept, and what is known of each period.

    Attributes
    ----------
    corners : ndarray
        Lower and upper (p, u, m) of cells, shape (2, 3, cell); each is there in every slab.
    mass : ndarray
        Their prior mass, without that of the slab, shape (cell,).
    kept : ndarray
        Which are kept, shape (slab, cell).
    slab_edges : ndarray
        Shares of the scatter between slabs, shape (slab + 1,).
    period_edges : ndarray
        Shares of the period between cells.
    period_log_p : ndarray
        ln of the mean likelihood of the cells at each period, at their centres.
    """

    corners: np.ndarray
    mass: np.ndarray
    kept: np.ndarray
    slab_edges: np.ndarray
    period_edges: np.ndarray
    period_log_p: np.ndarray

    def boxes(self, slab: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Lower and upper corners (p, u, m, z), shape (2, 4, size)."""
        z = np.stack([self.slab_edges[slab], self.slab_edges[slab + 1]])
        return np.concatenate([self.corners[:, :, cell], z[:, None]], axis=1)

    @property
    def rest_mass(self) -> float:
        """Prior mass of the cells that are not kept."""
        return float(np.diff(self.slab_edges) @ (~self.kept @ self.mass))

    def draw_rest(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Slab and cell of some of the rest, in proportion to their prior mass."""
        mass = np.where(self.kept, 0, self.mass) * np.diff(self.slab_edges)[:, None]
        below = np.cumsum(mass.ravel())
        found = np.searchsorted(below, rng.random(size) * below[-1], side="right")
        return np.divmod(np.minimum(found, np.flatnonzero(mass)[-1]), len(self.mass))


def period_edges(prior, baseline, per_baseline):
    """Shares p between cells, each of which has prior mass."""
    shortest, longest = prior.period_range
    low, high = prior.period_shares
    if shortest == longest:
        return np.array([low, high])
    count = int(np.ceil((1 / shortest - 1 / longest) * baseline * per_baseline)) + 1
    ln_period = -np.log(np.linspace(1 / shortest, 1 / longest, count + 1))
    parts = np.maximum(np.ceil(np.diff(ln_period) / WIDEST).astype(int), 1)
    cell = np.repeat(np.arange(count), parts)
    part = np.arange(len(cell)) - np.repeat(np.cumsum(parts) - parts, parts)
    ln_period = ln_period[cell] + part / parts[cell] * np.diff(ln_period)[cell]
    shares = np.concatenate([[low], prior.period.cdf(np.exp(ln_period[1:])), [high]])
    return np.unique(shares)


def screen(prior, data, shares, u, phases, slabs, kappa, compiled=None):
    """Bounds of the cells of one range of eccentricities, (period, phase) flattened.

    Returns ln p, U and the annealed key, each of shape (slab, cell), and ln of the cells' prior
    mass within a slab of mass one, shape (cell,).
    """
    period, cell = (
        i.ravel() for i in np.meshgrid(np.arange(len(shares) - 1), np.arange(phases), indexing="ij")
    )
    ends = 1 / prior.period_at(shares)
    middle = prior.period_at(0.5 * (shares[1:] + shares[:-1]))
    e_low, e, e_high = (
        prior.eccentricity_at(np.full(len(period), x), middle[period])
        for x in (u[0], 0.5 * (u[0] + u[1]), u[1])
    )
    g = eccentric_bounds.generic(
        e_low, e_high, 0.5 * np.abs(np.diff(ends))[period], 0.5 / phases, 1.0
    )
    sd = np.broadcast_to(prior.amplitude(middle[period], e), e.shape).astype(float)
    nodes = Nodes((1 / middle)[period], e, (cell + 0.5) / phases, None, sd)
    chosen, spread = slabs
    tau = eccentric_bounds.annealing(data, chosen)
    margin = eccentric_bounds.margin(kappa, e_high)
    log_mass = np.log(np.diff(shares)[period] * (u[1] - u[0]) / phases)
    if eccentric_kernel.COMPILED if compiled is None else compiled:
        from astro_hier.core import eccentric_compiled_bounds

        log_p, upper, anneal = eccentric_compiled_bounds.screen(
            data, nodes, g, margin, tau, chosen, spread
        )
    else:
        log_p, upper, anneal = _screen(data, nodes, g, margin, tau, chosen, spread)
    return log_p, upper + log_mass, anneal + log_mass, log_mass


def _screen(data, nodes, g, kappa, tau, chosen, spread):
    x, y = kepler.waves(data.time, *nodes[:3], twice=False)
    found = np.empty((3, len(chosen), len(nodes.frequency)))
    for number, k in enumerate(chosen):
        weight, unit, target = data.weight[k], data.unit[k], data.target[k]
        shadow_x, shadow_y = (unit * weight) @ x, (unit * weight) @ y
        along = nodes.sd**-2
        xx = weight @ x**2 - np.sum(shadow_x**2, axis=0) + along
        xy = weight @ (x * y) - np.sum(shadow_x * shadow_y, axis=0)
        yy = weight @ y**2 - np.sum(shadow_y**2, axis=0) + along
        xv = (weight * data.rv) @ x - target @ shadow_x
        yv = (weight * data.rv) @ y - target @ shadow_y
        first = np.sqrt(xx)
        mixed = xy / first
        second = np.sqrt(np.maximum(yy - mixed**2, 1e-12 * yy))
        u, v = xv / first, (yv - mixed * xv / first) / second
        b = v / second
        a = (u - mixed * b) / first
        chi2 = np.maximum(data.chi2_constant[k] - u**2 - v**2, 0)
        determinant = 2 * np.log(first * second) + 4 * np.log(nodes.sd)
        log_p = -0.5 * (chi2 + data.log_norm[k] + determinant)
        mean_square = data.moment[k] / data.total[k]
        low, *d, length = eccentric_bounds.loose(
            chi2, a**2 + b**2, mean_square * g[0], g[1], g[2], data.total[k],
            data.chi2_constant[k], data.half_range, kappa,
        )  # fmt: skip
        rise = eccentric_bounds.best_scatter(data, spread[:, number, None], k, chi2, low)
        anneal = eccentric_bounds.annealed(*d, length, chi2, 1.0, tau[number])
        found[:, number] = log_p, log_p + rise - eccentric_bounds.filled(*d, data.rank), anneal
    return found


def roots(prior, scatter, data: KeplerData, rv_error, effort: Effort) -> Roots:
    """Screen all cells of ``data``, which may be thinned."""
    shares = period_edges(prior, np.ptp(data.time), effort.per_baseline)
    slab_edges = scatter.slabs(float(np.median(rv_error)), SLAB)
    if effort.slabs is not None:
        slab_edges = slab_edges[: effort.slabs + 1]
    at = slab_edges[:-1] + np.multiply.outer(eccentric_bounds.STEPS, np.diff(slab_edges))
    slabs = scatter.step(at[2]), scatter.step(at)
    found = []
    for u, count in _ranges(prior):
        count = max(1, round(count * effort.phases)) if count > 1 else 1
        screened = screen(prior, data, shares, u, count, slabs, effort.kappa)
        found.append((u, count, screened))
    return _chosen(found, shares, slab_edges, effort)


def _ranges(prior):
    """Ranges of u, and the cells in m of each."""
    if not prior.eccentricity.known:
        return list(zip(pairwise(SHARES), PHASES, strict=True))
    e = prior.eccentricity.e[0]
    count = 1 if e == 0 else PHASES[min(int(e / 0.15), len(PHASES) - 1)]
    return [((0.0, 1.0), count)]


def _chosen(found, shares, slab_edges, effort):
    """Which cells are kept, slab by slab."""
    log_p, upper, anneal, log_mass = (
        np.concatenate([screened[i] for _, _, screened in found], axis=-1) for i in range(4)
    )
    corners = np.concatenate([_corners(shares, u, count) for u, count, _ in found], axis=-1)
    number = np.concatenate([np.repeat(np.arange(len(shares) - 1), count) for _, count, _ in found])
    kept, of_period = np.zeros(log_p.shape, bool), np.full(len(shares) - 1, -np.inf)
    for slab, height in enumerate(log_p):
        mass = log_mass + height
        sums = _log_sums(number, mass, len(of_period))
        # a centre that happens to lie on a needle counts for its whole cell, a bound does not
        total = min(np.logaddexp.reduce(sums), np.logaddexp.reduce(upper[slab]))
        wanted = np.flatnonzero(upper[slab] > total - effort.negligible_root)
        keys = (key[wanted] for key in (upper[slab], anneal[slab], height))
        kept[slab, wanted[highest(effort.roots, *keys)]] = True
        share = slab_edges[slab + 1] - slab_edges[slab]
        with np.errstate(divide="ignore"):
            of_period = np.logaddexp(of_period, sums + np.log(share))
    of_period -= np.log(np.diff(shares))
    return Roots(corners, np.exp(log_mass), kept, slab_edges, shares, of_period)


def _log_sums(number, log_mass, count):
    """ln of the sum of the masses of each number; low ones too, which would underflow."""
    peak = np.full(count, -np.inf)
    np.maximum.at(peak, number, log_mass)
    peak[~np.isfinite(peak)] = 0
    with np.errstate(divide="ignore"):
        return peak + np.log(np.bincount(number, np.exp(log_mass - peak[number]), count))


def _corners(shares, u, count):
    """Lower and upper (p, u, m), shape (2, 3, cell)."""
    period = np.repeat(np.arange(len(shares) - 1), count)
    cell = np.tile(np.arange(count), len(shares) - 1)
    ends = [
        np.stack([shares[period + i], np.full(len(cell), u[i]), (cell + i) / count]) for i in (0, 1)
    ]
    return np.stack(ends)


def highest(most, *keys):
    """Numbers of at most ``most`` elements: equal parts of those highest by each key."""
    if len(keys[0]) <= most:
        return np.arange(len(keys[0]))
    part = max(most // len(keys), 1)
    chosen = np.zeros(len(keys[0]), bool)
    for key in keys:
        chosen[np.argpartition(key, len(key) - part)[-part:]] = True
    return np.flatnonzero(chosen)
