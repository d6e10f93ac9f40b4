"""
Your own priors and your own population
=======================================

Every prior is a keyword of its model, with units, and the distribution of a population can be
replaced.
"""

# %%
# Priors
# ------
#
# A prior can be stated in any unit of the right dimension. The families are those of
# :mod:`astro_hier.priors`. Here are four stars of a cluster known to lie between 400 and 600 pc and
# to be thinner than 30 pc:

import astropy.units as u

from astro_hier import BinaryPopulation, StarCluster
from astro_hier import datasets, populations, priors

table = datasets.make_star_cluster(4, random_state=2)
known = StarCluster(
    mu_r=priors.Uniform(400 * u.pc, 600 * u.pc),
    ln_std_r=priors.Uniform(-8, -3.5),
)
known.fit(table, random_state=1, progressbar=False)
known.summary()

# %%
# With so few stars the prior matters. With the default one:

default = StarCluster().fit(table, random_state=1, progressbar=False)
for model in (default, known):
    for name in ("mu_r", "std_r"):
        draws = model.samples(name).to(u.pc)
        print(f"{name} = {draws.mean():.1f} +- {draws.std():.1f}", end="  ")
    print()

# %%
# A prior of the wrong dimension is refused before anything is computed:

try:
    StarCluster(mu_r=priors.Normal(2 * u.mas, 0.1 * u.mas)).fit(table)
except ValueError as error:
    print(error)

# %%
# Populations
# -----------
#
# ``BinaryPopulation`` takes the distribution of ln P as an argument. Here are forty simulated
# binaries, half with periods of days, and half with periods of months:

from astropy.table import vstack

short = datasets.make_binaries(20, mu=1.5, sigma=0.4, random_state=1)
long = datasets.make_binaries(20, mu=4.5, sigma=0.4, random_state=2)
long["star"] = [f"long-{name}" for name in long["star"]]
visits = vstack([short, long], metadata_conflicts="silent")

one = BinaryPopulation().fit(visits, random_state=1, progressbar=False)
two = BinaryPopulation(population=populations.NormalMixture())
two.fit(visits, random_state=1, progressbar=False)
two.summary()

# %%
# The evidence compares the two. That of the mixture is higher by

gain = two.posterior.attrs["log_evidence"] - one.posterior.attrs["log_evidence"]
print(f"{gain:.1f} in ln p(data)")

# %%
two.plot_population()

# %%
# A distribution of your own
# --------------------------
#
# A population is a class with a handful of functions of ln P on plain floats, the methods of
# `astro_hier.populations.Population`. This one has the parameters of the normal distribution but
# heavier tails, so that a few odd stars do not widen it:

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student


@dataclass(frozen=True)
class StudentT(populations.Normal):
    """Student's t of ln(P / d): three degrees of freedom, scale sigma."""

    @staticmethod
    def _frozen(theta):
        mu, sigma = theta["mu"], np.exp(theta["lnsigma"])
        return student(3, mu[:, None], sigma[:, None])

    def log_density(self, ln_period, theta, ends):
        return self._frozen(theta).logpdf(ln_period)

    def outside(self, theta, ends):
        density = self._frozen(theta)
        return np.array([density.cdf(ends[0])[:, 0], density.sf(ends[1])[:, 0]])

    def draw(self, theta, ends, size, rng):
        shape = len(theta["mu"]), size
        return self._frozen(theta).rvs(shape, random_state=rng)


# %%
# It describes twenty binaries with periods of days and two odd ones among them better than a normal
# distribution, whose width the odd ones would determine, as a warning would say:

import warnings

from astro_hier.checks import CheckWarning

warnings.simplefilter("ignore", CheckWarning)
odd = vstack([short, long[:24]], metadata_conflicts="silent")
for population in (populations.Normal(), StudentT()):
    model = BinaryPopulation(population=population)
    model.fit(odd, random_state=1, progressbar=False)
    mu, sigma = (model.samples(name) for name in ("mu", "sigma"))
    print(type(population).__name__)
    print(f"mu = {mu.mean():.2f} +- {mu.std():.2f}", end=", ")
    print(f"sigma = {sigma.mean():.2f}", end=", ")
    print(f"ln p(data) = {model.posterior.attrs['log_evidence']:.1f}")

# %%
# ``method="nuts"`` also needs a method ``pymc`` that returns the distribution as a PyMC variable.
# To save such a fit, register the class, and do so again before loading the file:

import tempfile
from pathlib import Path

from astro_hier.posterior import register

register(StudentT, "tutorial.StudentT")
path = Path(tempfile.mkdtemp()) / "odd.nc"
model.save(path)
BinaryPopulation.load(path).population

# %%
# :doc:`5_new_model` is about a model for entirely different data.
