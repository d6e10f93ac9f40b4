"""Claims about saved files: nothing is lost in saving, and nothing unsafe happens in loading."""

import ast
import errno
import gzip
import os
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import astropy.units as u
import h5py
import numpy as np
import pytest
from astropy.utils.exceptions import AstropyUserWarning

import astro_hier
from astro_hier import StarCluster, populations, priors
from astro_hier.encoding import SAVED

DATA = Path(__file__).parent / "data"
KMS = u.km / u.s

# What files of users call the classes of this package: names may be added, none may go
NAMES = {
    "Beta": "Beta",
    "Fixed": "Fixed",
    "Gamma": "Gamma",
    "HalfNormal": "HalfNormal",
    "LogNormal": "LogNormal",
    "LogUniform": "LogUniform",
    "Normal": "Normal",
    "Prior": "Prior",
    "TruncatedNormal": "TruncatedNormal",
    "Uniform": "Uniform",
    "astro_hier.outliers.ParallaxBackground": "ParallaxBackground",
    "astro_hier.outliers.VelocityBackground": "VelocityBackground",
    "astro_hier.populations.LogNormalJitter": "LogNormalJitter",
    "astro_hier.populations.Normal": "Normal",
    "astro_hier.populations.NormalMixture": "NormalMixture",
    "astro_hier.populations.TruncatedNormal": "TruncatedNormal",
    "astro_hier.profiles.CoreHalo": "CoreHalo",
    "astro_hier.profiles.Normal": "Normal",
}


def test_classes_keep_the_names_that_files_call_them():
    own = {name: cls for name, cls in SAVED.items() if cls.__module__.startswith("astro_hier.")}
    assert {name: cls.__name__ for name, cls in own.items()} == NAMES


