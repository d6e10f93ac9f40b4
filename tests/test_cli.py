"""Claims about the astro-hier command."""

import re
import sys
from contextlib import suppress
from pathlib import Path

import astropy.units as u
import pytest
from astropy.table import QTable

from astro_hier import (
    SB1Binary,
    StarCluster,
    __version__,
    columns,
    datasets,
    outliers,
    priors,
)
from astro_hier.cli import main, parser
from astro_hier.cli.described import MODELS
from astro_hier.posterior.files import SIGNATURE

KMS = u.km / u.s
FILES = {
    "data.png", "distances.png", "corner.png", "trace.png", "graph.png", "posterior.nc",
    "stars.ecsv",
}  # fmt: skip


def test_demo_prints_the_summary_beside_the_truth_and_writes_files(tmp_path, capsys):
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "truth" in printed
    assert "mu_r  kpc      0.5" in printed
    assert {path.name for path in out.iterdir()} == {
        "cluster", "binary", "binaries", "dispersion", "period-luminosity", "population",
    }  # fmt: skip
    assert {path.name for path in (out / "cluster").iterdir()} == FILES
    assert len(QTable.read(out / "binaries" / "stars.ecsv")) == 14
    assert StarCluster.load(out / "cluster" / "posterior.nc").posterior.sizes["star"] == 256


def test_every_model_has_a_command_that_help_and_demo_name(capsys):
    for words in (["--help"], ["demo", "--help"]):
        with pytest.raises(SystemExit):
            main(words)
        printed = capsys.readouterr().out
        for name in MODELS:
            assert name in printed
    assert None not in MODELS


def test_dispersion_reads_redshifts(tmp_path, capsys):
    table = datasets.make_velocities(
        30, v_sys=20_000 * KMS, sigma_v=700 * KMS, error=50 * KMS, redshift=True, random_state=1
    )
    table.meta.clear()
    table.rename_column("redshift", "z")
    table.write(tmp_path / "galaxies.csv")
    words = ["--columns", "redshift=z", "--out", str(tmp_path / "out"), "--draws", "50"]
    assert main(["dispersion", str(tmp_path / "galaxies.csv"), *words]) == 0
    assert "sigma_v" in capsys.readouterr().out
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == FILES - {"distances.png"}


@pytest.mark.parametrize("suffix", ["ecsv", "fits", "vot"])
def test_cluster_reads_any_format(tmp_path, capsys, suffix):
    table = datasets.make_star_cluster(20, random_state=1)
    table.meta.clear()
    path = tmp_path / f"members.{suffix}"
    table.write(path, **({"format": "votable"} if suffix == "vot" else {}))
    assert main(["cluster", str(path), "--out", str(tmp_path / "out"), "--draws", "50"]) == 0
    assert "mu_r" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_results_come_in_the_units_that_are_asked_for(tmp_path, capsys):
    table = datasets.make_star_cluster(20, random_state=1)
    table.meta.clear()
    table.write(tmp_path / "members.ecsv")
    words = ["cluster", str(tmp_path / "members.ecsv"), "--draws", "50", "--no-figures"]
    assert main([*words, "--unit", "pc", "--out", str(tmp_path / "out")]) == 0
    (line,) = (of for of in capsys.readouterr().out.splitlines() if of.split()[:1] == ["mu_r"])
    assert line.split()[1] == "pc"
    assert float(line.split()[2]) > 100
    assert QTable.read(tmp_path / "out" / "stars.ecsv")["r"].unit == "pc"
    with pytest.raises(SystemExit):
        main([*words, "--unit", "parsecs per"])
    assert main([*words, "--unit", "pc,m/s", "--out", str(tmp_path / "none")]) == 1
    assert "--unit m/s is one of speed/velocity, which no quantity here has" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "none").exists()  # it is said before the fit


def test_binary_prints_its_periods(tmp_path, capsys):
    table = datasets.make_binary(random_state=1)
    table.meta.clear()
    table.write(tmp_path / "visits.ecsv")
    out = tmp_path / "out"
    assert main(["binary", str(tmp_path / "visits.ecsv"), "--out", str(out), "--draws", "50"]) == 0
    printed = capsys.readouterr().out
    assert "Periods between 1.5 and 20 d, most probable first" in printed
    assert "1.0000" in printed
    figures = {"data.png", "phase.png", "periodogram.png", "corner.png", "trace.png", "graph.png"}
    assert {path.name for path in out.iterdir()} == figures | {"posterior.nc", "elements.ecsv"}
    assert "mass_function" in printed
    assert len(QTable.read(out / "elements.ecsv")) == 3


