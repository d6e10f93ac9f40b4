r"""Upper limits on scales that the errors may hide: a cluster's depth, a velocity dispersion.

Where the errors hide it, the likelihood is flat down to a scale of zero. A prior flat in ln(scale)
then puts equal probability into every factor of e, all the way down to its lower end, and a limit
would depend on where that end lies. The limit is therefore quoted for a prior flat in the scale s
itself, from zero to the upper end of the fit's prior. With x = ln s, and phi for all other
parameters, the posterior with this prior is

    p(x | data) = E[p(x | phi, data)],    p(x | phi, data) ~ e^x p(data | x, phi),

the mean over equally weighted draws of phi from that posterior. The marginal method draws these
anew. Each conditional density is integrated on a lattice that follows the quantiles of the draws of
x and is halved until the limit no longer changes; draws are added until the standard error of the
limit in ln s is below `TOLERANCE`.
"""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import PchipInterpolator
from scipy.stats import weibull_max

from astro_hier import checks
from astro_hier.given import number
from astro_hier.inference import METHODS
from astro_hier.priors import Prior

__all__ = ["LIKELIHOOD_RATIO", "check_resolved", "resolved", "upper_limit"]

# ln of the likelihood ratio of the best scale to none, above which the scale is resolved: 2.3
# percent of samples without scatter exceed it
LIKELIHOOD_RATIO = 2.0
RESOLVED = checks.define(
    "resolved",
    limit=f"a likelihood ratio of exp({LIKELIHOOD_RATIO:g})",
    said="the errors hide the {what}: the posteriors of {scale} and ln_{scale} depend on the lower"
    " end of the prior",
    python="quote {scale}_upper_limit()",
    shell="quote the upper limit printed below",
)
RATIO_DRAWS = 200  # draws of the hyperparameters among which the best likelihood is looked for
BATCH = 64  # draws to average over before their scatter is estimated
DRAWS, CHAINS = 1000, 4
TOLERANCE = 2e-3  # relative error of a limit
LEVELS = 0, 0.002, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 0.998, 1  # quantiles to put knots at
# how far the lattice reaches beyond the draws: in x towards zero, and on the other side in units of
# the distance between the last two knots
BEYOND = 2.0
CELLS, MAX_CELLS = 3, 100  # between two knots
FINE = 60  # cells between two knots for the interpolated density
LOWEST = -1e3  # ln of a density that is as good as zero
SEED = 1
TAIL = 1e-4  # probability above the point taken as the upper end of a prior that has none


@dataclass(frozen=True)
class _FlatScale(Prior):
    """The prior of ln s that is flat in s, from zero to exp(high)."""

    high: float

    def _scipy(self, high):
        return weibull_max(1, loc=high)


def resolved(model, data, values, scale, none, typical=np.max):
    """Whether the best scale beats no scale by a likelihood ratio of exp(`LIKELIHOOD_RATIO`).

    ``none`` is a value of ln(scale) at which it makes no difference, ``values`` are all draws, and
    ``typical`` picks the likelihood that stands for those of several draws.
    """
    chosen = np.linspace(0, len(values["log_prob"]) - 1, RATIO_DRAWS).astype(int)
    names = {*model.sampled_names(), *model.standard_normals(data)}
    theta = {name: values[name][chosen] for name in names}
    best = model.log_marginal(data, theta)
    without = model.log_marginal(data, theta | {f"ln_{scale}": np.full(RATIO_DRAWS, none)})
    return int(typical(best) - typical(without) > LIKELIHOOD_RATIO)


def check_resolved(attrs, scale, what):
    """The finding on whether the scale is resolved, if the fit's attributes say so; a list."""
    if "resolved" not in attrs:
        return []
    found = "yes" if attrs["resolved"] else "no"
    return [RESOLVED.finding(found, not attrs["resolved"], scale=scale, what=what)]


def upper_limit(model, data, scale, probability):
    """The quantile of a scale under a prior flat in it, as a float."""
    probability = number("probability", probability, 0, 1, open_ends=True)
    name = f"ln_{scale}"
    if name not in model.free_names():
        raise ValueError(f"{name} was given, not inferred: it has no upper limit")
    prior = model.frozen_priors()[name]
    high = prior.support()[1]
    flat = copy(model)
    setattr(flat, name, _FlatScale(high if np.isfinite(high) else prior.isf(TAIL)))
    return np.exp(_Limit(flat, data, name, probability).value())


class _Limit:
    """The quantile of x from its conditional densities, given many draws of everything else."""

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
        """Independent draws of all parameters except the rows' own, in random order."""
        problem = replace(self.model.problem(self.data), draw_latents=lambda *arguments: {})
        drawn = METHODS["marginal"].sample(
            problem,
            draws=DRAWS,
            chains=CHAINS,
            rng=np.random.default_rng(SEED),
            progressbar=False,
            certify=False,
            surrogate=False,  # a scale that errors hide has no peak
        )
        return {name: v.reshape(-1, *v.shape[2:]) for name, v in drawn.posterior.items()}

    def value(self):
        """The limit, with the cells and then the draws doubled until it has converged."""
        cells, shares = CELLS, self._shares(0, BATCH, CELLS)
        limit, before = self._quantile(shares), np.inf
        while abs(limit - before) > TOLERANCE and cells < MAX_CELLS:
            cells, before = 2 * cells, limit
            shares = self._shares(0, BATCH, cells)
            limit = self._quantile(shares)
        n_draws = len(self.theta[self.name])
        while (size := len(shares)) < n_draws and self._error(shares) > TOLERANCE:
            shares = np.vstack([shares, self._shares(size, 2 * size, cells)])
        return self._quantile(shares)

    def _lattice(self, cells):
        """Points that divide each interval between two knots into equal cells."""
        parts = np.arange(cells) / cells
        inner = self.knots[:-1, None] + np.diff(self.knots)[:, None] * parts
        return np.append(inner.ravel(), self.knots[-1])

    def _shares(self, start, stop, cells):
        """Share of the density below each of the fine x, for a range of draws, (draw, x)."""
        lattice = self._lattice(cells)
        chunk = {name: values[start:stop] for name, values in self.theta.items()}
        size = len(chunk[self.name])
        theta = {name: np.repeat(v, len(lattice), axis=0) for name, v in chunk.items()}
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
