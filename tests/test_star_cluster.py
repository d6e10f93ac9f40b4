"""Claims about the star cluster's posterior, on simulated, real and hard tables."""

import os
import signal
import subprocess
import sys

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table, vstack
from astropy.utils.exceptions import AstropyUserWarning
from reference import cluster_posterior, log_marginal_grid
from scipy import stats

from astro_hier import StarCluster, columns, datasets, priors


def fit(table, seed=0, **options):
    return StarCluster(**options).fit(table, random_state=seed, progressbar=False)


def moments(cluster):
    table = cluster.posterior_table()
    return {name: (values.mean().value, values.std().value) for name, values in table.items()}


def assert_close(found, mean, sd, sds=0.1):
    assert abs(found[0] - mean) < sds * sd
    assert abs(found[1] - sd) < sds * sd


def table_of(parallax, error):
    return QTable({"parallax": parallax * u.mas, "parallax_error": error * u.mas})


def test_tutorial_posterior(fitted):
    found = moments(fitted)
    assert_close(found["mu_r"], 0.50040, 0.00072)
    assert_close(found["ln_std_r"], -4.7865, 0.0765)


def test_default_draws_have_an_effective_size_over_2000(fitted):
    summary = fitted.summary()
    assert fitted.posterior.sizes["chain"] == 4
    assert fitted.posterior.sizes["draw"] == 1000
    assert np.all(summary["ess_bulk"] > 2000)
    assert np.all(np.abs(summary["r_hat"] - 1) < 0.01)
    assert fitted.posterior.attrs["effective_size"] > 2000


GAIA_CLUSTERS = ["Blanco1", "ComaBer", "Hyades", "IC2391", "IC2602", "NGC2451", "Pleiades",
                 "Praesepe", "alphaPer"]  # fmt: skip


@pytest.mark.filterwarnings(
    "ignore:the rows are not distributed", "ignore:the parallaxes seem to be Gaia's"
)
@pytest.mark.parametrize("name", GAIA_CLUSTERS)
def test_gaia_cluster(name, shared_data):
    folder = shared_data / "gaia_dr2_clusters"
    members = QTable.read(folder / "nearby_clusters_gaia_dr2.ecsv")
    expected = Table.read(folder / "reference_posteriors.csv")
    expected = expected[
        (expected["set"] == name)
        & (expected["selection"] == "all")
        & (expected["plx_zero_point_added_mas"] == 0)
    ][0]
    cluster = fit(members[members["cluster"] == name], columns=columns.GAIA)
    found = moments(cluster)
    assert_close(found["mu_r"], expected["mu_r_pc"] / 1e3, expected["mu_r_sd_pc"] / 1e3)
    assert_close(found["ln_std_r"], expected["ln_std_r_kpc"], expected["ln_std_r_sd"])
    if name == "Hyades":
        assert found["mu_r"][0] == pytest.approx(0.04790, abs=0.1 * 0.00024)
    assert cluster.star_table()["star"].tolist() == list(
        members["source_id"][members["cluster"] == name]
    )


def tutorial_prior(mu_r, ln_std_r):
    return stats.truncnorm.logpdf(mu_r, -0.5, np.inf, 1, 2) - np.log(8)


# parallaxes [mas], errors [mas], range of mu_r [kpc] that holds the posterior, with its wings
HARD = {
    "four stars": ([2.1, 1.9, 2.05, 1.96], [0.02, 0.05, 0.04, 0.03], (0.15, 1.1, 101)),
    "all parallaxes negative": ([-0.2, -0.05, -0.3, -0.1, -0.15], [0.1] * 5, (0.005, 12)),
    "depth not resolved": (
        2 + np.array([0.3, -0.2, 0.1, -0.5, 0.2, 0.15, -0.1, 0.0]), [0.3] * 8, (0.2, 1.1)
    ),
    "errors a thousandth": (
        1 / np.array([0.49, 0.503, 0.511, 0.498, 0.52]), [0.002] * 5, (0.35, 0.65)
    ),
    "errors a hundredfold": ([2.0, 1.5, -80.0, 150.0], [200.0] * 4, (0.003, 10)),
    "two groups": ([1.0, 1.01, 4.0, 4.02], [0.05] * 4, (0.003, 10)),
}  # fmt: skip


