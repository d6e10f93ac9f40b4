"""Claims about cells of ln P and e: their sums are those over a star's nodes."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from astro_hier import populations, priors
from astro_hier.core import cells, kepler, orbit
from astro_hier.core.eccentric_fit import eccentric_nodes
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior, tidal_limit
from astro_hier.core.grid import Axis, Grid
from astro_hier.core.plane import Plane, reference_shares
from astro_hier.populations.circularised import Circular, Circularised, Independent
from astro_hier.populations.eccentricity import KnownDistribution
from astro_hier.populations.eccentricity_families import Beta

LOW, HIGH = 0.0, 6.0
ENDS = (LOW, HIGH)
EDGES = np.linspace(LOW, HIGH, 301), np.concatenate([[0, 0.005, 0.01], np.linspace(0.02, 1, 50)])
KIPPING = stats.beta(0.867, 3.03)
THETA = {"mu": np.array([3.0, 2.0, 4.5]), "lnsigma": np.array([0.0, -0.7, 0.3]),
         "alpha_e": np.array([0.867, 2.0, 1.2]), "beta_e": np.array([3.03, 4.0, 1.5]),
         "ln_P_circ": np.array([2.5, 0.5, 4.0])}  # fmt: skip
NODES = 20_000


def reference(edges=EDGES):
    """Of a prior flat in ln P and Kipping's in e; and of circles, by themselves."""
    flat = np.diff(edges[0]) / (HIGH - LOW)
    return flat[:, None] * np.append(1.0, np.diff(KIPPING.cdf(edges[1])))


def nodes(seed, size=NODES, circular=False):
    """A star whose likelihood is known: period, e, log_mass."""
    rng = np.random.default_rng(seed)
    ln_period = rng.uniform(LOW, HIGH, size)
    e = np.zeros(size) if circular else KIPPING.rvs(size, random_state=rng)
    at, of_e = rng.uniform(1.5, 4.5), rng.uniform(0, 0.6)
    log_likelihood = stats.norm.logpdf(ln_period, at, 0.3) + stats.norm.logpdf(e, of_e, 0.1) - 40
    return np.exp(ln_period), e, log_likelihood - np.log(size)


def log_ratio(joint, period, e):
    """ln of g / pi at nodes."""
    log_g = np.where(
        e > 0,
        joint.log_density(np.log(period), np.maximum(e, 1e-300), THETA, ENDS)
        - KIPPING.logpdf(np.maximum(e, 1e-300)),
        joint.log_density_of_circles(np.log(period), THETA, ENDS),
    )
    return log_g + np.log(HIGH - LOW)


PLANE = Plane(*EDGES, reference())
JOINT = {"independent": Independent(), "truncated": Independent(populations.TruncatedNormal()),
         "circular": Circular(), "circularised": Circularised()}  # fmt: skip


@pytest.mark.parametrize("name", JOINT)
def test_sums_over_cells_are_sums_over_nodes(name):
    # 25 cells to the narrowest width of ln P; the period below which orbits are circular is an edge
    # of the density, which is blurred by a cell
    joint = JOINT[name]
    stars = [
        [np.concatenate(of) for of in zip(nodes(k), nodes(k, 2000, circular=True), strict=True)]
        for k in range(4)
    ]
    matrix = cells.Matrix.of([PLANE.row(*star) for star in stars])
    shares = joint.shares(*EDGES, THETA, ENDS)
    found = matrix.log_likelihood(PLANE.log_shares(shares, matrix))
    expected = [logsumexp(log_mass + log_ratio(joint, P, e), axis=1) for P, e, log_mass in stars]
    np.testing.assert_allclose(
        found, np.transpose(expected), atol=0.02 if name == "circularised" else 3e-3
    )


def test_the_population_of_the_reference_prior_has_the_evidence_of_the_nodes():
    period, e, log_mass = nodes(0)
    matrix = cells.Matrix.of([PLANE.row(period, e, log_mass)])
    shares = PLANE.reference[None] * np.append(0.0, np.ones(len(EDGES[1]) - 1))
    found = matrix.log_marginal(PLANE.log_shares(shares, matrix))
    assert found[0] == pytest.approx(logsumexp(log_mass), abs=1e-12)


