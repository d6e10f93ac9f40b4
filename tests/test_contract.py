"""Claims that hold for every model; a new one is picked up by its export."""

import inspect
import os
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
import xarray as xr
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from latex_tables import check_latex
from matplotlib.path import Path
from scipy.stats import kstest

import astro_hier
from astro_hier import NotFittedError, SavedFileError
from astro_hier.inference import METHODS
from astro_hier.model import HierarchicalModel
from astro_hier.plots import NothingToDraw
from astro_hier.posterior import LOG_PROB

ESTIMATORS = [
    value
    for value in (getattr(astro_hier, name) for name in astro_hier.__all__)
    if inspect.isclass(value) and issubclass(value, HierarchicalModel)
]
QUICK = {"draws": 50, "chains": 2, "progressbar": False}


@pytest.fixture(scope="module", params=ESTIMATORS)
def estimator(request):
    return request.param


@pytest.fixture(scope="module")
def table(estimator):
    return estimator.example(random_state=2)


@pytest.fixture(scope="module")
def suited(estimator, table):
    """An estimator that knows what only a table can tell, such as its units."""
    return estimator().suited_to(table)


def with_prior(estimator, name, given):
    """An estimator with a prior that it takes, or that its population does."""
    if name in inspect.signature(estimator).parameters:
        return estimator(**{name: given})
    return estimator(population=replace(estimator().population, **{name: given}))


@pytest.fixture(scope="module")
def fitted(estimator, table):
    """A fitted estimator; not to be changed."""
    return estimator().fit(table, random_state=1, **QUICK)


def test_every_model_is_exported_and_tested_here():
    def leaves(cls):
        below = [b for b in cls.__subclasses__() if b.__module__.startswith("astro_hier.")]
        return {cls} if not below else set().union(*(leaves(b) for b in below))

    assert leaves(HierarchicalModel) == set(ESTIMATORS)


def test_draws_from_the_prior_follow_its_densities(estimator):
    # One of the ten p-values falls below the limit in one of a thousand changes of the seed.
    model = estimator()
    theta = model.draw_prior({}, 300, np.random.default_rng(1))
    assert list(theta) == list(model.frozen_priors())
    for name, prior in model.frozen_priors().items():
        assert theta[name].shape == (300,)
        assert kstest(theta[name], prior.cdf).pvalue > 1e-3 / 10, name


def test_init_stores_its_arguments_and_nothing_else(estimator):
    model = estimator()
    defaults = {n: p.default for n, p in inspect.signature(estimator).parameters.items()}
    assert vars(model) == defaults == model.get_params()
    kinds = {p.kind for p in inspect.signature(estimator).parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}


def test_arguments_are_set_shown_and_checked(estimator):
    model = estimator()
    assert model.set_params(on_invalid="drop") is model
    assert model.get_params()["on_invalid"] == "drop"
    assert "on_invalid='drop'" in repr(model)
    for name in model.get_params():
        assert f"{name}=" in repr(model)
    with pytest.raises(ValueError, match=r"no arguments \['colour'\]; it has \['"):
        model.set_params(colour="red")


def test_fit_returns_self_and_changes_no_argument(estimator, table):
    model = estimator()
    before = dict(model.get_params())
    assert model.fit(table, random_state=0, **QUICK) is model
    assert model.get_params() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "magic"}, r"method='magic' does not exist; expected one of \['marginal'"),
        ({"tune": 10}, r"method 'marginal' has no options \['tune'\]; it has \['certify', 'max"),
        ({"method": "nuts", "tunes": 10}, r"no options \['tunes'\]; it has .*'tune'"),
        ({"draws": 0}, "draws=0; expected a whole number"),
        ({"chains": 2.5}, "chains=2.5; expected a whole number"),
    ],
)  # fmt: skip
def test_unknown_methods_and_options_are_errors_that_list_what_exists(
    estimator, table, arguments, message
):
    with pytest.raises(ValueError, match=message):
        estimator().fit(table, progressbar=False, **arguments)


