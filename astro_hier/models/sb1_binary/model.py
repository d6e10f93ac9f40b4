r"""The orbit of one single-lined spectroscopic binary, with every mode of its period.

Prior
    P ~ Uniform(1.5, 20) d; a, b ~ Normal(0, 100) km/s; v0 ~ Normal(0, 150) km/s. All can be
    changed; the marginal method takes any priors on P, eccentricity and jitter, and normal ones on
    all others. With an eccentricity, K is Rayleigh, and omega and the phase are uniform:
    `astro_hier.models.orbits.amplitudes`.
Likelihood
    rv_j ~ Normal(a cos(2 pi t_j / P) + b sin(2 pi t_j / P) + v0, rv_error_j), independently for
    each visit, with t_j counted from the first one. K = sqrt(a^2 + b^2) is the semi-amplitude. For
    trend, instrument offsets and jitter see `astro_hier.models.orbits.velocity`, for the velocity
    of an eccentric orbit `astro_hier.models.orbits.ellipse`.
Marginal likelihood
    p(rv | P, jitter) has a closed form, since all else enters linearly: `astro_hier.core.orbit`.
    Jitter is summed over on a lattice, `astro_hier.core.jitter`. The posterior of P is integrated,
    and drawn from, on cells that follow each of its needles, `astro_hier.core.period_nodes`. Then
    the jitter is drawn given P, and the linear parameters from their normal distribution given
    both. For an eccentric orbit, P, e, phase and jitter are weighted nodes that a tree of cells
    finds, `astro_hier.core.eccentric_fit`.

The model is that of Price-Whelan (2022), *Hierarchical Models 1*; the search by period with the
linear parameters integrated out is that of Price-Whelan et al. (2017, ApJ 837, 20).
"""

import astropy.units as u
import numpy as np
from scipy.stats import norm

from astro_hier import annotations, datasets, plots, priors
from astro_hier.models.orbits import joint, shape
from astro_hier.models.orbits.model import OrbitModel
from astro_hier.models.orbits.velocity import KMS, Circle
from astro_hier.models.sb1_binary import (
    catalogue,
    checks,
    elements,
    figures,
    start,
    surveys,
    tables,
)
from astro_hier.models.sb1_binary.data import OneStar
from astro_hier.models.sb1_binary.prepare import check_rows, prepare
from astro_hier.part import Option
from astro_hier.plots.returned import of_panels, on_axes
from astro_hier.posterior import Parameter

__all__ = ["SB1Binary"]

AMPLITUDE = shape.AMPLITUDE
SURE_EXCESS = 2.0  # scatter over errors that neither chance nor one bad visit produces
SPARE_VISITS = 5  # more than parameters: with so many, single visits should not decide


