r"""The orbit of one single-lined spectroscopic binary, with every mode of its period.

Prior
    P ~ Uniform(1.5, 20) d; a, b ~ Normal(0, 100) km/s; v0 ~ Normal(0, 150) km/s. All can be
    changed; the marginal method takes any prior of P and normal ones of a, b and v0.
Likelihood
    rv_j ~ Normal(a cos(2 pi t_j / P) + b sin(2 pi t_j / P) + v0, rv_error_j), independent of each
    other, with t_j counted from the first visit. K = sqrt(a^2 + b^2) is the semi-amplitude.
Marginal likelihood
    p(rv | P) is closed, since a, b and v0 enter linearly: `astro_hier.core.orbit`. The posterior
    of P is integrated on cells that follow each of its needles, `astro_hier.core.period_nodes`,
    and drawn from; then a, b and v0 from their normal distribution given P.

The model is that of Price-Whelan (2022), *Hierarchical Models 1*; the search by period with the
linear parameters integrated out is that of Price-Whelan et al. (2017, ApJ 837, 20).
"""

import warnings

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from astro_hier import datasets, plots, priors
from astro_hier.core import orbit, period_nodes
from astro_hier.model import HierarchicalModel
from astro_hier.posterior import Parameter
from astro_hier.table import Role, TableError

__all__ = ["SB1Binary"]

KMS = u.km / u.s
LARGEST_CHI2 = 3.0
LARGEST_ERROR = 0.02
PERIODS_PER_PEAK = 10  # of the periodogram that gives the starting point
LINEAR_DEPTH = 10.0  # of the periodogram, in ln p
CURVES = 64
MOST_CYCLES = 80
CURVE_POINTS = 400


