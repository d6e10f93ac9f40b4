"""The columns and parameters of a star cluster, as its options have them."""

import astropy.units as u
import numpy as np

from astro_hier import profiles
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.table import Role

ERROR_SCALE = Parameter(
    "error_scale", u.one, r"f_\sigma", "true errors over stated errors", positive=True
)


def roles(model):
    """The columns."""
    roles = [
        Role("parallax", u.mas, observed=True),
        Role("parallax_error", u.mas, positive=True),
        Role("star", None, required=False, unique=True),
    ]
    if isinstance(model.zero_point, str):
        roles.append(Role("zero_point", u.mas, column=model.zero_point))
    if model.parallax_covariance is not None:
        roles += [Role("ra", u.deg, largest=360), Role("dec", u.deg, largest=90)]
    return tuple(roles)


def parameters(model):
    """The parameters, in the order of tables and figures."""
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
        *profile_of(model).parameters,
    ]
    if not (model.zero_point is None or isinstance(model.zero_point, str)):
        parameters.append(
            Parameter("zero_point", u.mas, r"\varpi_0", "zero point", bounds=UNBOUNDED)
        )
    if model.error_scale is not None:
        parameters.append(ERROR_SCALE)
    if model._background():
        parameters += model._background().parameters
    if model.parallax_covariance is not None:
        parameters.append(
            Parameter("mode", u.one, r"\zeta", "common offset of the parallaxes", ("mode_number",))
        )
    parameters.append(Parameter("r", u.kpc, "r", "distance", ("star",)))
    if model._background():
        parameters.append(Parameter("member", u.one, "p", "probability of membership", ("star",)))
    return tuple(parameters)


def profile_of(model):
    if not isinstance(model.profile, profiles.Profile):
        raise ValueError(
            f"profile={model.profile!r}; accepted are those of astro_hier.profiles, such as"
            " profiles.CoreHalo()"
        )
    return model.profile
