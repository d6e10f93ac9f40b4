"""Claims about work that is done in chunks, on a few threads."""

import numpy as np
import pytest

from astro_hier.core import threads
from astro_hier.core.thinning import evenly


@pytest.mark.parametrize("cost", [1, 10**9])
def test_chunks_make_the_whole(cost):
    theta = {"x": np.arange(1000.0), "y": np.arange(3000.0).reshape(1000, 3)}

    def function(some, start):
        assert some["x"][0] == start
        return some["x"] ** 2

    whole = threads.in_chunks(function, theta, cost)
    np.testing.assert_array_equal(whole, theta["x"] ** 2)
    several = threads.in_chunks(lambda some, start: {"z": 2 * some["y"]}, theta, cost)
    np.testing.assert_array_equal(several["z"], 2 * theta["y"])


@pytest.mark.parametrize(("n", "size"), [(0, 5), (3, 5), (5, 5), (1000, 7)])
def test_evenly_spaced_ones_are_within_and_different(n, size):
    chosen = evenly(n, size)
    assert len(chosen) == len(set(chosen.tolist())) == min(n, size)
    assert all((0 <= chosen) & (chosen < n))