def test_with_one_cell_of_e_it_is_the_sum_over_points_of_one_dimension():
    # shares are densities at the middles to (step / width)^2 / 24
    edges = EDGES[0], np.array([0.0, 1.0])
    plane = Plane(*edges, reference(edges))
    period, e, log_mass = nodes(1)
    matrix = cells.Matrix.of([plane.row(period, e, log_mass)])
    known = Independent(eccentricity=KnownDistribution(priors.Beta(0.867, 3.03)))
    shares = known.shares(*edges, THETA, ENDS)
    step = (HIGH - LOW) / 300
    line = Grid((Axis(LOW + step / 2, HIGH - step / 2, 300),))
    inside = np.clip(np.log(period), line.axes[0].low, line.axes[0].high)
    log_weight = log_mass + np.log(HIGH - LOW) + np.log(NODES)
    one = cells.Matrix.of([cells.row_of_draws(line, (inside,), log_weight, NODES)])
    density = populations.Normal().log_density(line.points[0], THETA, ENDS)[:, one.points]
    found = matrix.log_marginal(plane.log_shares(shares, matrix))
    np.testing.assert_allclose(found, one.log_marginal(density), atol=3e-4)
    variance = matrix.variance(plane.log_shares(shares, matrix))
    np.testing.assert_allclose(variance, one.variance(density), rtol=2e-3)


def test_the_variance_is_that_of_other_nodes():
    # False alarm: the variance of 200 is known to 10 percent, four of these once in 16,000
    def star(seed):
        rng = np.random.default_rng(seed)
        ln_period, e = rng.uniform(LOW, HIGH, 500), KIPPING.rvs(500, random_state=rng)
        log_mass = stats.norm.logpdf(ln_period, 3, 1) + stats.norm.logpdf(e, 0.2, 0.2) - np.log(500)
        return PLANE.row(np.exp(ln_period), e, log_mass)

    shares = Independent().shares(*EDGES, THETA, ENDS)
    of_each = [cells.Matrix.of([star(seed)]) for seed in range(200)]
    log_shares = [PLANE.log_shares(shares, matrix) for matrix in of_each]
    found = [m.log_marginal(of) for m, of in zip(of_each, log_shares, strict=True)]
    said = [m.variance(of) for m, of in zip(of_each, log_shares, strict=True)]
    np.testing.assert_allclose(np.mean(said, axis=0), np.var(found, axis=0), rtol=0.4)


def test_the_ratio_to_the_reference_is_that_of_densities():
    period, e, _ = nodes(2, 2000)
    shares = Independent().shares(*EDGES, THETA, ENDS)
    expected = log_ratio(Independent(), period, e)
    error = np.log(PLANE.ratio(shares, period, e)) - expected
    # but for the outermost cells of e, in which powers of e or 1 - e are unlike lines
    assert np.quantile(np.abs(error[expected > -2]), 0.99) < 0.02


def test_cells_without_reference_get_nothing():
    prior = reference()
    prior[:, 30:] = 0  # no eccentric orbits of e > 0.56
    plane = Plane(*EDGES, prior)
    e = np.array([0.5 * (EDGES[1][28] + EDGES[1][29]) + 1e-3])  # above the middle of the last cell
    cell, share = plane.deal(np.array([2.0]), e)
    assert share[prior.ravel()[cell] == 0].sum() == 0
    assert share.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="1 nodes lie where the reference prior has no share"):
        plane.deal(np.array([2.0]), np.array([0.9]))
    with pytest.raises(ValueError, match="1 nodes have ln P from 7 to 7; expected 0 to 6"):
        plane.deal(np.array([7.0]), e)
    with pytest.raises(ValueError, match=r"reference of shape \(300, 52\); expected \(300, 53\)"):
        Plane(*EDGES, prior[:, 1:])


def test_circles_stay_apart_from_small_eccentricities():
    cell, share = PLANE.deal(np.array([2.0, 2.0]), np.array([0.0, 1e-9]))
    column = cell % PLANE.reference.shape[1]
    assert share[column == 0].sum() == pytest.approx(1)
    np.testing.assert_allclose([share[column[:, k] == 0, k].sum() for k in (0, 1)], [1, 0])


