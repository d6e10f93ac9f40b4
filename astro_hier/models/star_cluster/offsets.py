"""Common offsets of the parallaxes: read off the sky, and integrated out where they are many."""

import numpy as np
from scipy.special import expit, logsumexp
from scipy.stats import norm

from astro_hier import checks, covariances
from astro_hier.core import offsets, sky
from astro_hier.core.threads import for_chunks
from astro_hier.models.star_cluster import likelihood

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
ZERO = (np.zeros(1),) * 4  # coordinates of a star and itself
SEED = 1  # of the points that common offsets are integrated with


def common_offsets(model, data):
    """How many common offsets there are, a dict by the parameter's name."""
    return {"mode": len(data["modes"])} if "modes" in data else {}


def standard_normals(model, data):
    offsets = model.common_offsets(data)
    return offsets if offsets.get("mode", 0) <= FEW_MODES else {}


def coordinates(model, data):
    return {f"{name}_number": np.arange(n) for name, n in model.common_offsets(data).items()}


def prepare(model, rows, progressbar):
    data = dict(rows)
    if model.parallax_covariance is None:
        return data
    covariance = covariances.of(model.parallax_covariance)
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


def points_of(model, data, theta, normals):
    """Points of the offsets for each theta, and ln of the weight of each."""
    bare = {name: values for name, values in data.items() if name != "modes"}
    columns = likelihood.columns_of(theta)
    mu_r, error = columns["mu_r"], likelihood.error_of(data, columns)
    weights, sds = zip(*model.profile.components(columns), strict=True)
    log_weight = np.array([np.log(weight + 0 * mu_r) for weight in weights])
    # 1/r to second order about mu_r
    variance = np.array([sd**2 / mu_r**4 + error**2 for sd in sds])
    mean = np.array([1 / mu_r + sd**2 / mu_r**3 for sd in sds])
    residual = data["parallax"] - likelihood.offset_of(bare, columns) - mean

    def shares_of(log_density):
        parts = log_weight + log_density
        whole = logsumexp(parts, axis=0)
        shares = np.exp(parts - whole)
        if model._background() is None:
            return shares
        return shares * expit(likelihood.mix(model, whole, bare, theta)[1])

    z, log_q = offsets.points(data["modes"], shares_of, residual, variance, normals)
    exact = [model.log_marginal(data, theta | {"mode": point}) for point in z]
    return z, np.array(exact) + norm.logpdf(z).sum(axis=2) - log_q


def integrate(model, data, theta):
    """ln p(data | theta) with the common offsets integrated out, shape (theta,)."""
    count, result = len(data["modes"]), np.empty(len(theta["mu_r"]))
    normals = offsets.pairs(count, 1, np.random.default_rng(SEED))

    def add(start, stop):
        some = {name: values[start:stop] for name, values in theta.items()}
        result[start:stop] = offsets.integral(points_of(model, data, some, normals)[1])

    for_chunks(add, len(result), cost=len(data["parallax"]))
    return result


def draw(model, data, theta, rng):
    """One draw of the common offsets for each theta."""
    size, count, seed = len(theta["mu_r"]), len(data["modes"]), rng.integers(2**63)
    result = np.empty((size, count))

    def fill(start, stop):
        some = {name: values[start:stop] for name, values in theta.items()}
        chunk_rng = np.random.default_rng([seed, start])
        normals = offsets.pairs(count, stop - start, chunk_rng)
        found = points_of(model, data, some, normals)
        result[start:stop] = offsets.pick(*found, chunk_rng)

    for_chunks(fill, size, cost=len(data["parallax"]))
    return result
