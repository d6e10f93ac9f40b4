"""Column names and units of well-known tables, for the ``columns`` keyword of every model.

A preset is a plain dict from role to column name, or to a pair of column name and the unit to
assume if the table gives none. Adapt one with ``columns.GAIA | {"star": "designation"}``.
"""

import astropy.units as u

APOGEE = {
    "star": "APOGEE_ID",
    "time": ("JD", u.day),
    "rv": ("VHELIO", u.km / u.s),
    "rv_error": ("VHELIO_ERR", u.km / u.s),
}

GAIA = {
    "star": "source_id",
    "parallax": ("parallax", u.mas),
    "parallax_error": ("parallax_error", u.mas),
}
