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

from collections import ChainMap
from functools import partial
from itertools import product

import astropy.units as u
import numpy as np
from astropy.table import Table
from scipy.stats import norm
from tqdm import tqdm

from astro_hier import checks, datasets, plots, priors
from astro_hier.core import jitter, orbit, orbit_evidence, period_cells, period_nodes
from astro_hier.models import orbit_checks
from astro_hier.models.orbits import AMPLITUDES, DAYS, KMS, OrbitModel
from astro_hier.posterior import Parameter
from astro_hier.table import TableError

__all__ = ["SB1Binary"]

MOST_BESIDES = 0.05
SEVERAL_PERIODS = checks.define(
    "several_periods",
    limit="one",
    said="the data allow {found} periods of more than 1 percent probability between"
    " {shortest_period:.6g} and {longest_period:.6g} d, the best of {best:.0f} percent, and mean"
    " and sd of P describe none of them{stays}",
    python="see modes() and plot_periodogram(){instead}",
    shell="see the table of modes and the periodogram{instead_shell}",
)
MOST_LN_BEYOND = np.log(2)  # what velocities that do not decide between periods reach by chance
PERIOD_RANGE = checks.define(
    "period_range",
    limit="at most twice the average likelihood within the range",
    said="periods outside the range searched, {shortest_period:.6g} to {longest_period:.6g} d, fit"
    " better: {found}",
    python="widen the range, such as with"
    " P=priors.LogUniform({low:.3g} * u.day, {high:.0f} * u.day)",
    shell="widen the range, such as with --prior 'P=LogUniform({low:.3g} d, {high:.0f} d)'",
)
PERIODS_PER_PEAK = 10  # of the periodogram that gives the starting point
LINEAR_DEPTH = 10.0  # of the periodogram, in ln p
NO_MODEL = (
    "none of these models explains the velocities within the stated errors: their probabilities say"
    " nothing of those that are not here, such as eccentric orbits and second companions, which a"
    " jitter stands in for"
)
CURVES = 64
MOST_CYCLES = 80
CURVE_POINTS = 400
SURE_EXCESS = 2.0  # scatter over errors which neither chance nor one bad visit makes
SPARE_VISITS = 5  # more than parameters, from which on single ones should not decide
MODE_GAP = 0.25  # cycles over the baseline, from one draw to the next, that part two modes


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
            likelihood = orbit.likelihood(data["visits"])
            data["nodes"] = period_nodes.period_nodes(likelihood, self._prior_of_period())
        return data["nodes"]

    def _prior_of_period(self):
        prior = self.frozen_priors()["P"]
        if prior.support()[0] < 0:
            raise priors.PriorError(
                f"P={self.P!r} allows periods below zero; accepted are priors of positive values,"
                " such as priors.TruncatedNormal(..., lower=0.1 * u.day)"
            )
        return prior

    def initial(self, data):
        """Period of the highest Lomb-Scargle peak, and linear least squares with the priors.

        With fewer than five visits, which any period fits, it is the prior's median. The jitter is
        the scatter that this orbit leaves.
        """
        from astropy.timeseries import LombScargle

        prior = self.frozen_priors()
        period = float(self._prior_of_period().median())
        shortest, longest = period_nodes.searched_range(prior["P"])
        if len(data["time"]) >= 5 and np.ptp(data["time"]) > 0 and shortest < longest:
            search = LombScargle(data["time"], data["rv"], data["rv_error"])
            frequency, power = search.autopower(
                minimum_frequency=1 / longest,
                maximum_frequency=1 / shortest,
                samples_per_peak=PERIODS_PER_PEAK,
            )
            if len(power):
                period = float(np.clip(1 / frequency[np.argmax(power)], shortest, longest))
        values = {"P": np.array([period])} | self._best_linear(data, period)
        if self.jitter is not None:
            number, frozen = data["instrument_index"], self._jitter_prior()
            left2 = (data["rv"] - self._velocity(data, values)[0]) ** 2 - data["rv_error"] ** 2
            found = np.sqrt(np.maximum(np.bincount(number, left2) / np.bincount(number), 1e-12))
            found = np.clip(found, *frozen.ppf([0.05, 0.95]))
            values["jitter"] = found[None] if self.instrument else found
        values["K"] = np.hypot(values["a"], values["b"])
        return {name: value[0] for name, value in values.items()}

    def _best_linear(self, data, period):
        """Least squares at a period, moved into the bulk of the priors; arrays of one draw."""
        frozen = [
            self.prior_of(name).frozen(self.parameter(name).unit) for name in self._linear_names()
        ]
        others = len(data["instruments"]) - 1
        if self.instrument:
            frozen += [self.prior_of("offset").frozen(KMS)] * others
        linear = tuple(np.array([getattr(p, of)() for p in frozen]) for of in ("mean", "std"))
        visits = self._visits_of(data, slice(None), linear)
        best = orbit.Solution(visits, np.array([1 / period])).linear()
        bulk = np.array([prior.ppf([0.001, 0.999]) for prior in frozen])
        return self._named_linear(np.clip(best, bulk[:, :1], bulk[:, 1:]))

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
            known = priors.as_prior(self.jitter)
            each = [known.pymc(f"jitter_{i}_", KMS, initial["jitter"][i]) for i in range(count)]
            values["jitter"] = pt.stack(each)
        return {n: pm.Deterministic(n, x, dims="instrument") for n, x in values.items()}

    def draw_exactly(self, data, size, rng):
        nodes, visits, prior = self._nodes(data), data["visits"], self._prior_of_period()
        P, log_likelihood = period_nodes.draw_periods(
            nodes, orbit.likelihood(visits), prior, size, rng
        )
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

    def diagnose(self, data, values, method):
        best = [int(np.argmax(values["log_prob"]))]
        one = {name: values[name][best] for name in values}
        if self.jitter is not None:  # the best draw's is that of the most parameters at once: small
            one["jitter"] = values["jitter"].mean(axis=0, keepdims=True)
        chi2 = np.sum(((data["rv"] - self._velocity(data, one)) / self._errors(data, one)) ** 2)
        dof = self._degrees_of_freedom(data)
        shortest, longest = period_nodes.searched_range(self._prior_of_period())
        found = {
            "chi2_per_dof": float(chi2 / dof) if dof > 0 else np.nan,
            "p_chi2": float(orbit_evidence.tail_probability(chi2, dof)),
            "shortest_period": float(shortest),
            "longest_period": float(longest),
            "K_upper": float(np.quantile(values["K"], 0.95)),
        }
        if self._is_linear():
            nodes = self._nodes(data)
            found["n_modes"] = int(np.sum(_modes(nodes)[1] > 0.01))
            found["period_information"] = orbit_evidence.information(nodes)
            if data["visits"].sd[:2].any():
                constant = orbit_evidence.log_evidence_without_orbit(
                    data["visits"], data["jitter_prior"]
                )
                found["ln_bayes_factor"] = float(nodes.log_evidence - constant)
        if "star" in data:
            found["star"] = str(data["star"][0])
        return found

    def check(self, data, values, attrs, method):
        known = "P" not in self.free_names()
        words = orbit_checks.causes(self, attrs, None if known else "P")
        findings = []
        if self._is_linear() and not known:  # if it fails, it is what else fails is due to
            findings.append(self._check_range(data, attrs))
        findings.append(self._check_fit(attrs, words))
        if self.jitter is not None:
            findings.append(self._check_jitter(data, values, words))
        findings.append(self._check_linear(data, values))
        if "ln_bayes_factor" in attrs:
            bayes = attrs["ln_bayes_factor"]
            found = orbit_checks.in_short(bayes, attrs["K_upper"])
            findings.append(orbit_checks.of_orbit(self, found, bayes < orbit_checks.LEAST_LN_BAYES))
        if self._is_linear():
            nodes = self._nodes(data)
            findings.append(orbit_checks.of_error(nodes.error))
            if not known:
                findings.append(orbit_checks.of_information(attrs["period_information"]))
                findings.append(_check_modes(nodes, attrs, method))
        return findings

    def _check_fit(self, attrs, words):
        p = attrs["p_chi2"]
        found = "not looked at: as few visits as parameters fit any orbit"
        if np.isfinite(p):
            found = f"{attrs['chi2_per_dof']:.3g}, {orbit_checks.in_words(p)}"
        return orbit_checks.GOODNESS.finding(
            found, p < orbit_checks.LEAST_P, of="orbit", least=orbit_checks.LEAST_P, **words
        )

    def _check_jitter(self, data, values, words):
        jitters = values["jitter"].reshape(len(values["jitter"]), -1)
        found, hiding = [], False
        for i, name in enumerate(data["instruments"]):
            error = np.median(data["rv_error"][data["instrument_index"] == i])
            low = np.quantile(jitters[:, i], orbit_checks.SURE)
            hiding |= bool(orbit_checks.is_hiding(low, error, self._jitter_prior()))
            mean = jitters[:, i].mean()
            of = f" of {name}" if self.instrument else ""
            found.append(f"{mean:.3g} km/s{of}, {orbit_checks.times_the_error(mean / error)}")
        return orbit_checks.JITTER.finding("; ".join(found), hiding, **words)

    def _check_linear(self, data, values):
        names, units = self._linear_names(), [KMS] * 3
        units += [self.parameter(name).unit for name in names[3:]]
        means = [values[name].mean() for name in names]
        given = [self.prior_of(name) for name in names]
        if self.instrument:
            names = names + [f"offset[{of}]" for of in data["instruments"][1:]]
            means += list(values["offset"].mean(axis=0)[1:])
            given += [self.prior_of("offset")] * (len(data["instruments"]) - 1)
        units += [KMS] * (len(names) - len(units))
        return orbit_checks.of_linear(names, units, np.array(means)[:, None], given)

    def _check_range(self, data, attrs):
        """Whether periods outside the range that the prior allows fit better than all within."""
        skipped = None
        prior, scatter = self._prior_of_period(), data["jitter_prior"]
        if not np.all(np.isfinite(prior.support())):
            skipped = "not looked for: the prior has an open end"
        elif self._degrees_of_freedom(data) <= 0:
            skipped = "not looked for: as few visits as parameters fit any period"
        elif scatter is not None and scatter.count > 1 and not _is_known(scatter.prior):
            skipped = "not looked for: jitters of several instruments take too long"
        if skipped:
            return PERIOD_RANGE.finding(skipped, False)
        searched = attrs["shortest_period"], attrs["longest_period"]
        within = self._nodes(data).log_evidence
        try:
            found = orbit_evidence.beyond(data["visits"], searched, within, scatter)
        except (ArithmeticError, ValueError) as error:
            return PERIOD_RANGE.finding(f"not looked for: {error}", False)
        log_mean, period, low, high = found
        ratio = log_mean - within
        factor = f"{np.exp(ratio):.2g}" if ratio < 20 else f"exp({ratio:.0f})"
        said = f"on average by a factor of {factor}, the best at {period:.6g} d"
        return PERIOD_RANGE.finding(
            said if np.isfinite(period) else "nothing of note",
            bool(ratio > MOST_LN_BEYOND),
            low=low,
            high=high,
            **attrs,
        )

    # ---- results

    def compare(self, table, *, jitter=None, trend=None):
        """How probable the data are with and without an orbit, a trend and a jitter.

        Nothing of this needs, or changes, a fit. Evidences depend on the priors: of an orbit's
        period and amplitudes, of the jitter and of the trend.

        Parameters
        ----------
        table : `~astropy.table.Table`
            As for ``fit``.
        jitter : `~astro_hier.priors.Prior` or `~astropy.units.Quantity`, optional
            Prior on the scatter beyond the stated errors, or its value; by default this
            estimator's, or if it has none LogUniform(0.01, 10) in km/s.
        trend : int or tuple of `~astro_hier.priors.Prior`, optional
            As the argument of the same name; by default this estimator's, or if it has none 1,
            with a prior Normal(0, 10) in km/s/yr. With 0, no trend is tried.

        Returns
        -------
        `~astropy.table.Table`
            Columns model, log_evidence, log_bayes_factor (ln of the evidence over that of the best
            model), probability (all models as probable beforehand) and p_chi2 (the tail probability
            of chi2 at the best parameters; not a number with a jitter that is inferred, which
            explains any scatter), one row a model. The probabilities are of these models among
            each other; ``meta["note"]`` says so where none of them explains the velocities within
            the stated errors.

        Raises
        ------
        TableError
            If the table cannot be used.
        astro_hier.priors.PriorError
            If linear parameters have priors that are not normal.
        """
        if jitter is None:
            jitter = self.jitter
        if jitter is None:
            jitter = priors.LogUniform(0.01 * KMS, 10 * KMS)
        if trend is None:
            trend = self.trend or 1
        trends = (("", {"trend": 0}), (" + trend", {"trend": trend}))
        period = float(self._prior_of_period().median()) * u.day
        constant = {"P": period, "a": 0 * KMS, "b": 0 * KMS}  # no amplitude, at any period
        parts = (
            (("constant velocity", constant), ("circular orbit", {})),
            trends if trend else trends[:1],
            (("", {"jitter": None}), (" + jitter", {"jitter": jitter})),
        )
        rows = []
        for chosen in product(*parts):
            names, changes = zip(*chosen, strict=True)
            model = type(self)(**{**self.get_params(), **dict(ChainMap(*changes))})
            data = model.prepare(model.read(table), progressbar=False)
            evidence = float(model._nodes(data).log_evidence)
            rows.append(("".join(names), evidence, model._best_p_chi2(data)))
        found = Table(rows=rows, names=("model", "log_evidence", "p_chi2"))
        found["log_bayes_factor"] = found["log_evidence"] - found["log_evidence"].max()
        weight = np.exp(found["log_bayes_factor"])
        found["probability"] = weight / weight.sum()
        for name, digits in (("log_evidence", 2), ("log_bayes_factor", 2), ("probability", 4)):
            found[name].info.format = f".{digits}f"
        found["p_chi2"].info.format = ".2g"
        known = found["p_chi2"][np.isfinite(found["p_chi2"])]
        if len(known) and known.max() < orbit_checks.LEAST_P:
            found.meta["note"] = NO_MODEL
        return found["model", "log_evidence", "log_bayes_factor", "probability", "p_chi2"]

    def _best_p_chi2(self, data):
        """Tail probability of chi2 at the best orbit; not a number where a jitter is inferred."""
        visits, nodes = data["visits"], self._nodes(data)
        if visits.jitter is not None:
            if not _is_known(data["jitter_prior"].prior):
                return np.nan
            visits = visits.scattered(visits.jitter.values[0])
        best = nodes.best_frequency
        linear = orbit.Solution(visits, np.array([best])).linear()[:, 0]
        residual = (visits.rv - orbit.velocity(visits, best, linear)) / visits.rv_error
        dof = self._degrees_of_freedom(data)
        return float(orbit_evidence.tail_probability(np.sum(residual**2), dof))

    def modes(self, min_probability=1e-3):
        """The periods that the data allow, most probable first.

        Two maxima of the likelihood of the period are two modes where it falls to a tenth of the
        lower between them.

        Parameters
        ----------
        min_probability : float, optional
            Modes of lower probability are left out; ``meta["probability_left_out"]`` is their sum.

        Returns
        -------
        `~astropy.table.Table`
            Columns probability, P and P_sd (mean and standard deviation in the mode), and K, the
            semi-amplitude of the best orbit, averaged over the mode. ``meta`` also says whether
            there is an orbit, and whether its period is known: ``ln_bayes_factor``, ``K_upper``
            and ``period_information``, as in the posterior's attributes.
        """
        data = self.fitted_data()
        nodes = self._nodes(data)
        mode, probability = _modes(nodes)
        frequency = 0.5 * (nodes.low + nodes.high)
        a, b, *_ = self._likely(data, frequency).linear()

        def mean(values):
            return np.bincount(mode, nodes.probability * values) / np.maximum(probability, 1e-300)

        P = mean(1 / frequency)
        offset = 1 / frequency - P[mode]
        spread = np.sqrt(mean(offset**2 + (1 / nodes.low - 1 / nodes.high) ** 2 / 12))
        table = Table(
            {
                "probability": probability,
                "P": P * u.day,
                "P_sd": spread * u.day,
                "K": mean(np.hypot(a, b)) * KMS,
            }
        )
        table = table[np.argsort(-probability, kind="stable")]
        table["probability"].info.format = ".4f"
        table["P"].info.format = ".9g"
        for name in ("P_sd", "K"):
            table[name].info.format = ".4g"
        listed = table["probability"] >= min_probability
        table.meta["probability_left_out"] = float(table["probability"][~listed].sum())
        for name in ("ln_bayes_factor", "K_upper", "period_information"):
            if name in self.posterior.attrs:
                table.meta[name] = self.posterior.attrs[name]
        return table[listed]

    def _likely(self, data, frequency):
        """The best orbits at given frequencies, with the jitter that is likely there."""
        visits = data["visits"]
        if visits.jitter is not None:
            visits = visits.scattered(jitter.likely(visits, frequency))
        return orbit.Solution(visits, frequency)

    def predict(self, times=None):
        """Radial velocity of every draw at given times, without measurement errors.

        Parameters
        ----------
        times : `~astropy.units.Quantity` or `~astropy.time.Time`, optional
            Times as the table's, of any shape (time,); by default the visits'.

        Returns
        -------
        `~astropy.units.Quantity`
            Velocities in km/s, shape (chain * draw, time): at the visits in the frame of each
            visit's instrument, at other times in that of the first.

        Raises
        ------
        TableError
            If the times are not of the table's kind.
        """
        data = self.fitted_data()
        if times is None:
            return self._velocity(data, self._values()) * KMS
        return self._of_draws(np.atleast_1d(data["epoch"].since(times)), self._values()) * KMS

    def _values(self):
        return {p.name: self.samples(p.name).value for p in self.parameters}

    def _some(self, near_period=None):
        """Values of a few draws, equally spaced among all, or among those of one mode."""
        values = self._values()
        chosen = np.arange(len(values["P"]))
        if near_period is not None:
            # phases have drifted apart by less than half a cycle at the last visit
            drift = np.abs(1 / values["P"] - 1 / near_period) * np.ptp(self.fitted_data()["time"])
            chosen = chosen[drift < 0.5]
        chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), CURVES)).astype(int)]
        return {name: draws[chosen] for name, draws in values.items()}

    def _best(self):
        """The best draw in the most probable mode, and the share of draws in that mode."""
        values = self._values()
        order = np.argsort(values["P"])
        cycles = np.ptp(self.fitted_data()["time"]) / values["P"][order]
        # draws of one mode drift from one to the next by far less than a cycle
        mode = np.concatenate([[0], np.cumsum(np.abs(np.diff(cycles)) > MODE_GAP)])
        sizes = np.bincount(mode)
        inside = order[mode == np.argmax(sizes)]
        best = inside[np.argmax(self.samples("log_prob").value[inside])]
        return {name: draws[[best]] for name, draws in values.items()}, sizes.max() / len(mode)

    def _corrected(self, data, best, trend):
        """Velocities less the best draw's offsets and, if asked, trend, and errors with jitter."""
        expected = self._of_draws(data["time"], best)[0]
        residual = data["rv"] - self._velocity(data, best)[0]
        if trend:
            expected = _circular(data["time"], best)[0]
        return expected + residual, residual, self._errors(data, best)[0]

    # ---- figures

    def plot_data(self, ax=None):
        """Velocities with their standard errors against time, and orbits from the posterior.

        Where there are too many cycles to see, their range v0 +- K stands for them. Offsets of
        instruments are taken off, and errors hold the jitter, both of the best draw.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        data = self.fitted_data()
        best, _ = self._best()
        rv, _, error = self._corrected(data, best, trend=False)
        ax = plots.axes(ax, figsize=(9, 4))
        span = max(np.ptp(data["time"]), 2 * float(best["P"][0]))
        some = self._some()
        cycles = span / np.median(some["P"])
        if cycles < MOST_CYCLES:
            time = np.linspace(-0.02, 1.02, int(40 * span / some["P"].min())) * span
            ax.plot(time, self._of_draws(time, some).T, color="C0", alpha=0.15, lw=0.5, zorder=0)
        else:
            time = np.linspace(0, span, 100)
            # of an orbit without amplitude: v0, and the trend
            middle = self._of_draws(time, some | {"a": 0 * some["a"], "b": 0 * some["b"]})
            low, high = (np.median(middle + s * some["K"][:, None], axis=0) for s in (-1, 1))
            ax.fill_between(time, low, high, color="C0", alpha=0.15, lw=0, label=r"$v_0 \pm K$")
            ax.legend(loc="best")
        plots.errorbar(ax, data["time"], rv, error)
        ax.set(xlabel="time since first visit [d]", ylabel="radial velocity [km/s]")
        ax.set_title("".join(_caveat(self.posterior.attrs)))
        return ax

    def plot_phase(self, fig=None):
        """Velocities folded at the best draw of the most probable mode, and residuals below.

        The orbits are those draws whose period is in that mode, each folded at its own; where there
        are other modes, the title says what share of the draws they leave it, and where no orbit is
        needed, or the visits do not constrain the period, it says that. Error bars are
        standard errors, with the jitter of the best draw; its trend and offsets of instruments are
        taken off.

        Parameters
        ----------
        fig : `~matplotlib.figure.Figure`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.figure.Figure`
        """
        fig = plots.figure(fig, figsize=(6.5, 5))
        top, bottom = fig.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        data, (best, share) = self.fitted_data(), self._best()
        rv, residual, error = self._corrected(data, best, trend=True)
        period = best["P"][0]
        phase = (data["time"] / period) % 1
        fine = np.linspace(0, 1, CURVE_POINTS)
        some = self._some(near_period=period)
        folded = _circular(fine, some | {"P": np.ones_like(some["P"])})
        top.plot(fine, folded.T, color="C0", alpha=0.15, lw=0.7, zorder=0)
        top.plot(fine, _circular(fine, best | {"P": np.ones(1)})[0], color="C1", zorder=1)
        plots.errorbar(top, phase, rv, error)
        bottom.axhline(0, color="C1", zorder=0)
        plots.errorbar(bottom, phase, residual, error)
        attrs = self.posterior.attrs
        chi2 = attrs["chi2_per_dof"]
        title = f"P = {period:.7g} d" + (f", $\\chi^2$/dof = {chi2:.3g}" if chi2 == chi2 else "")
        if share < 0.995:
            title += f", {100 * share:.0f}% of draws"
        title = "\n".join([*_caveat(attrs), title])
        star = attrs.get("star")
        top.set(ylabel="radial velocity [km/s]", title=f"{star}: {title}" if star else title)
        bottom.set(
            xlabel=f"phase, time since first visit / {period:.7g} d", ylabel="residual [km/s]"
        )
        return fig

    def plot_periodogram(self, ax=None):
        """The posterior of the period over the whole range, all else integrated out.

        The ordinate is ln of the density of P, prior included, above its highest value: linear down
        to -10, so that modes of comparable probability stand apart, logarithmic beyond.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        ax = plots.axes(ax, figsize=(9, 4))
        data = self.fitted_data()
        prior = self._prior_of_period()
        shortest, longest = period_nodes.searched_range(prior)
        if shortest == longest:
            raise plots.NothingToDraw(f"P={self.P!r} is given: there is no posterior of it to draw")
        count = int(
            np.clip(10 * np.ptp(data["time"]) * (1 / shortest - 1 / longest), 2000, 200_000)
        )
        step = (1 / shortest - 1 / longest) / (count - 1)
        nodes, visits = self._nodes(data), data["visits"]
        # the grid shows the range, the cells its needles
        frequency = np.concatenate([1 / longest + step * np.arange(count), nodes.low])
        log_p = np.concatenate(
            [orbit.log_marginal_grid(visits, 1 / longest, step, count), nodes.log_low]
        )
        period = np.clip(1 / frequency, shortest, longest)
        log_p += prior.logpdf(period)
        order = np.argsort(period)
        ax.plot(period[order], (log_p - log_p.max())[order], lw=0.6, color="k")
        best = self._best()[0]["P"]
        height = orbit.log_marginal(visits, 1 / best) + prior.logpdf(best) - log_p.max()
        ax.plot(best, height, "v", color="C1", label="best draw of the most probable mode")
        ax.set(xscale="log", xlabel="period $P$ [d]", ylabel=r"$\ln p(P \mid v)$ - maximum")
        ax.set_xlim(shortest, longest)
        ax.set_yscale("symlog", linthresh=LINEAR_DEPTH, linscale=2)
        ax.set_yticks([0, -0.5 * LINEAR_DEPTH, *-(LINEAR_DEPTH ** np.arange(1, 8))])
        ax.set_ylim(min((log_p - log_p.max()).min(), -LINEAR_DEPTH), 1)
        ax.yaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_major_formatter("{x:g}")
        if longest < 20 * shortest:
            ax.xaxis.set_minor_formatter("{x:g}")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
        ax.set_title("".join(_caveat(self.posterior.attrs)), loc="right")
        return ax


def _is_known(prior):
    return len(set(prior.support())) == 1


def _caveat(attrs):
    """What a figure of the orbit has to say of it first."""
    names = ("ln_bayes_factor", "K_upper", "period_information")
    return orbit_checks.caveat(*(attrs.get(name, np.inf) for name in names))


def _check_modes(nodes, attrs, method):
    n_modes, best = attrs["n_modes"], _modes(nodes)[1].max()
    nuts = method == "nuts"
    return SEVERAL_PERIODS.finding(
        str(n_modes),
        n_modes > 1 or best < 1 - MOST_BESIDES,
        best=100 * best,
        stays=", and NUTS stays in the one where it starts" if nuts else "",
        instead=", or fit with method='marginal'" if nuts else "",
        instead_shell=", and use --method marginal" if nuts else "",
        **attrs,
    )


def _modes(nodes):
    """Mode of each cell and probability of each mode."""
    mode = period_cells.mode_of_cells(nodes)
    return mode, np.bincount(mode, nodes.probability)


def _circular(time, values):
    """Velocities of the orbit and v0 alone, shape (draw, time)."""
    return orbit.radial_velocity(time, *(values[n][:, None] for n in ("P", *AMPLITUDES)))
