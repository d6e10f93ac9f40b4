"""Claims about the options of StarCluster, one by one; test_agreement.py has them together."""

from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from benchmarks.star_cluster_options import contaminated_cluster, correlated_cluster
from reference import correlated_cluster_posterior, log_marginal_options
from scipy import stats
from scipy.special import logsumexp
from test_plots import text_of

from astro_hier import (
    StarCluster,
    TableError,
    columns,
    covariances,
    datasets,
    outliers,
    priors,
    profiles,
)
from astro_hier.models.star_cluster import many_offsets, offsets
from astro_hier.posterior import register

pytestmark = pytest.mark.filterwarnings(
    "ignore:the rows are not distributed", "ignore:the parallaxes seem to be Gaia's"
)
FEW = {"draws": 50, "chains": 2, "progressbar": False}
ZERO_POINT = -0.029 * u.mas


@pytest.fixture(scope="module")
def table():
    """Twelve stars with all columns, the first two of the field."""
    rng = np.random.default_rng(1)
    table = datasets.make_star_cluster(12, std_r=20 * u.pc, random_state=rng)
    table["parallax"][:2] = [1.1, 4.2] * u.mas
    table["ra"] = rng.uniform(55, 58, 12) * u.deg
    table["dec"] = rng.uniform(22, 25, 12) * u.deg
    table["zpt"] = rng.normal(-30, 10, 12) * u.uas
    return table


ALL = {
    "profile": profiles.CoreHalo(),
    "zero_point": priors.Normal(ZERO_POINT, 0.01 * u.mas),
    "error_scale": priors.LogNormal(0, 0.2),
    "outliers": True,
    "parallax_covariance": "Lindegren+18",
}
OPTIONS = {
    "plain": {},
    "zero_point, a value": {"zero_point": ZERO_POINT},
    "zero_point, a column": {"zero_point": "zpt"},
    "error_scale": {"error_scale": 1.7},
    **{name: {name: value} for name, value in ALL.items()},
    "all": ALL,
}


@pytest.fixture(scope="module", params=OPTIONS)
def options(request):
    return OPTIONS[request.param]


@pytest.fixture(scope="module")
def fitted(options, table):
    return StarCluster(**options).fit(table, random_state=1, **FEW)


def a_theta(model, data, rng):
    theta = {name: prior.rvs(1, random_state=rng) for name, prior in model.frozen_priors().items()}
    theta |= {"mu_r": np.array([rng.uniform(0.45, 0.55)]), "ln_std_r": rng.uniform(-5, -2.5, 1)}
    if "outlier_fraction" in theta:
        theta["outlier_fraction"] = rng.uniform(0.05, 0.4, 1)
    normals = model.standard_normals(data).items()
    return theta | {name: rng.standard_normal((1, number)) for name, number in normals}


def test_log_marginal_is_that_of_direct_quadrature(options, table):
    model, rng = StarCluster(**options), np.random.default_rng(3)
    data = model.prepare(model.read(table), progressbar=False)
    for _ in range(4):
        theta = a_theta(model, data, rng)
        of = {name: values[0] for name, values in theta.items()}
        std_r, share = np.exp(of["ln_std_r"]), of.get("halo_fraction", 0.0)
        wide = std_r * np.exp(of.get("ln_halo_ratio", 0.0))
        offset = np.zeros(12) + of.get("zero_point", 0.0)
        error = table["parallax_error"].value * of.get("error_scale", 1.0)
        if options.get("zero_point") == "zpt":
            offset += table["zpt"].to_value(u.mas)
        if data.offsets:
            offset += of["mode"] @ data.offsets.modes
            error = np.sqrt(error**2 + data.offsets.own_variance)
        background = [of.get(f"outlier_{name}") for name in ("fraction", "mean", "sd")]
        expected = sum(
            log_marginal_options(
                *star, of["mu_r"], [(1 - share, std_r), (share, wide)], shift,
                background if model.outliers else None,
            )
            for *star, shift in zip(table["parallax"].value, error, offset, strict=True)
        )  # fmt: skip
        assert model.log_marginal(data, theta)[0] == pytest.approx(expected, abs=12e-6)


