"""Claims about priors and their units."""

import pickle

import astropy.units as u
import numpy as np
import pytest
from scipy import stats

from astro_hier import priors
from astro_hier.priors.base import FrozenPrior

FAMILIES = {
    "Normal": priors.Normal(500 * u.pc, 100 * u.pc),
    "TruncatedNormal": priors.TruncatedNormal(500 * u.pc, 400 * u.pc, lower=0 * u.pc),
    "HalfNormal": priors.HalfNormal(300 * u.pc),
    "Uniform": priors.Uniform(100 * u.pc, 900 * u.pc),
    "LogUniform": priors.LogUniform(100 * u.pc, 900 * u.pc),
    "LogNormal": priors.LogNormal(-0.5, 0.4, scale=1 * u.kpc),
    "Exponential": priors.Exponential(400 * u.pc),
    "HalfCauchy": priors.HalfCauchy(300 * u.pc),
    "StudentT": priors.StudentT(4, 500 * u.pc, 200 * u.pc),
    "StudentT, cut": priors.StudentT(4, 0.5 * u.kpc, 200 * u.pc, lower=100 * u.pc),
    "Gamma": priors.Gamma(3, 150 * u.pc),
    "Beta": priors.Beta(2, 3),
    "Beta, cut": priors.Beta(0.867, 3.03, 0.05, 0.8),
}


def test_every_family_is_in_the_list_above():
    listed = {type(prior).__name__ for prior in FAMILIES.values()}
    assert listed | {"Fixed", "PeriodScaled", "Prior", "PriorError"} == {*priors.__all__}


@pytest.mark.parametrize("name", FAMILIES)
def test_scipy_and_pymc_have_the_same_log_density(name):
    import pymc as pm

    prior = FAMILIES[name]
    unit = u.kpc if prior.unit.is_equivalent(u.pc) else u.one
    values = np.array([0.12, 0.3, 0.5, 0.77, 0.89])
    with pm.Model():
        variable = prior.pymc("x", unit)
        by_pymc = [pm.logp(variable, value).eval() for value in values]
    # PyMC normalises its truncated normal distribution to 4e-9
    np.testing.assert_allclose(prior.frozen(unit).logpdf(values), by_pymc, rtol=0, atol=1e-8)


@pytest.mark.parametrize("prior", [*FAMILIES.values(), priors.Fixed(1 * u.pc)], ids=repr)
def test_every_prior_evaluates_to_what_is_asked_of_one(prior):
    assert isinstance(prior.frozen(prior.unit), FrozenPrior)


