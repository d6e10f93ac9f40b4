r"""The period distribution of a sample of single-lined binaries, and each star's orbit.

Prior
    mu ~ Uniform(-2, 12) and lnsigma ~ Uniform(-2, 3), where sigma = exp(lnsigma).
Population
    lnP_n ~ Normal(mu, sigma), ln of the period of star n in d, or another of
    `astro_hier.populations`; a_n, b_n ~ Normal(0, 100) km/s, v0_n ~ Normal(0, 150) km/s.
Likelihood
    That of `astro_hier.models.orbits.velocity`, star by star, with the stated errors and, as
    options, trend, offsets and jitter, each star having its own.
Marginal likelihood
    p(rv | mu, sigma) is the product over stars of the integrals over ln P of p(rv_n | P) times the
    population's density. The linear parameters are integrated out in closed form
    (`astro_hier.core.orbit`), and jitter on a lattice (`astro_hier.core.jitter`); p(rv_n | P) is
    tabulated in cells that follow its needles (`astro_hier.core.period_nodes`), and the integrals
    over ln P for all stars are one product with a sparse matrix (`astro_hier.core.population`). If
    jitters have a population, the matrix holds p(rv_n | P, jitter).

The model is that of Price-Whelan (2022), *Hierarchical Models 1*.
"""

import numpy as np

from astro_hier import annotations, datasets, plots, populations, priors
from astro_hier.models.binary_population import (
    checks,
    eccentricities,
    elements,
    figures,
    joint,
    phases,
    shape,
    star_results,
    start,
    surveys,
    tables,
)
from astro_hier.models.binary_population.data import Sample, of_population
from astro_hier.models.binary_population.prepare import prepare
from astro_hier.models.orbits import shape as orbit_shape
from astro_hier.models.orbits.ellipse import Ellipse
from astro_hier.models.orbits.model import OrbitModel
from astro_hier.models.orbits.scatter import JitterPopulation, NoScatter
from astro_hier.models.orbits.velocity import KMS, Circle
from astro_hier.part import Option
from astro_hier.plots.returned import of_panels, on_axes
from astro_hier.posterior import Parameter

__all__ = ["BinaryPopulation"]

AMPLITUDE = orbit_shape.AMPLITUDE


