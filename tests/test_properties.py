"""Properties of any table, legal or not: a sound posterior in its units, or an error that says why.

Tables are drawn by hypothesis: numbers of stars, values from ordinary to extreme, units, types,
containers, the order of rows and columns, masks.
"""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from astro_hier import BinaryPopulation, SavedFileError, SB1Binary, StarCluster, TableError, columns
from astro_hier.cli import main
from astro_hier.table import read_columns

KMS = u.km / u.s
QUICK = {"draws": 20, "chains": 1, "random_state": 0, "progressbar": False}
ANGLES = [u.mas, u.uas, u.arcsec, u.deg, u.rad]
SPEEDS = [KMS, u.m / u.s, u.AU / u.yr, u.cm / u.s, u.pc / u.Myr]
TIMES = [u.day, u.hour, u.s, u.yr]
EXAMPLES = settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def numbers(low, high, size, signed=False):
    """Floats whose logarithm is spread over the range, either sign if ``signed``."""
    exponent = st.floats(np.log10(low), np.log10(high))
    sign = st.sampled_from([1, -1] if signed else [1])
    one = st.builds(lambda e, s: float(s * 10**e), exponent, sign)
    return st.lists(one, min_size=size, max_size=size).map(np.array)


@st.composite
def dressed(draw, values, units):
    """A table of the values in some unit, type, container and order; and rows that are masked."""
    table = Table()
    n = len(next(iter(values.values())))
    masked = draw(st.sets(st.integers(0, n - 1), max_size=n - 1)) if draw(st.booleans()) else set()
    for name in draw(st.permutations(list(values))):
        base, choices = units.get(name, (None, [None]))
        column = values[name]
        if base is None:
            table[name] = column
            continue
        unit = draw(st.sampled_from(choices))
        # times in single precision would be other times
        dtype = draw(st.sampled_from(["f8", ">f8", "f8" if name == "time" else "f4"]))
        column = (column * base).to_value(unit).astype(dtype)
        if masked and name == "rv_error":
            mask = np.isin(np.arange(n), list(masked))
            table[name] = MaskedColumn(column, mask=mask, unit=unit)
        else:
            table[name] = column
            table[name].unit = unit
    order = draw(st.permutations(range(n)))
    table = table[list(order)]
    return draw(st.sampled_from([Table, QTable]))(table)


@st.composite
def clusters(draw):
    n = draw(st.integers(1, 6))
    values = {
        "parallax": draw(numbers(1e-3, 1e3, n, signed=True)),
        "parallax_error": draw(numbers(1e-4, 1e2, n)),
    }
    if draw(st.booleans()):
        integers = np.arange(n)
        kinds = [integers, integers.astype(">i8"), integers.astype("U"), integers.astype("S9")]
        values["star"] = draw(st.sampled_from(kinds))
    units = (u.mas, ANGLES)
    return draw(dressed(values, {"parallax": units, "parallax_error": units}))


@st.composite
def visits(draw, with_stars=False):
    n = draw(st.integers(1, 10))
    values = {
        "time": np.cumsum(draw(numbers(1e-3, 50, n))) - 1,
        "rv": draw(numbers(1e-2, 300, n, signed=True)),
        "rv_error": draw(numbers(1e-2, 100, n)),
    }
    if with_stars:
        values["star"] = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    units = {"time": (u.day, TIMES), "rv": (KMS, SPEEDS), "rv_error": (KMS, SPEEDS)}
    return draw(dressed(values, units))


