"""Claims about single families of any quantity: what they are, beyond the contract of all."""

import astropy.units as u
import numpy as np
import pytest
from scipy import stats

from astro_hier import populations
from astro_hier.populations.family import EVERYWHERE
from astro_hier.posterior.encoding import decode, encode

KNOTS = (0.0, 0.05, 0.2, 0.4, 0.7, 1.0)


def test_bins_have_a_unit_or_that_of_the_quantity():
    for family in (populations.Histogram, populations.DirichletHistogram):
        given = family([1, 2, 4] * u.solMass)
        assert given == family([1, 2, 4] * u.solMass)
        assert given == decode(encode(given))
        edges = given.in_unit_of(u.kg).edges
        np.testing.assert_allclose(edges, (np.array([1, 2, 4]) * u.solMass).to_value(u.kg))
        assert all(isinstance(x, float) for x in edges)
        assert family((1, 2, 4)).in_unit_of(u.kg).edges == (1.0, 2.0, 4.0)
        with pytest.raises(ValueError, match=r"edges=\[1.*solMass; expected .* Mpc, or in one"):
            given.in_unit_of(u.Mpc)
        for wrong in ([1, 3, 2] * u.solMass, (1, np.nan, 2), (1, 2), "abc", [[1, 2, 3]] * u.kg):
            with pytest.raises(ValueError, match="expected three or more numbers that rise"):
                family(wrong)
    with pytest.raises(ValueError, match="concentration=0; expected a positive number"):
        populations.DirichletHistogram((0, 1, 2), concentration=0)


@pytest.mark.parametrize("a", [0.3, 1.0, 5.0])
def test_shares_by_breaking_sticks_have_a_dirichlet_prior(a):
    # False alarm: 1e-4 a case
    family = populations.DirichletHistogram((0, 1, 3, 4, 5), concentration=a)
    z = np.random.default_rng(4).normal(size=(4000, 3))
    share = family.derive({"step": z})["share"]
    np.testing.assert_allclose(share.sum(axis=1), 1)
    for of in share.T:
        assert stats.kstest(of, stats.beta(a, 3 * a).cdf).pvalue > 0.25e-4
    for pair in (share[:, 0] + share[:, 1], share[:, 1] + share[:, 3]):
        assert stats.kstest(pair, stats.beta(2 * a, 2 * a).cdf).pvalue > 0.25e-4


def test_shares_keep_their_digits_in_both_tails():
    for a in (1.0, 1.0 + 1e-12):
        family = populations.DirichletHistogram((0, 1, 2), concentration=a)
        theta = {"step": np.array([[-8.0], [8.0]])}
        share = np.exp(family.log_density(np.array([0.5, 1.5]), theta))
        np.testing.assert_allclose(share[[0, 1], [0, 1]], stats.norm.cdf(-8.0), rtol=1e-6)


# gwpopulation 1.4.0, models.mass.two_component_single at MASSES, with gaussian_mass_maximum=80, of
# (alpha, mmin, mmax, lam, mpp, sigpp) = (2.6, 5, 80, 0.07, 33, 4) and (-1.5, 8, 50, 0.4, 70, 9)
MASSES = np.array([6.0, 12.0, 35.0, 70.0, 90.0])
TWO_COMPONENTS = [
    [0.187471429988, 0.0309212615888, 0.00807342297571, 0.000315408533425, 0.0],
    [0.0, 0.00356375813229, 0.0177622743911, 0.0204568537232, 0.0],
]


def test_a_power_law_and_a_peak_are_those_of_gravitational_wave_astronomy():
    family = populations.PowerLawPeak(peak_upper=80 * u.solMass).in_unit_of(u.solMass)
    theta = {
        "alpha": [2.6, -1.5], "lower": [5, 8], "upper": [80, 50], "fraction_peak": [0.07, 0.4],
        "mu_peak": [33, 70], "sigma_peak": [4, 9],
    }  # fmt: skip
    theta = {name: np.array(x, float) for name, x in theta.items()}
    found = np.exp(family.log_density(MASSES, theta))
    np.testing.assert_allclose(found, TWO_COMPONENTS, rtol=1e-10)
    with pytest.raises(ValueError, match=r"peak_upper=\[80.*; expected numbers in the unit of the"):
        populations.PowerLawPeak(peak_upper=80 * u.solMass).in_unit_of(u.Mpc)


def test_a_peak_far_beyond_the_ends_is_cut_there_all_the_same():
    theta = {
        "alpha": [2.3], "lower": [0.2], "upper": [2.5], "fraction_peak": [1.0],
        "mu_peak": [90.0], "sigma_peak": [0.2],
    }  # fmt: skip
    theta = {name: np.array(x) for name, x in theta.items()}
    edges = np.linspace(0, 3, 301)
    found = populations.PowerLawPeak().shares(edges, theta)
    assert found.sum() == pytest.approx(1)
    ratio = found[0, 248] / found[0, 249]  # 437 standard deviations out
    assert ratio == pytest.approx(np.exp(-0.01 * (90 - 2.49) / 0.04), rel=1e-3)


def test_a_spline_goes_through_its_knots():
    theta = {"smoothness": np.array([0.4]), "step": np.array([[-1.0, 0.5, 0.3, -2.0, 0.7]])}
    changes = np.diff(populations.Spline(KNOTS).log_density(np.array(KNOTS), theta))
    ratio = 0.4 * theta["step"] * np.sqrt(np.diff(KNOTS) / 0.2)
    np.testing.assert_allclose(changes, ratio, rtol=1e-12)
    given = populations.Spline([1, 2, 4] * u.solMass)
    assert given == decode(encode(given))
    np.testing.assert_allclose(given.in_unit_of(u.kg).knots[2], (4 * u.solMass).to_value(u.kg))
    with pytest.raises(ValueError, match=r"knots=.*expected three or more numbers that rise"):
        populations.Spline((1, 1, 2))


def test_a_spline_of_steep_steps_is_normalised():
    # as steep as a prior on the steps practically allows
    theta = {"smoothness": np.array([3.0]), "step": np.array([[4.0, -4.0, 4.0, -4.0, 4.0]])}
    family, x = populations.Spline(KNOTS), np.linspace(0, 1, 2_000_001)
    density = np.exp(family.log_density(x, theta)[0])
    assert np.sum((density[1:] + density[:-1]) / 2 * np.diff(x)) == pytest.approx(1, abs=1e-6)
    drawn = family.draw(theta, EVERYWHERE, 1000, np.random.default_rng(5))
    chance = np.random.default_rng(5).random((1, 1000))
    below = family.share(np.zeros(1000), drawn[0], theta)[:, 0]
    np.testing.assert_allclose(below, chance[0], atol=1e-6)


def test_families_of_eccentricities_describe_other_bounded_numbers():
    masses = populations.Gamma(alpha_e=3.0).on((0, np.inf))
    theta = {"alpha_e": np.array([3.0]), "scale_e": np.array([2.0])}
    x = np.array([0.5, 7.0, 40.0])
    expected = stats.gamma.logpdf(x, 3, scale=2)
    np.testing.assert_allclose(masses.log_density(x, theta)[0], expected, rtol=1e-13)
    assert masses.alpha_e == 3.0
    assert masses.extent({}) == (0, np.inf)
    assert populations.Gamma().bound == (0.0, 1.0)
