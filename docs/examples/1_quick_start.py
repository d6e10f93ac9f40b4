"""
Quick start
===========

From a table of your own to its posterior: a star cluster's distance, and a binary's orbit.
"""

# %%
# Install
# -------
#
# With Python 3.11 or later, in the folder of the source: ``pip install .``
#
# A cluster from its parallaxes
# -----------------------------
#
# A model takes an astropy table with one row for each star. Here it is simulated; yours would come
# from ``QTable.read("members.ecsv")``, or from any other format that astropy reads. Columns have
# units; if yours have other names, or your file has no units, see :doc:`/tables`.

from astro_hier import StarCluster, datasets

table = datasets.make_star_cluster(random_state=42)
table[:5]

# %%
# One call draws exactly from the posterior: the stars' distances are integrated out, so there is no
# chain to wait for. ``random_state`` makes the draws repeatable.

cluster = StarCluster().fit(table, random_state=1, progressbar=False)
cluster.summary()

# %%
# ``mu_r`` is the mean distance, ``std_r`` the depth along the line of sight. The simulated truth is
# 500 pc and 8.7 pc. Draws are Quantities:

import astropy.units as u

print(cluster.samples("mu_r").to(u.pc))
print(cluster.samples("r").shape, "draws of the distance of each star")

# %%
# A figure shows what the model has learnt: stars with poor parallaxes are pulled towards the
# cluster.

cluster.plot_distances()

# %%
# A binary from its velocities
# ----------------------------
#
# The table has one row for each visit: ``time``, ``rv`` and ``rv_error``.

from astro_hier import SB1Binary

visits = datasets.make_binary(10, random_state=2)
star = SB1Binary().fit(visits, random_state=1, progressbar=False)
star.plot_phase()

# %%
# ``modes`` lists the periods that the velocities allow, with the probability of each.

star.modes()

# %%
# Keep it
# -------
#
# One netCDF file holds draws, data and priors. Any netCDF software can read it; loading it runs no
# code.

import tempfile
from pathlib import Path

path = Path(tempfile.mkdtemp()) / "star.nc"
star.save(path)
print(SB1Binary.load(path).summary()["parameter", "mean", "sd"])

# %%
# Next
# ----
#
# :doc:`2_hierarchical_models` goes through three of the models step by step; :doc:`/tables`
# explains how your own columns are read, and :doc:`/diagnostics` what to check before you believe a
# result.
