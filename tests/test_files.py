"""Claims about saved files: nothing is lost in saving, and nothing unsafe happens in loading."""

import contextlib
import errno
import gzip
import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import astropy.units as u
import h5py
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.utils.exceptions import AstropyUserWarning

import astro_hier
from astro_hier import (
    SamplePopulation,
    SavedFileError,
    SB1Binary,
    StarCluster,
    datasets,
    populations,
    priors,
    profiles,
)
from astro_hier.plots import NotInTheModel
from astro_hier.posterior.files import SEAL

DATA = Path(__file__).parent / "data"
KMS = u.km / u.s

READABLE = sorted(path.name for path in DATA.glob("*.nc.gz"))


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
        named = {label.partition("[")[0] for label in model.summary()["parameter"]}
        assert named <= set(model.posterior)
        assert np.all(np.isfinite(model.predict()))


SUMMARIES = json.loads((DATA / "summaries.json").read_text())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
@pytest.mark.parametrize("name", SUMMARIES)
def test_results_saved_with_options_are_what_they_were(name, unpacked):
    path = unpacked(name)
    model = estimator_of(path).load(path)
    summary = model.summary()
    found = zip(*(summary[column] for column in ("mean", "sd", "hdi_3%", "hdi_97%")), strict=True)
    found = dict(zip(summary["parameter"], found, strict=True))
    assert set(found) >= set(SUMMARIES[name])  # what follows from others may be new
    for parameter, expected in SUMMARIES[name].items():
        np.testing.assert_allclose(found[parameter], expected, rtol=1e-6, err_msg=parameter)
    used(model)
    for plot in (name for name in dir(model) if name.startswith("plot_")):
        with contextlib.suppress(NotInTheModel):
            getattr(model, plot)()
        plt.close("all")
    model.save(path)
    again = type(model).load(path)
    assert repr(again) == repr(model)
    assert again.inference_data.identical(model.inference_data)


def test_what_follows_and_an_earlier_version_did_not_save_is_added(unpacked):
    population = astro_hier.BinaryPopulation.load(unpacked("BinaryPopulation-3.nc.gz"))
    for n in "12":
        scale, log = (population.posterior[f"{name}sigma{n}"] for name in ("", "ln"))
        np.testing.assert_array_equal(scale, np.exp(log))
        assert scale.attrs["unit"] == ""
    assert {"sigma1", "sigma2", "mu2"} <= set(population.summary()["parameter"])


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
    cluster = read("StarCluster-3-options.nc.gz")
    assert (cluster.profile, cluster.outliers) == (profiles.CoreHalo(), True)
    assert cluster.parallax_covariance == "Lindegren+18"
    assert read("VelocityDispersion-3-options.nc.gz").outliers is True
    binary = read("SB1Binary-3-options.nc.gz")
    assert (binary.trend, binary.instrument) == (1, "spectrograph")
    assert binary.jitter == priors.LogUniform(0.01 * KMS, 5 * KMS)
    population = read("BinaryPopulation-3-options.nc.gz")
    assert population.jitter == populations.LogNormalJitter()


@pytest.fixture
def small(unpacked):
    """A fitted cluster of eight stars, and the path it was read from."""
    path = unpacked("StarCluster-3.nc.gz")
    model = StarCluster.load(path)
    path.unlink()
    return model


def test_what_could_not_be_loaded_is_not_saved(small, tmp_path):
    small.save(tmp_path / "fit.nc")
    before = (tmp_path / "fit.nc").read_bytes()
    small.inference_data["posterior"].attrs["words"] = ["several", "texts"]
    with pytest.raises(ValueError, match="attribute of an unknown kind, words of /posterior"):
        small.save(tmp_path / "fit.nc")
    assert (tmp_path / "fit.nc").read_bytes() == before


