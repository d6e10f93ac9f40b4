"""Random tables for ``fuzz.py``, with every kind of column.

A case begins with a small table that its model can read; some changes are then made, most of which
no model can use.
"""

import datetime

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.time import Time, TimeDelta
from astropy.utils.masked import Masked

from astro_hier import datasets

KMS = u.km / u.s
UNITS = ["km/s", "m/s", "d", "h", "yr", "mas", "deg", "mag", "pc", "kpc", "", "dex", "Msun", "ct",
         "1 / Msun", "10 m", "mag(AB)", "%", "D", "M/S", "HOURS", "m2", "bla"]  # fmt: skip
NAMES = ["π", "rv ", "", "列", "a" * 300, "rv\n", "e̊", "x y", "RV", "1", "time", "star", "🌟"]


def example(name, rng):
    """A small table that a model can read, of the given command."""
    n, seed = int(rng.choice([1, 2, 3, 5, 8])), int(rng.integers(2**31))
    if name == "cluster":
        return datasets.make_star_cluster(n, random_state=seed)
    if name == "dispersion":
        return datasets.make_velocities(n, redshift=bool(rng.random() < 0.3), random_state=seed)
    if name == "binary":
        return datasets.make_binary(n, random_state=seed)
    if name == "binaries":
        return datasets.make_binaries(
            min(n, 3), n_visits=int(rng.integers(1, 7)), random_state=seed
        )
    if name == "period-luminosity":
        return datasets.make_period_luminosity(n, random_state=seed)
    table = datasets.make_posterior_samples(n, 20, random_state=seed)
    form = rng.integers(3)
    if form == 1:
        return QTable({"value": table["samples"][:, 0], "error": np.full(n, 0.1) * u.Msun})
    if form == 2:
        grid = np.tile(np.linspace(0.5, 2.5, 21), (n, 1)) * u.Msun
        return QTable({"grid": grid, "density": np.exp(-((grid.value - 1.4) ** 2)) / u.Msun})
    return table


# ---- changes of one column, given its plain values


def extreme(rng, size=None):
    return 10.0 ** rng.choice([rng.uniform(-320, 308), rng.uniform(-40, 40), rng.uniform(-10, 10)],
                              size=size)  # fmt: skip


def one(values, rng, value):
    """The values with one of them replaced."""
    values = np.array(values)
    if values.size:
        values.flat[rng.integers(values.size)] = value
    return values


def _objects(values, rng):
    found = np.empty(len(values), dtype=object)
    choice = [None, "x", 1, 2.5, {}, [], (1, 2), b"\xff", 10**400, np.nan, 1 * u.m, object]
    for i in range(len(values)):
        found[i] = choice[rng.integers(len(choice))]
    return found


def _sky(values, rng):
    return SkyCoord(
        rng.uniform(0, 360, len(values)) * u.deg, rng.uniform(-90, 90, len(values)) * u.deg
    )


def _dates(values, rng):
    scale = rng.choice(["utc", "tdb", "tt", "ut1", "local"])
    return Time(2450000 + rng.uniform(0, 1000, len(values)), format="jd", scale=scale)


def _structured(values, rng):
    return np.array([(i, 1.0) for i in range(len(values))], dtype="i4, f8")


