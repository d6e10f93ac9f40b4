"""Claims about objects x cells: sums over grid points are the integrals that they stand for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from astro_hier.core import cell_draws, cells
from astro_hier.core.grid import Axis, Grid

LINE = Grid((Axis(-8.0, 8.0, 1601),))
PLANE = Grid((Axis(-6.0, 6.0, 121), Axis(-5.0, 5.0, 101)))
WHERE = np.array([-1.2, 0.1, 0.7, 2.2])
ERROR = np.array([0.3, 0.05, 1.0, 0.6])
THETA = np.array([[0.0, 1.0], [0.6, 0.5], [-1.0, 2.0]])  # means and standard deviations


def normals(grid=LINE, theta=THETA):
    """ln of the densities of normal populations on the grid, shape (theta, point)."""
    (x,) = grid.points
    return stats.norm.logpdf(x, *theta.T[:, :, None])


def at_used(matrix, log_density):
    return log_density[:, matrix.points]


def normal_row(value, error, grid=LINE, log_scale=0.0, **options):
    """The likelihood of an object of known error, on cells much narrower than a step."""
    edges = np.linspace(-8, 8, 20_001)
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    mass = stats.norm.pdf(value, middle, error) * width * np.exp(-log_scale)
    return cells.row_of_cells(grid, (middle,), mass[None], log_scale, **options)


@pytest.fixture(scope="module")
def line():
    return cells.Matrix.of(
        [normal_row(*of, log_scale=k) for k, of in enumerate(zip(WHERE, ERROR, strict=True))]
    )


@pytest.mark.parametrize("grid", [LINE, PLANE], ids=["line", "plane"])
def test_dealing_keeps_mass_and_mean(grid):
    rng = np.random.default_rng(0)
    coordinates = [rng.uniform(axis.low, axis.high, 1000) for axis in grid.axes]
    mass = rng.exponential(size=1000)
    points, shares = grid.deal(*coordinates)
    np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=1e-12)
    assert shares.min() >= 0
    weight = sum(np.bincount(p, mass * s, grid.size) for p, s in zip(points, shares, strict=True))
    assert weight.sum() == pytest.approx(mass.sum(), rel=1e-12)
    for axis, coordinate in zip(grid.points, coordinates, strict=True):
        assert weight @ axis == pytest.approx(mass @ coordinate, abs=1e-9)


def test_a_coarser_row_is_that_dealt_to_every_second_point():
    rng = np.random.default_rng(1)
    axis = Axis(-3.0, 5.0, 41)
    x, masses = rng.uniform(-3, 5, 30), rng.exponential(size=(2, 30))
    fine = cells.row_of_cells(Grid((axis.finer(4),)), (x,), masses, 1.5)
    found, expected = fine.coarser().coarser(), cells.row_of_cells(Grid((axis,)), (x,), masses, 1.5)
    np.testing.assert_array_equal(found.index, expected.index)
    np.testing.assert_allclose(found.weight, expected.weight, rtol=1e-9, atol=1e-12)
    draws = cells.row_of_draws(Grid((axis.finer(2),)), (x,), masses[0], 50).coarser()
    expected = cells.row_of_draws(Grid((axis,)), (x,), masses[0], 50)
    np.testing.assert_allclose(draws.squares, expected.squares, rtol=1e-9, atol=1e-12)


def test_a_mass_on_a_point_is_dealt_to_it_alone_and_none_beyond_the_ends():
    for at in LINE.axes[0].points[[0, 17, 1600]]:
        points, shares = LINE.deal(np.array([at]))
        (x,) = LINE.points
        assert x[points[np.argmax(shares), 0]] == pytest.approx(at, abs=1e-12)
        assert shares.max() == pytest.approx(1, abs=1e-9)
    with pytest.raises(ValueError, match="beyond the ends of the grid"):
        LINE.deal(np.array([0.0, 8.1]))


def test_normal_objects_of_a_normal_population_have_the_closed_likelihood(line):
    expected = stats.norm.logpdf(
        WHERE, THETA[:, :1], np.sqrt(THETA[:, 1:] ** 2 + ERROR**2)
    )  # shape (theta, object)
    # the step is a 50th of the narrowest width: 5e-5 in ln, and six times that far out in a wing
    found = line.log_likelihood(at_used(line, normals()))
    np.testing.assert_allclose(found, expected, atol=3e-4)
    np.testing.assert_allclose(line.log_marginal(at_used(line, normals())), found.sum(axis=1))


@pytest.mark.parametrize(
    ("scale", "low", "high"), [("linear", 0.01, 0.99), ("ln", 0.01, 0.99), ("logit", 0.01, 0.99)]
)
def test_a_density_of_any_scale_is_integrated_as_by_quadrature(scale, low, high):
    axis = Axis.between(low, high, 401, scale)
    np.testing.assert_allclose(axis.value(axis.coordinate(0.3)), 0.3)
    edges = np.linspace(axis.low, axis.high, 30_001)
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)

    def likelihood(x):
        return stats.norm.pdf(0.4, x, 0.1)

    def density(y):  # of the coordinate
        return stats.norm.pdf(y, axis.coordinate(0.35), 0.5)

    row = cells.row_of_cells(Grid((axis,)), (middle,), [likelihood(axis.value(middle)) * width])
    matrix = cells.Matrix.of([row])
    found = matrix.log_marginal(np.log(density(axis.points[matrix.points]))[None])
    expected, _ = integrate.quad(
        lambda y: likelihood(axis.value(y)) * density(y), axis.low, axis.high
    )
    assert found[0] == pytest.approx(np.log(expected), abs=3e-4)


@pytest.fixture(scope="module")
def plane():
    """Two objects with correlated errors, and their closed likelihoods."""
    edges = np.linspace(-5, 5, 401)
    middle = 0.5 * (edges[1:] + edges[:-1])
    x, y = (of.ravel() for of in np.meshgrid(middle, middle))
    volume = (edges[1] - edges[0]) ** 2
    values = [(0.5, -0.4), (-1.0, 0.6)]
    errors = [np.array([[0.2, 0.1], [0.1, 0.3]]), np.array([[0.5, -0.3], [-0.3, 0.4]])]
    rows = [
        cells.row_of_cells(
            PLANE,
            (x, y),
            [stats.multivariate_normal.pdf(np.transpose([x, y]), value, error) * volume],
        )
        for value, error in zip(values, errors, strict=True)
    ]
    return cells.Matrix.of(rows), values, errors


def test_a_correlated_population_of_two_quantities_has_the_closed_likelihood(plane):
    matrix, values, errors = plane
    mean, covariance = np.array([0.2, -0.1]), np.array([[1.0, 0.6], [0.6, 0.8]])
    points = np.transpose(PLANE.points)[matrix.points]
    log_density = stats.multivariate_normal.logpdf(points, mean, covariance)[None]
    expected = [
        stats.multivariate_normal.logpdf(value, mean, covariance + error)
        for value, error in zip(values, errors, strict=True)
    ]
    # a step is a fifth of the smaller axis: an error of (1 / 5)^2 / 8 where nothing smooths it
    found = matrix.log_likelihood(log_density)[0]
    np.testing.assert_allclose(found, expected, atol=5e-3)


def interim_draws(size, rng):
    """Draws of each object's posterior under an interim prior Normal(0, 2), and their weights."""
    precision = ERROR**-2 + 1 / 4
    mean, sd = WHERE / ERROR**2 / precision, precision**-0.5
    drawn = rng.normal(mean[:, None], sd[:, None], (len(WHERE), size))
    return drawn.clip(-8, 8), -stats.norm.logpdf(drawn, 0, 2)


