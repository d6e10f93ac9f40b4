"""Claims about families of eccentricities beyond those about all families."""

import astropy.units as u
import numpy as np
import pytest
from scipy import stats

from astro_hier import priors
from astro_hier.populations.eccentricity import KnownDistribution
from astro_hier.populations.eccentricity_families import (
    Beta,
    Exponential,
    Gamma,
    Rayleigh,
    RayleighExponential,
)
from astro_hier.populations.histogram import EccentricityHistogram, PeriodHistogram
from astro_hier.posterior.encoding import decode, encode

EDGES = np.linspace(0, 1, 21)
FAMILIES = (Beta(), Rayleigh(), Exponential(), Gamma(), RayleighExponential(),
            EccentricityHistogram(), KnownDistribution())  # fmt: skip


def shares(family, theta, edges=EDGES):
    """Of the cells between edges, shape (theta, cell)."""
    return family.share(edges[:-1], edges[1:], theta).T


def drawn(family, size):
    """Hyperparameters drawn from their priors."""
    rng = np.random.default_rng(0)
    theta = {"mu": np.zeros(size)}
    for name in family.sampled:
        theta[name] = getattr(family, name).frozen(u.one).rvs(size, random_state=rng)
    for name, number in family.standard_normals.items():
        theta[name] = rng.normal(size=(size, number))
    return theta


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: type(f).__name__)
def test_all_that_the_priors_allow_has_shares_that_add_up_to_one(family):
    theta = drawn(family, 2000)
    found = shares(family, theta)
    assert found.shape == (2000, 20)
    assert found.min() >= 0
    np.testing.assert_allclose(family.shares(EDGES, theta), found, rtol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    e = family.draw(theta, (0, 1), 3, np.random.default_rng(1))
    assert np.all((e >= 0) & (e < 1))
    assert not np.isnan(family.log_density(np.array([0.01, 0.5, 0.99]), theta)).any()
    assert np.all(family.width(theta) > 0)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: type(f).__name__)
def test_a_family_survives_saving(family):
    assert decode(encode(family)) == family


def test_a_density_without_bound_at_zero_has_finite_shares():
    # Kipping (2013): most planets' orbits are nearly circular
    theta = {"alpha_e": np.array([0.867]), "beta_e": np.array([3.03])}
    expected = np.diff(stats.beta(0.867, 3.03).cdf(EDGES))
    np.testing.assert_allclose(shares(Beta(), theta)[0], expected, rtol=1e-12, atol=1e-15)
    known = KnownDistribution()
    np.testing.assert_allclose(shares(known, theta)[0], expected, rtol=1e-12, atol=1e-15)


def test_a_wide_rayleigh_distribution_is_thermal_and_a_wide_exponential_one_uniform():
    thermal = shares(Rayleigh(), {"sigma_e": np.array([300.0])})[0]
    np.testing.assert_allclose(thermal, np.diff(EDGES**2), rtol=1e-4)
    uniform = shares(Exponential(), {"scale_e": np.array([3e4])})[0]
    np.testing.assert_allclose(uniform, 0.05, rtol=1e-4)


def test_an_exponential_distribution_is_a_gamma_distribution_and_one_of_two_components():
    scale = np.array([0.1, 0.9])
    expected = shares(Exponential(), {"scale_e": scale})
    gamma = shares(Gamma(), {"alpha_e": np.ones(2), "scale_e": scale})
    np.testing.assert_allclose(gamma, expected, rtol=1e-10)
    both = {"fraction_e": np.ones(2), "scale_e": scale, "sigma_e": scale}
    np.testing.assert_allclose(shares(RayleighExponential(), both), expected, rtol=1e-10)


def test_starting_points_have_the_moments_of_the_data():
    e = np.random.default_rng(0).beta(2, 5, 5000)
    for family in (Beta(), Gamma()):
        start = {name: np.array([value]) for name, value in family.initial(e).items()}
        whole = family.whole(start)
        np.testing.assert_allclose([whole.mean()[0], whole.std()[0]], [e.mean(), e.std()])


