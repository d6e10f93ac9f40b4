"""Column names and units of the tables that surveys and instruments publish.

A place in a preset is a column name, a list of its spellings from one release to another, or a
pair of either and the unit to assume where the file has none. A model uses the roles that it has.
"""

from collections.abc import Iterable
from typing import Any

import astropy.units as u

from astro_hier.table.roles import Role

__all__ = ["PRESETS", "is_of_preset", "presets_for"]

Preset = dict[str, Any]  # from role to place

KMS = u.km / u.s

# allVisit files. The error of VHELIO is VRELERR; VHELIO_ERR is that of tables for The Joker.
# DR16: https://data.sdss.org/datamodel/files/APOGEE_ASPCAP/APRED_VERS/ASPCAP_VERS/allVisit.html
# DR17: https://www.sdss.org/dr17/irspec/use-radial-velocities/
APOGEE: Preset = {
    "star": "APOGEE_ID",
    "time": ("JD", u.day),
    "rv": ("VHELIO", KMS),
    "rv_error": (["VHELIO_ERR", "VRELERR"], KMS),
}

# gaia_source: https://gea.esac.esa.int/archive/documentation/GDR3/Gaia_archive/
# chap_datamodel/sec_dm_main_source_catalogue/ssec_dm_gaia_source.html
GAIA: Preset = {
    "star": "source_id",
    "parallax": ("parallax", u.mas),
    "parallax_error": ("parallax_error", u.mas),
    "ra": ("ra", u.deg),
    "dec": ("dec", u.deg),
    "velocity": ("radial_velocity", KMS),
    "velocity_error": ("radial_velocity_error", KMS),
}

# vari_epoch_radial_velocity of DR3 and of the focused product release: https://gea.esac.esa.int/
# archive/documentation/GDR3/Gaia_archive/chap_datamodel/sec_dm_variability_tables/
# ssec_dm_vari_epoch_radial_velocity.html
GAIA_EPOCHS: Preset = {
    "star": "source_id",
    "time": ("rv_obs_time", u.day),
    "rv": ("radial_velocity", KMS),
    "rv_error": ("radial_velocity_error", KMS),
}

# DR4, allspec and allstar: https://www.galah-survey.org/dr4/table_schema
# DR3, main_allspec joined with VAC_rv (MJD_local): https://www.galah-survey.org/dr3/table_schema
GALAH: Preset = {
    "star": ["gaiadr3_source_id", "dr3_source_id"],
    "time": (["mjd", "MJD_local"], u.day),
    "rv": (["rv_comp_1", "rv_galah"], KMS),
    "rv_error": (["e_rv_comp_1", "e_rv_galah"], KMS),
    "velocity": (["rv_comp_1", "rv_galah"], KMS),
    "velocity_error": (["e_rv_comp_1", "e_rv_galah"], KMS),
}

# The rdb files of Geneva's pipeline for HARPS, of one star; jdb is BJD - 2400000.
HARPS: Preset = {
    "time": ("jdb", u.day),
    "rv": ("vrad", KMS),
    "rv_error": ("svrad", KMS),
}

# mwmAllVisit of the Milky Way Mapper, the extensions of APOGEE and of BOSS:
# https://github.com/sdss/datamodel, datamodel/products/json/mwmAllVisit.json
SDSSV_APOGEE: Preset = {
    "star": "sdss_id",
    "time": ("jd", u.day),
    "rv": ("v_rad", KMS),
    "rv_error": ("e_v_rel", KMS),
}
SDSSV_BOSS: Preset = {
    "star": "sdss_id",
    "time": ("tai_beg", u.s),
    "rv": ("xcsao_v_rad", KMS),
    "rv_error": ("xcsao_e_v_rad", KMS),
}

PRESETS: dict[str, Preset] = {
    "apogee": APOGEE,
    "gaia": GAIA,
    "gaia_epochs": GAIA_EPOCHS,
    "galah": GALAH,
    "harps": HARPS,
    "sdssv_apogee": SDSSV_APOGEE,
    "sdssv_boss": SDSSV_BOSS,
}


def is_of_preset(role: str, place: Any) -> bool:
    """Whether this is the place of the role in a preset, which models without the role ignore."""
    # their texts, because a place may be anything, such as an array, which has no truth value
    return any(role in of and repr(of[role]) == repr(place) for of in PRESETS.values())


def presets_for(roles: Iterable[Role]) -> list[str]:
    """Names of the presets that have all columns that a model with these roles needs."""
    needed = {role.name for role in roles if role.required}
    observed = {role.name for role in roles if role.observed}
    return [name for name, of in PRESETS.items() if needed <= set(of) and observed & set(of)]
