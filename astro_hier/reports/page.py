"""The report of a fit: one page of HTML that needs nothing besides itself."""

import json
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from os import PathLike, fspath
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from astropy.table import Table

from astro_hier import checks
from astro_hier.posterior import UnitLike, units_of, write_whole
from astro_hier.reports import figures, html, objects, paper
from astro_hier.reports.html import Cell

__all__ = ["report"]

USED = "numpy", "scipy", "astropy", "xarray"
LONGEST = 400  # characters of an argument that are shown


def report(
    model: Any, path: str | PathLike, *, overwrite: bool = False, unit: UnitLike = None
) -> Path:
    """Write one page of HTML about the fit, to read in a browser, keep or send.

    It shows what was fitted, results as papers print them, the summary, explanations or modes,
    every figure, the checks and, of each star or object, its own results. The page is a single file
    that loads nothing; it can be sorted by the columns of the list of stars.

    Parameters
    ----------
    path : str or path-like
        The file's name, such as ``"cluster.html"``, in a folder that exists.
    overwrite : bool, optional
        Whether a file of that name is replaced.
    unit : unit, list or dict, optional
        Units of all results and figures, as in `summary`.

    Returns
    -------
    `~pathlib.Path`
        ``path``.

    Raises
    ------
    FileExistsError
        If there is such a file, and ``overwrite`` is False.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(20, random_state=42)
    >>> cluster = StarCluster().fit(table, draws=100, progressbar=False)
    >>> page = cluster.report(f"{tempfile.mkdtemp()}/cluster.html", unit="pc")
    >>> page.name
    'cluster.html'
    """
    model.inference_data  # noqa: B018 an error before a fit
    units_of(model, unit)
    path = Path(fspath(path))
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{str(path)!r} exists: choose another name, or replace it with overwrite=True"
        )
    name = type(model).__name__
    content = html.page(f"{name}: report of a fit", _sections(model, unit))
    write_whole(path, content.encode())
    return path


def _sections(model, unit) -> Iterator[str]:
    """The parts of the page, in order."""
    sections = {
        "fitted": ("What was fitted", _fitted(model)),
        "results": ("Results", _results(model, unit)),
        "alternatives": (*_alternatives(model, unit),),
        "figures": ("Figures", list(figures.drawn(model, unit))),
        "checks": ("Checks", [_checks(model)]),
        "objects": objects.of_each(model, unit),
    }
    sections = {name: of for name, of in sections.items() if of[1]}
    yield f"<h1>{type(model).__name__}: report of a fit</h1>"
    yield f'<p class="lead">{html.text(_first_line(model))}</p>'
    yield _verdict(model)
    links = "".join(f'<li><a href="#{n}">{html.text(t)}</a></li>' for n, (t, _) in sections.items())
    yield f'<nav aria-label="Sections"><ul>{links}</ul></nav>'
    for name, (title, parts) in sections.items():
        yield html.section(name, title, *parts)


def _first_line(model):
    return (type(model).__doc__ or "").strip().partition("\n")[0]


def _verdict(model):
    """Whether all checks are good, and what to do where they are not."""
    findings = model.findings()
    failed = checks.failed(findings)
    if not failed:
        return f'<p class="good">All {len(findings)} checks of this fit are good.</p>'
    few = "check" if len(failed) == 1 else "checks"
    listed = "".join(
        f"<li><strong>{html.text(f.name)}</strong>: {html.text(f.message())}</li>" for f in failed
    )
    return (
        f'<div class="failed"><p>{len(failed)} {few} of {len(findings)} failed.</p>'
        f"<ul>{listed}</ul></div>"
    )


