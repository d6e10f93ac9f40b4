"""Claims about what a fit tells while it runs: one bar, and messages of a logger."""

import logging

import pytest

from astro_hier import BinaryPopulation, StarCluster, datasets, progress
from astro_hier.checks import CheckWarning

FEW = {"draws": 20, "chains": 2, "random_state": 1}


@pytest.mark.filterwarnings("ignore::astro_hier.checks.CheckWarning")
@pytest.mark.parametrize("model", [StarCluster(), BinaryPopulation()])
def test_a_fit_has_one_bar_for_all_its_stages(model, capfd):
    table = type(model).example(random_state=2)
    model.fit(table, **FEW)
    shown = capfd.readouterr().err
    last = "distances" if isinstance(model, StarCluster) else "orbits"
    for stage in ("posterior", last):
        assert f"{stage}: 100%" in shown
    assert shown.strip("\r\n").count("\n") == 0
    assert f"{type(model).__name__}: fitted in 00:" in shown
    model.fit(table, progressbar=False, **FEW)
    assert capfd.readouterr() == ("", "")


class Fails:
    @progress.of_fit
    def fit(self, error=None):
        list(progress.over("abc", "first", 3))
        if error:
            raise error
        progress.give_way()
        list(progress.over("abcd", "second", 4))


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_fit_that_ends_early_leaves_no_bar_to_the_next(error, capfd):
    with pytest.raises(error):
        Fails().fit(error)
    assert progress.CURRENT.get() is None
    shown = capfd.readouterr().err
    assert "first: 100%" in shown
    assert "fitted" not in shown


def test_a_bar_gives_way_to_that_of_another_program(capfd):
    Fails().fit()
    lines = capfd.readouterr().err.split("\n")
    assert "Fails: fitted" in lines[0]
    assert not any(lines[1:])


def test_the_logger_tells_what_a_fit_does(caplog):
    table = datasets.make_star_cluster(12, random_state=5)
    with caplog.at_level(logging.DEBUG, "astro_hier"):
        StarCluster().fit(table, progressbar=False, **FEW)
    said = {level: [r.getMessage() for r in caplog.records if r.levelname == level]
            for level in ("INFO", "DEBUG")}  # fmt: skip
    assert said["INFO"][:2] == ["StarCluster: fit begins", "StarCluster: 12 rows read"]
    assert said["INFO"][-1].startswith("StarCluster: fitted in ")
    assert any("effective size" in message for message in said["DEBUG"])
    assert any(message.startswith("distances: 40 draws in") for message in said["DEBUG"])
    assert {record.name for record in caplog.records} == {"astro_hier"}


def test_the_logger_is_silent_unless_it_is_configured():
    handlers = logging.getLogger("astro_hier").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]


def test_failed_checks_are_logged(caplog):
    table = datasets.make_star_cluster(12, random_state=5)
    table["parallax"][3] *= 10
    with caplog.at_level(logging.INFO, "astro_hier"), pytest.warns(CheckWarning):
        StarCluster().fit(table, progressbar=False, **FEW)
    assert any(r.getMessage().startswith("check failed: goodness_of_fit") for r in caplog.records)
