r"""The orbit of one single-lined spectroscopic binary, with every mode of its period.

Prior
    P ~ Uniform(1.5, 20) d; a, b ~ Normal(0, 100) km/s; v0 ~ Normal(0, 150) km/s. All can be
    changed; the marginal method takes any prior of P and jitter, and normal ones of all others.
Likelihood
    rv_j ~ Normal(a cos(2 pi t_j / P) + b sin(2 pi t_j / P) + v0, rv_error_j), independent of each
    other, with t_j counted from the first visit. K = sqrt(a^2 + b^2) is the semi-amplitude. With
    trend, offsets of instruments and jitter it is that of `astro_hier.models.orbits`.
Marginal likelihood
    p(rv | P, jitter) is closed, since all else enters linearly: `astro_hier.core.orbit`. Jitter is
    summed over on a lattice, `astro_hier.core.jitter`. The posterior of P is integrated on cells
    that follow each of its needles, `astro_hier.core.period_nodes`, and drawn from; then the jitter
    given P, and the linear parameters from their normal distribution given both.

The model is that of Price-Whelan (2022), *Hierarchical Models 1*; the search by period with the
linear parameters integrated out is that of Price-Whelan et al. (2017, ApJ 837, 20).
"""

from functools import partial

import astropy.units as u
import numpy as np
from scipy.stats import norm
from tqdm import tqdm

from astro_hier import datasets, plots, priors
from astro_hier.core import orbit, period_nodes
from astro_hier.models.orbits.model import DAYS, KMS, OrbitModel
from astro_hier.models.sb1_binary import checks, figures, start, tables
from astro_hier.posterior import Parameter
from astro_hier.table import TableError

__all__ = ["SB1Binary"]

SURE_EXCESS = 2.0  # scatter over errors which neither chance nor one bad visit makes
SPARE_VISITS = 5  # more than parameters, from which on single ones should not decide


