"""Tables for papers: values with errors, in LaTeX, as text and as machine-readable tables."""

from collections.abc import Sequence
from typing import Any

import astropy.units as u
from astropy.table import Table

from astro_hier.posterior import UnitLike
from astro_hier.reports import html, latex, machine, of_tables
from astro_hier.reports.html import Cell
from astro_hier.reports.values import Values, of_quantiles, values

__all__ = ["as_html", "paper_table"]

FORMATS = "latex", "aastex", "mrt", "table"


def paper_table(
    model: Any,
    var_names: str | Sequence[str] | None = None,
    *,
    of: str | Table | None = None,
    unit: UnitLike = None,
    format: str = "latex",
) -> str | Table:
    r"""Results as papers print them: medians with 16 and 84 percent, rounded to their errors.

    Both errors have the decimals at which the smaller one has two significant digits; equal ones
    become one, with :math:`\pm`. Notes below the table say what the numbers are, and which checks
    of the fit failed.

    Parameters
    ----------
    var_names : str or list of str, optional
        Parameters, as for `summary`. By default logarithms of scales that the data resolve are left
        out, since the scales are listed, and so are a and b of a circle, for which K and the phase
        stand.
    of : str or `~astropy.table.Table`, optional
        Another table of this fit in place of that of parameters: "stars", "objects", "elements",
        "modes" or "explanations", or any table of results, such as a part of ``star_table()``.
        Columns of values and errors are joined in LaTeX.
    unit : unit, list or dict, optional
        Units of the results, as in `summary`.
    format : {"latex", "aastex", "mrt", "table"}, optional
        LaTeX that needs no packages; a ``deluxetable`` for AASTeX; a machine-readable table of the
        American Astronomical Society, which ``Table.read(..., format="ascii.mrt")`` reads; or a
        `~astropy.table.Table`.

    Returns
    -------
    str or `~astropy.table.Table`
        The table; with ``format="table"`` and no ``of``, its columns are parameter, symbol, unit,
        median, minus, plus (the errors, not rounded) and value (rounded, as text).

    Raises
    ------
    ValueError
        If there is no such format, parameter, table or unit.

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster().fit(table, random_state=1, progressbar=False)
    >>> text = cluster.paper_table(["mu_r", "std_r"], unit="pc")
    >>> print(text.splitlines()[9])
    $\mu_r$ & mean distance & $\mathrm{pc}$ & $500.40 \pm 0.72$ \\
    """
    if format not in FORMATS:
        raise ValueError(f"format={format!r}; expected one of {', '.join(map(repr, FORMATS))}")
    if of is not None:
        if var_names is not None:
            raise ValueError("expected either var_names or of, not both")
        table = of_tables.table_of(model, of, unit)
        if "statistic" not in table.colnames or format == "table":
            return of_tables.written(model, table, of, format, unit)
        found = of_quantiles(model, table, unit)
    else:
        found = values(model, var_names, unit)
    if format == "table":
        return as_table(found)
    if format == "mrt":
        return machine.of_values(found)
    heads = ("Symbol", ""), ("Parameter", ""), ("Unit", ""), ("Value", "")
    return latex.tabular(
        heads, map(_latex_row, found.rows), found.notes, f"Results of {found.of}",
        f"tab:{found.of}", format == "aastex",
    )  # fmt: skip


def _latex_row(row):
    element = f" {latex.escaped(f'({row.element})')}" if row.element else ""
    unit = latex.unit_cell(row.unit)
    return f"${row.symbol}${element}", latex.escaped(row.long_name), unit, row.rounded.latex()


def as_table(found: Values) -> Table:
    """The rows as an astropy table."""
    rows = found.rows
    table = Table({
        "parameter": [row.name for row in rows],
        "symbol": [row.symbol for row in rows],
        "unit": [row.unit.to_string() for row in rows],
        "median": [row.median for row in rows],
        "minus": [row.median - row.low for row in rows],
        "plus": [row.high - row.median for row in rows],
        "value": [row.rounded.text() for row in rows],
    })  # fmt: skip
    for name in ("median", "minus", "plus"):
        table[name].info.format = ".6g"
    table.meta["notes"] = list(found.notes)
    return table


def as_html(found: Values) -> str:
    """The rows as HTML."""
    heads = ("parameter", ""), ("", ""), ("value", ""), ("unit", "")
    rows = (
        [
            Cell(f"<code>{html.text(row.name)}</code>"),
            Cell(html.text(row.long_name)),
            Cell(row.rounded.html(), number=True),
            Cell(html.text("" if row.unit == u.one else row.unit.to_string())),
        ]
        for row in found.rows
    )
    notes = f"<p>{html.text(' '.join(found.notes))}</p>"
    return html.table("Median, and the distance to 16 and 84 percent", heads, rows) + "\n" + notes
