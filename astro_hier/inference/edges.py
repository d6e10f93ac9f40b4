"""Posteriors that are cut off by an edge of their prior.

A prior that ends abruptly, at e, is continued beyond, and the share of the posterior that then lies
there is what the edge removes. With o for all other parameters and L for the likelihood,

    p(x beyond e) / p(x within) = mean over draws of o of
        integral over x beyond e of L(x, o) p(x) dx / integral over x within of L(x, o) p(x) dx,

because the draws of o have a density proportional to the integral within. We are free to choose o:
if it is each parameter minus its regression on x, the others move along with x as far as they are
correlated with it, and a few draws are enough, one from each of as many slices of x. L then
includes the prior of the others. Both integrals are taken on a grid that reaches as far beyond the
edge as the posterior reaches within, but no farther than the width of the prior.

A flat posterior is not cut off, whatever lies beyond: the data then say nothing about x, and
another check reports that a scale is not resolved.
"""

import warnings

import numpy as np
from scipy.special import expit, logsumexp
from scipy.stats import norm

from astro_hier import checks

MAX_REMOVED = 0.1  # share; the mean of a normal posterior then moves by a fifth of its sd
# a closer look is taken if this share of the draws is within so many sds of the edge, which a
# normal posterior has with the edge 2.5 sds from its mean
NEAR_SHARE, NEAR = 0.02, 0.5
REACH = 0.995  # share of the draws covered by the grid
POINTS = 12  # of the grid, on either side of the edge
FAR_POINTS = 6  # beyond the edge, to see whether the likelihood is flat
DRAWS = 30
NEAREST = 0.2  # share of the draws, next to the edge, that show whether the likelihood is flat
LOWEST = -1e300  # in place of ln 0
FLAT = 1.0  # largest variation of ln of a flat likelihood beyond the edge

PRIOR_EDGE = checks.define(
    "prior_edge",
    limit=f"at most {100 * MAX_REMOVED:.0f} percent of a posterior beyond an edge",
    said="the data press {found} against the edge of the prior",
    python="check the units of the table and its outliers, or widen the prior",
    shell="check the units of the table and its outliers, or widen the prior with --prior",
)


class _Continued:
    """A prior that ends abruptly, in the variable in which it is continued.

    ``known`` says whether we know how to continue this distribution.
    """

    def __init__(self, prior):
        kind = prior.dist.name
        self.known = kind in ("uniform", "loguniform", "reciprocal", "truncnorm")
        self.logarithmic = kind in ("loguniform", "reciprocal")
        # mean and sd of a truncated normal distribution
        self.normal = prior.args[2:4] if kind == "truncnorm" else None

    def coordinate(self, x):
        return np.log(x) if self.logarithmic else x

    def back(self, at):
        return np.exp(at) if self.logarithmic else at

    def room(self, at, side, end):
        """The distance from the edge to the end of the parameter's own range."""
        if not np.isfinite(end) or (self.logarithmic and end <= 0):
            return np.inf
        return side * (self.coordinate(end) - at)

    def log_density(self, at):
        """ln of the continued prior, up to a constant."""
        return np.zeros(len(at)) if self.normal is None else norm.logpdf(at, *self.normal)


def of_priors(log_marginal, theta, priors, bounds):
    """The finding of `PRIOR_EDGE`.

    Parameters
    ----------
    log_marginal : callable
        ln of the likelihood, as a function of a dict of arrays by parameter, shape (n, ...).
    theta : dict of ndarray
        All draws of the parameters that ``log_marginal`` takes, shape (draw, ...).
    priors : dict
        Frozen distributions of the inferred parameters. Parameters of several elements are
        standard normal.
    bounds : dict of tuple
        Ends of the parameters' own ranges; None where they are not known.
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
    """The end of a parameter's own range; if it is not known, zero and one may be ends."""
    if bounds is not None:
        return bounds[0 if side < 0 else 1]
    low, high = support
    if side < 0:
        return 0.0 if low >= 0 else -np.inf
    return 1.0 if (low, high) == (0, 1) else np.inf


class _Posterior:
    """The density of all parameters as one leaves its prior and takes the others along."""

    def __init__(self, log_marginal, theta, priors):
        self.log_marginal, self.theta, self.priors = log_marginal, theta, priors

    def along(self, name, at, chosen, places, back, alone=False):
        """ln of the likelihood times the prior of all other parameters, shape (draw, place).

        ``at`` holds all draws of the parameter, in the variable in which it is continued. The
        draws ``chosen`` are moved to ``places``, which ``back`` turns into values of the
        parameter. If ``alone``, the other parameters stay where they are.
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
        """ln of the likelihood, as if zero where it cannot be computed beyond the prior."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                found = np.array(self.log_marginal(theta), float)
            except ValueError:
                return LOWEST
        return np.where(np.isfinite(found), found, LOWEST)


def removed(posterior, name, side, end):
    """The share of a parameter's posterior that lies beyond an edge of its prior.

    Parameters
    ----------
    posterior : _Posterior
        The posterior of all parameters.
    name : str
        The parameter's name.
    side : {-1, 1}
        Which edge: the lower or the upper.
    end : float
        The end of the parameter's own range.
    """
    prior, values = posterior.priors[name], posterior.theta[name]
    edge = prior.support()[0 if side < 0 else 1]
    if not np.isfinite(edge) or edge == end:
        return 0.0
    continued = _Continued(prior)
    x, at = continued.coordinate(values), continued.coordinate(edge)
    distance = side * (at - x)
    if np.quantile(distance, NEAR_SHARE) > NEAR * np.std(x):
        return 0.0
    chosen = np.argsort(x)[_midpoints(len(x))]

    def log_density(grid):
        """At given distances beyond the edge for each chosen draw, shape (draw, distance)."""
        return posterior.along(name, x, chosen, at + side * grid, continued.back)

    def log_mass(grid, log_density):
        prior = continued.log_density(at + side * grid)
        cells = np.full(len(grid), np.log(grid[1] - grid[0]))
        cells[[0, -1]] -= np.log(2)
        return logsumexp(log_density + prior + cells, axis=1, keepdims=True)

    within = np.quantile(distance, REACH)
    low, high = (continued.coordinate(s) if np.isfinite(s) else s for s in prior.support())
    farthest = min(high - low, continued.room(at, side, end))
    inside, beyond = np.linspace(-within, 0, POINTS), np.linspace(0, min(within, farthest), POINTS)
    density = log_density(np.concatenate([inside, beyond[1:]]))
    mass = log_mass(inside, density[:, :POINTS])
    log_ratio = logsumexp(log_mass(beyond, density[:, POINTS - 1 :]) - mass) - np.log(DRAWS)
    share = float(expit(log_ratio))
    if share > MAX_REMOVED:
        # look farther out, from the draws nearest to the edge
        nearest = np.argsort(distance)[_midpoints(NEAREST * len(x))]
        far = at + side * np.linspace(0, farthest if np.isfinite(farthest) else within, FAR_POINTS)
        if _is_flat(posterior.along(name, x, nearest, far, continued.back, alone=True)):
            return 0.0
    return share


def _midpoints(n):
    """Indices in the middle of `DRAWS` equal parts of ``n``."""
    return ((np.arange(DRAWS) + 0.5) * n / DRAWS).astype(int)


def _is_flat(log_density):
    """Whether the density, averaged over draws, is the same at all distances as at the edge."""
    profile = logsumexp(log_density - log_density[:, :1], axis=0) - np.log(len(log_density))
    return bool(np.all(np.abs(profile) < FLAT))
