"""Claims about the documentation's pages: what they list is complete, and their code fits."""

import ast
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import pytest

import astro_hier
from astro_hier.checks import DEFINED
from astro_hier.cli.fit import model_of
from astro_hier.cli.parser import build
from astro_hier.model import HierarchicalModel

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.glob("*.rst"))
WIDEST = 80  # columns of code, and of what it prints, that a page shows without scrolling
DRAWN_OF = {  # what the page of figures calls a fit of each model
    "SB1Binary": "star", "BinaryPopulation": "sample", "StarCluster": "cluster",
    "VelocityDispersion": "system", "PeriodLuminosity": "relation", "SamplePopulation": "objects",
}  # fmt: skip
MODELS = [
    found for found in (getattr(astro_hier, name) for name in astro_hier.__all__)
    if isinstance(found, type) and issubclass(found, HierarchicalModel)
]  # fmt: skip


def test_every_check_is_listed_with_its_cure():
    for module in pkgutil.walk_packages(astro_hier.__path__, "astro_hier."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    page = (DOCS / "diagnostics.rst").read_text()
    listed = re.findall(r"^   \* - ``(\w+)``\n     - .+\n     - .+", page, flags=re.M)
    assert sorted(listed) == sorted(DEFINED)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_figure_and_model_is_shown(model):
    figures, models = ((DOCS / f"{name}.rst").read_text() for name in ("figures", "which_model"))
    drawn = {name for name in dir(model) if name.startswith("plot_")}
    shown = set(re.findall(rf"\b{DRAWN_OF[model.__name__]}\.(plot_\w+)\(", figures))
    assert drawn - shown <= {"plot_corner", "plot_trace", "plot_graph"}  # shown of one model
    assert {name for name in drawn if f"``{name}``" in figures} == drawn
    assert f"astro_hier.{model.__name__}" in models


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_symbol_is_explained(model):
    page = (DOCS / "symbols.rst").read_text()
    quantity = {"quantity": "x"} if "quantity" in model().get_params() else {}
    names = {parameter.name for parameter in model(**quantity).parameters} - {"x"}
    assert not {name for name in names if f"``{name}``" not in page}


def shown(text):
    """Lines of examples as pages show them: prompts, what they print, and blocks of code.

    Marks for doctest are not shown. A block ends at the next line that is not indented more.
    """
    block = printed = None
    for line in text.splitlines():
        bare = re.sub(r"\s*# doctest:.*", "", line)
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        if re.match(r"\s*(>>>|\.\.\.)( |$)", line):
            printed = indent
        elif not line.strip():
            printed = None
        if printed is not None:
            yield bare[printed:]
        elif block is not None and not re.match(r"\s+:[\w-]+:", line):
            yield bare[block + 3 :]
        elif re.search(r"^\s*\.\. (code-block|plot)::|^(?!\s*\.\.).*::$", line):
            block = indent


def too_wide(lines):
    return [line for line in lines if len(line) > WIDEST]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_is_not_wider_than_the_page(page):
    assert not too_wide(shown(page.read_text()))


def test_code_of_the_tutorials_is_not_wider_than_the_page():
    for path in (DOCS / "examples").glob("*.py"):
        code = re.sub(r'""".*?"""', "", path.read_text(), count=1, flags=re.S).splitlines()
        wide = too_wide(line for line in code if not line.startswith("#"))
        assert not wide, f"{path.name}: {wide}"


def test_examples_in_docstrings_are_not_wider_than_the_page():
    kinds = ast.Module, ast.ClassDef, ast.FunctionDef
    for path in (PROJECT / "astro_hier").rglob("*.py"):
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]
        wide = too_wide(line for node in nodes for line in shown(ast.get_docstring(node) or ""))
        assert not wide, f"{path.name}: {wide}"


def test_code_outside_the_pages_is_not_wider_than_they_are():
    for name in ("README.md", "CONTRIBUTING.rst"):
        text = (PROJECT / name).read_text()
        blocks = re.findall(r"^```\w*\n(.*?)^```$", text, flags=re.M | re.S)
        # the test command is one line, which .ci/run reads
        lines = [line for block in blocks for line in block.splitlines() if "pytest" not in line]
        assert not too_wide([*lines, *shown(text)]), name
    assert not too_wide((PROJECT / "CITATION.cff").read_text().splitlines())


def commands():
    """Lines that pages show for the shell, such as ``astro-hier cluster members.csv``."""
    for path in (*PAGES, PROJECT / "README.md"):
        text = re.sub(r"\\\n\s+", "", path.read_text())
        yield from re.findall(r"^(?:\s+\$ )?astro-hier (.+)$", text, flags=re.M)


def test_commands_of_the_pages_are_understood():
    lines = set(commands())
    assert len(lines) > 20
    for line in lines:
        options = build().parse_args(shlex.split(line))
        if hasattr(options, "set"):
            model_of(options, getattr(options, "command", "binaries"))


def test_places_that_a_release_fills_in_are_on_its_list():
    page = (DOCS / "releasing.rst").read_text()
    for path, place in (
        ("pyproject.toml", "example.org"), ("CODE_OF_CONDUCT.md", "CONDUCT_CONTACT"),
        ("paper/paper.md", "AFFILIATION"), ("paper/paper.md", "RESEARCH_IMPACT"),
        ("paper/paper.md", "AI_USAGE"), ("paper/paper.md", "FUNDING"),
        ("CITATION.cff", "The astro_hier developers"),
    ):  # fmt: skip
        assert place in (PROJECT / path).read_text()
        assert place in page
        assert path in page