@pytest.mark.parametrize("kind", [str, Path])
def test_a_tilde_is_the_home_folder(small, tmp_path, monkeypatch, kind):
    monkeypatch.setenv("HOME", str(tmp_path))
    small.save(kind("~/fit.nc"))
    assert contents(tmp_path) == ["fit.nc"]
    StarCluster.load(kind("~/fit.nc"))
    with pytest.raises(FileNotFoundError, match=f"'{tmp_path}/other.nc'"):
        StarCluster.load(kind("~/other.nc"))
    (tmp_path / "page.html").write_text("earlier")
    with pytest.raises(FileExistsError, match="exists"):
        small.report(kind("~/page.html"))


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
    assert "the fit is still in memory: make room, or save it elsewhere" in run.stdout
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
        with pytest.raises(PermissionError, match="is write-protected"):
            small.save(protected)
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError, match=r"fit\.nc' could not be written"):
            small.save(tmp_path / "fit.nc")
        tmp_path.chmod(0o700)
    assert contents(tmp_path) == ["circle", "pipe", "protected.nc"]


# ---- what a stranger may have put into a file


def sealed(path):
    """Give a file that was changed a seal that fits, as anyone can."""
    content = path.read_bytes()
    content = content.partition(SEAL)[0]
    path.write_bytes(content + SEAL + hashlib.sha256(content).hexdigest().encode())
    return path


def without_seal(path):
    """A file as HDF5 alone knows it, which it then may write to."""
    path.write_bytes(path.read_bytes().partition(SEAL)[0])
    return path


@pytest.fixture
def change(unpacked):
    """Opens a saved file as HDF5 to change it, and seals it again: its path."""

    def changed(how, name="StarCluster-3.nc.gz"):
        path = without_seal(unpacked(name))
        with h5py.File(path, "r+") as file:
            how(file)
        return sealed(path)

    return changed


def replaced(file, name, make, dims=("chain", "draw")):
    """Put something else in the place of a variable, as netCDF knows it."""
    unit, group = file[name].attrs["unit"], file[name].parent
    del file[name]
    make(name)
    file[name].attrs["unit"] = unit
    for number, dim in enumerate(dims):
        file[name].dims[number].attach_scale(group[dim])


SECRET = 123.456  # what another file of the machine holds


@pytest.fixture
def secret(tmp_path):
    folder = tmp_path / "private"
    folder.mkdir()
    np.full(1000, SECRET).tofile(folder / "secret.bin")
    with h5py.File(folder / "secret.h5", "w") as file:
        file["values"] = np.full((2, 5), SECRET)
        file.create_group("posterior")["mu_r"] = np.full((2, 5), SECRET)
    return folder


def external_storage(file, secret):
    def make(name):
        file.create_dataset(name, (2, 5), "f8", external=[(str(secret / "secret.bin"), 0, 80)])

    replaced(file, "posterior/mu_r", make)


def external_link(file, secret):
    del file["posterior/mu_r"]
    file["posterior/mu_r"] = h5py.ExternalLink(str(secret / "secret.h5"), "values")


def external_group(file, secret):
    del file["sample_stats"]
    file["sample_stats"] = h5py.ExternalLink(str(secret / "secret.h5"), "posterior")


def virtual(file, secret):
    def make(name):
        layout = h5py.VirtualLayout((2, 5), "f8")
        layout[:] = h5py.VirtualSource(str(secret / "secret.h5"), "values", (2, 5))
        file.create_virtual_dataset(name, layout)

    replaced(file, "posterior/mu_r", make)


def virtual_of_coordinates(file, secret):
    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource(str(secret / "secret.h5"), "values", (2, 5))[:, 0]
    file["posterior"].create_virtual_dataset("more", layout)


def soft_link(file, secret):
    file["posterior/more"] = h5py.SoftLink("/posterior/mu_r")


def soft_link_through_an_external_one(file, secret):
    file["posterior/more"] = h5py.SoftLink("/way/values")
    file["way"] = h5py.ExternalLink(str(secret / "secret.h5"), "/")


def dangling_link(file, secret):
    file["posterior/more"] = h5py.SoftLink("/nowhere")


def second_name(file, secret):
    file["posterior/more"] = file["posterior/mu_r"]


def circle(file, secret):
    file["posterior/more"] = file["/"]


def compressed(file, secret):
    file.create_dataset("posterior/more", data=np.zeros(10**7), compression="gzip", chunks=True)


def never_written(file, secret):
    file.create_dataset("posterior/more", (2, 10**9), "f8")  # 16 GB of fill values


def sparse(file, secret):
    file.create_dataset("posterior/more", (10**10, 10), "f8", chunks=(10, 10))


