"""Some stars of a survey at a time, by their rows, as samples of either form."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from astro_hier.core import cells
from astro_hier.core.floats import TINY, Theta
from astro_hier.models import grids
from astro_hier.models.binary_population.circular import CircularStars
from astro_hier.models.binary_population.data import FRACTION, Sample, thinned
from astro_hier.models.binary_population.eccentric import EccentricStars
from astro_hier.models.binary_population.star_rows import PopulationRows
from astro_hier.populations import membership

LIKELIHOOD = ["index", "weight", "log_scale", "constant"]  # columns of a row


class OfRows:
    """What a block of stars has that is known by rows alone; mixed into both forms of a sample."""

    constant: np.ndarray

    def without_orbit(self, theta: Theta) -> np.ndarray:
        return self.constant[None]


@dataclass(frozen=True, eq=False)
class CircularBlock(OfRows, CircularStars):
    """Some stars on circular orbits, by their rows."""

    constant: np.ndarray


@dataclass(frozen=True, eq=False)
class EccentricBlock(OfRows, EccentricStars):
    """Some stars on eccentric orbits, by their rows."""

    constant: np.ndarray


def matrix_of(block) -> cells.Matrix:
    return block.matrix if isinstance(block, EccentricStars) else block.matrices[0]


def densities(empty: Any, theta: Theta) -> tuple[np.ndarray, ...]:
    """What the matrix of any block takes: the population's densities, shares outside, and so on."""
    if not isinstance(empty, EccentricStars):
        return empty.of_population(0, theta)
    shares = empty.plane.log_shares(empty.shares(theta), empty.matrix)
    return shares, empty.population.outside(theta, empty.log_ends)


def are_resolved(empty: Any, theta: Theta) -> np.ndarray:
    """Which populations are not too narrow for the cells, shape (theta,)."""
    if isinstance(empty, EccentricStars):
        return np.ones(len(next(iter(theta.values()))), bool)
    return empty.levels.numbers(theta) >= 0


def log_likelihood(block: Any, theta: Theta, given: tuple[np.ndarray, ...]) -> np.ndarray:
    """ln of the density of each star of a block, shape (theta, star), given `densities`."""
    orbit = matrix_of(block).log_likelihood(*given)
    if FRACTION not in theta:
        return orbit
    return membership.mix(orbit, block.constant[None], 1 - theta[FRACTION])[0]


def without_stars(model, rows: PopulationRows, sample: Sample) -> Any:
    """A block without stars."""
    fields = {name: getattr(sample, name) for name in sample.__dataclass_fields__}
    nothing = np.empty(0)
    if model.is_eccentric:
        size = rows.reference.plane.size
        matrix = _rows_as_matrix(sparse.csr_array((0, size + 2)), nothing)
        return EccentricBlock(**fields, reference=rows.reference, matrix=matrix, constant=nothing)
    levels = grids.on(rows.grid, sample.population, model.frozen_priors())
    matrix = _rows_as_matrix(sparse.csr_array((0, rows.grid.count + 2)), nothing)
    return CircularBlock(**fields, levels=levels, matrices=[matrix], constant=nothing)


def _rows_as_matrix(W, log_scale):
    size, points = W.shape[0], np.arange(W.shape[1] - 2)
    each = np.ones(size)
    return cells.Matrix(W, points, np.arange(size), log_scale, each, np.inf * each,
                        sparse.csr_array((size, len(points))))  # fmt: skip


def block_of(empty, table):
    """A block of stars, from an Arrow table of the columns in `LIKELIHOOD`."""
    index, weight = table["index"].combine_chunks(), table["weight"].combine_chunks()
    offsets = index.offsets.to_numpy()
    part = index.values.to_numpy(), weight.values.to_numpy()
    width = matrix_of(empty).W.shape[1]
    inside = slice(offsets[0], offsets[-1])
    W = sparse.csr_array(
        (part[1][inside], part[0][inside], offsets - offsets[0]), shape=(len(index), width)
    )
    matrix = _rows_as_matrix(W, table["log_scale"].to_numpy())
    constant = table["constant"].to_numpy()
    empty = replace(empty, labels={**empty.labels, "star": np.arange(len(index))})
    if isinstance(empty, EccentricStars):
        return replace(empty, matrix=matrix, constant=constant)
    return replace(empty, matrices=[matrix], constant=constant)


@dataclass(frozen=True)
class Mean:
    """The population's mean density times the size of cells, at all columns of the rows."""

    mass: np.ndarray
    prior: np.ndarray
    volume: np.ndarray

    @classmethod
    def of(cls, empty, theta: Theta) -> "Mean":
        """Averaged over draws of the population."""
        some = thinned(theta)
        outside = empty.population.outside(some, empty.log_ends).mean(axis=1)
        if isinstance(empty, EccentricStars):
            shares = empty.shares(some).mean(axis=0)
            return cls(np.append(shares, outside), np.append(shares, outside), np.ones(1))
        _, grid, _, density, *_ = empty.on_grid(some)
        mass = np.append(density * grid.step, outside)
        volume = np.append(np.full(grid.count, grid.step), np.ones(2))
        return cls(mass, mass, volume)

    def significance(self, block) -> np.ndarray:
        """ln Bayes factor of an orbit, and information on the period, of each star, (2, star)."""
        W = matrix_of(block).W
        mass = W.data * (self.mass / self.volume)[W.indices]
        evidence = np.add.reduceat(mass, W.indptr[:-1])
        star = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
        posterior = mass / np.maximum(evidence, TINY)[star]
        if isinstance(block, EccentricStars):
            posterior, prior, star = _by_period(block, posterior, self.prior, star, W.indices)
        else:
            prior = self.prior[W.indices]
        used = (posterior > 0) & (prior > 0)
        terms = posterior[used] * np.log(posterior[used] / prior[used])
        nats = np.bincount(star[used], terms, W.shape[0])
        with np.errstate(divide="ignore"):
            log_bayes = np.log(evidence) + matrix_of(block).log_scale - block.constant
        return np.array([log_bayes, np.maximum(nats, 0.0)])


def _by_period(block, posterior, prior, star, index):
    """Posterior and prior of cells of ln P, summed over e, with those outside as two more."""
    size, n_e = block.plane.reference.shape
    of = np.where(index < size * n_e, index // n_e, index - size * n_e + size)
    keys, which = np.unique(star * (size + 2) + of, return_inverse=True)
    summed = np.bincount(which, posterior)
    of_cells = np.append(prior[:-2].reshape(size, n_e).sum(axis=1), prior[-2:])
    return summed, of_cells[keys % (size + 2)], keys // (size + 2)
