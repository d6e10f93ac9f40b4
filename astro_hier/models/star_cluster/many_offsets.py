"""Common offsets that are too many to sample like other parameters, integrated out.

The method is that of `astro_hier.core.offsets`: points from a normal approximation to the offsets'
distribution, weighted by the exact density.
"""

from dataclasses import replace

import numpy as np
from scipy.special import expit, logsumexp
from scipy.stats import norm

from astro_hier.core import offsets
from astro_hier.core.threads import for_chunks
from astro_hier.models.star_cluster import likelihood
from astro_hier.models.star_cluster.data import Stars, Theta

SEED = 1  # for the points of the integral over common offsets


def integrate(data: Stars, theta: Theta) -> np.ndarray:
    """ln p(parallax | theta) with the common offsets integrated out, shape (theta,)."""
    count, result = data.offsets.numbers["mode"], np.empty(len(theta["mu_r"]))
    normals = offsets.pairs(count, 1, np.random.default_rng(SEED))
    theta = theta | likelihood.derive(data.profile, theta)

    def add(start, stop):
        some = {name: values[start:stop] for name, values in theta.items()}
        result[start:stop] = offsets.integral(_points(data, some, normals)[1])

    for_chunks(add, len(result), cost=len(data.parallax))
    return result


def draw(data: Stars, theta: Theta, rng: np.random.Generator) -> np.ndarray:
    """One draw of the common offsets for each theta, shape (theta, mode)."""
    size, count, seed = len(theta["mu_r"]), data.offsets.numbers["mode"], rng.integers(2**63)
    result = np.empty((size, count))
    theta = theta | likelihood.derive(data.profile, theta)

    def fill(start, stop):
        some = {name: values[start:stop] for name, values in theta.items()}
        chunk_rng = np.random.default_rng([seed, start])
        normals = offsets.pairs(count, stop - start, chunk_rng)
        result[start:stop] = offsets.pick(*_points(data, some, normals), chunk_rng)

    for_chunks(fill, size, cost=len(data.parallax))
    return result


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