def test_a_better_population_is_more_likely_and_so_is_the_one_stars_were_drawn_from():
    # False alarm: the mean of 200 differs from the truth by four standard errors, once in 16,000
    rng = np.random.default_rng(5)
    rows = []
    for _ in range(200):
        at, of_e = rng.normal(3, 0.6), rng.beta(2, 4)
        ln_period = np.clip(rng.normal(at, 0.02, 300), LOW, HIGH)  # a posterior, flat prior in ln P
        e = np.clip(rng.normal(of_e, 0.03, 300), 1e-6, 1 - 1e-6)
        log_mass = KIPPING.logpdf(e) - np.log(HIGH - LOW) - np.log(300)
        rows.append(PLANE.row(np.exp(ln_period), e, log_mass))
    matrix = cells.Matrix.of(rows)
    alpha = np.linspace(1, 4, 61)
    theta = {"mu": np.full(61, 3.0), "lnsigma": np.full(61, np.log(0.6)), "alpha_e": alpha,
             "beta_e": 2 * alpha}  # fmt: skip
    shares = Independent(eccentricity=Beta()).shares(*EDGES, theta, ENDS)
    log_likelihood = matrix.log_marginal(PLANE.log_shares(shares, matrix))
    probability = np.exp(log_likelihood - log_likelihood.max())
    probability /= probability.sum()
    mean = probability @ alpha
    sd = np.sqrt(probability @ (alpha - mean) ** 2)
    assert abs(mean - 2) < 4 * sd
    assert sd < 0.4


def orbit_prior(e, limit=None):
    def amplitude(period, eccentricity):
        return 30 * (period / 365.25) ** (-1 / 3) / np.sqrt(1 - eccentricity**2)

    periods = stats.loguniform(1.2, 100)
    return OrbitPrior(periods, EccentricityTable.of(e), amplitude, 0.0, limit)


def orbit_nodes(prior, seed=0):
    """Nodes of a star whose few imprecise visits allow many orbits."""
    rng = np.random.default_rng(7)
    time = np.sort(rng.uniform(0, 100, 7))
    error = rng.uniform(3, 9, 7)
    rv = 12 + kepler.velocity(time, 17.0, 0.4, 3.0, 20.0, 1.0) + rng.normal(0, error)
    visits = orbit.Visits(time, rv, error, np.zeros(3), np.array([1, 1, 100.0]))
    return eccentric_nodes(visits, prior, np.random.default_rng(seed))


ORBIT_EDGES = np.linspace(np.log(1.2), np.log(100), 90), np.linspace(0, 1, 41) ** 1.5


@pytest.mark.parametrize("limit", [None, tidal_limit])
def test_nodes_under_another_prior_are_nodes_found_with_it(limit):
    # False alarm: 4.5 standard errors, 1e-5
    before, after = (orbit_prior(stats.beta(*of), limit) for of in ((0.867, 3.03), (2.0, 4.0)))
    plane = Plane(*ORBIT_EDGES, reference_shares(*ORBIT_EDGES, before))
    first, second = orbit_nodes(before), orbit_nodes(after, 1)
    assert (first.eccentricity == 0).any() == (limit is not None)
    assert plane.reference.sum() == pytest.approx(1, rel=1e-9)
    matrix = cells.Matrix.of([plane.row(first.period, first.eccentricity, first.log_mass)])
    shares = np.array([plane.reference, reference_shares(*ORBIT_EDGES, after)])
    log_shares = plane.log_shares(shares, matrix)
    found, error = matrix.log_marginal(log_shares), np.sqrt(matrix.variance(log_shares))
    assert found[0] == pytest.approx(first.log_evidence, abs=1e-9)
    allowed = np.hypot(error[1], second.log_evidence_error)
    assert abs(found[1] - second.log_evidence) < 4.5 * allowed
    assert allowed < 0.05


def test_circles_are_a_reference_prior_by_themselves():
    prior = orbit_prior(0.0)
    share = reference_shares(*ORBIT_EDGES, prior)
    assert not share[:, 1:].any()
    assert share[:, 0].sum() == pytest.approx(1)
    short = reference_shares(*ORBIT_EDGES, orbit_prior(KIPPING, tidal_limit))
    below = np.exp(ORBIT_EDGES[0][1:]) < 2
    assert not short[below, 1:].any()
    assert not short[~below, 0][1:].any()
    with pytest.raises(ValueError, match=r"known to be 0.3; expected a distribution, for a pop"):
        reference_shares(*ORBIT_EDGES, orbit_prior(0.3))
