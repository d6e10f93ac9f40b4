"""Claims about Hamiltonian Monte Carlo: moments of densities that are known, and when it gives up.

The chains are independent of each other, so the mean of a function over all draws scatters as the
means over single chains tell: Student's t with one degree of freedom less than there are chains.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma, polygamma

from astro_hier.core import hamiltonian

CHAINS = hamiltonian.CHAINS
SIZE = 125 * CHAINS
FALSE_ALARM = 1e-5  # of a test, with all its comparisons


def assert_means(values, expected):
    """Means of independent chains, shape (draw, ...), agree with what is expected."""
    means = values.reshape(CHAINS, -1, *values.shape[1:]).mean(axis=1).reshape(CHAINS, -1)
    t = (means.mean(axis=0) - np.ravel(expected)) / means.std(axis=0, ddof=1) * np.sqrt(CHAINS)
    assert np.abs(t).max() < stats.t.isf(FALSE_ALARM / 2 / t.size, CHAINS - 1)


def normal(covariance):
    precision = np.linalg.inv(covariance)

    def density(x):
        slope = -x @ precision
        return 0.5 * (x * slope).sum(axis=1), slope

    return density


def log_gammas(shape):
    """ln of numbers from gamma distributions."""
    return lambda x: ((x * shape - np.exp(x)).sum(axis=1), shape - np.exp(x))


def test_moments_of_a_correlated_normal():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(30, 30)) * np.geomspace(0.05, 10, 30)
    covariance = root @ root.T
    run = hamiltonian.sample(normal(covariance), np.ones(30), SIZE, rng)
    assert_means(run.draws, np.zeros(30))
    assert_means(run.draws**2, np.diag(covariance))
    assert run.r_hat < hamiltonian.LARGEST_R_HAT
    assert 0.7 < run.acceptance < 0.97


def test_moments_of_a_skewed_density():
    rng = np.random.default_rng(2)
    shape = np.geomspace(0.5, 100, 20)
    run = hamiltonian.sample(log_gammas(shape), np.zeros(20), SIZE, rng)
    assert_means(run.draws, digamma(shape))
    assert_means((run.draws - digamma(shape)) ** 2, polygamma(1, shape))
    assert_means((run.draws - digamma(shape)) ** 3, polygamma(2, shape))


def test_where_the_density_is_zero_nothing_is_drawn():
    def density(x):
        return np.where(x[:, 0] > -0.3, -0.5 * (x**2).sum(axis=1), -np.inf), -x

    run = hamiltonian.sample(density, np.zeros(3), SIZE, np.random.default_rng(3))
    cut = stats.truncnorm(-0.3, np.inf)
    assert run.draws[:, 0].min() > -0.3
    assert_means(run.draws, [cut.mean(), 0, 0])
    assert_means(run.draws**2, [cut.moment(2), 1, 1])


def test_few_draws_are_spread_over_all_chains():
    run = hamiltonian.sample(normal(np.eye(2)), np.zeros(2), 3 * CHAINS, np.random.default_rng(4))
    assert run.draws.shape == (3 * CHAINS, 2)
    assert len(np.unique(run.draws[:, 0])) > 2 * CHAINS


def test_without_a_peak_it_gives_up():
    with pytest.raises(hamiltonian.NoPeakError, match="zero where its peak should be"):
        hamiltonian.sample(
            lambda x: (np.full(len(x), -np.inf), x), np.zeros(2), 10, np.random.default_rng(5)
        )


CODE = """
import numpy as np
from astro_hier.core import hamiltonian, shares
weight = np.random.default_rng(0).random((500, 20)) ** 4
posterior = shares.Dirichlet(shares.Likelihood(weight, np.ones(500)), 1.0)
run = hamiltonian.sample(posterior, posterior.start, 400, np.random.default_rng(1))
print(*np.round(run.draws[-1], 6))
"""


def test_a_seed_gives_the_same_draws_with_any_number_of_threads():
    drawn = [
        subprocess.run(
            [sys.executable, "-c", CODE],
            env=os.environ | {"OPENBLAS_NUM_THREADS": number, "OMP_NUM_THREADS": number},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in ("1", "1", "4")
    ]
    assert drawn[0] == drawn[1] == drawn[2]
