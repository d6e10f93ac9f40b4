"""Claims about options in several forms: each has the methods of the form in which it is off."""

import inspect

import astropy.units as u
import numpy as np
import pytest

from astro_hier import outliers, priors
from astro_hier.models.errors import ErrorScale, StatedErrors, as_errors
from astro_hier.models.membership import NoBackground, WithBackground, as_background
from astro_hier.models.star_cluster.offsets import CommonOffsets, Modes, NoOffsets, OwnVariance
from astro_hier.models.velocity_dispersion.likelihood import Redshift, Velocity
from astro_hier.models.zero_point import (
    ColumnZeroPoint,
    CommonZeroPoint,
    NoZeroPoint,
    StarZeroPoints,
)

FAMILIES = {
    NoBackground: {WithBackground},
    NoOffsets: {CommonOffsets, Modes, OwnVariance},
    NoZeroPoint: {ColumnZeroPoint, CommonZeroPoint, StarZeroPoints},
    StatedErrors: {ErrorScale},
    Velocity: {Redshift},
}
VALUE, ERROR = np.array([1.9, 2.0, 2.4]), np.array([0.1, 0.2, 0.3])


def public(cls):
    return {name: of for name, of in inspect.getmembers(cls) if not name.startswith("_")}


def below(cls):
    return {cls}.union(*map(below, cls.__subclasses__()))


@pytest.mark.parametrize("off", FAMILIES, ids=lambda cls: cls.__name__)
def test_every_form_of_an_option_is_called_alike(off):
    assert below(off) - {off} == FAMILIES[off]
    for on in FAMILIES[off]:
        for name, of in public(off).items():
            if inspect.isfunction(of):
                own = getattr(on, name)
                assert list(inspect.signature(own).parameters) == list(
                    inspect.signature(of).parameters
                ), f"{on.__name__}.{name}"


def test_a_background_of_no_row_changes_nothing():
    background = as_background(True, outliers.ParallaxBackground)
    theta = {"outlier_fraction": 0.0, "outlier_mean": 0.0, "outlier_sd": 5.0}
    theta = {name: np.full(2, value) for name, value in theta.items()}
    log_member, rng = np.array([[-1.0, -2, -3], [-4, -5, -6]]), np.random.default_rng(1)
    log_density, log_odds = background.mix(log_member, VALUE, ERROR, theta)
    assert np.all(log_density == log_member)
    expected = NoBackground().given_some(NoBackground().mix(log_member, VALUE, ERROR, theta)[1], {})
    for found, value in zip(background.given_some(log_odds, theta), expected, strict=True):
        assert np.all(found == value)
    drawn, member = background.redrawn(
        log_member, lambda: log_odds, theta, rng, lambda drawn, other, *_: drawn + 10 * other
    )
    assert np.all(drawn == log_member)
    assert np.all(member["member"] == 1)
    true = np.broadcast_to(VALUE, (2, 3))
    assert np.all(background.contaminated(true, theta, rng) == true)
    assert np.all(background.contaminated_given(true, VALUE, ERROR, theta, rng) == true)


def test_without_a_background_nothing_is_drawn_and_all_are_members():
    background = as_background(None, outliers.ParallaxBackground)
    log_odds = background.mix(np.zeros((2, 3)), VALUE, ERROR, {})[1]
    assert background.given_some(log_odds, {}) == (0, 1)
    assert background.redrawn(VALUE, None, {}, None, None) == (VALUE, {})
    assert background.contaminated(VALUE, {}, None) is VALUE
    assert not background
    assert not background.parameters
    assert not background.owners


def test_errors_are_as_stated_or_one_factor_larger():
    assert as_errors(None).true(ERROR, {}) is ERROR
    scaled = as_errors(priors.LogNormal(0, 0.3))
    assert np.all(scaled.true(ERROR, {"error_scale": 2.0}) == 2 * ERROR)
    assert not as_errors(1.2).checks({}, [])  # which was given, so there is nothing to check


def test_zero_points_and_offsets_are_added_to_parallaxes():
    own = ColumnZeroPoint("zp").prepared({"zero_point": ERROR})
    assert np.all(own.added({}) == ERROR)
    assert np.all(own.at([2, 0]).added({}) == ERROR[[2, 0]])
    assert CommonZeroPoint(-0.03 * u.mas).added({"zero_point": -0.03}) == -0.03
    assert NoZeroPoint().added({}) == 0
    offsets = Modes(np.full(3, 0.04), np.array([[1.0, 2, 3], [0, 1, 0]]), 0.0, 0.0)
    assert np.all(offsets.added(0.5, {"mode": np.array([[1.0, -1]])}) == [[1.5, 1.5, 3.5]])
    assert np.allclose(offsets.widened(ERROR), np.hypot(ERROR, 0.2))
    assert offsets.missing({})
    assert offsets.taken_off().added(0.5, {}) == 0.5
    assert np.all(offsets.taken_off().widened(ERROR) == offsets.widened(ERROR))
    assert NoOffsets().added(0.5, {}) == 0.5
    assert NoOffsets().widened(ERROR) is ERROR
