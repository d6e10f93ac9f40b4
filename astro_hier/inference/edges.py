"""Posteriors that an edge of their prior cuts off.

Where a prior ends abruptly, at e, it is continued beyond, and the share of the posterior that lies
there is what the edge removes. With o for all other parameters and L for the likelihood,

    p(x beyond e) / p(x within) = mean over draws of o of
        integral over x beyond e of L(x, o) p(x) dx / integral over x within of L(x, o) p(x) dx,

for the draws of o have the density of the integral within, divided by its integral over o. What o
is may be chosen: with each parameter less its regression on x, the others go along with x, as far
as they are correlated with it, and a few draws are enough, one from each of as many slices of x. L
then includes the prior of the others. Both integrals are taken on a grid, out to as far beyond the
edge as the posterior reaches within, and no farther than the prior is wide.

A posterior that is flat is not cut off, whatever lies beyond: the data then say nothing of x, and
that a scale is not resolved is said elsewhere.
"""

import warnings

import numpy as np
from scipy.special import expit, logsumexp
from scipy.stats import norm

from astro_hier import checks

MAX_REMOVED = 0.1  # of a normal posterior, which moves its mean by a fifth of its sd
NEAR_SHARE, NEAR = (
    0.02,
    0.5,
)  # draws whose distance from the edge is so few sds: an edge 2.5 sds off
REACH = 0.995  # share of the draws on the grid
POINTS = 12  # of the grid, on either side of the edge
FAR_POINTS = 6  # beyond the edge, to see whether the likelihood is flat
DRAWS = 30
NEAREST = 0.2  # share of the draws, next to the edge, that say whether the likelihood is flat
LOWEST = -1e300  # ln of no likelihood
FLAT = 1.0  # what ln of the likelihood varies by, beyond the edge, where it is flat

PRIOR_EDGE = checks.define(
    "prior_edge",
    limit=f"at most {100 * MAX_REMOVED:.0f} percent of a posterior beyond an edge",
    said="the data press {found} against the edge of the prior",
    python="check the units of the table and its outliers, or widen the prior",
    shell="check the units of the table and its outliers, or widen the prior with --prior",
)


class _Continued:
    """A prior that ends abruptly, in the variable in which it is continued.

    ``known`` is whether the distribution is of such a kind.
    """

    def __init__(self, prior):
        kind = prior.dist.name
        self.known = kind in ("uniform", "loguniform", "reciprocal", "truncnorm")
        self.logarithmic = kind in ("loguniform", "reciprocal")
        # of a normal distribution that is cut, its mean and sd
        self.normal = prior.args[2:4] if kind == "truncnorm" else None

    def of(self, x):
        return np.log(x) if self.logarithmic else x

    def back(self, at):
        return np.exp(at) if self.logarithmic else at

    def room(self, at, side, end):
        """How far there is from the edge to where the parameter's own range ends."""
        if not np.isfinite(end) or (self.logarithmic and end <= 0):
            return np.inf
        return side * (self.of(end) - at)

    def log_density(self, at):
        """Up to a constant."""
        return np.zeros(len(at)) if self.normal is None else norm.logpdf(at, *self.normal)


def of_priors(log_marginal, theta, priors, bounds):
    """The finding of `PRIOR_EDGE`.

    Parameters
    ----------
    log_marginal : callable
        ln of the likelihood, of a dict of arrays by parameter, shape (n, ...).
    theta : dict of ndarray
        All draws of what ``log_marginal`` takes, shape (draw, ...).
    priors : dict
        Frozen distributions of the parameters that are inferred. Those of several elements are
        standard normal.
    bounds : dict of tuple
        Where the parameters' own ranges end; None where that is not known.
    """
    posterior, pressed = _Posterior(log_marginal, theta, priors), []
    for name, prior in priors.items():
        if not _Continued(prior).known:
            continue
        for edge, side in zip(prior.support(), (-1, 1), strict=True):
            share = removed(posterior, name, side, _own_end(bounds[name], prior.support(), side))
            if share > MAX_REMOVED:
                pressed.append(
                    f"{name} (posterior mean {theta[name].mean():.4g}; the edge at {edge:.4g}"
                    f" removes {100 * min(share, 0.99):.0f} percent of the posterior)"
                )
    return PRIOR_EDGE.finding(", ".join(pressed) or "no parameter", bool(pressed))


def _own_end(bounds, support, side):
    """Where a parameter's own range ends; where that is not known, zero and one may be ends."""
    if bounds is not None:
        return bounds[0 if side < 0 else 1]
    low, high = support
    if side < 0:
        return 0.0 if low >= 0 else -np.inf
    return 1.0 if (low, high) == (0, 1) else np.inf


