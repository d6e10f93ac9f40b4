"""The options of a star cluster, and the columns and parameters that they add."""

from typing import Any

import astropy.units as u
import numpy as np

from astro_hier import outliers, profiles
from astro_hier.models.errors import as_errors
from astro_hier.models.membership import NoBackground, as_background
from astro_hier.models.star_cluster.data import Stars
from astro_hier.models.star_cluster.far import with_sample
from astro_hier.models.star_cluster.offsets import CommonOffsets, NoOffsets
from astro_hier.models.zero_point import PARALLAX, PARALLAX_ERROR, as_zero_point
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.table import Role

COLUMNS = (
    Role("parallax", u.mas, observed=True, usual=PARALLAX),
    Role("parallax_error", u.mas, positive=True, usual=PARALLAX_ERROR),
    Role("star", None, required=False, unique=True),
)
OF_CLUSTER = (
    Parameter("mu_r", u.kpc, r"\mu_r", "mean distance", bounds=(0, np.inf)),
    Parameter(
        "ln_std_r", u.one, r"\ln(\sigma_r/\mathrm{kpc})", "log of the depth", bounds=UNBOUNDED
    ),
    Parameter("std_r", u.kpc, r"\sigma_r", "depth: standard deviation of the distances"),
)
OF_STARS = (Parameter("r", u.kpc, "r", "distance", ("star",)),)


def as_profile(given: Any) -> profiles.Profile:
    """The profile that the argument ``profile`` stands for."""
    if not isinstance(given, profiles.Profile):
        raise ValueError(
            f"profile={given!r}; expected one of astro_hier.profiles, such as profiles.CoreHalo()"
        )
    return given


def as_offsets(given: Any) -> NoOffsets:
    """The offsets that the argument ``parallax_covariance`` stands for."""
    return NoOffsets() if given is None else CommonOffsets(given)


def background_of(model) -> NoBackground:
    """The background that a model's argument ``outliers`` stands for."""
    return as_background(model.outliers, outliers.ParallaxBackground)


def roles(model) -> tuple[Role, ...]:
    """The columns that the model reads."""
    zero_point, offsets = as_zero_point(model.zero_point), as_offsets(model.parallax_covariance)
    return (*COLUMNS, *zero_point.roles, *offsets.roles)


def parts(model) -> tuple[Any, ...]:
    """Owners of priors other than the model itself."""
    return (
        as_profile(model.profile),
        as_zero_point(model.zero_point),
        as_errors(model.error_scale),
        *background_of(model).owners,
    )


def parameters(model) -> tuple[Parameter, ...]:
    """The parameters, in the order in which tables and figures show them.

    Examples
    --------
    >>> from astro_hier import StarCluster
    >>> [parameter.name for parameter in StarCluster().parameters]
    ['mu_r', 'ln_std_r', 'std_r', 'r']
    """
    background = background_of(model)
    return (
        *OF_CLUSTER,
        *as_profile(model.profile).parameters,
        *as_zero_point(model.zero_point).parameters,
        *as_errors(model.error_scale).parameters,
        *background.parameters,
        *as_offsets(model.parallax_covariance).parameters,
        *OF_STARS,
        *background.latents,
    )


def prepare(model, rows, progressbar: bool) -> Stars:
    """The rows, with the options prepared for them."""
    data = Stars(
        rows["parallax"],
        rows["parallax_error"],
        rows["star"],
        as_profile(model.profile),
        as_zero_point(model.zero_point).prepared(rows),
        as_errors(model.error_scale),
        as_offsets(model.parallax_covariance).prepared(rows),
        background_of(model),
    )
    return with_sample(model, data)
