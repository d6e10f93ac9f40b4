"""Tables and roles that the tests of reading share."""

import re

import astropy.units as u
import numpy as np
from astropy.table import Column, MaskedColumn, QTable

from astro_hier.table import Role

ROLES = (
    Role("parallax", u.mas, observed=True),
    Role("parallax_error", u.mas, positive=True),
    Role("star", None, required=False, unique=True),
)
VISITS = (
    Role("time", u.day, is_time=True),
    Role("rv", u.km / u.s, observed=True),
    Role("rv_error", u.km / u.s, positive=True),
    Role("star", None, required=False),
)
STATED = {"time": ("time", u.day), "rv": ("rv", u.km / u.s), "rv_error": ("rv_error", "km/s")}


def good(cls=QTable, n=4):
    table = cls()
    table["parallax"] = np.arange(1.0, n + 1) * u.mas
    table["parallax_error"] = np.full(n, 0.1) * u.mas
    return table


def visits(n=6, cls=QTable):
    rng = np.random.default_rng(5)
    table = cls()
    table["time"] = u.Quantity(2459000 + np.sort(rng.uniform(0, 100, n)), u.day)
    table["rv"] = rng.normal(0, 20, n) * u.km / u.s
    table["rv_error"] = np.full(n, 0.3) * u.km / u.s
    return table


def with_unit(table, name, unit, masked=False):
    """The table with the text of a unit as files hold it, whether astropy knows it or not."""
    values = np.asarray(table[name].value)
    column = MaskedColumn(values, mask=np.zeros(len(values))) if masked else Column(values)
    column.unit = u.Unit(unit, parse_strict="silent")
    table = table.copy()
    table[name] = column
    return table


def followed(message, table, **names):
    """The table after the first assignment that a message recommends is carried out."""
    cure = re.search(r"table\['\w+'\](\.unit)? = [^;]*?(\)|')(?=[,;: ]|$)", str(message))[0]
    exec(cure, {"u": u, "np": np, "table": table, **names})
    return table
