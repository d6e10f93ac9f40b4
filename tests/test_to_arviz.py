"""Claims about what ArviZ is given: its functions work on it, on both of its major versions."""

import warnings

import arviz as az
import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from astro_hier import (
    BinaryPopulation,
    NotFittedError,
    SamplePopulation,
    SB1Binary,
    StarCluster,
    datasets,
    priors,
)
from astro_hier.model import to_arviz as made_of

# ArviZ 0.x is older than the matplotlib beside it
pytestmark = pytest.mark.filterwarnings("ignore::matplotlib.MatplotlibDeprecationWarning")
OLD = az.__version__.startswith("0.")
GROUPS = ["log_likelihood", "posterior_predictive", "prior", "prior_predictive"]
FEW = {"draws": 250, "random_state": 1, "progressbar": False}


def node(data, group):
    """A group as a Dataset, from either kind."""
    return data[group] if OLD else data[group].to_dataset()


@pytest.fixture(scope="module")
def cluster():
    table = datasets.make_star_cluster(12, random_state=5)
    return StarCluster(mu_r=priors.Uniform(0 * u.kpc, 2 * u.kpc)).fit(table, **FEW)


@pytest.fixture(scope="module")
def binary():
    table = datasets.make_binary(12, random_state=6)
    table["tel"] = ["A", "B"] * 6
    return SB1Binary(instrument="tel").fit(table, **FEW)


@pytest.fixture(scope="module")
def whole(cluster):
    return cluster.to_arviz("all", random_state=1)


def test_it_is_of_the_kind_that_the_installed_arviz_takes(cluster, whole):
    assert isinstance(whole, az.InferenceData if OLD else xr.DataTree)
    for group in ("posterior", "sample_stats", "observed_data", "constant_data", *GROUPS):
        assert group in (whole.groups() if OLD else whole.children)
    assert isinstance(cluster.inference_data, xr.DataTree)
    posterior = node(whole, "posterior")
    assert list(posterior.data_vars) == ["mu_r", "ln_std_r", "std_r", "r"]
    assert posterior["mu_r"].attrs["unit"] == "kpc"
    np.testing.assert_array_equal(node(whole, "sample_stats")["log_prob"],
                                  cluster.posterior["log_prob"])  # fmt: skip


def test_summary_agrees_with_our_own(cluster, whole):
    found = az.summary(whole, var_names=["mu_r", "std_r"], round_to="none")
    own = cluster.summary(["mu_r", "std_r"])
    np.testing.assert_allclose(np.asarray(found["mean"], float), own["mean"])
    np.testing.assert_allclose(np.asarray(found["sd"], float), own["sd"])
    assert len(az.summary(whole)) == 15


PLOTS = {
    True: ["trace", "posterior", "forest", "pair", "autocorr", "rank", "ess"],
    False: ["trace", "trace_dist", "dist", "forest", "pair", "autocorr", "rank", "ess"],
}


@pytest.mark.parametrize("name", PLOTS[OLD])
def test_figures_of_the_posterior_are_drawn(whole, name):
    getattr(az, f"plot_{name}")(whole, var_names=["mu_r", "std_r"])
    assert plt.get_fignums()


def test_figures_of_predictions_are_drawn(whole):
    if OLD:
        az.plot_ppc(whole)
        az.plot_ppc(whole, group="prior")
        az.plot_dist_comparison(whole, var_names=["mu_r"])
        az.plot_loo_pit(whole, "parallax")
    else:
        az.plot_ppc_dist(whole)
        az.plot_ppc_dist(whole, group="prior_predictive")
        az.plot_prior_posterior(whole, var_names=["mu_r"])
        az.plot_loo_pit(whole)
    assert plt.get_fignums()


def pointwise(found):
    return np.asarray(found.loo_i if OLD else found.elpd_i)


def test_leave_one_out_is_that_of_stars_whose_distances_are_unknown(cluster, whole):
    # ln p(D_n | others) is also a ratio of evidences, which come from fits with and without a star;
    # with 1000 draws either is good to 0.02
    table = datasets.make_star_cluster(12, random_state=5)
    found = pointwise(az.loo(whole, pointwise=True))
    for star in (1, 7):
        rest = StarCluster(**cluster.get_params()).fit(table[np.arange(12) != star], **FEW)
        evidence = [model.posterior.attrs["log_evidence"] for model in (cluster, rest)]
        assert found[star] == pytest.approx(evidence[0] - evidence[1], abs=0.08)