def one_chunk(file, secret):
    file.create_dataset("posterior/more", (1,), "f8", chunks=(2**28,), maxshape=(None,))


def huge_dimension(file, secret):
    file.create_dataset("posterior/more", (2**62,), "i1", maxshape=(None,), chunks=(1,))


def one_text_many_times(file, secret):
    """Each points to the same megabyte."""
    text = h5py.string_dtype()
    made = file.create_dataset("posterior/more", (1000,), text)
    made[0] = "x" * 2**20
    where = made.id.get_offset()
    file.flush()
    with open(file.filename, "r+b") as raw:
        raw.seek(where)
        one = raw.read(16)
        raw.seek(where)
        raw.write(one * 1000)


def references(file, secret):
    file["posterior/more"] = np.array([file["posterior"].ref], h5py.ref_dtype)


def region(file, secret):
    file["posterior/more"] = np.array([file["posterior/mu_r"].regionref[:]], h5py.regionref_dtype)


def reference_in_an_attribute(file, secret):
    file["posterior"].attrs["more"] = file["posterior/mu_r"].ref


def compound(file, secret):
    file["posterior/more"] = np.zeros(3, "f8, i4")


def opaque(file, secret):
    file["posterior/more"] = np.zeros(3, "V8")


def ragged(file, secret):
    made = file.create_dataset("posterior/more", (2,), h5py.vlen_dtype("f8"))
    made[0] = [1.0, 2.0]


def named_type(file, secret):
    file["posterior/more"] = np.dtype("f8")


def nothing(file, secret):
    file["posterior/more"] = h5py.Empty("f8")


def many_texts_in_an_attribute(file, secret):
    file["posterior"].attrs["more"] = ["a", "b"]


def enumeration(file, secret):
    file["posterior/more"] = np.zeros(3, h5py.enum_dtype({"a": 0}))


def deep(file, secret):
    group = file["posterior"]
    for _ in range(3000):
        group = group.create_group("g")


UNSAFE = [
    external_storage, external_link, external_group, virtual, virtual_of_coordinates, soft_link,
    soft_link_through_an_external_one, dangling_link, second_name, circle, compressed,
    never_written, sparse, one_chunk, huge_dimension, one_text_many_times, references, region,
    reference_in_an_attribute, compound, opaque, ragged, named_type, nothing,
    many_texts_in_an_attribute, enumeration, deep,
]  # fmt: skip


@pytest.mark.parametrize("how", UNSAFE, ids=lambda how: how.__name__)
def test_a_sealed_file_of_more_than_plain_arrays_is_refused_unread(
    change, secret, monkeypatch, how
):
    path = change(lambda file: how(file, secret))

    def opened(*args, **options):
        raise AssertionError("values were read")

    monkeypatch.setattr("xarray.open_datatree", opened)
    with pytest.raises(SavedFileError, match=r"StarCluster-3\.nc") as error:
        StarCluster.load(path)
    assert "values were read" not in str(error.value)


