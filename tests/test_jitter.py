"""Claims about the scatter beyond the stated errors, integrated over and drawn."""

from dataclasses import replace

import numpy as np
import pytest
from reference import orbit_sums
from scipy import stats
from scipy.special import logsumexp

from astro_hier.core import jitter, orbit, period_nodes

SD = np.array([100.0, 100.0, 150.0])
PERIOD = stats.uniform(1.5, 18.5)


def star(n, error, scatter, seed):
    rng = np.random.default_rng(seed)
    time = np.concatenate([[0.0], np.sort(rng.uniform(0, 100, n - 1))])
    rv = orbit.radial_velocity(time, 7.3, 10, -5, -60) + rng.normal(0, np.hypot(error, scatter), n)
    instrument = np.zeros(n, int)
    return orbit.Visits(time, rv, np.full(n, error), np.zeros(3), SD, instrument=instrument)


@pytest.fixture
def spaced(monkeypatch):
    """A function that sets the width of the cells."""

    def change(spacing):
        monkeypatch.setattr(jitter, "SPACING", np.inf)
        monkeypatch.setattr(jitter, "LARGEST_SPACING", spacing)

    return change


@pytest.mark.parametrize("s", [0.0, 0.01, 1.0, 300.0])
def test_the_likelihood_at_a_scatter_is_that_of_the_normal_density(s):
    visits = star(6, 20.0, 30.0, seed=1)
    number = np.array([0, 1, 0, 1, 1, 0])
    scattered = replace(visits, instrument=number).scattered([s, 3 * s])
    phase = 2 * np.pi * visits.time * 0.14
    M = np.column_stack([np.cos(phase), np.sin(phase), np.ones(6)])
    extra = np.where(number == 0, s, 3 * s)
    covariance = np.diag(visits.rv_error**2 + extra**2) + (M * SD**2) @ M.T
    expected = stats.multivariate_normal(np.zeros(6), covariance).logpdf(visits.rv)
    assert orbit.log_marginal(scattered, np.array([0.14]))[0] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    ("n", "error", "scatter"), [(5, 1.0, 0.0), (12, 0.1, 3.0), (12, 1.0, 0.3), (60, 0.01, 1.0)]
)
@pytest.mark.parametrize(
    "prior",
    [stats.loguniform(0.01, 10), stats.halfnorm(0, 2), stats.lognorm(1.5, scale=0.3)],
    ids=["loguniform", "halfnormal", "lognormal"],
)
def test_the_likelihood_of_a_period_is_that_integrated_over_the_scatter(n, error, scatter, prior):
    visits = star(n, error, scatter, seed=n)
    laid = jitter.JitterPrior(1, prior).with_nodes(visits, PERIOD)
    frequency = 1 / np.array([7.29, 7.3, 7.31])
    # nodes that matter at no period are left out; none of these is needed where the likelihood is
    low, high = np.log(prior.ppf(1e-9)), np.log(prior.ppf(1 - 1e-12))
    ln_s = np.linspace(low, high, 4001)
    at_s = [
        orbit_sums(visits.time, visits.rv, np.hypot(error, s) + 0 * visits.rv, frequency,
                   np.zeros(3), SD)[0] + prior.logpdf(s) + np.log(s)
        for s in np.exp(ln_s)
    ]  # fmt: skip
    at_s = np.array(at_s) + np.log(ln_s[1] - ln_s[0])
    at_s[[0, -1]] -= np.log(2)
    np.testing.assert_allclose(
        orbit.log_marginal(laid, frequency), logsumexp(at_s, axis=0), rtol=0, atol=0.01
    )


def test_finer_nodes_change_neither_evidence_nor_draws(spaced):
    # False alarm: 4.5 standard errors of two means, 1e-5.
    visits, prior = star(12, 0.3, 1.0, seed=3), stats.loguniform(0.01, 10)
    results = []
    known = jitter.JitterPrior(1, prior)
    for spacing in (None, 0.08):
        if spacing:
            spaced(spacing)
        laid = known.with_nodes(visits, PERIOD)
        nodes = period_nodes.period_nodes(orbit.likelihood(laid), PERIOD)
        rng = np.random.default_rng(0)
        P, _ = period_nodes.draw_periods(nodes, orbit.likelihood(laid), PERIOD, 4000, rng)
        results.append((nodes.log_evidence, np.log(known.draw(laid, 1 / P, rng)[0])))
    (first, s), (second, t) = results
    assert first == pytest.approx(second, abs=0.01)
    assert abs(s.mean() - t.mean()) < 4.5 * np.sqrt(2 / 4000) * s.std()
    assert s.std() == pytest.approx(t.std(), rel=4.5 / np.sqrt(4000))


@pytest.mark.parametrize("spacing", [0.1, 0.7])
def test_draws_have_the_distribution_of_the_scatter(spaced, spacing):
    # False alarm: one in 10,000 each. The period is known; draws do not depend on the lattice.
    visits, prior = star(9, 0.5, 1.0, seed=5), stats.loguniform(0.05, 20)
    frequency = 1 / np.full(4000, 7.3)
    spaced(spacing)
    known = jitter.JitterPrior(1, prior)
    draws = known.draw(known.with_nodes(visits, PERIOD), frequency, np.random.default_rng(1))[0]
    ln_s = np.linspace(np.log(0.05), np.log(20), 3000)
    log_p = [
        orbit_sums(visits.time, visits.rv, np.hypot(0.5, s) + 0 * visits.rv, frequency[:1],
                   np.zeros(3), SD)[0][0]
        for s in np.exp(ln_s)
    ]  # fmt: skip
    share = np.cumsum(np.exp(log_p - np.max(log_p)))
    ranks = np.interp(np.log(draws), ln_s, share / share[-1])
    assert stats.kstest(ranks, "uniform").pvalue > 1e-4


def test_two_instruments_have_scatters_of_their_own():
    # False alarm: 4.5 standard errors of two means, 1e-5. The period is known.
    rng = np.random.default_rng(8)
    number = np.repeat([0, 1], 10)
    time = np.sort(rng.uniform(0, 100, 20))
    rv = orbit.radial_velocity(time, 7.3, 10, -5, -60) + rng.normal(0, np.where(number, 2.0, 0.3))
    visits = orbit.Visits(time, rv, np.full(20, 0.1), np.zeros(3), SD, instrument=number)
    prior, period = stats.loguniform(0.01, 10), stats.uniform(7.2999, 2e-4)
    known = jitter.JitterPrior(2, prior)
    laid = known.with_nodes(visits, period)
    ln_s = np.linspace(np.log(0.01), np.log(10), 90)
    log_p = np.array(
        [
            [
                orbit_sums(time, rv, np.hypot(0.1, np.where(number, t, s)), np.array([1 / 7.3]),
                           np.zeros(3), SD)[0][0]
                for t in np.exp(ln_s)
            ]
            for s in np.exp(ln_s)
        ]
    )  # fmt: skip
    mass = np.exp(log_p - log_p.max())
    evidence = np.log(mass.mean()) + log_p.max()
    assert orbit.log_marginal(laid, np.array([1 / 7.3]))[0] == pytest.approx(evidence, abs=0.03)
    draws = np.log(known.draw(laid, np.full(4000, 1 / 7.3), rng))
    for axis, values in enumerate(draws):
        marginal = mass.sum(axis=1 - axis) / mass.sum()
        mean = marginal @ ln_s
        sd = np.sqrt(marginal @ (ln_s - mean) ** 2)
        assert abs(values.mean() - mean) < 4.5 * sd / np.sqrt(4000)
        assert values.std() == pytest.approx(sd, rel=0.1)