def assert_sound(model, table):
    """A fit gives a finite posterior in the declared units, warning if it must."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table, **QUICK)
        assert np.all(np.isfinite(model.summary()["mean"]))
    for parameter in model.parameters:
        draws = model.samples(parameter.name)
        assert draws.unit == parameter.unit
        assert np.all(np.isfinite(draws))


@settings(EXAMPLES, max_examples=20)
@given(clusters())
def test_any_cluster_has_a_sound_posterior(table):
    model = StarCluster()
    assert_sound(model, table)
    assert np.all(model.samples("r") > 0)
    assert model.posterior.sizes["star"] == len(table)


@EXAMPLES
@given(visits())
def test_any_binary_has_a_sound_posterior(table):
    model = SB1Binary(on_invalid="drop")
    assert_sound(model, table)
    P = model.samples("P").to_value(u.day)
    assert np.all((P >= 1.5) & (P <= 20))


@settings(EXAMPLES, max_examples=20)
@given(visits(with_stars=True))
def test_any_population_has_a_sound_posterior(table):
    model = BinaryPopulation(on_invalid="drop")
    assert_sound(model, table)
    valid = ~np.asarray(getattr(table["rv_error"], "mask", np.zeros(len(table), dtype=bool)))
    assert model.posterior.sizes["star"] == len(set(np.asarray(table["star"])[valid]))


@EXAMPLES
@given(clusters(), st.sampled_from(ANGLES), st.randoms(use_true_random=False))
def test_unit_and_order_do_not_change_what_is_computed(table, unit, random):
    order = list(range(len(table)))
    random.shuffle(order)
    other = Table()
    for name in ("parallax_error", "parallax"):
        column = u.Quantity(table[name], dtype=float).to(unit)[order]
        other[name] = column.value
        other[name].unit = unit
    model = StarCluster()
    initial = [model.initial_values(t) for t in (table, other)]
    np.testing.assert_allclose(initial[0]["mu_r"].value, initial[1]["mu_r"].value, rtol=1e-9)
    np.testing.assert_allclose(initial[0]["r"][order].value, initial[1]["r"].value, rtol=1e-6)
    theta = {"mu_r": np.array([0.3, 2.0]), "ln_std_r": np.array([-5.0, -0.5])}
    log_p = [
        model.log_marginal(model.prepare(model.read(t), progressbar=False), theta)
        for t in (table, other)
    ]
    np.testing.assert_allclose(*log_p, rtol=1e-9, atol=1e-6)


def anything(n):
    """A column of any kind, mostly of no use."""
    return st.one_of(
        st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=n, max_size=n),
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=n, max_size=n),
        st.lists(st.text(max_size=4), min_size=n, max_size=n),
        st.lists(st.binary(max_size=4), min_size=n, max_size=n),
        st.lists(st.booleans(), min_size=n, max_size=n),
        st.lists(st.none() | st.floats(), min_size=n, max_size=n).map(
            lambda v: np.array(v, dtype=object)
        ),
        st.just(np.zeros((n, 2))),
        st.just(np.zeros(n, dtype=complex)),
        st.just(np.array(["2020-01-01"] * n, dtype="M8[s]")),
        st.just(Time([2459000.5] * n, format="jd")),
    )  # fmt: skip


@st.composite
def rubbish(draw, names):
    n = draw(st.integers(0, 4))
    table = Table()
    for name in draw(st.lists(st.sampled_from(names), unique=True)):
        try:
            table[name] = draw(anything(n))
        except (TypeError, ValueError, UnicodeError, OverflowError):
            assume(False)
        if draw(st.booleans()) and isinstance(table[name], Table.Column):
            table[name].unit = draw(st.sampled_from(["mas", "d", "km/s", "kg", "furlong", ""]))
    return table


ESTIMATORS = [StarCluster, SB1Binary, BinaryPopulation]


def read_something(estimator, data):
    """Whether a table drawn, mostly rubbish, is read, which then is as floats in range."""
    roles = estimator().roles
    if data.draw(st.booleans()):
        # a legal table but for one column
        table = data.draw(clusters() if estimator is StarCluster else visits(with_stars=True))
        name = data.draw(st.sampled_from(table.colnames))
        try:
            if data.draw(st.integers(0, 2)):
                table[name] = data.draw(anything(len(table)))
        except (TypeError, ValueError, UnicodeError, OverflowError):
            assume(False)
    else:
        table = data.draw(rubbish([role.name for role in roles] + ["other"]))
    given_columns = data.draw(
        st.sampled_from([None, {role.name: (role.name, role.unit) for role in roles if role.unit},
                         {"rv": "other"}, columns.GAIA, 3, {"parallax": ("other", "mas")}])
    )  # fmt: skip
    invalid = data.draw(st.sampled_from(["raise", "drop"]))
    try:
        read = read_columns(table, roles, given_columns, invalid)
    except TableError:
        return False
    for role in roles:
        if role.unit is not None:
            assert read[role.name].dtype == float
            assert np.all(np.isfinite(read[role.name]))
            assert not role.positive or np.all(read[role.name] > 0)
    return True


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.filterwarnings("ignore")
def test_rubbish_is_read_as_floats_or_refused(estimator):
    done = []

    @settings(EXAMPLES, max_examples=150)
    @given(data=st.data())
    def read_some(data):
        done.append(read_something(estimator, data))

    read_some()
    assert sum(done) > 10  # legal tables too


@pytest.mark.filterwarnings("ignore")
@settings(EXAMPLES, max_examples=25)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode),
       suffix=st.sampled_from(["ecsv", "csv", "fits", "vot", "hdf5", "txt"]))  # fmt: skip
def test_the_command_says_what_is_wrong_with_any_file(content, suffix, tmp_path, capsys):
    path = tmp_path / f"table.{suffix}"
    path.write_bytes(content)
    assert main(["cluster", str(path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("astro-hier: ")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "saved.nc"
    StarCluster().fit(StarCluster.example(random_state=1)[:5], **QUICK).save(path)
    return path.read_bytes()


@settings(EXAMPLES, max_examples=150)
@given(data=st.data())
def test_any_damage_of_a_file_is_found_before_hdf5_reads_it(saved, tmp_path, monkeypatch, data):
    def opened(*args, **options):
        raise AssertionError("a damaged file was opened")

    damaged = bytearray(saved)
    at = data.draw(st.integers(0, len(saved) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "overwrite", "insert"]))
    if kind == "flip":
        damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del damaged[at:]
    elif kind == "overwrite":
        damaged[at : at + 50] = data.draw(st.binary(min_size=1, max_size=50))
    else:
        damaged[at:at] = data.draw(st.binary(min_size=1, max_size=50))
    assume(damaged != saved)
    path = tmp_path / "damaged.nc"
    path.write_bytes(damaged)
    monkeypatch.setattr("h5py.File", opened)
    monkeypatch.setattr("xarray.open_datatree", opened)
    with pytest.raises(SavedFileError, match="was changed or damaged since"):
        StarCluster.load(path)
