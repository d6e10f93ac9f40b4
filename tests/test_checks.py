"""Claims about what is said of a fit."""

import warnings
from pathlib import Path

import pytest

from astro_hier import StarCluster, checks
from astro_hier.priors import Uniform

LIMIT = checks.Check(
    "limit", "below {most}", "it is {found}", "lower it below {most}", "use --most {most}"
)


def test_a_finding_has_the_words_for_python_and_for_the_shell():
    finding = LIMIT.finding("5", True, most=3)
    assert finding.limit == "below 3"
    assert finding.message() == "it is 5: lower it below 3"
    assert finding.message(shell=True) == "it is 5: use --most 3"


def test_what_is_good_says_nothing():
    finding = LIMIT.finding("2", False, most=3)
    assert (finding.said, finding.python, finding.shell) == ("", "", "")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checks.warn_of([finding])


def test_findings_come_back_from_text():
    findings = [LIMIT.finding("5", True, most=3), LIMIT.finding("2", False, most=3)]
    assert checks.restore(checks.dump(findings)) == findings


def test_every_check_is_explained():
    page = (Path(__file__).parents[1] / "docs" / "diagnostics.rst").read_text()
    assert [name for name in checks.DEFINED if f"``{name}``" not in page] == []


@pytest.fixture(scope="module")
def pressed(tutorial_table):
    """A fit with one check that fails, and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = StarCluster(ln_std_r=Uniform(-8, -5.5)).fit(
            tutorial_table, random_state=1, progressbar=False
        )
    return model, caught


def test_what_fails_warns_once_at_the_callers_line(pressed):
    _, caught = pressed
    said = [w for w in caught if "ln_std_r" in str(w.message)]
    assert len(said) == 1
    assert said[0].category is checks.CheckWarning
    assert said[0].filename == __file__


def test_checks_are_a_table_with_a_verdict_each(pressed):
    table = pressed[0].checks()
    assert table.colnames == ["check", "found", "limit", "verdict", "what to do"]
    assert table["verdict"][table["check"] == "pareto_k"] == ["good"]
    failed = table[table["verdict"] == "failed"]
    # the depth that the prior allows does not describe the stars
    assert list(failed["check"]) == ["prior_edge", "goodness_of_fit"]
    assert "widen the prior" in failed["what to do"][0]


def test_checks_are_saved(pressed, tmp_path):
    pressed[0].save(tmp_path / "fit.nc")
    loaded = StarCluster.load(tmp_path / "fit.nc")
    assert loaded.findings() == pressed[0].findings()


def test_a_warning_that_is_an_error_leaves_the_results(tutorial_table):
    model = StarCluster(ln_std_r=Uniform(-8, -5.5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(checks.CheckWarning):
            model.fit(tutorial_table, random_state=1, progressbar=False)
    assert model.summary()["mean"][0] > 0
