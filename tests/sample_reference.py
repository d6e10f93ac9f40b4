r"""Slow, independent references for populations inferred from samples of their objects.

The density, summed over the draws themselves with nothing dealt to a grid: x_nk are draws of object
n under the density pi_n with weights w_nk, x_j are injections that were found, of N_inj drawn from
p, and g is the population's density:

    ln L = sum_n ln[(1 / K_n) sum_k w_nk g(x_nk) / pi_n(x_nk)]
         - N ln[(1 / N_inj) sum_j g(x_j) / p(x_j)]

(Hogg, Myers & Bovy 2010, ApJ 725, 2166; Mandel, Farr & Gair 2019, MNRAS 486, 1086). Closed forms
for normal populations and likelihoods, and posteriors by brute force over grids of hyperparameters.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm


@dataclass(frozen=True)
class Draws:
    """Of objects, one after the other, and of the injections that were found, if any.

    ``samples``, ``log_interim`` and ``weight`` are lists of arrays, one an object; the last two are
    zero and one if they are not given. ``injected`` of the injections were drawn in all.
    """

    samples: list
    log_interim: list | None = None
    weight: list | None = None
    found: np.ndarray | None = None
    log_drawn: np.ndarray | None = None
    injected: int = 0


def log_likelihood(log_density, draws):
    """ln L of the one population whose ln density at an array of values is ``log_density``."""
    total = 0.0
    for n, x in enumerate(draws.samples):
        log_ratio = log_density(x) - (0 if draws.log_interim is None else draws.log_interim[n])
        total += logsumexp(log_ratio, b=None if draws.weight is None else draws.weight[n])
        total -= np.log(len(x))
    if draws.found is not None:
        log_kept = logsumexp(log_density(draws.found) - draws.log_drawn) - np.log(draws.injected)
        total -= len(draws.samples) * log_kept
    return total


def log_likelihood_error(log_density, draws):
    """Standard deviation of that ln L over the draws and the injections."""

    def relative_variance(log_ratio, number):
        return np.exp(logsumexp(2 * log_ratio) - 2 * logsumexp(log_ratio)) - 1 / number

    variance = 0.0
    for n, x in enumerate(draws.samples):
        log_ratio = log_density(x) - (0 if draws.log_interim is None else draws.log_interim[n])
        log_ratio += 0 if draws.weight is None else np.log(draws.weight[n])
        variance += relative_variance(log_ratio, len(x))
    if draws.found is not None:
        log_ratio = log_density(draws.found) - draws.log_drawn
        variance += len(draws.samples) ** 2 * relative_variance(log_ratio, draws.injected)
    return np.sqrt(variance)


def log_normal_population(value, error, mu, sigma):
    """ln L of a normal population and normal likelihoods, of the shape of ``mu`` and ``sigma``."""
    mu, sigma = np.broadcast_arrays(mu, sigma)
    each = norm.logpdf(value, mu[..., None], np.hypot(sigma[..., None], error))
    return each.sum(-1)


def log_share_above(threshold, error, mu, sigma):
    """ln of the share of a normal population whose measured value is above ``threshold``.

    ``error`` holds equally likely errors of measurement.
    """
    mu, sigma = np.broadcast_arrays(mu, sigma)
    kept = norm.sf(threshold, mu[..., None], np.hypot(sigma[..., None], error))
    return np.log(kept.mean(-1))


def midpoints(low, high, number):
    """Of equal intervals: their mean is an integral between hard ends."""
    edges = np.linspace(low, high, number + 1)
    return (edges[1:] + edges[:-1]) / 2


def posterior_on_grid(log_posterior, axes):
    """Mean and standard deviation of each hyperparameter, by brute force.

    ``axes`` has equally spaced values by name; ``log_posterior`` is called with a dict of arrays of
    shape (theta,), one value of the first axis at a time.
    """
    names, values = list(axes), list(axes.values())
    rest = [of.ravel() for of in np.meshgrid(*values[1:], indexing="ij")]
    slices = [
        log_posterior(dict(zip(names, [np.full(rest[0].shape, x), *rest], strict=True)))
        for x in values[0]
    ]
    return moments(np.reshape(slices, [len(of) for of in values]), axes)


def moments(log_density, axes):
    """Means and standard deviations of a density on a grid, whose axes are those of the array."""
    density = np.exp(log_density - log_density.max())
    others = [tuple(k for k in range(density.ndim) if k != n) for n in range(density.ndim)]
    return {
        name: _moments(values, density.sum(of))
        for (name, values), of in zip(axes.items(), others, strict=True)
    }


def _moments(values, marginal):
    """Mean and standard deviation."""
    mean = marginal @ values / marginal.sum()
    return float(mean), float(np.sqrt(marginal @ (values - mean) ** 2 / marginal.sum()))


def dirichlet_shares(weight, sweeps, rng, concentration=1.0, burnt=100):
    """Draws of a histogram's shares by Gibbs sampling, shape (sweep, bin).

    ``weight`` (object, bin) has mean likelihoods in the bins; the shares' prior is a symmetric
    Dirichlet distribution. Each object is dealt to a bin, and then the shares follow from counts.
    """
    count = weight.shape[1]
    share, kept = np.full(count, 1 / count), []
    for _ in range(sweeps + burnt):
        below = np.cumsum(weight * share, axis=1)
        chosen = (below < rng.random((len(below), 1)) * below[:, -1:]).sum(1)
        share = rng.dirichlet(concentration + np.bincount(chosen, minlength=count))
        kept.append(share)
    return np.array(kept[burnt:])


# 200 normal likelihoods of a normal population, and 4,000 draws of each

NORMAL = {"mu": (-1.0, 1.0), "lnsigma": (-4.0, 1.0)}  # uniform priors
NORMAL_POSTERIOR = {"mu": (0.00549, 0.01879), "lnsigma": (-1.65970, 0.09482)}


def normal_objects(objects=200, each=4000, seed=15, seed_of_draws=0):
    """Values, their errors, and draws under a flat interim prior, shape (object, draw).

    Draws of another seed move the posterior of ln sigma by .025 of its standard deviation.
    """
    rng = np.random.default_rng(seed)
    error = rng.uniform(0.1, 0.27, objects)
    value = rng.normal(0.0, 0.19, objects) + rng.normal(0, error)
    of_each = np.random.default_rng(seed_of_draws).normal(size=(objects, each))
    return value, error, value[:, None] + error[:, None] * of_each


def normal_posterior(value, error, number=400):
    """Of mu and ln sigma with the priors `NORMAL`, from the closed form: `NORMAL_POSTERIOR`."""
    return posterior_on_grid(
        lambda theta: log_normal_population(value, error, theta["mu"], np.exp(theta["lnsigma"])),
        {name: midpoints(*ends, number) for name, ends in NORMAL.items()},
    )


# Two normal components, such as masses of neutron stars in solar masses

MASSES = {"mu1": (0.9, 1.8), "separation": (0.0, 1.5), "lnsigma1": (-4.5, 0.0),
          "lnsigma2": (-4.5, 0.0), "fraction1": (0.0, 1.0)}  # fmt: skip  # uniform priors
MASSES_POSTERIOR = {"mu1": (1.3473, 0.0228), "separation": (0.3893, 0.0989),
                    "lnsigma1": (-2.5442, 0.2829), "lnsigma2": (-1.7504, 0.3982),
                    "fraction1": (0.6630, 0.1240), "mu2": (1.7366, 0.1026)}  # fmt: skip


def two_normals_posterior(value, error, steps=30):
    """Mean and standard deviation of the parameters of two normal components, by brute force.

    The second mean lies ``separation`` above the first; the priors are `MASSES`. Likelihoods are
    normal. In ``fraction1`` the likelihood is a polynomial of the degree of the number of objects,
    which the rule of Gauss and Legendre integrates without error; the rest are midpoints of
    ``steps`` (a multiple of three) intervals of mu1 and of each ln sigma, and of intervals of the
    separation as wide as those of mu1.
    """
    axes = {name: midpoints(*MASSES[name], steps) for name in ("mu1", "lnsigma1", "lnsigma2")}
    step = np.diff(axes["mu1"])[0]
    axes["separation"] = midpoints(*MASSES["separation"], 5 * steps // 3)
    nodes, weight = np.polynomial.legendre.leggauss(len(value) // 2 + 2)
    axes["fraction1"] = (nodes + 1) / 2
    number = steps + len(axes["separation"]) - 1
    axes["mu2"] = axes["mu1"][0] + axes["separation"][0] + step * np.arange(number)
    first = _densities(value, error, axes["mu1"], axes["lnsigma1"])
    second = _densities(value, error, axes["mu2"], axes["lnsigma2"])
    marginals = _marginals(axes, first, second, weight[:, None, None])
    return {name: _moments(axes[name], of) for name, of in marginals.items()}


def _densities(value, error, mu, lnsigma):
    """Of the objects in one component, shape (object, mu, lnsigma)."""
    sigma = np.hypot(np.exp(lnsigma), error[:, None])[:, None]
    return norm.pdf(value[:, None, None], mu[:, None], sigma)


def _marginals(axes, first, second, weight):
    """Of each parameter and of mu2, as arrays along their axes."""
    found = {name: np.zeros(len(of)) for name, of in axes.items()}
    f, count = axes["fraction1"][:, None, None], len(axes["separation"])
    for i in range(len(axes["mu1"])):
        there = slice(i, i + count)  # of the second means
        for j in range(len(axes["lnsigma1"])):
            density = weight * np.ones((len(f), count, len(axes["lnsigma2"])))
            for own, other in zip(first[:, i, j], second[:, there], strict=True):
                density *= f * own + (1 - f) * other
            found["mu1"][i] += density.sum()
            found["lnsigma1"][j] += density.sum()
            found["fraction1"] += density.sum((1, 2))
            found["separation"] += density.sum((0, 2))
            found["mu2"][there] += density.sum((0, 2))
            found["lnsigma2"] += density.sum((0, 1))
    return found
