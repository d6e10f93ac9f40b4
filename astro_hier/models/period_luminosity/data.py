"""The prepared rows of a period-luminosity relation, and its columns and parameters."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier.models.errors import StatedErrors
from astro_hier.models.period_luminosity.outliers import AllMembers
from astro_hier.models.zero_point import PARALLAX, PARALLAX_ERROR, NoZeroPoint
from astro_hier.posterior import UNBOUNDED, Parameter
from astro_hier.table import Role

PER_LN = 5 / np.log(10)  # magnitudes of distance modulus per unit of ln r
AT_KPC = 10.0  # distance modulus of 1 kpc [mag]
SLOPE = u.mag / u.dex
SPREAD = (0, np.inf)

COLUMNS = (
    Role("period", u.day, positive=True, observed=True, usual=(1e-3, 1e4)),
    Role("period_error", u.day, nonnegative=True, required=False),
    Role("magnitude", u.mag, observed=True, usual=(0.0, 50.0)),
    Role("magnitude_error", u.mag, positive=True),
    Role("parallax", u.mas, observed=True, usual=PARALLAX),
    Role("parallax_error", u.mas, positive=True, usual=PARALLAX_ERROR),
    Role("feh", u.dex, required=False, observed=True),
    Role("feh_error", u.dex, nonnegative=True, required=False),
    Role("extinction", u.mag, required=False),
    Role("extinction_error", u.mag, nonnegative=True, required=False),
    Role("star", None, required=False, unique=True),
)
RELATION = (
    Parameter("alpha", u.mag, r"\alpha", "absolute magnitude at the pivots", bounds=UNBOUNDED),
    Parameter("beta", SLOPE, r"\beta", "slope in log10 of the period", bounds=UNBOUNDED),
    Parameter("gamma", SLOPE, r"\gamma", "slope in [Fe/H]", bounds=UNBOUNDED),
    Parameter("scatter", u.mag, r"s", "intrinsic scatter about the relation", bounds=SPREAD),
)
POPULATION = (
    Parameter("mu_log_period", u.dex, r"\mu_{\log P}", "mean of log10(P / d)", bounds=UNBOUNDED),
    Parameter("sigma_log_period", u.dex, r"\sigma_{\log P}", "standard deviation of log10 P",
              bounds=SPREAD),
    Parameter("mu_feh", u.dex, r"\mu_\mathrm{[Fe/H]}", "mean [Fe/H]", bounds=UNBOUNDED),
    Parameter("sigma_feh", u.dex, r"\sigma_\mathrm{[Fe/H]}",
              "standard deviation of [Fe/H] at one period", bounds=SPREAD),
    Parameter("mu_modulus", u.mag, r"\mu_\mu", "mean distance modulus", bounds=UNBOUNDED),
    Parameter("sigma_modulus", u.mag, r"\sigma_\mu",
              "standard deviation of the distance modulus at one period and [Fe/H]",
              bounds=SPREAD),
)  # fmt: skip
TRENDS = (
    Parameter("feh_period", u.one, r"k_{zx}", "slope of [Fe/H] in log10 P", bounds=UNBOUNDED),
    Parameter("modulus_period", SLOPE, r"k_x", "slope of the distance modulus in log10 P",
              bounds=UNBOUNDED),
    Parameter("modulus_feh", SLOPE, r"k_z", "slope of the distance modulus in [Fe/H]",
              bounds=UNBOUNDED),
)  # fmt: skip
OF_METALLICITY = {"gamma", "mu_feh", "sigma_feh", "feh_period", "modulus_feh"}
OF_STARS = (
    Parameter("r", u.kpc, "r", "distance", ("star",)),
    Parameter("absolute_magnitude", u.mag, "M", "absolute magnitude", ("star",)),
)


@dataclass(frozen=True)
class Stars:
    """The prepared rows, arrays of shape (star,), and the options."""

    log_period: np.ndarray  # x as measured: log10(P / P0)
    log_period_error: np.ndarray
    magnitude: np.ndarray  # without extinction [mag]
    magnitude_error: np.ndarray  # of that [mag]
    extinction: np.ndarray  # as stated, or zeros [mag]
    parallax: np.ndarray  # [mas]
    parallax_error: np.ndarray  # as stated [mas]
    feh: np.ndarray | None  # z as measured: [Fe/H] - [Fe/H]0; None if it was not
    feh_error: np.ndarray
    star: np.ndarray  # identifiers
    log_pivot: float  # log10(P0 / d)
    feh_pivot: float
    zero_point: NoZeroPoint
    errors: StatedErrors
    outliers: AllMembers
