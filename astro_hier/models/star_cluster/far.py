"""Hyperparameters that a sample of many stars rules out.

The posterior of many stars is narrow, and a search for its modes starts all over the prior, where
integrals over distances take the longest. There a sample is enough to see that ln p lies thousands
below that at a known point, the start of the fit, and nothing more need be known of it.

With D_n the difference that star n makes between the two points, the sum over all stars is
estimated from all stars that fit worst at the known point, and from evenly spaced ones of the
others. None of these others gains much anywhere, for they fit well already. If the estimate lies
below the known point by `MARGIN` and by `SIGMAS` standard errors, it stands for ln p; else all
stars are summed.
"""

from dataclasses import dataclass, replace

import numpy as np

from astro_hier.core.thinning import evenly
from astro_hier.core.threads import in_chunks
from astro_hier.models.star_cluster import likelihood
from astro_hier.models.star_cluster.data import Stars
from astro_hier.models.zero_point import Theta

MANY = 10_000  # stars from which it pays
ONE_IN, LEAST = 64, 1000  # share of the stars in each of both kinds, and least number
MARGIN = 10_000.0
SIGMAS = 10.0


@dataclass(frozen=True)
class Sample:
    """Some of the stars, and what is known of ln p at one point."""

    worst: Stars
    others: Stars
    log_p: tuple[np.ndarray, np.ndarray]  # of each of these two kinds of stars at the point
    left: int  # number of stars that the others stand for
    total: float  # the sum over all stars at the point

    def differences(self, theta: Theta) -> np.ndarray:
        """Estimates of ln p less that at the point, and standard errors, shape (theta, 2)."""
        kinds = zip((self.worst, self.others), self.log_p, strict=True)
        worst, others = (likelihood.log_densities(of, theta)[0] - known for of, known in kinds)
        number = others.shape[1]
        estimate = worst.sum(axis=1) + self.left * others.mean(axis=1)
        return np.column_stack([estimate, self.left * others.std(axis=1) / np.sqrt(number)])


def with_sample(model, data: Stars) -> Stars:
    """The data with a sample of the stars, if there are many with independent parallaxes."""
    if len(data.parallax) < MANY or data.offsets:
        return replace(data, sample=None)
    start = model.initial(data)
    theta = {name: np.array([start[name]]) for name in model.sampled_names()}
    log_p = likelihood.log_likelihood(data, theta)[0]
    order = np.argsort(log_p, kind="stable")
    count = max(len(log_p) // ONE_IN, LEAST)
    worst, others = np.sort(order[:count]), np.sort(order[count:])
    others = others[evenly(len(others), count)]
    stars = data.at(worst), data.at(others)
    known = log_p[worst], log_p[others]
    sample = Sample(*stars, known, len(log_p) - count, float(log_p.sum()))
    return replace(data, sample=sample)


def log_marginal(data: Stars, theta: Theta) -> np.ndarray:
    """ln p(parallax | theta), shape (theta,): of all stars, or where it is hopeless of some."""
    if data.sample is None:
        return likelihood.log_marginal(data, theta)
    whole = theta | likelihood.derive(data.profile, theta)
    count = len(data.sample.worst.parallax) + len(data.sample.others.parallax)
    found = in_chunks(lambda some, start: data.sample.differences(some), whole, cost=count)
    log_p, error = data.sample.total + found[:, 0], found[:, 1]
    near = ~(found[:, 0] + SIGMAS * error < -MARGIN)
    if near.any():
        log_p[near] = likelihood.log_marginal(data, {name: of[near] for name, of in theta.items()})
    return log_p
