"""Claims about surveys: rows of single stars on disk, whoever makes them, and fits to them."""

import errno
import json
import os
import pickle
import shutil

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table

from astro_hier import BinaryPopulation, SB1Binary, TableError, datasets, priors, survey
from astro_hier.cli import main
from astro_hier.core.exact_sum import ExactSum
from astro_hier.posterior.files import UNFINISHED
from astro_hier.survey import RowsError, files, making

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

STARS, PER_FILE = 14, 5
RANGE = 1 * u.day, 100 * u.day
COLUMNS = {"time": ("jd", u.day), "rv": ("vhelio", u.km / u.s), "rv_error": ("e_v", u.km / u.s)}
QUIET = {"progressbar": False}


def population(**more):
    return BinaryPopulation(period_range=RANGE, **more)


@pytest.fixture(scope="module")
def visits():
    """Visits of a few stars; some have no companion."""
    table = datasets.make_binaries(STARS, 7, companion_fraction=0.8, random_state=5)
    table["time"] = table["time"] + 2459000 * u.day
    table["star"] = np.unique(table["star"], return_inverse=True)[1] + 10**15
    return table


@pytest.fixture(scope="module")
def long(visits):
    """The same as a frame of a visit a row, without units."""
    names = {"star": "source_id", "time": "jd", "rv": "vhelio", "rv_error": "e_v"}
    return pd.DataFrame(
        {new: np.asarray(getattr(visits[old], "value", visits[old])) for old, new in names.items()}
    )


@pytest.fixture(scope="module")
def rows(visits, tmp_path_factory):
    """The rows of all stars, in three files."""
    folder = tmp_path_factory.mktemp("rows")
    survey.prepare(visits, folder, population(), stars_per_file=PER_FILE, **QUIET)
    return folder


@pytest.fixture(scope="module")
def fitted(rows):
    return population(companion_fraction=priors.Uniform(0, 1)).fit_rows(
        rows, random_state=1, draws=200, **QUIET
    )


def content(folder):
    """All rows of a folder, by star, whatever the files."""
    tables = [pq.read_table(path, partitioning=None) for path in files.found(folder)]
    table = pa.concat_tables([of.select(sorted(set(of.column_names) & KEPT)) for of in tables])
    return table.sort_by("star")


KEPT = {"star", "status", "checksum", "specification", "index", "weight", "log_scale", "constant",
        "P", "K", "log_mass", "chi2"}  # fmt: skip


def nested(long):
    """A frame of a star a row, with columns of lists."""
    return long.groupby("source_id", as_index=False).agg(list)


# ---- the same rows by every way


@pytest.mark.parametrize("kind", ["fits", "long", "scattered", "lists", "structures"])
def test_rows_do_not_depend_on_the_kind_of_source(kind, visits, long, rows, tmp_path):
    source, more = tmp_path / f"{kind}.parquet", {"star": "source_id", "columns": COLUMNS}
    if kind == "fits":
        source, more = tmp_path / "visits.fits", {}
        plain = Table(visits)
        plain.meta.clear()
        plain.write(source)
    elif kind in ("long", "scattered"):
        (long if kind == "long" else long.sort_values("jd")).to_parquet(source)
    elif kind == "lists":
        nested(long).to_parquet(source)
    else:
        frame = nested(long)
        of_star = [
            [dict(zip(("jd", "vhelio", "e_v"), of, strict=True)) for of in zip(*lists, strict=True)]
            for lists in zip(frame["jd"], frame["vhelio"], frame["e_v"], strict=True)
        ]
        pq.write_table(pa.table({"source_id": frame["source_id"], "visits": of_star}), source)
        more["visits"] = "visits"
    done = survey.prepare(
        source, tmp_path / "rows", population(), stars_per_file=6, **more, **QUIET
    )
    assert (done.stars, done.done, done.failed, done.complete) == (STARS, STARS, {}, True)
    assert content(tmp_path / "rows").equals(content(rows))


