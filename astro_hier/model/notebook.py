"""How notebooks show an estimator: its arguments, and what has become of it."""

import html
import inspect
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import numpy as np

from astro_hier import checks
from astro_hier.model.arguments import said
from astro_hier.model.results import Results
from astro_hier.part import Part

__all__ = ["to_html"]


def to_html(model: Results) -> str:
    """A table of the arguments that are not the defaults, of the fit, and of its failed checks."""
    lines = [*_arguments(model), *_fit(model)]
    rows = "".join(
        f'<tr><th style="text-align: left">{html.escape(name)}</th>'
        f'<td style="text-align: left">{html.escape(value)}</td></tr>'
        for name, value in lines
    )
    return f"<table><caption>{html.escape(type(model).__name__)}</caption>{rows}</table>"


def _arguments(model: Results) -> list[tuple[str, str]]:
    """Names and values of the arguments that were given, or a word that there are none."""
    defaults = inspect.signature(type(model)).parameters
    given = model.get_params()
    changed = [name for name in given if said(given[name]) != said(defaults[name].default)]
    return [(n, _in_short(given[n])) for n in changed] or [("arguments", "all defaults")]


def _in_short(value: Any) -> str:
    """An argument in words; of a population or background what differs from its own defaults."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_in_short, value))}{',' * (len(value) == 1)})"
    if not isinstance(value, Part) or not is_dataclass(value):
        return said(value)
    own = {of.name: getattr(value, of.name) for of in fields(value) if of.init and of.repr}
    usual = {
        of.name: of.default if of.default_factory is MISSING else of.default_factory()
        for of in fields(value)
    }
    words = (f"{n}={_in_short(x)}" for n, x in own.items() if said(x) != said(usual[n]))
    return f"{type(value).__name__}({', '.join(words)})"


def _fit(model: Results) -> list[tuple[str, str]]:
    """What was fitted, how, and which checks failed."""
    if "_inference_data" not in vars(model):
        return [("fit", "not yet: call fit(table)")]
    attrs, sizes = model.posterior.attrs, model.posterior.sizes
    failed = [finding.name for finding in checks.failed(model.findings())]
    return [
        ("table", _size(model)),
        ("fit", f"{sizes['chain']} x {sizes['draw']} draws by method {attrs['method']!r}"),
        ("checks", f"failed: {', '.join(failed)}; see checks()" if failed else "all good"),
    ]


def _size(model: Results) -> str:
    """How many rows were fitted, and of how many stars or objects."""
    tree = model.inference_data
    found = _counted(tree["observed_data"].sizes[model.row], model.row)
    labels = tree["constant_data"].get(f"{model.item}_id")
    if model.item == model.row or labels is None:
        return found
    return f"{found} of {_counted(len(np.unique(labels)), model.item)}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
