"""What the options of a star cluster add to its columns, parameters and data."""

from collections.abc import Mapping

import astropy.units as u
import numpy as np
from scipy.special import expit, logsumexp, ndtr
from scipy.stats import norm

from astro_hier import checks, covariances, outliers, profiles
from astro_hier.core import offsets, sky
from astro_hier.core.threads import for_chunks
from astro_hier.inference import influence
from astro_hier.models import goodness, upper_limit
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.table import Role

FEW_MODES = 6  # up to which they are drawn as other parameters are; more are integrated out
MOST_MODES = 200
ENOUGH = 0.01  # share of the variance of a mean parallax that may be left out of the modes
ENOUGH_DEPTH = 0.05  # standard deviations by which the depth may be off
TOO_MUCH = 0.1  # of either, above which there is a warning
LEFT_OUT = checks.define(
    "covariance_left_out",
    limit=f"at most {100 * TOO_MUCH:.0f} percent of the variance of the mean parallax, and"
    f" {TOO_MUCH} standard deviations of the depth",
    said="{modes} common offsets leave out {found}, for the covariance of these stars changes too"
    " fast with their separation",
    python="the error of mu_r is off by half that share, and std_r by about that much; fit parts of"
    " the table, of some hundred stars each, to see by how much",
)
TYPICAL_ZERO_POINT = 0.03  # mas
MOST_SIGMAS = 0.5  # of the mean parallax, that a zero point may be left out
ZERO_POINT = checks.define(
    "zero_point",
    limit=f"known, or {TYPICAL_ZERO_POINT} mas at most {MOST_SIGMAS} standard errors of the mean"
    " parallax",
    said="the parallaxes seem to be Gaia's, and no zero point is given: one of -0.03 mas moves the"
    " mean by {sigmas} standard errors",
    python="zero_point=-0.029 * u.mas is that of data release 2 (Lindegren et al. 2018, A&A 616,"
    " A2); that of release 3 is between -0.017 and -0.039 mas, by magnitude, colour and latitude"
    " (Lindegren et al. 2021, A&A 649, A4), such as in a column of the table;"
    " zero_point=0 * u.mas if the parallaxes are corrected already",
    shell="--set zero_point='-0.029 mas' is that of data release 2; that of release 3 is between"
    " -0.017 and -0.039 mas, and --set zero_point=COLUMN reads it star by star;"
    " --set zero_point='0 mas' if the parallaxes are corrected already",
)
NODES = np.linspace(-6, 6, 97)  # of the distances, in standard deviations, for tail probabilities
NO_DEPTH = -20.0  # ln(std_r / kpc) that no parallax can tell from no depth
ZERO = (np.zeros(1),) * 4  # coordinates of a star and itself
SEED = 1  # of the points that common offsets are integrated with
ERROR_SCALE = Parameter(
    "error_scale", u.one, r"f_\sigma", "true errors over stated errors", positive=True
)


def columns_of(theta):
    """Hyperparameters as columns, one row a draw."""
    return {name: v[:, None] if v.ndim == 1 else v for name, v in theta.items()}


