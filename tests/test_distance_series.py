"""Claims about the series that stands for the integral over a star's distance, and its draws."""

import numpy as np
import pytest
from reference import log_marginal_star
from scipy import stats
from test_distance import hard_pairs

from astro_hier.core import distance, distance_expansion, distance_lattice, distance_series

EVERY = 20_000


def members(n, seed):
    """q, Cx, Cy of stars of their clusters, or not far off, with parallax / error from 8 to 10,000.

    Depths are from e^-8 to 1 kpc, mean distances from 10 pc to 10 kpc.
    """
    rng = np.random.default_rng(seed)
    std_r, mu_r = np.exp(rng.uniform(-8, 0, n)), np.exp(rng.uniform(*np.log([0.01, 10]), n))
    r = np.abs(rng.normal(mu_r, std_r * rng.choice([1, 3], n)))
    error = np.exp(-rng.uniform(*np.log([8, 1e4]), n)) / r
    parallax = 1 / r + error * rng.normal(0, 2, n)
    return pairs(parallax, error, mu_r, std_r)


def pairs(parallax, error, mu_r, std_r):
    return 1 / (std_r * error), mu_r / std_r, parallax / error


def where_good(pairs):
    """The pairs at which the series claims to hold."""
    with np.errstate(all="ignore"):
        good = distance_series.integrate(*pairs)[1]
    return tuple(of[good] for of in pairs)


def ranks(draws, pairs):
    """The share of the density of ln X below each draw."""
    X, _, _, f_2, *_ = distance_expansion.peak(*pairs)
    t = np.linspace(-9, 9, 4001)
    out = np.empty(len(draws))
    for n, (q, Cx, Cy) in enumerate(np.column_stack(pairs)):
        x = np.log(X[n]) + t / np.sqrt(f_2[n])
        exponent = -0.5 * ((np.exp(x) - Cx) ** 2 + (q * np.exp(-x) - Cy) ** 2) + x
        density = np.exp(exponent - exponent.max())
        share = np.append(0, np.cumsum(0.5 * (density[1:] + density[:-1])))
        out[n] = np.interp(np.log(draws[n]), x, share / share[-1])
    return out


@pytest.mark.parametrize("seed", range(3))
def test_where_it_holds_the_series_is_within_1e_7_of_the_lattice(seed):
    for every, share in (members(EVERY, seed), 0.8), (pairs(*hard_pairs(EVERY, seed)), 0.2):
        good = where_good(every)
        assert len(good[0]) > share * EVERY
        expected = distance_lattice.integrate(*good)
        off = distance_series.integrate(*good)[0] - expected
        # less rounding would leave of the lattice's own sum
        assert np.all(np.abs(off) < np.maximum(1e-7, 1e-12 * np.abs(expected)))


def test_the_series_agrees_with_adaptive_quadrature():
    parallax, error, mu_r, std_r = hard_pairs(1500, seed=4)
    with np.errstate(all="ignore"):
        good = distance_series.integrate(*pairs(parallax, error, mu_r, std_r))[1]
    assert np.sum(good) > 300
    for star in np.column_stack([parallax, error, mu_r, std_r])[good][:300]:
        expected = log_marginal_star(*star)
        computed = distance.log_marginal(*star[:, None]).item()
        assert abs(computed - expected) < max(1e-6, 1e-12 * abs(expected))


def test_without_its_guards_the_series_would_be_wrong(monkeypatch):
    every = members(EVERY, 0)
    monkeypatch.setattr(distance_expansion, "MAX_ERROR", 1e-2)
    good = where_good(every)
    off = distance_series.integrate(*good)[0] - distance_lattice.integrate(*good)
    assert np.abs(off).max() > 1e-6


def test_the_series_is_not_believed_where_two_humps_may_be():
    # as in `CORNERS` of the lattice: a star that is 10 depths from its cluster
    far = pairs(1 / (0.5 + 10 * 0.01), 0.001, 0.5, 0.01)
    assert not distance_series.integrate(*(np.array([of]) for of in far))[1].any()