def _fitted(model):
    """The data, the method, the versions and the arguments."""
    posterior, tree = model.posterior, model.inference_data
    attrs = posterior.attrs
    call = json.loads(tree["sample_stats"].attrs.get("call", "{}"))
    rows = tree["observed_data"].sizes.get(model.row, 0)
    of = f"{rows} {model.row}s"
    if model.item != model.row and model.item in posterior.sizes:
        of += f" of {posterior.sizes[model.item]} {model.item}s"
    options = ", ".join(f"{name}={value}" for name, value in call.get("options", {}).items())
    said = {
        "Table": of,
        "Method": attrs.get("method", "") + (f" ({options})" if options else ""),
        "Draws": f"{posterior.sizes['draw']} in each of {posterior.sizes['chain']} chains",
        "Seed": call.get("random_state", "not known"),
        "Fitted by": f"astro_hier {attrs.get('version', 'of unknown version')}",
        "Page made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by astro_hier"
        f" {version('astro_hier')}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in USED),
    }
    items = html.definitions((name, html.text(value)) for name, value in said.items())
    return [items, "<h3>Arguments</h3>", _arguments(model)]


def _arguments(model):
    """The arguments of the model, those that differ from the default in bold."""
    defaults = type(model)().get_params()

    def rows():
        for name, value in model.get_params().items():
            shown, own = _shown(value), _shown(defaults[name])
            differs = shown != own
            mark = ' class="changed"' if differs else ""
            said = "differs from the default" if differs else ""
            yield (
                Cell(f"<code>{html.text(name)}</code>"),
                Cell(f"<span{mark}>{html.text(shown)}</span>"),
                Cell(f"<span{mark}>{said}</span>"),
            )

    heads = ("argument", ""), ("value", ""), ("", "")
    return html.table(f"Arguments of {type(model).__name__}", heads, rows())


def _shown(value):
    """An argument in words."""
    if isinstance(value, Table):
        return f"table of {len(value)} rows"
    shown = value.__qualname__ if isinstance(value, FunctionType) else repr(value)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ..."


def _results(model, unit):
    """The parameters as papers print them, the same in LaTeX, and the summary."""
    parts = []
    values = paper.values(model, unit=unit)
    if len(values.rows):
        parts.append(paper.as_html(values))
        for kind, form in (("LaTeX", "latex"), ("AASTeX", "aastex")):
            code = html.text(paper.paper_table(model, unit=unit, format=form))
            parts.append(f"<details><summary>{kind}</summary><pre>{code}</pre></details>")
    limit = _upper_limit(model, unit)
    if limit:
        parts.append(f"<p>{limit}</p>")
    parts += ["<h3>Summary of the draws</h3>", of_table(model.summary(unit=unit), "Summary")]
    return parts


def _upper_limit(model, unit):
    """The upper limit of a scale that the errors hide."""
    if model.posterior.attrs.get("resolved") != 0 or not model.scale:
        return ""
    limit = getattr(model, f"{model.scale}_upper_limit")()
    shown = units_of(model, unit).say(limit.value, limit.unit, model.scale, digits=".3g")
    return f"The errors hide {html.text(model.scale)}: it is below {html.text(shown)} (95 percent)."


def _alternatives(model, unit):
    """Modes of a period, or explanations of the table, if there are several."""
    if hasattr(model, "modes"):
        return "Periods", [of_table(model.modes(unit=unit), "Periods, the most probable first")]
    if model.posterior.attrs.get("n_explanations", 1) > 1:
        about = "<p>The results above mix these explanations of the data.</p>"
        return "Explanations", [
            about,
            of_table(model.explanations(unit=unit), "Most probable first"),
        ]
    return "Explanations", []


def _checks(model):
    """All checks, with what to do."""
    found = model.checks()
    heads = [(name, "") for name in found.colnames]
    rows = [[Cell(html.text(value)) for value in row] for row in found]
    return html.table("What was checked, found and expected", heads, rows)


def of_table(found: Table, caption: str) -> str:
    """An astropy table with its own formats."""
    heads = [(name, str(found[name].unit or "")) for name in found.colnames]
    forms = [found[name].info.format or "" for name in found.colnames]
    columns = [np.ma.asarray(getattr(found[n], "value", found[n])).tolist() for n in found.colnames]
    rows = (
        [Cell.of(value, form) for value, form in zip(row, forms, strict=True)]
        for row in zip(*columns, strict=True)
    )
    return html.table(caption, heads, rows)
