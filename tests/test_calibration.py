"""Claims that posteriors are what they say: simulation-based calibration, and that it can fail."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from benchmarks.calibration import CASES, HEAVY

import astro_hier
from astro_hier import StarCluster
from astro_hier.calibration import Calibration, calibrate
from astro_hier.inference import marginal
from astro_hier.model import HierarchicalModel

SIMULATIONS = 100
FEWER = 40  # of the cases whose fits take a second
# Smallest p-value of all parameters of all cases: a correct package fails once in a thousand
# changes of the seed.
ALARM = 1e-3


@pytest.fixture(scope="module", params=CASES)
def calibration(request):
    model, table = CASES[request.param]
    simulations = FEWER if request.param in HEAVY else SIMULATIONS
    return calibrate(
        model, table, simulations=simulations, n_jobs=2, random_state=2, progressbar=False
    )


@pytest.mark.slow
def test_ranks_are_uniform(calibration):
    n_tests = sum(len(model.parameters) for model, _ in CASES.values())
    table = calibration.table()
    assert np.all(table["simulations"] >= FEWER)
    assert np.all(table["p_value"] > ALARM / n_tests)


def test_every_model_has_a_case():
    tested = {type(model) for model, _ in CASES.values()}
    models = {v for v in vars(astro_hier).values() if isinstance(v, type)}
    assert tested == {m for m in models if issubclass(m, HierarchicalModel)}


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
    found = calibrate(wrong(), table, simulations=100, random_state=1, progressbar=False).table()
    p_value = dict(zip(found["parameter"], found["p_value"], strict=True))
    assert p_value[shown_by] < 1e-3


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
    monkeypatch.setattr(marginal, "LARGEST_PARETO_K", -10.0)
    _, table = CASES["star_cluster"]
    found = calibrate(StarCluster(), table, simulations=3, draws=50, progressbar=False)
    assert list(found.warnings.values()) == [3]
    assert "Pareto k = ... > ...: means" in next(iter(found.warnings))
    with pytest.raises(ValueError, match="simulations=0; accepted is a whole number"):
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