def of_draws(size, rng):
    return cells.Matrix.of(
        [
            cells.row_of_draws(LINE, (x,), log_weight, size)
            for x, log_weight in zip(*interim_draws(size, rng), strict=True)
        ]
    )


def expected_of_draws(theta=THETA):
    """Closed likelihoods over the evidences under the interim prior, shape (theta, object)."""
    interim = stats.norm.logpdf(WHERE, 0, np.sqrt(4 + ERROR**2))
    sd = np.sqrt(theta[:, 1:] ** 2 + ERROR**2)
    return stats.norm.logpdf(WHERE, theta[:, :1], sd) - interim


def test_draws_of_an_interim_posterior_give_the_likelihood():
    matrix = of_draws(20_000, np.random.default_rng(1))
    log_density = at_used(matrix, normals())
    error = np.sqrt(matrix.relative_variance(log_density))
    score = (matrix.log_likelihood(log_density) - expected_of_draws()) / error
    # False alarm: 12 normal numbers beyond 4.5, 8e-5
    assert np.all(np.abs(score) < 4.5)
    assert np.all(error < 0.05)


def test_the_variance_is_that_of_repeated_draws():
    rng = np.random.default_rng(2)
    theta = THETA[:1]
    found, variance = [], []
    for _ in range(1000):
        matrix = of_draws(400, rng)
        log_density = at_used(matrix, normals(theta=theta))
        found.append(matrix.log_marginal(log_density)[0])
        variance.append(matrix.variance(log_density)[0])
    # the spread of 1000 variances is 4.5 percent: four of them, 6e-5
    assert np.var(found) == pytest.approx(np.mean(variance), rel=0.18)
    assert np.mean(found) == pytest.approx(expected_of_draws(theta).sum(), abs=0.1)


