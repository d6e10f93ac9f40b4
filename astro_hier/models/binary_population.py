r"""The distribution of periods of a sample of single-lined binaries, and each star's orbit.

Prior
    mu ~ Uniform(1, 10) and lnsigma ~ Uniform(-2, 3), where sigma = exp(lnsigma).
Population
    lnP_n ~ Normal(mu, sigma), the ln of the period of star n in d, or another of
    `astro_hier.populations`; a_n, b_n ~ Normal(0, 100) km/s, v0_n ~ Normal(0, 150) km/s.
Likelihood
    As of `astro_hier.models.sb1_binary`, star by star, with times from each star's first visit.
Marginal likelihood
    p(rv | mu, sigma) is the product over stars of the integrals of p(rv_n | P) times the
    population's density over ln P: a, b and v0 are integrated out in closed form
    (`astro_hier.core.orbit`), p(rv_n | P) is laid out in cells that follow its needles
    (`astro_hier.core.period_nodes`), and the integrals over ln P of all stars are one product of a
    sparse matrix (`astro_hier.core.population`).

The model is that of Price-Whelan (2022), *Hierarchical Models 1*.
"""

import inspect
import warnings

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from joblib import Parallel, delayed
from tqdm import tqdm

from astro_hier import datasets, plots, populations, priors
from astro_hier.core import orbit, population_star
from astro_hier.core import population as core
from astro_hier.model import HierarchicalModel
from astro_hier.posterior import Parameter
from astro_hier.table import Role

__all__ = ["BinaryPopulation"]

KMS = u.km / u.s
LINEAR = ("a", "b", "v0")
SHORTEST = 0.5 * u.day  # of the range searched by default
BASELINES = 3.0  # the longest, in the longest baseline
MOST_STARS = 1000  # whose draws are kept unless asked for
OUTSIDE = 0.05  # share of the population beyond the range that is warned of
TABLE_DRAWS = 200  # of the hyperparameters, to average the population over
PANELS = 16
CELLS_KEPT = 2_000_000  # of all stars, 80 MB; those of other stars are made again when needed
MOST_POINTS = 50_000  # of the grid in ln P