@pytest.mark.filterwarnings(
    "ignore:the data press", "ignore:the errors hide", "ignore:parallax_error is about 2e"
)  # 200 mas are no errors of a catalogue
@pytest.mark.parametrize("case", HARD)
def test_hard_case_agrees_with_a_grid(case):
    parallax, error, (low, high, *points) = HARD[case]
    parallax, error = np.array(parallax), np.array(error)
    cluster = fit(table_of(parallax, error), seed=1)
    mu_mean, mu_sd, ln_mean, ln_sd, evidence = cluster_posterior(
        parallax, error, np.linspace(low, high, *points or [61]), np.linspace(-8, 0, 41),
        tutorial_prior,
    )  # fmt: skip
    found = moments(cluster)
    assert_close(found["mu_r"], mu_mean, mu_sd)
    assert_close(found["ln_std_r"], ln_mean, ln_sd)
    assert cluster.posterior.attrs["log_evidence"] == pytest.approx(evidence, abs=0.08)
    assert np.all(cluster.samples("r") > 0)


@pytest.mark.filterwarnings("ignore:the errors hide")
def test_unresolved_depth_is_flat_down_to_the_priors_edge():
    # False alarm: one in 10,000. A depth below 1 pc makes no difference to errors of 75 pc.
    parallax, error, _ = HARD["depth not resolved"]
    draws = fit(table_of(np.array(parallax), np.array(error))).samples("ln_std_r").value
    below = draws[draws < -7]
    assert len(below) > 200
    assert stats.kstest(below[::5], stats.uniform(-8, 1).cdf).pvalue > 1e-4


@pytest.mark.parametrize("unit", [u.arcsec, u.uas, u.deg])
def test_posterior_does_not_depend_on_the_unit(unit, small_table):
    other = small_table.copy()
    other["parallax"] = other["parallax"].to(unit)
    other["parallax_error"] = other["parallax_error"].to(u.rad)
    found, expected = fit(other), fit(small_table)
    # rounding of the conversion may turn a draw of one star into its neighbour, no more
    np.testing.assert_allclose(
        found.samples("mu_r").value, expected.samples("mu_r").value, rtol=1e-9
    )
    np.testing.assert_allclose(
        found.samples("r").mean(0).value, expected.samples("r").mean(0).value, rtol=1e-6
    )


def test_posterior_does_not_depend_on_the_order_of_rows(small_table):
    small_table["star"] = np.arange(100, 112)
    order = np.random.default_rng(0).permutation(12)
    found, expected = fit(small_table[order]), fit(small_table)
    np.testing.assert_allclose(
        found.samples("ln_std_r").value, expected.samples("ln_std_r").value, rtol=1e-9
    )
    # the stars' draws are other ones of the same distribution: five standard errors
    found = found.posterior["r"].sel(star=small_table["star"])
    expected = expected.posterior["r"]
    dims = ("chain", "draw")
    error = np.hypot(found.std(dims), expected.std(dims)) / np.sqrt(4000)
    assert np.all(np.abs(found.mean(dims) - expected.mean(dims)) < 5 * error)


@pytest.mark.filterwarnings("ignore:the errors hide")
@pytest.mark.parametrize(
    "ids",
    [["HD 1", "HD 22"], np.array([b"a ", b"b"]), [10**18, 3], np.array([10**18, 3], dtype=">i8")],
)
def test_any_identifiers_label_the_stars_and_are_saved(ids, tmp_path):
    table = table_of(np.array([2.0, 2.1]), np.array([0.1, 0.1]))
    table["star"] = ids
    cluster = StarCluster().fit(table, draws=20, chains=2, progressbar=False)
    expected = [i.decode().strip() if isinstance(i, bytes) else i for i in ids]
    assert cluster.posterior["star"].values.tolist() == expected
    assert cluster.posterior["r"].sel(star=expected[1]).ndim == 2
    assert cluster.summary("r")["parameter"][1] == f"r[{expected[1]}]"
    cluster.save(tmp_path / "saved.nc")
    loaded = StarCluster.load(tmp_path / "saved.nc")
    assert list(loaded.summary("r")["parameter"]) == list(cluster.summary("r")["parameter"])
    assert loaded.posterior["star"].values.tolist() == expected