def test_texts_that_hdf5_would_read_for_ever_are_refused(unpacked):
    """Free space of size zero among texts, which HDF5 itself goes round and round on."""
    path = without_seal(unpacked("StarCluster-3.nc.gz"))
    content = bytearray(path.read_bytes())
    heap = content.find(b"GCOL\x01\0\0\0")
    at, size = heap + 16, int.from_bytes(content[heap + 8 : heap + 16], "little")
    while content[at : at + 2] != b"\0\0":
        at += 16 + -(-int.from_bytes(content[at + 8 : at + 16], "little") // 8) * 8
    assert at < heap + size
    content[at + 8 : at + 16] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(SavedFileError, match="text of impossible size"):
        StarCluster.load(sealed(path))


def used(model):
    """Ask for all that a fitted model can say without a figure."""
    for name in ("summary", "posterior_table", "predict", "modes", "star_table"):
        if hasattr(model, name):
            getattr(model, name)()
    return model.map_sample, model.posterior.attrs.get("chi2_per_dof")


MODELS_SAVED = sorted(path.name for path in DATA.glob("*-3.nc.gz"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
@pytest.mark.parametrize("name", MODELS_SAVED)
def test_whatever_is_missing_is_named_or_not_needed(name, unpacked):
    whole = without_seal(unpacked(name)).read_bytes()
    path, refused = unpacked(name), set()
    with h5py.File(path) as file:
        places = [*file, *(f"{group}/{item}" for group in file for item in file[group])]
        removals = [(place, None) for place in places]
        removals += [(place, attr) for place in ("/", *file) for attr in file[place].attrs]
    for place, attr in removals:
        path.write_bytes(whole)
        with h5py.File(path, "r+") as file:
            del (file if attr is None else file[place].attrs)[attr or place]
        try:
            used(estimator_of(path).load(sealed(path)))
        except SavedFileError:
            refused.add(place if attr is None else (place, attr))
    needed = {"posterior", "observed_data", "constant_data", "posterior/log_prob", ("/", "format")}
    assert refused > needed


def values_replaced(values, dims=("chain", "draw"), name="posterior/mu_r"):
    def how(file):
        replaced(file, name, lambda name: file.create_dataset(name, data=values), dims)

    return how


text_for_numbers = values_replaced([["a"] * 5] * 2)
integers_for_floats = values_replaced(np.zeros((2, 5), int))
too_few_dimensions = values_replaced(np.zeros(2), ("chain",))
other_dimensions = values_replaced(np.zeros((5, 2)), ("draw", "chain"))


def another_length(file):
    group = file["constant_data"]
    del group["star"]
    group["star"] = np.arange(7)
    group["star"].make_scale("star")
    replaced(file, "constant_data/parallax_error",
             lambda name: file.create_dataset(name, data=np.ones(7)), ("star",))  # fmt: skip


def another_unit(file):
    file["posterior/mu_r"].attrs["unit"] = "pc"


def no_unit(file):
    file["posterior/mu_r"].attrs["unit"] = "1 parallax"


def endless_unit(file):
    file["posterior/mu_r"].attrs["unit"] = "10**999999999 kpc"


def attribute_of_another_kind(file):
    file.attrs["format"] = 3


def undecodable_text(file):
    file.attrs["estimator"] = np.bytes_(b"\xff\xfe")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (text_for_numbers, "for mu_r in posterior; expected floats"),
        (integers_for_floats, "holds int64 .* for mu_r in posterior; expected floats"),
        (too_few_dimensions, r"for mu_r in posterior; expected the dimensions \('chain', 'draw'\)"),
        (other_dimensions, r"\('draw', 'chain'\) for mu_r in posterior; expected the dimensions"),
        (another_length, "holds 7 along the dimension star in constant_data; expected 8"),
        (another_unit, "holds mu_r in 'pc'; expected the unit 'kpc'"),
        (no_unit, "parallax"),
        (endless_unit, "an unlikely unit"),
        (attribute_of_another_kind, "does not say its format"),
        (undecodable_text, "does not say its estimator"),
    ],
)
def test_results_of_another_kind_are_refused(change, how, message):
    with pytest.raises(SavedFileError, match=rf"StarCluster-3\.nc.*{message}"):
        StarCluster.load(change(how))


def number(place, value):
    """Put a value in the place of the first of an array."""

    def how(file):
        values = file[place][...]
        values.flat[0] = value
        file[place][...] = values

    return how


def attribute(place, name, value):
    def how(file):
        file[place].attrs[name] = value

    return how


def fewer_rows(file):
    replaced(file, "observed_data/rv",
             lambda name: file.create_dataset(name, data=np.ones(3)), ("visit",))  # fmt: skip


NO_NUMBERS = [
    (number("observed_data/rv", np.nan), "holds 1 of 8 values of rv that are not valid"),
    (number("observed_data/rv", 3e5), "of rv that are not valid .*; expected .*slower than light"),
    (number("constant_data/time", np.inf), "of time that are not valid"),
    (number("constant_data/rv_error", -5), r"rv_error .*row 0: -5\.0\); expected .* than zero"),
    (number("posterior/P", np.inf), "holds inf for P, in 1 of 10 draws; expected finite numbers"),
    (number("posterior/P", -5), "for P, .* expected finite numbers from 1.5 to 20"),
    (number("posterior/K", -5), "values of K that do not follow from other parameters"),
    (number("posterior/log_prob", np.nan), "holds nan for log_prob"),
    (number("posterior/draw", 7), "labels of draw in posterior .* expected 0, 1, 2"),
    (number("constant_data/visit", 7), "labels of visit in constant_data .* expected 0, 1, 2"),
    (fewer_rows, "holds 3 values along a dimension of 8, in /observed_data/rv"),
]


@pytest.mark.parametrize(("how", "message"), NO_NUMBERS)
def test_numbers_that_no_fit_has_are_refused(change, how, message):
    with pytest.raises(SavedFileError, match=rf"SB1Binary-3\.nc.*{message}"):
        SB1Binary.load(change(how, "SB1Binary-3.nc.gz"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale_factor", 1000.0), ("add_offset", 1.0), ("_FillValue", 10.0), ("missing_value", 1.0),
        ("coordinates", "ln_std_r"), ("units", "days since 2000-01-01"), ("dtype", "bool"),
    ],
)  # fmt: skip
def test_no_attribute_changes_values(change, name, value):
    message = f"has an attribute that changes values, {name} of /posterior/mu_r"
    with pytest.raises(SavedFileError, match=message):
        StarCluster.load(change(attribute("posterior/mu_r", name, value)))


@pytest.mark.parametrize(
    ("place", "name", "values"),
    [
        ("sample_stats", "checks", ["", "null", "[1]", 3, '[{"name": 1}]', "{}"]),
        ("sample_stats", "call", ["{", "[]", 3, '{"options": 3}', '{"options": {"a": 1}}']),
        ("posterior", "method", ["x", 3, np.nan]),
        ("posterior", "n_explanations", ["x", [1, 2]]),
        ("posterior", "coordinates", ["mu_r"]),
    ],
)
def test_words_that_no_fit_says_are_refused(change, place, name, values):
    for value in values:
        with pytest.raises(SavedFileError, match=r"StarCluster-3\.nc"):
            StarCluster.load(change(attribute(place, name, value)))


@pytest.mark.parametrize(
    "epoch",
    ["{", "3", "null", '{"day": "x", "fraction": 0, "scale": null}',
     '{"day": 1e308, "fraction": 0.0, "scale": "tdb"}',
     '{"day": 1.0, "fraction": 0.0, "scale": "bogus"}'],
)  # fmt: skip
def test_times_without_a_date_are_refused(change, epoch):
    with pytest.raises(SavedFileError, match=r"SB1Binary-3\.nc"):
        SB1Binary.load(change(attribute("constant_data", "epoch", epoch), "SB1Binary-3.nc.gz"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("star_draws", -5), ("on_invalid", "zap"), ("columns", {"dict": {"parallax": 3}}),
        ("columns", {"dict": {"velocity": "v"}}), ("columns", 3), ("outliers", "x"), ("mu_r", -1),
    ],
)  # fmt: skip
def test_arguments_that_no_fit_takes_are_refused(change, name, value):
    def how(file):
        given = json.loads(file.attrs["parameters"])
        given["dict"][name] = value
        file.attrs["parameters"] = json.dumps(given)

    with pytest.raises(SavedFileError, match=r"StarCluster-3\.nc"):
        StarCluster.load(change(how))


def arguments(text):
    def how(file):
        file.attrs["parameters"] = text

    return how


ONE = '{"instance": "Uniform", "of": {"dict": {"lower": %s, "upper": 1}}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "5",
        "null",
        "[]",
        "{}",
        '{"dict": []}',
        '{"dict": 3}',
        '{"instance": "Uniform", "of": {"dict": {"lower": 0, "upper": 1}}}',
        '{"dict": {"colour": "red"}}',
        '{"dict": {"mu_r": 5}}',
        '{"dict": {"mu_r": "1 kpc"}}',
        '{"dict": {"mu_r": {"instance": "os.system", "of": {"dict": {}}}}}',
        '{"dict": {"mu_r": {"instance": ["Uniform"], "of": {"dict": {}}}}}',
        '{"dict": {"mu_r": {"instance": "Uniform"}}}',
        '{"dict": {"mu_r": {"instance": "Uniform", "of": {"dict": {"low": 1}}}}}',
        '{"dict": {"mu_r": {"instance": "Prior", "of": {"dict": {}}}}}',
        '{"dict": {"ln_std_r": %s}}' % (ONE % '"10**999999999"'),
        '{"dict": {"ln_std_r": %s}}' % (ONE % '{"value": "0", "unit": "10**999999999 m"}'),
        '{"dict": {"ln_std_r": %s}}' % (ONE % '{"value": "10**999999999 m", "unit": ""}'),
        '{"dict": {"ln_std_r": %s}}' % (ONE % '{"unit": "10**999999999 m"}'),
        '{"dict": {"ln_std_r": %s}}' % (ONE % ("9" * 5000)),
        '{"dict": {"profile": "CoreHalo"}}',
        '{"dict": {"profile": {"tuple": 5}}}',
        "[" * 100_000,
        '{"tuple": [' * 5000 + "]}" * 5000,
        '{"dict": {"outliers": true}}',
    ],
)
def test_arguments_that_no_version_writes_are_refused(change, text):
    with pytest.raises(SavedFileError, match=r"StarCluster-3\.nc"):
        StarCluster.load(change(arguments(text)))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("astro_hier estimator 1", "was written by an older version, whose format .* fit again"),
        ("astro_hier estimator 4", "was written by a newer version, .*: update astro_hier"),
        ("astro_hier estimator", "has an unknown format, 'astro_hier estimator'"),
        ("another", "has an unknown format, 'another'"),
    ],
)
@pytest.mark.parametrize("seal", [True, False])
def test_another_format_is_named_as_such(change, form, message, seal):
    def how(file):
        file.attrs["format"] = form

    path = change(how)
    if not seal:
        without_seal(path)
        path.write_bytes(path.read_bytes().replace(b"astro_hier estimator 3", b"\0" * 22))
        if "unknown" in message:
            message = "was not written by an estimator's save method, or was changed"
    with pytest.raises(SavedFileError, match=message) as error:
        StarCluster.load(path)
    assert ("was not written by" in str(error.value)) == ("version" not in message)


