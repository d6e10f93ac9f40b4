"""Claims that posteriors are what they say: simulation-based calibration, and that it can fail."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from benchmarks.calibration import CASES, HEAVY
from benchmarks.star_cluster_options import correlated_cluster

import astro_hier
from astro_hier import StarCluster, plots
from astro_hier.calibration import FALSE_ALARMS, TESTS, Calibration, calibrate
from astro_hier.inference import checks
from astro_hier.model import HierarchicalModel

# a thousand of each case are in tests/benchmarks/calibration.py
SIMULATIONS = 30
FEWER = 10  # of the cases whose fits take a second
# Smallest p-value of all parameters of all cases: a correct package fails once in a thousand
# changes of the seed.
ALARM = 1e-3


@pytest.fixture(scope="module", params=CASES)
def calibration(request):
    model, table = CASES[request.param]
    simulations = FEWER if request.param in HEAVY else SIMULATIONS
    return calibrate(
        model, table, simulations=simulations, certify=False, random_state=2, progressbar=False
    )


@pytest.mark.slow
def test_ranks_are_uniform(calibration):
    n_tests = len(TESTS) * sum(len(model.parameters) for model, _ in CASES.values())
    table = calibration.table()
    assert np.all(table["simulations"] >= FEWER)
    for p_value in TESTS:
        assert np.all(table[p_value] > ALARM / n_tests), p_value


def test_every_model_has_a_case():
    tested = {type(model) for model, _ in CASES.values()}
    exported = [getattr(astro_hier, name) for name in astro_hier.__all__]
    models = {v for v in exported if isinstance(v, type)}
    assert tested >= {m for m in models if issubclass(m, HierarchicalModel)}


class TooNarrow(StarCluster):
    """A likelihood that counts every star four times."""

    def log_marginal(self, data, theta):
        return 4 * super().log_marginal(data, theta)


class Shifted(StarCluster):
    """Distances drawn from a population a third of its depth too far."""

    def draw_latents(self, data, theta, rng, progressbar=False):
        r = super().draw_latents(data, theta, rng)["r"]
        return {"r": r + 0.3 * np.exp(theta["ln_std_r"])[:, None]}


@pytest.mark.parametrize(("wrong", "shown_by"), [(TooNarrow, "mu_r"), (Shifted, "r")])
def test_a_wrong_model_is_found(wrong, shown_by):
    _, table = CASES["star_cluster"]
    found = calibrate(
        wrong(), table, simulations=100, certify=False, random_state=1, progressbar=False
    ).table()
    assert dict(found.iterrows("parameter", "failed"))[shown_by]


class FarAway(StarCluster):
    """Clusters at 20 kpc, where the default prior has hardly any."""

    def draw_prior(self, data, size, rng):
        return super().draw_prior(data, size, rng) | {"mu_r": np.full(size, 20_000.0)}


def test_simulated_parameters_are_those_that_the_model_draws():
    _, table = CASES["star_cluster"]
    found = calibrate(FarAway(), table, simulations=20, random_state=1, progressbar=False)
    assert np.all(found.ranks["mu_r"] > 0.5)
    assert "KS" in dict(found.table().iterrows("parameter", "failed"))["mu_r"]


def piled_up_in_the_tails(rng, size=280, tails=40):
    """Uniform ranks but for some, half of them in either outer half percent."""
    rank = rng.random(size)
    rank[:tails] = (np.arange(tails) % 2) * 0.995 + 0.005 * rng.random(tails)
    return rank


def in_every_other_bin(rng, size=280):
    """Three times as many ranks in the first of ten bins as in the second, and so on."""
    first = rng.random(size) < 3 / 4
    return (rng.integers(5, size=size) + np.where(first, 0, 0.5) + 0.5 * rng.random(size)) / 5


def failed(**ranks):
    return dict(Calibration(ranks, {}).table().iterrows("parameter", "failed"))


def test_ranks_piled_up_in_the_tails_fail_where_ks_does_not():
    rank = piled_up_in_the_tails(np.random.default_rng(1))
    (row,) = Calibration({"x": rank}, {}).table()
    assert row["p_value"] > 0.01
    assert row["tails"] == np.sum(abs(rank - 0.5) > 0.495) >= 40
    assert row["tails_expected"] == pytest.approx(2.8)
    assert row["p_tails"] < 1e-30
    assert "tails" in row["failed"]
    assert "KS" not in row["failed"]


def test_the_tails_have_the_probability_of_the_binomial_distribution():
    # of 20 ranks, three or more are so far out with a probability of 0.00100, and none with 0.818
    rank = np.linspace(0.1, 0.9, 20)
    table = Calibration({"none": rank, "three": np.r_[0.001, 0.999, 0.996, rank[:17]]}, {}).table()
    np.testing.assert_allclose(table["p_tails"], [1, 0.0010036], rtol=1e-4)


def test_the_tests_that_failed_are_named_for_each_parameter():
    rng = np.random.default_rng(1)
    assert failed(
        fine=rng.random(280), tails=piled_up_in_the_tails(rng, tails=15),
        bins=in_every_other_bin(rng), shifted=rng.beta(1.7, 1, 280), narrow=rng.beta(0.5, 0.5, 280),
    ) == {
        "fine": "", "tails": "tails", "bins": "bins", "shifted": "KS, bins",
        "narrow": "KS, tails, bins",
    }  # fmt: skip


@pytest.mark.parametrize("size", [20, 280])
def test_uniform_ranks_fail_as_rarely_as_stated(size):
    # Of 400 calibrations of three parameters at most 4 fail on average; more than 12 would with a
    # probability of 3e-4.
    rng = np.random.default_rng(1)
    many = (dict(zip("abc", rng.random((3, size)), strict=True)) for _ in range(400))
    alarms = sum(any(failed(**ranks).values()) for ranks in many)
    assert FALSE_ALARMS == 0.01
    assert alarms <= 12


def test_bins_of_few_ranks_are_tested_exactly():
    # three ranks share a bin with a probability of 0.01, and at least two of them with 0.28
    ranks = {"all": np.full(3, 0.05), "two": np.array([0.05, 0.06, 0.5]),
             "none": np.array([0.05, 0.15, 0.5])}  # fmt: skip
    np.testing.assert_allclose(Calibration(ranks, {}).table()["p_bins"], [0.01, 0.28, 1])


def test_bins_are_tested_alike_by_both_distributions(monkeypatch):
    rank = np.random.default_rng(1).beta(1.4, 1.4, 100)
    (exact,) = Calibration({"x": rank}, {}).table()["p_bins"]
    monkeypatch.setattr("astro_hier.calibration.MAX_EXACT_RANKS", 99)
    (limit,) = Calibration({"x": rank}, {}).table()["p_bins"]
    assert exact != limit
    assert exact == pytest.approx(limit, rel=0.1)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_few_simulations_have_a_table_and_a_figure(size):
    found = Calibration({"x": np.random.default_rng(1).random(size)}, {})
    (row,) = found.table()
    assert all(0 < row[p_value] <= 1 for p_value in TESTS)
    plt.close(found.plot())


def test_the_figure_marks_parameters_that_failed():
    rng = np.random.default_rng(1)
    figure = Calibration(
        {"fine": rng.random(280), "wrong": piled_up_in_the_tails(rng, tails=15)}, {}
    ).plot()
    titles = {ax.get_title(): ax.title.get_color() for ax in figure.axes}
    plt.close(figure)
    assert titles == {"fine": plt.rcParams["text.color"], "wrong\nfails: tails": plots.BEST}


def test_ranks_depend_on_the_seed_alone():
    model, table = CASES["sb1_binary"]
    options = {"simulations": 4, "draws": 50, "progressbar": False}
    first = calibrate(model, table, random_state=3, **options)
    again = calibrate(model, table, random_state=3, n_jobs=2, **options)
    other = calibrate(model, table, random_state=4, **options)
    for name, ranks in first.ranks.items():
        np.testing.assert_array_equal(again.ranks[name], ranks)
        assert not np.any(other.ranks[name] == ranks)
        assert np.all((ranks > 0) & (ranks < 1))


def test_warnings_of_the_fits_are_counted(monkeypatch):
    monkeypatch.setattr(checks, "LARGEST_PARETO_K", -10.0)
    _, table = CASES["star_cluster"]
    found = calibrate(StarCluster(), table, simulations=3, draws=50, progressbar=False)
    (said,) = [message for message in found.warnings if "Pareto k = ..." in message]
    assert found.warnings[said] == 3
    with pytest.raises(ValueError, match="simulations=0; expected a whole number"):
        calibrate(StarCluster(), table, simulations=0)


def test_the_band_holds_uniform_ranks_and_not_others():
    # Of 100 sets of uniform ranks, 7 leave a band of 99 percent once in 10,000 times.
    rng = np.random.default_rng(1)
    assert sum(not stays_in_band(rng.random(200)) for _ in range(100)) < 7
    assert not stays_in_band(rng.beta(2, 2, 200))


def stays_in_band(rank):
    figure = Calibration({"x": rank}, {}).plot()
    x, curve = figure.axes[0].lines[0].get_data()
    edges = figure.axes[0].collections[0].get_paths()[0].vertices
    plt.close(figure)
    width = [edges[edges[:, 0] == at, 1].max() for at in x]
    return np.all(np.abs(curve) <= np.array(width) + 1e-12)


def test_common_offsets_mean_the_same_in_simulated_rows():
    # how many there are depends on the scatter of the parallaxes, which is another when simulated
    table = correlated_cluster(40, size=3.0, name="Lindegren+18", random_state=1)
    model = StarCluster(parallax_covariance="Lindegren+18")
    found = calibrate(model, table, simulations=2, draws=20, random_state=4, progressbar=False)
    assert np.all((found.ranks["mode"] > 0) & (found.ranks["mode"] < 1))
    rows = model.read(table)
    data = model.prepare(rows, progressbar=False)
    simulated = model.prepare_simulated(rows.replaced(parallax=rows["parallax"] / 2), data)
    assert simulated.offsets is data.offsets
    assert np.all(simulated.parallax == rows["parallax"] / 2)
