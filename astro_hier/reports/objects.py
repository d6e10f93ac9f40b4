"""The list of stars or objects in a report, with small panels of orbits."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from astro_hier.posterior import UnitLike, units_of
from astro_hier.reports import html, of_tables
from astro_hier.reports.html import Cell

__all__ = ["of_each"]

MOST_LISTED = 2000  # rows
MOST_MADE = 20_000  # rows, above which the table is not made for the sake of the page
MOST_PANELS = 1000
SURVEYS = "star_results"  # the method that lists the stars of a survey
MADE_BY = {"star_table": "Stars", "object_table": "Objects"}


def of_each(model: Any, unit: UnitLike) -> tuple[str, list[str]]:
    """The title of the section, and its parts: none for models of a single star."""
    method = next((name for name in MADE_BY if hasattr(model, name)), None)
    if method is None:
        return "", []
    title = MADE_BY[method]
    if model.inference_data["constant_data"].attrs.get("rows") is not None:  # without visits
        return title, [f"<p>Those of a survey are written by {SURVEYS}().</p>"]
    number = _number(model)
    if number > MOST_MADE:
        return title, [f"<p>{number} {title.lower()} are too many to list: see {method}().</p>"]
    found = getattr(model, method)(unit=unit)[:MOST_LISTED]
    panels = list(model.panels(range(min(len(found), MOST_PANELS))))
    shown = f"All {number} {title.lower()}"
    if len(found) < number:
        shown = f"The first {len(found)} of {number} {title.lower()}"
    parts = ["<p>Press the name of a column to sort by it.</p>"]
    if panels:
        parts = [f"<p>{PANEL}</p>", *parts]
    columns = list(of_tables.joined(found))
    heads = [(column.name, "" if column.unit == 1 else str(column.unit)) for column in columns]
    if panels:
        heads.insert(1, ("", ""))
    rows = _rows(model, columns, panels, unit)
    return title, [*parts, html.table(shown, heads, rows, sortable=True, lazy=bool(panels))]


PANEL = (
    "Panels show velocities against phase, with their errors, and the best orbit: dashed if the"
    " star probably has no companion. Numbers beside them are the ends of the axis of velocities."
)


def _number(model):
    """How many stars or objects there are."""
    data = model.fitted_data()
    return next(
        len(getattr(data, name)) for name in ("stars", "star", "labels") if hasattr(data, name)
    )


def _rows(model, columns, panels, unit) -> Iterator[list[Cell]]:
    """The cells of each row, with its panel if there are any."""
    cells = [list(_cells(column)) for column in columns]
    units = units_of(model, unit)
    for i, row in enumerate(map(list, zip(*cells, strict=True))):
        if panels:
            shown = panels[i].svg(units) if i < len(panels) else ""
            row.insert(1, Cell(shown))
        yield row


def _cells(column) -> Iterator[Cell]:
    """The cells of one column, values rounded to their errors."""
    values = of_tables.plain(column.column)
    if column.errors or column.ends:
        for value, of in zip(values, column.rounded(), strict=True):
            yield Cell("", True, "") if of is None else Cell(of.html(), True, f"{value:.8g}")
        return
    form = column.column.info.format or ""
    for value in values.tolist():
        if isinstance(value, list):  # of each instrument
            yield Cell(", ".join(Cell.of(one, form).shown for one in value), True, _first(value))
        else:
            yield Cell.of(value, form)


def _first(values):
    """What a cell of several numbers is sorted by."""
    known = [one for one in values if one is not None and np.isfinite(one)]
    return f"{known[0]:.8g}" if known else ""
