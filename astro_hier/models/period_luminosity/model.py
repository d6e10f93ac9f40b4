"""The class `PeriodLuminosity`: its arguments, columns, parameters and hooks."""

import copy
from typing import Self

import astropy.units as u

from astro_hier import annotations, datasets, outliers, priors
from astro_hier.model import HierarchicalModel
from astro_hier.models.errors import as_errors
from astro_hier.models.period_luminosity import (
    checks,
    draws,
    figures,
    joint,
    likelihood,
    prepare,
    start,
    tables,
)
from astro_hier.models.period_luminosity.data import (
    COLUMNS,
    OF_METALLICITY,
    OF_STARS,
    POPULATION,
    RELATION,
    SLOPE,
    TRENDS,
    Stars,
)
from astro_hier.models.period_luminosity.outliers import as_outliers
from astro_hier.models.zero_point import as_zero_point
from astro_hier.part import Option
from astro_hier.plots.returned import on_axes
from astro_hier.posterior import Parameter
from astro_hier.table import Role


class PeriodLuminosity(HierarchicalModel):
    """A period-luminosity-metallicity relation, and each star's distance, from parallaxes.

    The absolute magnitudes of pulsating stars scatter about a plane in log10 of the period and, if
    the table has it, [Fe/H]. Parallaxes tell where the plane is, and the plane then gives distances
    better than most of the parallaxes. Negative parallaxes are valid measurements.

    Parameters
    ----------
    alpha : `~astro_hier.priors.Prior`, optional
        Prior on the absolute magnitude at the pivots, in magnitudes.
    beta, gamma : `~astro_hier.priors.Prior`, optional
        Priors on the slopes in log10 of the period and in [Fe/H], in mag / dex.
    scatter : `~astro_hier.priors.Prior`, optional
        Prior on the intrinsic scatter about the relation, in magnitudes.
    mu_log_period, sigma_log_period, mu_feh, sigma_feh : `~astro_hier.priors.Prior`, optional
        Priors on mean and standard deviation of log10(P / d) and of [Fe/H], in dex.
    mu_modulus, sigma_modulus : `~astro_hier.priors.Prior`, optional
        Priors on mean and standard deviation of the distance moduli, in magnitudes.
    trends : bool, optional
        Whether [Fe/H] depends on the period, and the distance on both, as in every table that is
        limited in flux. Without that, slopes are biased.
    feh_period, modulus_period, modulus_feh : `~astro_hier.priors.Prior`, optional
        Priors on the slopes of these trends: a number, and in mag / dex.
    zero_point : `~astropy.units.Quantity`, `~astro_hier.priors.Prior` or str, optional
        Offset of the measured parallaxes from 1/r: its value; a prior, to infer it; or the name of
        a column with one for each star.
    error_scale : float or `~astro_hier.priors.Prior`, optional
        Factor that multiplies all errors of parallaxes; by default they are taken as stated.
    outliers : bool or `~astro_hier.outliers.WiderScatter`, optional
        Stars with a second, wider scatter about the relation; True means the default one.
    pivot_period : `~astropy.units.Quantity`, optional
        Period at which alpha is the absolute magnitude.
    pivot_feh : `~astropy.units.Quantity` or float, optional
        [Fe/H] at which alpha is the absolute magnitude.
    star_draws : {"auto", True, False}, optional
        Whether to keep draws of each star's parameters; "auto" keeps them for up to 1000.
    columns : dict or str, optional
        Names of the columns that the model reads, by role: ``period`` (a time), ``magnitude`` and
        ``magnitude_error`` (mag, mag(AB), mag(Vega)...), ``parallax`` and ``parallax_error``
        (angles) and, optionally, ``period_error``, ``feh`` and ``feh_error`` ([Fe/H] in dex, or
        without unit), ``extinction`` and ``extinction_error`` (in the band of the magnitude, from
        which it is subtracted) and ``star`` (identifiers). By default a column has the name of its
        role. Give the column's name, or a tuple of name and unit if the table has no units:
        ``{"magnitude": "Ks", "period": ("P", u.day)}``. ``{"feh": None}`` ignores a column.
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values raises an error, or such rows are dropped
        with a warning.

    Notes
    -----
    The posterior has these variables:

    ====================== ========= ==========================================================
    name                   unit      meaning
    ====================== ========= ==========================================================
    ``alpha``              mag       absolute magnitude at the pivots
    ``beta``               mag / dex slope in log10 of the period
    ``gamma``              mag / dex slope in [Fe/H] (with ``feh``)
    ``scatter``            mag       intrinsic scatter about the relation
    ``mu_log_period``      dex       mean of log10(P / d)
    ``sigma_log_period``   dex       its standard deviation
    ``mu_feh``             dex       mean [Fe/H] (with ``feh``)
    ``sigma_feh``          dex       its standard deviation at one period
    ``mu_modulus``         mag       mean distance modulus
    ``sigma_modulus``      mag       its standard deviation at one period and [Fe/H]
    ``feh_period``                   slope of [Fe/H] in log10 P (trends, with ``feh``)
    ``modulus_period``     mag / dex slope of the distance modulus in log10 P (trends)
    ``modulus_feh``        mag / dex slope of the distance modulus in [Fe/H] (trends, ``feh``)
    ``zero_point``         mas       zero point (if given, not as a column)
    ``error_scale``                  true errors of parallaxes over stated ones (if given)
    ``outlier_fraction``             share of stars that are not members (outliers)
    ``outlier_scatter``    mag       their scatter about the relation (outliers)
    ``r``                  kpc       distance of each star, dimension ``star``
    ``absolute_magnitude`` mag       absolute magnitude of each star, dimension ``star``
    ``member``                       probability that each star is a member, given the
                                     parameters of the draw, dimension ``star`` (outliers)
    ``log_prob``                     ln of the density of all parameters except the stars' own,
                                     up to a constant
    ====================== ========= ==========================================================

    Examples
    --------
    >>> from astro_hier import PeriodLuminosity, datasets
    >>> table = datasets.make_period_luminosity(200, random_state=3)
    >>> relation = PeriodLuminosity().fit(table, random_state=1, progressbar=False)
    >>> print(f"{relation.samples('beta').mean():.1f}")
    -2.6 mag / dex
    """

    command = "period-luminosity"
    roles_of_options = ("zero_point",)
    options = (
        Option("trends", "False"),
        Option("zero_point", "'-0.029 mas'", takes_prior=True),
        Option("error_scale", takes_prior=True),
        Option("outliers", "True", (outliers.WiderScatter,)),
    )

    def __init__(
        self,
        *,
        alpha: annotations.PriorLike = priors.Normal(0 * u.mag, 5 * u.mag),
        beta: annotations.PriorLike = priors.Normal(0 * SLOPE, 5 * SLOPE),
        gamma: annotations.PriorLike = priors.Normal(0 * SLOPE, 1 * SLOPE),
        scatter: annotations.PriorLike = priors.Exponential(1 * u.mag),
        mu_log_period: annotations.PriorLike = priors.Normal(0 * u.dex, 3 * u.dex),
        sigma_log_period: annotations.PriorLike = priors.Exponential(1 * u.dex),
        mu_feh: annotations.PriorLike = priors.Normal(0 * u.dex, 3 * u.dex),
        sigma_feh: annotations.PriorLike = priors.Exponential(1 * u.dex),
        mu_modulus: annotations.PriorLike = priors.Normal(10 * u.mag, 10 * u.mag),
        sigma_modulus: annotations.PriorLike = priors.Exponential(5 * u.mag),
        trends: bool = True,
        feh_period: annotations.PriorLike = priors.Normal(0, 10),
        modulus_period: annotations.PriorLike = priors.Normal(0 * SLOPE, 10 * SLOPE),
        modulus_feh: annotations.PriorLike = priors.Normal(0 * SLOPE, 10 * SLOPE),
        zero_point: annotations.ZeroPointLike = None,
        error_scale: annotations.PriorLike | None = None,
        outliers: outliers.WiderScatter | bool | None = None,
        pivot_period: u.Quantity = 1 * u.day,
        pivot_feh: u.Quantity = 0 * u.dex,
        star_draws: annotations.KeepDraws = "auto",
        columns: annotations.ColumnsLike = None,
        on_invalid: annotations.OnInvalid = "raise",
    ) -> None:
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.scatter = scatter
        self.mu_log_period = mu_log_period
        self.sigma_log_period = sigma_log_period
        self.mu_feh = mu_feh
        self.sigma_feh = sigma_feh
        self.mu_modulus = mu_modulus
        self.sigma_modulus = sigma_modulus
        self.trends = trends
        self.feh_period = feh_period
        self.modulus_period = modulus_period
        self.modulus_feh = modulus_feh
        self.zero_point = zero_point
        self.error_scale = error_scale
        self.outliers = outliers
        self.pivot_period = pivot_period
        self.pivot_feh = pivot_feh
        self.star_draws = star_draws

    example = staticmethod(datasets.make_period_luminosity)
    _has_feh: bool  # of the table that this one is suited to

    # ---- what only a table can tell

    @property
    def has_feh(self) -> bool:
        """Whether the table has [Fe/H]: that of the fit, or any without a fit."""
        if "_has_feh" in vars(self):
            return self._has_feh
        if "_inference_data" in vars(self):
            return "feh" in self.inference_data["observed_data"]
        return True

    def suited_to(self, table) -> Self:
        suited = copy.copy(self)
        suited._has_feh = prepare.has_feh(table, self.columns)
        return suited

    # ---- hooks

    @property
    def roles(self) -> tuple[Role, ...]:
        return (*COLUMNS, *as_zero_point(self.zero_point).roles)

    @property
    def parts(self):
        others = as_outliers(self.outliers).owners
        return (as_zero_point(self.zero_point), as_errors(self.error_scale), *others)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        outliers = as_outliers(self.outliers)
        own = (*RELATION, *POPULATION, *(TRENDS if prepare.has_trends(self) else ()))
        return (
            *(p for p in own if self.has_feh or p.name not in OF_METALLICITY),
            *as_zero_point(self.zero_point).parameters,
            *as_errors(self.error_scale).parameters,
            *outliers.parameters,
            *OF_STARS,
            *outliers.latents,
        )

    prepare, check_arguments = prepare.prepare, prepare.check_arguments
    initial = start.initial
    build_pymc = joint.build_pymc
    check_rows, check_table, check = checks.check_rows, checks.check_table, checks.check

    def prepare_simulated(self, rows, data: Stars, progressbar=False):
        return draws.simulated(data, rows)

    def lower_ends(self, data):
        return as_outliers(self.outliers).lower_ends()

    def log_marginal(self, data: Stars, theta):
        return likelihood.log_marginal(data, theta)

    def log_likelihood(self, data: Stars, values):
        return likelihood.log_likelihood(data, values)

    def draw_latents(self, data: Stars, theta, rng, progressbar=False):
        if not self.keeps_draws(len(data.star)):
            return {}
        return likelihood.draw_latents(data, theta, rng)

    def finish(self, data: Stars, values, rng):
        return draws.finish(data, values, rng)

    def simulate(self, data: Stars, theta, rng):
        return draws.simulate(data, theta, rng)

    def headline(self):
        return ["alpha", "beta"]

    def remedy_of_rows(self):
        return as_outliers(self.outliers).remedy_of_rows

    def reword(self, finding):
        return as_outliers(self.outliers).reword(finding)

    # ---- results

    star_table = tables.star_table
    predict = tables.predict
    distance = tables.distance
    graph = property(figures.graph)
    drawn_names = figures.drawn_names
    plot_relation = on_axes(figures.plot_relation)
    plot_data = on_axes(figures.plot_data)
    plot_metallicity = on_axes(figures.plot_metallicity)