def test_binaries_takes_a_preset_and_writes_a_table_of_stars(tmp_path, capsys):
    table = datasets.make_binaries(3, 10, random_state=1)
    table.meta.clear()
    table.rename_columns(["star", "time", "rv", "rv_error"],
                         ["APOGEE_ID", "JD", "VHELIO", "VHELIO_ERR"])  # fmt: skip
    table.write(tmp_path / "visits.fits")
    out, figures = tmp_path / "out", {"data", "phase", "population", "corner", "trace", "graph"}
    arguments = ["--columns", "apogee", "--out", str(out), "--draws", "50"]
    assert main(["binaries", str(tmp_path / "visits.fits"), *arguments]) == 0
    printed = capsys.readouterr()
    assert "lnsigma" in printed.out
    assert "No " not in printed.out  # figures of what the model lacks are no news
    stars = QTable.read(out / "stars.ecsv")
    assert list(stars["n_visits"]) == [10, 10, 10]
    written = {path.name for path in out.iterdir()}
    assert written == {"posterior.nc", "stars.ecsv", *(f"{name}.png" for name in figures)}
    arguments += ["--prior", "companion_fraction=Uniform(0, 1)", "--overwrite"]
    assert main(["binaries", str(tmp_path / "visits.fits"), *arguments]) == 0
    assert {path.name for path in out.iterdir()} == written | {"companions.png"}


