r"""The distribution of periods of a sample of single-lined binaries, and each star's orbit.

Prior
    mu ~ Uniform(-2, 12) and lnsigma ~ Uniform(-2, 3), where sigma = exp(lnsigma).
Population
    lnP_n ~ Normal(mu, sigma), the ln of the period of star n in d, or another of
    `astro_hier.populations`; a_n, b_n ~ Normal(0, 100) km/s, v0_n ~ Normal(0, 150) km/s.
Likelihood
    That of `astro_hier.models.orbits`, star by star: trend, offsets and jitter are each star's own.
Marginal likelihood
    p(rv | mu, sigma) is the product over stars of the integrals of p(rv_n | P) times the
    population's density over ln P: the linear parameters are integrated out in closed form
    (`astro_hier.core.orbit`), jitter on a lattice (`astro_hier.core.jitter`), p(rv_n | P) is laid
    out in cells that follow its needles (`astro_hier.core.period_nodes`), and the integrals over
    ln P of all stars are one product of a sparse matrix (`astro_hier.core.population`). Where
    jitters have a population of their own, the matrix holds p(rv_n | P, jitter).

The model is that of Price-Whelan (2022), *Hierarchical Models 1*.
"""

import inspect
from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.table import QTable
from joblib import Parallel, delayed
from scipy.stats import loguniform
from tqdm import tqdm

from astro_hier import checks, datasets, plots, populations, priors
from astro_hier.core import cells, orbit, orbit_evidence, population_star
from astro_hier.core import jitter as scatter
from astro_hier.models import binary_grid, orbit_checks
from astro_hier.models.orbits import DAYS, KMS, OrbitModel
from astro_hier.part import Option
from astro_hier.posterior import Parameter

__all__ = ["BinaryPopulation"]

SHORTEST = 0.5 * u.day  # of the range searched by default
BASELINES = 3.0  # the longest, in the longest baseline
OUTSIDE = 0.05  # share of the population beyond the range that is warned of
RANGE = checks.define(
    "outside_range",
    limit=f"at most {100 * OUTSIDE:.0f} percent",
    said="{found} percent of the population lie beyond the periods searched, {shortest_period:.6g}"
    " to {longest_period:.6g} d, where no star is looked for",
    python="widen period_range, or use population=populations.TruncatedNormal()",
    shell="widen --set period_range='LOW d, HIGH d', or use --set population=TruncatedNormal",
)
EXACT = ("P", "P_low", "P_high", "P_map")  # columns of more digits
TABLE_DRAWS = 200  # of the hyperparameters, to average the population over
PANELS = 16
CELLS_KEPT = 2_000_000  # of all stars, 80 MB; those of other stars are made again when needed