@pytest.mark.parametrize("form", ["long", "lists"])
def test_a_function_of_frames_makes_the_same_rows(form, long, rows, tmp_path):
    work = population().partition_function(star="source_id", columns=COLUMNS)
    work = pickle.loads(pickle.dumps(work))
    frame = long if form == "long" else nested(long)
    parts = [work(frame[frame["source_id"] % 2 == k]) for k in (0, 1)]
    meta = work.meta(frame)
    assert len(meta) == 0
    for part in parts:
        assert part.dtypes.equals(meta.dtypes)
    whole = pd.concat(parts).rename(columns={"source_id": "star"})
    whole.to_parquet(tmp_path / "all.parquet")
    assert content(tmp_path).equals(content(rows))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within LSDB
def test_catalogues_on_dask_make_the_same_rows(long, rows, tmp_path):
    lsdb, nested_pandas = pytest.importorskip("lsdb"), pytest.importorskip("nested_pandas")
    dask = pytest.importorskip("dask")
    stars = np.unique(long["source_id"])
    where = {"ra": np.linspace(1, 359, STARS), "dec": np.linspace(-80, 80, STARS)}
    base = pd.DataFrame({"source_id": stars, **where}, index=stars)
    frame = nested_pandas.NestedFrame(base).join_nested(long.set_index("source_id"), "visits")
    catalogue = lsdb.from_dataframe(
        frame, ra_column="ra", dec_column="dec", lowest_order=0, highest_order=1
    )
    work = population().partition_function(star="source_id", visits="visits", columns=COLUMNS)
    made = catalogue.map_partitions(work, meta=work.meta(catalogue.meta))
    with dask.config.set(scheduler="synchronous"):
        made.write_catalog(tmp_path / "rows", catalog_name="rows", progress_bar=False)
    done = survey.status(tmp_path / "rows")
    assert (done.done, done.failed, done.files > 1) == (STARS, {}, True)
    part = pq.read_table(files.found(tmp_path / "rows")[0], partitioning=None)
    assert {"ra", "dec", "_healpix_29"} <= set(part.column_names), "it is a catalogue again"
    own = content_of(tmp_path / "rows", "source_id")
    assert own.equals(content(rows))
    fits = [
        population().fit_rows(of, random_state=1, draws=100, **QUIET).samples("mu").value
        for of in (tmp_path / "rows", rows)
    ]
    np.testing.assert_array_equal(*fits)


def content_of(folder, star):
    """As `content`, where labels have another name."""
    tables = [pq.read_table(path, partitioning=None) for path in files.found(folder)]
    table = pa.concat_tables(tables).rename_columns({star: "star"})
    return (
        table.select(sorted(KEPT & set(table.column_names)))
        .sort_by("star")
        .cast(content_schema(table))
    )


def content_schema(table):
    return pa.schema(sorted((table.schema.field(n) for n in KEPT), key=lambda of: of.name))


# ---- the same posterior


def test_the_posterior_is_that_of_the_table(visits, fitted):
    """The same random numbers give the same draws, up to rounding."""
    model = population(companion_fraction=priors.Uniform(0, 1), star_draws=False)
    of_table = model.fit(visits, random_state=1, draws=200, **QUIET)
    for name in ("mu", "lnsigma", "companion_fraction"):
        np.testing.assert_allclose(
            fitted.samples(name).value, of_table.samples(name).value, rtol=1e-8
        )
    for name in ("outside_range", "stars_without_orbit", "stars_without_period"):
        assert fitted.posterior.attrs[name] == pytest.approx(of_table.posterior.attrs[name])


@pytest.mark.slow
def test_so_it_is_for_ellipses(tmp_path):
    visits = datasets.make_binaries(3, 9, random_state=2)
    visits["time"] = visits["time"] + 2459000 * u.day
    model = population(eccentricity=True, star_draws=False)
    survey.prepare(visits, tmp_path, model, **QUIET)
    options = {"random_state": 1, "draws": 100, "max_evaluations": 3000, **QUIET}
    by_rows = population(eccentricity=True).fit_rows(tmp_path, **options)
    of_table = model.fit(visits, **options)
    for name in ("mu", "alpha_e"):
        np.testing.assert_allclose(
            by_rows.samples(name).value, of_table.samples(name).value, rtol=1e-6
        )
    by_rows.star_results(tmp_path, tmp_path / "results", **QUIET)
    found, expected = survey.read(tmp_path / "results"), of_table.star_table()
    for name, tolerance in (("P", 1e-3), ("K", 0.05)):
        np.testing.assert_allclose(found[name].value, expected[name].value, rtol=tolerance)
    assert np.all((found["e_low"] <= found["e"]) & (found["e"] <= found["e_high"]))