def test_the_same_seed_gives_the_same_numbers(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = datasets.make_star_cluster(20, random_state=1)
    table.meta.clear()
    table.write("members.ecsv")
    printed = []
    for _ in range(2):
        words = ["cluster", "members.ecsv", "--seed", "3", "--draws", "50", "--overwrite"]
        words += ["--no-figures"]
        assert main(words) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert (tmp_path / "members-cluster" / "posterior.nc").exists()


def test_columns_are_named_with_units_or_by_preset(tmp_path, capsys):
    table = datasets.make_star_cluster(10, random_state=1)
    path = tmp_path / "members.csv"
    path.write_text(
        "source_id,parallax,parallax_error\n"
        + "".join(
            f"{4 * 10**18 + i},{row['parallax'].value},{row['parallax_error'].value}\n"
            for i, row in enumerate(table)
        )
    )
    options = ["--out", str(tmp_path / "out"), "--draws", "50", "--overwrite", "--no-figures"]
    assert main(["cluster", str(path), *options]) == 1
    error = capsys.readouterr().err
    assert "column 'parallax' (parallax) has no unit" in error
    line = "--columns parallax=parallax:mas,parallax_error=parallax_error:mas"
    assert error.endswith(f"try: astro-hier cluster {path} {' '.join(options)} {line}\n")
    assert main(["cluster", str(path), "--columns", "gaia", *options]) == 0
    loaded = StarCluster.load(tmp_path / "out" / "posterior.nc")
    assert loaded.columns == columns.GAIA
    assert loaded.posterior["star"].values[-1] == 4 * 10**18 + 9
    words = "parallax=parallax:arcsec,parallax_error=parallax_error:arcsec"
    assert main(["cluster", "--columns", words, str(path), *options]) == 0
    said = capsys.readouterr().out
    assert re.search("Warning, prior_edge: .* ln_std_r .* widen the prior with --prior", said)


def test_priors_are_given_with_units(tmp_path, capsys):
    path = tmp_path / "visits.ecsv"
    visits = datasets.make_binary(12, P=34.2 * u.day, random_state=1)
    visits.meta.clear()
    visits.write(path)
    words = ["binary", str(path), "--out", str(tmp_path / "out"), "--draws", "50", "--no-figures"]
    prior = ["--prior", "P = LogUniform(1 d, 2 yr)", "--prior", "v0=Normal(0 km/s, 50 km/s)"]
    assert main([*words, *prior]) == 0
    assert "Periods between 1 and 730.5 d" in capsys.readouterr().out
    loaded = SB1Binary.load(tmp_path / "out" / "posterior.nc")
    assert loaded.P == priors.LogUniform(1 * u.day, 2 * u.yr)
    assert abs(loaded.samples("P").mean() - 34.2 * u.day) < 0.1 * u.day
    for bad in (
        "P",
        "P=Prior()",
        "P=Cauchy(1 d)",
        "P=Uniform(1 day long, 2 d)",
        "P=Uniform(2 d)",
        "P=Uniform(1 d, 2 d",
    ):
        with pytest.raises(SystemExit):
            main([*words, "--prior", bad])
        assert "expected a prior such as P=LogUniform(1 d, 1000 d)" in capsys.readouterr().err
    for bad in ("Q", "columns"):
        with pytest.raises(SystemExit):
            main([*words, "--prior", f"{bad}=Uniform(1, 2)"])
        assert f"'{bad}' has no prior; expected one of P, a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cluster", "absent.ecsv"], "absent.ecsv"),
        (["cluster", "notes.xyz"], "notes.xyz"),
        (["cluster", "members.ecsv", "--columns", "parallax=plx"], "column 'plx'"),
    ],
)
def test_errors_are_one_line_and_a_status(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.xyz").write_text("dear diary")
    table = datasets.make_star_cluster(5, random_state=1)
    table.meta.clear()
    table.write("members.ecsv")
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("astro-hier: ")
    assert message in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--columns", "gaja"], "'gaja'; expected ROLE=NAME"),
        (["--columns", "gaia,parallax=plx"], "as in --columns gaia --columns parallax=plx"),
        (["--set", "draws=200"], "--set draws: expected --draws 200"),
        (["--zero_point=-0.03 mas"], "try --set 'zero_point=-0.03 mas'"),
        (["--mu-r", "3"], "try --set mu_r=..."),
        (["--set", "error_scale=2", "--set", "error_scale=3"], "'error_scale' is given twice"),
        (["--set", "mu_r=2 kpc", "--prior", "mu_r=Normal(1 kpc, 1 kpc)"], "'mu_r' is given twice"),
        (["--prior", "halo_fraction=Beta(1, 3)"], "it is one with --set profile=CoreHalo"),
        (["--prior", "outlier_sd=Normal(1 mas, 1 mas)"], "it is one with --set outliers=True"),
        (["--prior", "outlier_sd=Normal(1,5 mas, 1 mas)"], "Normal takes mu and sigma, and here"),
        (["--set", "outliers=yes"], "expected one of True, ParallaxBackground"),
        (["--set", "zero_point=-0.029 MAS"], "MAS is not a valid unit"),
        (["--columns", "parallax=a,parallax=b"], "expected one column of parallax, not two"),
        (["--seed", "-1"], "--seed: "),
        (["--seed", "x"], "--seed: 'x'; expected a whole number"),
    ],
)
def test_impossible_options_are_named(capsys, arguments, message):
    with pytest.raises(SystemExit):
        main(["cluster", "members.ecsv", *arguments])
    assert message in capsys.readouterr().err


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"astro-hier {__version__}\n"


