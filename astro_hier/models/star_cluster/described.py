"""Each star's distance and membership without draws of them: means over draws of the parameters.

Given the parameters, mean and variance of a distance are those of `astro_hier.core.distance`, mixed
over the profile's components and, with the star's probability of membership, with the population,
from which the distance of a star that is not a member is drawn.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from scipy.stats import truncnorm

from astro_hier.core import distance
from astro_hier.core.threads import CHUNK, for_chunks, in_chunks
from astro_hier.models.star_cluster import likelihood
from astro_hier.models.star_cluster.data import Stars
from astro_hier.models.zero_point import Theta


class Described(NamedTuple):
    """Mean and standard deviation of r [kpc], and the probability of membership, (star,)."""

    r: np.ndarray
    r_sd: np.ndarray
    member: np.ndarray


def describe(data: Stars, theta: Theta) -> Described:
    """All stars, with equal weight for each theta."""
    n_stars, n_theta = len(data.parallax), len(theta["mu_r"])
    tally = in_chunks(lambda some, start: _log_some(data, some), theta, cost=n_stars)
    theta, near = {**theta, "log_some_": tally}, theta["mu_r"].mean()
    found = np.zeros((3, n_stars))

    def of_stars(start, stop):
        block, size = data.at(slice(start, stop)), max(1, CHUNK // (stop - start))
        for first in range(0, n_theta, size):
            some = {name: of[first : first + size] for name, of in theta.items()}
            found[:, start:stop] += _sums(block, some, near) / n_theta

    for_chunks(of_stars, n_stars)
    mean, square, member = found
    return Described(near + mean, np.sqrt(square - mean**2), member)


def _log_some(data, theta):
    """ln of the probability that at least one star is a member, shape (theta,)."""
    return data.background.log_some(likelihood.tally(data, theta), theta)


def _sums(data, theta, near):
    """Sums over theta of r - near, its square, and membership, shape (3, star)."""
    parallax, error = likelihood.measured(data, theta)
    components = likelihood.bounded(data.profile.components(theta))
    moments = [distance.moments(parallax, error, theta["mu_r"], sd) for _, sd in components]
    mean = np.array([mean for mean, _ in moments]) - near
    square = np.array([variance for _, variance in moments]) + mean**2
    if len(components) == 1 and not data.background:
        return np.array(
            [mean[0].sum(axis=0), square[0].sum(axis=0), np.full(mean.shape[2], len(mean[0]))]
        )
    parts = likelihood.log_components(data, theta)
    log_member = logsumexp(parts, axis=0)
    share = np.exp(parts - log_member)
    log_odds = likelihood.mix(data, log_member, theta)[1]
    member = data.background.members(log_odds, theta["log_some_"]) + np.zeros_like(log_member)
    r, r_square = (member * np.sum(share * of, axis=0) for of in (mean, square))
    of_others = _of_population(data, theta, near)
    r += (1 - member) * of_others[0][:, None]
    r_square += (1 - member) * of_others[1][:, None]
    return np.array([of.sum(axis=0) for of in (r, r_square, member)])


def _of_population(data, theta, near):
    """Means of r - near and of its square over the population, shape (theta,)."""
    mean = square = 0.0
    for weight, sd in data.profile.components(theta):
        of_part = truncnorm(-theta["mu_r"] / sd, np.inf, theta["mu_r"], sd)
        away = of_part.mean() - near
        mean, square = mean + weight * away, square + weight * (of_part.var() + away**2)
    return mean, square
