"""Claims about the language of the command: options to type, no Python."""

import re
import shlex
import subprocess
import sys
import warnings

import astropy.units as u
import pytest
from astropy.io import fits
from astropy.table import QTable

from astro_hier import StarCluster, checks, datasets
from astro_hier.cli import main
from astro_hier.cli.speech import in_shell, of_error
from astro_hier.table import TableError

PYTHON = re.compile(
    r"columns=\{|on_invalid=|\bu\.\w|table\[|method=|priors\.|\w+\.\w+\(|Traceback|<"
)


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("say columns={'rv': ('vrad', 'km / s')}", "say --columns rv=vrad:km/s"),
        ("columns={'rv': ('v rad', 'm / s'), 'star': None}",
         "--columns 'rv=v rad:m/s,star=None'"),
        ("or do without: {'feh_error': None}", "or do without: --columns feh_error=None"),
        ("the columns of columns='gaia'", "the columns of --columns gaia"),
        ("with on_invalid='drop'.", "with --on-invalid drop."),
        ("fit with method='nuts', or", "fit with --method nuts, or"),
        ("raise draws= or max_evaluations=", "raise --draws or --max-evaluations"),
        ("outliers=True describes rows", "--set outliers=True describes rows"),
        ("zero_point=-0.029 * u.mas is known", "--set 'zero_point=-0.029 mas' is known"),
        ("P=priors.LogUniform(1 * u.day, 9 * u.yr): wide",
         "--prior 'P=LogUniform(1 day, 9 yr)': wide"),
        ("jitter=LogNormal(mu=0.0, sigma=1.0)", "--prior 'jitter=LogNormal(mu=0.0, sigma=1.0)'"),
        ("narrow P= or limits=", "narrow --prior P=... or --set limits=..."),
        ("such as priors.Normal(0 * u.km / u.s, 1 * u.km / u.s)",
         "such as Normal(0 km/s, 1 km/s)"),
        ("one of astro_hier.populations, such as populations.Normal()",
         "one of the populations, such as Normal"),
        ("period_range=(<Quantity 3. d>, <Quantity 1. d>); expected",
         "--set 'period_range=3. d, 1. d'; expected"),
        ("population=<class 'x.Population'>; expected", "--set population=...; expected"),
        ("replace it with overwrite=True", "replace it with --overwrite"),
        ("see star_table()", "see stars.ecsv"),
        ("use --set outliers=True, or --prior 'P=Normal(2 d, 1 d)', or --columns rv=x",) * 2,
        ("x=1, chi2=3 and K=5 km/s stay", "x=1, chi2=3 and K=5 km/s stay"),
        ("column 'columns=x' stays", "column 'columns=x' stays"),
    ],
)  # fmt: skip
def test_arguments_in_messages_become_options(python, shell):
    assert in_shell(python) == shell


def test_the_line_to_type_has_all_that_is_missing():
    error = TableError("a: say columns={'rv': ('v 1', 'km / s')}; b: columns={'time': ('t', 'd')}")
    said, line = of_error(error, "binary", ["binary", "my table.csv", "--draws", "9"])
    assert said == "a: say --columns 'rv=v 1:km/s'; b: --columns time=t:d"
    assert line.startswith("try: ")
    words = shlex.split(line.removeprefix("try: "))
    assert words[:5] == ["astro-hier", "binary", "my table.csv", "--draws", "9"]
    assert words[5:] == ["--columns", "rv=v 1:km/s,time=t:d"]


@pytest.mark.parametrize(
    "message", ["columns={'star': ('x', 'd')}; expected a name", "say columns={'rv': 'NAME'}"]
)
def test_what_was_wrong_or_is_not_known_is_no_line_to_type(message):
    assert len(of_error(TableError(message), "binary", ["binary", "x"])) == 1


def test_a_line_to_type_gives_no_column_two_roles():
    error = TableError("no unit: say columns={'velocity': ('v', 'km / s')}\nb is bad")
    words = ["dispersion", "t.csv", "--columns", "redshift=v,redshift_error=e"]
    assert of_error(error, "dispersion", words) == [
        "no unit: say --columns velocity=v:km/s; b is bad"
    ]


def test_one_line_names_all_roles_that_are_missing_or_lack_units(tmp_path, capsys):
    path = tmp_path / "visits.csv"
    path.write_text("JD,RV,err\n1,2,3\n4,5,6\n")
    assert main(["binary", str(path), "--quiet"]) == 1
    said, line = capsys.readouterr().err.strip().splitlines()[-2:]
    assert said.count("['JD', 'RV', 'err']") == 1
    assert line.startswith("astro-hier: try (with your columns for NAME): astro-hier binary ")
    assert line.endswith("--columns time=NAME:d,rv_error=NAME:km/s,rv=RV:km/s")


def test_every_check_has_words_for_the_shell():
    for defined in checks.DEFINED.values():
        for check in defined:
            said = in_shell(check.shell or check.python)
            assert not PYTHON.search(said), check.name


def cluster():
    table = datasets.make_star_cluster(5, random_state=1)
    table.meta.clear()
    return table


def bare(*names):
    """A table whose columns lack units."""
    table = cluster()
    return QTable({name: table[name].value if name in names else table[name] for name in
                   table.colnames})  # fmt: skip