SPECIAL = [np.nan, np.inf, -np.inf, 0, -0.0, -1, -9999]
TEXTS = ["null", "", "nan", "1,5", "\N{EN DASH}", "ü", "1e999"]
CHANGES = [
    lambda v, rng: v.astype(float) * extreme(rng),
    lambda v, rng: v.astype(float) * extreme(rng),
    lambda v, rng: one(v.astype(float), rng, extreme(rng)),
    lambda v, rng: one(v.astype(float), rng, extreme(rng)),
    lambda v, rng: one(v.astype(float), rng, -extreme(rng)),
    lambda v, rng: extreme(rng, len(v)),
    lambda v, rng: one(v.astype(float), rng, rng.choice(SPECIAL)),
    lambda v, rng: np.full(len(v), rng.choice([np.nan, np.inf, 0, 1, -1, 5e-324, 1.7e308])),
    lambda v, rng: v.astype(np.float32),
    lambda v, rng: v.astype(np.float16),
    lambda v, rng: v.astype(np.longdouble),
    lambda v, rng: v.astype(complex),
    lambda v, rng: v.astype(">f8"),
    lambda v, rng: np.full(len(v), rng.choice([2**63 - 1, -(2**63), 0, 10**18])),
    lambda v, rng: np.full(len(v), 2**64 - 1, dtype=np.uint64),
    lambda v, rng: (v.astype(float) > 0),
    lambda v, rng: v.astype(str),
    lambda v, rng: v.astype(str).astype(bytes) if v.astype(str).size else v,
    lambda v, rng: np.array([rng.choice(TEXTS) for _ in v]),
    lambda v, rng: v.astype(object),
    _objects,
    lambda v, rng: np.array([10**400] * len(v), dtype=object),
    lambda v, rng: np.array([None] * len(v), dtype=object),
    lambda v, rng: np.array([datetime.datetime(2020, 1, 1)] * len(v), dtype=object),
    lambda v, rng: np.full(len(v), np.datetime64("2020-01-01")),
    lambda v, rng: np.full(len(v), np.timedelta64(5, "D")),
    lambda v, rng: np.stack([v, v], axis=1),
    lambda v, rng: v[:, None],
    lambda v, rng: np.zeros((len(v), 0)),
    lambda v, rng: np.zeros((len(v), 2, 2)),
    _structured,
    _sky,
    _dates,
    lambda v, rng: TimeDelta(rng.uniform(0, 10, len(v)), format="jd"),
    lambda v, rng: Column(v, unit=str(rng.choice(UNITS[:12]))),
    lambda v, rng: _with_unit(v, rng),
    lambda v, rng: MaskedColumn(v, mask=rng.random(v.shape) < rng.random()),
    lambda v, rng: Masked(v.astype(float), mask=rng.random(v.shape) < rng.random()),
    lambda v, rng: Masked(v.astype(float) * KMS, mask=rng.random(v.shape) < rng.random()),
    lambda v, rng: v.astype(float) * u.Unit(str(rng.choice(UNITS[:12]))),
    lambda v, rng: u.Magnitude(v.astype(float)),
    lambda v, rng: np.repeat(v[:1], len(v), axis=0),
    lambda v, rng: np.arange(len(v)) % 2,
    lambda v, rng: np.array(["A\0B", "é" * 200, " "] * len(v))[: len(v)],
]  # fmt: skip


def _with_unit(values, rng):
    column = Column(values)
    column.unit = u.Unit(str(rng.choice(UNITS)), parse_strict="silent")
    return column


def change_column(table, rng):
    name = str(rng.choice(table.colnames))
    column = table[name]
    plain = np.asarray(getattr(column, "value", column))
    try:
        changed = CHANGES[rng.integers(len(CHANGES))](plain, rng)
    except (TypeError, ValueError, OverflowError):
        return  # such as numbers from names
    unit = getattr(column, "unit", None)
    keep = isinstance(unit, u.UnitBase) and not isinstance(unit, u.UnrecognizedUnit)
    keep = keep and isinstance(changed, np.ndarray) and changed.dtype.kind in "fiu"
    if keep and getattr(changed, "unit", None) is None and rng.random() < 0.9:
        changed = changed * unit
    table[name] = changed


def change_table(table, rng):
    """A table after one change, or something that is no table."""
    kind = rng.integers(16)
    name = str(rng.choice(table.colnames)) if table.colnames else None
    if kind == 0:
        return table[:0]
    if kind == 1:
        return table[:1]
    if kind == 2 and name:
        table.remove_column(name)
    elif kind == 3 and name:
        table.rename_column(name, str(rng.choice(NAMES)) + str(rng.integers(10**6)))
    elif kind == 4:
        return Table(table)
    elif kind == 5:
        return Table(table, masked=True)
    elif kind == 6:
        table["star"] = rng.integers(0, 3, len(table))
    elif kind == 7:
        table["more"] = _objects(np.zeros(len(table)), rng)
    elif kind == 8 and rng.random() < 0.3:
        choice = [None, [], {}, "table.csv", np.zeros(3), dict(table.columns), 5, QTable(), Table]
        return choice[rng.integers(len(choice))]
    elif len(table) and name:
        change_column(table, rng)
    return table


def table(name, rng):
    """A random table for the model of a command."""
    found = example(name, rng)
    for _ in range(rng.choice([0, 1, 2, 4], p=[0.02, 0.33, 0.35, 0.3])):
        if isinstance(found, Table) and found.colnames:
            found = change_table(found, rng)
    return found
