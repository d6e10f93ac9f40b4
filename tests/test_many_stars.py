"""Claims about star clusters whose stars' own draws are not kept, and that come in blocks."""

import astropy.units as u
import numpy as np
import pytest
from scipy import stats

from astro_hier import StarCluster, datasets, priors, profiles
from astro_hier.core import threads
from astro_hier.models.star_cluster import checks, far, likelihood, tables
from astro_hier.populations.membership import Tally, given_some

pytestmark = pytest.mark.filterwarnings(
    "ignore:the rows are not distributed", "ignore:single rows decide", "ignore:in .* percent"
)
OPTIONS = (
    {},
    {"outliers": True, "zero_point": priors.Normal(0 * u.mas, 0.02 * u.mas)},
    {"profile": profiles.CoreHalo(ln_halo_ratio=0.7), "outliers": True, "zero_point": "zpt"},
)


@pytest.fixture(scope="module")
def table():
    """Stars of poor and of good parallaxes, ten of which may not be members; not to be changed."""
    table = datasets.make_star_cluster(120, log10_error=(-2, 0), random_state=1)
    table["parallax"][:10] = np.linspace(0.3, 5, 10) * u.mas
    table["zpt"] = np.random.default_rng(1).normal(-30, 10, 120) * u.uas
    return table


def fit(table, draws=1000, **options):
    return StarCluster(**options).fit(table, draws=draws, random_state=1, progressbar=False)


@pytest.mark.parametrize("options", OPTIONS)
def test_star_table_without_draws_is_that_of_the_draws(options, table):
    # False alarm: one in 1000. Means of 4000 draws scatter by sd / 63 about those integrated.
    kept, other = (fit(table, star_draws=draws, **options) for draws in (True, False))
    assert not {"r", "member"} & set(other.posterior)
    assert np.array_equal(kept.samples("mu_r"), other.samples("mu_r"))
    drawn, found = tables.described(kept), tables.described(other)
    off = (drawn.r - found.r) / found.r_sd * np.sqrt(4000)
    assert np.abs(off).max() < stats.norm.isf(0.0005 / 120)
    # squares of deviations vary by their fourth moment, which has long tails itself
    r = kept.samples("r").value
    fourth = np.mean((r - r.mean(axis=0)) ** 4, axis=0) / r.var(axis=0) ** 2
    off = (drawn.r_sd**2 / found.r_sd**2 - 1) / np.sqrt((fourth - 1) / 4000)
    assert np.abs(off).max() < 6
    np.testing.assert_allclose(found.member, drawn.member, atol=1e-9)
    columns = [model.star_table()["n_sigma"] for model in (kept, other)]
    np.testing.assert_allclose(*columns, rtol=1e-6)


@pytest.mark.parametrize("options", OPTIONS)
def test_results_do_not_depend_on_the_blocks_of_stars(options, table, monkeypatch):
    fitted = fit(table, draws=25, star_draws=False, **options)
    data, theta = fitted.fitted_data(), tables.all_draws(fitted)

    def results():
        return (
            fitted.log_marginal(data, theta),
            fitted.log_likelihood(data, theta),
            np.clip(checks.scores(data, theta), -7, 7),  # beyond, few nodes are left
            tables.described(fitted),
            *([likelihood.membership(data, theta)] if data.background else []),
        )

    together = results()
    monkeypatch.setattr(threads, "CHUNK", 17)
    assert len(data.blocks()) == 8
    for found, expected in zip(results(), together, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-9)
    log_p = fitted.log_marginal(data, theta)
    np.testing.assert_allclose(log_p, together[0], rtol=1e-12)


def test_no_array_of_the_likelihood_is_as_large_as_the_table():
    # 100,000 stars and 50 thetas: an array of all pairs would take 40 MB, one of all stars 0.8 MB
    import tracemalloc

    table = datasets.make_star_cluster(100_000, random_state=1)
    model = StarCluster()
    data = model.prepare(model.read(table), progressbar=False)
    theta = {"mu_r": np.linspace(0.49, 0.51, 50), "ln_std_r": np.full(50, -4.7)}
    model.log_marginal(data, {name: of[:1] for name, of in theta.items()})
    tracemalloc.start()
    model.log_marginal(data, theta)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < threads.MAX_THREADS * 30 * 8 * threads.CHUNK


def test_tallies_of_blocks_add_up_to_that_of_all_rows():
    log_odds = np.random.default_rng(1).normal(-3, 3, (4, 30))
    log_odds[1] -= 40  # hardly any is a member
    log_odds[2, 10:] = -np.inf
    fraction = np.array([0.1, 0.5, 0.9, 1.0])
    tally = Tally.of(log_odds[:, :7]) + Tally.of(log_odds[:, 7:20]) + Tally.of(log_odds[:, 20:])
    log_factor, log_some = tally.given(fraction)
    expected, member = given_some(log_odds, fraction)
    np.testing.assert_allclose(log_factor, expected, rtol=1e-12)
    chance = 1 / (1 + np.exp(-log_odds)) / np.exp(log_some)[:, None]
    np.testing.assert_allclose(chance, member, rtol=1e-12)


