"""Claims about saved files: nothing is lost in saving, and nothing unsafe happens in loading."""

import ast
import gzip
import warnings
from pathlib import Path

import astropy.units as u
import h5py
import numpy as np
import pytest
from astropy.utils.exceptions import AstropyUserWarning

import astro_hier
from astro_hier import populations, priors
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
