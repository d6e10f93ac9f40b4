"""The reference for period-luminosity relations agrees with itself, by other routes."""

import numpy as np
import pytest
import relation_reference as reference
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

THETA = {
    "alpha": -0.6, "beta": -2.0, "gamma": 0.2, "scatter": 0.15, "mu_log_period": -0.28,
    "sigma_log_period": 0.08, "mu_feh": -1.3, "sigma_feh": 0.5, "mu_modulus": 10.3,
    "sigma_modulus": 1.0, "modulus_period": 3.0, "modulus_feh": -0.4, "feh_period": -3.0,
    "zero_point": -0.02, "error_scale": 1.2, "outlier_fraction": 0.1, "outlier_scatter": 0.6,
}  # fmt: skip
STARS = reference.Stars(
    log_period=np.array([-0.25, -0.4]), magnitude=np.array([10.4, 9.1]),
    magnitude_error=np.array([0.1, 0.05]), parallax=np.array([-0.1, 1.4]),
    parallax_error=np.array([0.3, 0.1]), log_period_error=0.02, feh=np.array([-1.9, -0.8]),
    feh_error=0.2,
)  # fmt: skip


@pytest.mark.parametrize("star", [0, 1])
def test_latents_sum_to_the_density_of_the_data(star):
    """Of the normals one after another, by midpoints: x and z about what was measured."""
    one = STARS[star]
    parts = [np.linspace(-1, 1, number) for number in (21, 21, 101, 21)]
    scale = np.array([0.09, 1.0, 3.0, 5 * one.magnitude_error[0]])
    dx, dz, M, noise = (s * part for s, part in zip(scale, np.meshgrid(*parts), strict=True))
    latents = one.log_period + dx, one.feh + dz, M - 0.3, one.magnitude - M + 0.3 + noise
    log_p = reference.log_joint(THETA, latents, one)
    cell = np.prod([s * (part[1] - part[0]) for s, part in zip(scale, parts, strict=True)])
    total = logsumexp(log_p) + np.log(cell)
    assert total == pytest.approx(reference.log_density(THETA, one)[0], abs=2e-4)


def test_without_metallicity_it_is_summed_over():
    one = STARS[0]
    without = reference.Stars(**vars(one) | {"feh": None, "feh_error": 0.0})
    grid = np.linspace(-6, 4, 201)
    each = reference.Stars(
        **{name: np.repeat(value, 201) for name, value in vars(one).items()} | {"feh": grid}
    )
    total = logsumexp(reference.log_density(THETA, each)) + np.log(grid[1] - grid[0])
    assert total == pytest.approx(reference.log_density(THETA, without)[0], abs=1e-8)


def test_the_lattice_is_the_quadrature():
    rng = np.random.default_rng(0)
    r, t = 10 ** rng.uniform(-1, 1, 100), 10 ** rng.uniform(-2, 0.3, 100)
    over_error = np.append(rng.uniform(-5, 5, 50), 10 ** rng.uniform(0, 3, 50))
    error = 1 / r / np.maximum(np.abs(over_error), 1)
    where = over_error * error, error, np.log(r) + t * rng.normal(size=100), t
    by_lattice = [reference.log_integrals(*one[:, None])[0] for one in np.transpose(where)]
    assert by_lattice == pytest.approx(np.vectorize(reference.log_integral)(*where), abs=1e-6)


def test_a_parallax_that_is_linear_in_u_has_a_closed_form():
    """For a narrow t, of which e^-u is a straight line to second order."""
    u0, t, error = 0.3, 1e-5, 1e-5
    parallax = np.exp(-u0) + 2e-5
    expected = norm.logpdf(parallax, np.exp(-u0), np.hypot(error, t * np.exp(-u0)))
    assert reference.log_integral(parallax, error, u0, t) == pytest.approx(expected, abs=1e-4)


def test_what_is_jointly_normal_is_as_drawn():
    """Mean and covariance of a million latents, in 5 standard errors of each of twenty numbers."""
    rng, t = np.random.default_rng(1), THETA
    e = rng.standard_normal((4, 1_000_000))
    dx = t["sigma_log_period"] * e[0]
    dz = t["feh_period"] * dx + t["sigma_feh"] * e[1]
    x, z = t["mu_log_period"] + dx, t["mu_feh"] + dz
    M = t["alpha"] + t["beta"] * x + t["gamma"] * z + t["scatter"] * e[2]
    mu = t["mu_modulus"] + t["modulus_period"] * dx + t["modulus_feh"] * dz
    drawn = np.array([x, z, M, mu + t["sigma_modulus"] * e[3]])
    mean, covariance = reference.latent_normal(t, t["scatter"])
    sd = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(drawn.mean(axis=1) - mean) < 5e-3 * sd)
    assert np.all(np.abs(np.cov(drawn) - covariance) < 5e-3 * np.sqrt(2) * np.outer(sd, sd))
    log_p, *_ = reference.without_parallax(t, STARS, t["scatter"])
    H = STARS.response()
    for n, (y, noise) in enumerate(zip(STARS.measured(), STARS.noise(), strict=True)):
        dense = multivariate_normal(H @ mean, H @ covariance @ H.T + noise)
        assert log_p[n] == pytest.approx(dense.logpdf(y), abs=1e-10)
