r"""Tables in LaTeX: a plain ``table``, and the ``deluxetable`` of AASTeX.

Cells are LaTeX already; text from elsewhere goes through `escaped`. No package is needed: units are
set as ``\mathrm{km\,s^{-1}}`` in math mode.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import astropy.units as u

from astro_hier.reports.letters import in_latex, is_plain
from astro_hier.reports.rounding import MINUS

__all__ = ["escaped", "tabular", "unit_cell"]

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"$<$", ">": r"$>$", "|": r"$|$", '"': r"\textquotedbl{}", "±": r"$\pm$", MINUS: "$-$",
    "[": "{[}", "]": "{]}",  # which would be an argument of \\ at the start of a row
}  # fmt: skip


def escaped(value: Any) -> str:
    """Any value as LaTeX text."""
    text = unicodedata.normalize("NFC", " ".join(str(value).split()))
    return "".join(SPECIAL.get(c) or (c if is_plain(c) else in_latex(c)) for c in text)


def unit_cell(unit: u.UnitBase) -> str:
    """A unit in math mode; empty for numbers."""
    return "" if unit == u.one else unit.to_string("latex_inline")


def tabular(
    heads: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    notes: Sequence[str],
    caption: str,
    label: str,
    aastex: bool = False,
) -> str:
    """A table in LaTeX.

    Parameters
    ----------
    heads : list of tuple of str
        Of each column, its name and unit, in LaTeX.
    rows : iterable of list of str
        The cells, in LaTeX.
    notes : list of str
        Sentences to print below, as plain text.
    caption, label : str
        The former as plain text.
    aastex : bool, optional
        Whether it is for AASTeX, not for LaTeX alone.
    """
    body = " \\\\\n".join(" & ".join(row) for row in rows)
    below = " ".join(escaped(note) for note in notes)
    columns, write = "l" + "c" * (len(heads) - 1), _aastex if aastex else _plain_latex
    return write(heads, body, below, escaped(caption), label, columns)


def _plain_latex(heads, body, notes, caption, label, columns):
    names = " & ".join(name for name, _ in heads)
    units = " & ".join(f"({unit})" if unit else "" for _, unit in heads)
    head = f"{names} \\\\\n" + (f"{units} \\\\\n" if any(of for _, of in heads) else "")
    return (
        "\\begin{table}\n\\centering\n"
        f"\\caption{{{caption}}}\n\\label{{{label}}}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\hline\n\\hline\n{head}\\hline\n{body} \\\\\n\\hline\n"
        "\\end{tabular}\n"
        + (f"\\par\\smallskip\\footnotesize {notes}\n" if notes else "")
        + "\\end{table}\n"
    )


def _aastex(heads, body, notes, caption, label, columns):
    names = " & ".join(f"\\colhead{{{name}}}" for name, _ in heads)
    units = " & ".join(f"\\colhead{{{f'({unit})' if unit else ''}}}" for _, unit in heads)
    head = f"{names} \\\\\n{units}" if any(of for _, of in heads) else names
    return (
        f"\\begin{{deluxetable}}{{{columns}}}\n"
        f"\\tablecaption{{{caption}\\label{{{label}}}}}\n\\tablehead{{{head}}}\n"
        f"\\startdata\n{body}\n\\enddata\n"
        + (f"\\tablecomments{{{notes}}}\n" if notes else "")
        + "\\end{deluxetable}\n"
    )
