"""Tables for papers: rounding, valid LaTeX, machine-readable tables."""

import re
import shutil
import subprocess

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table
from latex_tables import check_latex

from astro_hier import SB1Binary, datasets
from astro_hier.reports import latex
from astro_hier.reports.rounding import rounded
from astro_hier.reports.values import notes_of

HOSTILE = r"50% & $x_1^2$ \end{tabular} #1 {~} <é>"


@pytest.fixture(scope="module")
def binary():
    """A star with two instruments, called what LaTeX would take amiss."""
    table = datasets.make_binary(random_state=2)
    table["instrument"] = ["A_1%"] * 6 + ["B&2"] * (len(table) - 6)
    model = SB1Binary(instrument="instrument", jitter=0.1 * u.km / u.s)
    return model.fit(table, draws=50, random_state=1, progressbar=False)


@pytest.mark.filterwarnings("ignore::astro_hier.checks.CheckWarning")
def test_notes_say_the_limit_where_no_orbit_is_needed():
    table = datasets.make_binary(12, random_state=2)
    table["rv"] = (
        np.random.default_rng(1).normal(0, table["rv_error"].to_value("km/s")) * u.km / u.s
    )
    model = SB1Binary().fit(table, draws=50, random_state=1, progressbar=False)
    assert "No orbit is needed: K is below" in model.paper_table()
    assert re.search(r"K is below [\d.e+]+ m/s", " ".join(notes_of(model, "m/s")))


@pytest.mark.parametrize(
    ("value", "minus", "plus", "expected"),
    [
        (12.3456, 0.0734, 0.0812, "12.346 +0.081 -0.073"),
        (12.3456, 0.0734, 0.0731, "12.346 ± 0.073"),
        (0.5, 0.0996, 0.0996, "0.50 ± 0.10"),  # 0.0996 is 0.10 to two digits
        (0.5, 0.0994, 0.0994, "0.500 ± 0.099"),
        (499.9, 1.04, 1.04, "499.9 ± 1.0"),
        (12345.6, 678, 678, "12350 ± 680"),
        (2459000.12345, 0.0042, 0.0042, "2459000.1234 ± 0.0042"),
        (1.2345e7, 2.3e4, 4.4e4, "(1.2345 +0.0044 -0.0023) e7"),
        (2.53e-5, 1.1e-6, 1.1e-6, "(2.53 ± 0.11) e-5"),
        (-0.001, 0.2, 0.3, "0.00 +0.30 -0.20"),
        (-4.94, 0.39, 0.39, "-4.94 ± 0.39"),
        (1.0, 0.0, 0.25, "1.00 +0.25 -0.00"),
        (3.0, None, None, "3"),
        (3.0, 0.0, 0.0, "3"),
        (1.5e-9, None, None, "1.5 e-9"),
        (np.nan, 1, 1, ""),
        (5.0, np.nan, np.nan, "5"),
    ],
)
def test_values_are_rounded_to_two_digits_of_the_smaller_error(value, minus, plus, expected):
    assert rounded(value, minus, plus).text() == expected


def test_rounding_keeps_the_value_and_two_digits_of_the_errors():
    rng = np.random.default_rng(1)
    for _ in range(1000):
        size = 10 ** rng.uniform(-12, 12)
        minus, plus = size * 10 ** rng.uniform(-6, 0, 2)
        shown = rounded(size, minus, plus)
        value, low, high = (
            float(x) * 10.0**shown.power for x in (shown.value, shown.minus, shown.plus)
        )
        least = min(minus, plus)
        assert abs(value - size) <= 0.051 * least * (1 + 1e-9)
        assert abs(low - minus) <= 0.051 * least * (1 + 1e-9)
        assert abs(high - plus) <= 0.051 * least * (1 + 1e-9)
        digits = re.sub(r"^[0.]*|\.", "", min((shown.minus, shown.plus), key=float))
        assert len(digits.rstrip("0")) <= 2 <= len(digits)


