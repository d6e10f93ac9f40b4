"""Random arguments for ``fuzz.py``, of models, of ``fit`` and of the shell; and files."""

import datetime
import inspect
import os

import astropy.units as u
import numpy as np
from astropy.table import QTable, Table
from astropy.time import Time
from fuzz_tables import KMS, NAMES, UNITS

from astro_hier import columns, outliers, populations, priors, profiles

ODD = [None, True, False, -1, 0, 1, 2.5, 10**30, np.nan, np.inf, -np.inf, 1e-300, 1e300, "", "x",
       "auto", "star", b"x", [], [1, 2], {}, {"a": 1}, (), (1 * u.d, 5 * u.d), np.zeros(3),
       np.float64(3), np.int64(3), 1 * u.d, -1 * u.d, 5 * KMS, 1 * u.mas, 0.1 * u.mag, np.inf * u.d,
       [1, 2] * u.d, object, len, object(), 1j, Time("J2000"), QTable(), QTable({"a": [1]}),
       KMS, datetime.date(2020, 1, 1)]  # fmt: skip


def _made(module, rng):
    """An instance of a random class of a module, with no or odd arguments; None if it refuses."""
    cls = getattr(module, rng.choice(module.__all__))
    if not inspect.isclass(cls):
        return cls
    units = rng.choice([1, u.d, KMS, u.kpc, u.mag, u.one], rng.integers(0, 4))
    given = [odd(rng) if rng.random() < 0.2 else float(rng.normal(1, 1)) * unit for unit in units]
    try:
        return cls(*given)
    except (TypeError, ValueError):
        return cls


def odd(rng):
    """Anything that may be given as an argument."""
    if rng.random() < 0.4:
        return _made([priors, populations, profiles, outliers][rng.integers(4)], rng)
    return ODD[rng.integers(len(ODD))]


def columns_of(model, rng):
    roles = [role.name for role in model().roles] + ["colour", "", 3, None]
    places = [*roles, ("rv", "km/s"), ("time", u.d), (1, 2), None, "rv:km/s", ("x", "bla"), []]
    choice = [columns.GAIA, columns.APOGEE, "gaia", "x", 5, [], {}]
    if rng.random() < 0.4:
        return choice[rng.integers(len(choice))]
    return {roles[rng.integers(len(roles))]: places[rng.integers(len(places))]
            for _ in range(rng.integers(1, 4))}  # fmt: skip


def arguments(model, rng):
    """Arguments of a model: those that matter, a few of which are odd."""
    found = {}
    if rng.random() < 0.5:
        names = [name for name in model().get_params() if name != "columns"]
        for name in rng.choice(names, rng.integers(1, 4)):
            found[str(name)] = odd(rng)
    if rng.random() < 0.2:
        found["columns"] = columns_of(model, rng)
    if rng.random() < 0.3:
        found["on_invalid"] = "drop"
    return found


def of_fit(rng):
    """Arguments of fit: few draws, little effort, and sometimes one that is odd."""
    found = {"draws": 5, "chains": 1, "random_state": 1, "progressbar": False,
             "max_evaluations": 500, "certify": False}  # fmt: skip
    if rng.random() < 0.15:
        names = [*found, "method", "surrogate", "tune", "colour"]
        name = str(rng.choice(names))
        value = odd(rng)
        small = isinstance(value, int | float | np.number) and value > 100
        found[name] = -5 if small else value
    return found


# ---- files and words

FORMATS = [
    "csv",
    "ecsv",
    "fits",
    "votable",
    "ascii.tab",
    "ascii.fixed_width",
    "ascii.rdb",
    "ascii.latex",
]
MORE_FORMATS = ["parquet", "hdf5", "x", "pandas.csv", "ascii.cds", "votable.parquet"]
WORDS = [
    "1", "-1", "nan", "1 d", "x", "true", "none", "Normal", "Normal()", "1e400", "1,2",
    "1 d,9 d", "Normal(0,1)", "Uniform(1 d, 9 d)", "Normal(0 km/s, 5 km/s)", "10**9999 m", "(",
    "", "é", "=", "LogUniform(0.1 km/s, 5 km/s)", "auto", "null", "0x10", "1_000", "٣", "%",
    "/dev/null",
]  # fmt: skip


def write(made, path, rng):
    """Write a table to a file in some format, perhaps damaged."""
    if not isinstance(made, Table):
        path.write_bytes(rng.bytes(int(rng.integers(0, 200))))
        return
    made = Table(made)
    made.meta.clear()
    try:
        made.write(path, format=str(rng.choice(FORMATS)), overwrite=True)
    except Exception:  # what astropy cannot write is no fault of the package
        path.write_text("time,rv,rv_error\n1,2,x\n")
    if rng.random() < 0.3 and path.stat().st_size:
        content = bytearray(path.read_bytes())
        for _ in range(rng.integers(1, 20)):
            content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(bytes(content[: rng.integers(1, len(content) + 1)]
                               if rng.random() < 0.3 else content))  # fmt: skip


def words(name, model, path, out, rng):
    """Words after ``astro-hier``."""
    found = [name, str(path), "--out", str(out), "--draws", "5", "--max-evaluations", "500"]
    arguments = [*model().get_params(), "colour", "x"]
    for _ in range(rng.choice([0, 1, 2, 3])):
        value = WORDS[rng.integers(len(WORDS))]
        argument = arguments[rng.integers(len(arguments))]
        pair = f"{argument}={value}"
        role = str(rng.choice([role.name for role in model().roles]))
        choice = [["--set", pair], ["--prior", pair], ["--set", value], ["--columns", value],
                  ["--columns", f"{role}={rng.choice(NAMES)}:{rng.choice(UNITS)}"],
                  ["--seed", value], ["--draws", value if value != "1_000" else "0"],
                  ["--max-evaluations", value], ["--method", value],
                  ["--format", str(rng.choice([*FORMATS, *MORE_FORMATS]))],
                  ["--on-invalid", str(rng.choice(["drop", "raise", "x"]))], [value],
                  ["--out", str(rng.choice(["/proc/x", "/dev/null", os.fspath(path), "a\0b", ""]))],
                  ["--overwrite"], [f"--{value}"], ["--help"], ["--version"]]  # fmt: skip
        found += choice[rng.integers(len(choice))]
    if rng.random() < 0.05:
        found = found[: rng.integers(0, len(found))]
    return found