def test_a_prior_of_the_wrong_kind_is_an_error(estimator, table):
    name = next(iter(estimator().frozen_priors()))
    with pytest.raises(astro_hier.priors.PriorError, match=f"prior of {name}"):
        with_prior(estimator, name, astro_hier.priors.Normal(1 * u.cd, 1 * u.cd)).fit(table)
    with pytest.raises(astro_hier.priors.PriorError, match=f"{name}='3' is not a prior"):
        with_prior(estimator, name, "3").pymc_model(table)
    with pytest.raises(astro_hier.priors.PriorError, match=f"^{name}=.*3.* cd.* has unit 'cd'"):
        with_prior(estimator, name, 3 * u.cd).fit(table)


@pytest.mark.parametrize("method", ["marginal", "nuts"])
def test_a_value_that_is_known_may_be_given_for_a_prior(estimator, table, suited, method):
    name = list(suited.frozen_priors())[-1]
    parameter = suited.parameter(name)
    median = suited.frozen_priors()[name].median()
    value = median * parameter.unit if parameter.unit != u.one else float(median)
    few = {"tune": 50, "cores": 1} if method == "nuts" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)  # of too few draws
        fitted = with_prior(estimator, name, value).fit(
            table, method=method, random_state=1, **QUICK, **few
        )
    assert np.all(fitted.samples(name) == value)
    row = fitted.summary(name)[0]
    assert row["mean"] == pytest.approx(median)
    assert row["sd"] == pytest.approx(0, abs=1e-12)
    assert name not in fitted.free_names()
    free = fitted.samples(fitted.free_names()[0])
    assert np.ptp(free) > 0 * free.unit


def test_results_before_a_fit_are_an_error_that_says_to_fit(estimator, tmp_path):
    model = estimator()
    plots = [name for name in dir(estimator) if name.startswith("plot_") and name != "plot_graph"]
    asked = [
        lambda: model.posterior,
        lambda: model.inference_data,
        lambda: model.samples("x"),
        lambda: model.summary(),
        lambda: model.map_sample,
        lambda: model.posterior_table(),
        lambda: model.save(tmp_path / "x.nc"),
        lambda: model.predict(),
        *(getattr(model, name) for name in plots),
    ]
    for ask in asked:
        with pytest.raises(NotFittedError, match=r"call fit\(table\) first"):
            ask()


def test_posterior_has_names_dims_units_and_long_names(fitted, suited):
    posterior = fitted.posterior
    assert isinstance(posterior, xr.Dataset)
    parameters = [*suited.parameters, LOG_PROB]
    assert list(posterior.data_vars) == [p.name for p in parameters]
    for parameter in parameters:
        variable = posterior[parameter.name]
        assert variable.dims == ("chain", "draw", *parameter.dims)
        assert u.Unit(variable.attrs["unit"]) == parameter.unit
        assert variable.attrs["long_name"]
        assert np.all(np.isfinite(variable))
    assert posterior.sizes["chain"] == 2
    assert posterior.sizes["draw"] == 50


def test_inference_data_holds_draws_statistics_and_data(fitted, table, suited):
    tree = fitted.inference_data
    assert isinstance(tree, xr.DataTree)
    assert set(tree.children) >= {"posterior", "sample_stats", "observed_data", "constant_data"}
    for role in suited.roles:
        if role.unit is not None and (role.required or role.name in table.colnames):
            group = tree["observed_data" if role.observed else "constant_data"]
            assert u.Unit(group[role.name].attrs["unit"]) == role.unit


def test_likelihoods_of_rows_are_kept(fitted, estimator):
    group = fitted.inference_data["log_likelihood"]
    name = next(iter(fitted.inference_data["observed_data"].data_vars))
    of = estimator.likelihood_of or estimator.row
    assert list(group.data_vars) == [name]
    assert group[name].dims == ("chain", "draw", of)
    assert np.all(np.isfinite(group[name]))