def test_draws_of_a_star_follow_membership_component_and_distance():
    # False alarm: one in 10,000 each. Two alike that may be in the core, in the halo, or neither.
    model = StarCluster(profile=profiles.CoreHalo(0.4, 1.5), outliers=True)
    n, parallax, error = 20_000, 2.3, 0.05
    theta = {
        "mu_r": 0.5, "ln_std_r": -3.5, "halo_fraction": 0.4, "ln_halo_ratio": 1.5,
        "outlier_fraction": 0.4, "outlier_mean": 2.0, "outlier_sd": 0.5,
    }  # fmt: skip
    table = QTable({"parallax": [parallax] * 2 * u.mas, "parallax_error": [error] * 2 * u.mas})
    data = model.prepare(model.read(table), progressbar=False)
    many = {name: np.full(n, value) for name, value in theta.items()}
    drawn = model.draw_latents(data, many, np.random.default_rng(1))
    r = np.linspace(0.001, 1.5, 200_001)
    std = np.exp(-3.5) * np.array([1, np.exp(1.5)])
    population = 0.6 * stats.truncnorm.pdf(r, -0.5 / std[0], np.inf, 0.5, std[0])
    population += 0.4 * stats.truncnorm.pdf(r, -0.5 / std[1], np.inf, 0.5, std[1])
    joint = 0.6 * population * stats.norm.pdf(parallax, 1 / r, error)
    other = 0.4 * stats.norm.pdf(parallax, 2.0, np.hypot(0.5, error))
    total = joint.sum() * (r[1] - r[0])
    alone = total / (total + other)
    assert 0.2 < alone < 0.8
    member = alone / (1 - (1 - alone) ** 2)  # since one of the two is
    np.testing.assert_allclose(drawn["member"], member, rtol=1e-5)
    cumulative = np.cumsum(member * joint / total + (1 - member) * population) * (r[1] - r[0])
    assert stats.kstest(np.interp(drawn["r"][:, 0], r, cumulative), "uniform").pvalue > 1e-4


def test_results_are_sound_and_saved(options, fitted, table, tmp_path):
    names = [p.name for p in fitted.parameters]
    assert list(fitted.posterior.data_vars) == [*names, "log_prob"]
    assert set(fitted.initial_values(table)) == set(names)
    for name in names:
        assert np.all(np.isfinite(fitted.samples(name)))
    fitted.save(tmp_path / "x.nc")
    loaded = StarCluster.load(tmp_path / "x.nc")
    assert loaded.get_params() == fitted.get_params()
    again, once = (model.predict(random_state=1) for model in (loaded, fitted))
    assert np.all(again == once)
    assert once.shape == (100, 12)
    assert fitted.predict([0.1, 0.2] * u.mas, random_state=1).shape == (100, 2)
    stars = fitted.star_table()
    assert ("member" in stars.colnames) == ("member" in names)
    assert np.abs(stars["n_sigma"][2:]).max() < 6
    height = fitted.log_prob(
        fitted.fitted_data(), {name: fitted.samples(name).value for name in names}
    )
    np.testing.assert_allclose(height, fitted.samples("log_prob").value)


def test_figures_show_what_the_options_add(fitted):
    text = text_of(fitted.plot_graph().figure)
    symbols = {p.name: p.symbol for p in fitted.parameters}
    assert all(f"${symbols[name]}$" in text for name in fitted.free_names() if name != "ln_std_r")
    for figure in (fitted.plot_data(), fitted.plot_distances()):
        assert ("probability of membership" in text_of(figure.figure)) == ("member" in symbols)


def test_joint_model_with_all_options_starts_where_its_density_and_slope_are_finite(table):
    model = StarCluster(**ALL).pymc_model(table)
    slope = model.compile_dlogp(mode="FAST_COMPILE")
    assert np.all(np.isfinite(slope(model.initial_point())))


def same(first, second, rtol=1e-9):
    for name in ("mu_r", "ln_std_r"):
        np.testing.assert_allclose(first.samples(name), second.samples(name), rtol=rtol)


