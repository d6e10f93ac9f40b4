"""
Two methods, one posterior
==========================

The default method integrates out the latent variables; ``method="nuts"`` samples all of them
jointly with PyMC. Both draw from the same posterior, which is worth seeing once.
"""

# %%
import time

import matplotlib.pyplot as plt

from astro_hier import StarCluster, datasets

table = datasets.make_star_cluster(32, random_state=1)
began = time.perf_counter()
marginal = StarCluster().fit(table, random_state=1, progressbar=False)
middle = time.perf_counter()
nuts = StarCluster().fit(
    table, method="nuts", draws=500, tune=500, random_state=1, progressbar=False
)
end = time.perf_counter()
print(f"marginal {middle - began:.1f} s, nuts {end - middle:.1f} s")

# %%
# The means differ by no more than their Monte Carlo errors:

names = ["parameter", "mean", "sd", "mcse_mean", "ess_bulk", "r_hat"]
for name, fit in (("marginal", marginal), ("nuts", nuts)):
    print(name)
    fit.summary()[names].pprint()

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for ax, name in ((left, "mu_r"), (right, "ln_std_r")):
    for label, fit in (("marginal", marginal), ("nuts", nuts)):
        draws = fit.samples(name).value
        ax.hist(draws, bins=40, density=True, histtype="step", label=label)
    ax.set(xlabel=name, ylabel="density")
    ax.locator_params(axis="x", nbins=5)
_ = left.legend()

# %%
# When to use which
# -----------------
#
# *marginal* is exact to stated tolerances, finds every mode, and gives the evidence: use it by
# default.
#
# *nuts* takes any prior and any change to the model that PyMC can express: ``pymc_model(table)``
# returns the joint model to work on. It stays in the mode of a period in which it starts, and you
# have to look at ``r_hat`` and ``divergences``, see :doc:`/diagnostics`. Most of its time goes into
# compiling the model, and its draws depend on the version of PyMC.

print(nuts.summary().meta)
