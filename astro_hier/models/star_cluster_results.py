"""Results of a star cluster: a table of its stars, predictions, and figures."""

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.stats import norm

from astro_hier import outliers, plots
from astro_hier.core import distance
from astro_hier.models import goodness, upper_limit
from astro_hier.models.star_cluster_options import columns_of

NODES = (
    plots.Node("mu_r", (0.0, 2.0), to=("r",)),
    plots.Node("ln_std_r", (1.5, 2.0), to=("r",), symbol=r"\ln\sigma_r"),
    plots.Node("r", (0.75, 1.0), to=("parallax",), plates=("star",), symbol="r_n"),
    plots.Node("parallax_error", (2.0, 0.0), ("parallax",), ("star",), symbol=r"\sigma_{\varpi,n}"),
    plots.Node("parallax", (0.75, 0.0), plates=("star",), symbol=r"\varpi_n"),
)
# those that options add: where they stand, outside the plate, and what depends on them
OPTIONS = {
    "halo_fraction": ((2.5, 2.0), ("r",)),
    "ln_halo_ratio": ((3.5, 2.0), ("r",)),
    "zero_point": ((3.5, 1.2), ("parallax",)),
    "error_scale": ((2.8, -1.4), ("parallax",)),
    "outlier_fraction": ((-1.6, 0.0), ("member",)),
    "outlier_mean": ((0.0, -1.4), ("parallax",)),
    "outlier_sd": ((0.9, -1.4), ("parallax",)),
    "mode": ((1.8, -1.4), ("parallax",)),
}


