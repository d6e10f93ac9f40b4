"""The parts of a page of HTML: everything escaped, nothing loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from astro_hier.reports.rounding import MINUS, without_power

__all__ = ["Cell", "definitions", "figure", "page", "section", "table", "text"]

STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem 1.25rem 3rem;max-width:75rem;color:#1b1f24;background:#fff;
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:1.7rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.3rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid #d0d7de}
h3{font-size:1.05rem;margin:1.4rem 0 .4rem}
a{color:#0550ae}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:.8rem 0;padding:0}
.lead{color:#444c56;margin:.2rem 0}
.scroll{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}
caption{text-align:left;color:#444c56;padding:.2rem 0}
th,td{padding:.3rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid #e3e7eb}
thead th{border-bottom:2px solid #8c959f;white-space:nowrap;vertical-align:bottom}
td.n,th.n{text-align:right;white-space:nowrap}
th .unit{font-weight:400;color:#444c56}
th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible,.scroll:focus-visible{outline:2px solid #0550ae;outline-offset:2px}
th button::after{content:"\\2195";color:#6e7781;padding-left:.3em}
th[aria-sort=ascending] button::after{content:"\\2191"}
th[aria-sort=descending] button::after{content:"\\2193"}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem;margin:.5rem 0}
dt{color:#444c56}dd{margin:0;overflow-wrap:anywhere}
figure{margin:1rem 0 1.6rem}figure img{max-width:100%;height:auto;display:block}
figcaption{color:#444c56;font-size:.92rem;max-width:50rem}
pre{overflow-x:auto;background:#f6f8fa;border:1px solid #d0d7de;padding:.7rem;font-size:.82rem}
code{font-size:.92em}
sup,sub{font-size:.75em;line-height:0}
.failed{border-left:4px solid #bc4c00;background:#fff8f2;padding:.5rem .9rem;margin:.6rem 0}
.good{border-left:4px solid #1a7f37;background:#f3fbf5;padding:.5rem .9rem;margin:.6rem 0}
.changed{font-weight:600}
details{margin:.5rem 0}summary{cursor:pointer}
svg.panel{display:block;width:200px;height:100px;font-size:20px}svg text{text-anchor:end}
tbody.lazy tr{content-visibility:auto;contain-intrinsic-size:auto 112px}
svg .c{fill:none;stroke:#d55e00;stroke-width:3}svg .u{stroke-dasharray:8 6}
svg .e{fill:none;stroke:#8c959f;stroke-width:2}
svg .v{fill:none;stroke:#1b1f24;stroke-width:8;stroke-linecap:round}
svg .b{fill:none;stroke:#d0d7de;stroke-width:2}
tbody.lazy th{white-space:nowrap}
@media(max-width:600px){body{padding:.6rem .7rem 2rem}dl{grid-template-columns:1fr}
dt{margin-top:.4rem}th,td{padding:.25rem .45rem}h1{font-size:1.4rem}}
@media print{nav,th button::after{display:none}.scroll{overflow:visible}}
"""
# Sorts the rows of a table by the column whose button is pressed: numbers by value, words by
# character; what is missing comes last either way.
SCRIPT = """
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0];
    const at = head.cellIndex, up = head.getAttribute("aria-sort") !== "ascending";
    const key = row => row.cells[at].dataset.v ?? row.cells[at].textContent;
    const rows = Array.from(body.rows, row => [key(row), row]);
    const numbers = rows.every(([k]) => k === "" || !isNaN(k));
    rows.sort(([a], [b]) => {
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = numbers ? a - b : a.localeCompare(b, undefined, {numeric: true});
      return up ? order : -order;
    });
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...rows.map(([, row]) => row));
  });
}
"""


class Cell:
    """One cell of a table: HTML, whether it is a number, and what it is sorted by."""

    def __init__(self, shown: str, number: bool = False, key: Any = None):
        self.shown, self.number, self.key = shown, number, key

    @classmethod
    def of(cls, value: Any, form: str = "") -> "Cell":
        """A value, which is escaped; empty if it is missing."""
        if value is None or value is np.ma.masked:
            return cls("", True, "")
        if isinstance(value, (float, np.floating)):
            if not np.isfinite(value):
                return cls("", True, "")
            return cls(
                text(without_power(format(value, form))).replace("-", MINUS), True, f"{value:.8g}"
            )
        number = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        return cls(text(value), number)

    def html(self, tag: str = "td") -> str:
        kind = ' class="n"' if self.number else ""
        key = f' data-v="{text(self.key)}"' if self.key is not None else ""
        scope = ' scope="row"' if tag == "th" else ""
        return f"<{tag}{scope}{kind}{key}>{self.shown}</{tag}>"


def text(value: Any) -> str:
    """Any value as text, escaped, without characters that HTML does not allow."""
    odd = "\N{REPLACEMENT CHARACTER}"
    clean = "".join(c if c.isprintable() else " " if c.isspace() else odd for c in str(value))
    return escape(clean)


def page(title: str, sections: Iterable[str]) -> str:
    """A whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(sections)
        + f"\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def section(name: str, title: str, *parts: str) -> str:
    """A section with a heading, under the anchor ``name``."""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title">{text(title)}</h2>\n' + "\n".join(parts) + "\n</section>"
    )


def definitions(items: Iterable[tuple[str, str]]) -> str:
    """A list of terms, and what they are, which is HTML."""
    return "<dl>\n" + "".join(f"<dt>{text(k)}</dt><dd>{v}</dd>\n" for k, v in items) + "</dl>"


def table(
    caption: str,
    heads: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Cell]],
    sortable: bool = False,
    lazy: bool = False,
) -> str:
    """A table that scrolls sideways where it is too wide; the first cells are heads of rows.

    ``heads`` are names and units, and an empty name is a column that is not sorted by.
    """
    rows = [list(row) for row in rows]
    numeric = [bool(rows) and all(row[i].number for row in rows) for i in range(len(heads))]

    def head(name, unit, number):
        shown = text(name)
        if sortable and name:
            shown = f'<button type="button">{shown}</button>'
        unit = f'<br><span class="unit">{text(unit)}</span>' if unit else ""
        return f'<th scope="col"{" class=n" * number}>{shown or "&nbsp;"}{unit}</th>'

    columns = "".join(head(*of, n) for of, n in zip(heads, numeric, strict=True))
    body = "\n".join(
        "<tr>" + row[0].html("th") + "".join(cell.html() for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}">\n<table>\n'
        f"<caption>{text(caption)}</caption>\n<thead><tr>{columns}</tr></thead>\n"
        f"<tbody{' class=lazy' * lazy}>\n{body}\n</tbody>\n</table>\n</div>"
    )


def figure(source: str, size: tuple[int, int], alt: str, caption: str) -> str:
    """An image, given as a data URI, of a width and height in pixels."""
    return (
        f'<figure>\n<img src="{source}" width="{size[0]}" height="{size[1]}" alt="{text(alt)}">\n'
        f"<figcaption>{text(caption)}</figcaption>\n</figure>"
    )
