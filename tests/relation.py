r"""A period-luminosity-metallicity relation with vague priors: ten parameters and long wings.

Prior
    angle ~ Uniform(-pi/2, 0), c ~ Uniform(-pi/6, pi/6), b ~ Normal(0, 3), width ~ Exponential(1),
    and for each of log period, metallicity and ln distance a mean ~ Normal(0, 10) and a standard
    deviation ~ Exponential of scale 10, 10 and 100: those of Delgado et al. (2019, A&A 623, A156).
Population
    x_n = log10(P_n / d), f_n = [Fe/H]_n and l_n = ln(r_n / kpc) are normal, and
    M_n ~ Normal(b + tan(angle) x_n + tan(c) f_n, width).
Likelihood
    log period, metallicity, the magnitude M_n + 5 log10(r_n / kpc) + 10 + 0.114 AV_n and the
    parallax exp(-l_n) are measured with normal errors.

All of a star but l_n is integrated out in closed form, and l_n by the trapezoid rule.
"""

import astropy.units as u
import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from astro_hier import priors
from astro_hier.model import HierarchicalModel
from astro_hier.posterior import Parameter
from astro_hier.table import Role

PERIOD_ERROR, METALLICITY_ERROR = 0.01, 0.2
EXTINCTION, EXTINCTION_ERROR = 0.114, 0.1  # A_K over A_V, and the relative error of that
PER_LN = 5 / np.log(10)  # magnitudes for each unit of ln distance
NODES = np.linspace(-6, 6, 25)
CHUNK = 50
PRIORS = {
    "angle": priors.Uniform(-np.pi / 2, 0),
    "c": priors.Uniform(-np.pi / 6, np.pi / 6),
    "b": priors.Normal(0, 3),
    "width": priors.Gamma(1, 1.0),
    "mean_x": priors.Normal(0, 10),
    "sd_x": priors.Gamma(1, 10.0),
    "mean_f": priors.Normal(0, 10),
    "sd_f": priors.Gamma(1, 10.0),
    "mean_l": priors.Normal(0, 10),
    "sd_l": priors.Gamma(1, 100.0),
}


class Relation(HierarchicalModel):
    """Slopes, zero point and width of the relation."""

    roles = (
        Role("period", u.day, positive=True),
        Role("parallax", u.mas, observed=True),
        Role("parallax_error", u.mas, positive=True),
        Role("Ks", u.mag),
        Role("Ks_error", u.mag, positive=True),
        Role("AV", u.mag),
        Role("feh", u.dex),
        Role("star", None, required=False, unique=True),
    )
    parameters = tuple(Parameter(name, u.one, name, name) for name in PRIORS)

    def __init__(self):
        super().__init__()
        vars(self).update(PRIORS)

    def initial(self, data):
        x = np.log10(data["period"])
        return {
            "angle": -0.8, "c": 0.0, "b": -0.5, "width": 0.15, "mean_x": x.mean(),
            "sd_x": x.std(), "mean_f": data["feh"].mean(), "sd_f": data["feh"].std(),
            "mean_l": 0.5, "sd_l": 0.6,
        }  # fmt: skip

    def log_marginal(self, data, theta):
        result = np.empty(len(theta["b"]))
        for first in range(0, len(result), CHUNK):
            chunk = slice(first, first + CHUNK)
            some = {name: values[chunk, None] for name, values in theta.items()}
            with np.errstate(over="ignore", under="ignore"):
                result[chunk] = self._by_star(data, some).sum(axis=1)
        return result

    def _by_star(self, data, theta):
        x, f, extinction = np.log10(data["period"]), data["feh"], EXTINCTION * data["AV"]
        of_x, x, x_variance = _shrunk(x, PERIOD_ERROR**2, theta["mean_x"], theta["sd_x"])
        of_f, f, f_variance = _shrunk(f, METALLICITY_ERROR**2, theta["mean_f"], theta["sd_f"])
        slope, other = np.tan(theta["angle"]), np.tan(theta["c"])
        magnitude = theta["b"] + slope * x + other * f + 10 + extinction
        variance = theta["width"] ** 2 + slope**2 * x_variance + other**2 * f_variance
        variance = variance + data["Ks_error"] ** 2 + (EXTINCTION_ERROR * extinction) ** 2
        modulus = (data["Ks"] - magnitude) / PER_LN
        of_m, distance, d_variance = _shrunk(
            modulus, variance / PER_LN**2, theta["mean_l"], theta["sd_l"]
        )
        nodes = distance[..., None] + np.sqrt(d_variance)[..., None] * NODES
        of_parallax = norm.logpdf(
            data["parallax"][:, None], np.exp(-nodes), data["parallax_error"][:, None]
        )
        weight = norm.logpdf(NODES) + np.log(NODES[1] - NODES[0])
        of_distance = logsumexp(of_parallax + weight, axis=-1)
        return of_x + of_f + of_m - np.log(PER_LN) + of_distance

    def draw_latents(self, data, theta, rng, progressbar=False):
        return {}


def _shrunk(value, variance, mean, sd):
    """ln of the density of values, and mean and variance of the true ones, given a population."""
    total = sd**2 + variance
    log_density = norm.logpdf(value, mean, np.sqrt(total))
    return log_density, (sd**2 * value + variance * mean) / total, sd**2 * variance / total
