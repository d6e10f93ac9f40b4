"""Claims about the posterior of an eccentric orbit: its evidence, its nodes and its draws."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from astro_hier.core import eccentric_kernel, kepler, orbit, period_nodes
from astro_hier.core.eccentric_fit import eccentric_nodes
from astro_hier.core.eccentric_modes import modes
from astro_hier.core.eccentric_points import count_nights
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior
from astro_hier.core.eccentric_scatter import instrument_nodes

BROAD = stats.beta(0.867, 3.03)
JITTER = stats.loguniform(0.1, 10)


def prior(e=BROAD, period=(2, 100), scatter=0.0):
    def amplitude(period, eccentricity):
        return 30 * (period / 365.25) ** (-1 / 3) / np.sqrt(1 - eccentricity**2)

    return OrbitPrior(stats.loguniform(*period), EccentricityTable.of(e), amplitude, scatter)


def visits(n, error, seed, orbit_=(17.0, 0.4, 3.0, 20.0, 1.0), baseline=100.0):
    """Of an orbit of P, e, t_peri, K and omega."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, baseline, n))
    rv_error = error * rng.uniform(0.5, 1.5, n)
    rv = kepler.velocity(time, *orbit_[:3], *orbit_[3:]) + rng.normal(0, rv_error)
    return orbit.Visits(time, 12 + rv, rv_error, np.zeros(3), np.array([1, 1, 100.0]))


def prior_draws(nodes, size, seed):
    """ln p(v) and P(e > .7) by draws from the prior, and the standard errors of both."""
    points = np.random.default_rng(seed).random((4, size))
    drawn = nodes.star.nodes(points)
    log_p = nodes.star.evaluate(drawn).log_p
    weight, high = np.exp(log_p - log_p.max()), drawn.eccentricity > 0.7
    mean = weight.mean()
    share = weight @ high / weight.sum()
    error = np.sqrt(np.mean((weight * (high - share)) ** 2) / size) / mean
    return log_p.max() + np.log(mean), weight.std() / mean / np.sqrt(size), share, error


@pytest.mark.parametrize(
    ("n", "error", "scatter"),
    [(1, 1, 0.0), (3, 1, JITTER), (4, 1, 0.0), (4, 2, JITTER), (5, 4, 0.0), (7, 6, 0.0),
     (7, 6, JITTER), (12, 12, JITTER)],
)  # fmt: skip
def test_evidence_and_eccentricity_are_those_of_prior_draws(n, error, scatter):
    # False alarm: 4.5 standard errors for 16 numbers, 1e-4.
    nodes = eccentric_nodes(visits(n, error, n), prior(scatter=scatter), np.random.default_rng(1))
    log_evidence, log_error, share, share_error = prior_draws(nodes, 300_000, 2)
    allowed = np.hypot(log_error, nodes.log_evidence_error)
    assert abs(nodes.log_evidence - log_evidence) < 4.5 * allowed
    weight, high = nodes.probability, nodes.eccentricity > 0.7
    own = weight @ high
    own_error = np.sqrt(np.sum((weight * (high - own)) ** 2))
    assert abs(own - share) < 4.5 * np.hypot(own_error, share_error) + 1e-9


def grid_evidence(nodes, known, e_prior, size):
    """ln p(v) by a grid along the principal axes of (ln P, e, m, ln s) of a single mode."""
    weight, free = nodes.probability, known.scatter != 0.0
    values = [np.log(nodes.period), nodes.eccentricity, nodes.phase]
    values = np.array([*values, np.log(nodes.scatter)] if free else values)
    mean, axes = values @ weight, np.linalg.cholesky(np.cov(values, aweights=weight))
    side = np.linspace(-7, 7, size)
    steps = np.array([x.ravel() for x in np.meshgrid(*[side] * len(values), indexing="ij")])
    ln_period, e, m, *ln_s = mean[:, None] + axes @ steps
    inside = (e > 0) & (e < 0.999)
    ln_period, e, m = (x[inside] for x in (ln_period, e, m))
    step, log_prior = np.zeros(len(e), int), e_prior.logpdf(e) - np.log(np.log(50))
    data, period = nodes.star.data, np.exp(ln_period)
    if free:
        s = np.geomspace(0.1, 10, 801)
        data = eccentric_kernel.KeplerData.of(nodes.visits, s[:, None] * np.ones(len(data.rv)))
        data = replace(data, time=nodes.star.data.time)
        index = 800 * (ln_s[0][inside] - np.log(0.1)) / np.log(100)
        step = np.rint(np.clip(index, 0, 800)).astype(int)
        log_prior = log_prior - np.where(step == np.rint(index), np.log(np.log(100)), np.inf)
    at = eccentric_kernel.Nodes(1 / period, e, m, step, known.amplitude(period, e))
    log_p = eccentric_kernel.evaluate(data, at).log_p
    volume = np.log(np.diag(axes)).sum() + len(values) * np.log(side[1] - side[0])
    return np.logaddexp.reduce(log_p + log_prior) - np.log(e_prior.cdf(0.999)) + volume


