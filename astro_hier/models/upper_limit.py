r"""Scales that the errors may hide: the depth of a cluster, a velocity dispersion.

Where they do, the likelihood is flat down to a scale of zero. A prior flat in ln(scale) then puts
as much probability into each factor of e, all the way down to its lower end, and a limit would
depend on where that is. The limit is therefore quoted for a prior flat in the scale s itself, from
zero to the upper end of the fit's prior. With x = ln s and all other parameters phi, its posterior
is

    p(x | data) = E[p(x | phi, data)],    p(x | phi, data) ~ e^x p(data | x, phi),

the mean over draws of phi from the posterior with this prior, all of equal weight. These are drawn
anew by the marginal method. Each conditional density is integrated on a lattice that follows the
quantiles of the draws of x, and is halved until the limit no longer changes; draws are taken until
their scatter is below `ENOUGH` of the limit.
"""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import PchipInterpolator
from scipy.stats import weibull_max

from astro_hier import checks
from astro_hier.inference import METHODS
from astro_hier.priors import Prior

__all__ = ["LIKELIHOOD_RATIO", "check_resolved", "resolved", "upper_limit"]

# ln of the likelihood ratio of the best scale to none, from which it is resolved: samples without
# scatter exceed it in 2.3 percent of cases
LIKELIHOOD_RATIO = 2.0
RESOLVED = checks.define(
    "resolved",
    limit=f"a likelihood ratio of exp({LIKELIHOOD_RATIO:g})",
    said="the errors hide the {what}, and what is said of {scale} and ln_{scale} depends on the"
    " lower end of the prior",
    python="quote {scale}_upper_limit()",
    shell="quote the upper limit printed below",
)
FEW_DRAWS = 200  # of the hyperparameters, that the likelihood ratio is looked for among
BATCH = 64  # draws that are averaged over before their scatter is looked at
DRAWS, CHAINS = 1000, 4
ENOUGH = 2e-3  # relative error of a limit
LEVELS = 0, 0.002, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 0.998, 1  # of the knots, as quantiles
BEYOND = 2.0  # the draws: in x on the side of zero, in distances of the last two knots on the other
CELLS, MOST_CELLS = 3, 100  # between two knots
FINE = 60  # the same, of the interpolated density
LOWEST = -1e3  # ln of a density that is as good as zero
SEED = 1
FAR_END = 1e-4  # of a prior without an end


@dataclass(frozen=True)
class _FlatScale(Prior):
    """Of ln s: flat in s from zero to exp(high)."""

    high: float

    def _scipy(self, high):
        return weibull_max(1, loc=high)


def resolved(model, data, values, scale, none):
    """Whether the best scale explains the data by exp(`LIKELIHOOD_RATIO`) better than none does.

    ``none`` is a value of ln(scale) at which it makes no difference; ``values`` are all draws.
    """
    some = np.linspace(0, len(values["log_prob"]) - 1, FEW_DRAWS).astype(int)
    names = {*model.sampled_names(), *model.standard_normals(data)}
    theta = {name: values[name][some] for name in names}
    best = model.log_marginal(data, theta)
    without = model.log_marginal(data, theta | {f"ln_{scale}": np.full(FEW_DRAWS, none)})
    # in some of the draws a background may describe nearly all rows, which says nothing of errors
    typical = np.median if model.outliers else np.max
    return int(typical(best) - typical(without) > LIKELIHOOD_RATIO)


def check_resolved(attrs, scale, what):
    """The findings, if the attributes of the fit say whether it is."""
    if "resolved" not in attrs:
        return []
    found = "yes" if attrs["resolved"] else "no"
    return [RESOLVED.finding(found, not attrs["resolved"], scale=scale, what=what)]


def upper_limit(model, data, scale, probability):
    """The quantile of a scale for a prior flat in it, as a float."""
    if not 0 < probability < 1:
        raise ValueError(f"probability={probability!r}; expected a number between 0 and 1")
    name = f"ln_{scale}"
    if name not in model.free_names():
        raise ValueError(f"{name} was given, not inferred: there is no limit on it")
    prior = model.frozen_priors()[name]
    high = prior.support()[1]
    flat = copy(model)
    setattr(flat, name, _FlatScale(high if np.isfinite(high) else prior.isf(FAR_END)))
    return np.exp(_Limit(flat, data, name, probability).value())


class _Limit:
    """The quantile of x from the conditional densities of many draws of all else."""

    def __init__(self, model, data, name, probability):
        self.model, self.data, self.name, self.probability = model, data, name, probability
        self.theta = self._draw()
        x = self.theta[name]
        knots = np.quantile(x, LEVELS)
        knots[0] -= BEYOND
        knots[-1] += BEYOND * (knots[-1] - knots[-2])
        self.knots = np.unique(knots.clip(max=model.frozen_priors()[name].support()[1]))
        self.x = self._lattice(FINE)

    def _draw(self):
        """Independent draws of all parameters but the rows' own, in random order."""
        problem = replace(self.model.problem(self.data), draw_latents=lambda *arguments: {})
        drawn = METHODS["marginal"].sample(
            problem,
            draws=DRAWS,
            chains=CHAINS,
            rng=np.random.default_rng(SEED),
            progressbar=False,
            certify=False,
        )
        return {name: v.reshape(-1, *v.shape[2:]) for name, v in drawn.posterior.items()}

    def value(self):
        """Twice as many cells, and then draws, until the limit has converged."""
        cells, shares = CELLS, self._shares(0, BATCH, CELLS)
        limit, before = self._quantile(shares), np.inf
        while abs(limit - before) > ENOUGH and cells < MOST_CELLS:
            cells, before = 2 * cells, limit
            shares = self._shares(0, BATCH, cells)
            limit = self._quantile(shares)
        while (size := len(shares)) < len(self.theta[self.name]) and self._error(shares) > ENOUGH:
            shares = np.vstack([shares, self._shares(size, 2 * size, cells)])
        return self._quantile(shares)

    def _lattice(self, cells):
        """Each interval between two knots in equal parts."""
        parts = np.arange(cells) / cells
        inner = self.knots[:-1, None] + np.diff(self.knots)[:, None] * parts
        return np.append(inner.ravel(), self.knots[-1])

    def _shares(self, start, stop, cells):
        """What lies below each of the fine values of x, shape (draw, x), for some draws of phi."""
        lattice = self._lattice(cells)
        some = {name: values[start:stop] for name, values in self.theta.items()}
        size = len(some[self.name])
        theta = {name: np.repeat(v, len(lattice), axis=0) for name, v in some.items()}
        theta[self.name] = np.tile(lattice, size)
        log_p = self.model.log_marginal(self.data, theta).reshape(size, -1) + lattice
        log_p = (log_p - log_p.max(axis=1, keepdims=True)).clip(LOWEST)
        density = np.exp(PchipInterpolator(lattice, log_p, axis=1)(self.x))
        # below the lattice the likelihood is flat, and the density falls as e^x
        share = density[:, :1] + cumulative_trapezoid(density, self.x, axis=1, initial=0)
        return share / share[:, -1:]

    def _quantile(self, shares):
        return np.interp(self.probability, shares.mean(axis=0), self.x)

    def _error(self, shares):
        """The standard error of the quantile."""
        place = np.searchsorted(self.x, self._quantile(shares)).clip(1, len(self.x) - 1)
        low, high = shares[:, place - 1], shares[:, place]
        slope = np.mean(high - low) / (self.x[place] - self.x[place - 1])
        return np.std(high) / np.sqrt(len(shares)) / slope
