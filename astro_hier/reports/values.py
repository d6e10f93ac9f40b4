"""What a paper's table of a fit says: medians, the central 68 percent, and notes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.time import Time

from astro_hier import checks
from astro_hier.posterior import Parameter, UnitLike, label_of, scales_of, units_of
from astro_hier.reports import latex
from astro_hier.reports.rounding import Rounded, rounded

__all__ = ["ENDS", "Row", "Values", "notes_of", "of_quantiles", "values"]

ENDS = 0.16, 0.5, 0.84  # quantiles
# of elements of orbits that are not parameters
SYMBOLS = {"T_peri": r"T_\mathrm{peri}", "T_conj": r"T_\mathrm{conj}", "mass_function": "f(m)",
           "a1_sini": r"a_1 \sin i", "e": "e", "omega": r"\omega"}  # fmt: skip
LONG_NAMES = {
    "T_peri": "time of periastron", "T_conj": "time of conjunction", "e": "eccentricity",
    "mass_function": "mass function", "a1_sini": "projected semi-major axis",
    "omega": "argument of periastron",
}  # fmt: skip


Draws: TypeAlias = tuple[Parameter, np.ndarray]


@dataclass(frozen=True)
class Row:
    """One quantity: its name, symbol in TeX without dollars, meaning, unit and quantiles."""

    name: str
    symbol: str
    element: str
    long_name: str
    unit: u.UnitBase
    low: float
    median: float
    high: float

    @property
    def rounded(self) -> Rounded:
        """The median, and the distances from it to both ends, rounded."""
        if self.high == self.low:
            return rounded(self.median)
        return rounded(self.median, self.median - self.low, self.high - self.median)


@dataclass(frozen=True)
class Values:
    """The rows of a table, and what is to be said below it."""

    rows: Sequence[Row]
    notes: Sequence[str]
    of: str


def values(
    model: Any, var_names: str | Sequence[str] | None = None, unit: UnitLike = None
) -> Values:
    """The quantiles of a fit's parameters.

    By default these are those of `summary`, but for logarithms of scales that are resolved, and
    with what stands for parameters that are mere coordinates. ``var_names`` and ``unit`` are as
    for `summary`.
    """
    posterior, units = model.posterior, units_of(model, unit)
    rows = []
    for parameter, draws in _listed(model) if var_names is None else _named(model, var_names):
        own, shown = parameter.unit, units.of(parameter.unit, parameter.name)
        draws = draws * units.factor(own, parameter.name)
        ends = np.quantile(draws, ENDS, axis=0).reshape(3, -1)
        for element, quantiles in zip(_elements(posterior, parameter), ends.T, strict=True):
            name = f"{parameter.name}[{element}]" if element else parameter.name
            about = parameter.long_name
            rows.append(Row(name, parameter.symbol, element, about, shown, *map(float, quantiles)))
    return Values(rows, notes_of(model, unit), type(model).__name__)


def _named(model: Any, var_names: str | Sequence[str] | None) -> list[Draws]:
    """Parameters by name, and all draws of each, shape (draw, ...)."""
    parameters = model.parameters_of_summary(var_names)
    return [(of, model.samples(of.name).value) for of in parameters]


def _listed(model: Any) -> list[Draws]:
    """What papers list, and all draws of each."""
    replaced = model.coordinate_names()
    left_out = {*replaced, *scales_of(model)}
    kept = [(of, draws) for of, draws in _named(model, None) if of.name not in left_out]
    others = [(of, np.ravel(draws)) for of, draws in model.drawn_quantities() if replaced]
    return [*kept, *others]


def _elements(posterior, parameter) -> Iterator[str]:
    labels = product(*(posterior[dim].values for dim in parameter.dims))
    yield from (", ".join(map(label_of, label)) for label in labels)


def notes_of(model: Any, unit: UnitLike = None) -> list[str]:
    """What a reader of the numbers has to know."""
    attrs = model.posterior.attrs
    size = model.posterior.sizes["chain"] * model.posterior.sizes["draw"]
    notes = [f"Medians and central 68 percent of {size} draws from the posterior."]
    if attrs.get("n_modes", 1) > 1 or attrs.get("n_explanations", 1) > 1:
        several = "periods" if hasattr(model, "modes") else "explanations"
        notes.append(f"They mix several {several} of the data.")
    if attrs.get("resolved") == 0 and model.scale:
        scale = model.scale
        notes.append(
            f"The errors hide {scale}: its numbers depend on the prior, and {scale}_upper_limit()"
            " is to be quoted in their place."
        )
    failed = [finding.name.replace("_", " ") for finding in checks.failed(model.findings())]
    if "orbit" in failed and "K_upper" in attrs:
        limit = units_of(model, unit).say(attrs["K_upper"], u.km / u.s, "K", digits=".3g")
        notes.append(f"No orbit is needed: K is below {limit} (95 percent).")
    if failed:
        notes.append(f"Checks that failed: {', '.join(failed)}.")
    return notes


def of_quantiles(model: Any, table: Table, unit: UnitLike = None) -> Values:
    """The columns of a table with quantiles as rows, such as elements of orbits, as `Values`."""
    about = {p.name: p for p in model.parameters}
    order = [list(table["statistic"]).index(name) for name in ("16%", "median", "84%")]
    rows = []
    for name in table.colnames[1:]:
        column, element = table[name], name.partition("[")[2].rstrip("]")
        unit, numbers = getattr(column, "unit", None), getattr(column, "value", column)
        if isinstance(column, Time):
            unit, numbers = u.day, column.jd
        low, middle, high = np.ma.filled(np.ma.asarray(numbers, float), np.nan)[order]
        known = about.get(name.partition("[")[0])
        symbol = known.symbol if known else SYMBOLS.get(name, rf"\mathrm{{{latex.escaped(name)}}}")
        said = known.long_name if known else LONG_NAMES.get(name, name.replace("_", " "))
        if np.isfinite(middle):
            rows.append(Row(name, symbol, element, said, unit or u.one, low, middle, high))
    notes = notes_of(model, unit)
    if "note" in table.meta:
        notes.append(table.meta["note"][:1].upper() + table.meta["note"][1:] + ".")
    return Values(rows, notes, type(model).__name__)
