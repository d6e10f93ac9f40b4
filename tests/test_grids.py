"""Claims about the grids in ln P: each population is followed, and none is cut off in silence."""

import warnings
from functools import partial

import numpy as np
import pytest
from scipy import stats

from astro_hier import BinaryPopulation, datasets, populations, priors
from astro_hier.checks import CheckWarning
from astro_hier.core.population import STEPS_PER_WIDTH, LnPeriodGrid
from astro_hier.models import grids
from astro_hier.models.binary_population.prepare import LAYERS

ENDS = 0.5, 3000.0


def fit(table, seed=0, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckWarning)
        return BinaryPopulation(**options).fit(table, random_state=seed, progressbar=False)


def plan(prior, n_rows=20):
    model = BinaryPopulation(lnsigma=prior)
    following = partial(LnPeriodGrid.following, *ENDS)
    return grids.plan(model.population, model.frozen_priors(), following, n_rows)


def failed(model):
    return {finding.name: finding for finding in model.findings() if finding.failed}


@pytest.fixture(scope="module")
def table():
    return datasets.make_binaries(15, 10, random_state=3)


@pytest.fixture(scope="module")
def narrow():
    """All periods within two percent."""
    return datasets.make_binaries(15, 12, sigma=0.02, random_state=3)


def test_widths_are_those_of_each_draw():
    theta = {"mu": np.zeros(3), "lnsigma": np.array([-5.0, 0.0, 2.0])}
    found = populations.Normal().width(theta)
    np.testing.assert_allclose(found, np.exp(theta["lnsigma"]))
    both = {
        "mu1": np.zeros(2), "separation": np.ones(2), "fraction1": np.full(2, 0.5),
        "lnsigma1": np.array([-3.0, 1.0]), "lnsigma2": np.array([0.0, -2.0]),
    }  # fmt: skip
    found = populations.NormalMixture().width(both)
    np.testing.assert_allclose(found, np.exp([-3.0, -2.0]))

    class WithASpike(populations.Normal):
        def smallest_width(self, frozen):
            return 0.1 * super().smallest_width(frozen)

    found = WithASpike().width(theta)
    np.testing.assert_allclose(found, 0.1 * np.exp(theta["lnsigma"]))


@pytest.mark.parametrize(
    "prior",
    [priors.Uniform(-2, 3), priors.Uniform(-6, 3), priors.Normal(0, 1), priors.Normal(0, 3)],
    ids=repr,
)
def test_every_population_is_followed_or_has_no_likelihood(prior):
    levels = plan(prior)
    lnsigma = prior.frozen(1).rvs(2000, random_state=np.random.default_rng(0))
    theta = {"mu": np.zeros(2000), "lnsigma": lnsigma}
    level = levels.numbers(theta)
    width, step = np.exp(lnsigma), np.array([grid.step for grid in levels.grids])
    followed = step[level] * STEPS_PER_WIDTH <= width * (1 + 1e-6)
    # without a lower end one draw in a million may be narrower than the finest grid follows
    assert np.all(followed[level >= 0])
    assert np.all(width[level < 0] < levels.reach)
    # and on no finer grid than need be
    assert np.all(step[level - 1][level > 0] * STEPS_PER_WIDTH > width[level > 0])
    assert levels.grids[-1].count <= grids.MAX_POINTS
    assert (levels.below > 0) == bool(np.any(level < 0))


def test_grids_hold_each_others_points_and_the_first_is_that_of_a_bounded_prior():
    (alone,) = plan(priors.Uniform(-2, 3)).grids
    assert alone.count == np.ceil(np.log(6000) / np.exp(-2) * STEPS_PER_WIDTH) + 1
    (wide,) = plan(priors.Uniform(-1, 3)).grids
    assert wide.count < alone.count / 2
    first, *finer = plan(priors.Uniform(-6, 3)).grids
    assert first == alone
    for grid in finer:
        np.testing.assert_allclose(grid.points[::2], first.points)
        first = grid


def test_many_stars_and_layers_have_fewer_points():
    prior = priors.Uniform(-6, 3)
    few, many = plan(prior), plan(prior, n_rows=1000)
    assert many.grids[-1].count < few.grids[-1].count / 4
    assert few.below == 0
    assert many.below > 0
    assert plan(prior, n_rows=20 * LAYERS).reach > few.reach


