"""Claims about the bridge to PyMC, whose sampler is replaced where its draws don't matter."""

import inspect
import os
import signal

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from astropy.utils.exceptions import AstropyUserWarning

from astro_hier import StarCluster
from astro_hier.inference import nuts


def answer(draws=100, chains=2, diverging=0, shift=0.0):
    """What pymc.sample might return for a cluster of 12 stars."""
    rng = np.random.default_rng(0)
    shape = chains, draws
    posterior = {
        "mu_r": (("chain", "draw"), rng.normal(0.5, 0.01, shape)),
        "ln_std_r": (("chain", "draw"), rng.normal(-4, 0.1, shape)),
        "std_r": (("chain", "draw"), rng.normal(0.02, 0.002, shape)),
        "mu_r_log__": (("chain", "draw"), np.zeros(shape)),
        "r": (("chain", "draw", "star"), rng.normal(0.5, 0.01, (*shape, 12))),
    }
    posterior["mu_r"][1][0] += shift
    stats = {
        "logp": (("chain", "draw"), rng.normal(size=shape)),
        "diverging": (("chain", "draw"), np.arange(draws * chains).reshape(shape) < diverging),
    }
    return xr.DataTree.from_dict(
        {"posterior": xr.Dataset(posterior), "sample_stats": xr.Dataset(stats)}
    )


pytestmark = pytest.mark.filterwarnings(
    "ignore:the errors hide", "ignore:the rows are not distributed"
)


@pytest.fixture
def fit(monkeypatch, small_table):
    def run(result, **options):
        asked = {}

        def sample(**keywords):
            asked.update(keywords)
            return result

        monkeypatch.setattr(pm, "sample", sample)
        model = StarCluster().fit(
            small_table, method="nuts", draws=100, chains=2, progressbar=False, **options
        )
        return model, asked

    return run


def test_options_reach_pymc(fit):
    _, asked = fit(answer(), tune=7, target_accept=0.95, random_state=1)
    assert asked["tune"] == 7
    assert asked["target_accept"] == 0.95
    assert asked["nuts_sampler"] == "pymc"
    assert asked["init"] == "adapt_diag"
    assert asked["quiet"] is True


def test_every_option_is_one_of_pymc_sample():
    known = set(inspect.signature(pm.sample).parameters)
    # taken by the NUTS step itself through **kwargs
    assert nuts.OPTIONS - known <= {"target_accept", "max_treedepth"}


def test_names_are_the_same_whatever_the_sampler_calls_them(fit):
    model, _ = fit(answer())
    assert "mu_r_log__" not in model.posterior
    assert "lp" in model.inference_data["sample_stats"]
    assert "logp" not in model.inference_data["sample_stats"]


@pytest.mark.parametrize("option", [{"tune": -1}, {"tune": 1.5}, {"target_accept": 2}])
def test_impossible_options_are_refused(fit, option):
    with pytest.raises(ValueError, match=f"{next(iter(option))}=.*expected a "):
        fit(answer(), **option)


def test_draws_cut_short_by_an_interrupt_are_no_fit(fit):
    with pytest.raises(KeyboardInterrupt):
        fit(answer(draws=60))


@pytest.mark.filterwarnings("ignore:single rows")
def test_chains_that_do_not_agree_are_a_warning(fit):
    with pytest.warns(AstropyUserWarning, match=r"chains do not agree .*mu_r .*'marginal'"):
        fit(answer(shift=0.2))


def test_divergences_are_a_warning(fit):
    with pytest.warns(AstropyUserWarning, match="5 draws diverged: raise target_accept"):
        model, _ = fit(answer(diverging=5))
    assert model.summary().meta["divergences"] == 5


@pytest.mark.slow
@pytest.mark.parametrize("when", [30, 60], ids=["while tuning", "while drawing"])
def test_a_real_interrupt_in_pymc_keeps_the_earlier_fit(small_table, monkeypatch, when):
    model = StarCluster().fit(small_table, draws=50, chains=2, progressbar=False)
    before = model.inference_data
    sample = pm.sample

    def with_interrupt(**options):
        def callback(trace, draw):
            if draw.draw_idx == when:
                os.kill(os.getpid(), signal.SIGINT)

        return sample(callback=callback, **options)

    monkeypatch.setattr(pm, "sample", with_interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(small_table, method="nuts", draws=20, tune=50, chains=1, progressbar=False)
    assert model.inference_data is before