def test_a_selection_is_one_more_row_of_negative_power(line):
    rows = [normal_row(*of) for of in zip(WHERE, ERROR, strict=True)]
    edges = np.linspace(-8, 8, 20_001)
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    found_at = stats.norm.cdf((middle - 0.5) / 0.4)
    rows.append(cells.row_of_cells(LINE, (middle,), [found_at * width], power=-len(WHERE)))
    matrix = cells.Matrix.of(rows)
    mu, sigma = THETA.T
    seen = stats.norm.logcdf((mu - 0.5) / np.hypot(sigma, 0.4))
    found = matrix.log_marginal(at_used(matrix, normals()))
    alone = line.log_marginal(at_used(line, normals()))
    np.testing.assert_allclose(found, alone - len(WHERE) * seen, atol=2e-3)


def test_a_selection_known_by_injections_has_their_variance():
    rng = np.random.default_rng(3)
    mu, sigma = THETA[0]
    found, variance = [], []
    for _ in range(1000):
        injected = rng.normal(0, 1.5, 2000).clip(-8, 8)
        seen = injected[rng.random(2000) < stats.norm.cdf((injected - 0.5) / 0.4)]
        log_weight = -stats.norm.logpdf(seen, 0, 1.5)
        matrix = cells.Matrix.of([cells.row_of_draws(LINE, (seen,), log_weight, 2000, power=-10.0)])
        log_density = at_used(matrix, normals(theta=THETA[:1]))
        found.append(matrix.log_marginal(log_density)[0])
        variance.append(matrix.variance(log_density)[0])
    expected = -10 * stats.norm.logcdf((mu - 0.5) / np.hypot(sigma, 0.4))
    error = np.sqrt(np.mean(variance))
    # False alarm: four standard errors, 6e-5, besides a bias of half the variance over ten
    assert np.mean(found) == pytest.approx(expected, abs=4 * error / np.sqrt(1000) + error**2 / 15)
    assert np.var(found) == pytest.approx(np.mean(variance), rel=0.18)


def test_nothing_that_can_be_seen_is_not_possible():
    matrix = cells.Matrix.of(
        [
            normal_row(0.0, 0.5),
            cells.row_of_draws(LINE, (np.array([7.0]),), np.zeros(1), 100, power=-1.0),
        ]
    )
    log_density = np.where(np.abs(LINE.points[0]) < 1, 0.0, -np.inf)[None]
    assert matrix.log_marginal(at_used(matrix, log_density))[0] == -np.inf


def test_layers_are_summed_by_their_shares_and_tails_by_those_beyond():
    edges = np.linspace(-8, 8, 2001)
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    masses = [stats.norm.pdf(0.3, middle, error) * width for error in (0.4, 1.1)]
    tails = np.array([[0.2, 0.0], [0.1, 0.5]])
    row = cells.row_of_cells(LINE, (middle,), masses, tails=tails)
    matrix = cells.Matrix.of([normal_row(-1.0, 0.5, tails=np.zeros((1, 2))), row])
    shares = np.array([[1.0, 1, 1], [0.3, 0.5, 1], [0.7, 0.5, 0]])
    outside = np.array([[0.0, 0.1, 0.2], [0.3, 0.1, 0.0]])
    found = matrix.log_likelihood(at_used(matrix, normals()), outside, shares)
    mu, sigma = THETA.T
    of_layers = np.array([stats.norm.pdf(0.3, mu, np.hypot(sigma, error)) for error in (0.4, 1.1)])
    expected = np.sum(shares[1:] * (of_layers + tails @ outside), axis=0)
    np.testing.assert_allclose(found[:, 1], np.log(expected), atol=1e-3)
    alone = stats.norm.logpdf(-1.0, mu, np.hypot(sigma, 0.5))
    np.testing.assert_allclose(found[:, 0], alone, atol=1e-3)