@pytest.mark.filterwarnings("ignore:the data press", "ignore:the errors hide")
def test_a_cluster_far_beyond_the_prior_is_found_and_said():
    table = datasets.make_star_cluster(60, mu_r=30 * u.kpc, std_r=10 * u.pc, random_state=3)
    with pytest.warns(AstropyUserWarning, match=r"the data put mu_r .*widen the prior"):
        cluster = fit(table)
    parallax, error = (table[name].value for name in ("parallax", "parallax_error"))
    grid = np.linspace(14, 28, 61), np.linspace(-8, 0, 9)
    mean, sd, *_ = cluster_posterior(parallax, error, *grid, tutorial_prior)
    assert_close(moments(cluster)["mu_r"], mean, sd)


def test_predict_refuses_errors_that_are_none(fitted):
    for bad in (0.1, -0.1 * u.mas, np.nan * u.mas, 1 * u.kpc):
        with pytest.raises(ValueError, match="expected positive angles"):
            fitted.predict(bad)


@pytest.mark.filterwarnings("ignore:the rows are not distributed")
def test_priors_of_any_family_and_unit_are_used(small_table):
    narrow = fit(small_table, mu_r=priors.Normal(600 * u.pc, 0.1 * u.pc))
    assert narrow.samples("mu_r").mean().to_value(u.pc) == pytest.approx(600, abs=0.5)
    assert fit(small_table, mu_r=priors.LogUniform(0.1 * u.kpc, 2 * u.kpc)).posterior["mu_r"].size


def test_log_prob_is_the_hyperparameters_posterior_density(fitted, tutorial_table):
    # differences of log_prob between draws against the independent grid integral
    posterior = fitted.posterior.isel(chain=0, draw=slice(0, 3))
    mu_r, ln_std_r = posterior["mu_r"].values, posterior["ln_std_r"].values
    parallax, error = (tutorial_table[name].value for name in ("parallax", "parallax_error"))
    expected = log_marginal_grid(parallax, error, mu_r, np.exp(ln_std_r))
    expected += tutorial_prior(mu_r, ln_std_r)
    np.testing.assert_allclose(posterior["log_prob"].values, expected, atol=0.01)


def test_an_interrupt_while_exploring_keeps_the_earlier_fit(small_table):
    model = fit(small_table)
    before, log_marginal, calls = model.inference_data, model.log_marginal, []

    def interrupted(data, theta):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return log_marginal(data, theta)

    model.log_marginal = interrupted
    with pytest.raises(KeyboardInterrupt):
        model.fit(small_table, random_state=2, progressbar=False)
    assert len(calls) == 3
    assert model.inference_data is before


def test_initial_values_are_near_the_posterior(tutorial_table, fitted):
    initial = fitted.initial_values(tutorial_table)
    assert initial["mu_r"].to_value(u.pc) == pytest.approx(500, abs=5)
    assert initial["std_r"].unit == u.kpc
    assert initial["r"].shape == (256,)
    assert np.all(initial["r"] > 0)


@pytest.mark.parametrize("case", HARD)
def test_joint_model_starts_where_its_density_is_finite(case):
    parallax, error, _ = HARD[case]
    model = StarCluster().pymc_model(table_of(np.array(parallax), np.array(error)))
    assert {v.name for v in model.free_RVs} == {"mu_r", "ln_std_r", "r"}
    assert all(np.all(np.isfinite(value)) for value in model.point_logps().values())


def test_predicted_parallaxes_scatter_like_the_measured_ones(fitted, tutorial_table):
    # False alarm: one in 10,000. Ranks of the parallaxes in their replicates lean to the middle,
    # for they have been fitted; those of new members are uniform.
    error = tutorial_table["parallax_error"]
    predicted = fitted.predict(error, random_state=1)
    assert predicted.unit == u.mas
    assert predicted.shape == (4000, 256)
    ranks = (predicted < tutorial_table["parallax"]).mean(axis=0)
    assert stats.kstest(ranks, "uniform").pvalue > 1e-4
    assert fitted.predict(random_state=1).shape == (4000, 256)
    assert fitted.predict(0.05 * u.mas, random_state=1).shape == (4000, 1)


