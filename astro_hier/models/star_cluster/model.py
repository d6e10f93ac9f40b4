"""The class `StarCluster`: its arguments, columns, parameters and hooks."""

from dataclasses import replace

import astropy.units as u
import numpy as np

from astro_hier import annotations, datasets, outliers, priors, profiles
from astro_hier.model import HierarchicalModel
from astro_hier.models.star_cluster import (
    checks,
    draws,
    far,
    figures,
    joint,
    likelihood,
    many_offsets,
    start,
    tables,
)
from astro_hier.models.star_cluster import options as of_options
from astro_hier.part import Option
from astro_hier.plots.returned import on_axes


class StarCluster(HierarchicalModel):
    """Mean distance and line-of-sight depth of a star cluster, and each star's distance.

    The stars' distances r are normally distributed about the cluster's, and the parallaxes about
    1/r, with the stated errors. Negative parallaxes are valid measurements. Options describe what
    else real tables contain: a zero point, errors that are too small or correlated, stars that are
    not members, and a distribution of distances with wings. They can be combined.

    Parameters
    ----------
    mu_r : `~astro_hier.priors.Prior`, optional
        Prior on the mean distance, a length.
    ln_std_r : `~astro_hier.priors.Prior`, optional
        Prior on ln(std_r / kpc), a number.
    profile : `~astro_hier.profiles.Profile`, optional
        Distribution of the distances about mu_r: `~astro_hier.profiles.Normal` or
        `~astro_hier.profiles.CoreHalo`.
    zero_point : `~astropy.units.Quantity`, `~astro_hier.priors.Prior` or str, optional
        Offset of the measured parallaxes from 1/r, such as Gaia's -0.029 mas in data release 2:
        its value; a prior, to infer it; or the name of a column with one for each star.
    error_scale : float or `~astro_hier.priors.Prior`, optional
        Factor that multiplies all errors; by default they are taken as stated.
    outliers : bool or `~astro_hier.outliers.ParallaxBackground`, optional
        Distribution of the parallaxes of stars that are not members; True means the default one.
    parallax_covariance : str or callable, optional
        Covariance of the parallaxes of two stars as a function of the angle between them: one of
        `astro_hier.covariances.COVARIANCES` by name, or a function from Quantity to Quantity. The
        table must then have the columns ``ra`` and ``dec``.
    star_draws : {"auto", True, False}, optional
        Whether to keep draws of each star's distance and membership; "auto" keeps them for up to
        1000 stars. `star_table` has their means and standard deviations in any case.
    columns : dict or str, optional
        Names of the columns that the model reads, by role: ``parallax`` and ``parallax_error``
        (angles in any unit) and, optionally, ``star`` (identifiers, integers or strings); with the
        options that need them, ``zero_point``, ``ra`` and ``dec``. By default a column has the name
        of its role. Give the column's name, or a tuple of name and unit if the table has no units:
        ``{"parallax": "plx", "parallax_error": ("e_plx", u.mas)}``; or the
        name of a preset of `astro_hier.columns`, such as "gaia". ``{"star": None}`` numbers the
        rows.
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values raises an error, or such rows are dropped
        with a warning.

    Notes
    -----
    The posterior has these variables:

    ==================== ======= ==========================================================
    name                 unit    meaning
    ==================== ======= ==========================================================
    ``mu_r``             kpc     mean distance
    ``ln_std_r``                 ln(std_r / kpc)
    ``std_r``            kpc     standard deviation of the distances (of the core)
    ``halo_fraction``            share of stars in the halo (profile)
    ``ln_halo_ratio``            ln of halo_ratio (profile)
    ``halo_ratio``               depth of the halo over that of the core (profile)
    ``zero_point``       mas     zero point (if given, not as a column)
    ``error_scale``              true errors over stated errors (if given)
    ``outlier_fraction``         share of stars that are not members (outliers)
    ``outlier_mean``     mas     mean of their parallaxes (outliers)
    ``outlier_sd``       mas     standard deviation of their parallaxes (outliers)
    ``mode``                     common offsets, in standard deviations, dimension
                                 ``mode_number`` (parallax_covariance)
    ``r``                kpc     distance of each star, dimension ``star``
    ``member``                   probability that each star is a member, given the
                                 parameters of the draw, dimension ``star`` (outliers)
    ``log_prob``                 ln of the density of all parameters except the stars' own,
                                 up to a constant
    ==================== ======= ==========================================================

    ``r`` is the distance of a star in draws in which it is a member; in the others it is a draw
    from the population, since the parallax does not constrain it. The mean of ``member`` over the
    draws is the probability that the star is a member. In `pymc_model`, which sums over membership,
    the ``r`` of a non-member roughly follows the distribution that it would have as a member, so
    that NUTS need not jump; `fit` replaces it with a draw from the population.

    The attribute ``resolved`` is 1 if the data rule out zero depth (a likelihood ratio of e^2), and
    0 if not; then quote `std_r_upper_limit`.

    With ``parallax_covariance``, the posterior's ``attrs`` have ``covariance_modes``, the number of
    common offsets kept; ``covariance_left_out``, the share by which the variance of a mean parallax
    is too small because the others are left out; and ``covariance_depth_off``, by how many standard
    deviations (root mean square) the depth changes for the same reason. Up to six offsets are
    parameters of ``log_prob``; more are integrated out of it, see `astro_hier.core.offsets`.

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster().fit(table, random_state=1, progressbar=False)
    >>> print(f"{cluster.samples('mu_r').mean().to('pc'):.0f}")
    500 pc
    """

    command = "cluster"
    scale = "std_r"
    roles_of_options = ("zero_point", "ra", "dec")
    options = (
        Option("profile", families=(profiles.Normal, profiles.CoreHalo)),
        Option("zero_point", "'-0.029 mas'", takes_prior=True),
        Option("error_scale", takes_prior=True),
        Option("outliers", "True", (outliers.ParallaxBackground,)),
    )

    def __init__(
        self,
        *,
        mu_r: annotations.PriorLike = priors.TruncatedNormal(1 * u.kpc, 2 * u.kpc, lower=0 * u.kpc),
        ln_std_r: annotations.PriorLike = priors.Uniform(-8, 0),
        profile: profiles.Profile = profiles.Normal(),
        zero_point: annotations.ZeroPointLike = None,
        error_scale: annotations.PriorLike | None = None,
        outliers: outliers.Background | bool | None = None,
        parallax_covariance: annotations.CovarianceLike = None,
        star_draws: annotations.KeepDraws = "auto",
        columns: annotations.ColumnsLike = None,
        on_invalid: annotations.OnInvalid = "raise",
    ) -> None:
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.mu_r = mu_r
        self.ln_std_r = ln_std_r
        self.profile = profile
        self.zero_point = zero_point
        self.error_scale = error_scale
        self.outliers = outliers
        self.parallax_covariance = parallax_covariance
        self.star_draws = star_draws

    example = staticmethod(datasets.make_star_cluster)

    roles, parameters = property(of_options.roles), property(of_options.parameters)
    parts = property(of_options.parts)

    # ---- hooks

    def check_arguments(self):
        self.keeps_draws(0)
        of_options.as_offsets(self.parallax_covariance).check_argument()

    def prepare_simulated(self, rows, data, progressbar=False):
        # with the same common offsets
        return far.with_sample(self, replace(data, parallax=rows["parallax"]))

    def standard_normals(self, data):
        return data.offsets.sampled

    def coordinates(self, data):
        return {f"{name}_number": np.arange(n) for name, n in data.offsets.numbers.items()}

    def lower_ends(self, data):
        return of_options.background_of(self).lower_ends(
            lambda theta: likelihood.spread(self.profile, theta | self.derive(theta))
        )

    def log_marginal(self, data, theta):
        if data.offsets.missing(theta):
            return many_offsets.integrate(data, theta)
        return far.log_marginal(data, theta)

    def log_likelihood(self, data, values):
        return likelihood.log_likelihood(data, values)

    def draw_latents(self, data, theta, rng, progressbar=False):
        kept = self.keeps_draws(len(data.star))
        return draws.draw_latents(data, theta, rng, progressbar, of_stars=kept)

    def finish(self, data, values, rng):
        return draws.finish(data, values, rng)

    def derive(self, theta):
        return likelihood.derive(self.profile, theta)

    def simulate(self, data, theta, rng):
        return draws.simulate(data, theta, rng)

    def headline(self):
        return ["mu_r", "std_r"]

    def rows_to_compare(self, data):
        parallax = data.parallax - data.zero_point.by_star
        return data.background.rows_to_compare(parallax, data.parallax_error)

    def remedy_of_rows(self):
        return of_options.background_of(self).remedy_of_rows

    def reword(self, finding):
        return of_options.background_of(self).reword(finding)

    prepare, build_pymc = of_options.prepare, joint.build_pymc
    initial, candidates = start.initial, start.candidates
    check_table, diagnose, check = checks.check_table, checks.diagnose, checks.check

    # ---- results

    star_table = tables.star_table
    std_r_upper_limit = tables.std_r_upper_limit
    predict = tables.predict
    graph = property(figures.graph)
    plot_data = on_axes(figures.plot_data)
    plot_distances = on_axes(figures.plot_distances)
