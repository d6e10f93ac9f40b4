r"""The velocity dispersion of a system, from the velocities or the redshifts of its members.

Prior
    v_sys ~ Uniform(-1000, 1,000,000) km/s and ln_sigma_v ~ Uniform(-3, 8.5), where sigma_v =
    exp(ln_sigma_v) km/s; both can be changed. They reach from cold star clusters in the Galaxy to
    clusters of galaxies at a redshift of 3.
Population
    v_n ~ Normal(0, sigma_v), the velocity of member n along the line of sight, relative to the
    system and measured within it.
Likelihood
    y_n ~ Normal(v_sys + s v_n, error_n), independent of each other. For velocities y_n is the
    velocity, and s = 1. For redshifts y_n = c z_n and s = 1 + v_sys / c, with v_sys = c z_sys:
    from 1 + z_n = (1 + z_sys) (1 + v_n / c) follows v_n = c (z_n - z_sys) / (1 + z_sys) (Harrison
    1974, ApJ 191, L51; Danese, De Zotti & di Tullio 1980, A&A 82, 322). The scatter of c z_n is
    larger than sigma_v by 1 + z_sys. The errors are those of c z_n, as stated or ``error_scale``
    times as large.
Marginal likelihood
    y_n ~ Normal(v_sys, sqrt(s^2 sigma_v^2 + error_n^2)), and given theta v_n is normal about w
    (y_n - v_sys) / s with the standard deviation sigma_v sqrt(1 - w), where w = s^2 sigma_v^2 /
    (s^2 sigma_v^2 + error_n^2).
Outliers
    With a background (`astro_hier.outliers`) y_n has the density of the mixture. ``member`` is the
    probability of membership given theta and y_n; with that probability v_n is drawn as above, else
    from the population, since y_n then says nothing of a member.
Upper limit
    Where the errors hide the dispersion the likelihood is flat down to sigma_v = 0;
    `astro_hier.models.upper_limit` has the limit to quote.
"""

import astropy.units as u
import numpy as np
from astropy import constants
from astropy.table import QTable
from scipy.special import ndtr

from astro_hier import datasets, outliers, plots, priors
from astro_hier.core import groups
from astro_hier.core.threads import for_chunks
from astro_hier.inference import influence
from astro_hier.model import HierarchicalModel
from astro_hier.models import goodness, upper_limit
from astro_hier.part import Option
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.table import Role, TableError

__all__ = ["VelocityDispersion"]

KMS = u.km / u.s
C = constants.c.to_value(KMS)
PAIRS = ("velocity", "velocity_error"), ("redshift", "redshift_error")
FEW_DRAWS = 200  # of the hyperparameters, to average over
BULK, FARTHEST = 5.0, 15.0  # sds from the system that a figure holds at least, and at most
MOST_BINS = 50  # an sd, of its histogram
FEW_ERRORS = 50  # that stand for those of all members in a figure


