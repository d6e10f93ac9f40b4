"""Claims about sums over many rows from a few moments, and about the likelihood made of them."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from scipy import stats

from astro_hier import VelocityDispersion, datasets, priors
from astro_hier.core import error_moments
from astro_hier.models.velocity_dispersion import likelihood

KMS = u.km / u.s


def rows(n, errors, seed=1):
    """Values about 1000 and errors over this factor."""
    rng = np.random.default_rng(seed)
    error = np.exp(rng.uniform(0, np.log(errors), n))
    return rng.normal(1000, 5, n) + error * rng.standard_t(5, n), error


@pytest.mark.parametrize("errors", [1.001, 3, 30, 1000, 1e6])
def test_sums_are_those_of_the_rows_whatever_the_variance(errors):
    value, error = rows(30_000, errors)
    moments = error_moments.of_rows(value, error)
    assert len(moments.error) <= 5 * 32
    assert moments.tolerance < error_moments.TOLERANCE
    for S in np.exp(np.linspace(-8, 20, 29)):
        for mean in (1000.0, 1004.0, 0.0, -1e6):
            variance = S**2 + error**2
            expected = stats.norm.logpdf(value, mean, np.sqrt(variance)).sum()
            found = moments.log_density(np.array([mean]), (S**2 + moments.error**2)[None])
            chi2 = np.sum((value - mean) ** 2 / variance) / len(value)
            assert abs(found[0] - expected) < moments.tolerance * max(1, chi2) + 1e-12 * abs(
                expected
            )


def test_errors_that_repeat_are_not_interpolated():
    value, error = rows(5000, 1e9)
    error = np.array([0.1, 3.0, 1e8])[np.arange(5000) % 3]
    moments = error_moments.of_rows(value, error)
    assert moments.error.tolist() == [0.1, 3.0, 1e8]
    assert moments.tolerance == 0
    expected = stats.norm.logpdf(value, 999.0, np.hypot(2.0, error)).sum()
    found = moments.log_density(np.array([999.0]), (4.0 + moments.error**2)[None])
    assert found[0] == pytest.approx(expected, rel=1e-12)


def test_nodes_grow_with_rows_until_too_many_would_be_needed():
    value, error = rows(1000, 30)
    few = error_moments.of_rows(value, error)
    more = error_moments.of_rows(np.tile(value, 100), np.tile(error, 100) * 1.0001)
    assert len(few.error) < len(more.error)
    assert error_moments._number(0.5 * error_moments.WIDEST, 10**8)[0] is not None
    assert error_moments._number(0.5 * error_moments.WIDEST, 10**13)[0] is None


@pytest.mark.parametrize(
    ("options", "redshift"),
    [({}, False), ({"error_scale": priors.LogNormal(0, 0.5)}, False), ({}, True)],
)
def test_likelihood_of_many_rows_is_that_of_all_of_them(options, redshift):
    n = 3000
    error = np.random.default_rng(2).uniform(0.5, 20, n)
    table = datasets.make_velocities(n, error=error * KMS, redshift=redshift, random_state=2)
    model = VelocityDispersion(**options)
    data = model.prepare(model.read(table), progressbar=False)
    assert data.moments is not None
    v_sys, ln_sigma_v = (x.ravel() for x in np.meshgrid([-500, 99, 101], [-3, 1.6, 1.7, 8]))
    theta = {"v_sys": v_sys, "ln_sigma_v": ln_sigma_v, "error_scale": np.linspace(0.2, 5, 12)}
    expected = likelihood.log_densities(data, theta)[0].sum(axis=1)
    np.testing.assert_allclose(model.log_marginal(data, theta), expected, rtol=1e-11, atol=1e-5)


def test_few_rows_and_a_background_take_the_sum():
    table = datasets.make_velocities(likelihood.MANY - 1, random_state=1)
    model = VelocityDispersion()
    assert model.prepare(model.read(table), False).moments is None
    many = datasets.make_velocities(likelihood.MANY, random_state=1)
    mixed = VelocityDispersion(outliers=True)
    assert mixed.prepare(mixed.read(many), False).moments is None


def test_results_of_many_rows_come_in_blocks(monkeypatch):
    rng = np.random.default_rng(3)
    velocity = np.append(rng.normal(0, 5, 90), rng.normal(0, 3000, 10))
    table = QTable({"velocity": velocity * KMS, "velocity_error": rng.uniform(1, 2, 100) * KMS})
    model = VelocityDispersion(outliers=True, star_draws=False)
    model.fit(table, draws=25, random_state=1, progressbar=False)
    data, theta = model.fitted_data(), {n: model.samples(n).value for n in model.sampled_names()}

    def results():
        columns = model.star_table()
        return [
            model.log_marginal(data, theta),
            model.log_likelihood(data, theta),
            likelihood.membership(data, theta),
            columns["v"].unmasked.value,
            columns["member"],
        ]

    together = results()
    monkeypatch.setattr("astro_hier.core.threads.CHUNK", 13)
    assert len(data.blocks()) == 8
    for found, expected in zip(results(), together, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
