"""Claims about the documentation's pages: what they list is complete, and their code fits."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import astro_hier
from astro_hier.checks import DEFINED
from astro_hier.model import HierarchicalModel

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.glob("*.rst"))
WIDEST = 90  # columns of code that a page shows without scrolling at 1280 pixels
MODELS = [
    found for found in vars(astro_hier).values()
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
    assert {name for name in drawn if f"``{name}``" in figures} == drawn
    assert f"astro_hier.{model.__name__}" in models


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_symbol_is_explained(model):
    page = (DOCS / "symbols.rst").read_text()
    quantity = {"quantity": "x"} if "quantity" in model().get_params() else {}
    names = {parameter.name for parameter in model(**quantity).parameters} - {"x"}
    assert not {name for name in names if f"``{name}``" not in page}


def code(page):
    """Lines of examples: prompts, and directives that show code."""
    inside = False
    for line in page.read_text().splitlines():
        if re.match(r"\.\. (code-block|plot)::", line):
            inside = True
        elif line and not line.startswith(" "):
            inside = False
        shown = re.match(r"\s*(>>>|\.\.\.) ", line)
        if (shown or inside) and not re.match(r"\s+:\w", line):
            yield line.strip() if shown else line[3:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_is_not_wider_than_the_page(page):
    assert not [line for line in code(page) if len(line) > WIDEST]


def test_code_of_the_tutorials_is_not_wider_than_the_page():
    for path in (DOCS / "examples").glob("*.py"):
        prose = re.sub(r'""".*?"""', "", path.read_text(), count=1, flags=re.S).splitlines()
        wide = [line for line in prose if len(line) > WIDEST and not line.startswith("#")]
        assert not wide, f"{path.name}: {wide}"


def test_places_that_a_release_fills_in_are_on_its_list():
    page = (DOCS / "releasing.rst").read_text()
    for path, place in (
        ("pyproject.toml", "example.org"), ("CODE_OF_CONDUCT.md", "CONDUCT_CONTACT"),
        ("paper/paper.md", "AFFILIATION"), ("CITATION.cff", "The astro_hier developers"),
    ):  # fmt: skip
        assert place in (PROJECT / path).read_text()
        assert place in page
        assert path in page
