"""Claims about power laws beyond those about all families."""

import astropy.units as u
import numpy as np
import pytest

from astro_hier import BinaryPopulation, datasets
from astro_hier.populations.power_law import PowerLaw

ENDS = (0.0, 7.0)


def test_small_and_large_slopes_lose_no_digits():
    slope = np.array([0.0, 1e-15, 1e-9, -1e-9, 300.0, -300.0])
    found = PowerLaw().share(*ENDS, {"slope": slope}, ENDS)
    np.testing.assert_allclose(found, 1, rtol=1e-12)
    half = PowerLaw().share(0.0, 3.5, {"slope": slope}, ENDS)
    np.testing.assert_allclose(half[:4], 0.5, rtol=1e-8)
    np.testing.assert_allclose(half[4:], [0, 1], atol=1e-300)


def test_slopes_of_both_signs_are_mirror_images():
    theta = {"slope": np.array([1.3, -1.3])}
    chance = np.array([[0.1, 0.5], [0.9, 0.5]])
    above, below = PowerLaw().within(*ENDS, chance, theta, ENDS)
    np.testing.assert_allclose(above, 7 - below, rtol=1e-12)
    # the integral of exp(1.3 x) up to x, over all
    expected = np.log(1 + chance[0] * np.expm1(1.3 * 7)) / 1.3
    np.testing.assert_allclose(above, expected, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::astro_hier.checks.CheckWarning")
def test_a_population_of_binaries_may_be_a_power_law():
    # False alarm: four standard errors, 6e-5
    table = datasets.make_binaries(6, 12, random_state=3)
    model = BinaryPopulation(population=PowerLaw(), period_range=(1, 100) * u.day)
    model.fit(table, draws=200, chains=2, random_state=1, progressbar=False)
    slope = model.samples("slope").value
    P = np.array([np.median(model.samples("P").to_value(u.day)[..., n]) for n in range(6)])
    grid = np.linspace(-5, 5, 4001)
    log_density = PowerLaw().log_density(np.log(P), {"slope": grid}, (0.0, np.log(100)))
    mass = np.exp(log_density.sum(axis=1) - grid**2 / 2)
    mean = mass @ grid / mass.sum()
    assert abs(slope.mean() - mean) < 4 * slope.std() / np.sqrt(100)