def test_zero_points_and_error_scales_are_those_applied_by_hand(table):
    by_hand = table.copy()
    by_hand["parallax"] -= by_hand["zpt"]
    by_hand["parallax_error"] *= 2
    plain = StarCluster().fit(by_hand, random_state=1, **FEW)
    same(StarCluster(zero_point="zpt", error_scale=2.0).fit(table, random_state=1, **FEW), plain)
    bare = table.copy()
    bare["zpt"] = table["zpt"].value
    named = StarCluster(zero_point="zpt", error_scale=2, columns={"zero_point": ("zpt", "uas")})
    same(named.fit(bare, random_state=1, **FEW), plain)
    with pytest.raises(TableError, match=r"column 'zpt' \(zero_point\) has no unit"):
        StarCluster(zero_point="zpt").fit(bare)
    with pytest.raises(TableError, match=r"column 'zp' \(zero_point\) is not in the table"):
        StarCluster(zero_point="zp").fit(bare)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"zero_point": -0.03}, priors.PriorError, "zero_point=-0.03 .* 'angle'"),
        ({"error_scale": 0.0}, priors.PriorError, "error_scale=0.0; it must be positive"),
        ({"error_scale": priors.Normal(1, 1)}, priors.PriorError, "it must be positive"),
        ({"outliers": "yes"}, ValueError, "expected True, False, None"),
        ({"outliers": outliers.VelocityBackground()}, ValueError, "expected True, False, None"),
        ({"profile": 3}, ValueError, "expected one of astro_hier.profiles"),
        ({"parallax_covariance": "Gaia"}, ValueError, "expected one of .*'Lindegren.18'"),
        ({"parallax_covariance": lambda x: x}, ValueError, "takes a separation"),
        ({"parallax_covariance": lambda x: -1 * u.mas**2}, ValueError, "must be positive"),
    ],
)  # fmt: skip
def test_impossible_options_are_named(table, options, error, message):
    with pytest.raises(error, match=message):
        StarCluster(**options).fit(table)


def test_impossible_halos_are_named():
    with pytest.raises(priors.PriorError, match="between 0 and 1"):
        profiles.CoreHalo(halo_fraction=priors.Uniform(0, 2))
    with pytest.raises(priors.PriorError, match="must not be negative"):
        profiles.CoreHalo(ln_halo_ratio=priors.Normal(1, 1))


def test_coordinates_are_asked_for_where_they_are_needed(table):
    with pytest.raises(TableError, match=r"column 'ra' \(ra\) is not in the table"):
        StarCluster(parallax_covariance="Lindegren+18").fit(table["parallax", "parallax_error"])


@register
@dataclass(frozen=True)
class Exponential:
    length: u.Quantity = 5 * u.deg

    def __call__(self, separation):
        return 1e-4 * np.exp(-(separation / self.length).to_value(u.one)) * u.mas**2


def test_covariances_of_ones_own_are_saved_if_they_can_be(table, tmp_path):
    fitted = StarCluster(parallax_covariance=Exponential()).fit(table, random_state=1, **FEW)
    fitted.save(tmp_path / "x.nc")
    assert StarCluster.load(tmp_path / "x.nc").parallax_covariance == Exponential()
    own = StarCluster(parallax_covariance=lambda x: Exponential()(x))
    own.fit(table, random_state=1, **FEW)
    with pytest.raises(TypeError, match="cannot be saved"):
        own.save(tmp_path / "y.nc")


# ---- covariances


@pytest.mark.slow
def test_error_of_the_distance_is_that_of_the_whole_covariance():
    # The Monte Carlo error of an sd of 4000 independent draws is 1.1 percent.
    table = correlated_cluster(200, size=3.0, random_state=1)
    plain = StarCluster().fit(table, random_state=1, progressbar=False)
    model = StarCluster(parallax_covariance="Lindegren+20")
    model.fit(table, random_state=1, progressbar=False)
    ra, dec = table["ra"].value, table["dec"].value
    covariance = covariances.as_covariance("Lindegren+20")(ra, dec, ra, dec)
    expected = correlated_cluster_posterior(
        table["parallax"].value, table["parallax_error"].value, covariance,
        np.linspace(0.485, 0.515, 61), np.linspace(-5.2, -4.3, 19),
        lambda mu, _: stats.truncnorm.logpdf(mu, -0.5, np.inf, 1, 2),
    )  # fmt: skip
    for name, (mean, sd) in expected.items():
        draws = model.samples(name).value
        assert draws.std() == pytest.approx(sd, rel=0.05)
        assert abs(draws.mean() - mean) < 0.1 * sd
    assert model.posterior.attrs["covariance_left_out"] < 0.01
    assert plain.samples("mu_r").std() < 0.4 * model.samples("mu_r").std()