class BinaryPopulation(OrbitModel):
    """Population of periods of single-lined binaries, and each star's circular orbit.

    Parameters
    ----------
    mu, lnsigma : `~astro_hier.priors.Prior`, optional
        Priors on the mean of ln(P / d) and on ln of its standard deviation, numbers, for
        populations that have these parameters.
    a, b, v0 : `~astro_hier.priors.Prior`, optional
        Priors on each star's amplitudes of cosine and sine and systemic velocity, velocities.
        Normal.
    population : optional
        Distribution of ln(P / d), one of `astro_hier.populations`.
    jitter : optional
        Prior on a scatter of each star's velocities beyond their stated errors, added to them in
        quadrature, such as ``priors.LogUniform(0.01 * u.km / u.s, 10 * u.km / u.s)``; a Quantity if
        it is known; or `astro_hier.populations.LogNormalJitter`, whose parameters are then
        inferred. By default there is none.
    trend : int or tuple of `~astro_hier.priors.Prior`, optional
        Order of a polynomial in time added to each orbit, or priors of its coefficients, the first
        in km/s/yr; by default Normal(0, 10) in km/s/yr, km/s/yr^2, ... Normal.
    instrument : str, optional
        Name of the column that says with which instrument each velocity was measured: each then
        has a zero point and a jitter for every star.
    offset : `~astro_hier.priors.Prior`, optional
        Prior on the velocities of an instrument less those of the first, in the order of their
        names. Normal.
    period_range : tuple of `~astropy.units.Quantity`, optional
        Shortest and longest period searched; by default 0.5 d and three times the longest
        baseline. Where the population reaches beyond, stars' periods are not drawn.
    star_draws : {"auto", True, False}, optional
        Whether to keep draws of each star's parameters; "auto" keeps those of up to 1000 stars.
    n_jobs : int, optional
        Processes for the work on single stars, by joblib: choose where they run with
        `joblib.parallel_config`.
    columns : dict, optional
        Where the columns are that the model reads: ``star`` (identifiers), ``time`` (a Quantity, or
        `~astropy.time.Time` of any scale), ``rv`` and ``rv_error`` (velocities in any unit). By
        default they have these names. Give the column's name, or the name and the unit to take
        where the table has none, or a preset, `astro_hier.columns.APOGEE`.
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values is refused, or such rows are left out
        with a warning.

    Notes
    -----
    The posterior has the variables

    ============== ======= ================================================================
    name           unit    meaning
    ============== ======= ================================================================
    ``mu``                 mean of ln(P / d)
    ``lnsigma``            ln of sigma
    ``sigma``              standard deviation of ln(P / d)
    ``lnP``                ln(P / d) of each star, dimension ``star``, as all that follow
    ``P``          d       period
    ``a``, ``b``   km / s  v = a cos(2 pi t / P) + b sin(2 pi t / P) + v0, t from first visit
    ``v0``         km / s  systemic velocity
    ``K``          km / s  semi-amplitude
    ``log_prob``           ln of the density of mu and lnsigma (all else integrated out)
    ============== ======= ================================================================

    Other populations have their own parameters in place of the first three. Where they are asked
    for, stars also have ``jitter`` (km/s; of each ``instrument``), ``trend1`` (km/s/yr),
    ``trend2``, ... and ``offset`` (km/s, of each ``instrument``; zero of the first). Of the
    attributes, ``outside_range`` is the share of the population beyond the periods searched,
    ``stars_without_orbit`` and ``stars_without_period`` are the numbers of stars for which a
    constant velocity is enough (ln Bayes factor of an orbit below 3) and whose visits say nothing
    about the period (less than 1 nat); ``star_table()`` says which.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(20, random_state=1)
    >>> model = BinaryPopulation().fit(visits, random_state=1, progressbar=False)
    >>> model.posterior["P"].sizes["star"]
    20
    """

    of_each = ("star",)
    likelihood_of = "star"
    star_parameters = (
        Parameter("lnP", u.one, r"\ln(P/\mathrm{d})", "ln of the period", ("star",)),
        Parameter("P", u.day, "P", "period", ("star",)),
        Parameter("a", KMS, "a", "amplitude of the cosine", ("star",)),
        Parameter("b", KMS, "b", "amplitude of the sine", ("star",)),
        Parameter("v0", KMS, "v_0", "systemic velocity", ("star",)),
        Parameter("K", KMS, "K", "semi-amplitude", ("star",)),
    )
    command = "binaries"
    options = (
        Option(
            "population",
            "NormalMixture",
            (populations.Normal, populations.TruncatedNormal, populations.NormalMixture),
        ),
        Option("jitter", families=(populations.LogNormalJitter,), takes_prior=True),
        *(option for option in OrbitModel.options if option.name != "jitter"),
    )
    numbers = ("shortest_period", "longest_period")

    def __init__(
        self,
        *,
        mu=priors.Uniform(-2, 12),
        lnsigma=priors.Uniform(-2, 3),
        a=priors.Normal(0 * KMS, 100 * KMS),
        b=priors.Normal(0 * KMS, 100 * KMS),
        v0=priors.Normal(0 * KMS, 150 * KMS),
        population=populations.Normal(),
        jitter=None,
        trend=0,
        instrument=None,
        offset=priors.Normal(0 * KMS, 5 * KMS),
        period_range=None,
        star_draws="auto",
        n_jobs=1,
        columns=None,
        on_invalid="raise",
    ):
        super().__init__(
            a=a, b=b, v0=v0, jitter=jitter, trend=trend, instrument=instrument, offset=offset,
            columns=columns, on_invalid=on_invalid,
        )  # fmt: skip
        self.mu = mu
        self.lnsigma = lnsigma
        self.population = population
        self.period_range = period_range
        self.star_draws = star_draws
        self.n_jobs = n_jobs

    example = staticmethod(datasets.make_binaries)

    @property
    def parameters(self):
        common = [p for part in self.parts for p in part.parameters]
        return (*common, *self.star_parameters, *self._extra_parameters())

    @property
    def parts(self):
        return (self._density(), *((self.jitter,) if self._has_layers() else ()))

    def _has_layers(self):
        """Whether jitters have a population."""
        return isinstance(self.jitter, populations.LogNormalJitter)

    def _density(self):
        """The population, if it is one."""
        if not isinstance(self.population, populations.Population):
            raise ValueError(
                f"population={self.population!r}; accepted are those of astro_hier.populations,"
                " such as populations.Normal()"
            )
        return self.population

    @property
    def graph(self):
        sampled = self.sampled_names()
        x = 1.2 * (np.arange(len(sampled)) - 0.5 * (len(sampled) - 1))
        of_jitter = self.jitter.parameters if self._has_layers() else ()
        to = {p.name: "jitter" for p in of_jitter}
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

    def _visits(self, data, star):
        """The visits of one star."""
        return self._visits_of(data, data["visits"][star], data["linear"])

    def _jitter_prior(self):
        if self._has_layers():
            return loguniform(*self.jitter.range())
        return super()._jitter_prior()

    def check_arguments(self):
        self.keeps_draws(0)
        defaults = inspect.signature(type(self)).parameters
        for name in ("mu", "lnsigma"):
            if name not in self.sampled_names() and getattr(self, name) != defaults[name].default:
                raise priors.PriorError(
                    f"{name}={getattr(self, name)!r}: {type(self.population).__name__} has no such"
                    f" parameter; its own are {self.sampled_names()}"
                )

    def _by_star(self, rows):
        """The rows with which of them are of which star and instrument."""
        data = self._with_instruments(rows)
        stars, index = np.unique(data["star"], return_inverse=True)
        rows = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
        data |= {"stars": stars, "index": index, "visits": rows, "ends": self._ends(data, index)}
        return data | {"linear": self._linear_priors(data)}

    def coordinates(self, data):
        return {"star": data["stars"], **super().coordinates(data)}

    def _ends(self, data, index):
        """Shortest and longest period searched, in d."""
        if self.period_range is not None:
            try:
                shortest, longest = (u.Quantity(p).to_value(u.day) for p in self.period_range)
            except (TypeError, ValueError, u.UnitConversionError):
                shortest, longest = np.nan, np.nan
            if not 0 < shortest < longest < np.inf:
                raise ValueError(
                    f"period_range={self.period_range!r}; accepted are two times, the shorter"
                    " first, such as (1 * u.day, 1000 * u.day)"
                )
            return float(shortest), float(longest)
        first, last = np.full((2, index.max() + 1), [[np.inf], [-np.inf]])
        np.minimum.at(first, index, data["time"])
        np.maximum.at(last, index, data["time"])
        shortest = SHORTEST.to_value(u.day)
        return shortest, max(BASELINES * (last - first).max(), 100 * shortest)

    def prepare(self, rows, progressbar):
        """Every star's likelihood of its period, on a common grid."""
        data = self._by_star(rows)
        n_stars = len(data["stars"])
        levels = binary_grid.plan(
            self.population, self.frozen_priors(), data["ends"], n_stars, self._has_layers()
        )
        common = self._known_jitter(data), self._has_layers(), levels.grids, CELLS_KEPT // n_stars
        work = (
            delayed(population_star.summarise)(self._visits(data, n), *common)
            for n in range(n_stars)
        )
        stars = self._in_parallel(work, n_stars, "periods", progressbar)
        matrices = [
            cells.Matrix.of(rows) for rows in zip(*(star.rows for star in stars), strict=True)
        ]
        return data | {"levels": levels, "summaries": stars, "matrices": matrices}

    def _in_parallel(self, work, total, desc, progressbar):
        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        return list(tqdm(parallel(work), total=total, unit="star", desc=desc,
                         disable=not progressbar))  # fmt: skip

    def _log_ends(self, data):
        return tuple(np.log(data["ends"]))

    def initial(self, data):
        """Each star's period of highest likelihood and the orbit that fits best there."""
        P = np.array([star.best_period for star in data["summaries"]])
        linear, jitter = [], []
        for n, period in enumerate(P):
            visits = replace(self._visits(data, n), jitter=data["summaries"][n].jitter)
            if visits.jitter is not None:
                jitter.append(scatter.likely(visits, np.array([1 / period]))[:, 0])
                visits = visits.scattered(jitter[-1])
            linear.append(orbit.Solution(visits, np.array([1 / period])).linear()[:, 0])
        found = {"lnP": np.log(P), "P": P, **self._named_linear(np.array(linear).T)}
        hyper = self.population.initial(np.log(P))
        if jitter:
            found["jitter"] = np.array(jitter) if self.instrument else np.array(jitter)[:, 0]
            if self._has_layers():
                hyper |= self.jitter.initial(found["jitter"])
        for name, prior in self.frozen_priors().items():
            hyper[name] = float(np.clip(hyper[name], *prior.ppf([0.001, 0.999])))
        derived = self.population.derive({n: np.asarray(v) for n, v in hyper.items()})
        return {**hyper, **derived, **found, "K": np.hypot(found["a"], found["b"])}

    def build_pymc(self, data):
        import pymc as pm

        self.population.check_pymc()
        initial, index = self.initial(data), data["index"]
        first = _first_visits(data)
        coords = {"visit": np.arange(len(index)), **self.coordinates(data)}
        with pm.Model(coords=coords) as model:
            theta = self.pymc_priors(data, initial)
            lnP = self.population.pymc(
                theta, self._log_ends(data), dims="star", initval=initial["lnP"]
            )
            P = pm.Deterministic("P", pm.math.exp(lnP), dims="star")
            values = self._pymc_linear(data, initial)
            pm.Deterministic("K", pm.math.sqrt(values["a"] ** 2 + values["b"] ** 2), dims="star")
            time = data["time"] - first[index]
            phase = 2 * np.pi * time / P[index]
            mu = values["a"][index] * pm.math.cos(phase) + values["b"][index] * pm.math.sin(phase)
            mu = mu + values["v0"][index]
            for k in range(1, len(self._trend()) + 1):
                mu = mu + values[f"trend{k}"][index] * (time / DAYS) ** k
            at = (index, data["instrument_index"]) if self.instrument else index
            if self.instrument:
                mu = mu + values["offset"][at]
            sigma = data["rv_error"]
            if self.jitter is not None:
                jitter = self._pymc_jitter(theta, initial)
                sigma = pm.math.sqrt(sigma**2 + jitter[at] ** 2)
            pm.Normal("rv", mu=mu, sigma=sigma, observed=data["rv"], dims="visit")
        return model

    def _pymc_linear(self, data, initial):
        """The linear parameters of all stars, normal, or given."""
        import pymc as pm
        import pytensor.tensor as pt

        def normal(name, mean, sd, shape, start, **dims):
            if np.all(sd == 0):
                return pm.Deterministic(name, pt.zeros(shape) + mean, **dims)
            return pm.Normal(name, mu=mean, sigma=sd, shape=shape, initval=start, **dims)

        names, n_stars = self._linear_names(), len(data["stars"])
        mean, sd = data["linear"]
        values = {
            name: normal(name, mean[i], sd[i], n_stars, initial[name], dims="star")
            for i, name in enumerate(names)
        }
        if self.instrument:
            mean, sd = mean[len(names) :], sd[len(names) :]
            of = normal("offset_", mean, sd, (n_stars, len(mean)), initial["offset"][:, 1:])
            offset = pt.concatenate([pt.zeros((n_stars, 1)), of], axis=1)
            values["offset"] = pm.Deterministic("offset", offset, dims=("star", "instrument"))
        return values

    def _pymc_jitter(self, theta, initial):
        """Jitters of all stars, from their population, from a prior, or given."""
        import pymc as pm
        import pytensor.tensor as pt

        dims = ("star", "instrument") if self.instrument else ("star",)
        start = initial["jitter"]
        if self._has_layers():
            return self.jitter.pymc(theta, dims=dims, initval=start)
        # a prior is of one number: as many of them as there are jitters
        known = priors.as_prior(self.jitter)
        each = [known.pymc(f"jitter_{i}_", KMS, x) for i, x in enumerate(np.ravel(start))]
        return pm.Deterministic("jitter", pt.stack(each).reshape(start.shape), dims=dims)

    def log_marginal(self, data, theta):
        def at(level, some):
            return data["matrices"][level].log_marginal(*self._of_population(data, level, some))

        return data["levels"].each(theta, at)

    def log_likelihood(self, data, values):
        def at(level, some):
            return data["matrices"][level].log_likelihood(*self._of_population(data, level, some))

        theta = {name: values[name] for name in self.sampled_names()}
        return data["levels"].each(theta, at, len(data["stars"]))

    def _of_population(self, data, level, theta):
        """What the matrix takes: the population's density, and shares beyond and of scatters."""
        points, ends = data["levels"].grids[level].points, self._log_ends(data)
        log_density = self.population.log_density(
            points[data["matrices"][level].points], theta, ends
        )
        outside, shares = self.population.outside(theta, ends), None
        if self._has_layers():
            between = [(star.jitter.low, star.jitter.high) for star in data["summaries"]]
            shares = self.jitter.shares(*map(np.concatenate, zip(*between, strict=True)), theta)
        return log_density, outside, shares

    def draw_latents(self, data, theta, rng, progressbar=False):
        if not self.keeps_draws(len(data["stars"])):
            return {}
        seed, size = int(rng.integers(2**63)), len(next(iter(theta.values())))
        values = {}
        for level, chosen in data["levels"].groups(theta):
            some = {name: of[chosen] for name, of in theta.items()}
            seeds = [seed, level] if level else [seed]
            for name, drawn in self._drawn_on(data, level, some, seeds, progressbar).items():
                values.setdefault(name, np.empty((size, *drawn.shape[1:])))[chosen] = drawn
        return values

    def _drawn_on(self, data, level, theta, seeds, progressbar):
        """One draw of the stars' parameters for each theta that one of the grids follows."""
        grids, ends = data["levels"].grids, self._log_ends(data)
        known, points = self._known_jitter(data), grids[level].points
        work = (
            delayed(population_star.draw)(
                self._visits(data, n),
                known,
                level,
                grids,
                star,
                self.population.log_density(points[star.rows[level].index], theta, ends),
                *self._of_layers(star, theta),
                np.random.default_rng([*seeds, n]),
            )
            for n, star in enumerate(data["summaries"])
        )
        drawn = self._in_parallel(work, len(data["stars"]), "orbits", progressbar)
        P, s, linear = zip(*drawn, strict=True)
        values = {"P": np.array(P).T, **self._named_linear(np.moveaxis(linear, 0, 2))}
        if self.jitter is not None:
            s = np.moveaxis(s, 2, 0)
            values["jitter"] = s if self.instrument else s[:, :, 0]
        return values

    def _of_layers(self, star, theta):
        """What one star's draws need of the population of jitters."""
        if not self._has_layers():
            return None, None

        def within(low, high, chance, which):
            chosen = {name: theta[name][which] for name in theta}
            return self.jitter.within(low, high, chance, chosen)

        return self.jitter.shares(star.jitter.low, star.jitter.high, theta), within

    def derive(self, theta):
        derived = self.population.derive(theta)
        if "P" in theta:
            derived |= {"lnP": np.log(theta["P"]), **super().derive(theta)}
        return derived

    def simulate(self, data, theta, rng):
        ends = self._log_ends(data)
        lnP = self.population.draw(theta, ends, len(data["stars"]), rng)
        mean, sd = (of.reshape(-1, 1, 1) for of in data["linear"])
        linear = rng.normal(mean, sd, (len(mean), *lnP.shape))
        drawn = {"lnP": lnP, "P": np.exp(lnP), **self._named_linear(linear)}
        if self.jitter is not None:
            shape = lnP.shape[1:] + ((len(data["instruments"]),) if self.instrument else ())
            if self._has_layers():
                drawn["jitter"] = self.jitter.draw(theta, shape, rng)
            else:
                prior = self._jitter_prior()
                drawn["jitter"] = prior.rvs((len(lnP), *shape), random_state=rng)
        rv = rng.normal(self._velocity(data, drawn), self._errors(data, drawn))
        return drawn | {"rv": rv}

    def _velocity(self, data, values):
        """Velocities at the visits, each in its instrument's frame, shape (draw, visit)."""
        index = data["index"]
        of_visit = {name: values[name][:, index] for name in ("P", *self._linear_names())}
        velocity = self._velocity_at(data["time"] - _first_visits(data)[index], of_visit)
        if self.instrument:
            velocity = velocity + values["offset"][:, index, data["instrument_index"]]
        return velocity

    def _errors(self, data, values):
        """Errors with the draws' jitter, shape (draw, visit)."""
        if self.jitter is None:
            return data["rv_error"][None]
        index = (data["index"], data["instrument_index"]) if self.instrument else (data["index"],)
        return np.hypot(data["rv_error"], values["jitter"][:, *index])

    def diagnose(self, data, values, method):
        theta = {name: values[name] for name in self.sampled_names()}
        outside = self.population.outside(theta, self._log_ends(data)).sum(axis=0)
        outside = float(np.mean(outside))
        shortest, longest = data["ends"]
        bayes, nats = self._star_evidence(data, theta)
        return {
            "outside_range": outside,
            "stars_without_orbit": int(np.sum(bayes < orbit_checks.LEAST_LN_BAYES)),
            "stars_without_period": int(np.sum(nats < orbit_checks.LEAST_INFORMATION)),
            "shortest_period": float(shortest),
            "longest_period": float(longest),
            "period_error": max(star.error for star in data["summaries"]),
        }

    def check(self, data, values, attrs, method):
        outside = attrs["outside_range"]
        words = orbit_checks.causes(self, attrs, "period_range")
        findings = [
            RANGE.finding(f"{100 * outside:.0f}", outside > OUTSIDE, **attrs),
            self._check_fits(data, words),
        ]
        if self.jitter is not None:
            findings.append(self._check_jitters(data, words))
        findings.append(self._check_linear(data))
        findings += self._check_stars(data, values)
        theta = {name: values[name] for name in self.sampled_names()}
        findings += data["levels"].check(theta)
        worst = int(np.argmax([star.error for star in data["summaries"]]))
        error = orbit_checks.of_error(attrs["period_error"], data["stars"][worst])
        return [*findings, error]

    def _check_fits(self, data, words):
        """Whether the best orbits of all stars explain their velocities."""
        p = np.array(
            [
                orbit_evidence.tail_probability(
                    star.chi2, len(rows) - 1 - self._n_adjusted(data, rows)
                )
                for star, rows in zip(data["summaries"], data["visits"], strict=True)
            ]
        )
        least = orbit_checks.LEAST_P_OF_SAMPLE / len(p)
        found = orbit_checks.named(
            data["stars"], p < least, p, lambda n: orbit_checks.in_words(p[n])
        )
        return orbit_checks.GOODNESS.finding(
            found, bool(np.any(p < least)), of="orbits", least=least, **words
        )

    def _check_jitters(self, data, words):
        """Whether jitters are far beyond the errors."""
        ratio, hiding = np.zeros((2, len(data["stars"])))
        for n, (star, rows) in enumerate(zip(data["summaries"], data["visits"], strict=True)):
            number, error = data["instrument_index"][rows], data["rv_error"][rows]
            for i in np.unique(number):
                median, prior = np.median(error[number == i]), self._jitter_prior()
                ratio[n] = max(ratio[n], star.scatter[i] / median)
                hiding[n] += orbit_checks.is_hiding(star.least_scatter[i], median, prior)

        def say(n):
            return orbit_checks.times_the_error(ratio[n])

        found = orbit_checks.named(data["stars"], hiding > 0, -ratio, say)
        return orbit_checks.JITTER.finding(found, bool(hiding.any()), **words)

    def _check_linear(self, data):
        """Whether the linear parameters of the best orbits lie where their priors expect them."""
        names = self._linear_names()
        units = [self.parameter(name).unit for name in names]
        given = [self.prior_of(name) for name in names]
        values = np.array([star.linear for star in data["summaries"]]).T
        if self.instrument:
            names = names + [f"offset[{of}]" for of in data["instruments"][1:]]
            units += [KMS] * (len(names) - len(units))
            given += [self.prior_of("offset")] * (len(names) - len(given))
        return orbit_checks.of_linear(names, units, values, given, len(data["stars"]))

    def _star_evidence(self, data, theta):
        """Of each star ln of its Bayes factor, and what its visits say about its period."""
        level, grid, _, *mean = self._population_on_grid(data, _thinned(theta))
        return np.transpose(
            [population_star.significance(star, level, grid, *mean) for star in data["summaries"]]
        )

    def _check_stars(self, data, values):
        """Whether the stars have orbits, and their visits something to say about the periods."""
        theta = {name: values[name] for name in self.sampled_names()}
        bayes, nats = self._star_evidence(data, theta)
        no_orbit = bayes < orbit_checks.LEAST_LN_BAYES
        unknown = nats < orbit_checks.LEAST_INFORMATION
        found = [
            orbit_checks.named(data["stars"], no_orbit, bayes, lambda n: f"ln B = {bayes[n]:.1f}"),
            orbit_checks.named(data["stars"], unknown, nats, lambda n: f"{nats[n]:.2g} nat"),
        ]
        return [
            orbit_checks.of_orbit(self, found[0], no_orbit.any()),
            orbit_checks.INFORMATION.finding(found[1], bool(unknown.any())),
        ]

    # ---- results

    def _some_draws(self):
        """The population's parameters in some of the draws."""
        return _thinned({name: self.samples(name).value for name in self.sampled_names()})

    def _population_on_grid(self, data, theta):
        """A grid that follows all ``theta``, ln of their densities there, and averages over them.

        The grid's number and the grid; averages of the density, of the shares beyond the range, and
        of those of jitters between ends of cells, a function, or None.
        """
        ends, level = self._log_ends(data), data["levels"].finest(theta)
        grid = data["levels"].grids[level]
        log_density = data["levels"].densities(level, theta, ends)
        outside, shares = self.population.outside(theta, ends).mean(axis=1), None
        if self._has_layers():

            def shares(low, high):
                return self.jitter.shares(low, high, theta).mean(axis=1)

        return level, grid, log_density, np.exp(log_density).mean(axis=0), outside, shares

    def _describe(self, data):
        """A function from the number of a star to the work that describes it."""
        common = self._population_on_grid(data, self._some_draws())
        return lambda n: delayed(population_star.describe)(
            self._visits(data, n),
            data["summaries"][n],
            *common,
            1 + self._n_adjusted(data, data["visits"][n]),
        )

    def star_table(self, progressbar=False):
        """Every star's own results, given its velocities and the population.

        Returns
        -------
        `~astropy.table.QTable`
            Columns star, n_visits, baseline, P, P_low, P_high and P_sd (median, 16 and 84 percent
            and standard deviation in the most probable mode), P_map (the most probable there), K
            (of the best orbit there), K_upper (its 95 percent upper limit, whatever the period), v0
            (there), n_modes (of more than 1 percent), probability (of the best mode), jitter
            (there, if it is inferred; of each instrument), chi2_per_dof (there, with the jitter;
            not a number for as few visits as parameters), p_chi2 (its tail probability),
            ln_bayes_factor (of an orbit over a constant velocity) and period_information (the
            Kullback-Leibler divergence of the period's posterior from the population, in nats: 0
            where the visits say nothing).
        """
        data = self.fitted_data()
        describe = self._describe(data)
        work = (describe(n) for n in range(len(data["stars"])))
        rows = self._in_parallel(work, len(data["stars"]), "stars", progressbar)
        rows = [row for row, _ in rows]
        table = QTable({name: np.array([row[name] for row in rows]) for name in rows[0]})
        table.add_column(data["stars"], name="star", index=0)
        units = dict.fromkeys(("baseline", "P", "P_low", "P_high", "P_sd", "P_map"), u.day)
        units |= {"K": KMS, "K_upper": KMS, "v0": KMS}
        if self.jitter is not None:
            units["jitter"] = KMS
            if not self.instrument:
                table["jitter"] = table["jitter"][:, 0]
        for name, unit in units.items():
            table[name] = table[name] * unit
        for name in table.colnames[2:]:
            table[name].info.format = ".8g" if name in EXACT else ".4g"
        table["n_modes"].info.format = None
        return table

    def predict(self, times=None):
        """Radial velocities of every star and draw, without measurement errors.

        Parameters
        ----------
        times : `~astropy.units.Quantity` or `~astropy.time.Time`, optional
            Times as the table's, shape (time,), the same for all stars; by default each visit's
            own.

        Returns
        -------
        `~astropy.units.Quantity`
            Velocities in km/s, shape (chain * draw, visit), or (chain * draw, star, time).
        """
        data = self.fitted_data()
        names = ["P", *self._linear_names()]
        values = {n: self.samples(n).value for n in names + ["offset"] * bool(self.instrument)}
        if times is None:
            return self._velocity(data, values) * KMS
        days = np.atleast_1d(data["epoch"].since(times))
        first = _first_visits(data)
        of_star = {name: values[name][:, :, None] for name in names}
        return self._velocity_at(days - first[:, None], of_star) * KMS

    # ---- figures

    def plot_data(self, stars=None, fig=None):
        """Velocities with their standard errors against time, one panel a star.

        Parameters
        ----------
        stars : list, optional
            Identifiers of the stars to draw; by default the first sixteen.
        fig : `~matplotlib.figure.Figure`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.figure.Figure`
        """
        data = self.fitted_data()
        fig, panels = self._panels(data, stars, fig)
        for ax, n in panels:
            visits = self._visits(data, n)
            plots.errorbar(ax, visits.time, visits.rv, visits.rv_error)
            ax.set_title(str(data["stars"][n]), fontsize=8)
        fig.supxlabel("time since first visit [d]")
        fig.supylabel("radial velocity [km/s]")
        return fig

    def plot_phase(self, stars=None, fig=None):
        """Velocities folded at each star's best period, with its orbit, one panel a star.

        Trends and offsets of instruments are taken off, and errors hold the jitter. Titles say
        where no orbit is needed, where the visits do not constrain the period, and where the orbit
        does not describe them.

        Parameters
        ----------
        stars : list, optional
            Identifiers of the stars to draw; by default the first sixteen.
        fig : `~matplotlib.figure.Figure`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.figure.Figure`
        """
        data = self.fitted_data()
        describe = self._describe(data)
        fig, panels = self._panels(data, stars, fig)
        phase = np.linspace(0, 1, 200)
        rows = self._in_parallel((describe(n) for _, n in panels), len(panels), "stars", False)
        for (ax, n), (best, (visits, linear)) in zip(panels, rows, strict=True):
            period = best["P_map"]
            ax.plot(phase, orbit.radial_velocity(phase, 1, *linear[:3]), color="C1", zorder=0)
            rv = visits.rv - visits.constant[:, 1:] @ linear[3:]
            plots.errorbar(ax, (visits.time / period) % 1, rv, visits.rv_error)
            said = orbit_checks.caveat(best["ln_bayes_factor"], best["K_upper"],
                                       best["period_information"])  # fmt: skip
            if best["ln_bayes_factor"] >= orbit_checks.LEAST_LN_BAYES:
                poor = best["p_chi2"] < orbit_checks.LEAST_P
                chi2 = f", $\\chi^2$/dof = {best['chi2_per_dof']:.4g}" if poor else ""
                said.append(f"P = {period:.6g} d{chi2}")
            title = "\n".join([str(data["stars"][n]), *said]).replace("needed: ", "needed:\n")
            ax.set_title(title, fontsize=8)
        fig.supxlabel("phase, from first visit")
        fig.supylabel("radial velocity [km/s]")
        return fig

    def _panels(self, data, stars, fig):
        """A figure with one axes a star, and the stars' numbers."""
        if stars is None:
            numbers = np.arange(min(len(data["stars"]), PANELS))
        else:
            labels = list(data["stars"])
            unknown = [star for star in np.atleast_1d(stars).tolist() if star not in labels]
            if unknown or not np.size(stars):
                raise ValueError(f"stars={stars!r}: not among the {len(labels)} fitted: {unknown}")
            numbers = [labels.index(star) for star in np.atleast_1d(stars).tolist()]
        columns = int(np.ceil(np.sqrt(len(numbers))))
        rows = -(-len(numbers) // columns)
        fig = plots.figure(fig, figsize=(2.6 * columns + 0.4, 2.0 * rows + 0.4))
        grid = fig.subplots(rows, columns, squeeze=False)
        for ax in grid.flat[len(numbers) :]:
            ax.remove()
        for ax in grid.flat:
            ax.tick_params(labelsize=7)
        return fig, list(zip(grid.flat, numbers, strict=False))

    def plot_population(self, ax=None):
        """The distribution of ln P, with its uncertainty, over the stars' own posteriors.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        ax = plots.axes(ax, figsize=(7, 4.5))
        data = self.fitted_data()
        theta, ends = self._some_draws(), self._log_ends(data)
        level = data["levels"].finest(theta)
        points = data["levels"].grids[level].points
        density = np.exp(data["levels"].densities(level, theta, ends))
        low, middle, high = np.quantile(density, [0.03, 0.5, 0.97], axis=0)
        ax.fill_between(points, low, high, color="C1", alpha=0.3, lw=0,
                        label="population, 94 percent")  # fmt: skip
        ax.plot(points, middle, color="C1")
        if "lnP" in self.posterior:
            draws = self.samples("lnP").value
            bins = int(np.clip(np.sqrt(draws.shape[1]) * 2, 6, 40))
            edges = np.histogram_bin_edges(np.median(draws, axis=0), bins)
            width = edges[1] - edges[0]
            edges = np.arange(edges[0] - 10 * width, edges[-1] + 10 * width, width)
            count, _ = np.histogram(draws, edges)
            ax.stairs(count / draws.size / width, edges, color="k", label="stars, all draws")
            ax.plot(np.median(draws, axis=0), np.zeros(draws.shape[1]), "|", color="k", ms=12,
                    label="stars, medians")  # fmt: skip
        seen = points[high > 0.01 * high.max()]
        ax.set(xlim=(seen[0], seen[-1]), ylim=(0, None))
        ax.set(xlabel=r"$\ln(P / \mathrm{d})$", ylabel="density")
        ax.legend(loc="best")
        return ax


def _thinned(theta):
    """Some of the draws, equally spaced."""
    size = len(next(iter(theta.values())))
    some = np.linspace(0, size - 1, min(size, TABLE_DRAWS)).astype(int)
    return {name: draws[some] for name, draws in theta.items()}


def _first_visits(data):
    """Time of each star's first visit, in d."""
    return np.array([data["time"][visits].min() for visits in data["visits"]])
