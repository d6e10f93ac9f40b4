"""Claims about work that is done in chunks, on a few threads."""

import tracemalloc

import astropy.units as u
import numpy as np
import pytest

from astro_hier import BinaryPopulation, SamplePopulation
from astro_hier.core import threads
from astro_hier.core.thinning import evenly
from astro_hier.datasets import make_binaries


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


@pytest.mark.parametrize("n", [0, 1, 200, 201, 1000])
def test_a_few_at_a_time_make_the_whole(n):
    theta, seen = {"x": np.arange(float(n)), "y": np.zeros((n, 3))}, []

    def function(some):
        assert some["y"].shape == (len(some["x"]), 3)
        seen.append(len(some["x"]))
        return some["x"] ** 2

    np.testing.assert_array_equal(threads.a_few_at_a_time(function, theta), theta["x"] ** 2)
    assert max(seen) <= threads.FEW


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (BinaryPopulation(), make_binaries(50, 5, baseline=800 * u.day, random_state=1)),
        (SamplePopulation(), SamplePopulation.example(random_state=2)),
    ],
)
def test_likelihoods_of_thousands_of_populations_take_little_memory(model, table):
    model = model.suited_to(table)
    data = model.prepare(model.read(table), progressbar=False)
    theta = model.draw_prior({}, 3000, np.random.default_rng(1))
    tracemalloc.start()
    together = model.log_marginal(data, theta)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    alone = [model.log_marginal(data, {name: of[k : k + 1] for name, of in theta.items()})
             for k in range(0, 3000, 100)]  # fmt: skip
    np.testing.assert_allclose(together[::100], np.concatenate(alone), rtol=1e-12)
    assert peak < 30e6


@pytest.mark.parametrize(("n", "size"), [(0, 5), (3, 5), (5, 5), (1000, 7)])
def test_evenly_spaced_ones_are_within_and_different(n, size):
    chosen = evenly(n, size)
    assert len(chosen) == len(set(chosen.tolist())) == min(n, size)
    assert all((0 <= chosen) & (chosen < n))
