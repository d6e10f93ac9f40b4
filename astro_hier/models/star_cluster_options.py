"""What the options of a star cluster add to its columns, parameters and data."""

import astropy.units as u
import numpy as np

from astro_hier import checks, covariances, outliers, profiles
from astro_hier.core import sky
from astro_hier.inference import influence
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.table import Role

MOST_MODES = 6
ENOUGH = 0.01  # share of the variance of a mean parallax that may be left out of the modes
TOO_MUCH = 0.1  # the same, above which there is a warning
LEFT_OUT = checks.define(
    "covariance_left_out",
    limit=f"at most {100 * TOO_MUCH:.0f} percent",
    said="{modes} common offsets leave out {found} percent of the variance of the mean parallax,"
    " for the covariance of these stars changes too fast with their separation",
    python="the error of mu_r is off by half as much",
)
ERROR_SCALE = Parameter(
    "error_scale", u.one, r"f_\sigma", "true errors over stated errors", positive=True
)


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

    def standard_normals(self, data):
        return {"mode": len(data["modes"])} if "modes" in data else {}

    def _read(self, table):
        if self.parallax_covariance is not None:
            covariances.of(self.parallax_covariance)  # says which there are, before the columns
        return self._with_modes(super()._read(table))

    def _restored(self):
        return self._with_modes(super()._restored())

    def _with_modes(self, data):
        if self.parallax_covariance is None:
            return data
        covariance = covariances.of(self.parallax_covariance)
        modes, variance, left_out = sky.modes(
            data["ra"], data["dec"], data["parallax_error"], covariance, MOST_MODES, ENOUGH
        )
        return data | {"modes": modes, "own_variance": variance, "left_out": left_out}

    def diagnose(self, data, values, method):
        if "modes" not in data:
            return {}
        return {"covariance_modes": len(data["modes"]), "covariance_left_out": data["left_out"]}

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
            findings.append(self._background().check_wings(values, spread, remedy))
        if "modes" in data:
            percent, many = 100 * data["left_out"], abs(data["left_out"]) > TOO_MUCH
            findings.append(LEFT_OUT.finding(f"{percent:.0f}", many, modes=len(data["modes"])))
        return findings
