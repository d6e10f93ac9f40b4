"""Claims about arguments: whatever is given, the package itself says which one, and what it takes.

Every public method of a small fitted model of each class is called with odd values, one argument at
a time. What cannot be an argument is always refused; other values may be of use to some of them.
"""

import inspect
import os
import traceback
import warnings
from functools import partial
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time

import astro_hier
from astro_hier import SB1Binary, StarCluster, calibration, datasets, priors, survey
from astro_hier.model import HierarchicalModel
from astro_hier.plots import NotInTheModel

ROOT = str(Path(astro_hier.__file__).parent)
KMS = u.km / u.s
NOTHING = object()  # which no argument can be
ODD = (NOTHING, b"x", -1.5, np.nan, "no such", [1, 2] * u.kg, np.array([1.5, 2.5]), ["x", 3],
       Time("2020-01-01"), lambda: 1, 10**30)  # fmt: skip
ESTIMATORS = [
    value
    for value in (getattr(astro_hier, name) for name in astro_hier.__all__)
    if inspect.isclass(value) and issubclass(value, HierarchicalModel)
]
# of rows on disk, which have tests of their own, and of what takes anything, as in scikit-learn
OTHERS = {"fit_rows", "get_params", "initial_values", "partition_function", "pymc_model", "read",
          "set_params", "star_results"}  # fmt: skip
NONE = {("SB1Binary", "explanations")}  # which has modes instead
VALID = {("path", str), ("random_state", int)}
ROWS = {"BinaryPopulation": 24, "SB1Binary": 8}


@pytest.fixture(scope="module", params=ESTIMATORS)
def fitted(request):
    table = request.param.example(random_state=2)[: ROWS.get(request.param.__name__, 8)]
    return shortly(request.param(), table), table


@pytest.fixture(scope="module")
def cluster():
    return shortly(StarCluster(), datasets.make_star_cluster(8, random_state=1))


def shortly(model, table):
    """A fit as short as it can be, whose draws are not looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(
            table, draws=10, chains=2, certify=False, random_state=1, progressbar=False
        )


def needed(model, table, parameters):
    """Arguments that must be given, of values that make sense."""
    star = table["star"][0] if "star" in table.colnames else None
    known = {"name": model.sampled_names()[0], "table": table, "star": star, "path": "known"}
    return {name: known[name] for name, of in parameters.items() if of.default is of.empty}


def misfit(call, name, value, others):
    """What is wrong with a call's answer to an odd value, or nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(**{**others, name: value})
    except NotInTheModel:
        return None
    except Exception as error:
        within = traceback.extract_tb(error.__traceback__)[-1].filename.startswith(ROOT)
        kind = isinstance(error, ValueError | TypeError | OSError)
        said = name in str(error).lower() or repr(value) in str(error)
        return None if within and kind and said else f"{type(error).__name__}: {error}"
    return "is accepted" if value is NOTHING else None


def test_odd_arguments_of_methods_are_refused_by_name(fitted, tmp_path, monkeypatch):
    model, table = fitted
    monkeypatch.chdir(tmp_path)
    found = {}
    for method in sorted(set(dir(model)) - OTHERS):
        call = getattr(model, method)
        if (type(model).__name__, method) in NONE:
            continue
        if method.startswith("_") or (not inspect.ismethod(call) and not inspect.isfunction(call)):
            continue
        parameters = {
            name: of
            for name, of in inspect.signature(call).parameters.items()
            if of.kind not in (of.VAR_KEYWORD, of.VAR_POSITIONAL)
        }
        others = needed(model, table, parameters)
        for name in parameters:
            for value in ODD:
                if (name, type(value)) in VALID:
                    continue
                wrong = misfit(call, name, value, others)
                if wrong:
                    found[f"{method}({name}={value!r})"] = wrong
    assert not found, "\n".join(f"{call}: {wrong}" for call, wrong in found.items())


@pytest.mark.parametrize("given", [None, True, 3, b"x.nc", ["x.nc"], 1 * u.kg])
def test_paths_are_text_or_paths(cluster, given):
    for call in (cluster.save, StarCluster.load, cluster.report):
        with pytest.raises(TypeError, match=r"path=.*expected a path"):
            call(given)


@pytest.mark.parametrize("given", ["a\0b", "\ud800", "a" * 300])
def test_names_that_no_file_can_have_are_refused(cluster, given):
    for call in (cluster.save, StarCluster.load, cluster.report):
        with pytest.raises((ValueError, OSError), match=r"path=.*(no file can|cannot be used)"):
            call(given)


def test_what_is_not_a_file_is_not_read(cluster, tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; expected a file"):
        StarCluster.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="not a file but a device or a pipe"):
            StarCluster.load(path)