class StarClusterResults:
    """What `~astro_hier.StarCluster` makes of its draws."""

    def _theta(self):
        """The draws of all parameters but the stars' own."""
        names = [p.name for p in self.parameters if p.dims != ("star",)]
        return {name: self.samples(name).value for name in names}

    def star_table(self):
        """Every star's own results.

        Returns
        -------
        `~astropy.table.QTable`
            Columns star, parallax and parallax_error (as measured), r and r_sd (mean and standard
            deviation of the distance), member (probability, with outliers only) and n_sigma: by
            how many standard deviations the parallax differs from that of a member, of error,
            depth (1/r taken as linear) and parameters together. With outliers, r and r_sd are
            masked where member is below 0.5: a star that is not a member has no distance here.
        """
        data, theta = self.fitted_data(), self._theta()
        r, columns = self.samples("r"), columns_of(theta)
        expected = 1 / columns["mu_r"] + self._offset(data, columns)
        spread = self.profile.variance(theta)[:, None] / columns["mu_r"] ** 4
        variance = np.mean(spread + self._error(data, columns) ** 2, axis=0)
        table = QTable({
            "star": data["star"],
            "parallax": data["parallax"] * u.mas,
            "parallax_error": data["parallax_error"] * u.mas,
            "r": r.mean(axis=0),
            "r_sd": r.std(axis=0),
        })  # fmt: skip
        if self._background():
            table["member"] = self.samples("member").value.mean(axis=0)
            for name in ("r", "r_sd"):
                table[name] = goodness.of_members(table[name], table["member"])
        deviation = data["parallax"] - expected.mean(axis=0)
        table["n_sigma"] = deviation / np.sqrt(variance + expected.var(axis=0))
        for name in table.colnames[1:]:
            table[name].info.format = ".5g" if name in ("parallax", "r") else ".3g"
        return table

    def std_r_upper_limit(self, probability=0.95):
        """An upper limit on the depth, for a prior flat in std_r.

        The prior is flat from zero to the upper end of that of the fit, so the limit does not
        depend on the latter's lower end, as quantiles of the draws would. It needs three members.
        The posterior with this prior is drawn anew, always with the same random state: the limit
        does not depend on that of the fit.

        Parameters
        ----------
        probability : float, optional
            That std_r lies below the limit.

        Returns
        -------
        `~astropy.units.Quantity`
            In kpc.
        """
        return upper_limit.upper_limit(self, self.fitted_data(), "std_r", probability) * u.kpc

    def predict(self, parallax_error=None, *, random_state=None):
        """Parallaxes as the model would have them measured: its posterior predictive.

        Parameters
        ----------
        parallax_error : `~astropy.units.Quantity`, optional
            Stated errors of stars yet to be measured, members of the cluster, shape (star,). By
            default the fitted stars are measured again, with the same common offsets. Where stars
            differ by their place on the sky or zero point, each new one has those of a fitted
            star picked at random.
        random_state : None, int, `numpy.random.Generator`, optional
            Seed or source of randomness.

        Returns
        -------
        `~astropy.units.Quantity`
            Parallaxes in mas, shape (chain * draw, star).
        """
        rng = np.random.default_rng(random_state)
        if parallax_error is None:
            data, theta = self.fitted_data(), self._theta()
            r, columns = self.samples("r").to_value(u.kpc), columns_of(theta)
            value, error = 1 / r + self._offset(data, columns), self._error(data, columns)
            if self._background():
                log_member = norm.logpdf(data["parallax"], value, error)
                member = outliers.draw_members(self._mix(log_member, data, theta)[1], rng)
                others = self._background().draw_true(data["parallax"], error, theta, rng)
                value = np.where(member, value, others)
            return rng.normal(value, error) * u.mas
        try:
            error = np.atleast_1d(u.Quantity(parallax_error).to_value(u.mas))
        except (TypeError, u.UnitConversionError):
            error = np.array([np.nan])
        if error.ndim != 1 or not np.all((error > 0) & np.isfinite(error)):
            raise ValueError(
                f"parallax_error={parallax_error!r}; accepted are positive angles, one a star, such"
                " as [0.1, 0.2] * u.mas"
            )
        data, theta = self.fitted_data(), self._theta()
        own = [name for name in ("zero_point", "modes", "own_variance") if name in data]
        if own:
            places = rng.integers(len(data["parallax"]), size=len(error))
            data = data | {name: data[name][..., places] for name in own}
        r = distance.draw_population(
            theta["mu_r"][:, None],
            self.profile.draw(theta, len(error), rng),
            (len(theta["mu_r"]), len(error)),
            rng,
        )
        data, theta = data | {"parallax_error": error}, columns_of(theta)
        return rng.normal(1 / r + self._offset(data, theta), self._error(data, theta)) * u.mas

    # ---- figures

    @property
    def graph(self):
        names = {p.name for p in self.parameters}
        nodes = [plots.Node(name, at, to) for name, (at, to) in OPTIONS.items() if name in names]
        if "member" in names:
            nodes.append(plots.Node("member", (-0.3, 0.0), ("parallax",), ("star",), symbol="z_n"))
        if any(role.name == "zero_point" for role in self.roles):
            nodes.append(
                plots.Node("zero_point", (2.0, 0.7), ("parallax",), ("star",), r"\varpi_{0,n}")
            )
        return (*NODES, *nodes)

    def _corrected(self, data):
        """Parallaxes less the mean of what they have besides 1/r, and their mean errors."""
        theta, shape = columns_of(self._theta()), self.samples("r").shape
        both = self._offset(data, theta), self._error(data, theta)
        offset, error = (np.broadcast_to(values, shape).mean(axis=0) for values in both)
        return data["parallax"] - offset, error

    def _corrects(self):
        """Whether parallaxes have anything besides 1/r that can be taken off."""
        return self.zero_point is not None or self.parallax_covariance is not None

    def _colour_by_membership(self, ax, x, y, chosen):
        member = self.samples("member").value.mean(axis=0)[chosen]
        points = ax.scatter(x, y, 14, member, cmap="viridis", vmin=0, vmax=1, zorder=3)
        ax.figure.colorbar(points, ax=ax, label="probability of membership")

    def _mark_others(self, ax, naive, parallax, count):
        """Ticks at naive distances of stars that are not members, within the members' range."""
        others = (parallax * u.mas).to_value(u.pc, u.parallax())
        if naive.size:
            margin = 0.1 * np.ptp(naive) + 0.01 * naive.max()
            low, high = naive.min() - margin, naive.max() + margin
            ax.set_xlim(low, high)
            others = others[(others > low) & (others < high)]
        label = f"not members: {count}, {len(others)} in this range"
        at = np.full(len(others), 0.02)
        ax.plot(others, at, "|", color="0.5", ms=8, transform=ax.get_xaxis_transform(), label=label)

    def plot_data(self, ax=None):
        """Parallaxes with their standard errors, star by star, and the cluster's parallax.

        Zero points and common offsets are taken off, and errors scaled, by their posterior means.
        With outliers, the stars have the colour of their probability of membership.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        data = self.fitted_data()
        ax = plots.axes(ax, figsize=(8, 4))
        parallax, error = self._corrected(data)
        row = np.arange(len(parallax))
        coloured = "member" in self.posterior
        plots.errorbar(ax, row, parallax, error, fmt="none" if coloured else "o")
        if coloured:
            self._colour_by_membership(ax, row, parallax, slice(None))
        low, middle, high = np.quantile(1 / self.samples("mu_r").to_value(u.kpc), [0.03, 0.5, 0.97])
        ax.axhspan(low, high, color="C1", alpha=0.3, lw=0, label=r"$1/\mu_r$, 94 percent")
        ax.axhline(middle, color="C1", lw=1)
        of = "corrected " if self._corrects() else ""
        ax.set(xlabel="star, by row of the table", ylabel=rf"{of}parallax $\varpi$ [mas]")
        ax.legend(loc="best")
        return ax

    def plot_distances(self, ax=None):
        """Each star's naive distance 1/parallax against its posterior one: the shrinkage.

        Error bars are one standard deviation. Stars of parallax below two standard errors have no
        naive distance to speak of: their posterior means are ticks at the left. Parallaxes and
        colours are those of `plot_data`. Stars whose probability of membership is below 0.5 have no
        posterior distance: grey ticks at the bottom are their naive ones, as far as they lie in the
        range of the members'.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        data = self.fitted_data()
        ax = plots.axes(ax, figsize=(6, 5.5))
        r = self.samples("r").to(u.pc)
        mean, sd = r.mean(axis=0).value, r.std(axis=0).value
        parallax, error = self._corrected(data)
        coloured = "member" in self.posterior
        member = np.full(len(parallax), True)
        if coloured:
            member = self.samples("member").value.mean(axis=0) >= goodness.LEAST_MEMBER
        clear = parallax > 2 * error
        good, poor = member & clear, member & ~clear
        naive = (parallax[good] * u.mas).to_value(u.pc, u.parallax())
        xerr, fmt = naive * (error / parallax)[good], "none" if coloured else "o"
        plots.errorbar(ax, naive, mean[good], sd[good], xerr=xerr, fmt=fmt)
        if coloured:
            self._colour_by_membership(ax, naive, mean[good], good)
        if poor.any():
            ax.plot(
                np.full(poor.sum(), 0.02),
                mean[poor],
                "_",
                color="C3",
                transform=ax.get_yaxis_transform(),
                label=r"posterior mean where $\varpi < 2\sigma_\varpi$",
            )
        if not member.all():
            self._mark_others(ax, naive, parallax[~member & clear], (~member).sum())
        mu_r = self.samples("mu_r").to_value(u.pc).mean()
        ax.axhline(mu_r, color="C1", label=r"$\mu_r$")
        if good.any():
            low, high = ax.get_ylim()
            ax.plot([low, high], [low, high], color="0.5", ls="--", label="no shrinkage")
            ax.set_ylim(low, high)
        of = ", corrected" if self._corrects() else ""
        ax.set(xlabel=rf"$1/\varpi${of} [pc]", ylabel="posterior distance $r$ [pc]")
        ax.legend(loc="best")
        return ax
