"""Claims about simulated tables."""

import astropy.units as u
import numpy as np
import pytest
from astropy.utils.data import import_file_to_cache

from astro_hier import datasets


def test_default_cluster_is_the_tutorials():
    # the tutorial's own lines, in its own order of draws
    rng = np.random.default_rng(42)
    r = rng.normal(500, 8.7, 256)
    error = 10 ** rng.uniform(-2, -1, 256)
    parallax = rng.normal((r * u.pc).to_value(u.mas, u.parallax()), error)
    table = datasets.make_star_cluster(random_state=42)
    np.testing.assert_array_equal(table["parallax"].to_value(u.mas), parallax)
    np.testing.assert_array_equal(table["parallax_error"].to_value(u.mas), error)
    truth = table.meta["truth"]
    np.testing.assert_array_equal(truth["r"].to_value(u.pc), r)
    assert truth["mu_r"] == 500 * u.pc
    assert truth["std_r"] == 8.7 * u.pc
    assert truth["ln_std_r"] == pytest.approx(np.log(0.0087))


def test_arguments_take_any_unit():
    table = datasets.make_star_cluster(5, mu_r=0.5 * u.kpc, std_r=8.7 * u.pc, random_state=1)
    other = datasets.make_star_cluster(5, mu_r=500 * u.pc, std_r=0.0087 * u.kpc, random_state=1)
    np.testing.assert_allclose(table["parallax"].value, other["parallax"].value)


def test_arguments_without_unit_are_refused():
    with pytest.raises(TypeError, match="mu_r"):
        datasets.make_star_cluster(mu_r=500)


def test_a_cluster_that_would_surround_the_observer_is_refused():
    with pytest.raises(ValueError, match="too large for mu_r"):
        datasets.make_star_cluster(mu_r=10 * u.pc, std_r=20 * u.pc, random_state=0)


def test_apogee_binaries_are_read_from_a_folder_and_verified(shared_data, monkeypatch, tmp_path):
    folder = shared_data / "apogee_binaries"
    monkeypatch.setenv("ASTRO_HIER_DATA", str(folder))
    visits = datasets.fetch_apogee_binaries()
    assert len(visits) == 321
    assert visits["APOGEE_ID"][0] == "2M01282954+8522331"
    assert visits["VHELIO"].unit == u.km / u.s
    content = (folder / "apogee-binaries.fits").read_bytes()
    (tmp_path / "apogee-binaries.fits").write_bytes(content[:-1] + b"x")
    monkeypatch.setenv("ASTRO_HIER_DATA", str(tmp_path))
    with pytest.raises(OSError, match="is not the published file: its sha256 is"):
        datasets.fetch_apogee_binaries()
    monkeypatch.setenv("ASTRO_HIER_DATA", str(tmp_path / "absent"))
    with pytest.raises(FileNotFoundError, match=r"does not contain apogee-binaries\.fits"):
        datasets.fetch_apogee_binaries()


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """Wherever this version of astropy keeps downloads of a package, there is nothing yet."""
    monkeypatch.delenv("ASTRO_HIER_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "astro_hier").mkdir()


@pytest.mark.usefixtures("empty_cache")
def test_apogee_binaries_are_cached_by_astropy(shared_data):
    import_file_to_cache(
        datasets.apogee.APOGEE_BINARIES_URL,
        shared_data / "apogee_binaries" / "apogee-binaries.fits",
        pkgname="astro_hier",
    )
    assert len(datasets.fetch_apogee_binaries()) == 321


@pytest.mark.usefixtures("empty_cache")
def test_without_network_the_folder_is_named():
    with pytest.raises(OSError, match=r"cannot be downloaded .* variable ASTRO_HIER_DATA"):
        datasets.fetch_apogee_binaries()