def test_samples_are_quantities_of_all_draws(fitted, suited):
    for parameter in suited.parameters:
        samples = fitted.samples(parameter.name)
        assert samples.unit == parameter.unit
        assert samples.shape == (100, *fitted.posterior[parameter.name].shape[2:])
    with pytest.raises(ValueError, match=r"no parameter 'nonsense'; it has \["):
        fitted.samples("nonsense")


def test_posterior_table_and_map_sample_have_units(fitted, suited):
    table = fitted.posterior_table()
    assert table.colnames == [p.name for p in suited.parameters if not p.dims]
    assert len(table) == 100
    best = np.argmax(fitted.samples("log_prob"))
    for parameter in suited.parameters:
        assert np.all(fitted.map_sample[parameter.name] == fitted.samples(parameter.name)[best])


def test_summary_has_one_row_a_parameter(fitted, suited):
    table = fitted.summary()
    common = [p for p in suited.parameters if not p.dims]
    assert table.colnames == [
        "parameter", "unit", "mean", "sd", "hdi_3%", "hdi_97%", "mcse_mean", "mcse_sd", "ess_bulk",
        "ess_tail", "r_hat",
    ]  # fmt: skip
    assert list(table["parameter"]) == [p.name for p in common]
    assert list(table["unit"]) == [p.unit.to_string() for p in common]
    assert table.meta["method"] == "marginal"
    for row, parameter in zip(table, common, strict=True):
        draws = fitted.samples(parameter.name).value
        assert row["mean"] == pytest.approx(draws.mean())
        assert row["sd"] == pytest.approx(draws.std(ddof=1))
        assert row["hdi_3%"] < row["mean"] < row["hdi_97%"]
    assert len(fitted.summary("all")) == sum(
        fitted.posterior[p.name][0, 0].size for p in suited.parameters
    )
    one = common[0].name
    assert list(fitted.summary([one])["parameter"]) == [one]
    assert "hdi_25%" in fitted.summary(hdi_prob=0.5).colnames
    assert len(fitted.summary(one)) == 1
    with pytest.raises(ValueError, match="no parameter is named; there are"):
        fitted.summary([])
    with pytest.raises(ValueError, match="between 0 and 1"):
        fitted.summary(hdi_prob=94)


def test_same_random_state_same_draws(estimator, table, fitted, suited):
    np.random.seed(0)  # noqa: NPY002 the global state must not matter
    again = estimator().fit(table, random_state=1, **QUICK)
    xr.testing.assert_identical(again.posterior, fitted.posterior)
    other = estimator().fit(table, random_state=np.random.default_rng(2), **QUICK)
    name = suited.parameters[0].name
    assert not np.any(other.posterior[name].values == fitted.posterior[name].values)


def test_initial_values_are_possible(estimator, table, suited):
    initial = estimator().initial_values(table)
    for parameter in suited.parameters:
        assert initial[parameter.name].unit == parameter.unit
    for name, prior in suited.frozen_priors().items():
        assert np.isfinite(prior.logpdf(initial[name].value))


def test_a_failed_fit_keeps_the_earlier_one(estimator, table):
    model = estimator().fit(table, random_state=1, **QUICK)
    before = model.inference_data
    with pytest.raises(astro_hier.TableError):
        model.fit(table[:0])
    assert model.inference_data is before


def test_an_interrupt_in_the_middle_of_a_fit_keeps_the_earlier_one(estimator, table):
    model = estimator().fit(table, random_state=1, **QUICK)
    before = model.inference_data
    derive = model.derive

    def interrupted(theta):
        os.kill(os.getpid(), signal.SIGINT)
        return derive(theta)

    model.derive = interrupted
    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        model.fit(table, random_state=2, **QUICK)
    assert model.inference_data is before
    assert threading.active_count() == threads


