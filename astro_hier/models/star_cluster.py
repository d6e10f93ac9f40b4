r"""The distance and depth of a star cluster, from the parallaxes of its members.

Prior
    mu_r ~ TruncatedNormal(1, 2, lower=0) kpc and ln_std_r ~ Uniform(-8, 0), where std_r =
    exp(ln_std_r) kpc; both can be changed.
Population
    r_n ~ sum_c w_c TruncatedNormal(mu_r, s_c, lower=0), the distance of star n. By default there
    is one component, of s = std_r; `astro_hier.profiles` holds others.
Likelihood
    parallax_n ~ Normal(1 / r_n + b_n, e_n), independent of each other, where
    b_n = zero_point_n + sum_k m_kn zeta_k and e_n^2 = (error_scale parallax_error_n)^2 + d_n.
    By default zero_point is 0, error_scale is 1 and there are no modes m. Where there are, zeta_k
    ~ Normal(0, 1): they and d_n stand for the covariance of the parallaxes, as
    `astro_hier.core.sky` says. Where they are many they are integrated out as
    `astro_hier.core.offsets` says.
Outliers
    If there are any, star n is a member, z_n = 1, with a probability of 1 - outlier_fraction, and
    parallax_n is as above. If it is none, parallax_n ~ Normal(outlier_mean, hypot(outlier_sd,
    e_n)), whatever r_n is: without zero point or offsets, of which outlier_mean and outlier_sd
    take care. Its r_n is then a draw from the population, of which the parallax says nothing.
Marginal likelihood
    p(parallax | theta) is the product over stars of (1 - f) sum_c w_c I_c + f B, where I_c is
    the one-dimensional integral of component times likelihood over r_n, which
    `astro_hier.core.distance` computes, f the outlier_fraction and B the density of the outliers.
    Draws pick z_n, the component, and then r_n, each from its exact distribution.
Joint model
    NUTS has r_n, and z_n summed over. A star of doubtful membership would have two modes of r_n,
    about its parallax and in the population, between which NUTS hardly moves. There r_n of a star
    that is no member therefore has the density q_n(r_n) in place of the population's: roughly that
    of a member (Carlin & Chib 1995, JRSS B 57, 473), which changes nothing else. z_n is then drawn,
    and r_n of others replaced by draws from the population.

The model is that of Price-Whelan (2022), *Hierarchical Models 1*, with the options that real
tables need.
"""

import astropy.units as u
import numpy as np
from scipy.special import logsumexp
from tqdm import tqdm

from astro_hier import datasets, outliers, priors, profiles
from astro_hier.core import distance, groups
from astro_hier.core.threads import for_chunks
from astro_hier.model import HierarchicalModel
from astro_hier.models.star_cluster_options import StarClusterOptions, columns_of
from astro_hier.models.star_cluster_results import StarClusterResults
from astro_hier.part import Option

__all__ = ["StarCluster"]

LEAST_DEPTH = 2e-9  # kpc
FAR = 4.0  # robust standard deviations beyond which a star is no member at the start