def test_what_comes_from_a_table_is_text(fitted):
    table = QTable({"star": [HOSTILE, "b[0]"], "r": [1, 2] * u.pc, "r_sd": [0.1, np.nan] * u.pc})
    for kind in ("latex", "aastex"):
        check_latex(fitted.paper_table(of=table, format=kind))
    assert r"50\% \& \$x\_1" in fitted.paper_table(of=table)
    assert latex.escaped("Å [\u0434_1]") == r"\r{A} {[}{[}U+0434{]}\_1{]}"  # has no like


ALIKE = [
    "α Cen", "β Cen", "alpha Cen", "Α Cen", "A Cen", "λ Cen", "ς Cen", "ά Cen", "é", "e", "ê", "ï",  # noqa: RUF001
    "ñ", "ą", "ß", "ø", "ﬁ", "fi", "HD 1²", "HD 1₂", "HD 12", "星", "ж", "?", "a–b", "“q”",  # noqa: RUF001
    "a\x07b", "★", "µ′", "ϝ", "ế", "👽", "ÿ", "ț", "đ", "Þ", "ª",  # noqa: RUF001
]  # fmt: skip


def test_different_names_stay_different(fitted):
    table = Table({"star": ALIKE, "\u03b1": np.arange(len(ALIKE))})
    for kind in ("latex", "aastex"):
        check_latex(fitted.paper_table(of=table, format=kind))
    cells = [latex.escaped(name) for name in ALIKE]
    assert len(set(cells)) == len(ALIKE)
    assert cells[:2] == [r"$\alpha$ Cen", r"$\beta$ Cen"]
    assert latex.escaped("e\u0301 ï") == r"\'{e} \"{\i}"  # however it was typed
    text = fitted.paper_table(of=table, format="mrt")
    assert text.isascii()
    read = Table.read(text, format="ascii.mrt")
    assert len(set(read["star"])) == len(ALIKE)
    assert "beta Cen" in read["star"]
    assert "alpha" in read.colnames