READ_AGAIN = """
import sys
import astro_hier
model = getattr(astro_hier, sys.argv[1]).load(sys.argv[2])
for row in model.summary("all"):
    print(*(repr(value) for value in row.values()))
print(repr(model))
"""


def test_a_saved_estimator_is_the_same_in_a_new_process(estimator, fitted, tmp_path):
    path = tmp_path / "saved.nc"
    fitted.save(path)
    assert os.listdir(tmp_path) == ["saved.nc"]
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", READ_AGAIN, estimator.__name__, path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [" ".join(repr(v) for v in row.values()) for row in fitted.summary("all")]
    assert run.stdout.splitlines() == [*rows, repr(fitted)]


def test_a_loaded_estimator_has_the_same_arguments_results_and_data(estimator, fitted, tmp_path):
    fitted.save(tmp_path / "saved.nc")
    loaded = estimator.load(tmp_path / "saved.nc")
    assert loaded.get_params() == fitted.get_params()
    xr.testing.assert_identical(loaded.inference_data, fitted.inference_data)
    random = "random_state" in inspect.signature(estimator.predict).parameters
    seed = {"random_state": 1} if random else {}
    assert np.all(loaded.predict(**seed) == fitted.predict(**seed))


@pytest.mark.parametrize("damage", ["truncated", "text", "empty", "bytes in the middle"])
def test_a_damaged_file_is_a_clear_error(estimator, fitted, tmp_path, damage):
    path = tmp_path / "saved.nc"
    fitted.save(path)
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "text":
        path.write_text("parallax parallax_error\n1 2\n")
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        at = content.index(b"estimator")
        path.write_bytes(content[:at] + bytes(64) + content[at + 64 :])
    with pytest.raises(SavedFileError, match=r"saved\.nc"):
        estimator.load(path)


def test_a_foreign_file_is_a_clear_error(estimator, fitted, tmp_path):
    path = tmp_path / "other.nc"
    fitted.inference_data.to_netcdf(path, engine="h5netcdf")
    with pytest.raises(SavedFileError, match="not written by an estimator's save method"):
        estimator.load(path)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*absent\.nc"):
        estimator.load(tmp_path / "absent.nc")


def test_a_file_of_another_estimator_names_the_one_to_use(estimator, fitted, tmp_path):
    fitted.save(tmp_path / "saved.nc")
    other = type("Other", (estimator,), {"__init__": estimator.__init__})
    try:
        with pytest.raises(SavedFileError, match=f"holds a {estimator.__name__}: load it with"):
            other.load(tmp_path / "saved.nc")
    finally:
        del other


def test_results_never_contradict_the_arguments(estimator, table, tmp_path):
    model = estimator().fit(table, random_state=1, **QUICK)
    model.set_params(on_invalid="drop")
    with pytest.raises(NotFittedError):
        model.save(tmp_path / "saved.nc")
    # set as an attribute it is not the argument of the fit
    model.fit(table, random_state=1, **QUICK)
    model.on_invalid = "raise"
    model.save(tmp_path / "saved.nc")
    assert estimator.load(tmp_path / "saved.nc").on_invalid == "drop"


def test_a_folder_that_does_not_exist_is_a_clear_error(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match="in a folder that exists"):
        fitted.save(tmp_path / "absent" / "saved.nc")


def test_methods_have_samplers_and_options():
    assert list(METHODS) == ["marginal", "nuts"]


def _finer(unit):
    """A unit a hundredth as large."""
    return u.CompositeUnit(0.01 * unit.scale, unit.bases, unit.powers)


