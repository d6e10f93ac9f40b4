"""Claims about a distance with a log-normal prior: integrals are right, and draws exact."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from astro_hier.core import log_distance

LEVEL = 1e-3  # false-alarm rate of each test of draws


def exponent(y, parallax, error, u0, t):
    return 0.5 * ((y + u0) / t) ** 2 + 0.5 * ((np.exp(y) - parallax) / error) ** 2


def by_quadrature(parallax, error, u0, t):
    """ln of the integral, adaptively, from every place where the integrand may be large."""
    places = np.linspace(-u0 - 40 * t, -u0 + 40 * t, 20_001)
    if parallax > 0:
        near = parallax + error * np.linspace(-40, 40, 20_001)
        places = np.append(places, np.log(near[near > 0]))
    ends = min(places.min(), np.log(error)), places.max()
    places = np.sort(np.append(places, np.linspace(*ends, 40_001)))
    for _ in range(2):  # look closer about the lowest
        lowest = np.argmin(exponent(places, parallax, error, u0, t))
        about = places[max(lowest - 5, 0)], places[min(lowest + 5, len(places) - 1)]
        places = np.sort(np.append(places, np.linspace(*about, 5_001)))
    g = exponent(places, parallax, error, u0, t)
    least = g.min()
    matter = places[g < least + 40]
    mesh = np.linspace(matter[0] - 1e-9, matter[-1] + 1e-9, 9)
    mesh = np.union1d(mesh, places[[g.argmin()]])
    parts = [
        integrate.quad(
            lambda y: np.exp(least - exponent(y, parallax, error, u0, t)), *ends, epsrel=1e-10
        )[0]
        for ends in pairwise(mesh)
    ]
    return np.log(sum(parts)) - least - np.log(2 * np.pi * t * error)


@pytest.mark.parametrize("conflict", [0, 1, 5])
def test_the_integral_is_that_of_adaptive_quadrature(conflict):
    rng = np.random.default_rng(conflict)
    size = 150
    ratio = np.append(rng.uniform(-5, 10, size // 2), 10 ** rng.uniform(0, 3, size // 2))
    t, u = 10 ** rng.uniform(-2, np.log10(2), size), rng.uniform(-2, 3, size)
    error = np.exp(-u) / np.maximum(np.abs(ratio), 0.3)
    u0 = u + conflict * rng.normal(size=size) * np.hypot(t, 1 / np.maximum(np.abs(ratio), 2))
    found = log_distance.log_marginal(ratio * error, error, u0, t)
    expected = [by_quadrature(*pair) for pair in zip(ratio * error, error, u0, t, strict=True)]
    np.testing.assert_allclose(found, expected, atol=2e-6, rtol=1e-9)


def test_neither_of_two_humps_is_lost():
    # the prior is at 1 kpc, 10 of its standard deviations from the parallax's 0.1 kpc
    for error in (0.9, 1.0, 1.1):
        pair = 10.0, error, 0.0, np.log(10) / 10
        np.testing.assert_allclose(
            log_distance.log_marginal(*pair), by_quadrature(*pair), atol=1e-6
        )


def test_absurd_pairs_have_finite_integrals():
    grid = np.meshgrid([-1e3, -1, 0, 1, 1e4], [1e-3, 1, 100], [-20.0, 0, 20], [1e-3, 1, 30])
    assert np.isfinite(log_distance.log_marginal(*grid)).all()


def test_whatever_is_asked_for_is_finite_and_below_the_highest_density():
    rng = np.random.default_rng(1)
    t, error = 10 ** rng.uniform(-12, 3, 20_000), 10 ** rng.uniform(-3, 2, 20_000)
    u0 = rng.uniform(-40, 40, 20_000)
    parallax = rng.normal(size=20_000) * 10 ** rng.uniform(-2, 4, 20_000)
    found = log_distance.log_marginal(parallax, error, u0, t)
    assert np.isfinite(found).all()
    assert np.all(found < -np.log(np.sqrt(2 * np.pi) * error) + 1e-5)


@pytest.mark.parametrize("t", [0, 2.3e-31, 1e-9])
def test_a_prior_as_narrow_as_a_point_is_one(t):
    found = log_distance.log_marginal(1.247, 0.292, -2.5345, t)
    expected = stats.norm.logpdf(1.247, np.exp(2.5345), 0.292)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("parallax", "error", "t"), [(1, 0.1, 0.3), (-0.5, 0.4, 0.2), (0.2, 0.3, 1.5), (3, 0.01, 0.5)]
)
def test_draws_follow_the_density(parallax, error, t):
    u = log_distance.draw(parallax, error, np.zeros(20_000), t, np.random.default_rng(1))
    y = np.linspace(-9 * t, 9 * t, 200_001)
    g = exponent(y, parallax, error, 0.0, t)
    below = np.cumsum(np.exp(g.min() - g))
    assert stats.kstest(-u, lambda x: np.interp(x, y, below / below[-1])).pvalue > LEVEL


def test_without_a_parallax_the_prior_is_drawn():
    u = log_distance.draw(0.0, np.inf, np.full(20_000, 2.0), 0.3, np.random.default_rng(2))
    assert stats.kstest(u, stats.norm(2.0, 0.3).cdf).pvalue > LEVEL
