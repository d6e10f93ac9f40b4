r"""A slow, independent reference for period-luminosity relations: one star's data, by brute force.

With x = log10(P/P0) and z = [Fe/H] - [Fe/H]0, the latent variables of a star are the vector
v = (x, z, M, mu), mu being the distance modulus, mu = 10 + 5 log10(r / kpc), and

    x  = <x> + sigma_log_period e1
    z  = <z> + feh_period (x - <x>) + sigma_feh e2
    M  = alpha + beta x + gamma z + scatter e3
    mu = mu_modulus + modulus_period (x - <x>) + modulus_feh (z - <z>) + sigma_modulus e4

for standard normal e, so v = mean + A e is normal with covariance A A^T. <x> and <z> are means of
the population, not of the table. log10 P, [Fe/H] and m = M + mu are H v and noise: they condition v
as any normal vector is conditioned. What is left is the parallax, an integral over u = ln(r/kpc):

    p(parallax | log P, [Fe/H], m) = integral of N(u; u0, t) N(parallax - zero point; e^-u, error).

The parameters are a mapping by their public names, without units (mag, dex, mas); those left out of
it are `DEFAULTS`. Only NumPy and SciPy are used, and nothing of the package.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import norm

PER_LN = 5 / np.log(10)  # mag for each unit of ln r
DEFAULTS = {
    "gamma": 0.0, "mu_feh": 0.0, "sigma_feh": 1.0, "modulus_period": 0.0, "modulus_feh": 0.0,
    "feh_period": 0.0, "zero_point": 0.0, "error_scale": 1.0, "outlier_fraction": 0.0,
    "outlier_scatter": 1.0,
}  # fmt: skip
X, Z, M, MU = range(4)


@dataclass(frozen=True)
class Stars:
    """Measured values and their errors, arrays of shape (star,); ``feh`` may be absent.

    ``log_period`` is log10(P/P0), ``feh`` is relative to its pivot, and ``magnitude`` is corrected
    for extinction, whose error is part of ``magnitude_error``.
    """

    log_period: np.ndarray
    magnitude: np.ndarray
    magnitude_error: np.ndarray
    parallax: np.ndarray
    parallax_error: np.ndarray
    log_period_error: np.ndarray | float = 0.0
    feh: np.ndarray | None = None
    feh_error: np.ndarray | float = 0.0

    def measured(self):
        """log10 P, [Fe/H] and m, shape (star, 3), or without [Fe/H] (star, 2)."""
        columns = [self.log_period, self.magnitude]
        return np.column_stack(
            columns if self.feh is None else [*columns[:1], self.feh, columns[1]]
        )

    def noise(self):
        """Their covariances, shape (star, 3, 3)."""
        errors = [self.log_period_error, self.feh_error, self.magnitude_error]
        kept = errors if self.feh is not None else errors[::2]
        sd = np.column_stack([np.broadcast_to(e, np.shape(self.parallax)) for e in kept])
        return sd[:, :, None] ** 2 * np.eye(sd.shape[1])

    def response(self):
        """H, which is what they are of (x, z, M, mu)."""
        rows = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]], float)
        return rows if self.feh is not None else rows[[0, 2]]

    def __getitem__(self, at):
        at = np.atleast_1d(at)
        values = {
            k: v if v is None else np.broadcast_to(v, np.shape(self.parallax))[at]
            for k, v in vars(self).items()
        }
        return Stars(**values)


def latent_normal(theta, scatter):
    """Mean and covariance of (x, z, M, mu)."""
    t = DEFAULTS | theta
    A = np.zeros((4, 4))
    A[X, 0] = t["sigma_log_period"]
    A[Z] = t["feh_period"] * A[X]
    A[Z, 1] = t["sigma_feh"]
    A[M] = t["beta"] * A[X] + t["gamma"] * A[Z]
    A[M, 2] = scatter
    A[MU] = t["modulus_period"] * A[X] + t["modulus_feh"] * A[Z]
    A[MU, 3] = t["sigma_modulus"]
    x, z = t["mu_log_period"], t["mu_feh"]
    mean = np.array([x, z, t["alpha"] + t["beta"] * x + t["gamma"] * z, t["mu_modulus"]])
    return mean, A @ A.T


def without_parallax(theta, stars, scatter):
    """Log density of log P, [Fe/H] and m, and mean and sd of u given them, shapes (star,)."""
    mean, S = latent_normal(theta, scatter)
    H, y = stars.response(), stars.measured()
    C = H @ S @ H.T + stars.noise()
    off = y - H @ mean
    solved = np.linalg.solve(C, off[..., None])[..., 0]
    log_p = -0.5 * (np.sum(off * solved, axis=1) + np.linalg.slogdet(2 * np.pi * C)[1])
    gain = np.linalg.solve(C, (H @ S[:, MU])[None, :, None])[..., 0]
    mu = mean[MU] + np.sum(gain * off, axis=1)
    variance = S[MU, MU] - gain @ (H @ S[:, MU])
    return log_p, (mu - 10) / PER_LN, np.sqrt(variance) / PER_LN


def log_integral(parallax, error, u0, t):
    """ln of the integral over u of N(u; u0, t) N(parallax; e^-u, error), by adaptive quadrature."""

    def log_f(u):
        return -0.5 * (((u - u0) / t) ** 2 + ((np.exp(-u) - parallax) / error) ** 2)

    near = parallax + error * np.linspace(-15, 15, 3001)
    grid = np.append(u0 + t * np.linspace(-15, 15, 3001), -np.log(near[near > 0]))
    grid.sort()
    values = log_f(grid)
    high = values.max()
    inside = np.flatnonzero(values > high - 60)
    first, last = max(inside[0] - 1, 0), min(inside[-1] + 1, len(grid) - 1)
    at = np.arange(first, last + 1, max(1, (last - first) // 40))
    ends = np.append(grid[at], grid[last])
    total = sum(
        quad(lambda u: math.exp(log_f(u) - high), a, b, epsabs=1e-12 * (b - a), epsrel=1e-11)[0]
        for a, b in itertools.pairwise(ends)
    )
    return math.log(total) + high - math.log(2 * math.pi * t * error)


def log_integrals(parallax, error, u0, t):
    """The same for many stars, by the trapezoid rule on a lattice."""
    slope = np.maximum(parallax, 0) + 2 * error  # of e^-u, where the parallax allows it to be
    finest = 1 / np.hypot(1 / t, slope / error)
    number = int(np.ceil(np.max(30 * t / finest))) + 1
    nodes = np.linspace(-10, 10, min(number, 40_001))
    u = u0[:, None] + t[:, None] * nodes
    chi2 = nodes**2 + ((np.exp(-u) - parallax[:, None]) / error[:, None]) ** 2
    return logsumexp(-0.5 * chi2, axis=1) + np.log((nodes[1] - nodes[0]) / (2 * np.pi * error))


def log_density(theta, stars, integrals=None):
    """ln p(log P, [Fe/H], m, parallax | theta), shape (star,); ``integrals`` may be the lattice."""
    t = DEFAULTS | theta
    parallax, error = stars.parallax - t["zero_point"], t["error_scale"] * stars.parallax_error
    of_each, f = integrals or np.vectorize(log_integral), t["outlier_fraction"]
    parts = []
    for scatter, share in ((t["scatter"], 1 - f), (t["outlier_scatter"], f))[: 2 if f else 1]:
        log_p, u0, sd = without_parallax(theta, stars, scatter)
        parts.append(np.log(share) + log_p + of_each(parallax, error, u0, sd))
    return logsumexp(parts, axis=0)


def log_joint(theta, latents, stars):
    """ln p(x, z, M, mu and data | theta), shape (star,), by one normal after another.

    ``latents`` is (x, z, M, mu), each of shape (star,). Outliers are summed over.
    """
    t = DEFAULTS | theta
    x, z, M, mu = latents
    dx, dz = x - t["mu_log_period"], z - t["mu_feh"]
    expected = t["alpha"] + t["beta"] * x + t["gamma"] * z
    modulus = t["mu_modulus"] + t["modulus_period"] * dx + t["modulus_feh"] * dz
    f = t["outlier_fraction"]
    density = (1 - f) * norm.pdf(M, expected, t["scatter"])
    density += f * norm.pdf(M, expected, t["outlier_scatter"])
    result = np.log(density) + norm.logpdf(dx, 0, t["sigma_log_period"])
    result += norm.logpdf(dz, t["feh_period"] * dx, t["sigma_feh"])
    result += norm.logpdf(mu, modulus, t["sigma_modulus"])
    result += norm.logpdf(stars.log_period, x, stars.log_period_error)
    if stars.feh is not None:
        result += norm.logpdf(stars.feh, z, stars.feh_error)
    result += norm.logpdf(stars.magnitude, M + mu, stars.magnitude_error)
    true = np.exp((10 - mu) / PER_LN) + t["zero_point"]
    return result + norm.logpdf(stars.parallax, true, t["error_scale"] * stars.parallax_error)
