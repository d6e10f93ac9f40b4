r"""A period-luminosity-metallicity relation, and the distances of the stars that calibrate it.

For each star there are four true quantities: x = log10(P / P0), z = [Fe/H] - [Fe/H]0, the absolute
magnitude M and the distance modulus mu = 10 + 5 log10(r / kpc), with P0 = ``pivot_period`` and
[Fe/H]0 = ``pivot_feh``.

Population
    x ~ Normal(x_, sigma_log_period), where x_ = ``mu_log_period`` - log10(P0 / d).
    z ~ Normal(z_ + feh_period (x - x_), sigma_feh), where z_ = ``mu_feh`` - [Fe/H]0.
    mu ~ Normal(mu_modulus + modulus_period (x - x_) + modulus_feh (z - z_), sigma_modulus).
    The three slopes are zero without ``trends``. Any table that is limited in flux has them: stars
    that are bright for their period and metallicity are seen farther away.
Relation
    M ~ Normal(alpha + beta x + gamma z, scatter). With ``outliers``, the share outlier_fraction of
    the stars has outlier_scatter, which is larger, in place of scatter.
Likelihood
    The measured log10(P / P0), [Fe/H] - [Fe/H]0, M + mu and 1/r + zero_point have normal errors,
    independently. The error of log10 P is that of P over P ln 10. Extinction is subtracted from the
    magnitude, and its error added in quadrature.
Marginal likelihood
    All but the parallax is jointly normal. So period, metallicity and magnitude have a density in
    closed form, and given them mu is normal; the parallax adds one integral over ln r
    (`astro_hier.core.log_distance`).

Similar models are those of Sesar et al. (2017, ApJ 838, 107) and Delgado et al. (2019, A&A 623,
A156), who sample x, z, M and r of each star.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from astro_hier.core import log_distance
from astro_hier.core.floats import Theta
from astro_hier.core.normal import log_density as normal_density
from astro_hier.core.threads import in_chunks
from astro_hier.models.period_luminosity.data import AT_KPC, PER_LN, Stars

LARGEST = 1e60  # of a parameter; heavy tails of priors reach farther
Floats = Any  # arrays of shape (theta, star), or what broadcasts with them


@dataclass(frozen=True)
class Covariates:
    """x and z of each star given what was measured of them, jointly normal; x alone without z."""

    log_density: Floats  # ln of the density of what was measured
    mean: tuple[Floats, ...]
    cov: tuple[tuple[Floats, ...], ...]

    def along(self, slopes: tuple[Floats, ...], others: tuple[Floats, ...]) -> Floats:
        """The covariance of two sums over x and z, weighted with slopes."""
        return sum(
            a * b * cov
            for a, row in zip(slopes, self.cov, strict=True)
            for b, cov in zip(others, row, strict=True)
        )

    def at(self, slopes: tuple[Floats, ...]) -> Floats:
        """The mean of such a sum."""
        return sum(slope * mean for slope, mean in zip(slopes, self.mean, strict=True))


@dataclass(frozen=True)
class Modulus:
    """mu and M of each star given its period and metallicity: two jointly normal numbers."""

    mean: Floats
    variance: Floats
    mean_magnitude: Floats
    variance_magnitude: Floats
    covariance: Floats

    def of_magnitude(self, magnitude: Floats, error: Floats) -> tuple[Floats, Floats, Floats]:
        """ln of the density of m = mu + M, and mean and sd of mu given m."""
        variance = self.variance + 2 * self.covariance + self.variance_magnitude + error**2
        sd = np.sqrt(variance)
        off = magnitude - self.mean - self.mean_magnitude
        shared = self.variance + self.covariance
        left = self.variance * (self.variance_magnitude + error**2) - self.covariance**2
        mean = self.mean + shared / variance * off
        return normal_density(off, 0.0, sd), mean, np.sqrt(left) / sd

    def magnitude_at(self, modulus: Floats, error: Floats = 0.0) -> tuple[Floats, Floats]:
        """Mean and sd of M given mu, with an error added to it."""
        slope = self.covariance / self.variance
        variance = np.maximum(self.variance_magnitude - slope * self.covariance, 0)
        mean = self.mean_magnitude + slope * (modulus - self.mean)
        return mean, np.sqrt(variance + error**2)

    def magnitude_given(
        self, modulus: Floats, magnitude: Floats, error: Floats
    ) -> tuple[Floats, Floats]:
        """Mean and sd of M given mu and m."""
        prior, sd = self.magnitude_at(modulus)
        weight = sd**2 / (sd**2 + error**2)
        return prior + weight * (magnitude - modulus - prior), np.sqrt(weight) * error


def columns_of(theta: Theta) -> dict[str, Floats]:
    """theta as columns of shape (theta, 1), with values whose products would overflow moved in."""
    return {name: np.clip(of, -LARGEST, LARGEST)[:, None] for name, of in theta.items()}


def covariates(data: Stars, theta: dict[str, Floats]) -> Covariates:
    """x and z given the measured period and metallicity; ``theta`` holds columns."""
    middle, spread = theta["mu_log_period"] - data.log_pivot, theta["sigma_log_period"]
    total = spread**2 + data.log_period_error**2
    x = middle + spread**2 / total * (data.log_period - middle)
    var_x = spread**2 * data.log_period_error**2 / total
    density = normal_density(data.log_period, middle, np.sqrt(total))
    if data.feh is None:
        return Covariates(density, (x,), ((var_x,),))
    slope = theta.get("feh_period", 0.0)
    mean = theta["mu_feh"] - data.feh_pivot + slope * (x - middle)
    cov_xz = slope * var_x
    variance = theta["sigma_feh"] ** 2 + slope * cov_xz
    total = variance + data.feh_error**2
    off = data.feh - mean
    density = density + normal_density(off, 0.0, np.sqrt(total))
    of_error = data.feh_error**2 / total
    return Covariates(
        density,
        (x + cov_xz / total * off, mean + variance / total * off),
        ((var_x - cov_xz**2 / total, cov_xz * of_error), (cov_xz * of_error, variance * of_error)),
    )


def modulus(data: Stars, theta: dict[str, Floats], given: Covariates, scatter: Floats) -> Modulus:
    """mu and M given x and z."""
    trends, middle = trends_of(data, theta), middle_of(data, theta)
    relation = relation_of(data, theta)
    fixed = sum(slope * at for slope, at in zip(trends, middle, strict=True))
    return Modulus(
        theta["mu_modulus"] - fixed + given.at(trends),
        theta["sigma_modulus"] ** 2 + given.along(trends, trends),
        theta["alpha"] + given.at(relation),
        scatter**2 + given.along(relation, relation),
        given.along(trends, relation),
    )


def relation_of(data: Stars, theta: dict[str, Floats]) -> tuple[Floats, ...]:
    """The slopes of the relation."""
    return (theta["beta"],) if data.feh is None else (theta["beta"], theta["gamma"])


def trends_of(data: Stars, theta: dict[str, Floats]) -> tuple[Floats, ...]:
    """The slopes of the distance modulus."""
    slopes = theta.get("modulus_period", 0.0), theta.get("modulus_feh", 0.0)
    return slopes[:1] if data.feh is None else slopes


def middle_of(data: Stars, theta: dict[str, Floats]) -> tuple[Floats, ...]:
    """The means of x and z in the population."""
    x = theta["mu_log_period"] - data.log_pivot
    return (x,) if data.feh is None else (x, theta["mu_feh"] - data.feh_pivot)


def star_densities(data: Stars, theta: Theta) -> tuple[np.ndarray, Any]:
    """ln of each star's density, shape (theta, star), and ln of its odds of membership."""
    columns = columns_of(theta)
    given = covariates(data, columns)
    of_each = [
        _of_magnitude_and_parallax(data, columns, prior)
        for prior in of_each_scatter(data, columns, given)
    ]
    log_density, log_odds = data.outliers.mix(of_each, theta)
    return given.log_density + log_density, log_odds


