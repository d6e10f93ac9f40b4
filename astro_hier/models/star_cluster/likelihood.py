r"""The distance and depth of a star cluster, from the parallaxes of its members.

Prior
    mu_r ~ TruncatedNormal(1, 2, lower=0) kpc and ln_std_r ~ Uniform(-8, 0), where std_r =
    exp(ln_std_r) kpc; both can be changed.
Population
    r_n ~ sum_c w_c TruncatedNormal(mu_r, s_c, lower=0), the distance of star n. By default there
    is one component, with s = std_r; `astro_hier.profiles` has others.
Likelihood
    parallax_n ~ Normal(1 / r_n + b_n, e_n), independently for each star, where
    b_n = zero_point_n + sum_k m_kn zeta_k and e_n^2 = (error_scale parallax_error_n)^2 + d_n.
    By default zero_point is 0, error_scale is 1 and there are no modes m. With a covariance of the
    parallaxes, zeta_k ~ Normal(0, 1), and the modes and d_n represent the covariance, see
    `astro_hier.core.sky`. If there are many modes they are integrated out, see
    `astro_hier.core.offsets`.
Outliers
    If there are any, star n is a member, z_n = 1, with probability 1 - outlier_fraction, and
    parallax_n is as above. Otherwise parallax_n ~ Normal(outlier_mean, hypot(outlier_sd, e_n)),
    whatever r_n is, without zero point or offsets, which outlier_mean and outlier_sd absorb. Its
    r_n is then a draw from the population, since the parallax does not constrain it.
Marginal likelihood
    p(parallax | theta) is the product over stars of (1 - f) sum_c w_c I_c + f B, where I_c is
    the one-dimensional integral of component times likelihood over r_n, which
    `astro_hier.core.distance` computes, f is outlier_fraction and B the density of the outliers.
    Draws pick z_n, the component, and then r_n, each from its exact distribution.
Joint model
    NUTS samples r_n, with z_n summed over. A star of doubtful membership would have two modes in
    r_n, one at its parallax and one in the population, and NUTS would hardly move between them. In
    the joint model, r_n of a non-member therefore follows a density q_n(r_n) in place of the
    population's, roughly that of a member (Carlin & Chib 1995, JRSS B 57, 473); nothing else
    changes. Afterwards z_n is drawn, and r_n of non-members is redrawn from the population.

The model is that of Price-Whelan (2022), *Hierarchical Models 1*, with options that real tables
need.
"""

from functools import reduce
from operator import add
from typing import Any

import numpy as np

from astro_hier.core import distance
from astro_hier.core.threads import in_chunks
from astro_hier.models.star_cluster.data import Stars
from astro_hier.models.zero_point import Theta
from astro_hier.profiles import Profile

MIN_DEPTH = 2e-9  # kpc: indistinguishable from none, and wide enough for a lattice


def derive(profile: Profile, theta: Theta) -> dict[str, Any]:
    """Parameters that follow from others."""
    return {"std_r": np.exp(theta["ln_std_r"]), **profile.derive(theta)}


def spread(profile: Profile, theta: Theta) -> np.ndarray:
    """Standard deviation of members' true parallaxes [mas], 1/r linearised, shape (theta,)."""
    return profile.variance(theta) ** 0.5 / theta["mu_r"] ** 2


def log_marginal(data: Stars, theta: Theta) -> np.ndarray:
    """ln p(parallax | theta) given common offsets, if there are any, shape (theta,)."""
    theta = theta | derive(data.profile, theta)
    blocks = data.blocks()

    def of_chunk(some, start):
        total, tally = _sums(blocks, some)
        return total + data.background.log_factor(tally, some)

    return in_chunks(of_chunk, theta, cost=len(data.parallax))


def _sums(blocks, theta):
    """The sum of ln of all stars' densities, and the tally of their odds of membership."""
    total, tallies = 0.0, []
    for block in blocks:
        log_density, log_odds = log_densities(block, theta)
        total = total + log_density.sum(axis=1)
        tallies.append(block.background.tally(log_odds))
    return total, reduce(add, tallies)


def tally(data: Stars, theta: Theta) -> Any:
    """The tally of all stars' odds of membership, for `Stars.background`."""
    return _sums(data.blocks(), theta)[1] if data.background else 0


def log_likelihood(data: Stars, values: Theta) -> np.ndarray:
    """ln of the density of each star, shape (draw, star)."""
    theta = values | derive(data.profile, values)
    blocks = data.blocks()

    def of_chunk(some, start):
        return np.concatenate([log_densities(block, some)[0] for block in blocks], axis=1)

    return in_chunks(of_chunk, theta, cost=len(data.parallax))


def log_densities(data: Stars, theta: Theta) -> tuple[np.ndarray, Any]:
    """ln of each star's density, shape (theta, star), and ln of its odds of membership."""
    parts = log_components(data, theta)
    return mix(data, np.logaddexp.reduce(parts) if len(parts) > 1 else parts[0], theta)


def mix(data: Stars, log_member: np.ndarray, theta: Theta) -> tuple[np.ndarray, Any]:
    """Mix members with the background: ln of the density, and ln of the odds of membership."""
    return data.background.mix(log_member, data.parallax, data.error(columns_of(theta)), theta)


def membership(data: Stars, theta: Theta) -> Any:
    """The probability that each star is a member, (theta, star); 1 without a background."""
    if not data.background:
        return 1.0
    log_odds = [log_densities(block, theta)[1] for block in data.blocks()]
    return data.background.given_some(np.concatenate(log_odds, axis=1), theta)[1]


def log_components(data: Stars, theta: Theta) -> list[np.ndarray]:
    """ln of weight times density for each component of members, (component, theta, star)."""
    parallax, error = measured(data, theta)
    with np.errstate(divide="ignore"):
        return [
            np.log(weight)[..., None] + distance.log_marginal(parallax, error, theta["mu_r"], sd)
            for weight, sd in bounded(data.profile.components(theta))
        ]


def measured(data: Stars, theta: Theta) -> tuple[np.ndarray, np.ndarray]:
    """Parallaxes minus zero point and common offsets, and their errors [mas]."""
    theta = columns_of(theta)
    return data.parallax - data.offset(theta), data.error(theta)


def columns_of(theta: Theta) -> Theta:
    """Hyperparameters as columns, with one row for each draw."""
    return {name: v[:, None] if v.ndim == 1 else v for name, v in theta.items()}


def bounded(components: list[tuple[Any, np.ndarray]]) -> list[tuple[Any, np.ndarray]]:
    """Components with depths of at least `MIN_DEPTH`, which the lattice needs."""
    return [(weight, np.maximum(sd, MIN_DEPTH)) for weight, sd in components]
