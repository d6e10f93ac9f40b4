"""Common offsets that are too many to sample like other parameters, integrated out.

The method is that of `astro_hier.core.offsets`: points from a normal approximation to the offsets'
distribution, weighted by the exact density.
"""

from dataclasses import replace

import numpy as np
from scipy.special import expit, logsumexp
from scipy.stats import norm

from astro_hier.core import offsets
from astro_hier.core.threads import in_chunks
from astro_hier.models.star_cluster import likelihood
from astro_hier.models.star_cluster.data import Stars
from astro_hier.models.zero_point import Theta

SEED = 1  # for the points of the integral over common offsets


def integrate(data: Stars, theta: Theta) -> np.ndarray:
    """ln p(parallax | theta) with the common offsets integrated out, shape (theta,)."""
    normals = offsets.pairs(data.offsets.numbers["mode"], 1, np.random.default_rng(SEED))
    return in_chunks(
        lambda some, start: offsets.integral(_points(data, some, normals)[1]),
        theta | likelihood.derive(data.profile, theta),
        cost=len(data.parallax),
    )


def draw(data: Stars, theta: Theta, rng: np.random.Generator) -> np.ndarray:
    """One draw of the common offsets for each theta, shape (theta, mode)."""
    count, seed = data.offsets.numbers["mode"], rng.integers(2**63)
    theta = theta | likelihood.derive(data.profile, theta)

    def of_chunk(some, start):
        chunk_rng = np.random.default_rng([seed, start])
        normals = offsets.pairs(count, len(some["mu_r"]), chunk_rng)
        return offsets.pick(*_points(data, some, normals), chunk_rng)

    return in_chunks(of_chunk, theta, cost=len(data.parallax))


def _points(data, theta, normals):
    """Points of the offsets for each theta, and ln of the weight of each."""
    bare = replace(data, offsets=data.offsets.taken_off())
    columns = likelihood.columns_of(theta)
    mu_r, error = columns["mu_r"], bare.error(columns)
    weights, sds = zip(*data.profile.components(columns), strict=True)
    log_weight = np.array([np.log(weight + 0 * mu_r) for weight in weights])
    # 1/r to second order about mu_r
    variance = np.array([sd**2 / mu_r**4 + error**2 for sd in sds])
    mean = np.array([1 / mu_r + sd**2 / mu_r**3 for sd in sds])
    residual = data.parallax - bare.offset(columns) - mean

    def shares_of(log_density):
        parts = log_weight + log_density
        whole = logsumexp(parts, axis=0)
        return np.exp(parts - whole) * expit(likelihood.mix(bare, whole, theta)[1])

    z, log_q = offsets.points(data.offsets.modes, shares_of, residual, variance, normals)
    exact = [likelihood.log_marginal(data, theta | {"mode": point}) for point in z]
    return z, np.array(exact) + norm.logpdf(z).sum(axis=2) - log_q
