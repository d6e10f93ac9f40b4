"""The stars of a survey as the sample of a population: their rows stay on disk.

Each evaluation of the likelihood reads all rows, some stars at a time, for as many hyperparameters
as there are; few rows are read once and kept. What is kept of every star is a few numbers for the
checks, 24 bytes.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NoReturn

import astropy.units as u
import numpy as np

from astro_hier.core.exact_sum import ExactSum
from astro_hier.core.floats import Theta
from astro_hier.models.binary_population import prepare
from astro_hier.models.binary_population.data import Sample, thinned
from astro_hier.models.binary_population.eccentric import FEWEST, EccentricStars
from astro_hier.models.binary_population.star_rows import PopulationRows
from astro_hier.models.binary_population.survey_blocks import (
    LIKELIHOOD,
    Mean,
    are_resolved,
    block_of,
    densities,
    log_likelihood,
    matrix_of,
    without_stars,
)
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.plots import NotInTheModel
from astro_hier.survey.files import RowsError, Store, difference

OF_STARS = ("n_visits", "chi2", "error", "scatter", "least_scatter", "median_error",
            "effective_size", "missed")  # fmt: skip
OF_SOME = "best_period", "best_e", "flat_bayes"  # of the stars from which the search starts
KEPT = 60_000_000  # bytes of rows that are read once
THETAS = 32  # evaluated at a time
MAX_VALUES = 4_000_000  # densities that are kept while rows are read once
STARTS = 20_000  # stars from which the search starts


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
        A few numbers of each, by the names of `OF_STARS`; ``linear``, shape (star, column); and
        those of `OF_SOME`, of some stars.
    """

    store: Store
    empty: Any
    by_star: dict[str, np.ndarray]

    @classmethod
    def of_rows(cls, model, store: Store) -> "SurveyStars":
        """The stars in a store, for a model whose orbits are those that were searched for.

        Raises
        ------
        RowsError
            If they are not, or no star can be used.
        """
        model = _with_range(model, store)
        rows = PopulationRows(model, store.specification.get("cells"))
        _check(rows, store)
        store.check_unique()
        sample = rows.sample
        empty = without_stars(model, rows, sample)
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
        found = np.empty(size)
        for part, some in parts_of(theta, max(MAX_VALUES // matrix_of(self.empty).W.shape[1], 1)):
            found[part] = self._log_marginal(some)
        return found

    def _log_marginal(self, theta):
        """For so many theta that their densities are kept while the rows are read once."""
        size = len(next(iter(theta.values())))
        total = ExactSum(size)
        given = [(*of, densities(self.empty, of[1])) for of in parts_of(theta, THETAS)]
        for block in self.blocks():
            for part, some, density in given:
                total.add(log_likelihood(block, some, density), part)
        found = np.where(are_resolved(self.empty, theta), total.total, -np.inf)
        if self.kept is None:
            return found
        selected = [
            self.kept.log_likelihood(*self._for_kept(some)) for _, some in parts_of(theta, THETAS)
        ]
        return found + np.concatenate(selected)

    def log_likelihood(self, theta: Theta) -> Any:
        """None: those of single stars are not kept."""

    def log_density_for_kept(self, theta: Theta) -> np.ndarray:
        return replace(self.empty, kept=self.kept).log_density_for_kept(theta)

    # ---- for starting points, attributes and checks

    def best_orbits(self) -> dict[str, np.ndarray]:
        P = self.by_star["best_period"]
        found = {"lnP": np.log(P), "P": P}
        return found | {"e": self.by_star["best_e"]} if self.is_eccentric else found

    @property
    def is_eccentric(self) -> bool:
        return isinstance(self.empty, EccentricStars)

    def flat_bayes_factors(self) -> np.ndarray:
        return self.by_star["flat_bayes"]

    def goodness(self) -> tuple[np.ndarray, np.ndarray]:
        fitted = len(self.orbit.parameters) + sum(part.n_adjusted(1) for part in self.parts)
        return self.by_star["chi2"], self.by_star["n_visits"] - fitted

    def best_linear(self) -> np.ndarray:
        return self.by_star["linear"].T

    def jitters(self) -> Iterator[tuple[int, float, float, float]]:
        names = "scatter", "least_scatter", "median_error"
        for n, of in enumerate(zip(*(self.by_star[name] for name in names), strict=True)):
            likely, least, error = map(float, of)
            yield n, likely, least, error

    def significance(self, theta: Theta) -> np.ndarray:
        mean = Mean.of(self.empty, theta)
        each = (mean.significance(block).astype(np.float32) for block in self.blocks())
        return np.concatenate(list(each), axis=1)

    def companion_probability(self, theta: Theta) -> np.ndarray:
        some = thinned(theta)
        return np.concatenate([block.companion_probability(some) for block in self.blocks()])

    def accuracy(self, theta: Theta) -> dict[str, float]:
        if self.is_eccentric:
            return {"least_effective_size": float(self.by_star["effective_size"].min())}
        return {"period_error": float(self.by_star["error"].max())}

    def check_integrals(self, theta, attrs):
        if self.is_eccentric:
            size, missed = self.by_star["effective_size"], self.by_star["missed"] > 0

            def say(n):
                return "orbits may be missed" if missed[n] else f"effective size {size[n]:.0f}"

            bad = (size < FEWEST) | missed
            found = orbit_checks.named(self.stars, bad, size, say)
            return [
                orbit_checks.SEARCH.finding(found, bool(bad.any())),
                self.empty.check_width(theta),
            ]
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
        raise NotInTheModel(
            f"this model was fitted to rows in {str(self.store.folder)!r}, without the visits:"
            " star_results(rows, folder) describes every star; for figures of single stars, fit"
            " their visits"
        )

    def describe(self, stars: Iterable[int], theta: Theta) -> NoReturn:
        self.visits(0)

    def draw_stars(self, theta, rng, n_jobs, progressbar) -> NoReturn:
        self.visits(0)


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
    if model.period_range is not None:
        return model
    low, high = store.specification["period_range"]
    return type(model)(**{**model.get_params(), "period_range": (low * u.day, high * u.day)})


def _check(rows: PopulationRows, store: Store) -> None:
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


def _read_by_star(store, n_linear):
    """Some numbers of each star, and more of some: those of the lowest checksums, in any order."""
    names = (*OF_STARS, *OF_SOME, "linear")
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    below = STARTS / len(store) * 2.0**32
    for table in store.blocks([*names, "checksum"]):
        some = table["checksum"].to_numpy() < below
        for name, parts in found.items():
            column = table[name].combine_chunks()
            values = column.flatten() if name == "linear" else column
            if values.null_count < len(values):
                values = values.to_numpy(zero_copy_only=False)
                parts.append(values[some] if name in OF_SOME else values)
    by_star = {name: np.concatenate(parts) for name, parts in found.items() if parts}
    order = np.lexsort([by_star["flat_bayes"], by_star["best_period"]])
    by_star |= {name: by_star[name][order] for name in OF_SOME if name in by_star}
    return by_star | {"linear": by_star["linear"].reshape(-1, n_linear)}


def parts_of(theta: Theta, length: int) -> Iterator[tuple[slice, Theta]]:
    """At most ``length`` theta at a time, and which they are."""
    for start in range(0, len(next(iter(theta.values()))), length):
        part = slice(start, start + length)
        yield part, {name: of[part] for name, of in theta.items()}