def test_results_of_stars_are_those_of_the_table(visits, rows, fitted, tmp_path):
    fitted.star_results(rows, tmp_path, **QUIET)
    found = survey.read(tmp_path)
    model = population(companion_fraction=priors.Uniform(0, 1), star_draws=False)
    expected = model.fit(visits, random_state=1, draws=200, **QUIET).star_table()
    assert [str(star) for star in found["star"]] == [str(star) for star in expected["star"]]
    known = expected["probability"] > 0.9
    assert known.sum() > 5
    shift = (found["P"] - expected["P"]) / expected["P_sd"]  # of the best period, from the median
    assert np.abs(shift[known]).max() < 0.3
    for name, tolerance in (("K", 2e-3), ("probability", 1e-3), ("P_sd", 1e-2)):
        values = [np.asarray(of[name][known], float) for of in (found, expected)]
        np.testing.assert_allclose(*values, rtol=tolerance)
    for name in ("ln_bayes_factor", "companion", "period_information", "chi2_per_dof", "n_modes"):
        np.testing.assert_allclose(
            found[name][known], expected[name][known], rtol=1e-3, atol=1e-3, err_msg=name
        )
    assert found["time"].unit == u.day


def test_sums_do_not_depend_on_the_order():
    rng = np.random.default_rng(1)
    values = rng.normal(-30, 1e3, (3, 1001))
    values[2, 7] = -np.inf
    totals = []
    for order in (np.arange(1001), rng.permutation(1001)):
        total = ExactSum(3)
        for part in np.array_split(order, rng.integers(2, 9)):
            total.add(values[:, part])
        totals.append(total.total)
    np.testing.assert_array_equal(*totals)
    np.testing.assert_allclose(totals[0], values.sum(axis=1), rtol=1e-12)


# ---- nothing lost


