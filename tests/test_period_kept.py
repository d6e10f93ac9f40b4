"""Claims about cells kept for later: nothing is lost that draws and tables need, nor searched."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from astro_hier.core import circular_description, orbit, period_cells, period_nodes, population_star
from astro_hier.core.cell_draws import Densities
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.period_kept import BYTES, KeptCells
from astro_hier.core.population import LnPeriodGrid

PERIODS = LnPeriodGrid.following(1.0, 3000.0, 0.2)
JITTER = JitterPrior(1, stats.loguniform(0.1, 10))


def star(n, seed=0):
    rng = np.random.default_rng([n, seed])
    time = np.append(0, np.sort(rng.uniform(0, 300, n - 1)))
    rv = orbit.radial_velocity(time, 12.0, 20, 3, 5) + rng.normal(0, 0.3, n)
    given = np.full(n, 0.3), np.zeros(3), np.array([100.0, 100, 150])
    return orbit.Visits(time, rv, *given, instrument=np.zeros(n, int))


@pytest.mark.parametrize("n", [2, 4, 6, 12])
def test_kept_cells_are_the_cells(n):
    nodes = period_nodes.period_nodes(orbit.likelihood(star(n)), PERIODS)
    kept = KeptCells.of(nodes)
    again = kept.nodes(PERIODS)
    width = nodes.high - nodes.low
    for name in ("low", "high"):
        difference = np.abs(getattr(nodes, name) - getattr(again, name))
        assert np.all(difference < 1e-5 * width)
    np.testing.assert_allclose(nodes.log_low, again.log_low, rtol=0, atol=3e-6)
    np.testing.assert_allclose(nodes.log_high, again.log_high, rtol=0, atol=3e-6)
    np.testing.assert_allclose(nodes.probability, again.probability, rtol=1e-4)
    modes = [period_cells.mode_of_cells(of) for of in (nodes, again)]
    np.testing.assert_array_equal(*modes)
    arrays = kept.low, kept.power, kept.log_p
    assert sum(of.nbytes for of in arrays) == BYTES * len(nodes.low)


def drawn(visits, jitter, summary, thetas=500):
    log_density = np.tile(stats.norm.logpdf(PERIODS.points, 2.5, 1), (thetas, 1))
    densities = Densities.of(np.arange(PERIODS.count), log_density, visits.compiled)
    rng = np.random.default_rng(1)
    return population_star.draw(visits, jitter, 0, (PERIODS,), summary, densities, None, None, rng)


@pytest.mark.parametrize("jitter", [None, JITTER])
def test_draws_are_the_same_whether_cells_are_kept_or_searched_again(jitter):
    visits = star(9)
    kept, not_kept = (
        population_star.summarise(visits, jitter, False, (PERIODS,), most) for most in (10**6, 0)
    )
    assert kept.cells is not None
    assert not_kept.cells is None
    first, second = (drawn(visits, jitter, of) for of in (kept, not_kept))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[2], second[2])


def test_compiled_loops_draw_points_and_part_modes_as_numpy_does():
    pytest.importorskip("numba")
    summary = population_star.summarise(star(5), None, False, (PERIODS,), 10**6)
    rng = np.random.default_rng(2)
    log_density = stats.norm.logpdf(PERIODS.points, rng.normal(2, 1, (300, 1)), 0.5)
    plain, fast = (
        Densities.of(np.arange(PERIODS.count), log_density, compiled).draw_points(
            summary.rows[0], np.ones((300, 1)), np.random.default_rng(3)
        )
        for compiled in (False, True)
    )
    np.testing.assert_array_equal(plain[0], fast[0])
    nodes = summary.cells.nodes(PERIODS)
    modes = [period_cells.mode_of_cells(nodes, compiled) for compiled in (False, True)]
    assert modes[0].max() > 10
    np.testing.assert_array_equal(*modes)


def test_populations_far_from_a_star_lose_nothing_to_underflow():
    pytest.importorskip("numba")
    row = population_star.summarise(star(12), None, False, (PERIODS,), 10**6).rows[0]
    log_density = stats.norm.logpdf(PERIODS.points, 7.0, 0.05)[None]
    assert log_density[0, row.index].max() < log_density.max() - 1000
    densities = Densities.of(np.arange(PERIODS.count), log_density, compiled=True)
    points, _ = densities.draw_points(row, np.ones((1, 1)), np.random.default_rng(1))
    assert points[0] == row.index[-1]


@pytest.mark.parametrize("layered", [False, True])
def test_kept_cells_spare_a_second_search(layered, monkeypatch):
    visits, jitter = star(8), JITTER if layered else None
    summary = population_star.summarise(visits, jitter, layered, (PERIODS,), 10**6)

    def shares(low, high):
        return np.prod(stats.lognorm(1).cdf(high) - stats.lognorm(1).cdf(low), axis=1)

    density = stats.norm.pdf(PERIODS.points, 2.5, 1)
    of_scatters = shares if layered else None
    given = np.log(density)[None], density, np.zeros(2), of_scatters, 3

    def described():
        return circular_description.describe(visits, summary, 0, PERIODS, *given)[0]

    searched = replace(summary, cells=None)
    again = circular_description.describe(visits, searched, 0, PERIODS, *given)[0]
    monkeypatch.setattr(period_nodes, "period_nodes", None)
    found = described()
    for name in ("P", "P_low", "P_high", "K", "K_upper", "probability", "n_modes"):
        assert found[name] == pytest.approx(again[name], rel=1e-4), name
    if not layered:
        assert np.isfinite(drawn(visits, jitter, summary)[0]).all()