@pytest.mark.parametrize(
    ("n", "seed", "orbit_", "scatter", "size"),
    [(12, 4, (17.0, 0.4, 3.0, 20.0, 1.0), 0.0, 60),
     (25, 5, (17.0, 0.4, 3.0, 20.0, 1.0), 0.0, 60),
     (20, 6, (23.0, 0.8, 3.0, 30.0, 1.0), 0.0, 60),
     (25, 7, (17.0, 0.4, 3.0, 20.0, 1.0), JITTER, 27)],
)  # fmt: skip
def test_evidence_is_that_of_a_dense_grid(n, seed, orbit_, scatter, size):
    known, data = prior(scatter=scatter), visits(n, 0.5, seed, orbit_)
    if scatter != 0.0:
        data = replace(data, rv=data.rv + np.random.default_rng(1).normal(0, 1.5, n))
    nodes = eccentric_nodes(data, known, np.random.default_rng(1))
    assert nodes.log_evidence == pytest.approx(grid_evidence(nodes, known, BROAD, size), abs=0.02)


@pytest.mark.parametrize("n", [3, 4, 5])
def test_high_eccentricities_are_as_probable_as_among_prior_draws(n):
    # False alarm: 0.005 is five standard errors, 2e-6.
    data, rng = visits(n, 8.0, n + 20), np.random.default_rng(1)
    nodes = eccentric_nodes(data, prior(), rng, points=60_000)
    _, _, share, share_error = prior_draws(nodes, 1_500_000, 2)
    assert share_error < 0.001
    assert nodes.probability @ (nodes.eccentricity > 0.7) == pytest.approx(share, abs=0.005)


def test_trend_and_offset_of_a_circular_orbit_are_those_of_the_circular_method():
    data, rng = visits(14, 1.0, 12, (17.0, 0.0, 3.0, 20.0, 1.0)), np.random.default_rng(3)
    columns = np.column_stack([rng.integers(0, 2, 14), (data.time - 50) / 50])
    data = replace(data, rv=data.rv + columns @ [4.0, -9.0], columns=columns,
                   mean=np.zeros(5), sd=np.array([20, 20, 100.0, 10, 20]))  # fmt: skip
    circle = OrbitPrior(stats.loguniform(2, 100), EccentricityTable.of(0.0), lambda p, e: 20.0)
    nodes = eccentric_nodes(data, circle, np.random.default_rng(2), points=200_000)
    circular = orbit.likelihood(data)
    expected = period_nodes.period_nodes(circular, circle.period)
    assert nodes.log_evidence == pytest.approx(expected.log_evidence, abs=0.003)
    drawn = nodes.draw(4000, np.random.default_rng(5)).linear
    # False alarm: five standard errors of two numbers, 1e-6.
    for values, true in zip(drawn[3:], (4.0, -9.0), strict=True):
        assert abs(values.mean() - true) < 5 * values.std()


