"""The references for populations from samples agree with each other."""

import numpy as np
import pytest
import sample_reference as reference
from astropy.table import QTable
from scipy.stats import norm


def test_sums_over_draws_and_injections_agree_with_the_closed_form():
    """In units of the error that they state; false alarms: 5.7 sigma of twelve."""
    rng = np.random.default_rng(0)
    value, error, draws = reference.normal_objects(30, 4000)
    wide, of_all, threshold = norm(0, 1), 40_000, 0.1
    drawn = wide.rvs(of_all, random_state=rng)
    found = drawn[drawn + rng.choice(error, of_all) * rng.normal(size=of_all) > threshold]
    data = reference.Draws(
        list(draws), [np.zeros(4000)] * 30, [np.ones(4000)] * 30, found, wide.logpdf(found), of_all
    )
    for mu in (-0.1, 0.0, 0.2):
        for sigma in (0.1, 0.2, 0.4, 0.8):

            def log_density(x, mu=mu, sigma=sigma):
                return norm.logpdf(x, mu, sigma)

            exact = reference.log_normal_population(value, error, mu, sigma)
            exact -= 30 * reference.log_share_above(threshold, error, mu, sigma)
            direct = reference.log_likelihood(log_density, data)
            assert abs(direct - exact) < 5.7 * reference.log_likelihood_error(log_density, data)


def test_a_density_of_draws_divides_and_a_weight_multiplies():
    x = np.array([0.1, 0.4, 0.7])
    plain = reference.Draws([x], [np.log([1.0, 2.0, 4.0])])
    weighted = reference.Draws([x], None, [np.array([1.0, 0.5, 0.25])])
    assert reference.log_likelihood(norm.logpdf, plain) == pytest.approx(
        reference.log_likelihood(norm.logpdf, weighted), rel=1e-13
    )
    assert reference.log_likelihood_error(norm.logpdf, plain) == pytest.approx(
        reference.log_likelihood_error(norm.logpdf, weighted), rel=1e-12
    )


def test_the_stated_error_is_the_scatter():
    """Of 400 sets of draws, whose sd has an error of 3.5 percent: false alarms at 5 sigma."""
    rng = np.random.default_rng(1)
    scatter, stated = [], []
    for _ in range(400):
        found = rng.normal(0, 1, 1000)
        found = found[found > 0]
        data = reference.Draws(
            list(rng.normal(0, 0.3, (5, 200))), None, None, found, norm.logpdf(found), 1000
        )

        def log_density(x):
            return norm.logpdf(x, 0.1, 0.4)

        scatter.append(reference.log_likelihood(log_density, data))
        stated.append(reference.log_likelihood_error(log_density, data))
    assert np.std(scatter) == pytest.approx(np.mean(stated), rel=0.18)


def test_moments_on_a_grid_are_those_of_a_normal_density():
    axes = {"a": np.linspace(-6, 8, 61), "b": np.linspace(-1, 5, 61), "c": np.array([0.0, 1.0])}

    def log_posterior(theta):
        return -0.5 * (theta["a"] - 1) ** 2 - 2 * (theta["b"] - 2) ** 2 + np.log(1 + theta["c"])

    found = reference.posterior_on_grid(log_posterior, axes)
    assert found["a"] == pytest.approx((1, 1), rel=1e-4)
    assert found["b"] == pytest.approx((2, 0.5), rel=1e-4)
    assert found["c"] == pytest.approx((2 / 3, np.sqrt(2) / 3))


def test_the_posterior_of_the_normal_objects_is_the_stored_one():
    value, error, _ = reference.normal_objects(each=1)
    found = reference.normal_posterior(value, error, 120)
    for name, expected in reference.NORMAL_POSTERIOR.items():
        assert found[name] == pytest.approx(expected, abs=0.001 * expected[1])


def test_two_components_equal_sums_over_all_five_parameters():
    """Of three objects, with the plainest of sums instead of tables and a rule for the share."""
    value, error = np.array([1.2, 1.4, 1.9]), np.array([0.1, 0.2, 0.1])
    axes = {name: reference.midpoints(*ends, 6) for name, ends in reference.MASSES.items()}
    axes["separation"] = reference.midpoints(*reference.MASSES["separation"], 10)
    axes["fraction1"] = reference.midpoints(0, 1, 400)

    def log_posterior(theta):
        first = norm.pdf(
            value[:, None], theta["mu1"], np.hypot(np.exp(theta["lnsigma1"]), error[:, None])
        )
        mu2, sigma2 = theta["mu1"] + theta["separation"], np.exp(theta["lnsigma2"])
        second = norm.pdf(value[:, None], mu2, np.hypot(sigma2, error[:, None]))
        share = theta["fraction1"]
        return np.log(share * first + (1 - share) * second).sum(0)

    plain = reference.posterior_on_grid(log_posterior, axes)
    found = reference.two_normals_posterior(value, error, 6)
    for name, expected in plain.items():
        assert found[name] == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_the_posterior_of_the_neutron_stars_is_the_stored_one(shared_data):
    stars = QTable.read(shared_data / "neutron_stars" / "masses.ecsv")
    found = reference.two_normals_posterior(stars["mass"].value, stars["mass_error"].value)
    for name, (mean, sd) in reference.MASSES_POSTERIOR.items():
        assert found[name] == pytest.approx((mean, sd), abs=0.015 * sd)