class SB1Binary(plots.PosteriorPlots, HierarchicalModel):
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
    ``log_prob``         ln of the density of P, a, b, v0, up to a constant
    ============ ======= ==================================================================

    and the attributes ``log_evidence``, ``shortest_period`` and ``longest_period`` (the range
    searched, in d), ``chi2_per_dof`` (at the draw of highest ``log_prob``; not
    a number for four visits or fewer), ``n_modes`` (periods of more than 1 percent probability)
    and ``period_error`` (how much the mean of ln P still moved when the period's cells were last
    halved, in standard deviations).

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> table = datasets.make_binary(random_state=42)
    >>> star = SB1Binary().fit(table, random_state=1, progressbar=False)
    >>> print(f"{star.samples('P').mean():.3f}, truth {table.meta['truth']['P']:.3f}")
    7.300 d, truth 7.300 d
    """

    roles = (
        Role("time", u.day, is_time=True),
        Role("rv", KMS, observed=True),
        Role("rv_error", KMS, positive=True),
        Role("star", None, required=False),
    )
    parameters = (
        Parameter("P", u.day, "P", "period"),
        Parameter("a", KMS, "a", "amplitude of the cosine"),
        Parameter("b", KMS, "b", "amplitude of the sine"),
        Parameter("v0", KMS, "v_0", "systemic velocity"),
        Parameter("K", KMS, "K", "semi-amplitude"),
    )
    row = "visit"
    command = "binary"
    graph = (
        *(
            plots.Node(name, (x, 1.4), to=("rv",))
            for name, x in (("P", -0.5), ("a", 0.5), ("b", 1.5), ("v0", 2.5))
        ),
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
        columns=None,
        on_invalid="raise",
    ):
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.P = P
        self.a = a
        self.b = b
        self.v0 = v0

    example = staticmethod(datasets.make_binary)

    # ---- hooks

    def _read(self, table):
        data = super()._read(table)
        stars = np.unique(data.get("star", np.array([])))
        if len(stars) > 1:
            raise TableError(
                f"the table holds {len(stars)} stars ({', '.join(map(str, stars[:3]))}, ...);"
                " accepted is one: select its rows, such as table[ids == ids[0]]"
            )
        return data | {"star": stars}

    def _visits(self, data):
        """The data with the normal priors on a, b, v0, as the core takes them."""
        linear = [getattr(self, name) for name in ("a", "b", "v0")]
        for name, prior in zip(("a", "b", "v0"), linear, strict=True):
            priors.check(name, prior, KMS)
            if not isinstance(prior, priors.Normal):
                raise priors.PriorError(
                    f"{name}={prior!r}: a, b and v0 are integrated out in closed form, which takes"
                    " priors.Normal; for other priors fit with method='nuts'"
                )
        frozen = [prior.frozen(KMS) for prior in linear]
        return orbit.Visits(
            data["time"],
            data["rv"],
            data["rv_error"],
            np.array([prior.mean() for prior in frozen]),
            np.array([prior.std() for prior in frozen]),
        )

    def _nodes(self, data):
        if "nodes" not in data:
            data["nodes"] = period_nodes.period_nodes(self._visits(data), self._prior_of_period())
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

        With fewer than five visits, which any period fits, it is the prior's median.
        """
        from astropy.timeseries import LombScargle

        prior = self.frozen_priors()
        period = float(self._prior_of_period().median())
        if len(data["time"]) >= 5 and np.ptp(data["time"]) > 0:
            shortest, longest = period_nodes.searched_range(prior["P"])
            search = LombScargle(data["time"], data["rv"], data["rv_error"])
            frequency, power = search.autopower(
                minimum_frequency=1 / longest,
                maximum_frequency=1 / shortest,
                samples_per_peak=PERIODS_PER_PEAK,
            )
            if len(power):
                period = float(np.clip(1 / frequency[np.argmax(power)], shortest, longest))
        mean, sd = (
            np.array([getattr(prior[name], of)() for name in ("a", "b", "v0")])
            for of in ("mean", "std")
        )
        visits = orbit.Visits(data["time"], data["rv"], data["rv_error"], mean, sd)
        best = orbit.Solution(visits, np.array([1 / period])).linear()
        a, b, v0 = (
            float(np.clip(x[0], *prior[name].ppf([0.001, 0.999])))
            for name, x in zip(("a", "b", "v0"), best, strict=True)
        )
        return {"P": period, "a": a, "b": b, "v0": v0, "K": np.hypot(a, b)}

    def build_pymc(self, data):
        import pymc as pm

        initial = self.initial(data)
        with pm.Model(coords={"visit": np.arange(len(data["time"]))}) as model:
            P = self.P.pymc("P", u.day, initial["P"])
            a, b, v0 = (
                getattr(self, name).pymc(name, KMS, initial[name]) for name in ("a", "b", "v0")
            )
            pm.Deterministic("K", pm.math.sqrt(a**2 + b**2))
            phase = 2 * np.pi * data["time"] / P
            pm.Normal(
                "rv",
                mu=a * pm.math.cos(phase) + b * pm.math.sin(phase) + v0,
                sigma=data["rv_error"],
                observed=data["rv"],
                dims="visit",
            )
        return model

    def draw_exactly(self, data, size, rng):
        visits, prior = self._visits(data), self._prior_of_period()
        nodes = self._nodes(data)
        P, log_likelihood = period_nodes.draw_periods(nodes, visits, prior, size, rng)
        a, b, v0 = orbit.draw_linear(visits, 1 / P, rng)
        attrs = {"log_evidence": float(nodes.log_evidence), "period_error": nodes.error}
        return {"P": P, "a": a, "b": b, "v0": v0}, {"log_marginal": log_likelihood}, attrs

    def _velocity(self, time, values):
        """Velocities at times in days from the first visit, shape (draw, time)."""
        return orbit.radial_velocity(time, *(values[n][:, None] for n in ("P", "a", "b", "v0")))

    def log_prob(self, data, values, log_marginal=None):
        scaled = (data["rv"] - self._velocity(data["time"], values)) / data["rv_error"]
        log_norm = np.sum(np.log(np.sqrt(2 * np.pi) * data["rv_error"]))
        return self.log_prior(values) - 0.5 * np.sum(scaled**2, axis=1) - log_norm

    def derive(self, theta):
        return {"K": np.hypot(theta["a"], theta["b"])}

    def simulate(self, data, theta, rng):
        return {"rv": rng.normal(self._velocity(data["time"], theta), data["rv_error"])}

    def diagnose(self, data, values, method):
        best = [int(np.argmax(values["log_prob"]))]
        model = self._velocity(data["time"], {name: values[name][best] for name in values})
        chi2 = np.sum(((data["rv"] - model) / data["rv_error"]) ** 2)
        dof = len(data["rv"]) - 4
        shortest, longest = period_nodes.searched_range(self._prior_of_period())
        found = {
            "chi2_per_dof": float(chi2 / dof) if dof > 0 else np.nan,
            "shortest_period": float(shortest),
            "longest_period": float(longest),
        }
        if all(isinstance(getattr(self, name), priors.Normal) for name in ("a", "b", "v0")):
            _, probability = _modes(self._nodes(data))
            found["n_modes"] = int(np.sum(probability > 0.01))
            if self._nodes(data).error > LARGEST_ERROR:
                warnings.warn(
                    f"the mean of ln P is good to {self._nodes(data).error:.2g} standard deviations"
                    " only: the stated errors make the period so precise that rounding shows",
                    AstropyUserWarning,
                    stacklevel=5,
                )
            if method == "nuts" and found["n_modes"] > 1:
                warnings.warn(
                    f"the data allow {found['n_modes']} periods of more than 1 percent probability,"
                    " and NUTS stays in the one where it starts: see modes(), or fit with"
                    " method='marginal'",
                    AstropyUserWarning,
                    stacklevel=5,
                )
        if len(data["star"]):
            found["star"] = str(data["star"][0])
        if found["chi2_per_dof"] > LARGEST_CHI2:
            warnings.warn(
                f"chi2 per degree of freedom is {found['chi2_per_dof']:.3g} at the best orbit: the"
                " stated errors do not explain the scatter about it, and the posterior is"
                " narrower than the data warrant; check the errors, whether the orbit is circular,"
                f" and whether the period lies in the range searched, {shortest:.6g} to"
                f" {longest:.6g} d, which P= sets",
                AstropyUserWarning,
                stacklevel=5,
            )
        return found

    # ---- results

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
            semi-amplitude of the best orbit, averaged over the mode.
        """
        data = self._data()
        nodes = self._nodes(data)
        mode, probability = _modes(nodes)
        frequency = 0.5 * (nodes.low + nodes.high)
        a, b, _ = orbit.Solution(self._visits(data), frequency).linear()

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
        return table[listed]

    def predict(self, times=None):
        """Radial velocity of every draw at given times, without measurement errors.

        Parameters
        ----------
        times : `~astropy.units.Quantity` or `~astropy.time.Time`, optional
            Times as the table's, of any shape (time,); by default the visits'.

        Returns
        -------
        `~astropy.units.Quantity`
            Velocities in km/s, shape (chain * draw, time).

        Raises
        ------
        TableError
            If the times are not of the table's kind.
        """
        data = self._data()
        days = data["time"] if times is None else np.atleast_1d(data["epoch"].since(times))
        return self._velocity(days, self._values()) * KMS

    def _values(self):
        return {p.name: self.samples(p.name).value for p in self.parameters}

    def _some(self, near_period=None):
        """Values of a few draws, equally spaced among all, or among those of one mode."""
        values = self._values()
        chosen = np.arange(len(values["P"]))
        if near_period is not None:
            # phases have drifted apart by less than half a cycle at the last visit
            drift = np.abs(1 / values["P"] - 1 / near_period) * np.ptp(self._data()["time"])
            chosen = chosen[drift < 0.5]
        chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), CURVES)).astype(int)]
        return {name: draws[chosen] for name, draws in values.items()}

    def _best(self):
        return {name: np.array([value.value]) for name, value in self.map_sample.items()}

    # ---- figures

    def plot_data(self, ax=None):
        """Velocities with their standard errors against time, and orbits from the posterior.

        Where there are too many cycles to see, their range v0 +- K stands for them.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        data = self._data()
        ax = plots.axes(ax, figsize=(9, 4))
        span = max(np.ptp(data["time"]), 2 * float(self.map_sample["P"].value))
        some = self._some()
        cycles = span / np.median(some["P"])
        if cycles < MOST_CYCLES:
            time = np.linspace(-0.02, 1.02, int(40 * span / some["P"].min())) * span
            ax.plot(time, self._velocity(time, some).T, color="C0", alpha=0.15, lw=0.5, zorder=0)
        else:
            low, high = np.median([some["v0"] - some["K"], some["v0"] + some["K"]], axis=1)
            ax.axhspan(low, high, color="C0", alpha=0.15, lw=0, label=r"$v_0 \pm K$")
            ax.legend(loc="best")
        plots.errorbar(ax, data["time"], data["rv"], data["rv_error"])
        ax.set(xlabel="time since first visit [d]", ylabel="radial velocity [km/s]")
        return ax

    def plot_phase(self, fig=None):
        """Velocities folded at the period of the best draw, orbits, and residuals below.

        The orbits are those draws whose period is in the same mode as the best one's, each folded
        at its own. Error bars are standard errors.

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
        data, best = self._data(), self._best()
        period = best["P"][0]
        phase = (data["time"] / period) % 1
        fine = np.linspace(0, 1, CURVE_POINTS)
        some = self._some(near_period=period)
        top.plot(fine, self._velocity(fine, some | {"P": np.ones_like(some["P"])}).T,
                 color="C0", alpha=0.15, lw=0.7, zorder=0)  # fmt: skip
        top.plot(fine, self._velocity(fine, best | {"P": np.ones(1)})[0], color="C1", zorder=1)
        plots.errorbar(top, phase, data["rv"], data["rv_error"])
        residual = data["rv"] - self._velocity(data["time"], best)[0]
        bottom.axhline(0, color="C1", zorder=0)
        plots.errorbar(bottom, phase, residual, data["rv_error"])
        chi2 = self.posterior.attrs["chi2_per_dof"]
        title = f"P = {period:.7g} d" + (f", $\\chi^2$/dof = {chi2:.3g}" if chi2 == chi2 else "")
        star = self.posterior.attrs.get("star")
        top.set(ylabel="radial velocity [km/s]", title=f"{star}: {title}" if star else title)
        bottom.set(
            xlabel=f"phase, time since first visit / {period:.7g} d", ylabel="residual [km/s]"
        )
        return fig

    def plot_periodogram(self, ax=None):
        """The posterior of the period over the whole range, a, b and v0 integrated out.

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
        data = self._data()
        visits, prior = self._visits(data), self._prior_of_period()
        shortest, longest = period_nodes.searched_range(prior)
        count = int(np.clip(10 * np.ptp(visits.time) * (1 / shortest - 1 / longest), 2000, 200_000))
        step = (1 / shortest - 1 / longest) / (count - 1)
        nodes = self._nodes(data)
        # the grid shows the range, the cells its needles
        frequency = np.concatenate([1 / longest + step * np.arange(count), nodes.low])
        log_p = np.concatenate(
            [orbit.log_marginal_grid(visits, 1 / longest, step, count), nodes.log_low]
        )
        period = np.clip(1 / frequency, shortest, longest)
        log_p += prior.logpdf(period)
        order = np.argsort(period)
        ax.plot(period[order], (log_p - log_p.max())[order], lw=0.6, color="k")
        best = np.array([self.map_sample["P"].value])
        height = orbit.log_marginal(visits, 1 / best) + prior.logpdf(best) - log_p.max()
        ax.plot(best, height, "v", color="C1", label="best draw")
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
        return ax


def _modes(nodes):
    """Mode of each cell and probability of each mode."""
    mode = period_nodes.mode_of_cells(nodes)
    return mode, np.bincount(mode, nodes.probability)