def test_the_users_home_is_a_folder_like_any_other(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    cluster.save("~/fit.nc")
    assert (tmp_path / "fit.nc").is_file()
    StarCluster.load("~/fit.nc")


def test_a_misspelt_argument_of_a_corner_is_not_dropped(cluster):
    with pytest.raises(TypeError, match=r"no argument truhts.*did you mean"):
        cluster.plot_corner(truhts={"mu_r": 0.5 * u.kpc})
    for truths in ([1, 2], {"mu_r": "x"}, {"mu_r": None}, {"mu_r": []}):
        with pytest.raises(TypeError, match="truths"):
            cluster.plot_corner(truths=truths)


@pytest.mark.parametrize("name", ["mu", "columns", "on_invalid", "log_prob", "trendx", "trend7", 3])
def test_what_has_no_prior_is_said_to_have_none(name):
    for model in (StarCluster(), SB1Binary(trend=1)):
        with pytest.raises(ValueError, match=r"name=.*a parameter that has a prior"):
            model.prior_of(name)


def test_an_offset_without_instruments_is_not_dropped():
    table = datasets.make_binary(6, random_state=1)
    for given in (True, 1 * u.mag, priors.Normal(0 * KMS, 1 * KMS)):
        with pytest.raises(ValueError, match="offset="):
            SB1Binary(offset=given).fit(table, progressbar=False)


@pytest.mark.parametrize("given", [[1, 2] * u.day, np.nan * u.day, [] * u.day])
def test_a_value_that_is_not_one_number_is_named(given):
    with pytest.raises(priors.PriorError, match=r"P=.*one finite number"):
        SB1Binary(P=given).fit(datasets.make_binary(6, random_state=1), progressbar=False)


def test_arguments_of_priors_are_checked():
    normal = priors.Normal(0 * u.pc, 1 * u.pc)
    with pytest.raises(priors.PriorError, match="value=3"):
        normal.logpdf(3)
    for unit in (None, 3, ["pc"], "no such"):
        with pytest.raises(priors.PriorError, match="unit="):
            normal.frozen(unit)
    with pytest.raises(priors.PriorError, match="expected a Quantity of physical type 'mass'"):
        normal.frozen("kg")
    assert normal.frozen("kpc").std() == 1e-3
    for size in ("a", -1, 2.5, (2, "x")):
        with pytest.raises(ValueError, match="size="):
            normal.rvs(size)
    with pytest.raises(priors.PriorError, match="mu must be one number"):
        priors.Normal(True, True)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"model": StarCluster}, "model"),
        ({"model": None}, "model"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"n_jobs": 10**9}, "n_jobs"),
        ({"simulations": True}, "simulations"),
        ({"draws": 2.0}, "draws"),
        ({"certify": "no"}, "certify"),
        ({"progressbar": None}, "progressbar"),
    ],
)
def test_arguments_of_calibrations_are_checked(options, name):
    table = datasets.make_star_cluster(4, random_state=1)
    with pytest.raises((TypeError, ValueError), match=name):
        calibration.calibrate(**{"model": StarCluster(), "table": table, **options})


def test_magnitudes_and_dex_are_not_the_same():
    with pytest.raises(u.UnitConversionError, match="alpha="):
        datasets.make_period_luminosity(5, alpha=-1 * u.dex)


def test_probabilities_and_switches_are_not_guessed(cluster):
    for probability in (-3, np.nan, "0.5", 2, True):
        with pytest.raises(ValueError, match="probability="):
            cluster.explanations(min_probability=probability)
        with pytest.raises(ValueError, match="hdi_prob="):
            cluster.summary(hdi_prob=probability)
    with pytest.raises(ValueError, match="overwrite='no'"):
        cluster.report("x.html", overwrite="no")
    with pytest.raises(ValueError, match="n_jobs="):
        astro_hier.BinaryPopulation(n_jobs=10**9).fit(datasets.make_binaries(2, random_state=1))


@pytest.mark.parametrize("given", [None, 3, b"rows", "a\0b"])
def test_folders_of_surveys_are_paths(given):
    model = astro_hier.BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    table = datasets.make_binaries(2, random_state=1)
    calls = {
        "folder": [partial(survey.prepare, table, given, model), partial(survey.status, given),
                   partial(survey.read, given), partial(model.star_results, "rows", given)],
        "rows": [partial(model.fit_rows, given), partial(model.star_results, given, "results")],
    }  # fmt: skip
    for name, of in calls.items():
        for call in of:
            with pytest.raises((TypeError, ValueError), match=f"{name}="):
                call()


@pytest.mark.parametrize(
    "options",
    [{"n_jobs": 0}, {"resume": "no"}, {"progressbar": 1}, {"stars_per_file": True}],
)
def test_options_of_surveys_are_checked(options, tmp_path):
    model = astro_hier.BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    table = datasets.make_binaries(2, random_state=1)
    with pytest.raises(ValueError, match=next(iter(options))):
        survey.prepare(table, tmp_path, model, **options)