def test_an_interrupt_is_said(members, tmp_path, capsys, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(StarCluster, "fit", interrupted)
    assert members("gaia.csv") == 130
    assert capsys.readouterr().err.endswith("astro-hier: interrupted\n")
    assert not (tmp_path / "gaia-cluster").exists()


def test_an_interrupt_while_the_command_loads_is_said(capsys, monkeypatch):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", interrupted)
    assert main(["cluster", "gaia.csv"]) == 130
    assert capsys.readouterr().err == "astro-hier: interrupted\n"


def test_the_prior_of_an_offset_and_a_limit_on_a_dispersion(tmp_path, capsys):
    visits = datasets.make_binary(12, random_state=1)
    visits["tel"] = ["A", "B"] * 6
    members = datasets.make_velocities(20, sigma_v=0.1 * u.km / u.s, random_state=1)
    for name, table in (("visits", visits), ("members", members)):
        table.meta.clear()
        table.write(tmp_path / f"{name}.ecsv")
    out = ["--out", str(tmp_path / "out"), "--draws", "50", "--seed", "1", "--overwrite"]
    out += ["--no-figures"]
    words = ["--set", "instrument=tel", "--prior", "offset=Normal(0 km/s, 1 km/s)"]
    assert main(["binary", str(tmp_path / "visits.ecsv"), *words, *out]) == 0
    assert "offset[B]" in capsys.readouterr().out
    loaded = SB1Binary.load(tmp_path / "out" / "posterior.nc")
    assert loaded.offset == priors.Normal(0 * u.km / u.s, 1 * u.km / u.s)
    assert main(["dispersion", str(tmp_path / "members.ecsv"), *out, "--unit", "m/s"]) == 0
    printed = capsys.readouterr().out
    assert re.search("Warning, resolved: .* quote the upper limit printed below", printed)
    assert re.search(r"sigma_v < \d{3,}(\.\d+)? m / s, 95 percent", printed)


def test_a_cluster_has_its_options_on_the_command_line(tmp_path, capsys):
    table = datasets.make_star_cluster(30, random_state=1)
    table.meta.clear()
    table.write(tmp_path / "members.ecsv")
    words = ["cluster", str(tmp_path / "members.ecsv"), "--draws", "20"]
    words += ["--out", str(tmp_path / "out"), "--seed", "1", "--overwrite", "--no-figures"]
    options = ["--set", "outliers=True", "--set", "zero_point=-0.03 mas"]
    prior = ["--prior", "outlier_sd=LogUniform(1 mas, 10 mas)", "--max-evaluations", "50000"]
    assert main([*words, *options, *prior]) == 0
    printed = capsys.readouterr().out
    assert "outlier_fraction" in printed
    assert "n_sigma" in printed  # of the stars
    loaded = StarCluster.load(tmp_path / "out" / "posterior.nc")
    assert loaded.outliers == outliers.ParallaxBackground(
        outlier_sd=priors.LogUniform(1 * u.mas, 10 * u.mas)
    )
    assert loaded.zero_point == -0.03 * u.mas
    with pytest.raises(SystemExit):
        main([*words, "--set", "outlier=True"])
    error = capsys.readouterr().err
    assert "has no argument 'outlier'; expected one of mu_r" in error
    assert "did you mean outliers?" in error
    assert main([*words, "--set", "parallax_covariance=Gaia"]) == 1
    assert "expected one of ['Lindegren+18'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*words, "--set", "outliers"])
    assert "'outliers'; expected NAME=VALUE, such as trend=1" in capsys.readouterr().err


def test_binary_takes_a_jitter_and_a_known_period(tmp_path, capsys):
    table = datasets.make_binary(random_state=1)
    table.meta.clear()
    table.write(tmp_path / "visits.ecsv")
    priors_of = ["--prior", "jitter=LogUniform(0.01 km/s, 5 km/s)", "--prior", "P=Fixed(7.3 d)"]
    out = ["--out", str(tmp_path / "out"), "--draws", "20"]
    assert main(["binary", str(tmp_path / "visits.ecsv"), *priors_of, *out]) == 0
    printed = capsys.readouterr().out
    assert "jitter" in printed
    assert "No periodogram.png: --prior 'P=Fixed(value=7.3 d)' is given" in printed
    assert (tmp_path / "out" / "phase.png").exists()
    assert not (tmp_path / "out" / "periodogram.png").exists()


@pytest.fixture
def members(tmp_path, monkeypatch):
    """A table of members in the folder of the test, where it is run."""
    monkeypatch.chdir(tmp_path)
    table = datasets.make_star_cluster(10, random_state=1)
    table.meta.clear()
    table.write("gaia.csv")
    table.write("gaia.fits")
    columns = "parallax=parallax:mas,parallax_error=parallax_error:mas"

    def run(file, *more, seed="1"):
        words = [] if seed is None else ["--seed", seed]
        return main(["cluster", file, "--draws", "20", *words, "--columns", columns, *more])

    return run


@pytest.fixture
def unfitted(monkeypatch):
    """Says with an error that a fit was begun."""

    def fit(*args, **options):
        raise AssertionError("a fit was begun")

    return lambda: monkeypatch.setattr(StarCluster, "fit", fit)


@pytest.mark.parametrize("error", [ValueError, RuntimeError, MemoryError, OSError])
def test_a_figure_that_fails_is_named_and_loses_nothing(
    members, tmp_path, capsys, monkeypatch, error
):
    there = []

    def broken(self, **options):
        there.extend(path.name for path in (tmp_path / "gaia-cluster").iterdir())
        raise error("no such font")

    monkeypatch.setattr(StarCluster, "plot_data", broken)
    assert members("gaia.csv") == 1
    printed = capsys.readouterr()
    assert f"astro-hier: no data.png: {error.__name__}: no such font" in printed.err
    assert "data.png" not in printed.out.partition("Written to")[2]
    assert {"posterior.nc", "stars.ecsv"} <= set(there)
    out = tmp_path / "gaia-cluster"
    assert {path.name for path in out.iterdir()} == FILES - {"data.png"}
    StarCluster.load(out / "posterior.nc")


def test_the_fit_is_saved_before_it_is_printed(members, tmp_path, monkeypatch):
    def broken(self, *args, **options):
        raise BrokenPipeError

    monkeypatch.setattr(StarCluster, "summary", broken)
    assert members("gaia.csv") == 1
    StarCluster.load(tmp_path / "gaia-cluster" / "posterior.nc")


def test_no_file_of_an_earlier_run_is_replaced_unasked(members, tmp_path, capsys, unfitted):
    assert members("gaia.csv") == 0
    out = tmp_path / "gaia-cluster"
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    unfitted()
    assert members("gaia.fits") == 1
    error = capsys.readouterr().err
    assert "'gaia-cluster' already holds posterior.nc, stars.ecsv, " in error
    assert "with --out, or replace them with --overwrite" in error
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_file_that_is_read_is_never_replaced(members, tmp_path, capsys, unfitted):
    unfitted()
    table = (tmp_path / "gaia.fits").read_bytes()
    for name in ("stars.ecsv", "data.png"):
        (tmp_path / name).write_bytes(table)
        for out in (".", str(tmp_path)):
            assert members(name, "--out", out, "--overwrite") == 1
            assert f"'{name}' is read, and would be replaced" in capsys.readouterr().err
        assert (tmp_path / name).read_bytes() == table
    (tmp_path / "fit.nc").write_text("mine")
    assert main(["report", "fit.nc", "--out", "fit.nc", "--overwrite"]) == 1
    assert (tmp_path / "fit.nc").read_text() == "mine"


def test_rows_of_a_survey_are_kept_apart_from_what_they_are_made_of(members, tmp_path, capsys):
    (tmp_path / "rows-000000.parquet").write_text("mine")
    for source in (".", "rows-000000.parquet"):
        assert main(["survey", "prepare", source, "--rows", str(tmp_path)]) == 1
        assert "holds what is read: choose another folder with --rows" in capsys.readouterr().err
    assert main(["survey", "prepare", "gaia.csv", "--rows", "gaia.fits"]) == 1
    assert "'gaia.fits' is not a folder: choose a new" in capsys.readouterr().err
    assert (tmp_path / "rows-000000.parquet").read_text() == "mine"


def test_options_that_would_count_for_nothing_are_refused(members, tmp_path, capsys):
    (tmp_path / "fit.nc").write_bytes(SIGNATURE)
    (tmp_path / "rows").mkdir()
    for words in (["compare", "fit.nc", "fit.nc"], ["survey", "prepare", "rows", "--rows", "new"],
                  ["survey", "fit", "rows"]):  # fmt: skip
        with pytest.raises(SystemExit):
            main([*words, "--delimiter", ";"])
        assert "--delimiter is for the file of a table" in capsys.readouterr().err


def test_the_home_folder_is_the_same_in_every_path(members, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "gaia.csv").rename(tmp_path / "home" / "gaia.csv")
    assert members("~/gaia.csv", "--out=~/fits", "--no-figures") == 0
    there = {path.name for path in (tmp_path / "home" / "fits").iterdir()}
    assert there == {"posterior.nc", "stars.ecsv"}
    assert {path.name for path in tmp_path.iterdir()} == {"gaia.fits", "home"}
    for words in (["report", "~/a", "--out=~/b"], ["survey", "prepare", "~/a", "--rows=~/b"]):
        options, _ = parser.build().parse_known_args(words)
        paths = [value for value in vars(options).values() if isinstance(value, Path)]
        assert paths == [tmp_path / "home" / "a", tmp_path / "home" / "b"]


@pytest.mark.parametrize("made", ["posterior.nc", "stars.ecsv"])
def test_what_another_run_wrote_during_the_fit_is_kept(
    members, tmp_path, capsys, monkeypatch, made
):
    out, refuge, fit = tmp_path / "gaia-cluster", tmp_path / "refuge", StarCluster.fit
    refuge.mkdir()
    monkeypatch.setattr("tempfile.mkdtemp", lambda **options: str(refuge))

    def meanwhile(self, table, **options):
        (out / made).write_text("of another run")
        return fit(self, table, **options)

    monkeypatch.setattr(StarCluster, "fit", meanwhile)
    assert members("gaia.csv", "--no-figures") == 1
    assert f"({made} was made there during the fit): the fit was" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == [made]
    assert (out / made).read_text() == "of another run"
    StarCluster.load(refuge / "posterior.nc")


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("kg", "--unit kg is one of mass, which no quantity here has"),
        ("pc,Jy", "--unit Jy is one of spectral flux density, which"),
        ("pc,kpc", "expected one unit of each kind, and pc and kpc are of one"),
        ("", "expected units such as pc,m/s"),
    ],
)
def test_units_of_no_result_are_found_before_the_fit(members, capsys, unfitted, unit, message):
    unfitted()
    with suppress(SystemExit):
        assert members("gaia.csv", "--unit", unit) == 1
    assert message in capsys.readouterr().err