class VelocityDispersion(HierarchicalModel):
    """Mean velocity and velocity dispersion of a system, and each member's velocity within it.

    The members' velocities along the line of sight are normally distributed about the system's,
    and measured with the stated errors.

    Parameters
    ----------
    v_sys : `~astro_hier.priors.Prior`, optional
        Prior on the velocity of the system, a speed; c times its redshift, where the table has
        redshifts.
    ln_sigma_v : `~astro_hier.priors.Prior`, optional
        Prior on ln(sigma_v / (km/s)), a number.
    error_scale : `~astro_hier.priors.Prior` or float, optional
        By what all errors are multiplied, a number; by default they are taken as stated.
    outliers : bool or `~astro_hier.outliers.VelocityBackground`, optional
        Distribution of the velocities of rows that are not members; True is the default one.
    star_draws : {"auto", True, False}, optional
        Whether to keep draws of each member's parameters; "auto" keeps those of up to 1000.
    columns : dict, optional
        Where the columns are that the model reads: either ``velocity`` and ``velocity_error``
        (speeds in any unit) or ``redshift`` and ``redshift_error`` (numbers) and, optional,
        ``star`` (identifiers, integers or strings). By default they have these names. Give the
        column's name, or the name and the unit to take where the table has none:
        ``{"velocity": "rv", "velocity_error": ("e_rv", u.km / u.s)}``. ``{"redshift": None,
        "redshift_error": None}`` leaves the redshifts of a table alone that has velocities too.
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values is refused, or such rows are left out
        with a warning.

    Notes
    -----
    The posterior has the variables

    ============== ======= ==================================================================
    name           unit    meaning
    ============== ======= ==================================================================
    ``v_sys``      km / s  velocity of the system; c times its redshift
    ``ln_sigma_v``         ln(sigma_v / (km/s))
    ``sigma_v``    km / s  standard deviation of the members' velocities along the line of sight
    ``v``          km / s  velocity of each member relative to the system, dimension ``star``; of
                           redshifts, in the frame of the system
    ``log_prob``           ln of the density of the parameters above but ``v``, which is
                           integrated out, up to a constant
    ============== ======= ==================================================================

    and, with these options, ``error_scale``, the parameters of the background, and ``member``, the
    probability that a row is a member given the other parameters, dimension ``star``.

    The attribute ``resolved`` is 1 where the data exclude that there is no dispersion (a likelihood
    ratio of e^2), and 0 where `sigma_v_upper_limit` is what there is to quote.

    Examples
    --------
    >>> from astro_hier import VelocityDispersion, datasets
    >>> table = datasets.make_velocities(random_state=2)
    >>> system = VelocityDispersion().fit(table, random_state=1, progressbar=False)
    >>> print(f"{system.samples('sigma_v').mean():.1f}")
    5.0 km / s
    """

    roles = (
        Role("velocity", KMS, required=False, observed=True),
        Role("velocity_error", KMS, positive=True, required=False),
        Role("redshift", u.one, required=False, observed=True, above=-1.0),
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
        v_sys=priors.Uniform(-1000 * KMS, 1_000_000 * KMS),
        ln_sigma_v=priors.Uniform(-3, 8.5),
        error_scale=None,
        outliers=None,
        star_draws="auto",
        columns=None,
        on_invalid="raise",
    ):
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.v_sys = v_sys
        self.ln_sigma_v = ln_sigma_v
        self.error_scale = error_scale
        self.outliers = outliers
        self.star_draws = star_draws

    example = staticmethod(datasets.make_velocities)

    @property
    def parts(self):
        background = self._background()
        return () if background is None else (background,)

    def _background(self):
        """The distribution of rows that are not members, or None."""
        return outliers.of(self.outliers, outliers.VelocityBackground)

    @property
    def parameters(self):
        scale = Parameter(
            "error_scale", u.one, "s", "true errors over stated errors", positive=True
        )
        member = Parameter("member", u.one, "p", "probability of being a member", ("star",))
        return (
            Parameter("v_sys", KMS, r"v_\mathrm{sys}", "velocity of the system", bounds=UNBOUNDED),
            Parameter("ln_sigma_v", u.one, r"\ln(\sigma_v/\mathrm{km\,s^{-1}})",
                      "ln of the velocity dispersion", bounds=UNBOUNDED),
            Parameter("sigma_v", KMS, r"\sigma_v", "velocity dispersion along the line of sight"),
            *([] if self.error_scale is None else [scale]),
            *(p for part in self.parts for p in part.parameters),
            Parameter("v", KMS, "v", "velocity relative to the system", ("star",)),
            *(member for _ in self.parts),
        )  # fmt: skip

    @property
    def graph(self):
        above = [name for name in self.sampled_names() if name not in ("v_sys", "ln_sigma_v")]
        return (
            plots.Node("ln_sigma_v", (0.0, 2.0), to=("v",), symbol=r"\ln\sigma_v"),
            plots.Node("v_sys", (1.0, 2.0), to=("velocity",)),
            *(plots.Node(n, (2.0 + i, 2.0), to=("velocity",)) for i, n in enumerate(above)),
            plots.Node("v", (0.0, 1.0), to=("velocity",), plates=("star",), symbol="v_n"),
            plots.Node("velocity_error", (2.0, 0.0), ("velocity",), ("star",), symbol=r"\sigma_n"),
            plots.Node("velocity", (0.5, 0.0), plates=("star",), symbol="y_n"),
        )

    # ---- hooks

    def check_arguments(self):
        self.keeps_draws(0)

    def check_rows(self, rows, table):
        given = [pair for pair in PAIRS if any(name in rows for name in pair)]
        missing = [name for pair in given for name in pair if name not in rows]
        if len(given) == 1 and not missing:
            return
        found = (
            f"has columns of both, {[name for name in sum(PAIRS, ()) if name in rows]}; leave out"
            f" the others with columns={{{given[1][0]!r}: None, {given[1][1]!r}: None}}"
            if len(given) > 1
            else f"has {table.colnames}, and no {' or '.join(missing) if missing else 'such'}; say"
            " which columns they are with columns={'velocity': 'NAME', 'velocity_error': 'NAME'}"
        )
        raise TableError(
            f"accepted is either velocity and velocity_error, or redshift and redshift_error: the"
            f" table {found}"
        )

    def prepare(self, rows, progressbar):
        return dict(rows)

    def _population(self, data, theta):
        """Mean and sd of the true values of members, their scale s, and the errors of the rows.

        Columns of one row each theta, in km/s.
        """
        theta = {name: theta[name][:, None] for name in self.sampled_names()}
        v_sys, scale = theta["v_sys"], _scale(data, theta["v_sys"])
        error = theta.get("error_scale", 1.0) * _in_kms(data, "_error")[None]
        return v_sys, scale * np.exp(theta["ln_sigma_v"]), scale, error

    def _log_density(self, data, theta):
        """ln of the density of each row, shape (theta, row), and of its odds of membership."""
        v_sys, spread, _, error = self._population(data, theta)
        value, variance = _in_kms(data), spread**2 + error**2
        log_member = -0.5 * ((value - v_sys) ** 2 / variance + np.log(2 * np.pi * variance))
        if self._background() is None:
            return log_member, np.inf
        return self._background().mix(log_member, value, error, theta)

    def _membership(self, data, theta):
        """The probability of each row to be a member; 1 without a background."""
        background = self._background()
        if background is None:
            return 1.0
        return background.given_some(self._log_density(data, theta)[1], theta)[1]

    def _given_row(self, data, theta):
        """Mean and sd of v of members given their rows."""
        v_sys, spread, scale, error = self._population(data, theta)
        sd = np.hypot(spread, error)
        return (spread / sd) ** 2 * (_in_kms(data) - v_sys) / scale, (spread / scale * error / sd)

    def initial(self, data):
        """Median and scatter of the rows; each member's velocity shrunk to the median."""
        prior = self.frozen_priors()
        start = {name: float(p.median()) for name, p in prior.items()}
        value, error = _in_kms(data), np.median(_in_kms(data, "_error"))
        error *= start.get("error_scale", 1.0)
        v_sys = np.median(value)
        # the median deviation of a normal distribution is 0.6745 sd
        scatter = np.median(np.abs(value - v_sys)) / 0.6745
        excess = max(scatter**2 - error**2, (0.1 * error) ** 2)
        guess = {"v_sys": v_sys, "ln_sigma_v": 0.5 * np.log(excess), "outlier_mean": v_sys}
        for name in guess.keys() & start.keys():
            start[name] = self.within_bulk(name, guess[name])
        start = self.above_ends(data, start)
        theta = {name: np.array([at]) for name, at in start.items()}
        start |= {"sigma_v": np.exp(start["ln_sigma_v"]), "v": self._given_row(data, theta)[0][0]}
        if self._background():
            start["member"] = self._membership(data, theta)[0]
        return start

    def candidates(self, data, rng=None):
        background = self._background()
        if background is None:
            return []
        start, points = self.initial(data), []
        values = _in_kms(data), start.get("error_scale", 1.0) * _in_kms(data, "_error")
        for each in groups.labelled(*values, 1 + background.parts, rng):
            v_sys = self.within_bulk("v_sys", each.mean[0], outliers.FAR)
            sigma_v = each.sd[0] / _scale(data, v_sys)
            members = {
                "v_sys": v_sys,
                "ln_sigma_v": self.within_bulk("ln_sigma_v", np.log(sigma_v), outliers.FAR),
            }
            points.append(self.above_ends(data, start | members | background.start(each)))
        return points

    def lower_ends(self, data):
        background = self._background()
        if background is None:
            return {}
        return background.lower_ends(
            lambda theta: _scale(data, theta["v_sys"]) * np.exp(theta["ln_sigma_v"])
        )

    def build_pymc(self, data):
        import pymc as pm

        initial, value = self.initial(data), _in_kms(data)
        with pm.Model(coords={"star": data["star"]}) as model:
            theta = self.pymc_priors(data, initial)
            v_sys, scale = theta["v_sys"], _scale(data, theta["v_sys"])
            sigma_v = pm.Deterministic("sigma_v", pm.math.exp(theta["ln_sigma_v"]))
            error = theta.get("error_scale", 1.0) * _in_kms(data, "_error")
            if self._background() is None:
                start = initial["v_sys"] + _scale(data, initial["v_sys"]) * initial["v"]
                # what a precise row fixes is v_sys + s v: to sample v would tie all to v_sys
                true = pm.Normal("true_", v_sys, scale * sigma_v, dims="star", initval=start)
                pm.Deterministic("v", (true - v_sys) / scale, dims="star")
                pm.Normal("velocity", true, error, observed=value, dims="star")
                return model
            # v is integrated out, for its distribution has two modes that no chain would change
            # between; it follows from two variables that the data know nothing of
            fraction, spread = theta["outlier_fraction"], scale * sigma_v
            sd = pm.math.sqrt(spread**2 + error**2)
            members, others = pm.Normal.dist(v_sys, sd), self._background().pymc(error, theta)
            of_others = [fraction * share for share, _ in others]
            shares = pm.math.stack([1 - fraction, *of_others])
            rows = [members, *(row for _, row in others)]
            pm.Mixture("velocity", shares, rows, observed=value, dims="star")
            log_odds = pm.math.log(1 - fraction) + pm.logp(members, value)
            log_odds -= pm.math.log(fraction) + outliers.pymc_log_density(others, value)
            some, member = self._background().pymc_given_some(log_odds, theta, len(value))
            pm.Potential("some_member_", some)
            pm.Deterministic("member", member, dims="star")
            standard = pm.Normal("standard_", dims="star")
            chance = pm.Uniform("chance_", dims="star")
            given = (spread / sd) ** 2 * (value - v_sys) / scale + sigma_v * error / sd * standard
            v = pm.math.switch(chance < member, given, sigma_v * standard)
            pm.Deterministic("v", v, dims="star")
        return model

    def log_marginal(self, data, theta):
        result = np.empty(len(theta["v_sys"]))

        def add(start, stop):
            some = {name: values[start:stop] for name, values in theta.items()}
            log_density, log_odds = self._log_density(data, some)
            result[start:stop] = log_density.sum(axis=1)
            if self._background():
                result[start:stop] += self._background().given_some(log_odds, some)[0]

        for_chunks(add, len(result), cost=len(data["star"]))
        return result

    def log_likelihood(self, data, values):
        return self._log_density(data, values)[0]

    def headline(self):
        return ["v_sys", "sigma_v"]

    def rows_to_compare(self, data):
        return None if self._background() else (_in_kms(data), _in_kms(data, "_error"))

    def remedy_of_rows(self):
        return ("", "") if self._background() else influence.OUTLIERS

    def draw_latents(self, data, theta, rng, progressbar=False):
        if not self.keeps_draws(len(data["star"])):
            return {}
        seed = rng.integers(2**63)
        v, member = np.empty((2, len(theta["v_sys"]), len(data["star"])))

        def fill(start, stop):
            chunk_rng = np.random.default_rng([seed, start])
            some = {name: values[start:stop] for name, values in theta.items()}
            v[start:stop] = chunk_rng.normal(*self._given_row(data, some))
            if self._background() is None:
                return
            log_odds = self._log_density(data, some)[1]
            member[start:stop] = self._background().given_some(log_odds, some)[1]
            other = ~outliers.draw_members(log_odds, chunk_rng)
            sigma_v = np.exp(some["ln_sigma_v"])[:, None]
            v[start:stop][other] = chunk_rng.normal(0, sigma_v, other.shape)[other]

        for_chunks(fill, len(v), cost=len(data["star"]))
        return {"v": v} if self._background() is None else {"v": v, "member": member}

    def derive(self, theta):
        return {"sigma_v": np.exp(theta["ln_sigma_v"])}

    def simulate(self, data, theta, rng, some=True):
        """Also of other numbers of rows, whose errors ``data`` holds.

        ``some`` is whether one of them is known to be a member.
        """
        v_sys, spread, scale, error = self._population(data, theta)
        v = rng.normal(0, spread / scale, (len(v_sys), error.shape[1]))
        true = v_sys + scale * v
        if self._background():
            member, other = self._background().draw(theta, error.shape[1], rng, some)
            true = np.where(member, true, other)
        value = rng.normal(true, error)
        observed = {"redshift": value / C} if _is_redshift(data) else {"velocity": value}
        simulated = {"v": v} | observed
        if self._background():
            simulated["member"] = self._membership(data | observed, theta)
        return simulated

    def diagnose(self, data, values, method):
        if "ln_sigma_v" not in self.free_names():
            return {}
        return {"resolved": upper_limit.resolved(self, data, values, "sigma_v", -np.inf)}

    def check(self, data, values, attrs, method):
        findings = []
        if self._background():
            error = np.median(_in_kms(data, "_error")) * values.get("error_scale", 1.0)
            spread = np.hypot(_scale(data, values["v_sys"]) * values["sigma_v"], error)
            remedy = (
                "outliers=VelocityBackground(outlier_sd=priors.LogUniform(LOW, HIGH)), LOW several"
                " times the velocity dispersion"
            )
            wings = self._background().check_wings(values, values["v_sys"], spread, remedy)
            findings.append(wings)
            findings.append(goodness.check_background(self._background(), values))
        name, unit = ("redshift", "") if _is_redshift(data) else ("velocity", " km/s")
        z, member = self._scores(data, values)
        findings.append(goodness.check_rows(self, z, member, name, unit, data))
        findings += goodness.check_error_scale(self, values)
        return findings + upper_limit.check_resolved(attrs, "sigma_v", "velocity dispersion")

    def reword(self, finding):
        return goodness.reword(self, finding)

    def _scores(self, data, values):
        """The normal score of each row as a member, and the probability that it is one."""
        theta = goodness.some(values, self.sampled_names())
        v_sys, spread, _, error = self._population(data, theta)
        t = (_in_kms(data) - v_sys) / np.hypot(spread, error)
        member = np.broadcast_to(self._membership(data, theta), t.shape)
        return goodness.scores(ndtr(t), ndtr(-t), member)

    def _few(self, values):
        """Some draws of the hyperparameters, of all those in ``values``."""
        some = np.linspace(0, len(values["v_sys"]) - 1, FEW_DRAWS).astype(int)
        return {name: values[name][some] for name in self.sampled_names()}

    # ---- results

    def _fitted_few(self):
        return self._few({name: self.samples(name).value for name in self.sampled_names()})

    def sigma_v_upper_limit(self, probability=0.95):
        """An upper limit on the velocity dispersion, for a prior flat in sigma_v.

        The prior is flat from zero to the upper end of that of the fit, so the limit does not
        depend on the latter's lower end, as quantiles of the draws would. It needs three members.
        The posterior with this prior is drawn anew, always with the same random state: the limit
        does not depend on that of the fit.

        Parameters
        ----------
        probability : float, optional
            That sigma_v lies below the limit.

        Returns
        -------
        `~astropy.units.Quantity`
        """
        return upper_limit.upper_limit(self, self.fitted_data(), "sigma_v", probability) * KMS

    def star_table(self):
        """Every member's own results, given its row and the system.

        Returns
        -------
        `~astropy.table.QTable`
            Columns star, those that were measured, v and v_sd (mean and standard deviation of the
            velocity relative to the system) and, with ``outliers``, member (the probability of
            membership). v and v_sd are masked where it is below 0.5: a row that is not a member has
            no velocity within the system.
        """
        data = self.fitted_data()
        member, mean, square = np.zeros((3, len(data["star"])))
        theta = self._fitted_few()
        for i in range(FEW_DRAWS):
            one = {name: values[i : i + 1] for name, values in theta.items()}
            (v,), (sd,) = self._given_row(data, one)
            share = np.ravel(self._membership(data, one))
            member += share / FEW_DRAWS
            mean += share * v / FEW_DRAWS
            other = (1 - share) * np.exp(2 * one["ln_sigma_v"])
            square += (share * (v**2 + sd**2) + other) / FEW_DRAWS
        table = QTable({"star": data["star"]})
        for role in self.roles:
            if role.name in data and role.unit is not None:
                table[role.name] = data[role.name] * role.unit
        table["v"], table["v_sd"] = mean * KMS, np.sqrt(square - mean**2) * KMS
        if self._background():
            table["member"] = member
            for name in ("v", "v_sd"):
                table[name] = goodness.of_members(table[name], member)
        for name in table.colnames[1:]:
            table[name].info.format = ".4g" if name in ("v", "v_sd", "member") else ".7g"
        return table

    def predict(self, error=None, *, random_state=None):
        """What the model would have measured of other members: its posterior predictive.

        With ``outliers`` some of them are not members.

        Parameters
        ----------
        error : `~astropy.units.Quantity`, optional
            Errors of members yet to be measured, shape (star,), of velocities or redshifts as the
            table was. By default as many as in the table, with the same errors.
        random_state : None, int, `numpy.random.Generator`, optional
            Seed or source of randomness.

        Returns
        -------
        `~astropy.units.Quantity`
            Velocities in km/s, or redshifts, shape (chain * draw, star).
        """
        data = self.fitted_data()
        value, name = next(pair for pair in PAIRS if pair[0] in data)
        unit = next(role.unit for role in self.roles if role.name == name)
        if error is not None:
            try:
                data = {name: np.atleast_1d(u.Quantity(error).to_value(unit))}
            except (TypeError, u.UnitConversionError):
                data = {name: np.array([np.nan])}
        if data[name].ndim != 1 or not np.all((data[name] > 0) & np.isfinite(data[name])):
            raise ValueError(
                f"error={error!r}; accepted are positive {name}s, one a star, such as"
                f" {'[0.5, 1] * u.km / u.s' if unit == KMS else '[1e-4, 2e-4]'}"
            )
        theta = {name: self.samples(name).value for name in self.sampled_names()}
        rng = np.random.default_rng(random_state)
        return self.simulate(data, theta, rng, some=False)[value] * unit

    # ---- figures

    def plot_data(self, ax=None):
        """Histogram of what was measured, a tick a row, and what the model expects of it.

        The latter is the population with the errors of the rows, and with the background if there
        is one: the median of the draws and 94 percent of them. With a background the filled
        histogram is that of the members, each row counted with its probability.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        data, theta = self.fitted_data(), self._fitted_few()
        ax = plots.axes(ax, figsize=(7, 4.5))
        value = _in_kms(data)
        v_sys, spread, _, error = (np.median(x) for x in self._population(data, theta))
        sd, off = np.hypot(spread, error), np.abs(value - v_sys)
        near = value[off < BULK * sd]
        edges = np.histogram_bin_edges(near, bins="fd" if near.size > 100 else "sturges")
        width = max(edges[1] - edges[0], sd / MOST_BINS)
        reach = np.clip(1.1 * off.max(), BULK * sd, FARTHEST * sd)
        count = np.ceil(reach / width)
        bins = v_sys + np.arange(-count, count + 1) * width
        shown = np.sum((value > bins[0]) & (value < bins[-1]))
        height = 1 / (len(value) * (bins[1] - bins[0]))
        if self._background():
            member = self.star_table()["member"]
            ax.hist(value, bins, weights=member * height, color="0.85", label="members")
        ax.hist(value, bins, weights=np.full(len(value), height), histtype="step", color="k",
                label=f"measured, {shown} of {len(value)} shown")  # fmt: skip
        x = np.linspace(bins[0], bins[-1], 400)
        name = "redshift" if _is_redshift(data) else "velocity"
        few = np.quantile(data[f"{name}_error"], np.linspace(0, 1, 2 * FEW_ERRORS + 1)[1::2])
        density = np.zeros((FEW_DRAWS, len(x)))
        for one in few:
            at = {name: x / (C if name == "redshift" else 1), f"{name}_error": np.array([one])}
            density += np.exp(self._log_density(at, theta)[0]) / FEW_ERRORS
        low, middle, high = np.quantile(density, [0.03, 0.5, 0.97], axis=0)
        ax.fill_between(x, low, high, color="C1", alpha=0.3, lw=0, label="expected, 94 percent")
        ax.plot(x, middle, color="C1")
        ax.plot(value, np.zeros(len(value)), "|", color="k", ms=12, mew=0.6)
        ax.set(xlabel=r"$c z$ [km/s]" if name == "redshift" else "velocity [km/s]")
        ax.set(ylabel="density [s/km]", xlim=(x[0], x[-1]), ylim=(0, None))
        ax.legend(loc="best")
        return ax


def _is_redshift(data):
    return "redshift_error" in data


def _in_kms(data, suffix=""):
    """Values of the rows, or with the suffix their errors, as velocities: c times redshifts."""
    if _is_redshift(data):
        return C * data[f"redshift{suffix}"]
    return data[f"velocity{suffix}"]


def _scale(data, v_sys):
    """How much larger the scatter of the values is than that of v."""
    return 1 + v_sys / C if _is_redshift(data) else 1.0