def test_a_smooth_histogram_is_uniform_and_its_prior_the_same_from_either_end():
    family = EccentricityHistogram((0.0, 0.1, 0.5, 0.6, 1.0))
    theta = {"smoothness_e": np.array([0.0]), "step_e": np.array([[1.0, -2.0, 3.0]])}
    share = family.derive(theta)["share_e"][0]
    np.testing.assert_allclose(share, [0.1, 0.4, 0.1, 0.4], rtol=1e-12)
    mirrored = EccentricityHistogram((0.0, 0.4, 0.5, 0.9, 1.0))
    theta["smoothness_e"] = np.array([0.7])
    share = family.derive(theta)["share_e"][0]
    back = theta | {"step_e": -theta["step_e"][:, ::-1]}
    np.testing.assert_allclose(mirrored.derive(back)["share_e"][0], share[::-1], rtol=1e-12)


def test_neighbouring_heights_differ_by_the_smoothness_whatever_the_width_of_bins():
    # False alarm: sd of 4000 steps known to 1.1 percent, five of these once in 2e6
    rng = np.random.default_rng(0)
    family = EccentricityHistogram((0.0, 0.05, 0.1, 0.5, 1.0))
    theta = {"smoothness_e": np.full(4000, 0.5), "step_e": rng.normal(size=(4000, 3))}
    height = family.derive(theta)["share_e"] / np.diff(family.edges)
    step = np.diff(np.log(height), axis=1) / np.sqrt(np.diff([0.025, 0.075, 0.3, 0.75]) / 0.25)
    np.testing.assert_allclose(step.std(axis=0), 0.5, rtol=0.056)


def test_a_histogram_starts_near_the_heights_of_the_data():
    e = np.random.default_rng(0).beta(2, 5, 20_000)
    family = EccentricityHistogram((0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    start = {name: np.array([value]) for name, value in family.initial(e).items()}
    found = family.derive(start)["share_e"][0]
    expected = np.diff(stats.beta(2, 5).cdf(family.edges))
    assert np.abs(found - expected)[:3].max() < 0.15
    assert np.argmax(found) == np.argmax(expected)


def test_what_is_no_distribution_of_eccentricities_is_refused():
    for edges in ((0, 1), (0, 0.5, 0.5, 1), (0, 0.5, 2), 10, "abc", (), ((0, 0.5, 1),)):
        with pytest.raises(ValueError, match=r"expected three or more numbers that rise from 0"):
            EccentricityHistogram(edges)
    with pytest.raises(ValueError, match=r"numbers that rise, ln\(P / d\) at the edges of bins"):
        PeriodHistogram((0.0, np.inf, 3.0))
    with pytest.raises(ValueError, match="expected periods"):
        PeriodHistogram([1, 2, 3] * u.km)
    assert PeriodHistogram([1, 10, 100] * u.yr).edges[0] == pytest.approx(np.log(365.25))
    with pytest.raises(priors.PriorError, match="must lie between 0"):
        KnownDistribution(priors.Normal(0.3, 0.1))
    with pytest.raises(priors.PriorError, match="with a density"):
        KnownDistribution(priors.Fixed(0.3))
    with pytest.raises(priors.PriorError, match="must not be negative"):
        Beta(alpha_e=priors.Normal(1, 1))
    with pytest.raises(ValueError, match="EccentricityHistogram has a log_density but no pymc"):
        EccentricityHistogram().check_pymc()


class Steeper(Beta):
    """Another distribution, of which Beta's PyMC form is not that."""

    def whole(self, theta):
        return stats.beta(theta["alpha_e"], 2 * theta["beta_e"])


def test_a_pymc_form_is_that_of_the_distribution():
    Beta().check_pymc()
    with pytest.raises(ValueError, match="Steeper has a log_density but no pymc of its own"):
        Steeper().check_pymc()
