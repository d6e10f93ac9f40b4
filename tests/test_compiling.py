"""Claims about when stars are searched in compiled loops, and that results are the same."""

import astropy.units as u
import numpy as np
import pytest

from astro_hier import BinaryPopulation, SB1Binary, datasets, priors
from astro_hier.core import compiling

pytest.importorskip("numba")


@pytest.fixture
def table():
    return datasets.make_binaries(8, 12, random_state=3)


def test_few_seconds_of_numpy_are_not_worth_loading(monkeypatch):
    monkeypatch.setattr(compiling, "is_kept", lambda: True)
    assert compiling.cost(0.5) is None
    assert compiling.cost(2.0) == compiling.LOADING


def test_compiling_needs_more_work_than_loading(monkeypatch):
    monkeypatch.setattr(compiling, "is_kept", lambda: False)
    assert compiling.cost(2.0) is None
    assert compiling.cost(200.0) == compiling.COMPILING


@pytest.mark.parametrize("value", ["1", "0"])
def test_numba_may_be_disabled(value, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", value)
    assert compiling.is_available() == (value == "0")
    assert (compiling.cost(1000.0) is None) == (value == "1")


def test_numba_may_be_absent(monkeypatch):
    monkeypatch.setattr(compiling.importlib.util, "find_spec", lambda name: None)
    assert compiling.cost(1000.0) is None


def test_folders_that_cannot_be_written_to_leave_it_to_numpy(monkeypatch):
    def refuse():
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(compiling, "is_kept", refuse)
    assert compiling.cost(1000.0) is None


def test_few_visits_and_jitters_are_what_numpy_takes_long_for():
    plain, few = (compiling.seconds_of_numpy([1e4], [left], False) for left in (6, 0))
    assert few > 10 * plain
    assert compiling.seconds_of_numpy([1e4], [6], True) > 10 * plain


def test_loops_are_on_disk_once_they_are_ready():
    compiling.make_ready()
    assert compiling.is_kept()


def test_a_population_is_the_same_either_way(table, monkeypatch):
    def fitted(seconds, n_jobs=1):
        monkeypatch.setattr(compiling, "cost", lambda numpy: seconds)
        model = BinaryPopulation(n_jobs=n_jobs)
        return model.fit(table, random_state=1, progressbar=False)

    plain, fast = fitted(None), fitted(compiling.LOADING)
    assert not plain.fitted_data().compiled
    assert fast.fitted_data().compiled
    for name in ("mu", "P", "K"):
        np.testing.assert_allclose(plain.samples(name), fast.samples(name), rtol=1e-6)
    one, other = plain.star_table(), fast.star_table()
    np.testing.assert_allclose(one["P"], other["P"], rtol=1e-6)
    in_workers = fitted(compiling.LOADING, n_jobs=2)
    np.testing.assert_array_equal(in_workers.samples("P"), fast.samples("P"))


def test_a_star_is_the_same_either_way(table, monkeypatch):
    first = table[table["star"] == table["star"][0]]

    def fitted(seconds):
        monkeypatch.setattr(compiling, "cost", lambda numpy: seconds)
        model = SB1Binary(P=priors.LogUniform(1 * u.day, 500 * u.day))
        return model.fit(first, random_state=1, progressbar=False)

    plain, fast = fitted(None), fitted(compiling.LOADING)
    assert fast.fitted_data().visits.compiled
    np.testing.assert_allclose(plain.samples("P"), fast.samples("P"), rtol=1e-6)


def test_users_are_told_what_compiles_and_that_it_does_so_once(table, monkeypatch, capsys):
    monkeypatch.setattr(compiling, "cost", lambda numpy: compiling.COMPILING)
    monkeypatch.setattr(compiling, "make_ready", lambda: None)
    for shown in (True, False):
        BinaryPopulation(star_draws=False).fit(table, random_state=1, progressbar=shown)
        assert ("compiling, once on this computer" in capsys.readouterr().err) == shown
