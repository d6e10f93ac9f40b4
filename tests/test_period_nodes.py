"""Claims about the posterior of a period: every needle is found and has its weight."""

import numpy as np
import pytest
from scipy import stats

from astro_hier.core import orbit, period_cells, period_nodes

UNIFORM = stats.uniform(1.5, 18.5)


def simulated(n, seed, error=0.3, baseline=200.0):
    rng = np.random.default_rng([n, seed])
    time = np.sort(rng.uniform(0, baseline, n))
    time -= time[0]
    rv_error = np.full(n, error)
    truth = rng.uniform(1.5, 20), *rng.normal(0, 20, 2), rng.normal(0, 50)
    rv = orbit.radial_velocity(time, *truth) + rng.normal(0, rv_error)
    return orbit.Visits(time, rv, rv_error, np.zeros(3), np.array([100.0, 100.0, 150.0]))


def nodes_of(data, prior=UNIFORM):
    return period_nodes.period_nodes(orbit.likelihood(data), prior)


def brute_force(data, count, block=200_000):
    """Posterior of equally spaced frequencies under the uniform prior of P, and log evidence."""
    lowest, highest = 1 / 20, 1 / 1.5
    step = (highest - lowest) / count
    first = lowest + step / 2
    log_p = np.concatenate(
        [
            orbit.log_marginal_grid(data, first + i * step, step, min(block, count - i))
            for i in range(0, count, block)
        ]
    )
    frequency = first + step * np.arange(count)
    log_weight = log_p - 2 * np.log(frequency) + np.log(step / 18.5)
    highest_weight = log_weight.max()
    weight = np.exp(log_weight - highest_weight)
    return frequency, weight / weight.sum(), highest_weight + np.log(weight.sum())


def assert_agree(data, count):
    nodes = nodes_of(data)
    frequency, weight, log_evidence = brute_force(data, count)
    assert nodes.log_evidence == pytest.approx(log_evidence, abs=0.003)
    mode = period_cells.mode_of_cells(nodes)
    probability = np.bincount(mode, nodes.probability)
    cumulative = np.concatenate([[0], np.cumsum(weight)])
    edges = [
        np.searchsorted(frequency, [nodes.low[mode == m].min(), nodes.high[mode == m].max()])
        for m in range(len(probability))
    ]
    expected = np.array([cumulative[high] - cumulative[low] for low, high in edges])
    assert np.all(np.abs(probability - expected) < 0.005)
    middle = 0.5 * (nodes.low + nodes.high)
    mean = weight @ (1 / frequency)
    sd = np.sqrt(weight @ (1 / frequency - mean) ** 2)
    assert abs(nodes.probability @ (1 / middle) - mean) < 0.02 * sd


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 8, 12])
def test_modes_have_the_probabilities_of_a_fine_grid(n):
    assert_agree(simulated(n, seed=0), 1_000_000)


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("error", [0.01, 0.1])
def test_needles_where_visits_share_a_phase_are_found(n, error):
    # the first visit and the last at the same phase, so that the two velocities agree
    for seed in range(4):
        data = simulated(n, seed, error=error, baseline=1.0)
        time = data.time / max(np.ptp(data.time), 1e-9) * 100.0
        rng = np.random.default_rng(seed)
        rv = orbit.radial_velocity(time, 5.0, *rng.normal(0, 15, 2), -20) + rng.normal(0, error, n)
        assert_agree(orbit.Visits(time, rv, data.rv_error, data.mean, data.sd), 2_000_000)


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 4, 5, 6, 8])
def test_modes_have_the_probabilities_of_ten_million_periods(n):
    assert_agree(simulated(n, seed=7, baseline=1000.0), 10_000_000)


@pytest.mark.parametrize("n", [2, 3, 4, 6, 8, 15])
def test_halving_every_cell_changes_nothing(n, monkeypatch):
    for seed in range(4):
        data = simulated(n, seed)
        first = nodes_of(data)
        assert first.error < 0.02
        with monkeypatch.context() as patch:
            patch.setattr(period_nodes, "POINTS", 2 * period_nodes.POINTS)
            patch.setattr(period_nodes, "POINTS_MANY_VISITS", 2 * period_nodes.POINTS_MANY_VISITS)
            patch.setattr(period_nodes, "MIN_POINTS", 2 * period_nodes.MIN_POINTS)
            patch.setattr(period_nodes, "BEND", period_nodes.BEND / 4)
            second = nodes_of(data)
        (mean, sd), (other, _) = period_cells.moments(first), period_cells.moments(second)
        assert abs(mean - other) < 0.02 * sd
        edges = [
            first.low[0],
            *first.low[np.diff(period_cells.mode_of_cells(first), prepend=0) > 0],
        ]
        shares = [
            np.bincount(np.searchsorted(edges, 0.5 * (n.low + n.high)), n.probability)
            for n in (first, second)
        ]
        length = max(map(len, shares))
        shares = [np.pad(share, (0, length - len(share))) for share in shares]
        assert np.all(np.abs(shares[0] - shares[1]) < 0.005)