def test_names_in_files_are_literal_so_that_a_class_may_move():
    calls = [
        node
        for path in Path(astro_hier.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "register"
    ]
    assert {call.args[1].value for call in calls} == {name for name in NAMES if "." in name}


READABLE = sorted(path.name for path in DATA.glob("*-3.nc.gz"))


@pytest.fixture
def unpacked(tmp_path):
    """Writes a file of ``tests/data`` to a folder: its path."""

    def unpack(name):
        path = tmp_path / name.removesuffix(".gz")
        path.write_bytes(gzip.decompress((DATA / name).read_bytes()))
        return path

    return unpack


def estimator_of(path):
    return getattr(astro_hier, path.name.partition("-")[0])


@pytest.mark.parametrize("name", READABLE)
def test_a_file_saved_by_an_earlier_version_is_read(name, unpacked):
    path = unpacked(name)
    model = estimator_of(path).load(path)
    with h5py.File(path) as file:
        for group in ("posterior", "sample_stats", "observed_data", "constant_data"):
            for variable, values in file[group].items():
                read = model.inference_data[group][variable].values
                expected = values.asstr()[...] if values.dtype.kind == "O" else values[...]
                np.testing.assert_array_equal(read, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)  # of five draws
        assert set(model.summary()["parameter"]) <= set(model.posterior)
        assert np.all(np.isfinite(model.predict()))


def test_arguments_saved_by_an_earlier_version_are_those_given(unpacked):
    def read(name):
        path = unpacked(name)
        return estimator_of(path).load(path)

    binary = read("SB1Binary-3.nc.gz")
    assert binary.P == priors.Uniform(36 * u.hour, 20 * u.day)
    assert binary.jitter == priors.LogUniform(0.01 * KMS, 5 * KMS)
    population = read("BinaryPopulation-3.nc.gz")
    assert population.population == populations.NormalMixture()
    assert population.period_range == (1 * u.day, 30 * u.day)
    assert list(population.star_table()["star"]) == ["HD 1", "HD 2"]


@pytest.fixture
def small(unpacked):
    """A fitted cluster of eight stars, and the path it was read from."""
    path = unpacked("StarCluster-3.nc.gz")
    model = StarCluster.load(path)
    path.unlink()
    return model


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


FULL = """
import resource, sys
from astro_hier import StarCluster
model = StarCluster.load(sys.argv[1])
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
try:
    model.save(sys.argv[2])
except OSError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
model.save(sys.argv[3])
"""


def test_a_disk_that_is_full_is_an_error_and_the_fit_is_saved_elsewhere(unpacked, tmp_path):
    source = unpacked("StarCluster-3.nc.gz")
    full = tmp_path / "full"
    full.mkdir()
    (full / "fit.nc").write_text("what was there")
    words = [sys.executable, "-c", FULL, source, full / "fit.nc", tmp_path / "elsewhere.nc"]
    run = subprocess.run(words, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert f"'{full}/fit.nc' could not be written (File too large)" in run.stdout
    assert "the fit is still in memory: make room, or save it to another place" in run.stdout
    assert contents(full) == ["fit.nc"]
    assert (full / "fit.nc").read_text() == "what was there"
    StarCluster.load(tmp_path / "elsewhere.nc")


@pytest.mark.parametrize("fails", ["fsync", "replace", "open"])
def test_any_failure_of_the_disk_leaves_what_was_there(small, tmp_path, monkeypatch, fails):
    path = tmp_path / "fit.nc"
    small.save(path)
    before = path.read_bytes()

    def broken(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, fails, broken)
        with pytest.raises(OSError, match=r"fit\.nc.*No space left.*still in memory") as caught:
            small.save(path)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before
    assert contents(tmp_path) == ["fit.nc"]
    small.save(tmp_path / "other.nc")


def test_an_interrupt_while_saving_leaves_what_was_there(small, tmp_path, monkeypatch):
    path = tmp_path / "fit.nc"
    path.write_text("what was there")

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        small.save(path)
    assert contents(tmp_path) == ["fit.nc"]
    assert path.read_text() == "what was there"


@pytest.mark.parametrize("linked", [False, True])
def test_files_of_others_beside_the_path_are_left_alone(small, tmp_path, linked):
    other = tmp_path / "other"
    other.write_text("mine")
    part = tmp_path / "fit.nc.part"
    part.symlink_to(other) if linked else part.write_text("mine")
    small.save(tmp_path / "fit.nc")
    assert contents(tmp_path) == ["fit.nc", "fit.nc.part", "other"]
    assert part.is_symlink() == linked
    assert part.read_text() == other.read_text() == "mine"


def test_no_file_that_is_there_is_opened_for_writing(small, tmp_path, monkeypatch):
    (tmp_path / ".astro_hier-0.part").write_text("mine")
    monkeypatch.setattr("secrets.token_hex", lambda n: "0")
    with pytest.raises(FileExistsError):
        small.save(tmp_path / "fit.nc")
    assert (tmp_path / ".astro_hier-0.part").read_text() == "mine"


@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_stays_and_what_it_leads_to_is_replaced(small, tmp_path, there):
    store = tmp_path / "store"
    store.mkdir()
    if there:
        (store / "fit.nc").write_text("earlier")
    link = tmp_path / "link.nc"
    link.symlink_to("store/fit.nc")
    small.save(link)
    assert link.is_symlink()
    assert contents(store) == ["fit.nc"]
    StarCluster.load(store / "fit.nc")


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_mode_of_any_new_file(small, tmp_path, umask):
    before = os.umask(umask)
    try:
        small.save(tmp_path / "fit.nc")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "fit.nc").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_that_is_replaced_keeps_its_mode(small, tmp_path, mode):
    path = tmp_path / "fit.nc"
    path.write_text("earlier")
    path.chmod(mode)
    small.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_many_threads_save_to_one_path(small, tmp_path):
    path, failed = tmp_path / "fit.nc", []

    def save():
        try:
            for _ in range(5):
                small.save(path)
                StarCluster.load(path)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert contents(tmp_path) == ["fit.nc"]


OFTEN = """
import sys
from astro_hier import StarCluster
model = StarCluster.load(sys.argv[1])
for _ in range(8):
    model.save(sys.argv[2])
    StarCluster.load(sys.argv[2])
"""


def test_two_processes_save_to_one_path(unpacked, tmp_path):
    source, folder = unpacked("StarCluster-3.nc.gz"), tmp_path / "folder"
    folder.mkdir()
    words = [sys.executable, "-c", OFTEN, source, folder / "fit.nc"]
    runs = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [run.communicate()[1] for run in runs] == ["", ""]
    assert contents(folder) == ["fit.nc"]


def test_paths_that_are_no_place_for_a_file_are_clear_errors(small, tmp_path):
    pipe, circle, protected = (tmp_path / name for name in ("pipe", "circle", "protected.nc"))
    os.mkfifo(pipe)
    circle.symlink_to(circle)
    protected.write_text("mine")
    protected.chmod(0o444)
    with pytest.raises(IsADirectoryError, match="is a folder; expected the name of a file in it"):
        small.save(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"absent/fit\.nc.* in a folder that exists"):
        small.save(tmp_path / "absent" / "fit.nc")
    with pytest.raises(FileNotFoundError, match=r"pipe/fit\.nc.* in a folder that exists"):
        small.save(pipe / "fit.nc")
    for path in (pipe, circle):
        with pytest.raises(OSError, match=f"{path.name}' is not a file but a device, a pipe or"):
            small.save(path)
    if os.geteuid():  # nothing is protected from root
        with pytest.raises(PermissionError, match="protected from being written to"):
            small.save(protected)
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError, match=r"fit\.nc' could not be written"):
            small.save(tmp_path / "fit.nc")
        tmp_path.chmod(0o700)
    assert contents(tmp_path) == ["circle", "pipe", "protected.nc"]