@pytest.mark.parametrize("name", FAMILIES)
def test_density_does_not_depend_on_the_unit(name):
    prior = FAMILIES[name]
    if prior.unit == u.one:
        pytest.skip("a number without unit")
    in_kpc, in_lyr = prior.frozen(u.kpc), prior.frozen(u.lyr)
    values = np.linspace(0.15, 0.85, 7)
    factor = u.kpc.to(u.lyr)
    np.testing.assert_allclose(
        in_kpc.logpdf(values), in_lyr.logpdf(values * factor) + np.log(factor), rtol=1e-9
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_quantile_is_the_inverse_of_the_distribution(name):
    frozen = FAMILIES[name].frozen(FAMILIES[name].unit)
    probabilities = np.linspace(0.01, 0.99, 9)
    np.testing.assert_allclose(frozen.cdf(frozen.ppf(probabilities)), probabilities, rtol=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
def test_tails_can_be_inverted_far_out(name):
    frozen = FAMILIES[name].frozen(FAMILIES[name].unit)
    tails = np.array([1e-3, 1e-12, 1e-60])
    if np.isfinite(frozen.support()[1]):
        np.testing.assert_allclose(frozen.isf(tails[1:]), frozen.support()[1], rtol=1e-3)
    else:
        np.testing.assert_allclose(frozen.sf(frozen.isf(tails)), tails, rtol=1e-6)


def test_draws_and_support_carry_the_unit():
    prior = FAMILIES["Uniform"]
    draws = prior.rvs(100, random_state=0)
    low, high = prior.support()
    assert draws.unit == u.pc
    assert np.all((draws > low) & (draws < high))
    assert (low, high) == (100 * u.pc, 900 * u.pc)
    np.testing.assert_allclose(prior.logpdf(0.5 * u.kpc), -np.log(800))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: priors.Normal(1, -1), "sigma must be greater than zero"),
        (lambda: priors.Uniform(2, 1), "lower must be less than upper"),
        (lambda: priors.Uniform(0, np.inf), "upper must be finite"),
        (lambda: priors.Uniform(2 * u.pc, 1 * u.kg), "upper has unit 'kg'"),
        (
            lambda: priors.Normal(1 * u.pc, 1),
            r"sigma has unit 'none', expected a Quantity .* such as 1 \* u.pc",
        ),
        (lambda: priors.Gamma(2 * u.pc, 1 * u.pc), "alpha has unit 'pc'"),
        (lambda: priors.Normal([1, 2], 1), "mu must be one number"),
        (lambda: priors.Normal("1 pc", 1), "mu must be one number"),
        (lambda: priors.Normal(np.nan, 1), "mu must be one number"),
        (lambda: priors.Beta(1, 2, upper=1.5), "lower and upper must lie between 0 and 1"),
        (lambda: priors.Beta(1, 2, 0.5, 0.5), "lower must be less than upper"),
    ],
)
def test_impossible_priors_are_refused(make, message):
    with pytest.raises(priors.PriorError, match=message):
        make()


def test_zero_and_open_ends_need_no_unit():
    prior = priors.TruncatedNormal(1 * u.kpc, 2 * u.kpc, lower=0)
    assert prior.frozen(u.pc).support() == (0, np.inf)


def test_check_names_the_parameter_and_what_is_accepted():
    with pytest.raises(priors.PriorError, match=r"mu_r .*kpc.*expected .*length"):
        priors.check("mu_r", priors.Normal(1 * u.s, 2 * u.s), u.kpc)
    with pytest.raises(priors.PriorError, match=r"mu_r=3 is not a prior.*Normal"):
        priors.check("mu_r", 3, u.kpc)


@pytest.mark.parametrize("ends", [(0, 0.95), (0.3, 1), (0.2, 0.21), (0.9, 0.999)])
def test_a_beta_cut_at_its_ends_is_the_rest_normalised(ends):
    # False alarm: 1e-4.
    cut, whole = priors.Beta(0.867, 3.03, *ends).frozen(u.one), stats.beta(0.867, 3.03)
    share = whole.cdf(ends[1]) - whole.cdf(ends[0])
    x = np.linspace(*ends, 9)
    np.testing.assert_allclose(cut.logpdf(x[1:-1]), whole.logpdf(x[1:-1]) - np.log(share))
    np.testing.assert_allclose(cut.cdf(x), (whole.cdf(x) - whole.cdf(ends[0])) / share, atol=1e-12)
    np.testing.assert_allclose(cut.sf(x), 1 - cut.cdf(x), atol=1e-12)
    np.testing.assert_allclose(cut.ppf(cut.cdf(x)), x)
    np.testing.assert_allclose(cut.isf(cut.sf(x)), x)
    assert cut.median() == pytest.approx(cut.isf(0.5))
    mean = whole.expect(lambda x: x, *ends, conditional=True)
    variance = whole.expect(lambda x: (x - mean) ** 2, *ends, conditional=True)
    assert (cut.mean(), cut.std()) == pytest.approx((mean, np.sqrt(variance)))
    assert cut.support() == ends
    assert np.all(np.isneginf(cut.logpdf([ends[0] - 0.01, ends[1] + 0.01])))
    drawn = cut.rvs(2000, random_state=np.random.default_rng(1))
    assert stats.kstest(drawn, cut.cdf).pvalue > 1e-4


