"""Claims about Kepler's equation and the velocities of eccentric orbits."""

import numpy as np
import pytest

from astro_hier.core import kepler

ECCENTRICITIES = np.array([0, 1e-9, 0.003, 0.1, 0.37, 0.6, 0.8, 0.9, 0.95, 0.97, 0.99, 0.999])


def slow_anomaly(cycles, eccentricity):
    """E by bisection and then by Newton's method."""
    mean = 2 * np.pi * (cycles - np.floor(cycles + 0.5))
    low = np.full(np.shape(mean), -np.pi - 1e-9)
    high = -low
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = middle - eccentricity * np.sin(middle) < mean
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    E = 0.5 * (low + high)
    for _ in range(3):
        E = E - (E - eccentricity * np.sin(E) - mean) / (1 - eccentricity * np.cos(E))
    return E


def cases():
    near = np.concatenate([[0], np.geomspace(1e-12, 0.02, 60), np.linspace(0.02, 0.5, 240)])
    cycles = np.concatenate([-near, near, near + 17, near - 4])
    return np.meshgrid(cycles, np.append(ECCENTRICITIES, np.linspace(0.05, 0.9985, 20)))


def errors(twice):
    cycles, eccentricity = (grid.ravel() for grid in cases())
    cosine, sine = kepler.solve(cycles, eccentricity, twice, *kepler.tables())
    E = slow_anomaly(cycles, eccentricity)
    return eccentricity, np.hypot(cosine - np.cos(E), sine - np.sin(E))


def test_two_steps_solve_the_equation_to_rounding():
    # which is that of M near 17 cycles, over dM/dE
    eccentricity, error = errors(twice=True)
    assert np.all(error < 5e-14 / (1 - eccentricity))


def test_one_step_solves_the_equation_to_1e_6_up_to_e_of_95_percent():
    eccentricity, error = errors(twice=False)
    assert np.all(error[eccentricity <= 0.95] < 1e-6)


def slow_velocity(time, frequency, eccentricity, phase, a, b):
    E = slow_anomaly(frequency * time + phase, eccentricity)
    nu = 2 * np.arctan2(
        np.sqrt(1 + eccentricity) * np.sin(E / 2), np.sqrt(1 - eccentricity) * np.cos(E / 2)
    )
    K, omega = np.hypot(a, b), np.arctan2(b, a)
    return K * (np.cos(nu + omega) + eccentricity * np.cos(omega))


NODES = np.array([[0.3, 0.05, 1.1], [0.0, 0.4, 0.9], [0.1, -0.3, 0.77]])


def test_waves_are_those_of_the_true_anomaly():
    time, (f, e, m) = np.array([-40.0, -3.0, 0.1, 12.0]), NODES
    x, y = kepler.waves(time, f, e, m)
    for i in range(3):
        slow = slow_velocity(time, f[i], e[i], m[i], 3.0, -2.0)
        np.testing.assert_allclose(3 * x[:, i] - 2 * y[:, i], slow, rtol=0, atol=1e-12)


def test_a_circle_has_a_cosine_and_a_sine():
    time, f, m = np.linspace(-3, 5, 7), np.array([0.2]), np.array([0.3])
    x, y = kepler.waves(time, f, np.zeros(1), m)
    np.testing.assert_allclose(x[:, 0], np.cos(2 * np.pi * (0.2 * time + 0.3)), atol=1e-14)
    np.testing.assert_allclose(y[:, 0], -np.sin(2 * np.pi * (0.2 * time + 0.3)), atol=1e-14)


def test_derivatives_are_those_of_differences():
    time, (f, e, m) = np.array([-4.0, -3.0, 0.1, 2.0]), NODES[:, 1:]
    a, b = np.array([3.0, -1.0]), np.array([-2.0, 0.7])
    found = kepler.derivatives(time, e, *kepler.waves(time, f, e, m), a, b)
    for k in range(3):
        shift = np.zeros((3, 1))
        shift[k] = 1e-6
        above, below = (kepler.waves(time, *(NODES[:, 1:] + s * shift)) for s in (1, -1))
        slope = [(a * u[0] + b * u[1]) / 2e-6 for u in (above, below)]
        np.testing.assert_allclose(found[k], slope[0] - slope[1], rtol=1e-6, atol=1e-6)


def test_velocity_peaks_where_it_should():
    # at periastron, omega = 0: K (1 + e); at the mean over time: zero
    assert kepler.velocity(7.0, 10.0, 0.6, 7.0, 2.0, 0.0) == pytest.approx(3.2)
    time = (np.arange(20_000) + 0.5) / 2000
    assert kepler.velocity(time, 10.0, 0.6, 7.0, 2.0, 0.9).mean() == pytest.approx(0, abs=1e-9)
