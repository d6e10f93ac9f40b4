"""Claims about names of columns: presets of surveys, spellings, and what is said of others."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table
from tables import ROLES, VISITS, good, visits

from astro_hier import (
    BinaryPopulation,
    PeriodLuminosity,
    SB1Binary,
    StarCluster,
    TableError,
    VelocityDispersion,
    columns,
    datasets,
)
from astro_hier.posterior.encoding import decode, encode
from astro_hier.table import read_columns
from astro_hier.table.presets import PRESETS, presets_for

KMS = u.km / u.s

# the columns of published tables that matter, and the first row of each
FILES = {
    "apogee": ["APOGEE_ID", "JD", "MJD", "VREL", "VRELERR", "VHELIO", "RA", "DEC"],  # DR16, DR17
    "gaia_epochs": ["source_id", "transit_id", "rv_obs_time", "radial_velocity",
                    "radial_velocity_error", "rejected_by_variability"],
    "galah": ["sobject_id", "gaiadr3_source_id", "mjd", "ra", "dec", "rv_comp_1", "e_rv_comp_1"],
    "sdssv_apogee": ["sdss_id", "mjd", "jd", "v_rad", "v_rel", "e_v_rel", "ra", "dec"],
    "sdssv_boss": ["sdss_id", "mjd", "tai_beg", "tai_end", "xcsao_v_rad", "xcsao_e_v_rad"],
}  # fmt: skip


def published(names, n=6, upper=False):
    """A table with these columns, without units."""
    rng = np.random.default_rng(3)
    table = Table({name: rng.uniform(1, 2, n) for name in names})
    for name in names:
        if name.lower().endswith("id"):
            table[name] = np.arange(n) // 2
        if "tai" in name:
            table[name] = 4.7e9 + 1e6 * np.arange(n)
    if upper:
        table.rename_columns(names, [name.upper() for name in names])
    return table


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("preset", FILES)
def test_visits_of_surveys_are_read_by_the_name_of_the_preset(preset, upper):
    table = published(FILES[preset], upper=upper)
    rows = BinaryPopulation(columns=preset).read(table)
    given = PRESETS[preset]["rv"][0]
    first = given if isinstance(given, str) else given[0]
    own = first.upper() if upper else first
    np.testing.assert_array_equal(rows["rv"], table[own])
    assert rows["star"].tolist() == [0, 0, 1, 1, 2, 2]


def test_times_in_seconds_become_days():
    rows = BinaryPopulation(columns="sdssv_boss").read(published(FILES["sdssv_boss"]))
    np.testing.assert_allclose(rows["time"], np.arange(6) * 1e6 / 86400)


def test_rdb_files_of_harps_are_read_after_their_second_line(tmp_path):
    path = tmp_path / "HD1.rdb"
    path.write_text(
        "jdb\tvrad\tsvrad\n---\t----\t-----\n55000.1\t-1.2\t0.003\n55003.2\t-1.3\t0.004\n"
    )
    table = QTable.read(path, format="ascii.tab", data_start=2)
    rows = SB1Binary(columns="HARPS").read(table)
    np.testing.assert_allclose(rows["rv_error"], [0.003, 0.004])


@pytest.mark.parametrize("name", ["gaia", "Gaia", "GAIA", " gaia "])
@pytest.mark.parametrize("key", ["source_id", "SOURCE_ID"])
def test_gaia_serves_every_model_that_has_some_of_its_roles(name, key):
    names = ("ra", "dec", "parallax", "radial_velocity")
    table = published([key, *names, "parallax_error", "radial_velocity_error"])
    table[key] = np.arange(6) + 2**61
    for given in (name, columns.GAIA, columns.GAIA | {"star": "Source_ID"}):
        members = StarCluster(columns=given).read(table)
        assert members["star"][-1] == 2**61 + 5
        np.testing.assert_array_equal(members["parallax"], table["parallax"])
        velocities = VelocityDispersion(columns=given).read(table)
        np.testing.assert_array_equal(velocities["velocity"], table["radial_velocity"])


def test_a_role_that_no_preset_has_is_still_unknown():
    with pytest.raises(TableError, match=r"unknown roles \['ra'\]"):
        VelocityDispersion(columns={"ra": "RAJ2000"}).read(good())


@pytest.mark.parametrize("model", [StarCluster, SB1Binary, BinaryPopulation, VelocityDispersion])
def test_models_know_which_presets_serve_them(model):
    names = presets_for(model().roles)
    assert ("gaia" in names) == (model in (StarCluster, VelocityDispersion))
    assert ("apogee" in names) == ("harps" in names or model is BinaryPopulation)


def test_a_preset_is_saved_and_shown():
    for given in (*PRESETS, *PRESETS.values()):
        assert decode(encode(given)) == given
    assert repr(StarCluster(columns="gaia")).endswith("columns='gaia', on_invalid='raise')")


def test_an_unknown_preset_is_an_error_that_lists_them():
    with pytest.raises(TableError, match=r"'gaja'; .*presets 'apogee', 'gaia'.*mean 'gaia'\?"):
        StarCluster(columns="gaja").read(good())


def test_the_preset_that_fits_is_named():
    with pytest.raises(TableError, match="it has the columns of columns='apogee'"):
        BinaryPopulation().read(published(FILES["apogee"]))
    gaia = published(["SOURCE_ID", "radial_velocity", "radial_velocity_error"])
    with pytest.raises(TableError, match="it has the columns of columns='gaia'"):
        VelocityDispersion().read(gaia)
    with pytest.raises(TableError) as error:
        BinaryPopulation().read(visits())
    assert "preset" not in str(error.value)


@pytest.mark.parametrize("spell", [str.upper, str.title, lambda name: f" {name} "])
def test_case_and_blanks_of_names_do_not_matter(spell):
    table = good()
    for name in table.colnames:
        table.rename_column(name, spell(name))
    given = {"parallax": "parallax", "parallax_error": "PARALLAX_ERROR"}
    for names in (None, given):
        np.testing.assert_allclose(read_columns(table, ROLES, names)["parallax"], [1, 2, 3, 4])


def test_the_exact_spelling_comes_first_and_an_ambiguous_one_is_an_error():
    table = good()
    table["Parallax"] = 7 * table["parallax"]
    np.testing.assert_allclose(read_columns(table, ROLES)["parallax"], [1, 2, 3, 4])
    table.rename_column("parallax", "PARALLAX")
    with pytest.raises(TableError, match=r"\['PARALLAX', 'Parallax'\] may all be 'parallax'; .*NA"):
        read_columns(table, ROLES)
    both = published(["APOGEE_ID", "JD", "VHELIO", "VRELERR", "VHELIO_ERR"])
    with pytest.raises(TableError, match=r"VHELIO_ERR.*VRELERR.*'rv_error': 'NAME'"):
        BinaryPopulation(columns="apogee").read(both)
    given = columns.APOGEE | {"rv_error": ("VRELERR", KMS)}
    assert BinaryPopulation(columns=given).read(both).size == 6


@pytest.mark.parametrize("place", [[], [3], (["parallax", 3], "mas"), (), np.array(["ra"]), {}])
def test_a_place_of_any_other_kind_is_a_table_error(place):
    table = datasets.make_period_luminosity(5, random_state=1)
    for model, role in (
        (StarCluster, "parallax"),
        (PeriodLuminosity, "feh"),
        (VelocityDispersion, "ra"),
    ):
        with pytest.raises(TableError, match="expected"):
            model(columns={role: place}).initial_values(table)


def test_a_misspelt_column_is_suggested():
    with pytest.raises(TableError, match=r"mean 'rv_error'\? .*columns={'rv_error': 'rv_error'}"):
        read_columns(visits(), VISITS, {"rv_error": "rv_eror"})
    with pytest.raises(TableError, match=r"unknown roles \['rv_eror'\].*mean 'rv_error'\?"):
        read_columns(visits(), VISITS, {"rv_eror": "rv_error"})


def test_misspelt_arguments_are_suggested():
    with pytest.raises(ValueError, match=r"mean 'zero_point'\?"):
        StarCluster().set_params(zeropoint=3)
    with pytest.raises(ValueError, match=r"mean 'progressbar'\?"):
        StarCluster().fit(good(), progress_bar=False)
    with pytest.raises(ValueError, match=r"mean 'marginal'\?"):
        StarCluster().fit(good(), method="marginl")


def test_a_message_does_not_list_hundreds_of_columns():
    table = Table({f"c{i}": [1.0] for i in range(300)})
    with pytest.raises(TableError, match="and 260 more"):
        read_columns(table, ROLES)