def test_draws_of_stars_are_kept_for_up_to_a_thousand(table):
    many = datasets.make_star_cluster(1001, random_state=1)
    found = fit(many, draws=25)
    assert "r" not in found.posterior
    with pytest.raises(ValueError, match="star_draws=True, or see star_table"):
        found.samples("r")
    assert fit(many, draws=25, star_draws=True).samples("r").shape == (100, 1001)
    with pytest.raises(ValueError, match="star_draws='some'; expected 'auto', True or False"):
        fit(table, star_draws="some")


def test_common_offsets_are_drawn_though_distances_are_not(table):
    sky = table[:30].copy()
    rng = np.random.default_rng(2)
    sky["ra"], sky["dec"] = rng.uniform(55, 58, (2, 30)) * u.deg
    found = fit(sky, draws=25, star_draws=False, parallax_covariance="Vasiliev+19")
    assert "mode" in found.posterior
    assert "r" not in found.posterior
    assert found.star_table()["r"].unit == u.kpc


@pytest.mark.parametrize("options", OPTIONS[:2])
def test_all_results_can_be_had_without_draws_of_stars(options, table, tmp_path):
    found = fit(table, draws=25, star_draws=False, **options)
    assert found.predict(random_state=1).shape == (100, 120)
    assert found.predict([0.1] * u.mas, random_state=1).shape == (100, 1)
    found.plot_data()
    found.plot_distances()
    assert found.std_r_upper_limit() > 0 * u.kpc
    assert len(found.checks()) > 5
    assert "r" not in found.map_sample
    found.save(tmp_path / "cluster.nc")
    again = StarCluster.load(tmp_path / "cluster.nc")
    assert np.array_equal(again.star_table()["r"], found.star_table()["r"])


def test_predictions_are_those_of_kept_draws(table):
    # False alarm: one in 1000. Means of 4000 predictions, of stars with poor and good parallaxes.
    kept, other = (fit(table[10:], star_draws=draws).predict(random_state=2)
                   for draws in (True, False))  # fmt: skip
    off = (kept.mean(axis=0) - other.mean(axis=0)) / other.std(axis=0) * np.sqrt(2000)
    assert np.abs(off).max() < stats.norm.isf(0.0005 / 110)


# ---- hyperparameters that a sample of the stars rules out


def search_points(n=200, seed=1):
    """Points all over the prior, and some near the truth."""
    rng = np.random.default_rng(seed)
    near = rng.random(n) < 0.3
    return {
        "mu_r": np.where(near, rng.normal(0.5, 0.001, n), rng.uniform(0.05, 5, n)),
        "ln_std_r": np.where(near, rng.normal(-4.7, 0.05, n), rng.uniform(-8, 0, n)),
    }


def exact_and_quick(table, theta, monkeypatch):
    """ln p of all stars, that of the model, and the sum at the known point."""
    monkeypatch.setattr(far, "MANY", 1000)
    model = StarCluster()
    data = model.prepare(model.read(table), progressbar=False)
    return likelihood.log_marginal(data, theta), model.log_marginal(data, theta), data.sample.total


def test_only_hopeless_points_are_left_to_a_sample(monkeypatch):
    table, theta = datasets.make_star_cluster(6000, random_state=1), search_points()
    exact, quick, known = exact_and_quick(table, theta, monkeypatch)
    same = np.isclose(quick, exact, rtol=1e-12, atol=0)
    assert 0.2 < same.mean() < 0.7
    assert np.all(exact[~same] < known - 0.9 * far.MARGIN)
    np.testing.assert_allclose(quick[~same] - known, exact[~same] - known, rtol=0.2)


def test_a_sample_does_not_overlook_the_few_stars_that_decide(monkeypatch):
    # The known point is that of 6000 stars; sixty strays say that the cluster is far deeper.
    table, theta = datasets.make_star_cluster(6000, random_state=1), search_points()
    table["parallax"][:6000:100] = 200 * u.mas
    monkeypatch.setattr(StarCluster, "initial", lambda *_: {"mu_r": 0.5, "ln_std_r": -4.7})
    exact, quick, known = exact_and_quick(table, theta, monkeypatch)
    assert exact.max() > known + 1e4  # far better points than the known one
    same = np.isclose(quick, exact, rtol=1e-12, atol=0)
    assert np.all(same[exact > known - 0.9 * far.MARGIN])


def test_the_posterior_is_the_same_with_and_without_the_sample(monkeypatch):
    table = datasets.make_star_cluster(4000, random_state=2)
    expected = fit(table)
    monkeypatch.setattr(far, "MANY", 1000)
    found = fit(table)
    assert found.fitted_data().sample is not None
    assert expected.fitted_data().sample is None
    for name in ("mu_r", "ln_std_r"):
        draws, others = found.samples(name).value, expected.samples(name).value
        # sums of weights: draws are taken systematically from some 5000 points
        assert abs(draws.mean() - others.mean()) < 0.02 * others.std()
    evidence = [model.posterior.attrs["log_evidence"] for model in (found, expected)]
    assert evidence[0] == pytest.approx(evidence[1], abs=0.02)