def test_models_are_compared(binary):
    table = datasets.make_binary(12, random_state=6)
    both = {
        "offset": binary.to_arviz("log_likelihood"),
        "none": SB1Binary().fit(table, **FEW).to_arviz("log_likelihood"),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pareto k, and of pandas
        found = az.compare(both)
    assert set(found.index) == set(both)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Pareto k
def test_without_a_request_it_holds_what_the_fit_does(binary):
    data = binary.to_arviz()
    assert "prior" not in data
    assert np.isfinite(az.loo(data).elpd_loo if OLD else az.loo(data).elpd)


def test_visits_are_predicted_for_the_same_star(binary):
    data = binary.to_arviz(["posterior_predictive", "prior"], random_state=1)
    rv = node(data, "posterior_predictive")["rv"]
    orbit = binary.predict().value.reshape(rv.shape)
    error = node(data, "constant_data")["rv_error"].values
    z = ((rv.values - orbit) / error).ravel()
    assert np.abs(z.mean()) < 5 / np.sqrt(z.size)
    assert z.std() == pytest.approx(1, abs=0.05)
    assert rv.dims == ("chain", "draw", "visit")
    offset = node(data, "prior")["offset"].values
    assert not offset[..., 0].any()
    assert offset[..., 1].std() == pytest.approx(5, rel=0.2)


def test_new_stars_are_predicted_for_a_cluster(cluster, whole):
    # of 12 stars in 1000 draws: the sd of the squares' mean is below 5 percent
    predicted = node(whole, "posterior_predictive")["parallax"].values
    drawn = {name: cluster.samples(name).value for name in ("mu_r", "std_r")}
    rng = np.random.default_rng(2)
    r = rng.normal(drawn["mu_r"][:, None], drawn["std_r"][:, None], (1000, 12))
    error = node(whole, "constant_data")["parallax_error"].values
    expected = rng.normal(1 / r, error)
    assert predicted.mean() == pytest.approx(expected.mean(), rel=0.02)
    assert predicted.std() == pytest.approx(expected.std(), rel=0.1)


def test_a_population_of_binaries_predicts_visits_and_has_likelihoods_of_stars():
    table = datasets.make_binaries(4, n_visits=7, random_state=1)
    share = priors.Uniform(0, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few stars, checks speak
        kept, not_kept = (
            BinaryPopulation(companion_fraction=share, star_draws=given).fit(
                table, draws=50, random_state=1, progressbar=False
            )
            for given in (True, False)
        )
    for model in (kept, not_kept):
        data = model.to_arviz(GROUPS, random_state=1)
        rv = node(data, "posterior_predictive")["rv"]
        assert rv.shape == (4, 50, 28)
        off = (rv.values.mean(axis=(0, 1)) - table["rv"].value) / table["rv_error"].value
        assert np.sqrt(np.mean(off**2)) < 3
        assert node(data, "log_likelihood")["rv"].dims == ("chain", "draw", "star")
        assert set(node(data, "prior").data_vars) >= {"mu", "sigma", "companion_fraction", "P"}


def test_likelihoods_of_all_draws_add_up_to_that_of_the_table(cluster, whole):
    total = node(whole, "log_likelihood")["parallax"].sum("star").values.ravel()
    theta = {name: cluster.samples(name).value for name in ("mu_r", "ln_std_r")}
    expected = cluster.log_marginal(cluster.fitted_data(), theta)
    np.testing.assert_allclose(total, expected, rtol=1e-9)


def test_large_groups_have_fewer_draws(cluster, monkeypatch):
    monkeypatch.setattr(made_of, "MAX_NUMBERS", 12 * 500)
    data = cluster.to_arviz(GROUPS, random_state=1)
    for group in ("log_likelihood", "posterior_predictive"):
        assert node(data, group)["parallax"].shape == (4, 125, 12)
        np.testing.assert_array_equal(node(data, group)["draw"], np.arange(0, 250, 2))
    assert node(data, "prior_predictive")["parallax"].shape == (1, 500, 12)


def test_groups_that_do_not_exist_or_cannot_be_made_are_errors(cluster):
    with pytest.raises(ValueError, match=r"groups=\['priors'\] do not exist; expected 'all' or"):
        cluster.to_arviz("priors")
    with pytest.raises(NotFittedError):
        StarCluster().to_arviz()
    draws = SamplePopulation.example(random_state=2)
    model = SamplePopulation().fit(draws, draws=50, random_state=1, progressbar=False)
    assert "prior" in model.to_arviz("prior")
    assert "prior_predictive" not in model.to_arviz("all")
    for group in ("posterior_predictive", "prior_predictive"):
        with pytest.raises(ValueError, match=f"groups='{group}': only measured values"):
            model.to_arviz(group)