def of_another_type():
    table = cluster()
    table["parallax"] = table["parallax"].value * u.day
    return table


def negative():
    table = cluster()
    table["parallax_error"][2] *= -1
    return table


def repeated():
    table = cluster()
    table["star"] = [1, 2, 3, 2, 5]
    return table


@pytest.mark.parametrize(
    ("table", "typed"),
    [
        (bare("parallax"), "--columns parallax=parallax:mas"),
        (of_another_type(), "expected mas"),
        (negative(), "--on-invalid drop"),
        (repeated(), "keep one of several exact copies"),
        (QTable({"plx": [1.0] * u.mas}), "--columns parallax=NAME"),
    ],
)
def test_errors_about_tables_say_what_to_type(tmp_path, capsys, table, typed):
    path = tmp_path / "members.ecsv"
    table.write(path)
    assert main(["cluster", str(path), "--quiet"]) == 1
    printed = capsys.readouterr()
    assert typed in printed.err
    assert not PYTHON.search(printed.err)
    assert not printed.out


def test_a_unit_that_nobody_knows_is_to_be_corrected_in_the_file(tmp_path, capsys):
    path = tmp_path / "members.ecsv"
    cluster().write(path)
    path.write_text(path.read_text().replace("unit: mas", "unit: MAS"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)
        assert main(["cluster", str(path), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "if it means mas, correct it in the file" in said
    assert not PYTHON.search(said)


def test_errors_about_tables_say_in_python_what_to_do_in_python():
    with pytest.raises(TableError, match=r"set table\['parallax'\].unit = 'mas' or say columns="):
        StarCluster().read(bare("parallax"))


def test_a_column_that_is_needed_cannot_be_left_out(tmp_path, capsys):
    path = tmp_path / "members.ecsv"
    cluster().write(path)
    assert main(["cluster", str(path), "--columns", "parallax=None"]) == 1
    said = capsys.readouterr().err
    assert "--columns parallax=None; expected a column name, or NAME:UNIT" in said


def test_warnings_of_astropy_are_said_in_a_line_in_the_shell(tmp_path):
    path = tmp_path / "two.fits"
    tables = [fits.table_to_hdu(QTable({"x": [1.0]})) for _ in range(2)]
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(path)
    run = subprocess.run(
        [sys.executable, "-m", "astro_hier", "dispersion", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    warned, failed = run.stderr.splitlines()
    assert warned.startswith("astro-hier: warning: --hdu was not specified but multiple tables")
    assert failed.startswith("astro-hier: expected either velocity and velocity_error, or redshift")


@pytest.mark.filterwarnings("always")
def test_warnings_are_said_in_a_line(tmp_path, capsys):
    path = tmp_path / "members.ecsv"
    negative().write(path)
    out = ["--out", str(tmp_path / "out"), "--draws", "20", "--no-figures", "--seed", "1"]
    assert main(["cluster", str(path), "--on-invalid", "drop", "--quiet", *out]) == 0
    printed = capsys.readouterr()
    assert not printed.out
    assert all(line.startswith("astro-hier: warning: ") for line in printed.err.splitlines())
    assert "1 of 5 rows are left out" in printed.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "outlier=True"], "has no argument 'outlier'"),
        (["--set", "on_invalid=drop"], "expected --on-invalid"),
        (["--prior", "mu=Normal(0, 1)"], "'mu' has no prior"),
        (["--prior", "mu_r=Normal(1 10**999999999 m, 1)"], "is too long"),
        (["--prior", "mu_r=Normal(1 (m**999)**999, 1)"], "is too long"),
        (["--prior", "mu_r=Norml(1 kpc, 1 kpc)"], "did you mean Normal?"),
        (["--columns", "parallax=plx:10**999999999 mas"], "is too long"),
        (["--columns", "parallax=plx:milliarc"], "expected a unit that astropy knows"),
        (["--columns", "parallax=plx:"], "expected ROLE=NAME"),
        (["--draws", "0"], "whole number of at least 1"),
        (["--max-evaluations", "-5"], "whole number of at least 1"),
        (["--format-figures", "gif"], "expected some of png, pdf"),
        (["--delimiter", "xy"], "expected one character"),
        (["--method", "nuts", "--max-evaluations", "5"], "no effect with --method nuts"),
    ],
)
def test_wrong_usage_is_status_2(tmp_path, capsys, words, message):
    path = tmp_path / "members.ecsv"
    cluster().write(path)
    with pytest.raises(SystemExit) as stopped:
        main(["cluster", str(path), "--out", str(tmp_path / "out"), *words])
    assert stopped.value.code == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert len(printed.splitlines()) == 2  # usage and error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("x"), "this should not happen, and is a fault of the program (KeyError: 'x')"),
        (MemoryError(), "there is not enough memory"),
        (ZeroDivisionError("division by zero"), "astro-hier: division by zero"),
    ],
)
def test_no_error_is_a_traceback(tmp_path, capsys, monkeypatch, error, said):
    path = tmp_path / "members.ecsv"
    cluster().write(path)

    def fit(*args, **options):
        raise error

    monkeypatch.setattr(StarCluster, "fit", fit)
    assert main(["cluster", str(path), "--quiet", "--out", str(tmp_path / "out")]) == 1
    assert said in capsys.readouterr().err