def test_a_cut_beta_keeps_its_digits_far_out():
    # the upper tail of Beta(1, 20) is (1 - x)^20
    cut = priors.Beta(1, 20, lower=0.99).frozen(u.one)
    x = np.array([0.992, 0.995, 0.9999])
    np.testing.assert_allclose(cut.sf(x), ((1 - x) / 0.01) ** 20)
    np.testing.assert_allclose(cut.isf(cut.sf(x)), x)


def test_the_tangent_of_a_uniform_angle_is_a_cut_student_t():
    # False alarm: 1e-4.
    ends = -0.4, 1.1
    cut = priors.StudentT(1, 0, 1, *np.tan(ends)).frozen(u.one)
    x = np.linspace(*np.tan(ends), 9)
    np.testing.assert_allclose(cut.cdf(x), (np.arctan(x) - ends[0]) / np.diff(ends), atol=1e-12)
    mean = np.diff(np.log(1 / np.cos(ends))) / np.diff(ends)
    assert cut.mean() == pytest.approx(*mean)
    drawn = np.arctan(cut.rvs(2000, random_state=np.random.default_rng(1)))
    assert stats.kstest(drawn, stats.uniform(ends[0], np.ptp(ends)).cdf).pvalue > 1e-4


def test_a_tail_may_be_too_heavy_for_a_mean():
    assert priors.StudentT(1, 0, 1, upper=0).frozen(u.one).mean() == -np.inf
    # a half of a t distribution of three degrees of freedom has a mean of sqrt(12) / pi
    half = priors.StudentT(3, 0, 1, lower=0).frozen(u.one)
    assert half.mean() == pytest.approx(np.sqrt(12) / np.pi)
    assert half.median() == pytest.approx(stats.t(3).ppf(0.75))


def test_pymc_cuts_a_cut_beta_again():
    import pymc as pm

    prior = priors.Beta(2, 3, 0.1, 0.8)
    with pm.Model() as model:
        low = pm.Uniform("low", 0, 0.7, initval=0.3)
        prior.pymc_above("x", u.one, low, excess=0.2)
    frozen = prior.frozen(u.one)
    expected = frozen.logpdf(0.5) - np.log(frozen.sf(0.3))
    assert model.point_logps(round_vals=12)["x_prior_"] == pytest.approx(expected)


def test_repr_shows_units():
    assert repr(priors.Normal(1 * u.kpc, 2 * u.kpc)) == "Normal(mu=1.0 kpc, sigma=2.0 kpc)"
    assert repr(priors.Beta(1, 9)) == "Beta(alpha=1, beta=9)"
    assert repr(priors.StudentT(4, 0, 1)) == "StudentT(nu=4, mu=0, sigma=1)"
    assert repr(priors.StudentT(1, 0, 1, upper=0)).endswith("lower=-inf, upper=0)")
    assert repr(priors.Beta(1, 9, upper=0.95)) == "Beta(alpha=1, beta=9, lower=0.0, upper=0.95)"


def test_distributions_are_frozen_once_and_priors_are_pickled_without_them():
    prior = priors.TruncatedNormal(1 * u.day, 2 * u.day, lower=0 * u.day)
    frozen = prior.frozen(u.day)
    assert prior.frozen(u.day) is frozen
    assert prior.frozen(u.hour).mean() == pytest.approx(24 * frozen.mean())
    again = pickle.loads(pickle.dumps(prior))
    assert again == prior
    assert set(vars(again)) == {"mu", "sigma", "lower", "upper"}


@pytest.mark.parametrize("name", FAMILIES)
def test_distributions_are_pickled(name):
    frozen = FAMILIES[name].frozen(u.pc)
    again = pickle.loads(pickle.dumps(frozen))
    shares = np.array([1e-20, 0.3, 0.9])
    np.testing.assert_array_equal(again.isf(shares), frozen.isf(shares))
    np.testing.assert_array_equal(again.cdf([200, 600]), frozen.cdf([200, 600]))