class StarClusterOptions:
    """The columns and parameters of `~astro_hier.StarCluster`, as its options have them."""

    roles_of_options = ("zero_point", "ra", "dec")

    @property
    def roles(self):
        roles = [
            Role("parallax", u.mas, observed=True),
            Role("parallax_error", u.mas, positive=True),
            Role("star", None, required=False, unique=True),
        ]
        if isinstance(self.zero_point, str):
            roles.append(Role("zero_point", u.mas, column=self.zero_point))
        if self.parallax_covariance is not None:
            roles += [Role("ra", u.deg, largest=360), Role("dec", u.deg, largest=90)]
        return tuple(roles)

    @property
    def parameters(self):
        parameters = [
            Parameter("mu_r", u.kpc, r"\mu_r", "mean distance", bounds=(0, np.inf)),
            Parameter(
                "ln_std_r",
                u.one,
                r"\ln(\sigma_r/\mathrm{kpc})",
                "log of the depth",
                bounds=UNBOUNDED,
            ),
            Parameter("std_r", u.kpc, r"\sigma_r", "depth: standard deviation of the distances"),
            *self._shape().parameters,
        ]
        if not (self.zero_point is None or isinstance(self.zero_point, str)):
            parameters.append(
                Parameter("zero_point", u.mas, r"\varpi_0", "zero point", bounds=UNBOUNDED)
            )
        if self.error_scale is not None:
            parameters.append(ERROR_SCALE)
        if self._background():
            parameters += self._background().parameters
        if self.parallax_covariance is not None:
            parameters.append(
                Parameter(
                    "mode", u.one, r"\zeta", "common offset of the parallaxes", ("mode_number",)
                )
            )
        parameters.append(Parameter("r", u.kpc, "r", "distance", ("star",)))
        if self._background():
            parameters.append(
                Parameter("member", u.one, "p", "probability of membership", ("star",))
            )
        return tuple(parameters)

    @property
    def parts(self):
        return tuple(part for part in (self._background(), self._shape()) if part)

    def _shape(self):
        if not isinstance(self.profile, profiles.Profile):
            raise ValueError(
                f"profile={self.profile!r}; accepted are those of astro_hier.profiles, such as"
                " profiles.CoreHalo()"
            )
        return self.profile

    def _background(self):
        """The distribution of stars that are not members, or None."""
        return outliers.of(self.outliers, outliers.ParallaxBackground)

    def common_offsets(self, data):
        """How many common offsets there are, a dict by the parameter's name."""
        return {"mode": len(data["modes"])} if "modes" in data else {}

    def standard_normals(self, data):
        offsets = self.common_offsets(data)
        return offsets if offsets.get("mode", 0) <= FEW_MODES else {}

    def coordinates(self, data):
        return {f"{name}_number": np.arange(n) for name, n in self.common_offsets(data).items()}

    def check_arguments(self):
        if self.parallax_covariance is not None:
            covariances.of(self.parallax_covariance)  # says which there are

    def prepare(self, rows, progressbar):
        data = dict(rows)
        if self.parallax_covariance is None:
            return data
        covariance = covariances.of(self.parallax_covariance)
        parallax, error = data["parallax"], data["parallax_error"]
        scatter = (np.median(np.abs(parallax - np.median(parallax))) / 0.6745) ** 2
        spread = np.sqrt(0.5 * max(scatter - np.median(error) ** 2 - covariance(*ZERO)[0, 0], 0))
        modes, variance, left_out, depth_off = sky.modes(
            data["ra"],
            data["dec"],
            error,
            spread,
            covariance,
            few=FEW_MODES,
            most=MOST_MODES,
            enough=ENOUGH,
            enough_depth=ENOUGH_DEPTH,
        )
        found = {"modes": modes, "own_variance": variance}
        return data | found | {"left_out": left_out, "depth_off": depth_off}

    # ---- many common offsets

    def _offset_points(self, data, theta, normals):
        """Points of the offsets for each theta, and ln of the weight of each."""
        bare = {name: values for name, values in data.items() if name != "modes"}
        columns = columns_of(theta)
        mu_r, error = columns["mu_r"], self._error(data, columns)
        weights, sds = zip(*self.profile.components(columns), strict=True)
        log_weight = np.array([np.log(weight + 0 * mu_r) for weight in weights])
        # 1/r to second order about mu_r
        variance = np.array([sd**2 / mu_r**4 + error**2 for sd in sds])
        mean = np.array([1 / mu_r + sd**2 / mu_r**3 for sd in sds])
        residual = data["parallax"] - self._offset(bare, columns) - mean

        def shares_of(log_density):
            parts = log_weight + log_density
            whole = logsumexp(parts, axis=0)
            shares = np.exp(parts - whole)
            if self._background() is None:
                return shares
            return shares * expit(self._mix(whole, bare, theta)[1])

        z, log_q = offsets.points(data["modes"], shares_of, residual, variance, normals)
        exact = [self.log_marginal(data, theta | {"mode": point}) for point in z]
        return z, np.array(exact) + norm.logpdf(z).sum(axis=2) - log_q

    def _integrate_offsets(self, data, theta):
        """ln p(data | theta) with the common offsets integrated out, shape (theta,)."""
        count, result = len(data["modes"]), np.empty(len(theta["mu_r"]))
        normals = offsets.pairs(count, 1, np.random.default_rng(SEED))

        def add(start, stop):
            some = {name: values[start:stop] for name, values in theta.items()}
            result[start:stop] = offsets.integral(self._offset_points(data, some, normals)[1])

        for_chunks(add, len(result), cost=len(data["parallax"]))
        return result

    def _draw_offsets(self, data, theta, rng):
        """One draw of the common offsets for each theta."""
        size, count, seed = len(theta["mu_r"]), len(data["modes"]), rng.integers(2**63)
        result = np.empty((size, count))

        def fill(start, stop):
            some = {name: values[start:stop] for name, values in theta.items()}
            chunk_rng = np.random.default_rng([seed, start])
            normals = offsets.pairs(count, stop - start, chunk_rng)
            found = self._offset_points(data, some, normals)
            result[start:stop] = offsets.pick(*found, chunk_rng)

        for_chunks(fill, size, cost=len(data["parallax"]))
        return result

    def diagnose(self, data, values, method):
        attrs = {}
        if "modes" in data:
            attrs["covariance_modes"] = len(data["modes"])
            attrs["covariance_left_out"] = data["left_out"]
            attrs["covariance_depth_off"] = data["depth_off"]
        if "ln_std_r" in self.free_names():
            attrs["resolved"] = upper_limit.resolved(self, data, values, "std_r", NO_DEPTH)
        return attrs

    def headline(self):
        return ["mu_r", "std_r"]

    def rows_to_compare(self, data):
        if self._background():
            return None
        return data["parallax"] - data.get("zero_point", 0.0), data["parallax_error"]

    def remedy_of_rows(self):
        return ("", "") if self._background() else influence.OUTLIERS

    def check(self, data, values, attrs, method):
        findings = []
        if self._background():
            remedy = (
                "outliers=ParallaxBackground(outlier_sd=priors.Uniform(1 * u.mas, 10 * u.mas)); if"
                " they belong to the cluster, profile=profiles.CoreHalo() describes them"
            )
            spread = self._spread(data, values)
            findings.append(
                self._background().check_wings(values, 1 / values["mu_r"], spread, remedy)
            )
            findings.append(goodness.check_background(self._background(), values))
        if "modes" in data:
            mean, depth = abs(data["left_out"]), data["depth_off"]
            found = (
                f"{100 * mean:.0f} percent of the variance of the mean parallax, and"
                f" {depth:.2f} standard deviations of the depth"
            )
            modes = len(data["modes"])
            findings.append(LEFT_OUT.finding(found, max(mean, depth) > TOO_MUCH, modes=modes))
        z, member = self._scores(data, values)
        findings.append(goodness.check_rows(self, z, member, "parallax", " mas", data))
        findings += goodness.check_error_scale(self, values)
        return findings + upper_limit.check_resolved(attrs, "std_r", "depth")

    def reword(self, finding):
        return goodness.reword(self, finding)

    def _scores(self, data, values):
        """The normal score of each star's parallax, and the probability that it is a member."""
        names = [p.name for p in self.parameters if p.name != "r"]
        theta = columns_of(goodness.some(values, names))
        parallax, error = data["parallax"] - self._offset(data, theta), self._error(data, theta)
        below, above = np.zeros((2, len(theta["mu_r"]), len(data["parallax"])))
        for weight, sd in self.profile.components(theta):
            r = theta["mu_r"] + sd * NODES
            heights = np.where(r > 0, np.exp(-0.5 * NODES**2), 0.0)
            heights *= weight / heights.sum(axis=1, keepdims=True)
            for inverse, height in zip(
                1 / np.abs(r).T[..., None], heights.T[..., None], strict=True
            ):
                t = (parallax - inverse) / error
                below += height * ndtr(t)
                above += height * ndtr(-t)
        return goodness.scores(below, above, theta.get("member", np.ones_like(below)))

    # ---- tables of Gaia's

    def check_table(self, table, rows):
        """Whether parallaxes that seem to be Gaia's have a zero point, if that matters."""
        findings = super().check_table(table, rows)
        given = self.columns.get("parallax") if isinstance(self.columns, Mapping) else None
        name = given[0] if isinstance(given, tuple) else given or "parallax"
        names = {column.lower() for column in table.colnames}
        if name.lower() != "parallax" or "source_id" not in names:
            return findings
        parallax = rows["parallax"]
        scatter = np.median(np.abs(parallax - np.median(parallax))) / 0.6745
        sigmas = TYPICAL_ZERO_POINT / max(scatter / np.sqrt(len(parallax)), 1e-9)
        found = "given" if self.zero_point is not None else f"none, {sigmas:.1f} standard errors"
        missing = self.zero_point is None and sigmas > MOST_SIGMAS
        return [*findings, ZERO_POINT.finding(found, missing, sigmas=f"{sigmas:.2g}")]