# VmHWM is this process's own; what getrusage tells includes the parent's before the fork
MANY = """
from astro_hier import StarCluster, datasets
import arviz_stats

def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])

before = peak()
table = datasets.make_star_cluster(3000, random_state=1)
cluster = StarCluster().fit(table, random_state=1, progressbar=False)
mu_r = cluster.samples("mu_r")
assert abs(mu_r.mean() - table.meta["truth"]["mu_r"]) < 5 * mu_r.std()
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_ten_thousand_stars_take_less_than_a_gigabyte():
    # 0.2 GB before the fit and, as it grows no faster than the number of stars, 0.8 GB of it
    run = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=True)
    kilobytes = int(run.stdout)
    assert kilobytes * 1024 < 0.8e9 * 3000 / 10_000


@pytest.mark.filterwarnings("ignore:the rows are not distributed")
@pytest.mark.parametrize(
    ("table", "options", "pressed"),
    [
        (datasets.make_star_cluster(200, random_state=1), {"ln_std_r": (-8, -6)}, "ln_std_r"),
        (datasets.make_star_cluster(20, random_state=1), {"mu_r": (0.6 * u.kpc, 0.8 * u.kpc)},
         "mu_r"),
        (table_of([2.0, 2.1, 1.9, -30.0], [0.1, 0.1, 0.1, 0.1]), {}, "ln_std_r"),
    ],
)  # fmt: skip
def test_a_posterior_pressed_against_the_edge_of_its_prior_is_said(table, options, pressed):
    options = {name: priors.Uniform(*ends) for name, ends in options.items()}
    with pytest.warns(AstropyUserWarning, match=f"press.* {pressed} .* against the edge"):
        fit(table, **options)


@pytest.fixture(scope="module")
def unresolved():
    """Eight stars whose errors are larger than any depth; not to be changed."""
    parallax, error, _ = HARD["depth not resolved"]
    with pytest.warns(AstropyUserWarning, match=r"hide the depth.*quote std_r_upper_limit\(\)"):
        return fit(table_of(np.array(parallax), np.array(error)))


def test_depths_that_errors_hide_have_an_upper_limit_as_of_a_grid(unresolved, fitted):
    assert unresolved.posterior.attrs["resolved"] == 0
    assert fitted.posterior.attrs["resolved"] == 1
    parallax, error, _ = HARD["depth not resolved"]
    mu_r, std_r = np.linspace(0.25, 0.9, 66), np.linspace(0.0, 0.4, 161)[1:]
    grid = (g.ravel() for g in np.meshgrid(mu_r, std_r, indexing="ij"))
    mu, std = grid
    log_p = log_marginal_grid(np.array(parallax), np.array(error), mu, std)
    log_p += tutorial_prior(mu, 0)
    density = np.exp(log_p - log_p.max()).reshape(66, 160).sum(axis=0)
    # flat from the first point to zero, a quarter of the smallest depth that matters
    share = np.concatenate([[0], np.cumsum(density)]) - 0.5 * np.append(density[0], density)
    share -= share[0]
    expected = np.interp(0.95 * share[-1], share, np.append(0, std_r))
    limit = unresolved.std_r_upper_limit()
    assert limit.unit == u.kpc
    assert limit.value == pytest.approx(expected, rel=0.01)


def test_the_upper_limit_of_a_resolved_depth_is_close_to_that_of_the_draws(fitted):
    # flat in std_r instead of ln std_r: higher by half a squared relative sd, 0.3 percent
    draws = np.quantile(fitted.samples("std_r").value, 0.95)
    assert fitted.std_r_upper_limit().value == pytest.approx(draws, rel=0.015)


def test_rows_that_stand_twice_are_said_of_clusters_too(small_table):
    twice = vstack([small_table, small_table], metadata_conflicts="silent")
    with pytest.warns(AstropyUserWarning, match="12 of 24 rows are equal to an earlier one"):
        fit(twice)