class SB1Binary(OrbitModel):
    """Circular orbit of one single-lined binary from its radial velocities.

    Parameters
    ----------
    P : `~astro_hier.priors.Prior`, optional
        Prior on the period; its support is the range searched (all but a millionth of it at an
        open end).
    a, b : `~astro_hier.priors.Prior`, optional
        Priors on the amplitudes of cosine and sine, velocities. Normal for the marginal method.
    v0 : `~astro_hier.priors.Prior`, optional
        Prior on the systemic velocity. Normal for the marginal method.
    jitter : `~astro_hier.priors.Prior` or `~astropy.units.Quantity`, optional
        Prior on a scatter beyond the stated errors, added to them in quadrature, such as
        ``priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)``; a Quantity if it is known. By
        default there is none.
    trend : int or tuple of `~astro_hier.priors.Prior`, optional
        Order of a polynomial in time added to the orbit, or priors of its coefficients, the first
        in km/s/yr; by default Normal(0, 10) in km/s/yr, km/s/yr^2, ... Normal for the marginal
        method.
    instrument : str, optional
        Name of the column that says with which instrument each velocity was measured: each then
        has a zero point of its own, and a jitter.
    offset : `~astro_hier.priors.Prior`, optional
        Prior on the velocities of an instrument less those of the first, in the order of their
        names. Normal for the marginal method.
    columns : dict, optional
        Where the columns are that the model reads: ``time`` (a Quantity, or
        `~astropy.time.Time` of any scale), ``rv`` and ``rv_error`` (velocities in any unit) and,
        optional, ``star``, of which there may be only one. By default they have these names. Give
        the column's name, or the name and the unit to take where the table has none, or a preset,
        `astro_hier.columns.APOGEE`.
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values is refused, or such rows are left out
        with a warning.

    Notes
    -----
    The posterior has the variables

    ============ ======= ==================================================================
    name         unit    meaning
    ============ ======= ==================================================================
    ``P``        d       period
    ``a``, ``b`` km / s  v = a cos(2 pi t / P) + b sin(2 pi t / P) + v0, t from first visit
    ``v0``       km / s  systemic velocity
    ``K``        km / s  semi-amplitude sqrt(a^2 + b^2)
    ``log_prob``         ln of the density of all of these, up to a constant
    ============ ======= ==================================================================

    where they are asked for ``jitter`` (km/s; of each ``instrument``), ``trend1`` (km/s/yr; the
    velocity then is a cos + b sin + v0 + trend1 t), ``trend2``, ... and ``offset`` (km/s, of each
    ``instrument``; zero of the first), and the attributes ``log_evidence``, ``shortest_period`` and
    ``longest_period`` (the range searched, in d), ``chi2_per_dof`` (at the draw of highest
    ``log_prob``, with the mean jitter; not a number for as few visits as parameters), ``p_chi2``
    (its tail probability), ``n_modes`` (periods of more than 1 percent probability),
    ``ln_bayes_factor`` (of this model over the same without amplitude: whether there is an orbit),
    ``K_upper`` (the semi-amplitude in km/s below which 95 percent of the draws lie),
    ``period_information`` (the Kullback-Leibler divergence of the period's posterior from its prior
    in nats, 0 where the visits say nothing) and ``period_error`` (how much the mean of ln P
    still moved when the period's cells were last halved, in standard deviations).

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> table = datasets.make_binary(random_state=42)
    >>> star = SB1Binary().fit(table, random_state=1, progressbar=False)
    >>> print(f"{star.samples('P').mean():.3f}, truth {table.meta['truth']['P']:.3f}")
    7.300 d, truth 7.300 d
    """

    orbit_parameters = (
        Parameter("P", u.day, "P", "period"),
        Parameter("a", KMS, "a", "amplitude of the cosine"),
        Parameter("b", KMS, "b", "amplitude of the sine"),
        Parameter("v0", KMS, "v_0", "systemic velocity"),
        Parameter("K", KMS, "K", "semi-amplitude"),
    )
    command = "binary"
    numbers = ("shortest_period", "longest_period", "chi2_per_dof")

    @property
    def parameters(self):
        return (*self.orbit_parameters, *self._extra_parameters())

    @property
    def graph(self):
        above = [p.name for p in self.parameters if p.name != "K"]
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
        P=priors.Uniform(1.5 * u.day, 20 * u.day),
        a=priors.Normal(0 * KMS, 100 * KMS),
        b=priors.Normal(0 * KMS, 100 * KMS),
        v0=priors.Normal(0 * KMS, 150 * KMS),
        jitter=None,
        trend=0,
        instrument=None,
        offset=priors.Normal(0 * KMS, 5 * KMS),
        columns=None,
        on_invalid="raise",
    ):
        super().__init__(
            a=a, b=b, v0=v0, jitter=jitter, trend=trend, instrument=instrument, offset=offset,
            columns=columns, on_invalid=on_invalid,
        )  # fmt: skip
        self.P = P

    example = staticmethod(datasets.make_binary)

    # ---- hooks

    def check_rows(self, rows, table):
        stars = np.unique(rows.get("star", np.array([])))
        if len(stars) > 1:
            raise TableError(
                f"the table holds {len(stars)} stars ({', '.join(map(str, stars[:3]))}, ...);"
                " accepted is one: select its rows, such as table[ids == ids[0]]"
            )

    def prepare(self, rows, progressbar):
        """The visits as the core takes them, on a lattice of the jitter if there is one."""
        data = self._with_instruments(rows)
        if not self._is_linear():
            return data
        visits = self._visits_of(data, slice(None), self._linear_priors(data))
        known = self._known_jitter(data)
        if known is not None:
            progress = partial(tqdm, desc="jitters", disable=not progressbar)
            visits = known.laid(visits, self._prior_of_period(), progress)
        return data | {"visits": visits, "jitter_prior": known}

    def _nodes(self, data):
        if "visits" not in data:
            self._linear_priors(data)  # says which prior cannot be integrated out
        if "nodes" not in data:
            data["nodes"] = period_nodes.period_nodes(data["visits"], self._prior_of_period())
        return data["nodes"]

    def _prior_of_period(self):
        prior = self.frozen_priors()["P"]
        if prior.support()[0] < 0:
            raise priors.PriorError(
                f"P={self.P!r} allows periods below zero; accepted are priors of positive values,"
                " such as priors.TruncatedNormal(..., lower=0.1 * u.day)"
            )
        return prior

    initial = start.initial
    diagnose = checks.diagnose
    check = checks.check

    def build_pymc(self, data):
        import pymc as pm
        import pytensor.tensor as pt

        initial = self.initial(data)
        number, time = data["instrument_index"], data["time"]
        coords = {"visit": np.arange(len(time)), **self.coordinates(data)}
        with pm.Model(coords=coords) as model:
            values = self.pymc_priors(data, initial)
            if self.instrument:
                values |= self._pymc_of_instruments(initial, len(data["instruments"]))
            pm.Deterministic("K", pm.math.sqrt(values["a"] ** 2 + values["b"] ** 2))
            phase = 2 * np.pi * time / values["P"]
            mu = values["a"] * pm.math.cos(phase) + values["b"] * pm.math.sin(phase) + values["v0"]
            for k in range(1, len(self._trend()) + 1):
                mu = mu + values[f"trend{k}"] * (time / DAYS) ** k
            sigma = data["rv_error"]
            if self.instrument:
                mu = mu + values["offset"][number]
            if self.jitter is not None:
                s = values["jitter"][number] if self.instrument else values["jitter"]
                sigma = pt.sqrt(sigma**2 + s**2)
            pm.Normal("rv", mu=mu, sigma=sigma, observed=data["rv"], dims="visit")
        return model

    def _pymc_of_instruments(self, initial, count):
        """Offsets and jitters, one variable for each instrument, stacked."""
        import pymc as pm
        import pytensor.tensor as pt

        offset, values = self.prior_of("offset"), {}
        each = [offset.pymc(f"offset_{i}_", KMS, initial["offset"][i]) for i in range(1, count)]
        values["offset"] = pt.stack([pt.constant(0.0), *each])
        if self.jitter is not None:
            known = priors.of(self.jitter)
            each = [known.pymc(f"jitter_{i}_", KMS, initial["jitter"][i]) for i in range(count)]
            values["jitter"] = pt.stack(each)
        return {n: pm.Deterministic(n, x, dims="instrument") for n, x in values.items()}

    def draw_exactly(self, data, size, rng):
        nodes, visits, prior = self._nodes(data), data["visits"], self._prior_of_period()
        P, log_likelihood = period_nodes.draw_periods(nodes, visits, prior, size, rng)
        drawn = {"P": P}
        if self.jitter is not None:
            s = data["jitter_prior"].draw(visits, 1 / P, rng)
            visits = visits.scattered(s)
            drawn["jitter"] = s.T if self.instrument else s[0]
        drawn |= self._named_linear(orbit.draw_linear(visits, 1 / P, rng))
        attrs = {"log_evidence": float(nodes.log_evidence), "period_error": nodes.error}
        return drawn, {"log_marginal": log_likelihood}, attrs

    def _velocity(self, data, values):
        """Velocities of draws at the visits, each in its instrument's frame, (draw, visit)."""
        at_visits = self._of_draws(data["time"], values)
        if self.instrument:
            at_visits = at_visits + values["offset"][:, data["instrument_index"]]
        return at_visits

    def _of_draws(self, time, values):
        """Velocities at times in days from the first visit, shape (draw, time)."""
        names = ("P", *self._linear_names())
        return self._velocity_at(time, {name: values[name][:, None] for name in names})

    def _errors(self, data, values):
        """Errors with the draws' jitter, shape (draw, visit)."""
        if self.jitter is None:
            return data["rv_error"][None]
        s = values["jitter"]
        by_visit = s[:, data["instrument_index"]] if self.instrument else s[:, None]
        return np.hypot(data["rv_error"], by_visit)

    def log_likelihood(self, data, values):
        """ln of the density of each visit given all parameters."""
        return norm.logpdf(data["rv"], self._velocity(data, values), self._errors(data, values))

    def headline(self):
        """Not the period, which may have several modes; nor a and b, which turn with it."""
        return ["K", "v0"]

    def excess_scatter(self, data, values):
        """By the deviations from the best orbit, beyond twice; any of few visits may decide."""
        spare = self._degrees_of_freedom(data)
        if spare < SPARE_VISITS:
            return np.inf
        best = {name: of[[np.argmax(values["log_prob"])]] for name, of in values.items()}
        off = np.abs(data["rv"] - self._velocity(data, best)) / self._errors(data, best)
        scatter = 1.4826 * np.median(off) * np.sqrt(len(data["rv"]) / spare)
        return max(1.0, scatter / SURE_EXCESS)

    def _degrees_of_freedom(self, data):
        """How many more visits there are than parameters adjusted to them."""
        n_fitted = ("P" in self.free_names()) + self._n_adjusted(data, slice(None))
        return len(data["rv"]) - n_fitted

    def log_prob(self, data, values, log_marginal=None):
        height = self.log_likelihood(data, values)
        prior = self.log_prior(values)
        if self.instrument:
            offset = self.prior_of("offset").frozen(KMS)
            prior = prior + offset.logpdf(values["offset"][:, 1:]).sum(axis=1)
            if self.jitter is not None:
                prior = prior + self._jitter_prior().logpdf(values["jitter"]).sum(axis=1)
        return prior + height.sum(axis=1)

    def simulate(self, data, theta, rng):
        theta = dict(theta)
        if self.instrument:
            shape = len(theta["P"]), len(data["instruments"])
            theta["offset"] = self.prior_of("offset").frozen(KMS).rvs(shape, random_state=rng)
            theta["offset"][:, 0] = 0
            if self.jitter is not None:
                theta["jitter"] = self._jitter_prior().rvs(shape, random_state=rng)
        rv = rng.normal(self._velocity(data, theta), self._errors(data, theta))
        return theta | {"rv": rv}

    # ---- results

    compare = tables.compare
    modes = tables.modes
    predict = tables.predict
    plot_data = figures.plot_data
    plot_phase = figures.plot_phase
    plot_periodogram = figures.plot_periodogram

    def _values(self):
        return {p.name: self.samples(p.name).value for p in self.parameters}