def test_compiled_loops_return_what_the_functions_of_arrays_do():
    pytest.importorskip("numba")
    every = members(EVERY, 1)
    with np.errstate(all="ignore"):
        for function in distance_series.integrate, distance_series.describe:
            expected, good = function(*every)
            found, same = function(*every, compiled=True)
            assert np.mean(good != same) < 1e-3
            both = good & same
            np.testing.assert_allclose(found[..., both], expected[..., both], rtol=1e-9, atol=1e-9)


def test_moments_are_those_of_the_lattice():
    good = where_good(members(EVERY, 2))
    (mean, variance), _ = distance_series.describe(*good)
    expected, spread = distance_lattice.describe(*good)
    assert np.all(np.abs(mean - expected) < 2e-4 * np.sqrt(spread))
    np.testing.assert_allclose(variance, spread, rtol=2e-4)


def test_the_envelope_of_the_draws_lies_above_the_density():
    good = where_good(tuple(map(np.concatenate, zip(members(4000, 3), pairs(*hard_pairs(4000, 3)),
                                                    strict=True))))  # fmt: skip
    X, Y, f_1, f_2, f_3, _ = distance_expansion.peak(*good)
    _, Cx, Cy = good
    narrowing = 1 - np.abs(f_3) * f_2**-1.5 * distance_series.REACH / 3
    assert narrowing.min() > 0.5  # most proposals are accepted
    for t in np.linspace(-1, 1, 201) * distance_series.REACH:
        factor = np.exp(t / np.sqrt(f_2))
        rise = 0.5 * ((X * factor - Cx) ** 2 - (X - Cx) ** 2)
        rise += 0.5 * ((Y / factor - Cy) ** 2 - (Y - Cy) ** 2) - t / np.sqrt(f_2)
        lowest = 0.5 * t**2 * narrowing - np.abs(f_1) / np.sqrt(f_2) * distance_series.REACH
        assert np.all(rise - lowest > -1e-6)


def test_draws_of_many_pairs_follow_their_densities():
    # false alarm: one in 10,000
    good = where_good(members(6000, 5))
    draws, _ = distance_series.draw(*good, np.random.default_rng(1))
    assert stats.kstest(ranks(draws, good), "uniform").pvalue > 1e-4


@pytest.mark.parametrize("which", ["skew left", "skew right"])
def test_draws_follow_the_most_skewed_density_that_the_series_takes(which):
    # False alarm: one in 10,000 each. The skewness, 0.07, moves the ranks by 0.005.
    good = where_good(members(EVERY, 6))
    _, _, _, f_2, f_3, _ = distance_expansion.peak(*good)
    skew = f_3 * f_2**-1.5
    n = skew.argmin() if which == "skew left" else skew.argmax()
    assert abs(skew[n]) > 0.05
    one = tuple(np.full(200_000, of[n]) for of in good)
    draws, _ = distance_series.draw(*one, np.random.default_rng(2))
    order = np.sort(draws)[::20]
    expected = (np.arange(len(order)) * 20 + 0.5) / len(draws)
    found = ranks(order, tuple(of[: len(order)] for of in one))
    assert np.abs(found - expected).max() < 2.2 / np.sqrt(len(draws))


def test_pairs_that_the_series_takes_and_others_go_together():
    parallax, error, mu_r, std_r = hard_pairs(300, seed=8)
    together = distance.log_marginal(parallax, error, mu_r, std_r)
    mean, variance = distance.moments(parallax, error, mu_r, std_r)
    assert together.shape == mean.shape == variance.shape == (300, 300)
    q, Cx, Cy = pairs(parallax, error, mu_r, std_r)
    alone = distance_lattice.describe(q, Cx, Cy)
    own = np.diagonal(mean) / std_r, np.diagonal(variance) / std_r**2
    assert np.all(np.abs(own[0] - alone[0]) < 2e-4 * np.sqrt(alone[1]))
    np.testing.assert_allclose(own[1], alone[1], rtol=2e-4)