@pytest.mark.filterwarnings("ignore:single rows")
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_depth_and_distance_are_those_of_the_whole_covariance_of_many_modes(seed):
    # six offsets put the depth 0.5 and 1.4 of its standard deviations off. Monte Carlo errors of
    # a mean of 4000 independent draws are 0.016.
    table = correlated_cluster(218, size=3.0, name="Vasiliev+19", random_state=seed)
    model = StarCluster(parallax_covariance="Vasiliev+19")
    model.fit(table, random_state=1, progressbar=False)
    ra, dec = table["ra"].value, table["dec"].value
    values, vectors = np.linalg.eigh(covariances.as_covariance("Vasiliev+19")(ra, dec, ra, dec))
    expected = correlated_cluster_posterior(
        table["parallax"].value, table["parallax_error"].value,
        (vectors * values.clip(0)) @ vectors.T,
        np.linspace(0.48, 0.53, 31), np.linspace(-5.3, -4.2, 31),
        lambda mu, _: stats.truncnorm.logpdf(mu, -0.5, np.inf, 1, 2),
    )  # fmt: skip
    for name, (mean, sd) in expected.items():
        draws = model.samples(name).value
        assert abs(draws.mean() - mean) < 0.1 * sd
        assert draws.std() == pytest.approx(sd, rel=0.06)
    assert model.posterior.attrs["covariance_modes"] > 100
    assert model.posterior.attrs["covariance_depth_off"] < 0.05


@pytest.mark.parametrize("options", [
    {}, {"outliers": True}, {"profile": profiles.CoreHalo()}, ALL,
])  # fmt: skip
def test_offsets_that_are_integrated_out_are_those_that_are_summed_over(table, options):
    # Two offsets by the trapezoid rule; the random points are right to some hundredths.
    model = StarCluster(**options | {"parallax_covariance": "Lindegren+18"})
    rows = model.read(table if model.outliers else table[2:])
    data = model.prepare(rows, progressbar=False)
    modes = 0.02 * np.random.default_rng(2).standard_normal((2, len(data.parallax)))
    data = replace(data, offsets=replace(data.offsets, modes=modes))
    z = np.linspace(-5, 5, 41)
    grid = np.stack(np.meshgrid(z, z, indexing="ij"), axis=-1).reshape(-1, 2)
    theta = a_theta(model, replace(data, offsets=offsets.NoOffsets()), np.random.default_rng(1))
    many = {name: np.repeat(values, len(grid), axis=0) for name, values in theta.items()}
    density = model.log_marginal(data, many | {"mode": grid}) + stats.norm.logpdf(grid).sum(axis=1)
    expected = logsumexp(density) + 2 * np.log(z[1] - z[0])
    assert model.log_marginal(data, theta)[0] == pytest.approx(expected, abs=0.1)
    # and drawn: 4000 draws, 5 standard errors
    repeated = {name: np.repeat(values, 4000, axis=0) for name, values in theta.items()}
    drawn = many_offsets.draw(data, repeated, np.random.default_rng(1))
    weight = np.exp(density - density.max())
    mean = weight @ grid / weight.sum()
    sd = np.sqrt(weight @ (grid - mean) ** 2 / weight.sum())
    assert np.all(np.abs(drawn.mean(axis=0) - mean) < 5 * sd / 4000**0.5 + 0.02)
    np.testing.assert_allclose(drawn.std(axis=0), sd, rtol=0.1)


@pytest.mark.filterwarnings("ignore:the errors hide")
def test_results_with_many_offsets_are_sound_and_saved(tmp_path):
    table = correlated_cluster(40, size=3.0, name="Vasiliev+19", random_state=1)
    fitted = StarCluster(parallax_covariance="Vasiliev+19").fit(table, random_state=1, **FEW)
    modes = fitted.posterior.attrs["covariance_modes"]
    assert modes > 6
    assert fitted.samples("mode").shape == (100, modes)
    fitted.save(tmp_path / "x.nc")
    loaded = StarCluster.load(tmp_path / "x.nc")
    assert np.all(loaded.predict(random_state=1) == fitted.predict(random_state=1))
    assert len(fitted.initial_values(table)["mode"]) == modes
    assert "mode" in {v.name for v in fitted.pymc_model(table).free_RVs}
    values = {p.name: fitted.samples(p.name).value for p in fitted.parameters}
    height = fitted.log_prob(fitted.fitted_data(), values)
    np.testing.assert_allclose(height, fitted.samples("log_prob").value)


