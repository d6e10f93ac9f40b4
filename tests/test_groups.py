"""Claims about groups that are read off the data."""

import numpy as np
import pytest

from astro_hier.core import groups


def mixed(*parts, error=1.0, seed=1):
    """Values of normal groups, triples of number, mean and sd, with errors."""
    rng = np.random.default_rng(seed)
    true = np.concatenate([rng.normal(mean, sd, number) for number, mean, sd in parts])
    return rng.normal(true, error), np.full(len(true), error)


def nearest(found, mean, sd):
    """The part of any of the mixtures that is nearest to a mean and sd."""
    parts = [
        (abs(m - mean) / sd + abs(np.log(s / sd)), m, s, share)
        for each in found
        for m, s, share in zip(each.mean, each.sd, each.share, strict=True)
    ]
    return min(parts)[1:]


@pytest.mark.parametrize("rng", [None, 3])
@pytest.mark.parametrize("number", [16, 40, 150])
def test_a_narrow_group_in_a_broad_field_is_found(number, rng):
    # False alarm: four standard errors of three numbers, 2e-4.
    value, error = mixed((number, 190, 3), (300, 0, 100), error=0.5)
    found = groups.find(value, error, rng=None if rng is None else np.random.default_rng(rng))
    mean, sd, share = nearest(found, 190, 3)
    assert abs(mean - 190) < 4 * 3.1 / np.sqrt(number)
    assert 0.4 < sd / 3 < 2
    assert abs(share - number / (300 + number)) < 4 * np.sqrt(number) / (300 + number) + 0.02


def test_errors_are_deconvolved():
    # False alarm: five standard errors of an sd, of 3.6 blurred, 6e-7.
    value, error = mixed((2000, 0, 2), (2000, 100, 2), error=3.0)
    for mean in (0, 100):
        _, sd, _ = nearest(groups.find(value, error), mean, 2)
        assert abs(sd - 2) < 5 * 3.6**2 / 2 / np.sqrt(2 * 2000)


def test_three_groups_are_told_apart():
    value, error = mixed((100, 0, 3), (100, 60, 20), (100, -50, 80))
    found = list(groups.labelled(value, error, 3))
    assert {len(each.share) for each in found} == {2, 3}
    members = [each for each in found if len(each.share) == 3 and abs(each.mean[0]) < 3]
    assert any(abs(np.log(each.sd[0] / 3)) < 0.5 for each in members)
    # the others by increasing spread
    assert all(each.sd[1] <= each.sd[2] for each in members)


def test_every_part_is_the_first_in_turn():
    each = groups.Groups(np.array([0.5, 0.3, 0.2]), np.array([1.0, 2, 3]), np.array([9.0, 8, 7]))
    order = [tuple(other.mean) for other in each.exchanged()]
    assert order == [(1, 3, 2), (2, 3, 1), (3, 2, 1)]


@pytest.mark.parametrize("number", [1, 5])
def test_few_rows_have_no_groups(number):
    assert groups.find(np.arange(number, dtype=float), np.ones(number)) == []


def test_many_rows_are_represented_by_some():
    # False alarm: four standard errors, 6e-5.
    value, error = mixed((30_000, 0, 1), (30_000, 50, 1), error=0.1)
    mean, _, share = nearest(groups.find(value, error), 50, 1)
    assert abs(mean - 50) < 4 / np.sqrt(2000)
    assert share == pytest.approx(0.5, abs=0.02)
