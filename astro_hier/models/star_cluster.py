r"""The distance and depth of a star cluster, from the parallaxes of its members.

Prior
    mu_r ~ TruncatedNormal(1, 2, lower=0) kpc and ln_std_r ~ Uniform(-8, 0), where std_r =
    exp(ln_std_r) kpc; both can be changed.
Population
    r_n ~ TruncatedNormal(mu_r, std_r, lower=0), the distance of star n.
Likelihood
    parallax_n ~ Normal(1 / r_n, parallax_error_n), independent of each other.
Marginal likelihood
    p(parallax | mu_r, std_r) is the product over stars of the one-dimensional integrals of
    population times likelihood over r_n, which `astro_hier.core.distance` computes.

The model is that of Price-Whelan (2022), *Hierarchical Models 1*.
"""

import astropy.units as u
import numpy as np
from tqdm import tqdm

from astro_hier import datasets, plots, priors
from astro_hier.core import distance
from astro_hier.core.threads import for_chunks
from astro_hier.model import HierarchicalModel
from astro_hier.posterior import Parameter
from astro_hier.table import Role

__all__ = ["StarCluster"]


class StarCluster(plots.PosteriorPlots, HierarchicalModel):
    """Mean distance and depth along the line of sight of a star cluster, and each star's distance.

    The stars' distances r are normally distributed about the cluster's, and the parallaxes about
    1/r, with the stated errors. Negative parallaxes are valid measurements.

    Parameters
    ----------
    mu_r : `~astro_hier.priors.Prior`, optional
        Prior on the mean distance, a length.
    ln_std_r : `~astro_hier.priors.Prior`, optional
        Prior on ln(std_r / kpc), a number.
    columns : dict, optional
        Where the columns are that the model reads: ``parallax`` and ``parallax_error`` (angles in
        any unit) and, optional, ``star`` (identifiers, integers or strings). By default they have
        these names. Give the column's name, or the name and the unit to take where the table has
        none: ``{"parallax": "plx", "parallax_error": ("e_plx", u.mas)}``, or a preset,
        `astro_hier.columns.GAIA`. ``{"star": None}`` numbers the rows.
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values is refused, or such rows are left out
        with a warning.

    Notes
    -----
    The posterior has the variables

    ============ ======= ==================================================================
    name         unit    meaning
    ============ ======= ==================================================================
    ``mu_r``     kpc     mean distance
    ``ln_std_r``         ln(std_r / kpc)
    ``std_r``    kpc     standard deviation of the distances
    ``r``        kpc     distance of each star, dimension ``star``
    ``log_prob``         ln of the density of mu_r and ln_std_r (r integrated out), up to a
                         constant
    ============ ======= ==================================================================

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster().fit(table, random_state=1, progressbar=False)
    >>> print(f"{cluster.samples('mu_r').mean().to('pc'):.0f}")
    500 pc
    """

    roles = (
        Role("parallax", u.mas, observed=True),
        Role("parallax_error", u.mas, positive=True),
        Role("star", None, required=False, unique=True),
    )
    parameters = (
        Parameter("mu_r", u.kpc, r"\mu_r", "mean distance"),
        Parameter("ln_std_r", u.one, r"\ln(\sigma_r/\mathrm{kpc})", "log of the depth"),
        Parameter("std_r", u.kpc, r"\sigma_r", "depth: standard deviation of the distances"),
        Parameter("r", u.kpc, "r", "distance", ("star",)),
    )
    graph = (
        plots.Node("mu_r", (0.0, 2.0), to=("r",)),
        plots.Node("ln_std_r", (1.5, 2.0), to=("r",), symbol=r"\ln\sigma_r"),
        plots.Node("r", (0.75, 1.0), to=("parallax",), plates=("star",), symbol="r_n"),
        plots.Node(
            "parallax_error", (2.0, 0.0), ("parallax",), ("star",), symbol=r"\sigma_{\varpi,n}"
        ),
        plots.Node("parallax", (0.75, 0.0), plates=("star",), symbol=r"\varpi_n"),
    )
    command = "cluster"

    def __init__(
        self,
        *,
        mu_r=priors.TruncatedNormal(1 * u.kpc, 2 * u.kpc, lower=0 * u.kpc),
        ln_std_r=priors.Uniform(-8, 0),
        columns=None,
        on_invalid="raise",
    ):
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.mu_r = mu_r
        self.ln_std_r = ln_std_r

    example = staticmethod(datasets.make_star_cluster)

    def initial(self, data):
        """Inverse-variance weighted parallax; its excess scatter; each distance shrunk to it."""
        parallax, error = data["parallax"], data["parallax_error"]
        weight = error**-2 / np.sum(error**-2)
        mean = weight @ parallax
        prior = self.frozen_priors()
        mu_r = _within(prior["mu_r"], 1 / mean if mean > 0 else np.inf)
        excess = weight @ ((parallax - mean) ** 2 - error**2)
        least = 0.1 * mu_r**2 * np.sqrt(weight @ error**2)
        std_r = max(mu_r**2 * np.sqrt(max(excess, 0)), least)
        ln_std_r = _within(prior["ln_std_r"], np.log(std_r))
        # the Gaussian of each star alone, 1/r taken as linear about mu_r
        precision, depth = (error * mu_r**2) ** -2, np.exp(-2 * ln_std_r)
        shift = (1 / mu_r - parallax) * mu_r**2 * precision / (precision + depth)
        r = np.clip(mu_r + shift, 0.1 * mu_r, 10 * mu_r)
        return {"mu_r": mu_r, "ln_std_r": ln_std_r, "std_r": np.exp(ln_std_r), "r": r}

    def build_pymc(self, data):
        import pymc as pm

        initial = self.initial(data)
        with pm.Model(coords={"star": data["star"]}) as model:
            theta = self._pymc_priors(initial)
            std_r = pm.Deterministic("std_r", pm.math.exp(theta["ln_std_r"]))
            r = pm.TruncatedNormal(
                "r", mu=theta["mu_r"], sigma=std_r, lower=0, dims="star", initval=initial["r"]
            )
            pm.Normal(
                "parallax",
                mu=1 / r,
                sigma=data["parallax_error"],
                observed=data["parallax"],
                dims="star",
            )
        return model

    def log_marginal(self, data, theta):
        parallax, error = data["parallax"], data["parallax_error"]
        mu_r, std_r = theta["mu_r"], np.exp(theta["ln_std_r"])
        result = np.empty(len(mu_r))

        def add(start, stop):
            by_star = distance.log_marginal(parallax, error, mu_r[start:stop], std_r[start:stop])
            result[start:stop] = by_star.sum(axis=1)

        for_chunks(add, len(mu_r), cost=len(parallax))
        return result

    def draw_latents(self, data, theta, rng, progressbar=False):
        parallax, error = data["parallax"], data["parallax_error"]
        mu_r, std_r = theta["mu_r"], np.exp(theta["ln_std_r"])
        seed = rng.integers(2**63)
        result = np.empty((len(mu_r), len(parallax)))

        def fill(start, stop):
            chunk_rng = np.random.default_rng([seed, start])
            result[start:stop] = distance.draw(
                parallax, error, mu_r[start:stop], std_r[start:stop], chunk_rng
            )

        with tqdm(total=len(mu_r), unit="draw", desc="distances", disable=not progressbar) as bar:
            for_chunks(fill, len(mu_r), cost=len(parallax), progress=bar.update)
        return {"r": result}

    def derive(self, theta):
        return {"std_r": np.exp(theta["ln_std_r"])}

    def simulate(self, data, theta, rng):
        error = data["parallax_error"]
        mu_r, std_r = theta["mu_r"][:, None], np.exp(theta["ln_std_r"])[:, None]
        r = distance.draw_population(mu_r, std_r, (len(mu_r), len(error)), rng)
        return {"r": r, "parallax": rng.normal(1 / r, error)}

    def predict(self, parallax_error=None, *, random_state=None):
        """Parallaxes as the model would have them measured: its posterior predictive.

        Parameters
        ----------
        parallax_error : `~astropy.units.Quantity`, optional
            Errors of stars yet to be measured, members of the cluster, shape (star,). By default
            the fitted stars are measured again.
        random_state : None, int, `numpy.random.Generator`, optional
            Seed or source of randomness.

        Returns
        -------
        `~astropy.units.Quantity`
            Parallaxes in mas, shape (chain * draw, star).
        """
        rng = np.random.default_rng(random_state)
        if parallax_error is None:
            r = self.samples("r").to_value(u.kpc)
            return rng.normal(1 / r, self._data()["parallax_error"]) * u.mas
        try:
            error = np.atleast_1d(u.Quantity(parallax_error).to_value(u.mas))
        except (TypeError, u.UnitConversionError):
            error = np.array([np.nan])
        if error.ndim != 1 or not np.all((error > 0) & np.isfinite(error)):
            raise ValueError(
                f"parallax_error={parallax_error!r}; accepted are positive angles, one a star, such"
                " as [0.1, 0.2] * u.mas"
            )
        theta = {name: self.samples(name).value for name in self.frozen_priors()}
        return self.simulate({"parallax_error": error}, theta, rng)["parallax"] * u.mas

    def plot_data(self, ax=None):
        """Parallaxes with their standard errors, star by star, and the cluster's parallax.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        data = self._data()
        ax = plots.axes(ax, figsize=(8, 4))
        plots.errorbar(ax, np.arange(len(data["star"])), data["parallax"], data["parallax_error"])
        low, middle, high = np.quantile(1 / self.samples("mu_r").to_value(u.kpc), [0.03, 0.5, 0.97])
        ax.axhspan(low, high, color="C1", alpha=0.3, lw=0, label=r"$1/\mu_r$, 94 percent")
        ax.axhline(middle, color="C1", lw=1)
        ax.set(xlabel="star, by row of the table", ylabel=r"parallax $\varpi$ [mas]")
        ax.legend(loc="best")
        return ax

    def plot_distances(self, ax=None):
        """Each star's naive distance 1/parallax against its posterior one: the shrinkage.

        Error bars are one standard deviation. Stars of parallax below two standard errors have no
        naive distance to speak of: their posterior means are ticks at the left.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to draw.

        Returns
        -------
        `~matplotlib.axes.Axes`
        """
        data = self._data()
        ax = plots.axes(ax, figsize=(6, 5.5))
        r = self.samples("r").to(u.pc)
        mean, sd = r.mean(axis=0).value, r.std(axis=0).value
        parallax, error = data["parallax"], data["parallax_error"]
        good = parallax > 2 * error
        naive = (parallax[good] * u.mas).to_value(u.pc, u.parallax())
        plots.errorbar(ax, naive, mean[good], sd[good], xerr=naive * (error / parallax)[good])
        if not good.all():
            ax.plot(
                np.full((~good).sum(), 0.02),
                mean[~good],
                "_",
                color="C3",
                transform=ax.get_yaxis_transform(),
                label=r"posterior mean where $\varpi < 2\sigma_\varpi$",
            )
        mu_r = self.samples("mu_r").to_value(u.pc).mean()
        ax.axhline(mu_r, color="C1", label=r"$\mu_r$")
        if good.any():
            low, high = ax.get_ylim()
            ax.plot([low, high], [low, high], color="0.5", ls="--", label="no shrinkage")
            ax.set_ylim(low, high)
        ax.set(xlabel=r"$1/\varpi$ [pc]", ylabel="posterior distance $r$ [pc]")
        ax.legend(loc="best")
        return ax


def _within(prior, value):
    """``value``, moved into the bulk of ``prior`` if it lies outside."""
    low, high = prior.ppf([0.001, 0.999])
    return float(np.clip(value, low, high))
