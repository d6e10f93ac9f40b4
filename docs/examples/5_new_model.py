r"""
A model of your own
===================

`astro_hier.model.HierarchicalModel` provides what every estimator has: units, checks, fitting,
summary, figures, files. A new model adds its mathematics. This page builds one in fifty lines: the
mean metallicity of a cluster and its intrinsic scatter, from stars with measured [Fe/H].

.. math::

   m &\sim \mathrm{Normal}(0, 1) \\
   \ln s &\sim \mathrm{Uniform}(-8, 0) \\
   x_n &\sim \mathrm{Normal}(m, s) \\
   y_n &\sim \mathrm{Normal}(x_n, \sigma_n)

With the stars' own values :math:`x_n` integrated out, :math:`y_n \sim \mathrm{Normal}(m,
\sqrt{s^2 + \sigma_n^2})`; given :math:`m` and :math:`s`, :math:`x_n` is normal about the weighted
mean of :math:`y_n` and :math:`m`.
"""

# %%
# The model
# ---------
#
# ``roles`` are the columns that it reads, and ``parameters`` the quantities in its posterior, in
# the units that all hooks use; those with a prior in ``__init__`` are sampled. ``data`` holds float
# arrays by role, and ``theta`` arrays of shape (n,) by parameter.

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.stats import norm

from astro_hier import priors
from astro_hier.model import HierarchicalModel
from astro_hier.plots import Node
from astro_hier.posterior import Parameter
from astro_hier.table import Role


class MetallicitySpread(HierarchicalModel):
    """Mean metallicity of a cluster's stars, and its intrinsic scatter."""

    roles = (
        Role("metallicity", u.dex, observed=True),
        Role("metallicity_error", u.dex, positive=True),
        Role("star", None, required=False, unique=True),
    )
    parameters = (
        Parameter("mean", u.dex, "m", "mean metallicity"),
        Parameter(
            "ln_scatter", u.one, r"\ln(s/\mathrm{dex})", "ln of the scatter"
        ),
        Parameter("scatter", u.dex, "s", "intrinsic scatter"),
        Parameter("x", u.dex, "x", "metallicity of each star", ("star",)),
    )
    graph = (
        Node("mean", (0, 2), ("x",)),
        Node("ln_scatter", (1.5, 2), ("x",), symbol=r"\ln s"),
        Node("x", (0.75, 1), ("metallicity",), ("star",), symbol="x_n"),
        Node(
            "metallicity_error",
            (2, 0),
            ("metallicity",),
            ("star",),
            symbol=r"\sigma_n",
        ),
        Node("metallicity", (0.75, 0), plates=("star",), symbol="y_n"),
    )

    def __init__(
        self,
        *,
        mean=priors.Normal(0 * u.dex, 1 * u.dex),
        ln_scatter=priors.Uniform(-8, 0),
        columns=None,
        on_invalid="raise",
    ):
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.mean = mean
        self.ln_scatter = ln_scatter

    def log_marginal(self, data, theta):
        y, error = data["metallicity"], data["metallicity_error"]
        total = np.hypot(np.exp(theta["ln_scatter"])[:, None], error)
        return norm.logpdf(y, theta["mean"][:, None], total).sum(axis=1)

    def draw_latents(self, data, theta, rng, progressbar=False):
        mean, prior = theta["mean"], np.exp(-2 * theta["ln_scatter"])
        weight = data["metallicity_error"] ** -2
        total = prior[:, None] + weight
        weighted = weight * data["metallicity"] + (prior * mean)[:, None]
        return {"x": rng.normal(weighted / total, total**-0.5)}

    def derive(self, theta):
        return {"scatter": np.exp(theta["ln_scatter"])}


# %%
# A fit
# -----
#
# The model has the summary, files and figures that all models have (``plot_data`` and ``predict``
# are up to each model). Here is a table of 60 stars with [Fe/H] = -0.30 and a scatter of 0.03 dex:

rng = np.random.default_rng(1)
error = rng.uniform(0.02, 0.08, 60)
metallicity = rng.normal(rng.normal(-0.30, 0.03, 60), error)
table = QTable(
    {"metallicity": metallicity * u.dex, "metallicity_error": error * u.dex}
)

model = MetallicitySpread().fit(table, random_state=1, progressbar=False)
model.summary()

# %%
model.plot_graph()

# %%
model.plot_corner(truths={"mean": -0.30, "ln_scatter": np.log(0.03)})

# %%
# Is it right?
# ------------
#
# Two hyperparameters can be computed on a grid. That gives an independent answer to compare with,
# and every model in this package has one in its tests:

mean, ln_scatter = np.meshgrid(
    np.linspace(-0.4, -0.2, 400), np.linspace(-8, 0, 400)
)
grid = {"mean": mean.ravel(), "ln_scatter": ln_scatter.ravel()}
log_p = model.log_marginal(model.fitted_data(), grid) + model.log_prior(grid)
weight = np.exp(log_p - log_p.max())
expected = np.average(grid["mean"], weights=weight)
fitted = model.samples("mean").mean().value
print(f"mean: {fitted:.4f} fitted, {expected:.4f} on a grid")

# %%
# For ``pymc_model`` and ``method="nuts"``, add the hook ``build_pymc``; ``simulate`` draws data
# from the model, for tests. A model that the package exports is run through the contract tests that
# all models share, see :doc:`/architecture`.