def _drawn(figure):
    """Where lines and areas are on each of a figure's axes, whatever the unit of these."""
    for ax in figure.axes:
        ax.viewLim  # noqa: B018 which is only now computed
        data = [(line.get_transform(), [line.get_path()]) for line in ax.lines]
        data += [(of.get_transform(), of.get_paths()) for of in ax.collections]
        data += [(of.get_transform(), [of.get_path()]) for of in ax.patches]
        data += [(of.get_offset_transform(), [Path(of.get_offsets())]) for of in ax.collections]
        across = ax.transAxes.inverted()
        yield [
            np.ma.filled(across.transform(transform.transform(path.vertices)), np.nan)
            for transform, paths in data
            for path in paths
        ]


def test_figures_are_the_same_in_any_unit_but_for_their_axes(fitted, suited):
    known = [*suited.roles, *suited.parameters]
    units = {of.name: _finer(of.unit) for of in known if of.unit not in (None, u.one)}
    scaled = 0
    for name in (name for name in dir(fitted) if name.startswith("plot_")):
        plot = getattr(fitted, name)
        if "unit" not in inspect.signature(plot).parameters:
            continue
        try:
            own = plot().figure
        except NothingToDraw:
            continue
        other = plot(unit=units).figure
        for before, after in zip(_drawn(own), _drawn(other), strict=True):
            for one, same in zip(before, after, strict=True):
                np.testing.assert_allclose(one, same, rtol=1e-6, atol=1e-6, err_msg=name)
        for ax, same in zip(own.axes, other.axes, strict=True):
            for one in ("x", "y"):
                limits = (np.ptp(getattr(of, f"get_{one}lim")()) for of in (ax, same))
                factor = float(np.divide(*limits))
                labels = {getattr(of, f"get_{one}label")() for of in (ax, same)} - {"", "density"}
                changed = factor != pytest.approx(1)
                # distances, which are in kpc, are shown in pc by default
                assert factor in map(pytest.approx, (100, 0.01, 10)) or not changed, name
                if name != "plot_trace" or one == "x":  # else the unit is at the left of the row
                    assert (len(labels) != 1) if changed else len(labels) < 2 or "phase" in name
                scaled += changed
    assert scaled or not units


def _quantities(found):
    """Quantities by name: columns of a table, or the one or several that were found."""
    if isinstance(found, Table):
        return {of: column for of, column in found.items() if isinstance(column, u.Quantity)}
    return found if isinstance(found, dict) else {"": found}


def test_results_are_the_same_in_any_unit(fitted, table, suited):
    known = [*suited.roles, *suited.parameters]
    units = {of.name: _finer(of.unit) for of in known if of.unit not in (None, u.one)}
    possible = {"table": table, "random_state": 1, "name": LOG_PROB.name, "star": "star-0000"}
    without = "example", "initial_values", "explanations" * hasattr(fitted, "modes")
    for name in (name for name in dir(fitted) if not name.startswith(("_", "plot_"))):
        method = getattr(fitted, name)
        takes = inspect.signature(method) if callable(method) else inspect.Signature()
        has_units = "Quantity" in str(takes.return_annotation) or "QTable" in str(takes)
        if not has_units or name in without:
            continue
        assert "unit" in takes.parameters, name
        given = {of: possible[of] for of in possible if of in takes.parameters}
        own, shown = (_quantities(method(**given, **more)) for more in ({}, {"unit": units}))
        for of in own:
            assert u.allclose(own[of], shown[of], equal_nan=True), (name, of)
            assert own[of].unit != shown[of].unit or of not in units, (name, of)


def test_tables_for_papers_are_valid(fitted):
    own = "objects" if hasattr(fitted, "object_table") else "stars"
    given = [{}, {"of": own}] if hasattr(fitted, f"{own[:-1]}_table") else [{}, {"of": "elements"}]
    for of in given:
        for kind in ("latex", "aastex"):
            check_latex(fitted.paper_table(**of, format=kind))
        rows = fitted.paper_table(**of, format="table")
        read = Table.read(fitted.paper_table(**of, format="mrt"), format="ascii.mrt")
        assert len(read) == len(rows) or "statistic" in rows.colnames