def test_work_goes_on_where_it_was_interrupted(visits, rows, tmp_path, monkeypatch):
    make, made = files.write, []

    def interrupted(table, path):
        if len(made) == 1:
            raise KeyboardInterrupt
        made.append(path.name)
        make(table, path)

    call = (visits, tmp_path, population())
    with monkeypatch.context() as patch:
        patch.setattr(files, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            survey.prepare(*call, stars_per_file=PER_FILE, **QUIET)
    state = survey.status(tmp_path)
    assert (state.done, state.stars, state.complete) == (PER_FILE, STARS, False)
    assert "still to be done" in str(state)
    before = files.found(tmp_path)[0].stat().st_mtime_ns
    survey.prepare(*call, stars_per_file=PER_FILE, **QUIET)
    assert files.found(tmp_path)[0].stat().st_mtime_ns == before
    assert content(tmp_path).equals(content(rows))


def test_a_full_disk_leaves_what_is_complete(visits, rows, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left.*complete stay"):
            survey.prepare(visits, tmp_path, population(), stars_per_file=PER_FILE, **QUIET)
    assert not list(tmp_path.glob("*.parquet"))
    assert not list(tmp_path.glob(f"{UNFINISHED}*"))
    survey.prepare(visits, tmp_path, population(), stars_per_file=PER_FILE, **QUIET)
    assert content(tmp_path).equals(content(rows))


def full(number):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("damage", ["cut", "other visits"])
def test_damaged_and_outdated_files_are_made_again(damage, visits, rows, tmp_path):
    shutil.copytree(rows, tmp_path, dirs_exist_ok=True)
    visits, path = visits.copy(), files.found(tmp_path)[1]
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(RowsError, match="not a file of rows"):
            survey.status(tmp_path)
    else:
        visits["rv"][0] += 5 * u.km / u.s
    survey.prepare(visits, tmp_path, population(), stars_per_file=PER_FILE, **QUIET)
    assert content(tmp_path).equals(content(rows)) == (damage == "cut")


def test_existing_rows_are_not_mixed_with_others(visits, rows, tmp_path):
    shutil.copytree(rows, tmp_path, dirs_exist_ok=True)
    with pytest.raises(RowsError, match=r"trend 0 and 1"):
        survey.prepare(visits, tmp_path, population(trend=1), stars_per_file=PER_FILE, **QUIET)
    with pytest.raises(RowsError, match="5 a file"):
        survey.prepare(visits, tmp_path, population(), stars_per_file=4, **QUIET)
    with pytest.raises(FileExistsError, match="already holds 3 files"):
        survey.prepare(visits, tmp_path, population(), resume=False, **QUIET)


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(visits, rows, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = next(iter(cluster.workers.values())).pid
        os.kill(victim, 9)
        survey.prepare(
            visits, tmp_path, population(), client=client, stars_per_file=PER_FILE, **QUIET
        )
    assert content(tmp_path).equals(content(rows))


def test_files_that_cannot_be_made_are_named(visits, tmp_path, monkeypatch):
    def broken(tasks, work, client, bar):
        return [(path, MemoryError("too large")) for path, _ in tasks][:1]

    monkeypatch.setattr(making, "_by_client", broken)
    with pytest.raises(RowsError, match=r"1 of the files were not made, the first rows-000000"):
        survey.prepare(visits, tmp_path, population(), client=object(), stars_per_file=5, **QUIET)


# ---- nothing wrong in silence


def test_stars_that_cannot_be_used_say_why(long, tmp_path):
    frame = nested(long)
    frame["vhelio"] = [[None, *of[1:]] if n == 0 else of for n, of in enumerate(frame["vhelio"])]
    frame["e_v"] = [[0.0, *of[1:]] if n == 1 else of for n, of in enumerate(frame["e_v"])]
    for name in ("jd", "vhelio", "e_v"):
        frame[name] = [[] if n == 2 else of for n, of in enumerate(frame[name])]
    frame.to_parquet(tmp_path / "visits.parquet")
    given = {"star": "source_id", "columns": COLUMNS, **QUIET}
    state = survey.prepare(tmp_path / "visits.parquet", tmp_path / "rows", population(), **given)
    expected = {"missing values": 1, "impossible values": 1, "no visits": 1}
    assert (state.done, state.failed, state.complete) == (STARS - 3, expected, True)
    dropping = population(on_invalid="drop")
    state = survey.prepare(tmp_path / "visits.parquet", tmp_path / "dropped", dropping, **given)
    assert (state.done, state.failed) == (STARS - 1, {"no visits": 1})
    again = survey.prepare(tmp_path / "visits.parquet", tmp_path / "rows", dropping, **given)
    assert (again.done, again.failed) == (state.done, state.failed), "they are made again"
    back = survey.prepare(tmp_path / "visits.parquet", tmp_path / "rows", population(), **given)
    assert (back.done, back.failed) == (STARS - 3, expected)
    with pytest.warns(UserWarning, match="3 of 14"):
        model = population().fit_rows(tmp_path / "rows", random_state=1, draws=50, **QUIET)
    model.star_results(tmp_path / "rows", tmp_path / "results", **QUIET)
    results = survey.read(tmp_path / "results")
    assert np.isnan(results["P"]).sum() == np.sum(results["status"] != "ok") == 3


def test_a_star_whose_work_fails_does_not_take_its_part_along(visits, tmp_path, monkeypatch):
    from astro_hier.models.binary_population.star_rows import PopulationRows

    of_star = PopulationRows.of_star

    def failing(self, star, *given):
        if star == 10**15 + 3:
            raise np.linalg.LinAlgError("singular")
        return of_star(self, star, *given)

    monkeypatch.setattr(PopulationRows, "of_star", failing)
    state = survey.prepare(visits, tmp_path, population(), **QUIET)
    assert state.failed == {"failed: LinAlgError: singular": 1}
    assert state.done == STARS - 1


def test_a_tilde_is_the_home_folder(visits, rows, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(rows.parent))
    assert survey.status(f"~/{rows.name}") == survey.status(rows)
    again = population().prepare_rows(f"~/{rows.name}")
    assert again.store.folder == rows
    with pytest.raises(FileNotFoundError, match=f"'{rows.parent}/absent.fits'"):
        survey.prepare("~/absent.fits", tmp_path / "rows", population(), **QUIET)


def test_rows_of_other_models_are_refused(rows, tmp_path):
    with pytest.raises(RowsError, match=r"trend 0 and 1"):
        population(trend=1).fit_rows(rows, **QUIET)
    shutil.copytree(rows, tmp_path, dirs_exist_ok=True)
    path = files.found(tmp_path)[0]
    table = pq.read_table(path)
    said = json.loads(table["specification"][0].as_py()) | {"trend": 2}
    text = pa.array([json.dumps(said)] * len(table))
    files.write(table.set_column(table.column_names.index("specification"), "specification", text),
                path)  # fmt: skip
    with pytest.raises(RowsError, match="different arguments"):
        population().fit_rows(tmp_path, **QUIET)


def test_stars_are_not_counted_twice(rows, tmp_path):
    shutil.copytree(rows, tmp_path, dirs_exist_ok=True)
    shutil.copy(files.found(tmp_path)[0], tmp_path / "copy.parquet")
    with pytest.raises(RowsError, match=r"5 rows .* have another row, such as 10000000000000"):
        population().fit_rows(tmp_path, **QUIET)


def test_the_range_of_periods_is_that_of_the_rows(rows):
    model = BinaryPopulation().fit_rows(rows, random_state=1, draws=50, **QUIET)
    assert model.posterior.attrs["longest_period"] == 100


def test_results_of_another_fit_are_not_mixed(rows, fitted, tmp_path):
    fitted.star_results(rows, tmp_path, **QUIET)
    fitted.star_results(rows, tmp_path, **QUIET)
    other = population().fit_rows(rows, random_state=2, draws=50, **QUIET)
    with pytest.raises(RowsError, match="another fit"):
        other.star_results(rows, tmp_path, **QUIET)
    with pytest.raises(FileExistsError):
        fitted.star_results(rows, tmp_path, resume=False, **QUIET)


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (BinaryPopulation(), "period_range is not given"),
        (population(instrument="spectrograph"), "one instrument"),
    ],
    ids=["no range", "instruments"],
)
def test_what_single_stars_cannot_know_is_refused(model, match):
    with pytest.raises(ValueError, match=match):
        model.partition_function(columns=COLUMNS)


def test_columns_need_units_and_must_be_there(long):
    with pytest.raises(TableError, match="state no units"):
        population().partition_function(columns={**COLUMNS, "rv": "vhelio"})
    with pytest.raises(TableError, match="does not convert"):
        population().partition_function(columns={**COLUMNS, "rv": ("vhelio", u.day)})
    several = {**COLUMNS, "rv": (["VHELIO", "vhelio"], u.km / u.s)}  # as presets have them
    work = population().partition_function(star="source_id", columns=several)
    assert len(work(long)) == STARS
    work = population().partition_function(star="id", columns=COLUMNS)
    with pytest.raises(TableError, match="no columns"):
        work(long)


def test_a_fit_to_rows_is_saved_and_says_what_it_lacks(rows, fitted, tmp_path):
    fitted.save(tmp_path / "fit.nc")
    loaded = BinaryPopulation.load(tmp_path / "fit.nc")
    assert loaded.summary().pformat() == fitted.summary().pformat()
    loaded.star_results(rows, tmp_path / "results", **QUIET)
    assert len(survey.read(tmp_path / "results")) == STARS
    for figure in (loaded.plot_phase, loaded.star_table, loaded.plot_data):
        with pytest.raises(ValueError, match="star_results"):
            figure()
    with pytest.raises(ValueError, match="star_results"):
        loaded.samples("P")
    loaded.report(tmp_path / "fit.html")
    assert "star_results" in (tmp_path / "fit.html").read_text()


def test_a_file_without_visits_is_said(visits, tmp_path):
    plain = Table(visits)[:0]
    plain.meta.clear()
    plain.write(tmp_path / "none.fits")
    with pytest.raises(TableError, match="no stars"):
        survey.prepare(tmp_path / "none.fits", tmp_path / "rows", population(), **QUIET)


def test_folders_without_rows(tmp_path):
    with pytest.raises(FileNotFoundError, match="not a folder"):
        survey.status(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="no Parquet files"):
        population().fit_rows(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(RowsError, match=r"not a file of rows|holds no rows"):
        survey.status(tmp_path)


# ---- the orbit of every star


@pytest.mark.parametrize("more", [{}, {"eccentricity": True}], ids=["circles", "ellipses"])
def test_a_catalogue_of_orbits(more, visits, long, tmp_path):
    """As `describe` makes them, which is held to fits of single stars elsewhere."""
    model, few = SB1Binary(P=priors.LogUniform(*RANGE), **more), visits[:21]
    state = survey.prepare(few, tmp_path / "orbits", model, **QUIET)
    assert (state.done, state.failed) == (3, {})
    found, spec = survey.read(tmp_path / "orbits"), model.survey_spec()
    first = few[few["star"] == few["star"][0]]
    given = (
        first["time"].value - first["time"].value.min(),
        first["rv"].value,
        first["rv_error"].value,
    )
    expected = spec.describe(spec.visits(*given))
    for name in ("P", "K_upper", "ln_bayes_factor", "v0"):
        assert u.Quantity(found[name][0]).value == pytest.approx(expected[name])
    assert found["t_conj"][0].value == pytest.approx(expected["t_conj"] + first["time"].value.min())
    n_modes = len(expected["modes_P"])
    np.testing.assert_allclose(found["modes_P"][0, :n_modes].value, expected["modes_P"])
    assert (found["P"].unit, found["K"].unit) == (u.day, u.km / u.s)
    work = model.partition_function(star="source_id", columns=COLUMNS)
    frame = long[long["source_id"] == few["star"][0]]
    assert work(frame)["P"].iloc[0] == pytest.approx(expected["P"])
    assert work(frame).dtypes.equals(work.meta(frame).dtypes)


def test_orbits_are_not_rows_of_a_population(visits, tmp_path):
    survey.prepare(visits[:7], tmp_path, SB1Binary(P=priors.LogUniform(*RANGE)), **QUIET)
    with pytest.raises(RowsError, match="they are of SB1Binary and BinaryPopulation"):
        population().fit_rows(tmp_path, **QUIET)


# ---- from the shell


def test_the_command_goes_all_the_way(visits, tmp_path, capsys):
    plain = visits.copy()
    plain.meta.clear()
    plain.write(tmp_path / "visits.ecsv")
    folder, fit = str(tmp_path / "rows"), str(tmp_path / "fit")
    prepare = ["survey", "prepare", str(tmp_path / "visits.ecsv"), "--rows", folder, "--quiet"]
    assert main([*prepare]) == 1
    assert "--set 'period_range=" in capsys.readouterr().err
    assert main([*prepare, "--set", "period_range=1 d, 100 d"]) == 0
    assert main(["survey", "status", folder]) == 0
    assert f"{STARS} of {STARS} stars done" in capsys.readouterr().out
    made = ["survey", "fit", folder, "--out", fit, "--seed", "1", "--draws", "50", "--quiet"]
    assert main(made) == 0
    assert main(made) == 1, "nothing is overwritten"
    assert main(["survey", "fit", f"{folder}/none", "--out", f"{fit}/none"]) == 1
    assert not (tmp_path / "fit" / "none").exists(), "a folder is left without files"
    saved = f"{fit}/posterior.nc"
    assert main(["survey", "results", saved, folder, "--out", f"{fit}/stars", "--quiet"]) == 0
    assert len(survey.read(f"{fit}/stars")) == STARS


def test_names_of_columns_that_only_parquet_files_need_are_refused_elsewhere(tmp_path):
    table = datasets.make_binaries(2, random_state=1)
    for given in ({"star": "id"}, {"columns": {"rv": "v"}}):
        with pytest.raises(ValueError, match=f"{next(iter(given))}= are for Parquet files: name"):
            survey.prepare(table, tmp_path, population(), progressbar=False, **given)