class StarCluster(StarClusterOptions, StarClusterResults, HierarchicalModel):
    """Mean distance and depth along the line of sight of a star cluster, and each star's distance.

    The stars' distances r are normally distributed about the cluster's, and the parallaxes about
    1/r, with the stated errors. Negative parallaxes are valid measurements. Options describe what
    real tables have besides: a zero point, errors that are too small or correlated, stars that are
    not members, and wings of the distribution of distances. They can be combined.

    Parameters
    ----------
    mu_r : `~astro_hier.priors.Prior`, optional
        Prior on the mean distance, a length.
    ln_std_r : `~astro_hier.priors.Prior`, optional
        Prior on ln(std_r / kpc), a number.
    profile : `~astro_hier.profiles.Profile`, optional
        Distribution of the distances about mu_r: `~astro_hier.profiles.Normal` or
        `~astro_hier.profiles.CoreHalo`.
    zero_point : `~astropy.units.Quantity`, `~astro_hier.priors.Prior` or str, optional
        What is added to 1/r in a measured parallax, such as Gaia's -0.029 mas in data release 2:
        its value; a prior, to infer it; or the name of a column that has one for each star.
    error_scale : float or `~astro_hier.priors.Prior`, optional
        Factor by which all errors are larger than stated.
    outliers : bool or `~astro_hier.outliers.ParallaxBackground`, optional
        Distribution of the parallaxes of stars that are not members; True is the default one.
    parallax_covariance : str or callable, optional
        Covariance of the parallaxes of two stars as a function of the angle between them, one of
        `astro_hier.covariances.COVARIANCES` by name, or a function of a Quantity that returns one.
        The table must have the columns ``ra`` and ``dec`` then.
    columns : dict, optional
        Where the columns are that the model reads: ``parallax`` and ``parallax_error`` (angles in
        any unit) and, optional, ``star`` (identifiers, integers or strings); with the options
        that need them, ``zero_point``, ``ra`` and ``dec``. By default they have these names. Give
        the column's name, or the name and the unit to take where the table has none:
        ``{"parallax": "plx", "parallax_error": ("e_plx", u.mas)}``, or a preset,
        `astro_hier.columns.GAIA`. ``{"star": None}`` numbers the rows.
    on_invalid : {"raise", "drop"}, optional
        Whether a table with missing or impossible values is refused, or such rows are left out
        with a warning.

    Notes
    -----
    The posterior has the variables

    ==================== ======= ==========================================================
    name                 unit    meaning
    ==================== ======= ==========================================================
    ``mu_r``             kpc     mean distance
    ``ln_std_r``                 ln(std_r / kpc)
    ``std_r``            kpc     standard deviation of the distances (of the core)
    ``halo_fraction``            share of stars in the halo (profile)
    ``ln_halo_ratio``            ln of halo_ratio (profile)
    ``halo_ratio``               depth of the halo over that of the core (profile)
    ``zero_point``       mas     zero point (if given, not as a column)
    ``error_scale``              true errors over stated errors (if given)
    ``outlier_fraction``         share of stars that are not members (outliers)
    ``outlier_mean``     mas     mean of their parallaxes (outliers)
    ``outlier_sd``       mas     standard deviation of their parallaxes (outliers)
    ``mode``                     common offsets, in standard deviations, dimension
                                 ``mode_number`` (parallax_covariance)
    ``r``                kpc     distance of each star, dimension ``star``
    ``member``                   probability that each star is a member, given the
                                 parameters of the draw, dimension ``star`` (outliers)
    ``log_prob``                 ln of the density of all parameters but the stars' own, up
                                 to a constant
    ==================== ======= ==========================================================

    ``r`` is the distance of a star in draws where it is a member; in others it is a draw from the
    population, which its parallax says nothing of. The mean of ``member`` over the draws is the
    probability that the star is a member. In `pymc_model`, which sums over membership, the ``r``
    of a star that is none follows about the distribution that it would have as a member, so that
    NUTS need not jump; `fit` replaces it by a draw from the population.

    The attribute ``resolved`` is 1 where the data exclude that there is no depth (a likelihood
    ratio of e^2), and 0 where `std_r_upper_limit` is what there is to quote.

    With ``parallax_covariance``, the posterior's ``attrs`` have ``covariance_modes``, how many
    common offsets are kept; ``covariance_left_out``, by what share the variance of a mean parallax
    comes out too small for want of others; and ``covariance_depth_off``, by how many standard
    deviations (root mean square) the depth comes out different. Up to six offsets are parameters
    of ``log_prob``; more are integrated out of it, as `astro_hier.core.offsets` says.

    Examples
    --------
    >>> from astro_hier import StarCluster, datasets
    >>> table = datasets.make_star_cluster(random_state=42)
    >>> cluster = StarCluster().fit(table, random_state=1, progressbar=False)
    >>> print(f"{cluster.samples('mu_r').mean().to('pc'):.0f}")
    500 pc
    """

    command = "cluster"
    scale = "std_r"
    options = (
        Option("profile", families=(profiles.Normal, profiles.CoreHalo)),
        Option("zero_point", "'-0.029 mas'", takes_prior=True),
        Option("error_scale", takes_prior=True),
        Option("outliers", "True", (outliers.ParallaxBackground,)),
    )

    def __init__(
        self,
        *,
        mu_r=priors.TruncatedNormal(1 * u.kpc, 2 * u.kpc, lower=0 * u.kpc),
        ln_std_r=priors.Uniform(-8, 0),
        profile=profiles.Normal(),
        zero_point=None,
        error_scale=None,
        outliers=None,
        parallax_covariance=None,
        columns=None,
        on_invalid="raise",
    ):
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.mu_r = mu_r
        self.ln_std_r = ln_std_r
        self.profile = profile
        self.zero_point = zero_point
        self.error_scale = error_scale
        self.outliers = outliers
        self.parallax_covariance = parallax_covariance

    example = staticmethod(datasets.make_star_cluster)

    # ---- the likelihood of a star; ``theta`` holds columns (theta, 1), or variables of PyMC

    @staticmethod
    def _offset(data, theta):
        """What a measured parallax has besides 1/r."""
        offset = data.get("zero_point", theta.get("zero_point", 0.0))
        return offset + theta["mode"] @ data["modes"] if "modes" in data else offset

    @staticmethod
    def _error(data, theta):
        error = data["parallax_error"]
        if "error_scale" in theta:
            error = theta["error_scale"] * error
        return (error**2 + data["own_variance"]) ** 0.5 if "own_variance" in data else error

    def _spread(self, data, theta):
        """Standard deviation of members' parallaxes, 1/r taken as linear, shape (theta,)."""
        variance = self.profile.variance(theta) / theta["mu_r"] ** 4
        error = np.median(data["parallax_error"]) * theta.get("error_scale", 1.0)
        return np.sqrt(variance + error**2)

    # ---- hooks

    def initial(self, data):
        """Inverse-variance weighted parallax; its excess scatter; each distance shrunk to it.

        Without stars that are far off, where there is a background for them. Other parameters
        start at the medians of their priors.
        """
        prior, background = self.frozen_priors(), self._background()
        theta = {name: float(frozen.median()) for name, frozen in prior.items()}
        if "error_scale" in theta:
            theta["error_scale"] = self.within_bulk("error_scale", 1.0)
        theta |= {name: np.zeros(number) for name, number in self.common_offsets(data).items()}
        parallax = data["parallax"] - self._offset(data, theta)
        error = self._error(data, theta)
        near = slice(None)
        if background:
            off = np.abs(parallax - np.median(parallax))
            near = off <= FAR * np.hypot(1.4826 * np.median(off), error)
            theta["outlier_fraction"] = self.within_bulk("outlier_fraction", np.mean(~near))
        weight = error[near] ** -2 / np.sum(error[near] ** -2)
        mean = weight @ parallax[near]
        mu_r = self.within_bulk("mu_r", 1 / mean if mean > 0 else np.inf)
        excess = weight @ ((parallax[near] - mean) ** 2 - error[near] ** 2)
        least = 0.1 * mu_r**2 * np.sqrt(weight @ error[near] ** 2)
        std_r = max(mu_r**2 * np.sqrt(max(excess, 0)), least)
        ln_std_r = self.within_bulk("ln_std_r", np.log(std_r))
        # the Gaussian of each star alone, 1/r taken as linear about mu_r
        precision, depth = (error * mu_r**2) ** -2, np.exp(-2 * ln_std_r)
        shift = (1 / mu_r - parallax) * mu_r**2 * precision / (precision + depth)
        r = np.clip(mu_r + shift, 0.1 * mu_r, 10 * mu_r)
        theta |= {"mu_r": mu_r, "ln_std_r": ln_std_r, "r": r}
        theta |= self.derive(theta)
        if background:
            one = {name: np.asarray(value)[None] for name, value in theta.items()}
            theta["member"] = self._membership(data, one)[0]
            variance = self.profile.variance(theta)
            theta["r"], _ = _if_member(parallax, error, mu_r, variance)
        return self.above_ends(data, theta)

    def candidates(self, data, rng=None):
        background = self._background()
        if background is None:
            return []
        start, points = self.initial(data), []
        values = data["parallax"] - self._offset(data, start), self._error(data, start)
        for each in groups.labelled(*values, 1 + background.parts, rng):
            if each.mean[0] <= 0:
                continue
            mu_r = self.within_bulk("mu_r", 1 / each.mean[0], outliers.FAR)
            ln_std_r = np.log(each.sd[0] * mu_r**2)
            ln_std_r = self.within_bulk("ln_std_r", ln_std_r, outliers.FAR)
            members = {"mu_r": mu_r, "ln_std_r": ln_std_r}
            points.append(self.above_ends(data, start | members | background.start(each)))
        return points

    def lower_ends(self, data):
        background = self._background()
        if background is None:
            return {}

        def spread(theta):
            variance = self.profile.variance(theta | self.derive(theta))
            return variance**0.5 / theta["mu_r"] ** 2

        return background.lower_ends(spread)

    def build_pymc(self, data):
        import pymc as pm
        import pytensor.tensor as pt

        initial, background = self.initial(data), self._background()
        coords = {"star": data["star"]}
        for name, number in self.common_offsets(data).items():
            coords[f"{name}_number"] = np.arange(number)
        with pm.Model(coords=coords) as model:
            theta = self.pymc_priors(data, initial)
            for name in self.common_offsets(data):
                theta[name] = pm.Normal(name, 0, 1, dims=f"{name}_number", initval=initial[name])
            for name, value in self.derive(theta).items():
                theta[name] = pm.Deterministic(name, value)
            weights, sds = zip(*self.profile.components(theta), strict=True)
            parts = [pm.TruncatedNormal.dist(theta["mu_r"], sd, lower=0) for sd in sds]
            of_star = {"dims": "star", "initval": initial["r"]}
            if len(sds) == 1:
                r = pm.TruncatedNormal("r", mu=theta["mu_r"], sigma=sds[0], lower=0, **of_star)
                population = parts[0]
            else:
                shares = pm.math.stack(weights)
                r = pm.Mixture("r", w=shares, comp_dists=parts, **of_star)
                population = pm.Mixture.dist(w=shares, comp_dists=parts)
            offset, error = self._offset(data, theta), self._error(data, theta)
            mean = 1 / r + offset
            if background is None:
                pm.Normal("parallax", mu=mean, sigma=error, observed=data["parallax"], dims="star")
                return model
            variance = self.profile.variance(theta)
            centre, width = _if_member(
                pt.as_tensor(data["parallax"] - offset), error, theta["mu_r"], variance
            )
            # the density of r in the population, which the model has already, is divided out
            other = (
                pm.math.log(theta["outlier_fraction"])
                + outliers.pymc_log_density(background.pymc(error, theta), data["parallax"])
                + pm.logp(pm.LogNormal.dist(pm.math.log(centre), width / centre), r)
                - pm.logp(population, r)
            )
            member = pm.math.log(1 - theta["outlier_fraction"])
            member += pm.logp(pm.Normal.dist(mean, error), data["parallax"])
            either = pm.math.logsumexp(pm.math.stack([member, other]), axis=0, keepdims=False)
            pm.Potential("parallax", either, dims="star")
            log_odds, n_stars = member - other, len(data["parallax"])
            some, chance = background.pymc_given_some(log_odds, theta, n_stars)
            pm.Potential("some_member_", some)
            pm.Deterministic("member", chance, dims="star")
        return model

    def log_marginal(self, data, theta):
        if "modes" in data and "mode" not in theta:
            return self._integrate_offsets(data, theta | self.derive(theta))
        theta = theta | self.derive(theta)
        result = np.empty(len(theta["mu_r"]))

        def add(start, stop):
            some = {name: values[start:stop] for name, values in theta.items()}
            log_density, log_odds = self._log_density(data, some)
            result[start:stop] = log_density.sum(axis=1)
            if self._background():
                result[start:stop] += self._background().given_some(log_odds, some)[0]

        for_chunks(add, len(result), cost=len(data["parallax"]))
        return result

    def log_likelihood(self, data, values):
        theta = values | self.derive(values)
        result = np.empty((len(theta["mu_r"]), len(data["parallax"])))

        def fill(start, stop):
            some = {name: of[start:stop] for name, of in theta.items()}
            result[start:stop] = self._log_density(data, some)[0]

        for_chunks(fill, len(result), cost=len(data["parallax"]))
        return result

    def _log_density(self, data, theta):
        """ln of the density of each star, shape (theta, star), and of its odds of membership."""
        by_star = np.logaddexp.reduce(self._log_components(data, theta))
        return self._mix(by_star, data, theta) if self._background() else (by_star, np.inf)

    def _measured(self, data, theta):
        """Parallaxes less what they have besides 1/r, and their errors."""
        theta = columns_of(theta)
        return data["parallax"] - self._offset(data, theta), self._error(data, theta)

    def _log_components(self, data, theta):
        """ln of weight times density of each component of members, (component, theta, star)."""
        parallax, error = self._measured(data, theta)
        with np.errstate(divide="ignore"):
            return [
                np.log(weight)[..., None]
                + distance.log_marginal(parallax, error, theta["mu_r"], sd)
                for weight, sd in _bounded(self.profile.components(theta))
            ]

    def _mix(self, log_member, data, theta):
        """With those that are not members: ln of the density, and of the odds of membership."""
        error = self._error(data, columns_of(theta))
        return self._background().mix(log_member, data["parallax"], error, theta)

    def _membership(self, data, theta):
        """The probability of each star to be a member."""
        return self._background().given_some(self._log_density(data, theta)[1], theta)[1]

    def draw_latents(self, data, theta, rng, progressbar=False):
        if "modes" in data and "mode" not in theta:
            mode = self._draw_offsets(data, theta | self.derive(theta), rng)
            given = theta | {"mode": mode}
            return {"mode": mode} | self.draw_latents(data, given, rng, progressbar)
        theta, background = theta | self.derive(theta), self._background()
        seed = rng.integers(2**63)
        n, n_stars = len(theta["mu_r"]), len(data["parallax"])
        names = ["r", "member"] if background else ["r"]
        result = {name: np.empty((n, n_stars)) for name in names}

        def fill(start, stop):
            some = {name: values[start:stop] for name, values in theta.items()}
            drawn = self._draw_stars(data, some, np.random.default_rng([seed, start]))
            for name in names:
                result[name][start:stop] = drawn[name]

        with tqdm(total=n, unit="draw", desc="distances", disable=not progressbar) as bar:
            for_chunks(fill, n, cost=n_stars, progress=bar.update)
        return result

    def _draw_stars(self, data, theta, rng):
        """Distances, and memberships where there are outliers."""
        parallax, error = self._measured(data, theta)
        components = _bounded(self.profile.components(theta))
        r = [distance.draw(parallax, error, theta["mu_r"], sd, rng) for _, sd in components]
        if len(r) == 1 and self._background() is None:
            return {"r": r[0]}
        parts = self._log_components(data, theta)
        log_member = logsumexp(parts, axis=0)
        upper = np.cumsum(np.exp(parts - log_member), axis=0)[:-1]
        chosen = np.sum(rng.random(log_member.shape) > upper, axis=0)
        r = np.take_along_axis(np.array(r), chosen[None], axis=0)[0]
        if self._background() is None:
            return {"r": r}
        _, log_odds = self._mix(log_member, data, theta)
        r = self._replace(r, ~outliers.draw_members(log_odds, rng), theta, rng)
        return {"r": r, "member": self._background().given_some(log_odds, theta)[1]}

    def _replace(self, r, others, theta, rng):
        """Distances, with those of stars that are not members drawn from the population."""
        sd = np.broadcast_to(self.profile.draw(theta, r.shape[1], rng), r.shape)[others]
        mu_r = np.broadcast_to(theta["mu_r"][:, None], r.shape)[others]
        r = r.copy()
        r[others] = distance.draw_population(mu_r, sd, sd.shape, rng)
        return r

    def finish(self, data, values, rng):
        """Of draws of the joint model: no member's distance, and the probability without it."""
        if self._background() is None:
            return values
        others = rng.random(values["member"].shape) >= values["member"]
        result, n_stars = values | {"member": np.empty(others.shape)}, len(data["parallax"])
        result["r"] = self._replace(values["r"], others, values, rng)

        def fill(start, stop):
            some = {name: v[start:stop] for name, v in values.items()}
            result["member"][start:stop] = self._membership(data, some)

        for_chunks(fill, len(others), cost=n_stars)
        return result

    def derive(self, theta):
        return {"std_r": np.exp(theta["ln_std_r"]), **self.profile.derive(theta)}

    def simulate(self, data, theta, rng):
        theta, n_stars = theta | self.derive(theta), len(data["parallax_error"])
        shape = len(theta["mu_r"]), n_stars
        drawn = {
            name: rng.standard_normal((shape[0], number))
            for name, number in self.common_offsets(data).items()
            if name not in theta
        }
        theta |= drawn
        sd = self.profile.draw(theta, n_stars, rng)
        r = distance.draw_population(theta["mu_r"][:, None], sd, shape, rng)
        columns = columns_of(theta)
        value, error = 1 / r + self._offset(data, columns), self._error(data, columns)
        if self._background():
            member, other = self._background().draw(theta, n_stars, rng)
            value = np.where(member, value, other)
        drawn |= {"r": r, "parallax": rng.normal(value, error)}
        if self._background():
            drawn["member"] = self._membership(data | drawn, theta)
        return drawn


def _if_member(parallax, error, mu_r, variance):
    """Rough mean and sd of a star's distance if it is a member: population times likelihood.

    The parallax is taken within a factor of three of the cluster's, and 1/r as linear.
    """
    naive = 1 / parallax.clip(1 / (3 * mu_r), 3 / mu_r)
    precision = (error * naive**2) ** -2
    total = precision + 1 / variance
    return (precision * naive + mu_r / variance) / total, total**-0.5


def _bounded(components):
    """Components whose depths are no smaller than can be told from none, which a lattice needs."""
    return [(weight, np.maximum(sd, LEAST_DEPTH)) for weight, sd in components]
