"""The class `VelocityDispersion`: its arguments, columns, parameters and hooks."""

import astropy.units as u
import numpy as np

from astro_hier import annotations, datasets, outliers, priors
from astro_hier.model import HierarchicalModel
from astro_hier.models.errors import as_errors
from astro_hier.models.membership import as_background
from astro_hier.models.velocity_dispersion import (
    checks,
    figures,
    joint,
    likelihood,
    start,
    tables,
)
from astro_hier.models.velocity_dispersion.likelihood import KMS, QUANTITIES, Members
from astro_hier.part import Option
from astro_hier.plots.returned import on_axes
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.table import Role

FARTHEST = 1100.0  # redshift, of the last scattering of light


class VelocityDispersion(HierarchicalModel):
    """Mean velocity and velocity dispersion of a system, and each member's velocity within it.

    The members' line-of-sight velocities are normally distributed about the system's, and measured
    with the stated errors.

    Parameters
    ----------
    v_sys : `~astro_hier.priors.Prior`, optional
        Prior on the velocity of the system, a speed; c times its redshift if the table has
        redshifts.
    ln_sigma_v : `~astro_hier.priors.Prior`, optional
        Prior on ln(sigma_v / (km/s)), a number.
    error_scale : `~astro_hier.priors.Prior` or float, optional
        Factor that multiplies all errors, a number; by default they are taken as stated.
    outliers : bool or `~astro_hier.outliers.VelocityBackground`, optional
        Distribution of the velocities of rows that are not members; True means the default one.
    star_draws : {"auto", True, False}, optional
        Whether to keep draws of each member's parameters; "auto" keeps them for up to 1000.
    columns : dict or str, optional
        Names of the columns that the model reads, by role: either ``velocity`` and
        ``velocity_error`` (speeds in any unit) or ``redshift`` and ``redshift_error`` (numbers)
        and, optionally, ``star`` (identifiers, integers or strings). By default a column has the
        name of its role. Give the column's name, or a tuple of name and unit if the table has no
        units: ``{"velocity": "rv", "velocity_error": ("e_rv", u.km / u.s)}``; or the name
        of a preset of `astro_hier.columns`, such as "gaia". ``{"redshift": None,
        "redshift_error": None}`` ignores the redshifts in a table that also has velocities.
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values raises an error, or such rows are dropped
        with a warning.

    Notes
    -----
    The posterior has these variables:

    ============== ======= ==================================================================
    name           unit    meaning
    ============== ======= ==================================================================
    ``v_sys``      km / s  velocity of the system; c times its redshift
    ``ln_sigma_v``         ln(sigma_v / (km/s))
    ``sigma_v``    km / s  standard deviation of the members' velocities along the line of sight
    ``v``          km / s  velocity of each member relative to the system, dimension ``star``;
                           from redshifts, in the frame of the system
    ``log_prob``           ln of the density of the parameters above except ``v``, which is
                           integrated out, up to a constant
    ============== ======= ==================================================================

    With the options, it also has ``error_scale``, the parameters of the background, and ``member``,
    the probability that a row is a member given the other parameters, dimension ``star``.

    The attribute ``resolved`` is 1 if the data rule out zero dispersion (a likelihood ratio of
    e^2), and 0 if not; then quote `sigma_v_upper_limit`.

    Examples
    --------
    >>> from astro_hier import VelocityDispersion, datasets
    >>> table = datasets.make_velocities(random_state=2)
    >>> system = VelocityDispersion().fit(table, random_state=1, progressbar=False)
    >>> print(f"{system.samples('sigma_v').mean():.1f}")
    5.0 km / s
    """

    roles = (
        # of stars and of galaxies, which may be far away
        Role("velocity", KMS, required=False, observed=True, usual=(0.0, 2000.0), relative=True),
        Role("velocity_error", KMS, positive=True, required=False),
        Role("redshift", u.one, required=False, observed=True, above=-1.0, largest=FARTHEST),
        Role("redshift_error", u.one, positive=True, required=False),
        Role("star", None, required=False, unique=True),
    )
    command = "dispersion"
    scale = "sigma_v"
    options = (
        Option("outliers", "True", (outliers.VelocityBackground,)),
        Option("error_scale", takes_prior=True),
    )

    def __init__(
        self,
        *,
        v_sys: annotations.PriorLike = priors.Uniform(-1000 * KMS, 1_000_000 * KMS),
        ln_sigma_v: annotations.PriorLike = priors.Uniform(-3, 8.5),
        error_scale: annotations.PriorLike | None = None,
        outliers: outliers.Background | bool | None = None,
        star_draws: annotations.KeepDraws = "auto",
        columns: annotations.ColumnsLike = None,
        on_invalid: annotations.OnInvalid = "raise",
    ) -> None:
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.v_sys = v_sys
        self.ln_sigma_v = ln_sigma_v
        self.error_scale = error_scale
        self.outliers = outliers
        self.star_draws = star_draws

    example = staticmethod(datasets.make_velocities)

    @property
    def _errors(self):
        return as_errors(self.error_scale)

    @property
    def _background(self):
        return as_background(self.outliers, outliers.VelocityBackground)

    @property
    def parts(self):
        return (self._errors, *self._background.owners)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (
            Parameter("v_sys", KMS, r"v_\mathrm{sys}", "velocity of the system", bounds=UNBOUNDED),
            Parameter("ln_sigma_v", u.one, r"\ln(\sigma_v/\mathrm{km\,s^{-1}})",
                      "ln of the velocity dispersion", bounds=UNBOUNDED),
            Parameter("sigma_v", KMS, r"\sigma_v", "velocity dispersion along the line of sight"),
            *self._errors.parameters,
            *self._background.parameters,
            Parameter("v", KMS, "v", "velocity relative to the system", ("star",)),
            *self._background.latents,
        )  # fmt: skip

    # ---- hooks

    def check_arguments(self):
        self.keeps_draws(0)

    def prepare(self, rows, progressbar):
        quantity = next(one for one in QUANTITIES if one.name in rows)
        measured = rows[quantity.name], rows[quantity.error_name]
        return Members(*measured, rows["star"], quantity, self._errors, self._background)

    def lower_ends(self, data):
        return self._background.lower_ends(lambda theta: likelihood.spread(data, theta))

    def log_marginal(self, data, theta):
        return likelihood.log_marginal(data, theta)

    def log_likelihood(self, data, values):
        return likelihood.log_likelihood(data, values)

    def draw_latents(self, data, theta, rng, progressbar=False):
        if not self.keeps_draws(len(data.star)):
            return {}
        return likelihood.draw_latents(data, theta, rng)

    def derive(self, theta):
        return {"sigma_v": np.exp(theta["ln_sigma_v"])}

    def simulate(self, data, theta, rng):
        return likelihood.simulate(data, theta, rng)

    def headline(self):
        return ["v_sys", "sigma_v"]

    def rows_to_compare(self, data):
        return data.background.rows_to_compare(data.value, data.stated_error)

    def remedy_of_rows(self):
        return self._background.remedy_of_rows

    def reword(self, finding):
        return self._background.reword(finding)

    initial, candidates = start.initial, start.candidates
    build_pymc = joint.build_pymc
    check_rows, diagnose, check = checks.check_rows, checks.diagnose, checks.check

    # ---- results

    sigma_v_upper_limit = tables.sigma_v_upper_limit
    star_table = tables.star_table
    predict = tables.predict
    graph = property(figures.graph)
    plot_data = on_axes(figures.plot_data)