def test_draws_follow_the_exact_density():
    # False alarm: one in 10,000 each.
    for n in (1, 3, 5, 8):
        data = simulated(n, seed=1)
        nodes = nodes_of(data)
        draws, log_likelihood = period_nodes.draw_periods(
            nodes, orbit.likelihood(data), UNIFORM, 4000, np.random.default_rng(n)
        )
        frequency, weight, _ = brute_force(data, 1_000_000)
        cumulative = np.concatenate([[0], np.cumsum(weight)])
        step = frequency[1] - frequency[0]
        edges = np.concatenate([frequency - step / 2, [frequency[-1] + step / 2]])
        ranks = np.interp(1 / draws, edges, cumulative)
        assert stats.kstest(ranks, "uniform").pvalue > 1e-4
        np.testing.assert_allclose(log_likelihood, orbit.log_marginal(data, 1 / draws))


@pytest.mark.parametrize(
    "prior",
    [stats.loguniform(0.5, 500), stats.lognorm(1, scale=30)],
    ids=["log-uniform", "log-normal"],
)
def test_without_information_the_posterior_is_the_prior(prior):
    # False alarm: one in 10,000.
    data = simulated(1, seed=0)
    nodes = nodes_of(data, prior)
    draws, _ = period_nodes.draw_periods(
        nodes, orbit.likelihood(data), prior, 4000, np.random.default_rng(0)
    )
    assert stats.kstest(draws, prior.cdf).pvalue > 1e-4
    assert nodes.log_evidence == pytest.approx(orbit.log_marginal(data, np.ones(1))[0], abs=1e-4)


def test_a_prior_down_to_no_period_at_all_is_refused():
    with pytest.raises(ValueError, match=r"periods down to .* d over .* raise the shortest period"):
        nodes_of(simulated(5, 0), stats.halfnorm(0, 10))


def test_splitting_cells_changes_neither_mass_nor_density():
    nodes = nodes_of(simulated(3, 0), stats.loguniform(1, 100))
    narrow = period_cells.split(nodes, 1e-3)
    assert np.log(narrow.high / narrow.low).max() < 1.001e-3
    assert narrow.log_evidence == pytest.approx(nodes.log_evidence, abs=1e-6)
    np.testing.assert_allclose(period_cells.moments(narrow), period_cells.moments(nodes), rtol=1e-3)


def test_valleys_and_gaps_part_modes():
    low = np.array([0.0, 1, 2, 3, 5, 6])
    heights = np.array([[0, 5], [5, 1], [1, 6], [6, 0], [2, 3], [3, 1.5]], dtype=float)
    nodes = period_cells.PeriodNodes(low + 1, low + 2, *heights.T, np.ones(6))
    assert period_cells.mode_of_cells(nodes).tolist() == [0, 0, 1, 1, 2, 2]
    shallow = heights.copy()
    shallow[1, 1] = shallow[2, 0] = 4.0
    nodes = period_cells.PeriodNodes(low + 1, low + 2, *shallow.T, np.ones(6))
    assert period_cells.mode_of_cells(nodes).tolist() == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("high", [-3.0, 0.0, 2.0])
def test_places_in_a_cell_follow_the_straight_line_between_its_ends(high):
    # the share of the density 1 + (2 x - 1) tilt below x is x + (x^2 - x) tilt
    chance = np.linspace(0.001, 0.999, 99)
    tilt, place = period_cells.place_in_cell(0.0, high, chance)
    assert (1 + tilt) / (1 - tilt) == pytest.approx(np.exp(high))
    np.testing.assert_allclose(place + (place**2 - place) * tilt, chance, rtol=1e-12)


class Needle:
    """A likelihood of no orbit at all: normal in frequency, narrower than a step of the grid."""

    time = np.array([0.0, 100.0])
    middle, sd = 0.1234567, 1e-7

    def at(self, frequency):
        return stats.norm.logpdf(frequency, self.middle, self.sd)

    def grid(self, start, step, count):
        return self.at(start + step * np.arange(count))

    def special(self, lowest, highest):
        return np.array([self.middle + 3e-8]), self.sd


def test_the_needle_of_any_likelihood_is_found_where_it_says():
    prior = stats.loguniform(2, 50)
    nodes = period_nodes.period_nodes(Needle(), prior)
    # the prior's density of the frequency is flat over the needle
    expected = np.log(1 / Needle.middle / np.log(25))
    assert nodes.log_evidence == pytest.approx(expected, abs=0.01)
    rng = np.random.default_rng(0)
    draws, _ = period_nodes.draw_periods(nodes, Needle(), prior, 4000, rng)
    # False alarm: one in 10,000
    assert stats.kstest(1 / draws, stats.norm(Needle.middle, Needle.sd).cdf).pvalue > 1e-4
