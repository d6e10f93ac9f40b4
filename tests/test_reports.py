"""Pages about fits: whole, self-contained, escaped, and never in the way of another file."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import astropy.units as u
import numpy as np
import pytest

from astro_hier import BinaryPopulation, NotFittedError, StarCluster, datasets
from astro_hier.checks import CheckWarning, failed
from astro_hier.posterior import units_of
from astro_hier.reports.html import Cell

EMPTY = {"meta", "img", "path", "br", "rect"}  # elements without an end
HOSTILE = "<script>alert('1')</script>&\"\x00é"


class Page(HTMLParser):
    """What a page holds, with an error where its elements are not closed in order."""

    def __init__(self, content):
        super().__init__()
        self.open, self.found, self.words = [], [], []
        self.feed(content)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture(scope="module")
def population():
    table = datasets.make_binaries(5, random_state=3)
    stars = np.unique(table["star"])
    table["star"] = [HOSTILE if star == stars[0] else f"star {star}" for star in table["star"]]
    with pytest.warns(CheckWarning, match="beyond the periods searched"):
        return BinaryPopulation().fit(table, draws=20, random_state=7, progressbar=False)


@pytest.fixture(scope="module")
def page(population, tmp_path_factory):
    """The page of a population; its words, and its text as it is."""
    path = tmp_path_factory.mktemp("page") / "stars.html"
    assert population.report(path, unit=[u.m / u.s]) == path
    return Page(path.read_text()), path.read_text()


def test_a_page_needs_nothing_besides_itself(page):
    parsed, content = page
    for _, attrs in parsed.found:
        for name in ("src", "href", "xlink:href", "action", "data"):
            assert attrs.get(name, "#").startswith(("data:image/", "#"))
    assert not re.search(r"url\(|@import|https?:", content.split("<body>")[0])
    assert len(content) < 3e6
    assert not parsed.all("link")


def test_a_page_can_be_heard_and_reached_by_keyboard(page):
    parsed, content = page
    assert content.startswith("<!DOCTYPE html>")
    assert parsed.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in parsed.all("img"))
    assert all(drawing["aria-label"] for drawing in parsed.all("svg"))
    ids = [attrs["id"] for _, attrs in parsed.found if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert {link["href"][1:] for link in parsed.all("a")} <= set(ids)
    levels = [int(tag[1]) for tag, _ in parsed.found if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert len(parsed.all("caption")) == len(parsed.all("table"))


def test_names_from_a_table_are_words_and_nothing_else(page):
    parsed, content = page
    assert len(parsed.all("script")) == 1
    assert "<script>alert" not in content
    assert any("<script>alert('1')</script>&\"" in words for words in parsed.words)
    assert "\x00" not in content


def test_a_page_lists_every_star_with_a_panel_and_can_be_sorted(page, population):
    parsed, _ = page
    assert len(parsed.all("svg")) == 5
    assert len(parsed.all("button")) >= 10
    keys = [float(cell["data-v"]) for cell in parsed.all("td") if cell.get("data-v")]
    for value in population.star_table(unit="m/s")["K"].value:
        assert np.isclose(keys, value, rtol=1e-7).any()
    assert any("m / s" in words for words in parsed.words)


def test_large_velocities_have_room_and_no_powers_of_ten(population):
    panel = next(iter(population.panels([0])))
    drawn = panel.svg(units_of(population, "mm/s"))
    ends = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert len(ends) == 2
    assert all(0 < len(end) <= 7 for end in ends)
    assert Cell.of(38432.1, ".3g").shown == "38400"
    assert Cell.of(-2.5e7, ".3g").shown == "\N{MINUS SIGN}2.5e+07"


def test_a_page_says_what_was_fitted(page, population):
    words = " ".join(page[0].words)
    assert "20 in each of 4 chains" in words
    assert re.search(r"Seed\W+7\b", words)
    for name, value in population.get_params().items():
        assert name in words
        assert repr(value) in words
    for name in population.summary()["parameter"]:
        assert name in words
    for finding in population.findings():
        assert finding.name in words
    assert failed(population.findings())[0].message() in words
    assert "LaTeX" in words


def test_a_file_is_replaced_on_request_only(fitted, tmp_path, monkeypatch):
    path = tmp_path / "cluster.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"exists.*overwrite=True"):
        fitted.report(path)
    assert path.read_text() == "mine"
    monkeypatch.setattr("astro_hier.reports.figures.drawn", lambda *of: [])
    fitted.report(path, overwrite=True)
    assert "StarCluster" in path.read_text()
    with pytest.raises(FileNotFoundError, match="in a folder that exists"):
        fitted.report(tmp_path / "absent" / "cluster.html")
    assert [of.name for of in tmp_path.iterdir()] == ["cluster.html"]


def test_a_page_is_of_a_fit_and_in_units_that_it_has(fitted, tmp_path):
    with pytest.raises(NotFittedError):
        StarCluster().report(tmp_path / "none.html")
    with pytest.raises(u.UnitConversionError, match="no quantity here has"):
        fitted.report(tmp_path / "none.html", unit="s")
    assert not any(tmp_path.iterdir())


def test_a_figure_that_fails_does_not_take_the_page_with_it(fitted, tmp_path, monkeypatch):
    def fails(model):
        raise ZeroDivisionError("oops <b>")

    monkeypatch.setattr(StarCluster, "plot_data", fails)
    monkeypatch.setattr("astro_hier.reports.figures.figure_names", lambda of: ["data"])
    with pytest.warns(UserWarning, match="plot_data failed, and is left out"):
        fitted.report(tmp_path / "cluster.html")
    assert "Not drawn: oops &lt;b&gt;" in (tmp_path / "cluster.html").read_text()


def test_a_page_leaves_no_figures_open(fitted, tmp_path):
    import matplotlib.pyplot as plt

    own = plt.figure()
    fitted.report(tmp_path / "cluster.html", unit="pc")
    assert plt.get_fignums() == [own.number]
    words = " ".join(Page((tmp_path / "cluster.html").read_text()).words)
    assert "All 256 stars" in words