def test_a_unit_of_the_demo_is_of_some_model(capsys):
    with pytest.raises(SystemExit):
        main(["demo", "--unit", "pc,Jy"])
    assert "--unit Jy is of a kind that no result has" in capsys.readouterr().err


@pytest.mark.parametrize("page", ["nowhere/page.html", "."])
def test_a_page_that_cannot_be_written_is_found_before_it_is_made(members, capsys, page):
    assert main(["report", "gaia.csv", "--out", page]) == 1
    assert "is not the name of a file in a folder that exists" in capsys.readouterr().err


def test_overwrite_leaves_no_figure_of_an_earlier_fit(members, tmp_path, monkeypatch):
    out = tmp_path / "gaia-cluster"
    assert members("gaia.csv") == 0
    (out / "notes.txt").write_text("mine")

    def broken(self, **options):
        raise RuntimeError("no such font")

    monkeypatch.setattr(StarCluster, "plot_trace", broken)
    assert members("gaia.fits", "--overwrite") == 1
    assert {path.name for path in out.iterdir()} == FILES - {"trace.png"} | {"notes.txt"}


def test_a_folder_of_other_files_is_written_to(members, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    assert members("gaia.csv", "--out", str(out)) == 0
    assert {path.name for path in out.iterdir()} == FILES | {"notes.txt"}


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("gaia.csv", "'gaia.csv' is not a folder: choose a new or existing"),
        ("gaia.csv/out", "'gaia.csv/out' cannot be written to (Not a directory): choose another"),
        ("a/" + "x" * 300, "cannot be written to (File name too long): choose another"),
        ("taken", "'taken/posterior.nc' cannot be replaced: choose another folder"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_found_before_the_fit(
    members, tmp_path, capsys, unfitted, out, message
):
    (tmp_path / "taken" / "posterior.nc").mkdir(parents=True)
    unfitted()
    assert members("gaia.csv", "--out", out, "--overwrite") == 1
    assert message in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} <= {"gaia.csv", "gaia.fits", "taken"}


def test_demo_looks_at_all_its_folders_before_the_first_fit(tmp_path, capsys, unfitted):
    last = tmp_path / "demo" / list(MODELS)[-1]
    last.mkdir(parents=True)
    (last / "posterior.nc").write_text("mine")
    unfitted()
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 1
    assert "already holds posterior.nc: choose another folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "demo").iterdir()] == [last.name]


def test_a_fit_that_fails_leaves_no_folder(tmp_path, members, monkeypatch):
    def broken(self, *args, **options):
        raise ValueError("no fit")

    monkeypatch.setattr(StarCluster, "fit", broken)
    assert members("gaia.csv", "--out", "a/b/c") == 1
    assert not (tmp_path / "a").exists()


def test_a_fit_that_cannot_be_saved_in_its_folder_is_saved_elsewhere(
    members, tmp_path, capsys, monkeypatch
):
    save, refuge = StarCluster.save, tmp_path / "refuge"
    refuge.mkdir()
    monkeypatch.setattr("tempfile.mkdtemp", lambda **options: str(refuge))

    def full(self, path):
        if "gaia-cluster" in str(path):
            raise OSError(28, "No space left on device")
        save(self, path)

    monkeypatch.setattr(StarCluster, "save", full)
    assert members("gaia.csv") == 1
    error = capsys.readouterr().err
    assert "'gaia-cluster/posterior.nc' could not be written (No space left on device)" in error
    assert f"the fit was saved to '{refuge}/posterior.nc' instead" in error
    StarCluster.load(refuge / "posterior.nc")


@pytest.mark.parametrize("error", [ValueError, RuntimeError, MemoryError])
def test_a_table_that_fails_is_named_and_loses_nothing(
    members, tmp_path, capsys, monkeypatch, error
):
    def broken(self):
        raise error("no such table")

    monkeypatch.setattr(StarCluster, "star_table", broken)
    assert members("gaia.csv", "--no-figures") == 1
    printed = capsys.readouterr()
    assert f"astro-hier: no stars.ecsv: {error.__name__}: no such table" in printed.err
    assert "mu_r" in printed.out
    assert [path.name for path in (tmp_path / "gaia-cluster").iterdir()] == ["posterior.nc"]


def test_figures_have_the_formats_that_are_asked_for(members, tmp_path, capsys):
    out = tmp_path / "gaia-cluster"
    others = {name for name in FILES if not name.endswith(".png")}
    assert members("gaia.csv", "--format-figures", "pdf,.JPG") == 0
    figures = {path.stem for path in map(Path, FILES - others)}
    written = {f"{name}.{kind}" for name in figures for kind in ("pdf", "jpg")}
    assert {path.name for path in out.iterdir()} == written | others
    assert (out / "corner.pdf").read_bytes().startswith(b"%PDF")
    assert members("gaia.csv", "--no-figures") == 1  # a figure of another fit is in the way
    assert "already holds posterior.nc, stars.ecsv, " in capsys.readouterr().err
    assert members("gaia.csv", "--no-figures", "--overwrite") == 0
    assert {path.name for path in out.iterdir()} == others


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_closed_stream_is_no_error(members, tmp_path, monkeypatch, stream):
    monkeypatch.setattr(sys, stream, None)
    assert members("gaia.csv", "--no-figures") == 0
    getattr(sys, stream).close()
    StarCluster.load(tmp_path / "gaia-cluster" / "posterior.nc")


def test_a_name_of_nothing_is_no_folder(members, capsys):
    for name in ("", " "):
        with pytest.raises(SystemExit):
            members("gaia.csv", "--out", name)
        assert "expected the name of a file or folder" in capsys.readouterr().err


def test_quiet_prints_nothing(members, capsys):
    assert members("gaia.csv", "--quiet", "--no-figures") == 0
    printed = capsys.readouterr()
    assert not printed.out
    assert not printed.err


def test_the_seed_is_printed_and_repeats_a_run(members, tmp_path, capsys):
    words = ["gaia.csv", "--no-figures", "--overwrite"]
    assert members(*words, "--columns", "parallax=plx", seed=None) == 1
    assert "repeat it" not in capsys.readouterr().out
    assert members(*words, seed=None) == 0
    seed = re.search(r"repeat it with --seed (\d+)\n", capsys.readouterr().out)[1]
    first = StarCluster.load(tmp_path / "gaia-cluster" / "posterior.nc")
    assert members(*words, seed=seed) == 0
    assert "repeat it" not in capsys.readouterr().out
    second = StarCluster.load(tmp_path / "gaia-cluster" / "posterior.nc")
    assert (first.samples("mu_r") == second.samples("mu_r")).all()


def test_two_runs_without_a_seed_differ(monkeypatch):
    seeds = []

    def fit(self, table, *, random_state, **options):
        seeds.append(random_state)
        raise ValueError("enough")

    monkeypatch.setattr(StarCluster, "fit", fit)
    monkeypatch.setattr("astro_hier.cli.fit.read_table", lambda *words: None)
    for _ in range(2):
        assert main(["cluster", "members.csv", "--quiet"]) == 1
    assert seeds[0] != seeds[1]
