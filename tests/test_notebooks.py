"""Claims about what notebooks and editors show of estimators, and about copies of them."""

import copy
import importlib
import io
import pickle
from xml.etree import ElementTree

import astropy.units as u
import joblib
import numpy as np
import pytest
import xarray as xr

import astro_hier
from astro_hier import (
    BinaryPopulation,
    NotFittedError,
    SamplePopulation,
    SB1Binary,
    StarCluster,
    covariances,
    datasets,
    outliers,
    populations,
    priors,
    profiles,
)
from astro_hier.checks import CheckWarning


def shown(model):
    """The lines of the table that a notebook shows, by name, and its title."""
    table = ElementTree.fromstring(model._repr_html_())
    lines = {row[0].text: row[1].text for row in table.iter("tr")}
    return table.find("caption").text, lines


def test_a_notebook_shows_what_differs_from_the_defaults():
    assert shown(StarCluster()) == (
        "StarCluster",
        {"arguments": "all defaults", "fit": "not yet: call fit(table)"},
    )
    mu_r = priors.Uniform(0, 1)
    assert shown(StarCluster(mu_r=mu_r))[1] == {
        "mu_r": repr(mu_r),
        "fit": "not yet: call fit(table)",
    }
    assert "&lt;b&gt;" in SB1Binary(instrument="<b>")._repr_html_()


def test_what_is_nested_or_long_is_shown_in_short():
    broad, narrow = priors.Uniform(1 * u.mas, 10 * u.mas), priors.Uniform(0, 1)
    lines = shown(StarCluster(
        outliers=outliers.ParallaxBackground(outlier_sd=broad),
        profile=profiles.CoreHalo(),
        parallax_covariance=covariances.lindegren20,
    ))[1]  # fmt: skip
    assert lines["outliers"] == f"ParallaxBackground(outlier_sd={broad!r})"
    assert lines["profile"] == "CoreHalo()"
    assert lines["parallax_covariance"] == "lindegren20"
    lines = shown(SamplePopulation(
        population=(populations.Normal(mu=narrow), populations.Beta()),
        grid=np.linspace(0, 1, 500) * u.kpc,
    ))[1]  # fmt: skip
    assert lines["population"] == f"(Normal(mu={narrow!r}), Beta())"
    assert lines["grid"] == "<array of 500 values from 0.0 kpc to 1.0 kpc>"


def test_a_notebook_shows_what_was_fitted_and_which_checks_failed(fitted):
    lines = shown(fitted)[1]
    assert lines["table"] == "256 stars"
    assert lines["fit"] == "4 x 1000 draws by method 'marginal'"
    assert lines["checks"] == "all good"
    with pytest.warns(CheckWarning):
        circle = SB1Binary().fit(
            datasets.make_binary(3, random_state=1), draws=20, random_state=1, progressbar=False
        )
    assert shown(circle)[1]["checks"].startswith("failed: ")


@pytest.mark.filterwarnings("ignore::astro_hier.checks.CheckWarning")
def test_a_sample_shows_stars_and_visits():
    table = datasets.make_binaries(3, n_visits=7, random_state=1)
    model = BinaryPopulation().fit(table, draws=20, random_state=1, progressbar=False)
    assert shown(model)[1]["table"] == "21 visits of 3 stars"


def through_a_file(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "joblib": through_a_file,
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_have_the_same_arguments_and_results(fitted, name):
    other = COPIES[name](fitted)
    assert repr(other) == repr(fitted)
    xr.testing.assert_identical(other.posterior, fitted.posterior)
    assert str(other.summary()) == str(fitted.summary())
    assert len(other.star_table()) == 256
    with pytest.raises(NotFittedError):
        COPIES[name](StarCluster()).summary()


SCATTER = priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)
OPTIONS = [
    (SB1Binary, {"eccentricity": True}),
    (SB1Binary, {"amplitude": priors.PeriodScaled(30 * u.km / u.s), "trend": 1}),
    (SB1Binary, {"jitter": SCATTER}),
    (BinaryPopulation, {"jitter": populations.LogNormalJitter()}),
    (BinaryPopulation, {"eccentricity": True}),
]


@pytest.mark.filterwarnings("ignore::astro_hier.checks.CheckWarning")
@pytest.mark.parametrize(("kind", "options"), OPTIONS, ids=repr)
def test_what_options_keep_can_be_pickled(kind, options):
    table = kind.example(random_state=1)
    few = table[:18] if "star" in table.colnames else table[:6]
    model = kind(**options).fit(few, draws=20, certify=False, random_state=1, progressbar=False)
    other = pickle.loads(pickle.dumps(model))
    assert str(other.summary()) == str(model.summary())
    assert other.fitted_data().visits is not None


def test_a_copy_is_fitted_without_touching_the_original(fitted):
    before, other = fitted.posterior, copy.copy(fitted)
    other.fit(datasets.make_star_cluster(12, random_state=5), draws=20, random_state=2,
              progressbar=False)  # fmt: skip
    assert fitted.posterior.sizes["star"] == 256
    xr.testing.assert_identical(fitted.posterior, before)


MODULES = ["calibration", "columns", "covariances", "datasets", "injections", "outliers",
           "populations", "priors", "profiles", "samples"]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_completion_shows_the_public_names_of_a_module(name):
    module = importlib.import_module(f"astro_hier.{name}")
    public = {each for each in dir(module) if not each.startswith("_")}
    known = set(getattr(module, "__all__", [each for each in vars(module) if each.isupper()]))
    assert public - {"u"} == known


def test_completion_shows_no_internals_of_priors_and_populations():
    prior = {name for name in dir(priors.Normal(0, 1)) if not name.startswith("_")}
    assert prior == {"mu", "sigma", "frozen", "logpdf", "rvs", "support", "unit"}
    population = dir(astro_hier.populations.NormalMixture())
    assert {"mu1", "lnsigma1", "draw", "log_density"} <= set(population)
    assert not {"pymc", "check_pymc", "edged"} & set(population)
    assert population == sorted(set(population))


def test_completion_of_an_estimator_shows_no_hooks():
    for name in ("fit", "summary", "to_arviz", "plot_corner", "mu_r"):
        assert name in dir(StarCluster())
    for name in ("log_marginal", "prepare", "simulate", "replicate", "fitted_data", "row"):
        assert name not in dir(StarCluster())
        assert name not in dir(StarCluster)