@pytest.mark.parametrize("name", ["StarCluster-2.nc.gz", "StarCluster-2-first.nc.gz"])
def test_a_changed_file_of_the_earlier_format_is_refused(unpacked, name):
    path = unpacked(name)
    content = path.read_bytes()
    with h5py.File(path) as file:
        values = file["posterior/mu_r"][...].tobytes()
        arguments = file.attrs["parameters"].encode()
    for part, other in ((values, values[::-1]), (arguments, arguments.replace(b"2000", b"3000"))):
        assert content.count(part) == 1
        path.write_bytes(content.replace(part, other))
        with pytest.raises(SavedFileError, match=r"StarCluster-2.*\.nc"):
            StarCluster.load(path)


def test_a_group_or_attribute_that_is_new_is_read(change):
    def how(file):
        file["posterior"].attrs["verdict"] = "certain"
        file["posterior"].attrs["shares"] = np.array([0.25, 0.75])
        file["posterior"].attrs["words"] = np.bytes_(b"x" * 50_000)
        group = file.create_group("log_likelihood")
        group["values"] = np.zeros(5)
        group["values"].make_scale("values")

    loaded = StarCluster.load(change(how))
    assert loaded.posterior.attrs["verdict"] == "certain"
    assert loaded.inference_data["log_likelihood"]["values"].shape == (5,)


def test_a_file_beyond_the_memory_is_a_clear_error(unpacked, monkeypatch):
    def beyond(*args):
        raise MemoryError

    path = unpacked("StarCluster-3.nc.gz")
    monkeypatch.setattr("astro_hier.netcdf.from_bytes", beyond)
    with pytest.raises(SavedFileError, match=r"StarCluster-3\.nc.*MemoryError"):
        StarCluster.load(path)


def test_a_histogram_whose_bins_have_numbers_as_labels_is_loaded(tmp_path):
    population = populations.Histogram([1.0, 1.3, 1.6, 2.0] * u.Msun)
    table = datasets.make_posterior_samples(10, 20, random_state=1)
    model = SamplePopulation(quantity="mass", population=population)
    model.fit(table, draws=20, certify=False, random_state=1, progressbar=False)
    model.save(tmp_path / "model.nc")
    loaded = SamplePopulation.load(tmp_path / "model.nc")
    np.testing.assert_array_equal(loaded.posterior["bin"], model.posterior["bin"])