def of_each_scatter(data: Stars, theta: dict[str, Floats], given: Covariates) -> list[Modulus]:
    """mu and M given x and z, if a star is a member, and if it is not."""
    scatters = data.outliers.scatters(theta)
    return [modulus(data, theta, given, scatter) for scatter in scatters]


def _of_magnitude_and_parallax(data, theta, prior):
    log_density, mean, sd = prior.of_magnitude(data.magnitude, data.magnitude_error)
    return log_density + log_distance.log_marginal(
        data.parallax - data.zero_point.added(theta),
        data.errors.true(data.parallax_error, theta),
        (mean - AT_KPC) / PER_LN,
        sd / PER_LN,
    )


def log_marginal(data: Stars, theta: Theta) -> np.ndarray:
    """ln p(data | theta), shape (theta,)."""

    def of_chunk(some, start):
        return star_densities(data, some)[0].sum(axis=1)

    return in_chunks(of_chunk, theta, cost=len(data.star))


def log_likelihood(data: Stars, theta: Theta) -> np.ndarray:
    """ln of each star's density, shape (theta, star)."""
    return in_chunks(lambda some, start: star_densities(data, some)[0], theta, cost=len(data.star))


def membership(data: Stars, theta: Theta) -> np.ndarray:
    """The probability that each star is a member, shape (theta, star)."""
    return data.outliers.membership(star_densities(data, theta)[1])


def draw_latents(data: Stars, theta: Theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """r [kpc] and M [mag] for each theta and star, and memberships if there are outliers."""
    seed = rng.integers(2**63)

    def of_chunk(some, start):
        return _draw(data, some, np.random.default_rng([seed, start]))

    return in_chunks(of_chunk, theta, cost=len(data.star))


def _draw(data, theta, rng):
    columns = columns_of(theta)
    given = covariates(data, columns)
    scatter, member = data.outliers.draw(lambda: star_densities(data, theta)[1], columns, rng)
    prior = modulus(data, columns, given, scatter)
    _, mean, sd = prior.of_magnitude(data.magnitude, data.magnitude_error)
    u = log_distance.draw(
        data.parallax - data.zero_point.added(columns),
        data.errors.true(data.parallax_error, columns),
        (mean - AT_KPC) / PER_LN,
        sd / PER_LN,
        rng,
    )
    at = prior.magnitude_given(AT_KPC + PER_LN * u, data.magnitude, data.magnitude_error)
    return {"r": np.exp(u), "absolute_magnitude": rng.normal(*at), **member}
