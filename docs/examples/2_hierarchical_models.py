r"""
Hierarchical models with astro_hier
===================================

A model with one level has parameters :math:`\theta`, a prior on them, and data :math:`D`. A
hierarchical model has a level above: the parameters of many objects are themselves drawn from a
population, whose own parameters :math:`\alpha` (hyperparameters) are also inferred:

.. math:: p(D, \theta, \alpha) = p(D \mid \theta)\, p(\theta \mid \alpha)\, p(\alpha)

Each object then tells us about the population, and the population about each object. This page
follows Price-Whelan (2022), *Hierarchical Models 1*, which builds three such models by hand:
the distance of a star cluster, the orbit of a binary star, and the periods of a population of
binaries.
"""

# %%
# A cluster of stars
# ------------------
#
# We measure parallaxes of stars that belong to one cluster, and want the cluster's distance and its
# depth along the line of sight. The graphical model shows what depends on what: shaded nodes are
# observed, dots are known, and the plate is repeated for each star.

import astropy.units as u

from astro_hier import BinaryPopulation, SB1Binary, StarCluster, datasets

StarCluster().plot_graph()

# %%
# The distances :math:`r_n` are normal about :math:`\mu_r` with standard deviation
# :math:`\sigma_r`; each parallax is normal about :math:`1/r_n` with its stated error. Here are 256
# simulated stars at 500 pc. Their errors lie between 0.01 and 0.1 mas, so some distances are well
# known, and others hardly at all:

table = datasets.make_star_cluster(random_state=42)
table[:5]

# %%
# The model comes with priors, units, and its own starting point, the inverse-variance weighted mean
# parallax:

cluster = StarCluster()
{name: cluster.initial_values(table)[name] for name in ("mu_r", "std_r")}

# %%
# A fit draws from the posterior:

cluster.fit(table, random_state=42, progressbar=False)
cluster.summary()

# %%
# The parallaxes, with that of the cluster:

cluster.plot_data()

# %%
# The hyperparameters, with the simulated truth marked:

cluster.plot_corner(truths=table.meta["truth"])

# %%
# Each star also has a posterior distance. A star with a good parallax keeps its own distance; one
# with a poor parallax takes on the cluster's. That is shrinkage:

cluster.plot_distances()

# %%
# The star with the smallest parallax shows it best:

import numpy as np

n = int(np.argmin(table["parallax"]))
naive = table["parallax"][n].to(u.pc, u.parallax())
r = cluster.samples("r")[:, n].to(u.pc)
print(f"1/parallax {naive:.0f}, posterior {r.mean():.0f} +- {r.std():.0f}")
print(f"truth {table.meta['truth']['r'][n]:.0f}")

# %%
# A binary star
# -------------
#
# A star with an unseen companion moves back and forth along the line of sight. On a circular orbit,
# its velocity is
#
# .. math:: v(t) = a \cos\frac{2 \pi t}{P} + b \sin\frac{2 \pi t}{P} + v_0
#
# with the period :math:`P` unknown. Given the period, the velocities are linear in :math:`a`,
# :math:`b` and :math:`v_0`. We simulate a survey of 14 binaries, with a dozen visits to each:

visits = datasets.make_binaries(14, random_state=42)
visits[:5]

# %%
# Take one of them. The starting point is the highest peak of the Lomb-Scargle periodogram, with
# linear least squares at that period.

one = visits[visits["star"] == "star-0003"]
star = SB1Binary()
star.initial_values(one)

# %%
star.fit(one, random_state=42, progressbar=False)
star.summary()

# %%
# The velocities with orbits drawn from the posterior:

star.plot_data()

# %%
# Here is the posterior of the period itself, with the other parameters integrated out, over the
# whole range of its prior:

star.plot_periodogram()

# %%
# Folded at the best period, with residuals:

star.plot_phase()

# %%
# The parameters, with the truth:

truth = {name: visits.meta["truth"][name][3] for name in ("P", "a", "b", "v0")}
star.plot_corner(truths=truth)

# %%
# With only five visits, the same star allows several periods. All of them are found, each with its
# probability, which a sampler that walks from one starting point cannot do. A warning says that the
# mean of the period then means nothing, and where to look:

import warnings

few = SB1Binary()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    few.fit(one[:5], random_state=42, progressbar=False)
for warning in caught:
    print(warning.message)

# %%
few.plot_periodogram()
few.modes()[:5]

# %%
# A population of binaries
# ------------------------
#
# Now all stars at once. The logarithms of their periods are normal with mean :math:`\mu` and
# standard deviation :math:`\sigma`, which are inferred: three levels, with one plate inside
# another.

population = BinaryPopulation()
population.plot_graph()

# %%
population.fit(visits, random_state=42, progressbar=False)
population.summary()

# %%
# The velocities of every star,

population.plot_data()

# %%
# folded at its best period given the population:

population.plot_phase()

# %%
# The population's parameters with the truth, and the draws in order. These are independent, so the
# trace has no structure:

population.plot_corner(truths=visits.meta["truth"])

# %%
population.plot_trace()

# %%
# The period distribution itself, on top of the stars' own periods:

population.plot_population()

# %%
# And a table to join to a catalogue:

population.star_table()

# %%
# Where to go from here
# ---------------------
#
# The original takes 21 s, 220 s and 502 s to sample its three models. :doc:`/methods` explains the
# methods that replace it; ``fit(table, method="nuts")`` samples the same models with PyMC, like the
# original. :doc:`3_own_priors` is about your own priors and populations.