class _Posterior:
    """The density of all parameters, of which one leaves its prior and takes the others along."""

    def __init__(self, log_marginal, theta, priors):
        self.log_marginal, self.theta, self.priors = log_marginal, theta, priors

    def along(self, name, at, chosen, places, back, alone=False):
        """ln of the likelihood times the prior of all others, shape (draw, place).

        ``at`` are all draws of the parameter, in the variable in which it is continued, ``chosen``
        the draws that are moved, ``places`` where to, and ``back`` makes them values of it. If
        ``alone`` the others stay.
        """
        moved = np.ravel(places - at[chosen, None])
        some, log_prior = {name: np.tile(back(places), len(chosen))}, np.zeros(len(moved))
        centred = (at - at.mean()) / np.var(at)
        for other, values in self.theta.items():
            if other == name:
                continue
            slope = np.tensordot(centred, values - values.mean(axis=0), 1) / len(at)
            slope = 0 * slope if alone else slope
            start = np.repeat(values[chosen], len(places), axis=0)
            some[other] = start + moved.reshape(-1, *[1] * (values.ndim - 1)) * slope
            if values.ndim > 1:
                log_prior += norm.logpdf(some[other]).sum(axis=1)
            elif other in self.priors:
                log_prior += self.priors[other].logpdf(some[other])
        found = np.full(len(moved), LOWEST)
        possible = np.isfinite(log_prior)
        some = {other: values[possible] for other, values in some.items()}
        found[possible] = self._log_likelihood(some) + log_prior[possible]
        return found.reshape(len(chosen), len(places))

    def _log_likelihood(self, theta):
        """Where it cannot be computed, beyond the prior, there is none."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                found = np.array(self.log_marginal(theta), float)
            except (ArithmeticError, ValueError):
                return LOWEST
        return np.where(np.isfinite(found), found, LOWEST)


def removed(posterior, name, side, end):
    """The share of a parameter's posterior that lies beyond an edge of its prior.

    Parameters
    ----------
    posterior : _Posterior
        That of all parameters.
    name : str
        Of the parameter.
    side : {-1, 1}
        At which of its ends, the lower or the upper.
    end : float
        Where the parameter's own range ends.
    """
    prior, values = posterior.priors[name], posterior.theta[name]
    edge = prior.support()[0 if side < 0 else 1]
    if not np.isfinite(edge) or edge == end:
        return 0.0
    continued = _Continued(prior)
    x, at = continued.of(values), continued.of(edge)
    distance = side * (at - x)
    if np.quantile(distance, NEAR_SHARE) > NEAR * np.std(x):
        return 0.0
    chosen = np.argsort(x)[_midpoints(len(x))]

    def log_density(grid):
        """Of each of the chosen draws at distances beyond the edge, shape (draw, distance)."""
        return posterior.along(name, x, chosen, at + side * grid, continued.back)

    def log_mass(grid, log_density):
        prior = continued.log_density(at + side * grid)
        cells = np.full(len(grid), np.log(grid[1] - grid[0]))
        cells[[0, -1]] -= np.log(2)
        return logsumexp(log_density + prior + cells, axis=1, keepdims=True)

    within = np.quantile(distance, REACH)
    low, high = (continued.of(s) if np.isfinite(s) else s for s in prior.support())
    farthest = min(high - low, continued.room(at, side, end))
    inside, beyond = np.linspace(-within, 0, POINTS), np.linspace(0, min(within, farthest), POINTS)
    density = log_density(np.concatenate([inside, beyond[1:]]))
    mass = log_mass(inside, density[:, :POINTS])
    log_ratio = logsumexp(log_mass(beyond, density[:, POINTS - 1 :]) - mass) - np.log(DRAWS)
    share = float(expit(log_ratio))
    if share > MAX_REMOVED:
        # of the draws nearest to the edge, all the way
        nearest = np.argsort(distance)[_midpoints(NEAREST * len(x))]
        far = at + side * np.linspace(0, farthest if np.isfinite(farthest) else within, FAR_POINTS)
        if _is_flat(posterior.along(name, x, nearest, far, continued.back, alone=True)):
            return 0.0
    return share


def _midpoints(n):
    """Indices in the middle of as many equal parts of ``n`` as draws are looked at."""
    return ((np.arange(DRAWS) + 0.5) * n / DRAWS).astype(int)


def _is_flat(log_density):
    """Whether it is at all distances what it is at the edge, in the mean over draws."""
    profile = logsumexp(log_density - log_density[:, :1], axis=0) - np.log(len(log_density))
    return bool(np.all(np.abs(profile) < FLAT))
