"""Claims about the compiled search for periods: it finds the cells that NumPy finds."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from astro_hier.core import orbit, period_nodes
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.population import LnPeriodGrid

pytest.importorskip("numba")

PERIODS = LnPeriodGrid.following(2.0, 600.0, 0.1)
YEAR = 365.25


def star(n, seed, error=0.3, gap=0.0, order=0):
    """Visits whose errors vary, with a ``gap`` in the middle of them and a trend of some order."""
    rng = np.random.default_rng([n, seed])
    time = np.sort(rng.uniform(0, 200, n)) + np.where(np.arange(n) < n // 2, 0, gap)
    time -= time[0]
    rv_error = error * np.exp(rng.normal(0, 0.3, n))
    truth = np.exp(rng.uniform(1, 6)), *rng.normal(0, 20, 2), rng.normal(0, 50)
    columns = (time[:, None] / YEAR) ** np.arange(1, order + 1)
    rv = orbit.radial_velocity(time, *truth) + columns @ rng.normal(0, 10, order)
    rv += rng.normal(0, rv_error)
    mean, sd = np.zeros(3 + order), np.array([100.0, 100, 150, *[10.0] * order])
    return orbit.Visits(time, rv, rv_error, mean, sd, columns if order else None)


def both(visits):
    """Cells from NumPy and from compiled loops."""
    return [
        period_nodes.period_nodes(orbit.likelihood(replace(visits, compiled=compiled)), PERIODS)
        for compiled in (False, True)
    ]


def assert_same(visits, tolerance=4e-9):
    plain, fast = both(visits)
    np.testing.assert_array_equal(plain.low, fast.low)
    np.testing.assert_array_equal(plain.high, fast.high)
    np.testing.assert_allclose(plain.log_low, fast.log_low, rtol=0, atol=tolerance)
    np.testing.assert_allclose(plain.log_high, fast.log_high, rtol=0, atol=tolerance)
    np.testing.assert_allclose(plain.prior_mass, fast.prior_mass, rtol=1e-6)
    assert fast.error == pytest.approx(plain.error, abs=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 9, 10, 17, 30])
def test_cells_are_those_of_numpy(n):
    for seed in range(3):
        assert_same(star(n, seed))


@pytest.mark.parametrize("error", [0.01, 3.0, 100.0])
@pytest.mark.parametrize("n", [4, 6, 12])
def test_cells_are_those_of_numpy_for_any_errors(n, error):
    # sums over visits are good to 1e-6 where errors are small
    assert_same(star(n, 1, error), 1e-6 if error < 0.1 else 4e-9)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_cells_are_those_of_numpy_with_gaps_and_trends(order):
    for n in (6, 12):
        assert_same(star(n, 2, gap=400.0, order=order))


def test_cells_are_those_of_numpy_for_other_priors():
    plain = star(8, 0)
    v0_known = replace(plain, mean=np.array([0.0, 0, 3]), sd=np.array([50.0, 20, 0]))
    moved = replace(plain, mean=np.array([5.0, -8, 10]))
    by_period = replace(
        plain, sd=np.array([1.0, 1, 150]), amplitude=lambda f: 30 * (YEAR * f) ** (1 / 3)
    )
    for visits in (v0_known, moved, by_period):
        assert_same(visits)


def test_cells_are_those_of_numpy_where_sums_would_lose_digits():
    visits = star(6, 3, error=2e-4)
    assert visits.rv_error**-2 @ visits.from_center**2 > 1e10
    plain, fast = both(visits)
    np.testing.assert_array_equal(plain.low, fast.low)
    # phases are known to 1e-12, which is a part in 1e4 of the errors here
    np.testing.assert_allclose(plain.log_low, fast.log_low, rtol=0, atol=1e-3)


@pytest.mark.parametrize("instruments", [1, 2])
def test_cells_are_those_of_numpy_with_jitter(instruments):
    jitter = JitterPrior(instruments, stats.loguniform(0.1, 10))
    visits = replace(star(9, 0), instrument=np.arange(9) % instruments)
    nodes = [
        jitter.with_nodes(replace(visits, compiled=compiled), PERIODS).jitter
        for compiled in (False, True)
    ]
    np.testing.assert_array_equal(nodes[0].values, nodes[1].values)
    assert_same(replace(visits, jitter=nodes[0]))


def test_any_frequencies_have_the_likelihood_of_numpy():
    rng = np.random.default_rng(0)
    for n in (2, 7, 40):
        visits, frequency = star(n, 0), rng.uniform(0.001, 1, 301)
        plain, fast = (orbit.Circle(replace(visits, compiled=of)) for of in (False, True))
        np.testing.assert_allclose(fast.at(frequency), plain.at(frequency), rtol=1e-9)


def test_what_loops_do_not_know_is_left_to_numpy():
    by_period = replace(star(6, 0), compiled=True, sd=np.array([1.0, 1, 150]))
    likelihood = orbit.Circle(replace(by_period, amplitude=lambda f: 30 + f))
    assert likelihood.star is None
    assert np.isfinite(likelihood.at(np.array([0.1]))).all()
    assert orbit.Circle(star(6, 0)).star is None


def test_rows_have_the_functions_of_numpy():
    from astro_hier.core import rows_compiled

    rng = np.random.default_rng(1)
    work = np.empty((4, rows_compiled.LANES))

    def of(function, values):
        work[0] = values
        function(work, 0, 1)
        return work[0].copy(), work[1].copy()

    values = np.exp(rng.uniform(-600, 600, rows_compiled.LANES))
    np.testing.assert_allclose(of(rows_compiled.ln, values)[0], np.log(values), rtol=2e-15)
    near = 1 + rng.uniform(-0.3, 0.3, rows_compiled.LANES)
    np.testing.assert_allclose(of(rows_compiled.ln, near)[0], np.log(near), rtol=1e-14)
    values = rng.uniform(-600, 600, rows_compiled.LANES)
    np.testing.assert_allclose(of(rows_compiled.exp, values)[0], np.exp(values), rtol=1e-13)
    values = np.append(rng.uniform(-9, 9, rows_compiled.LANES - 5), [0, 0.25, 0.5, -0.75, 7])
    cosine, sine = of(rows_compiled.turn, values)
    np.testing.assert_allclose(cosine, np.cos(2 * np.pi * values), rtol=0, atol=1e-14)
    np.testing.assert_allclose(sine, np.sin(2 * np.pi * values), rtol=0, atol=1e-14)
