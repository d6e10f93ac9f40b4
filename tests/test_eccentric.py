"""Claims about the prior and the likelihood of the nodes of an eccentric orbit."""

import ast
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from astro_hier.core import (
    eccentric_bounds,
    eccentric_cells,
    eccentric_kernel,
    eccentric_roots,
    eccentric_tree,
    kepler,
    linear,
    orbit,
)
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior, ScatterTable, tidal_limit

SCATTERS = 0.5, 3.0
JITTER = stats.loguniform(*SCATTERS)
BROAD = stats.beta(0.867, 3.03)


def prior(e=BROAD, low=2.0, high=300.0, scatter=JITTER):
    def amplitude(period, eccentricity):
        return 10 * (period / 100) ** (-1 / 3) / np.sqrt(1 - eccentricity**2)

    table = EccentricityTable.of(e)
    return OrbitPrior(stats.loguniform(low, high), table, amplitude, scatter)


def visits(n=9, error=0.7, baseline=200.0, seed=1, columns=True, known_offset=False):
    """Of an orbit of 17 d and e = .4, with two instruments and a trend."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, baseline, n)) + 100
    rv_error = error * rng.uniform(0.5, 2, n)
    rv = 30 + kepler.velocity(time, 17.0, 0.4, 103.0, 6.0, 1.0) + rng.normal(0, rv_error)
    mean, sd = np.array([0, 0, 20.0]), np.array([1, 1, 50.0])
    extra = None
    if columns:
        extra = np.column_stack([np.arange(n) % 2, (time - 200) / 100])
        mean, sd = np.append(mean, [0.3, 0.1]), np.append(sd, [2.0, 5.0])
        if known_offset:
            sd[3] = 0
    return orbit.Visits(time, rv, rv_error, mean, sd, extra)


def slow_log_p(data, frequency, e, phase, t_ref, sd, scatter):
    """The normal density of the velocities, by their full covariance."""
    x, y = kepler.waves(data.time - t_ref, *np.array([[frequency], [e], [phase]]))
    design = np.column_stack([x, y, data.constant])
    mean = design[:, 2:] @ data.mean[2:]
    prior = np.append([sd, sd], data.sd[2:])
    covariance = np.diag(data.rv_error**2 + scatter**2) + (design * prior**2) @ design.T
    return stats.multivariate_normal(mean, covariance).logpdf(data.rv)


def some_nodes(size=40, seed=3):
    rng = np.random.default_rng(seed)
    period, e = np.exp(rng.uniform(0, 7, size)), BROAD.rvs(size, random_state=rng) * 0.97
    e[:2] = 0
    table = ScatterTable.of(JITTER, np.full(3, 0.7))
    step = table.step(rng.random(size))
    return eccentric_kernel.Nodes(1 / period, e, rng.random(size), step, rng.uniform(1, 40, size))


@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("known_offset", [False, True])
def test_log_p_is_the_normal_density(n, known_offset):
    data, nodes = visits(n, known_offset=known_offset), some_nodes()
    table = ScatterTable.of(JITTER, np.full(3, 0.7))
    prepared = eccentric_kernel.KeplerData.of(data, table.at_visits(np.ones(len(data.rv))))
    expected = [
        slow_log_p(data, f, e, m, prepared.t_ref, sd, table.values[k])
        for f, e, m, k, sd in zip(*nodes, strict=True)
    ]
    for compiled in (False, True):
        found = eccentric_kernel.evaluate(prepared, nodes, compiled=compiled)
        np.testing.assert_allclose(found.log_p, expected, rtol=1e-8)


def test_few_digits_are_lost_to_small_errors():
    # ln p by orthogonal triangularisation, of errors of 1e-6 of the amplitude
    data = visits(8, error=5e-6)
    nodes = some_nodes()._replace(step=np.zeros(40, int))
    prepared = eccentric_kernel.KeplerData.of(data, np.zeros((1, len(data.rv))))
    x, y = kepler.waves(data.time - prepared.t_ref, *nodes[:3])
    solution = linear.Solution(data, nodes.frequency, (x * nodes.sd, y * nodes.sd))
    # that is with A and B in units of their prior's standard deviations
    expected = solution.log_marginal()
    for compiled in (False, True):
        found = eccentric_kernel.evaluate(prepared, nodes, compiled=compiled)
        np.testing.assert_allclose(found.log_p, expected, rtol=1e-7)


def test_slopes_and_curvature_are_those_of_a_least_squares_problem():
    data, nodes = visits(12), some_nodes()
    table = ScatterTable.of(JITTER, np.full(3, 0.7))
    prepared = eccentric_kernel.KeplerData.of(data, table.at_visits(np.ones(len(data.rv))))
    found = eccentric_kernel.evaluate(prepared, nodes, slopes=True, compiled=False)
    for i in range(len(nodes.sd)):
        f, e, m = (x[i : i + 1] for x in nodes[:3])
        x, y = kepler.waves(prepared.time, f, e, m)
        root = np.sqrt(prepared.weight[nodes.step[i]])
        D = np.hstack(kepler.derivatives(prepared.time, e, x, y, found.a[i], found.b[i]))
        columns = np.column_stack([x, y, data.constant]) * root[:, None]
        priors = np.diag(1 / np.append([nodes.sd[i]] * 2, data.sd[2:]))
        columns, D = np.vstack([columns, priors]), D * root[:, None]
        D = np.vstack([D, np.zeros((len(priors), 3))])
        D -= columns @ np.linalg.lstsq(columns, D, rcond=None)[0]
        H = D.T @ D
        pairs = [H[k] for k in eccentric_kernel.PAIRS]
        np.testing.assert_allclose(found.curvature[i], pairs, rtol=1e-4, atol=1e-6 * H.max())
    # chi2 falls by twice D^T W r times a small step
    step = 1e-6
    for k, name in enumerate(("frequency", "eccentricity", "phase")):
        size = step / 100 if k == 0 else step
        ends = [
            eccentric_kernel.evaluate(
                prepared, nodes._replace(**{name: np.abs(getattr(nodes, name) + s * size)})
            ).chi2
            for s in (1, 3)
        ]
        slope = (ends[0] - ends[1]) / (2 * size) / 2
        middle = eccentric_kernel.evaluate(
            prepared, nodes._replace(**{name: getattr(nodes, name) + 2 * size}), slopes=True
        )
        expected = middle.slope[:, k]
        np.testing.assert_allclose(slope, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("n", [3, 12, 40])
def test_compiled_loops_are_those_of_numpy(n):
    pytest.importorskip("numba")
    data, nodes = visits(n), some_nodes()
    table = ScatterTable.of(JITTER, data.rv_error)
    prepared = eccentric_kernel.KeplerData.of(data, table.at_visits(np.ones(len(data.rv))))
    plain, fast = (
        eccentric_kernel.evaluate(prepared, nodes, True, compiled) for compiled in (False, True)
    )
    for name in ("log_p", "chi2", "a", "b", "slope", "curvature"):
        one, other = getattr(plain, name), getattr(fast, name)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7 * np.abs(one).max())


def test_compiled_roots_are_those_of_numpy():
    pytest.importorskip("numba")
    data = visits(12)
    table = ScatterTable.of(JITTER, data.rv_error)
    prepared = eccentric_kernel.KeplerData.of(data, table.at_visits(np.ones(len(data.rv))))
    edges = table.slabs(0.7, 4.0)
    at = edges[:-1] + np.multiply.outer((0, 0.25, 0.5, 0.75, 1), np.diff(edges))
    slabs = table.step(at[2]), table.step(at)
    shares = eccentric_roots.period_edges(prior(), 200.0, 3.0)
    both = [
        eccentric_roots.screen(prior(), prepared, shares, (0.5, 0.75), 4, slabs, 0.8, compiled)
        for compiled in (False, True)
    ]
    for one, other in zip(*both, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("n", [4, 6, 12])
def test_compiled_bounds_are_those_of_numpy(n):
    pytest.importorskip("numba")
    data, rng = visits(n, columns=False), np.random.default_rng(4)
    table = ScatterTable.of(JITTER, data.rv_error)
    prepared = eccentric_kernel.KeplerData.of(data, table.at_visits(np.ones(n)))
    low = rng.random((4, 300)) * 0.9
    size = 0.1 * 10 ** rng.uniform(-3, 0, (4, 300))
    nodes = eccentric_tree.Star(prepared, prior(), table).nodes(low + size)
    found = eccentric_kernel.evaluate(prepared, nodes, slopes=True)
    half, e_high = size[:3] * [[0.1], [0.2], [1]], nodes.eccentricity + 0.2 * size[1]
    g = np.stack(eccentric_bounds.generic(nodes.eccentricity, e_high, half[0], half[2], 4e3))
    steps = table.step(low[3] + np.multiply.outer(eccentric_bounds.STEPS, 2 * size[3]))
    one, other = (
        eccentric_cells.tight(
            prepared, found, nodes.step, steps, half, e_high, g, size[3], np.zeros(300), 0.8, how
        )
        for how in (False, True)
    )
    for name in ("upper", "anneal", "width", "axis"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-6)


@pytest.mark.parametrize("e", [BROAD, stats.uniform(0.2, 0.5), stats.truncnorm(0, 3, 0, 0.1)])
def test_eccentricities_of_the_table_have_the_prior_distribution(e):
    # all but what lies above .999, where Kepler's equation is not solved
    table, share = EccentricityTable.of(e), np.linspace(0.001, 0.999, 200)
    np.testing.assert_allclose(e.cdf(table.ppf(share)), share * e.cdf(0.999), atol=2e-5)
    np.testing.assert_allclose(table.cdf(table.ppf(share)), share, atol=1e-9)


@pytest.mark.parametrize("table", [EccentricityTable.of(BROAD), EccentricityTable.of(0.3)])
def test_a_guide_finds_what_a_search_does(table, monkeypatch):
    rng = np.random.default_rng(5)
    share = np.concatenate([rng.random(1000), rng.random(200) ** 20, table.below, [1.0]])
    found = []
    for compiled in (True, False):
        monkeypatch.setattr(eccentric_kernel, "COMPILED", compiled and eccentric_kernel.COMPILED)
        found.append(table.ppf(share))
    np.testing.assert_array_equal(*found)
    if not table.known:
        np.testing.assert_allclose(found[0], np.interp(share, table.below, table.e), rtol=1e-12)


def test_a_known_eccentricity_is_everywhere():
    table = EccentricityTable.of(0.3)
    assert table.known
    np.testing.assert_array_equal(table.ppf(np.linspace(0, 1, 5)), 0.3)


@pytest.mark.parametrize("e", [-0.1, 1.0, stats.uniform(-0.5, 1)])
def test_impossible_eccentricities_are_refused(e):
    with pytest.raises(ValueError, match="expected within"):
        EccentricityTable.of(e)


@pytest.mark.parametrize("scatter", [JITTER, stats.halfnorm(scale=3), stats.uniform(0, 100)])
def test_scatters_of_the_table_have_the_prior_distribution(scatter):
    table = ScatterTable.of(scatter, np.full(30, 0.5))
    np.testing.assert_allclose(scatter.cdf(table.high), table.edges[1:], atol=3e-6)
    assert np.all((table.low <= table.values) & (table.values <= table.high))
    assert np.diff(table.distance).max() < 0.3
    share = np.random.default_rng(1).random(100)
    step = table.step(share)
    assert np.all((table.edges[step] <= share) & (share <= table.edges[step + 1]))


def test_tides_have_made_short_orbits_circular():
    np.testing.assert_allclose(tidal_limit([1.0, 2.0, 16.0]), [0, 0, 0.75])


def test_numba_is_loaded_when_it_is_needed():
    # by files which the others import inside functions
    for path in Path(eccentric_kernel.__file__).parent.glob("*.py"):
        names = [
            getattr(node, "module", None) or node.names[0].name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        compiled = "compiled" in path.stem
        assert ("numba" in names) == compiled
        assert compiled or not any("compiled" in name for name in names)