class SB1Binary(OrbitModel):
    """Circular or eccentric orbit of one single-lined binary, from its radial velocities.

    Parameters
    ----------
    P : `~astro_hier.priors.Prior`, optional
        Prior on the period; its support is the range searched (except for a millionth of its
        probability at an open end).
    a, b : `~astro_hier.priors.Prior`, optional
        Priors on the amplitudes of cosine and sine, velocities. Normal for the marginal method;
        with ``eccentricity``, the same for both, normal with mean 0.
    v0 : `~astro_hier.priors.Prior`, optional
        Prior on the systemic velocity. Normal for the marginal method.
    eccentricity : True, `~astro_hier.priors.Prior` or float, optional
        Prior on the eccentricity, or its value; True is ``priors.Beta(0.867, 3.03, upper=0.95)``
        (Kipping 2013, MNRAS 434, L51). By default orbits are circular.
    amplitude : `~astro_hier.priors.PeriodScaled` or `~astro_hier.priors.Normal`, optional
        Prior of both amplitudes in place of ``a`` and ``b``, with mean 0.
    jitter : `~astro_hier.priors.Prior` or `~astropy.units.Quantity`, optional
        Prior on a scatter beyond the stated errors, added to them in quadrature, such as
        ``priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)``; a Quantity if it is known. By
        default there is none.
    shared_jitter : bool, optional
        Whether all instruments have the same jitter; by default each has its own.
    trend : int or tuple of `~astro_hier.priors.Prior`, optional
        Order of a polynomial in time that is added to the orbit, or priors on its coefficients, the
        first in km/s/yr. The default priors are Normal(0, 10) in km/s/yr, km/s/yr^2, ... Normal for
        the marginal method.
    instrument : str, optional
        Name of the column that tells with which instrument each velocity was measured: each
        instrument then has its own zero point and, unless it is shared, jitter.
    offset : `~astro_hier.priors.Prior`, optional
        Prior on the velocity offset of each instrument from the first, in the order of their names.
        Normal for the marginal method.
    columns : dict or str, optional
        Names of the columns that the model reads, by role: ``time`` (a Quantity, or
        `~astropy.time.Time` of any scale), ``rv`` and ``rv_error`` (velocities in any unit) and,
        optionally, ``star``, which must be the same in all rows. By default a column has the name
        of its role. Give the column's name, or a tuple of name and unit if the table has no units;
        or the name of a preset of `astro_hier.columns`, such as "apogee" or "harps".
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values raises an error, or such rows are dropped
        with a warning.

    Notes
    -----
    The posterior has these variables:

    ============ ======= ==================================================================
    name         unit    meaning
    ============ ======= ==================================================================
    ``P``        d       period
    ``a``, ``b`` km / s  v = a cos(2 pi t / P) + b sin(2 pi t / P) + v0, t from first visit
    ``v0``       km / s  systemic velocity
    ``K``        km / s  semi-amplitude sqrt(a^2 + b^2)
    ``log_prob``         ln of the density of all of these, up to a constant
    ============ ======= ==================================================================

    and with ``eccentricity`` in place of ``a`` and ``b``

    ============ ======= ==================================================================
    ``e``                eccentricity
    ``omega``    rad     argument of periastron of the star, not of the companion:
                         v = K [cos(nu + omega) + e cos omega] + v0, nu the true anomaly
    ``t_peri``   d       the passage through periastron nearest the visits' weighted mean
                         time, counted from the first visit
    ============ ======= ==================================================================

    With the options, it also has ``jitter`` (km/s; for each ``instrument``), ``trend1`` (km/s/yr;
    the velocity is then the orbit's + v0 + trend1 t), ``trend2``, ... and ``offset`` (km/s, for
    each ``instrument``; zero for the first). Its attributes are ``log_evidence``,
    ``shortest_period`` and ``longest_period`` (the range searched, in d), ``chi2_per_dof`` (at the
    draw of highest ``log_prob``, with the mean jitter; NaN with as few visits as parameters),
    ``p_chi2`` (its tail probability), ``n_modes`` (the number of modes of more than 1 percent
    probability), ``ln_bayes_factor`` (of this model over the same one without an amplitude: whether
    there is an orbit), ``K_upper`` (the semi-amplitude in km/s below which 95 percent of the draws
    lie) and ``period_information`` (the Kullback-Leibler divergence of the period's posterior from
    its prior in nats, 0 if the visits say nothing). Of circles there is ``period_error`` (how much
    the mean of ln P still moved when the period's cells were last halved, in standard deviations);
    of ellipses ``log_evidence_error`` (the standard error of ``log_evidence``), ``effective_size``
    (how many independent draws the weighted nodes are worth), ``pareto_k`` (of the tail of their
    weights; below 0.7 is good) and ``evaluations`` (of the likelihood).

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import SB1Binary, datasets, priors
    >>> table = datasets.make_binary(random_state=42)
    >>> star = SB1Binary().fit(table, random_state=1, progressbar=False)
    >>> truth = table.meta["truth"]["P"]
    >>> print(f"{star.samples('P').mean():.3f}, truth {truth:.3f}")
    7.300 d, truth 7.300 d

    Another star, whose orbit may be eccentric:

    >>> table = datasets.make_binary(e=0.4, random_state=42)
    >>> scaled = priors.PeriodScaled(30 * u.km / u.s, period=1 * u.yr)
    >>> star = SB1Binary(eccentricity=True, amplitude=scaled)
    >>> e = star.fit(table, random_state=1, progressbar=False).samples("e")
    >>> print(f"{e.mean():.2f} +- {e.std():.2f}, truth {table.meta['truth']['e']}")
    0.40 +- 0.01, truth 0.4
    """

    command = "binary"
    options = (
        Option("eccentricity", "True", takes_prior=True),
        *OrbitModel.options,
    )
    numbers = ("shortest_period", "longest_period", "chi2_per_dof")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.orbit_parameters

    @property
    def graph(self):
        above = [p.name for p in self.parameters if p not in self.orbit.derived]
        at = np.linspace(1.0 - 0.5 * len(above), 1.0 + 0.5 * len(above), len(above))
        of = {p.name: ("instrument",) if p.dims else () for p in self.parameters}
        return (
            *(plots.Node(n, (x, 1.4), ("rv",), of[n]) for n, x in zip(above, at, strict=True)),
            plots.Node("time", (-0.5, 0.0), ("rv",), ("visit",), symbol="t_j"),
            plots.Node("rv", (1.0, 0.0), plates=("visit",), symbol="v_j"),
            plots.Node("rv_error", (2.5, 0.0), ("rv",), ("visit",), symbol=r"\sigma_{v,j}"),
        )

    def __init__(
        self,
        *,
        P: annotations.PriorLike = priors.Uniform(1.5 * u.day, 20 * u.day),
        a: annotations.PriorLike = AMPLITUDE,
        b: annotations.PriorLike = AMPLITUDE,
        v0: annotations.PriorLike = priors.Normal(0 * KMS, 150 * KMS),
        eccentricity: annotations.EccentricityLike = None,
        amplitude: annotations.AmplitudeLike = None,
        jitter: annotations.JitterLike = None,
        shared_jitter: bool = False,
        trend: annotations.TrendLike = 0,
        instrument: str | None = None,
        offset: annotations.PriorLike = priors.Normal(0 * KMS, 5 * KMS),
        columns: annotations.ColumnsLike = None,
        on_invalid: annotations.OnInvalid = "raise",
    ) -> None:
        super().__init__(
            a=a, b=b, v0=v0, amplitude=amplitude, jitter=jitter, shared_jitter=shared_jitter,
            trend=trend, instrument=instrument, offset=offset, columns=columns,
            on_invalid=on_invalid,
        )  # fmt: skip
        self.P = P
        self.eccentricity = eccentricity

    example = staticmethod(datasets.make_binary)

    @property
    def orbit(self) -> Circle:
        return shape.orbit(self.eccentricity)

    def owner(self, name):
        return self if name == "e" else super().owner(name)

    def prior_of(self, name: str) -> priors.Prior:
        return shape.as_prior(self.eccentricity) if name == "e" else super().prior_of(name)

    # ---- hooks

    prepare, check_rows = prepare, check_rows
    initial = start.initial
    diagnose = checks.diagnose
    check = checks.check

    def check_arguments(self):
        shape.check(self)

    def build_pymc(self, data: OneStar):
        return joint.build(self, data, lambda theta, initial: {})

    def draw_exactly(self, data: OneStar, size, rng):
        return data.draw(size, rng)

    def finish(self, data: OneStar, values, rng):
        return data.settled(values)

    def log_likelihood(self, data: OneStar, values):
        """ln of the density of each visit given all parameters."""
        return norm.logpdf(data.rv, data.velocity(values), data.errors(values))

    def log_prob(self, data: OneStar, values, log_marginal=None):
        height = self.log_likelihood(data, values)
        prior = self.log_prior(values)
        for part in data.parts:
            prior = prior + part.log_prior(values)
        return prior + height.sum(axis=1)

    def simulate(self, data: OneStar, theta, rng):
        theta = dict(theta)
        for term in data.terms:
            theta |= term.simulate(theta, data, rng)
        theta |= data.scatter.simulate(data, theta, rng)
        return theta | {"rv": rng.normal(data.velocity(theta), data.errors(theta))}

    def replicate(self, data: OneStar, values, rng):
        """Visits of the same star at the same times."""
        return {"rv": rng.normal(data.velocity(values), data.errors(values))}

    def headline(self):
        """Not P, which may have several modes, nor a and b, which rotate as P changes."""
        return ["K", "v0"]

    drawn_names = figures.drawn_names
    drawn_quantities = figures.drawn_quantities
    coordinate_names = figures.coordinate_names
    truths_that_follow = figures.truths_that_follow

    def excess_scatter(self, data: OneStar, values):
        """Scatter about the best orbit over twice the errors, at least 1; infinite for few visits.

        Any one of a few visits may decide the result.
        """
        spare = data.degrees_of_freedom
        if spare < SPARE_VISITS:
            return np.inf
        best = {name: of[[np.argmax(values["log_prob"])]] for name, of in values.items()}
        off = np.abs(data.rv - data.velocity(best)) / data.errors(best)
        scatter = 1.4826 * np.median(off) * np.sqrt(len(data.rv) / spare)
        return max(1.0, scatter / SURE_EXCESS)

    # ---- results

    compare = tables.compare
    elements = elements.elements
    modes, predict = tables.modes, tables.predict
    survey_spec = catalogue.survey_spec
    star_work = surveys.star_work
    partition_function = surveys.partition_function
    plot_data = on_axes(figures.plot_data)
    plot_phase = of_panels(figures.plot_phase)
    plot_periodogram = on_axes(figures.plot_periodogram)
