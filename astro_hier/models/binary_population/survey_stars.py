"""The stars of a survey as the sample of a population: their rows stay on disk.

Each evaluation of the likelihood reads all rows, some stars at a time, for as many hyperparameters
as there are; few rows are read once and kept. What is kept of every star is a few numbers for the
checks, 50 bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from scipy import sparse

from astro_hier.core import cells
from astro_hier.core.exact_sum import ExactSum
from astro_hier.core.floats import TINY, Theta
from astro_hier.core.thinning import evenly
from astro_hier.models import grids
from astro_hier.models.binary_population import prepare
from astro_hier.models.binary_population.circular import CircularStars
from astro_hier.models.binary_population.data import Sample, thinned
from astro_hier.models.binary_population.eccentric import EccentricStars
from astro_hier.models.binary_population.star_rows import PopulationRows
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.survey.files import RowsError, Store, difference

LIKELIHOOD = ["index", "weight", "log_scale", "constant"]  # columns of a row
OF_STARS = {"n_visits": "i4", "chi2": "f4", "error": "f4", "best_period": "f8", "flat_bayes": "f4",
            "scatter": "f4", "least_scatter": "f4", "median_error": "f4"}  # fmt: skip
KEPT = 60_000_000  # bytes of rows that are read once
THETAS = 100  # evaluated at a time
STARTS = 20_000  # stars from which the search starts


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


@dataclass(frozen=True, eq=False)
class SurveyStars(Sample):
    """The stars of a survey.

    Attributes
    ----------
    store : Store
        Their rows.
    empty : CircularBlock or EccentricBlock
        A block without stars.
    by_star : dict of ndarray
        A few numbers of each, by the names of `OF_STARS`; and ``linear``, shape (star, column).
    """

    store: Store
    empty: Any
    by_star: dict[str, np.ndarray]

    @classmethod
    def of(cls, model, store: Store) -> "SurveyStars":
        """The stars in a store, for a model whose orbits are those that were searched for.

        Raises
        ------
        RowsError
            If they are not, or no star can be used.
        """
        model = _with_range(model, store)
        rows = PopulationRows(model, store.specification.get("cells"))
        _check(rows, store)
        sample = rows.sample
        empty = _empty(model, rows, sample)
        by_star = _read_by_star(store, len(sample.linear))
        kept = prepare.kept_by(
            model, sample, rows.reference.plane if model.is_eccentric else rows.grid
        )
        fields = {name: getattr(sample, name) for name in sample.__dataclass_fields__}
        fields |= {"kept": kept, "labels": {**sample.labels, "star": Labels(store)}}
        return cls(**fields, store=store, empty=empty, by_star=by_star)

    # ---- blocks

    def blocks(self) -> Iterator[Any]:
        """Some stars after the other."""
        yield from self._all if self._fits else self._read()

    @cached_property
    def _fits(self) -> bool:
        return sum(path.stat().st_size for path in self.store.paths) < KEPT

    @cached_property
    def _all(self) -> list[Any]:
        return list(self._read())

    def _read(self):
        for table in self.store.blocks(LIKELIHOOD):
            yield block_of(self.empty, table)

    # ---- the likelihood

    def log_marginal(self, theta: Theta) -> np.ndarray:
        size = len(next(iter(theta.values())))
        total = ExactSum(size)
        for block in self.blocks():
            for part, some in _parts(theta, size):
                total.add(block.log_likelihood(some), part)
        if self.kept is None:
            return total.total
        selected = [self.kept.log_likelihood(*self._for_kept(some)) for _, some in _parts(theta, size)]
        return total.total + np.concatenate(selected)

    def log_likelihood(self, theta: Theta) -> None:
        """None: those of single stars are not kept."""

    def log_density_for_kept(self, theta: Theta) -> np.ndarray:
        return replace(self.empty, kept=self.kept).log_density_for_kept(theta)

    # ---- for starting points, attributes and checks

    def best_orbits(self) -> dict[str, np.ndarray]:
        P = self.by_star["best_period"][self._some]
        found = {"lnP": np.log(P), "P": P}
        return found | {"e": self._best_e} if self.is_eccentric else found

    @property
    def is_eccentric(self) -> bool:
        return isinstance(self.empty, EccentricStars)

    @cached_property
    def _some(self) -> np.ndarray:
        return evenly(len(self.store), STARTS)

    @cached_property
    def _best_e(self) -> np.ndarray:
        found = [
            table["e"].combine_chunks().flatten().to_numpy()[_first(table["e"])]
            for table in self.store.blocks(["e"])
        ]
        return np.concatenate(found)[self._some]

    def flat_bayes_factors(self) -> np.ndarray:
        return self.by_star["flat_bayes"][self._some]

    def goodness(self) -> tuple[np.ndarray, np.ndarray]:
        fitted = len(self.orbit.parameters) + sum(part.n_adjusted(1) for part in self.parts)
        return self.by_star["chi2"], self.by_star["n_visits"] - fitted

    def best_linear(self) -> np.ndarray:
        return self.by_star["linear"].T

    def jitters(self) -> Iterator[tuple[int, float, float, float]]:
        names = "scatter", "least_scatter", "median_error"
        for n, of in enumerate(zip(*(self.by_star[name] for name in names), strict=True)):
            yield n, *map(float, of)

    def significance(self, theta: Theta) -> np.ndarray:
        mean = Mean.of(self.empty, theta)
        return np.concatenate([mean.significance(block) for block in self.blocks()], axis=1)

    def companion_probability(self, theta: Theta) -> np.ndarray:
        return np.concatenate([block.companion_probability(theta) for block in self.blocks()])

    def accuracy(self, theta: Theta) -> dict[str, float]:
        name = "largest_error_of_a_star" if self.is_eccentric else "period_error"
        return {name: float(self.by_star["error"].max())}

    def check_integrals(self, theta, attrs):
        if self.is_eccentric:
            return [self.empty._check_width(theta)]
        worst = int(np.argmax(self.by_star["error"]))
        error = orbit_checks.check_error(attrs["period_error"], self.stars[worst])
        return [*self.empty.levels.check(theta), error]

    def on_grid(self, theta: Theta) -> tuple:
        """As of circles, for figures."""
        return self.empty.on_grid(theta)

    @property
    def plane(self):
        return self.empty.plane

    def shares(self, theta: Theta) -> np.ndarray:
        """As of ellipses, for figures."""
        return self.empty.shares(theta)

    # ---- what only visits tell

    def visits(self, star: int) -> NoReturn:
        raise ValueError(
            f"this model was fitted to rows in {str(self.store.folder)!r}, without the visits:"
            " star_results(rows, folder) describes every star; for figures of single stars, fit"
            " their visits"
        )

    def describe(self, stars: Iterable[int], theta: Theta) -> NoReturn:
        self.visits(0)

    def draw_stars(self, theta, rng, n_jobs, progressbar) -> NoReturn:
        self.visits(0)


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
        W = _matrix(block).W
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
            log_bayes = np.log(evidence) + _matrix(block).log_scale - block.constant
        return np.array([log_bayes, np.maximum(nats, 0.0)])


def _by_period(block, posterior, prior, star, index):
    """Posterior and prior of cells of ln P, summed over e, with those outside as two more."""
    size, n_e = block.plane.reference.shape
    of = np.where(index < size * n_e, index // n_e, index - size * n_e + size)
    keys, which = np.unique(star * (size + 2) + of, return_inverse=True)
    summed = np.bincount(which, posterior)
    of_cells = np.append(prior[:-2].reshape(size, n_e).sum(axis=1), prior[-2:])
    return summed, of_cells[keys % (size + 2)], keys // (size + 2)


def _matrix(block) -> cells.Matrix:
    return block.matrix if isinstance(block, EccentricStars) else block.matrices[0]


class Labels:
    """The labels of the stars in a store, which are read when they are asked for."""

    def __init__(self, store: Store):
        self.store = store

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, number: int) -> str:
        for table in self.store.blocks([self.store.star]):
            if number < len(table):
                return str(table[0][int(number)].as_py())
            number -= len(table)
        raise IndexError(number)


def _with_range(model, store):
    """The model with the range of periods of the rows, if it has none of its own."""
    import astropy.units as u

    if model.period_range is not None:
        return model
    low, high = store.specification["period_range"]
    return type(model)(**{**model.get_params(), "period_range": (low * u.day, high * u.day)})


def _check(rows: PopulationRows, store: Store) -> None:
    import json

    said = json.loads(rows.specification)
    if said != store.specification:
        raise RowsError(
            f"the rows in {str(store.folder)!r} were made with other arguments than this model has"
            f" ({difference(store.specification, said)}): expected the same; change the model's, or"
            " make the rows again"
        )
    if not len(store):
        raise RowsError(
            f"no star in {str(store.folder)!r} can be used: {store.counts}; expected some rows that"
            " are ok"
        )


def _empty(model, rows, sample):
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
    width = _matrix(empty).W.shape[1]
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


def _read_by_star(store, n_linear):
    found = {name: [] for name in (*OF_STARS, "linear")}
    for table in store.blocks(list(found)):
        for name, parts in found.items():
            column = table[name].combine_chunks()
            values = column.flatten() if name == "linear" else column
            parts.append(values.to_numpy(zero_copy_only=False))
    by_star = {name: np.concatenate(parts) for name, parts in found.items()}
    return by_star | {"linear": by_star["linear"].reshape(-1, n_linear)}


def _first(lists):
    """Where each list of a column begins among their values."""
    offsets = lists.combine_chunks().offsets.to_numpy()
    return offsets[:-1] - offsets[0]


def _parts(theta, size):
    for start in range(0, size, THETAS):
        part = slice(start, start + THETAS)
        yield part, {name: of[part] for name, of in theta.items()}