@pytest.fixture(scope="module")
def wide_prior(table):
    return fit(table, lnsigma=priors.Uniform(-4, 3), star_draws=False)


def test_draws_have_the_likelihood_of_the_finest_grid(wide_prior):
    data = wide_prior.fitted_data()
    theta = {name: wide_prior.samples(name).value for name in ("mu", "lnsigma")}
    last = len(data.levels.grids) - 1
    assert data.levels.numbers(theta).max() < last
    points = data.levels.grids[last].points[data.matrices[last].points]
    log_density = data.population.log_density(points, theta, data.log_ends)
    outside = data.population.outside(theta, data.log_ends)
    expected = data.matrices[last].log_marginal(log_density, outside)
    np.testing.assert_allclose(wide_prior.log_marginal(data, theta), expected, atol=1e-3)


def test_how_far_the_prior_goes_does_not_matter(table, wide_prior):
    sd = wide_prior.samples("lnsigma").value.std()
    evidence = wide_prior.posterior.attrs["log_evidence"]
    for prior, density in (
        (priors.Uniform(-6, 3), 1 / 9),
        (priors.Uniform(-20, 3), 1 / 23),
        (priors.Normal(0, 3), None),
    ):
        other = fit(table, lnsigma=prior, star_draws=False)
        assert "narrow_populations" not in failed(other)
        if density:
            # False alarm: five standard errors of both, of 4,000 effective draws each
            difference = other.posterior.attrs["log_evidence"] - evidence
            assert difference == pytest.approx(np.log(density * 7), abs=0.1)
            mean = wide_prior.samples("lnsigma").value.mean()
            assert abs(other.samples("lnsigma").value.mean() - mean) < 0.11 * sd


def test_a_narrow_population_is_found_with_its_stars(narrow):
    models = [fit(narrow, lnsigma=of) for of in (priors.Uniform(-4.5, 3), priors.Normal(0, 3))]
    for model in models:
        assert not {"prior_edge", "narrow_populations"} & set(failed(model))
        levels = model.fitted_data().levels
        assert levels.finest({n: model.samples(n).value for n in ("mu", "lnsigma")}) > 2
        draws = model.samples("lnsigma").value
        # False alarm: four standard deviations, 6e-5
        assert abs(draws.mean() - np.log(0.02)) < 4 * draws.std()
        # a star's own visits decide, and the population: as of one grid for all
        lnP, mu = model.samples("lnP").value, model.samples("mu").value
        rank = stats.norm.cdf(lnP, mu[:, None], np.exp(draws)[:, None])
        assert 0.35 < rank.mean() < 0.65
        assert np.all(np.abs(lnP - np.log(narrow.meta["truth"]["P"].value)) < 0.1)
        assert model.star_table()["P_low"].value.min() > 5.5
    first, second = (model.samples("lnP").value[::4] for model in models)
    for one, other in zip(first.T, second.T, strict=True):
        # False alarm: 15 times 6e-5
        assert stats.ks_2samp(one, other).pvalue > 6e-5


def test_populations_that_are_cut_off_are_said():
    silent = datasets.make_binaries(4, 1, random_state=5)
    model = fit(silent, lnsigma=priors.Uniform(-12, 3), star_draws=False)
    said = failed(model)["narrow_populations"]
    # of the prior below -6.85, which is the posterior: 34 percent
    assert float(said.found) == pytest.approx(34, abs=8)
    assert "populations narrower than 0.0011 in ln P, which are not computed" in said.said
    assert "TruncatedNormal(..., lower=-6.9)" in said.python
    known = fit(silent, lnsigma=priors.Uniform(-6, 3), star_draws=False)
    assert "narrow_populations" not in {finding.name for finding in known.findings()}


def test_priors_of_nothing_but_needles_are_refused(table):
    with pytest.raises(priors.PriorError, match=r"as narrow as 0\.00034 .* above -6\.2"):
        fit(table, lnsigma=-8.0)
    with pytest.raises(priors.PriorError, match="only allow populations as narrow as"):
        fit(table, lnsigma=priors.Uniform(-12, -8))