class BinaryPopulation(plots.PosteriorPlots, HierarchicalModel):
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

    Other populations have their own parameters in place of the first three. The attribute
    ``outside_range`` is the share of the population beyond the periods searched.

    Examples
    --------
    >>> from astro_hier import BinaryPopulation, datasets
    >>> visits = datasets.make_binaries(20, random_state=1)
    >>> model = BinaryPopulation().fit(visits, random_state=1, progressbar=False)
    >>> model.posterior["P"].sizes["star"]
    20
    """

    roles = (
        Role("time", u.day, is_time=True),
        Role("rv", KMS, observed=True),
        Role("rv_error", KMS, positive=True),
        Role("star", None),
    )
    star_parameters = (
        Parameter("lnP", u.one, r"\ln(P/\mathrm{d})", "ln of the period", ("star",)),
        Parameter("P", u.day, "P", "period", ("star",)),
        Parameter("a", KMS, "a", "amplitude of the cosine", ("star",)),
        Parameter("b", KMS, "b", "amplitude of the sine", ("star",)),
        Parameter("v0", KMS, "v_0", "systemic velocity", ("star",)),
        Parameter("K", KMS, "K", "semi-amplitude", ("star",)),
    )
    row = "visit"
    command = "binaries"

    def __init__(
        self,
        *,
        mu=priors.Uniform(1, 10),
        lnsigma=priors.Uniform(-2, 3),
        a=priors.Normal(0 * KMS, 100 * KMS),
        b=priors.Normal(0 * KMS, 100 * KMS),
        v0=priors.Normal(0 * KMS, 150 * KMS),
        population=populations.Normal(),
        period_range=None,
        star_draws="auto",
        n_jobs=1,
        columns=None,
        on_invalid="raise",
    ):
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.mu = mu
        self.lnsigma = lnsigma
        self.a = a
        self.b = b
        self.v0 = v0
        self.population = population
        self.period_range = period_range
        self.star_draws = star_draws
        self.n_jobs = n_jobs

    example = staticmethod(datasets.make_binaries)

    @property
    def parameters(self):
        return (*self._density().parameters, *self.star_parameters)

    @property
    def parts(self):
        return (self._density(),)

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
        sampled = self._density().sampled
        x = 1.2 * (np.arange(len(sampled)) - 0.5 * (len(sampled) - 1))
        symbols = {p.name: p.symbol for p in self.population.parameters}
        return (
            *(
                plots.Node(name, (at, 3.2), to=("P",), symbol=symbols[name])
                for name, at in zip(sampled, x, strict=True)
            ),
            *(
                plots.Node(name, (at, 1.6), ("rv",), ("star",), symbol=f"{symbol}_n")
                for name, symbol, at in (("P", "P", 0.0), ("a", "a", 1.0), ("b", "b", 2.0))
            ),
            plots.Node("v0", (3.0, 1.6), ("rv",), ("star",), symbol="v_{0,n}"),
            plots.Node("time", (0.0, 0.0), ("rv",), ("star", "visit"), symbol="t_{nj}"),
            plots.Node("rv", (1.5, 0.0), plates=("star", "visit"), symbol="v_{nj}"),
            plots.Node("rv_error", (3.0, 0.0), ("rv",), ("star", "visit"), symbol=r"\sigma_{nj}"),
        )

    # ---- hooks

    def _linear(self, data, star):
        """The visits of one star, with the priors of its linear parameters."""
        chosen = data["visits"][star]
        time = data["time"][chosen]
        return orbit.Visits(
            time - time.min(), data["rv"][chosen], data["rv_error"][chosen], *data["linear"]
        )

    def _read(self, table):
        defaults = inspect.signature(type(self)).parameters
        for name in ("mu", "lnsigma"):
            if name not in self._sampled_names() and getattr(self, name) != defaults[name].default:
                raise priors.PriorError(
                    f"{name}={getattr(self, name)!r}: {type(self.population).__name__} has no such"
                    f" parameter; its own are {self._sampled_names()}"
                )
        data = super()._read(table)
        stars, index = np.unique(data["star"], return_inverse=True)
        return data | {
            "stars": stars,
            "index": index,
            "visits": _rows_by_star(index),
            "ends": self._ends(data, index),
        }

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

    def _linear_priors(self):
        """Means and standard deviations of a, b, v0."""
        for name in LINEAR:
            prior = getattr(self, name)
            priors.check(name, prior, KMS)
            if not isinstance(prior, priors.Normal):
                raise priors.PriorError(
                    f"{name}={prior!r}; accepted is priors.Normal, for a, b and v0 of every star"
                    " are integrated out in closed form"
                )
        frozen = [getattr(self, name).frozen(KMS) for name in LINEAR]
        return np.array([p.mean() for p in frozen]), np.array([p.std() for p in frozen])

    def _grid(self, data):
        width = self.population.smallest_width(self.frozen_priors())
        count = core.LnPeriodGrid.size(*data["ends"], width)
        if count > MOST_POINTS:
            raise priors.PriorError(
                f"the priors allow populations as narrow as {width:.2g} in ln P, which take"
                f" {count:.2g} grid points, more than {MOST_POINTS:.0e}: raise the lower end of the"
                " prior on lnsigma, such as with priors.TruncatedNormal(..., lower=-3)"
            )
        return core.LnPeriodGrid(*data["ends"], width)

    def prepare(self, data, progressbar):
        """Every star's likelihood of its period, on a common grid."""
        data = data | {"linear": self._linear_priors()}
        self._keeps_draws(data)
        grid = self._grid(data)
        n_stars = len(data["stars"])
        work = (
            delayed(population_star.summarise)(self._linear(data, n), grid, CELLS_KEPT // n_stars)
            for n in range(n_stars)
        )
        stars = self._in_parallel(work, n_stars, "periods", progressbar)
        W, used, log_scale = core.matrix([star.row for star in stars])
        likelihood = {"W": W, "used": used, "log_scale": log_scale}
        return data | {"grid": grid, "summaries": stars, **likelihood}

    def _in_parallel(self, work, total, desc, progressbar):
        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        return list(tqdm(parallel(work), total=total, unit="star", desc=desc,
                         disable=not progressbar))  # fmt: skip

    def _log_ends(self, data):
        return tuple(np.log(data["ends"]))

    def initial(self, data):
        """Each star's period of highest likelihood and the orbit that fits best there."""
        P = np.array([star.best_period for star in data["summaries"]])
        linear = [
            orbit.Solution(self._linear(data, n), np.array([1 / period])).linear()
            for n, period in enumerate(P)
        ]
        a, b, v0 = np.array(linear)[:, :, 0].T
        hyper = self.population.initial(np.log(P))
        for name, prior in self.frozen_priors().items():
            hyper[name] = float(np.clip(hyper[name], *prior.ppf([0.001, 0.999])))
        derived = self.population.derive({n: np.asarray(v) for n, v in hyper.items()})
        return {**hyper, **derived, "lnP": np.log(P), "P": P, "a": a, "b": b, "v0": v0,
                "K": np.hypot(a, b)}  # fmt: skip

    def build_pymc(self, data):
        import pymc as pm

        self.population.check_pymc()
        initial, index = self.initial(data), data["index"]
        first = _first_visits(data)
        coords = {"star": data["stars"], "visit": np.arange(len(index))}
        with pm.Model(coords=coords) as model:
            theta = self._pymc_priors(initial)
            lnP = self.population.pymc(
                theta, self._log_ends(data), dims="star", initval=initial["lnP"]
            )
            P = pm.Deterministic("P", pm.math.exp(lnP), dims="star")
            a, b, v0 = (
                pm.Normal(name, mu=mean, sigma=sd, dims="star", initval=initial[name])
                for name, mean, sd in zip(LINEAR, *data["linear"], strict=True)
            )
            pm.Deterministic("K", pm.math.sqrt(a**2 + b**2), dims="star")
            phase = 2 * np.pi * (data["time"] - first[index]) / P[index]
            pm.Normal(
                "rv",
                mu=a[index] * pm.math.cos(phase) + b[index] * pm.math.sin(phase) + v0[index],
                sigma=data["rv_error"],
                observed=data["rv"],
                dims="visit",
            )
        return model

    def log_marginal(self, data, theta):
        points, ends = data["grid"].points[data["used"]], self._log_ends(data)
        log_density = self.population.log_density(points, theta, ends)
        outside = self.population.outside(theta, ends)
        return core.log_marginal(data["W"], data["log_scale"], log_density, outside)

    def _keeps_draws(self, data):
        if self.star_draws not in ("auto", True, False):
            raise ValueError(f"star_draws={self.star_draws!r}; accepted are 'auto', True, False")
        if self.star_draws == "auto":
            return len(data["stars"]) <= MOST_STARS
        return bool(self.star_draws)

    def draw_latents(self, data, theta, rng, progressbar=False):
        if not self._keeps_draws(data):
            return {}
        grid, ends = data["grid"], self._log_ends(data)
        seed = int(rng.integers(2**63))
        work = (
            delayed(population_star.draw)(
                self._linear(data, n),
                grid,
                star,
                self.population.log_density(grid.points[star.row.index], theta, ends),
                np.random.default_rng([seed, n]),
            )
            for n, star in enumerate(data["summaries"])
        )
        drawn = self._in_parallel(work, len(data["stars"]), "orbits", progressbar)
        P, a, b, v0 = np.moveaxis(np.array(drawn), 0, 2)
        return {"P": P, "a": a, "b": b, "v0": v0}

    def derive(self, theta):
        derived = self.population.derive(theta)
        if "P" in theta:
            derived |= {"lnP": np.log(theta["P"]), "K": np.hypot(theta["a"], theta["b"])}
        return derived

    def simulate(self, data, theta, rng):
        ends = self._log_ends(data)
        lnP = self.population.draw(theta, ends, len(data["stars"]), rng)
        a, b, v0 = (getattr(self, name).frozen(KMS).rvs(lnP.shape, random_state=rng)
                    for name in LINEAR)  # fmt: skip
        drawn = {"lnP": lnP, "P": np.exp(lnP), "a": a, "b": b, "v0": v0}
        rv = rng.normal(self._velocity(data, drawn), data["rv_error"])
        return drawn | {"rv": rv}

    def _velocity(self, data, values):
        """Velocities at the visits, shape (draw, visit)."""
        index = data["index"]
        first = _first_visits(data)
        of_visit = (values[name][:, index] for name in ("P", *LINEAR))
        return orbit.radial_velocity(data["time"] - first[index], *of_visit)

    def diagnose(self, data, values, method):
        theta = {name: values[name] for name in self._sampled_names()}
        outside = self.population.outside(theta, self._log_ends(data)).sum(axis=0)
        outside = float(np.mean(outside))
        shortest, longest = data["ends"]
        if outside > OUTSIDE:
            warnings.warn(
                f"{100 * outside:.0f} percent of the population lie beyond the periods searched,"
                f" {shortest:.6g} to {longest:.6g} d, where no star is looked for: widen"
                " period_range, or use population=populations.TruncatedNormal()",
                AstropyUserWarning,
                stacklevel=5,
            )
        return {
            "outside_range": outside,
            "shortest_period": float(shortest),
            "longest_period": float(longest),
            "period_error": max(star.error for star in data["summaries"]),
        }

    # ---- results

    def _fitted(self):
        """The fitted data, prepared again for work on single stars."""
        data = self._data()
        visits = _rows_by_star(data["index"])
        attrs = self.posterior.attrs
        ends = attrs["shortest_period"], attrs["longest_period"]
        data |= {"visits": visits, "ends": ends, "linear": self._linear_priors()}
        return data | {"grid": self._grid(data)}

    def _mean_log_density(self, data):
        """ln of the population's density on the grid, for some draws, shape (theta, point)."""
        size = self.samples(self._sampled_names()[0]).size
        some = np.linspace(0, size - 1, min(size, TABLE_DRAWS)).astype(int)
        theta = {name: self.samples(name).value[some] for name in self._sampled_names()}
        return self.population.log_density(data["grid"].points, theta, self._log_ends(data))

    def star_table(self, progressbar=False):
        """Every star's own results, given its velocities and the population.

        Returns
        -------
        `~astropy.table.QTable`
            Columns star, n_visits, baseline, P and P_sd (mean and standard deviation), P_map (the
            most probable), K and v0 (of the best orbit there), n_modes (of more than 1 percent),
            probability (of the best mode) and chi2_per_dof (there; not a number for four visits
            or fewer).
        """
        data = self._fitted()
        log_density = self._mean_log_density(data)
        work = (
            delayed(population_star.describe)(self._linear(data, n), data["grid"], log_density)
            for n in range(len(data["stars"]))
        )
        rows = self._in_parallel(work, len(data["stars"]), "stars", progressbar)
        table = QTable(rows=rows)
        table.add_column(data["stars"], name="star", index=0)
        for name, unit in (("baseline", u.day), ("P", u.day), ("P_sd", u.day), ("P_map", u.day),
                           ("K", KMS), ("v0", KMS)):  # fmt: skip
            table[name] = table[name] * unit
        for name in table.colnames[2:]:
            table[name].info.format = ".8g" if name in ("P", "P_map") else ".4g"
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
        data = self._fitted()
        values = {name: self.samples(name).value for name in ("P", *LINEAR)}
        if times is None:
            return self._velocity(data, values) * KMS
        days = np.atleast_1d(data["epoch"].since(times))
        first = _first_visits(data)
        of_star = (values[name][:, :, None] for name in ("P", *LINEAR))
        return orbit.radial_velocity(days - first[:, None], *of_star) * KMS

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
        data = self._fitted()
        fig, panels = self._panels(data, stars, fig)
        for ax, n in panels:
            visits = self._linear(data, n)
            plots.errorbar(ax, visits.time, visits.rv, visits.rv_error)
            ax.set_title(str(data["stars"][n]), fontsize=8)
        fig.supxlabel("time since first visit [d]")
        fig.supylabel("radial velocity [km/s]")
        return fig

    def plot_phase(self, stars=None, fig=None):
        """Velocities folded at each star's best period, with its orbit, one panel a star.

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
        data = self._fitted()
        log_density = self._mean_log_density(data)
        fig, panels = self._panels(data, stars, fig)
        phase = np.linspace(0, 1, 200)
        for ax, n in panels:
            visits = self._linear(data, n)
            best = population_star.describe(visits, data["grid"], log_density)
            period = best["P_map"]
            a, b, v0 = (x[0] for x in orbit.Solution(visits, np.array([1 / period])).linear())
            ax.plot(phase, orbit.radial_velocity(phase, 1, a, b, v0), color="C1", zorder=0)
            plots.errorbar(ax, (visits.time / period) % 1, visits.rv, visits.rv_error)
            ax.set_title(f"{data['stars'][n]}\nP = {period:.6g} d", fontsize=8)
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
        data = self._fitted()
        points = data["grid"].points
        density = np.exp(self._mean_log_density(data))
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


def _rows_by_star(index):
    """The rows of each star, from the number of the star in each row."""
    return np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])


def _first_visits(data):
    """Time of each star's first visit, in d."""
    return np.array([data["time"][visits].min() for visits in data["visits"]])