def test_draws_of_points_follow_weight_times_density():
    edges = np.linspace(-8, 8, 2001)
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    grid = Grid((Axis(-8.0, 8.0, 33),))
    masses = [stats.norm.pdf(0.3, middle, error) * width for error in (0.4, 1.1)]
    row = cells.row_of_cells(grid, (middle,), masses)
    log_density, share = normals(grid)[:1, row.index], np.array([[0.3, 0.7]])
    size = 20_000
    points, layer = cell_draws.draw_points(
        row,
        np.repeat(log_density, size, axis=0),
        np.repeat(share, size, axis=0),
        np.random.default_rng(4),
    )
    expected = share.T * row.weight * np.exp(log_density)
    expected = expected.ravel() / expected.sum() * size
    number = layer * len(row.index) + np.searchsorted(row.index, points)
    counts = np.bincount(number, minlength=len(expected))
    many = expected > 10
    chi2 = np.sum((counts - expected)[many] ** 2 / expected[many])
    # False alarm: one in 10,000
    assert stats.chi2.sf(chi2, many.sum() - 1) > 1e-4
    assert counts[~many].sum() < expected[~many].sum() + 5 * np.sqrt(expected[~many].sum() + 1)


def test_draws_of_cells_follow_weight_times_share():
    rng = np.random.default_rng(3)
    weight = rng.random((6, 4)) * (rng.random((6, 4)) < 0.7)
    shares = rng.dirichlet(np.full(24, 0.5), 2).reshape(2, 6, 4)
    size = 10_000
    found = cell_draws.draw_cells(weight, shares, size, rng).reshape(2, size)
    for drawn, share in zip(found, shares, strict=True):
        expected = (weight * share).ravel()
        expected *= size / expected.sum()
        counts, some = np.bincount(drawn, minlength=24), expected > 5
        assert not counts[expected == 0].any()
        chi2 = np.sum((counts - expected)[some] ** 2 / expected[some])
        # False alarm: two in 10,000
        assert stats.chi2.sf(chi2, some.sum() - 1) > 1e-4


def test_where_a_population_has_no_share_cells_are_drawn_by_weight():
    weight = np.array([[0.0, 1.0], [0.0, 3.0]])
    drawn = cell_draws.draw_cells(weight, np.zeros((1, 2, 2)), 4000, np.random.default_rng(0))
    assert set(drawn) == {1, 3}
    # False alarm: one in 10,000
    assert abs(np.mean(drawn == 3) - 0.75) < 3.9 * np.sqrt(0.25 * 0.75 / 4000)


def test_tails_have_no_negative_variance():
    row = cells.row_of_draws(LINE, (np.zeros(50),), np.zeros(50), 50)
    matrix = cells.Matrix.of([replace(row, tails=np.ones((1, 2)))])
    log_density, outside = at_used(matrix, normals()[:1] - 9), np.array([[0.5], [0.5]])
    assert np.all(matrix.relative_variance(log_density, outside) >= 0)


def test_information_is_the_divergence_of_a_normal_posterior_from_its_population():
    row = normal_row(0.4, 0.5, tails=np.zeros((1, 2)))
    density = np.exp(normals(theta=np.array([[0.0, 1.0]])))[0]
    log_evidence, nats = cells.information(row, LINE.volume, density, np.zeros(2), np.ones(1))
    variance, mean = 1 / (1 / 0.25 + 1), 0.4 / 0.25 / (1 / 0.25 + 1)
    assert log_evidence == pytest.approx(stats.norm.logpdf(0.4, 0, np.hypot(1, 0.5)), abs=1e-3)
    expected = 0.5 * (variance + mean**2 - 1 - np.log(variance))
    assert nats == pytest.approx(expected, abs=1e-3)