class BinaryPopulation(OrbitModel):
    """Distributions of periods and eccentricities of single-lined binaries, and each star's orbit.

    Parameters
    ----------
    mu, lnsigma : `~astro_hier.priors.Prior`, optional
        Priors on the mean of ln(P / d) and on ln of its standard deviation, numbers, for
        populations that have these parameters.
    a, b, v0 : `~astro_hier.priors.Prior`, optional
        Priors on each star's amplitudes of cosine and sine, and on its systemic velocity. Normal.
    population : optional
        Distribution of ln(P / d), one of `astro_hier.populations`; or a joint one of ln(P / d) and
        eccentricity, such as `~astro_hier.populations.Circularised`.
    eccentricity : optional
        Distribution of the eccentricities: a family of `astro_hier.populations`, such as
        ``populations.Beta()`` or ``populations.Rayleigh()``, whose parameters are then inferred;
        True for ``populations.Beta()``; or a prior on values from 0 to 1, which all stars share. By
        default all orbits are circular.
    companion_fraction : `~astro_hier.priors.Prior` or float, optional
        Prior on the share of stars with a companion, such as ``priors.Uniform(0, 1)``; the others
        have constant velocities. By default all stars have one.
    selection : `~astropy.table.QTable`, optional
        How stars got into the table, if not all did: injected orbits that were kept, from
        `astro_hier.injections.make_injections`. The population is then that before the selection.
    amplitude : `~astro_hier.priors.Normal` or `~astro_hier.priors.PeriodScaled`, optional
        Prior on both amplitudes of an orbit, in place of ``a`` and ``b``.
    jitter : optional
        Prior on a scatter of each star's velocities beyond their stated errors, added to them in
        quadrature, such as ``priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)``; a Quantity if
        it is known; or `astro_hier.populations.LogNormalJitter`, whose parameters are then
        inferred. By default there is none.
    shared_jitter : bool, optional
        Whether all instruments have the same jitter of a star, as they must where orbits are
        eccentric; by default each has its own.
    trend : int or tuple of `~astro_hier.priors.Prior`, optional
        Order of a polynomial in time that is added to each orbit, or priors on its coefficients,
        the first in km/s/yr. The default priors are Normal(0, 10) in km/s/yr, km/s/yr^2, ...
        Normal.
    instrument : str, optional
        Name of the column that tells with which instrument each velocity was measured: each
        instrument then has its own zero point and jitter for every star.
    offset : `~astro_hier.priors.Prior`, optional
        Prior on the velocity offset of each instrument from the first, in the order of their names.
        Normal.
    period_range : tuple of `~astropy.units.Quantity`, optional
        Shortest and longest period searched; by default 0.5 d and three times the longest
        baseline. Stars' periods are not drawn outside this range, even if the population extends
        beyond it.
    star_draws : {"auto", True, False}, optional
        Whether to keep draws of each star's parameters; "auto" keeps them for up to 1000 stars.
    n_jobs : int, optional
        Number of joblib processes for the work on single stars; choose where they run with
        `joblib.parallel_config`.
    columns : dict or str, optional
        Names of the columns that the model reads, by role: ``star`` (identifiers), ``time`` (a
        Quantity, or `~astropy.time.Time` of any scale), ``rv`` and ``rv_error`` (velocities in any
        unit). By default a column has the name of its role. Give the column's name, or a tuple of
        name and unit if the table has no units; or the name of a preset of
        `astro_hier.columns`, such as "apogee".
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values raises an error, or such rows are dropped
        with a warning.

    Notes
    -----
    The posterior has these variables:

    ============== ======= ================================================================
    name           unit    meaning
    ============== ======= ================================================================
    ``mu``                 mean of ln(P / d)
    ``lnsigma``            ln of sigma
    ``sigma``              standard deviation of ln(P / d)
    ``lnP``                ln(P / d) of each star, dimension ``star`` like those that follow
    ``P``          d       period
    ``a``, ``b``   km / s  v = a cos(2 pi t / P) + b sin(2 pi t / P) + v0, t from first visit
    ``v0``         km / s  systemic velocity
    ``K``          km / s  semi-amplitude
    ``log_prob``           ln of the density of mu and lnsigma (all else integrated out)
    ============== ======= ================================================================

    With ``companion_fraction``, that is a further parameter, and ``companion`` the probability,
    given the population, that a star has a companion. Its mean over the draws is that given the
    velocities. The parameters of a star's orbit are those that it has if there is one.

    Other populations have their own parameters in place of the first three. With the options, stars
    also have ``jitter`` (km/s; for each ``instrument``), ``trend1`` (km/s/yr), ``trend2``, ... and
    ``offset`` (km/s, for each ``instrument``; zero for the first). Among the attributes,
    ``outside_range`` is the share of the population beyond the periods searched;
    ``stars_without_orbit`` and ``stars_without_period`` are the numbers of stars for which a
    constant velocity is enough (ln Bayes factor of an orbit below 3), and of those whose visits say
    nothing about the period (less than 1 nat); ``star_table()`` tells which.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(20, random_state=1)
    >>> model = BinaryPopulation().fit(visits, random_state=1, progressbar=False)
    >>> model.posterior["P"].sizes["star"]
    20
    """

    for_writers = OrbitModel.for_writers | {"distribution"}
    of_each = ("star",)
    likelihood_of = "star"
    command = "binaries"
    options: tuple[Option, ...] = (
        Option("population", "NormalMixture", populations.FAMILIES),
        Option("eccentricity", "True", families=populations.ECCENTRICITIES, takes_prior=True),
        Option("companion_fraction", takes_prior=True),
        Option("selection", "found.ecsv", takes_table=True),
        Option("jitter", families=(populations.LogNormalJitter,), takes_prior=True),
        *(option for option in OrbitModel.options if option.name != "jitter"),
    )
    numbers = ("shortest_period", "longest_period")

    def __init__(
        self,
        *,
        mu: annotations.PriorLike = shape.DEFAULTS["mu"],
        lnsigma: annotations.PriorLike = shape.DEFAULTS["lnsigma"],
        a: annotations.PriorLike = AMPLITUDE,
        b: annotations.PriorLike = AMPLITUDE,
        v0: annotations.PriorLike = priors.Normal(0 * KMS, 150 * KMS),
        population: annotations.PeriodsLike = populations.Normal(),
        eccentricity: annotations.EccentricitiesLike = None,
        companion_fraction: annotations.PriorLike | None = None,
        selection: annotations.SelectionLike = None,
        amplitude: annotations.AmplitudeLike = None,
        jitter: annotations.JittersLike = None,
        shared_jitter: bool = False,
        trend: annotations.TrendLike = 0,
        instrument: str | None = None,
        offset: annotations.PriorLike = priors.Normal(0 * KMS, 5 * KMS),
        period_range: annotations.PeriodRange | None = None,
        star_draws: annotations.KeepDraws = "auto",
        n_jobs: int | None = 1,
        columns: annotations.ColumnsLike = None,
        on_invalid: annotations.OnInvalid = "raise",
    ) -> None:
        super().__init__(
            a=a, b=b, v0=v0, amplitude=amplitude, jitter=jitter, shared_jitter=shared_jitter,
            trend=trend, instrument=instrument, offset=offset, columns=columns,
            on_invalid=on_invalid,
        )  # fmt: skip
        self.mu = mu
        self.lnsigma = lnsigma
        self.population = population
        self.eccentricity = eccentricity
        self.companion_fraction = companion_fraction
        self.selection = selection
        self.period_range = period_range
        self.star_draws = star_draws
        self.n_jobs = n_jobs

    example = staticmethod(datasets.make_binaries)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        common = [p for part in self.parts for p in part.parameters]
        return (*common, *shape.own_parameters(self), *self.orbit_parameters)

    @property
    def parts(self):
        return (self.distribution, *self.scatter.parts)

    @property
    def distribution(self) -> populations.Population | populations.PeriodEccentricity:
        """The population of ln P or, if orbits are eccentric, that of ln P and e."""
        return shape.joint(self.population, self.eccentricity) or self.population

    @property
    def orbit(self) -> Circle:
        joint = shape.joint(self.population, self.eccentricity)
        return Ellipse(self.of_each) if joint else super().orbit

    @property
    def scatter(self) -> NoScatter:
        if isinstance(self.jitter, populations.Jitter):
            return JitterPopulation(self.jitter, self.of_each_jitter)
        return super().scatter

    @property
    def graph(self):
        sampled = self.sampled_names()
        x = 1.2 * (np.arange(len(sampled)) - 0.5 * (len(sampled) - 1))
        to = {p.name: "jitter" for part in self.scatter.parts for p in part.parameters}
        own = [p for p in self.parameters if p.dims and p.name not in ("lnP", "K")]
        return (
            *(
                plots.Node(name, (at, 3.2), to=(to.get(name, "P"),))
                for name, at in zip(sampled, x, strict=True)
            ),
            *(
                plots.Node(p.name, (float(at), 1.6), ("rv",), p.dims, f"{{{p.symbol}}}_n")
                for at, p in enumerate(own)
            ),
            plots.Node("time", (0.0, 0.0), ("rv",), ("star", "visit"), symbol="t_{nj}"),
            plots.Node("rv", (1.5, 0.0), plates=("star", "visit"), symbol="v_{nj}"),
            plots.Node("rv_error", (3.0, 0.0), ("rv",), ("star", "visit"), symbol=r"\sigma_{nj}"),
        )

    # ---- hooks

    prepare = prepare
    initial, diagnose, check = start.initial, checks.diagnose, checks.check
    check_arguments, build_pymc = shape.check, joint.build_pymc
    simulate, replicate = joint.simulate, joint.replicate

    def coordinates(self, data):
        return super().coordinates(data) | self.distribution.coordinates

    def standard_normals(self, data):
        return self.distribution.standard_normals

    def log_marginal(self, data: Sample, theta):
        return data.log_marginal(theta)

    def log_likelihood(self, data: Sample, values):
        return data.log_likelihood(of_population(self, data, values))

    def draw_latents(self, data: Sample, theta, rng, progressbar=False):
        if not self.keeps_draws(len(data.stars)):
            return {}
        drawn = data.draw_stars(theta, rng, self.n_jobs, progressbar)
        return drawn if self.companion_fraction is None else drawn | data.companions(theta)

    def derive(self, theta):
        derived = {name: of for part in self.parts for name, of in part.derive(theta).items()}
        if "P" in theta:
            derived |= {"lnP": np.log(theta["P"]), **super().derive(theta)}
        return derived

    # ---- results

    star_work = surveys.star_work
    partition_function = surveys.partition_function
    prepare_rows, fit_rows = surveys.prepare_rows, surveys.fit_rows
    star_results = star_results.star_results
    star_table, predict = tables.star_table, tables.predict
    elements = elements.elements
    plot_data, plot_phase = of_panels(phases.plot_data), of_panels(phases.plot_phase)
    panels = phases.panels
    plot_population = on_axes(figures.plot_population)
    plot_eccentricity = on_axes(eccentricities.plot_eccentricity)
    plot_period_eccentricity = on_axes(eccentricities.plot_period_eccentricity)
    plot_companions = on_axes(figures.plot_companions)