def compile_with_tex(folder, documentclass, tables):
    text = "\n".join(
        [rf"\documentclass{{{documentclass}}}", r"\begin{document}", "A paper.", *tables]
    )
    (folder / "paper.tex").write_text(text + "\n\\end{document}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if re.search(r"File `\S+' not found|Font \S+ not load", run.stdout.replace("\n", "")):
        pytest.skip("TeX lacks files that the class needs: tables were checked without it")
    assert run.returncode == 0, run.stdout[-1500:]
    assert not re.search(r"Missing|Undefined|Extra alignment", run.stdout)


@pytest.mark.parametrize(("kind", "of"), [("latex", "article"), ("aastex", "aastex631")])
def test_tex_takes_the_tables(fitted, binary, tmp_path, kind, of):
    hostile = QTable({"star": [HOSTILE], "r": [1] * u.pc, "r_sd": [0.1] * u.pc, "x_%": [True]})
    tables = [
        fitted.paper_table(of=Table({"star": ALIKE}), format=kind),
        fitted.paper_table(unit="pc", format=kind),
        fitted.paper_table(of=fitted.star_table()[:5], format=kind),
        fitted.paper_table(of=fitted.summary(), format=kind),
        fitted.paper_table(of=hostile, format=kind),
        *(binary.paper_table(of=name, format=kind) for name in (None, "elements", "modes")),
    ]
    for table in tables:
        check_latex(table)
    find = ["kpsewhich", f"{of}.cls"]
    if not shutil.which("pdflatex") or subprocess.run(find, capture_output=True).returncode:
        pytest.skip(f"TeX or its class {of} is absent: tables were checked without it")
    compile_with_tex(tmp_path, of, tables)


def test_medians_and_errors_are_those_of_the_draws(fitted):
    table = fitted.paper_table(format="table", unit="pc")
    low, middle, high = np.quantile(fitted.samples("mu_r", "pc").value, [0.16, 0.5, 0.84])
    row = table[0]
    assert (row["parameter"], row["symbol"], row["unit"]) == ("mu_r", r"\mu_r", "pc")
    assert row["median"] == middle
    assert (row["minus"], row["plus"]) == pytest.approx((middle - low, high - middle))
    assert row["value"] == rounded(middle, middle - low, high - middle).text()
    assert list(fitted.paper_table("std_r", format="table")["parameter"]) == ["std_r"]
    assert r"$\mu_r$ & mean distance & $\mathrm{pc}$" in fitted.paper_table(unit="pc")


def test_a_machine_readable_table_is_read_with_names_units_and_notes(fitted):
    text = fitted.paper_table(unit="pc", format="mrt")
    assert text.startswith("Title: Results of StarCluster")
    assert "Note (1): Medians and central 68 percent of 4000 draws" in text
    table = Table.read(text, format="ascii.mrt")
    expected = fitted.paper_table(unit="pc", format="table")
    assert list(table["Parameter"]) == list(expected["parameter"])
    assert np.all(np.abs(table["Value"] - expected["median"]) <= 0.051 * expected["minus"])


def test_all_columns_of_a_list_of_stars_are_read_again(fitted):
    stars = fitted.star_table(unit="pc")
    table = Table.read(fitted.paper_table(of="stars", unit="pc", format="mrt"), format="ascii.mrt")
    assert table.colnames == stars.colnames
    assert table["r"].unit == u.pc
    for name in stars.colnames:
        np.testing.assert_allclose(table[name], getattr(stars[name], "value", stars[name]), 2e-2)


def test_what_is_missing_or_of_many_sizes_is_not_lost(fitted):
    given = Table({
        "r": MaskedColumn([1.0, 2.0, np.nan], mask=[True, False, False], unit=u.kpc),
        "size": [1.2e-9, 1.2345678e5, 0.0],
        "name": ["a b", "é", ""],
        "pair": np.arange(6.0).reshape(3, 2),
        "slope": [1.0, 2.0, 3.0] * u.mag / u.dex,
        "good": [True, False, True],
    })  # fmt: skip
    text = fitted.paper_table(of=given, format="mrt")
    table = Table.read(text, format="ascii.mrt")
    assert table.colnames == ["r", "size", "name", "pair_1", "pair_2", "slope", "good"]
    assert list(table["r"].mask) == [True, False, True]
    np.testing.assert_allclose(table["size"], given["size"], rtol=1e-8)
    assert "(mag / dex)" in text  # a unit that the standard does not know
    check_latex(fitted.paper_table(of=given["r", "size", "name"]))


def test_notes_say_what_is_wrong_with_the_numbers(fitted, monkeypatch):
    assert "Checks that failed" not in fitted.paper_table()
    tree = fitted.inference_data.copy()
    tree["posterior"].attrs |= {"resolved": 0, "n_explanations": 2}
    monkeypatch.setattr(fitted, "_inference_data", tree)
    for kind in ("latex", "mrt"):
        said = " ".join(fitted.paper_table(format=kind).split()).replace("\\_", "_")
        assert "They mix several explanations of the data." in said
        assert (
            "The errors hide std_r: its numbers depend on the prior, and std_r_upper_limit()"
            in said
        )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"format": "word"}, "format='word'; expected one of 'latex', 'aastex', 'mrt', 'table'"),
        ({"of": "modes"}, r"of='modes'; expected a table, or one of \['stars', 'explanations'\]"),
        ({"of": "stars", "var_names": "mu_r"}, "expected either var_names or of, not both"),
        ({"of": Table({"r": []})}, "the table has no rows"),
        ({"var_names": "nonsense"}, "no parameter 'nonsense'"),
        ({"unit": "s"}, "no quantity here has"),
    ],
)
def test_what_does_not_exist_is_an_error_that_says_what_does(fitted, asked, message):
    with pytest.raises(ValueError, match=message):
        fitted.paper_table(**asked)