@pytest.mark.parametrize("scatter", [0.0, JITTER])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_searches_of_clumped_nights_agree(seed, scatter):
    rng = np.random.default_rng(seed)
    n = 8 + 2 * seed
    time = np.repeat(np.floor(rng.uniform(0, 100, n // 2)), 2) + rng.uniform(0, 0.3, n)
    data = visits(n, 0.3, seed)
    clean = kepler.velocity(np.sort(time), 17.0, 0.4, 3.0, 20.0, 1.0)
    data = replace(data, time=np.sort(time), rv=clean + rng.normal(0, data.rv_error))
    found = [
        eccentric_nodes(data, prior(scatter=scatter), np.random.default_rng(i), per_baseline=roots)
        for i, roots in enumerate((3.0, 4.3))
    ]
    assert found[0].log_evidence == pytest.approx(found[1].log_evidence, abs=0.1)


@pytest.mark.parametrize("n", [2, 6, 25])
def test_without_eccentricity_it_is_the_circular_orbit(n):
    data = replace(visits(n, 1.0, 7), sd=np.array([20, 20, 100.0]))
    circle = OrbitPrior(stats.loguniform(2, 100), EccentricityTable.of(0.0), lambda p, e: 20.0)
    nodes = eccentric_nodes(data, circle, np.random.default_rng(2), points=200_000)
    circular = orbit.likelihood(data)
    expected = period_nodes.period_nodes(circular, circle.period)
    assert nodes.log_evidence == pytest.approx(expected.log_evidence, abs=0.003)
    drawn = nodes.draw(2000, np.random.default_rng(3))
    other, _ = period_nodes.draw_periods(
        expected, circular, circle.period, 2000, np.random.default_rng(4)
    )
    # False alarm: 3e-4.
    assert stats.ks_2samp(drawn.period, other).pvalue > 1e-4


def test_numpy_does_as_well_as_compiled_loops(monkeypatch):
    pytest.importorskip("numba")
    data, known, found = visits(8, 2.0, 5), prior(period=(12, 100), scatter=JITTER), []
    for compiled in (True, False):
        monkeypatch.setattr(eccentric_kernel, "COMPILED", compiled)
        found.append(eccentric_nodes(data, known, np.random.default_rng(1)))
    assert found[0].log_evidence == pytest.approx(found[1].log_evidence, abs=0.05)


def test_draws_are_of_the_orbit():
    # False alarm: five standard errors of some numbers, 1e-5.
    truth = 17.0, 0.4, 3.0, 20.0, 1.0
    nodes = eccentric_nodes(visits(20, 0.3, 6, truth), prior(), np.random.default_rng(1))
    drawn = nodes.draw(3000, np.random.default_rng(2))
    cycles = (drawn.t_peri - truth[2]) / drawn.period
    for values, true in (
        (drawn.period, truth[0]),
        (drawn.eccentricity, truth[1]),
        (cycles - np.round(cycles), 0),
        (drawn.amplitude, truth[3]),
        (drawn.omega, truth[4]),
        (drawn.linear[2], 12.0),
    ):
        assert abs(values.mean() - true) < 5 * values.std()
    assert np.all(np.abs(drawn.t_peri - nodes.star.data.t_ref) <= 0.5 * drawn.period)
    weight, size = nodes.probability, nodes.effective_size
    for values, of_nodes in ((drawn.period, nodes.period), (drawn.amplitude, nodes.amplitude)):
        error = values.std() * np.sqrt(1 / 3000 + 1 / size)
        assert abs(values.mean() - weight @ of_nodes) < 5 * error + 1e-3
    # and they fit: chi2 of all draws, with six parameters fewer than visits
    data = nodes.visits
    velocity = drawn.linear[2] + kepler.velocity(
        data.time[:, None], drawn.period, drawn.eccentricity, drawn.t_peri, drawn.amplitude,
        drawn.omega,
    )  # fmt: skip
    chi2 = np.sum(((data.rv[:, None] - velocity) / data.rv_error[:, None]) ** 2, axis=0)
    assert nodes.least_chi2 < chi2.min() + 1
    assert chi2.mean() == pytest.approx(nodes.least_chi2 + 6, abs=1.5)


def test_modes_and_profile_show_the_period():
    nodes = eccentric_nodes(visits(20, 0.3, 6), prior(), np.random.default_rng(1))
    best = modes(nodes)[0]
    assert best.probability > 0.99
    assert abs(best.period - 17) < 5 * best.period_sd
    assert abs(best.eccentricity - 0.4) < 5 * best.eccentricity_sd
    low, high, log_p = nodes.profile()
    at = np.argmax(log_p)
    assert low[at] < 17.05
    assert high[at] > 16.95
    # its integral is the evidence
    share = np.diff(nodes.profile_edges)
    total = np.logaddexp.reduce(log_p + np.log(share))
    assert total == pytest.approx(nodes.log_evidence, abs=0.05)
    # and it is as narrow as the posterior: most of it lies within half its maximum
    high_up = log_p > log_p.max() - 2
    assert np.logaddexp.reduce((log_p + np.log(share))[high_up]) > total + np.log(0.8)
    width = np.max(high[high_up]) - np.min(low[high_up])
    assert width < 5 * best.period_sd


def test_a_known_period_and_eccentricity_stay():
    data = visits(8, 1.0, 8)
    known = OrbitPrior(stats.uniform(17, 0), EccentricityTable.of(0.4), lambda p, e: 30.0)
    known = replace(known, period=Known(17.0))
    nodes = eccentric_nodes(data, known, np.random.default_rng(1))
    drawn = nodes.draw(100, np.random.default_rng(2))
    np.testing.assert_allclose(drawn.period, 17)
    np.testing.assert_array_equal(drawn.eccentricity, 0.4)
    log_evidence, error, *_ = prior_draws(nodes, 200_000, 3)
    assert abs(nodes.log_evidence - log_evidence) < 5 * np.hypot(error, nodes.log_evidence_error)


class Known:
    """The prior of a period that is known."""

    def __init__(self, value):
        self.value = value

    def support(self):
        return self.value, self.value


def test_what_nodes_fall_short_of_is_named():
    nodes = eccentric_nodes(visits(20, 0.3, 6), prior(), np.random.default_rng(1))
    assert nodes.shortcomings() == []
    poor = replace(nodes, unrefined=0.02, rest=0.03, log_ratio=0.2, least_chi2=60.0, dof=4)
    names = [name for name, _ in poor.shortcomings()]
    assert names == ["unrefined", "put aside", "second search", "improbable chi2"]
    mass = np.where(np.arange(len(nodes.log_p)) > 0, -50.0, 0.0)
    single = replace(nodes, log_weight=mass, log_p=np.zeros(len(mass)))
    assert dict(single.shortcomings())["effective size"] < 2


def test_nights_are_counted_and_not_visits():
    time = np.array([0.0, 0.01, 0.02, 5, 5.1, 9])
    assert count_nights(time, shortest=2.0) == 3
    assert count_nights(time, shortest=0.3) == 4


def test_no_orbit_fits_pure_scatter_and_a_second_search_is_made():
    rng = np.random.default_rng(3)
    data = replace(visits(12, 1.0, 9), rv=rng.normal(0, 60, 12))
    nodes = eccentric_nodes(data, prior(period=(20, 100)), np.random.default_rng(1))
    assert np.isfinite(nodes.log_ratio)


def test_instruments_may_have_a_scatter_each():
    # False alarm: 4.5 standard errors of four numbers, 3e-5.
    rng = np.random.default_rng(5)
    data, instrument = visits(10, 6.0, 10), np.arange(10) % 2
    data = replace(data, rv=data.rv + instrument * rng.normal(0, 8, 10))
    known = prior(scatter=stats.loguniform(0.5, 30))
    found = instrument_nodes(data, known, instrument, np.random.default_rng(1))
    star, size = found.common.star, 100_000
    nodes = star.nodes(rng.random((4, size)))
    scatter = star.scatter.at(rng.random((2, size)))
    drawn = eccentric_kernel.KeplerData.of(data, scatter[instrument].T)
    drawn = replace(drawn, time=star.data.time)
    log_p = eccentric_kernel.evaluate(drawn, nodes._replace(step=np.arange(size))).log_p
    weight = np.exp(log_p - log_p.max())
    expected = log_p.max() + np.log(weight.mean())
    error = np.hypot(weight.std() / weight.mean() / np.sqrt(size), found.effective_size**-0.5)
    assert abs(found.log_evidence - expected) < 4.5 * error
    weight /= weight.sum()
    sizes = found.effective_size, 1 / np.sum(weight**2)
    for own, other in zip(found.scatter, scatter, strict=True):
        mean = weight @ other
        error = np.sqrt(weight @ (other - mean) ** 2) * np.hypot(*np.power(sizes, -0.5))
        assert abs(found.probability @ own - mean) < 4.5 * error
    draws = found.draw(500, np.random.default_rng(2))
    assert draws.scatter.shape == (2, 500)


@pytest.mark.parametrize("n", [2, 4, 8])
def test_equal_velocities_and_times_are_no_trouble(n):
    data = visits(n, 1.0, 11)
    time = np.repeat(data.time[: n // 2], 2)
    data = replace(data, time=time, rv=np.full(n, 3.0))
    nodes = eccentric_nodes(data, prior(period=(10, 100)), np.random.default_rng(1))
    assert np.isfinite(nodes.log_evidence)
    assert np.all(np.isfinite(nodes.draw(50, np.random.default_rng(2)).linear))


@pytest.mark.parametrize(("n", "error", "scatter"), [(4, 1, 0.0), (5, 1, 0.0), (6, 1, JITTER)])
def test_draws_are_distributed_as_the_nodes_are(n, error, scatter):
    """Also where there are sheets, and where roots put aside hold a share.

    False alarm: 4.5 standard errors of six numbers, 4e-5.
    """
    nodes = eccentric_nodes(visits(n, error, n), prior(scatter=scatter), np.random.default_rng(2))
    drawn = nodes.draw(4000, np.random.default_rng(1))
    weight = nodes.probability
    for values, of_draws in (
        (nodes.eccentricity > 0.7, drawn.eccentricity > 0.7),
        (np.log(nodes.period), np.log(drawn.period)),
    ):
        mean = weight @ values
        variance = weight @ (values - mean) ** 2
        error = np.sqrt(np.sum((weight * (values - mean)) ** 2) + 2 * variance / len(of_draws))
        assert abs(of_draws.mean() - mean) < 4.5 * error