@pytest.mark.filterwarnings("ignore:the errors hide")
def test_a_covariance_that_takes_more_modes_than_there_may_be_is_said(monkeypatch):
    monkeypatch.setattr(offsets, "MAX_MODES", 20)
    table = correlated_cluster(120, size=3.0, name="Vasiliev+19", random_state=1)
    with pytest.warns(AstropyUserWarning, match="20 common offsets leave out .* of the depth"):
        fitted = StarCluster(parallax_covariance="Vasiliev+19").fit(table, random_state=1, **FEW)
    assert fitted.posterior.attrs["covariance_modes"] == 20
    assert fitted.posterior.attrs["covariance_depth_off"] > 0.1


# ---- stars that are not members


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:single rows")
def test_contaminants_do_not_move_the_cluster():
    # False alarm: 3.9 standard deviations, one in 10,000 each.
    table = contaminated_cluster(200, random_state=1)
    plain = StarCluster().fit(table, random_state=1, progressbar=False)
    model = StarCluster(outliers=True).fit(table, random_state=1, progressbar=False)
    for name, truth in (("mu_r", 0.5), ("std_r", 0.0087)):
        draws = model.samples(name).value
        assert abs(draws.mean() - truth) < 3.9 * draws.std()
    assert plain.samples("std_r").mean() > 3 * model.samples("std_r").mean()
    member = model.star_table()["member"]
    assert np.all(member[~table["field"]] > 0.2)
    # field stars at the cluster's distance cannot be told
    assert np.mean(member[table["field"]] < 0.5) > 0.7


ANY_WIDTH = outliers.ParallaxBackground(priors.Beta(1, 9), broader=False)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the data have . distinct explanations")
def test_a_narrow_background_that_a_wide_one_hides_is_found(shared_data):
    """The wings of the Pleiades: an independent simplex search has ln p 35 higher than no wings."""
    members = QTable.read(shared_data / "gaia_dr2_clusters" / "nearby_clusters_gaia_dr2.ecsv")
    model = StarCluster(outliers=ANY_WIDTH, zero_point=ZERO_POINT, columns=columns.GAIA)
    with pytest.warns(AstropyUserWarning, match=r"100 percent .* outliers .* wings .*CoreHalo"):
        model.fit(members[members["cluster"] == "Pleiades"], random_state=2, progressbar=False)
    assert model.samples("outlier_fraction").mean().value == pytest.approx(0.42, abs=0.02)
    assert model.samples("outlier_sd").mean().value == pytest.approx(0.33, abs=0.01)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the data have . distinct explanations")
def test_wings_and_field_stars_of_praesepe_get_their_weights(shared_data):
    """Two explanations: the evidence of each alone puts 0.25 of the probability into the wings."""
    members = QTable.read(shared_data / "gaia_dr2_clusters" / "nearby_clusters_gaia_dr2.ecsv")
    model = StarCluster(outliers=ANY_WIDTH, columns=columns.GAIA)
    with pytest.warns(AstropyUserWarning, match=r"2. percent of the draws the outliers"):
        model.fit(members[members["cluster"] == "Praesepe"], random_state=3, progressbar=False)
    assert np.mean(model.samples("outlier_fraction") > 0.05) == pytest.approx(0.23, abs=0.04)


def test_replicates_scatter_like_the_measured_ones(table):
    # False alarm: one in 10,000. Fitted values lean to the middle; three sds hold nearly all.
    model = StarCluster(**ALL).fit(table, draws=200, random_state=1, progressbar=False)
    replicated = model.predict(random_state=1)
    centre, sd = replicated.mean(axis=0), replicated.std(axis=0)
    assert np.all(np.abs(table["parallax"] - centre) < 3.9 * sd)


def test_impossible_declinations_are_refused(table):
    wrong = table.copy()
    wrong["dec"][3] = 91 * u.deg
    with pytest.raises(TableError, match=r"row 3: 91.0; expected values from -90 to 90 deg"):
        StarCluster(parallax_covariance="Lindegren+20").fit(wrong, **FEW)
