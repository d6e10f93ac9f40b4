r"""The velocity dispersion of a system, from the velocities or redshifts of its members.

Prior
    v_sys ~ Uniform(-1000, 1,000,000) km/s and ln_sigma_v ~ Uniform(-3, 8.5), where sigma_v =
    exp(ln_sigma_v) km/s; both can be changed. They cover everything from cold star clusters in the
    Galaxy to clusters of galaxies at redshift 3.
Population
    v_n ~ Normal(0, sigma_v), the velocity of member n along the line of sight, relative to the
    system and measured within it.
Likelihood
    y_n ~ Normal(v_sys + s v_n, error_n), independently for each row. For velocities, y_n is the
    velocity and s = 1. For redshifts, y_n = c z_n and s = 1 + v_sys / c, with v_sys = c z_sys:
    1 + z_n = (1 + z_sys) (1 + v_n / c) gives v_n = c (z_n - z_sys) / (1 + z_sys) (Harrison 1974,
    ApJ 191, L51; Danese, De Zotti & di Tullio 1980, A&A 82, 322). The scatter of c z_n is larger
    than sigma_v by a factor of 1 + z_sys. The errors are those of c z_n, as stated or multiplied by
    ``error_scale``.
Marginal likelihood
    y_n ~ Normal(v_sys, sqrt(s^2 sigma_v^2 + error_n^2)). Given theta, v_n is normal about
    w (y_n - v_sys) / s with standard deviation sigma_v sqrt(1 - w), where
    w = s^2 sigma_v^2 / (s^2 sigma_v^2 + error_n^2).
    Of many rows the sum of ln p is that of some dozens of nodes, see
    `astro_hier.core.error_moments`.
Outliers
    With a background (`astro_hier.outliers`), y_n has the density of the mixture. ``member`` is the
    probability of membership given theta and y_n. With that probability v_n is drawn as above, else
    from the population, because y_n then does not constrain it.
Upper limit
    Where the errors hide the dispersion, the likelihood is flat down to sigma_v = 0; the limit to
    quote is that of `astro_hier.models.upper_limit`.
"""

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import add
from typing import Any

import astropy.units as u
import numpy as np
from astropy import constants

from astro_hier.core import error_moments
from astro_hier.core.error_moments import ErrorMoments
from astro_hier.core.floats import Theta
from astro_hier.core.threads import blocks, in_chunks
from astro_hier.models.errors import StatedErrors
from astro_hier.models.membership import NoBackground

KMS = u.km / u.s
C = constants.c.to_value(KMS)
MANY = 2000  # rows from which moments take less time than the sum


class Velocity:
    """The rows are measured velocities."""

    name, error_name = "velocity", "velocity_error"
    unit, unit_label = KMS, " km/s"
    axis_label = "velocity [km/s]"
    example = "[0.5, 1] * u.km / u.s"

    def to_kms(self, measured: np.ndarray) -> np.ndarray:
        """A measurement, or its error, as y [km/s]."""
        return measured

    def from_kms(self, value: np.ndarray) -> np.ndarray:
        """y [km/s] as the quantity that is measured."""
        return value

    def scale(self, v_sys: Any) -> Any:
        """s, the factor by which the scatter of y is larger than that of v."""
        return 1.0


class Redshift(Velocity):
    """The rows are measured redshifts."""

    name, error_name = "redshift", "redshift_error"
    unit, unit_label = u.one, ""
    axis_label = r"$c z$ [km/s]"
    example = "[1e-4, 2e-4]"

    def to_kms(self, measured):
        return C * measured

    def from_kms(self, value):
        return value / C

    def scale(self, v_sys):
        return 1 + v_sys / C


QUANTITIES = Velocity(), Redshift()


@dataclass(frozen=True)
class Members:
    """The prepared rows, arrays of shape (row,), and the options."""

    measured: np.ndarray  # in the unit of the quantity
    measured_error: np.ndarray  # as stated, in the same unit
    star: np.ndarray  # identifiers
    quantity: Velocity
    errors: StatedErrors
    background: NoBackground

    @property
    def value(self) -> np.ndarray:
        """y [km/s]."""
        return self.quantity.to_kms(self.measured)

    @property
    def stated_error(self) -> np.ndarray:
        """The stated error of y [km/s]."""
        return self.quantity.to_kms(self.measured_error)

    @cached_property
    def moments(self) -> ErrorMoments | None:
        """What the likelihood needs of many rows, if they are all members."""
        if self.background or len(self.measured) < MANY:
            return None
        return error_moments.of_rows(self.value, self.stated_error)

    def at(self, rows: slice) -> "Members":
        """Some of the rows."""
        of_rows = "measured", "measured_error", "star"
        return replace(self, **{name: getattr(self, name)[rows] for name in of_rows})

    def blocks(self) -> list["Members"]:
        """All rows, in blocks of which a few arrays fit in a core's cache."""
        places = blocks(len(self.measured))
        return [self] if len(places) == 1 else [self.at(rows) for rows in places]


def population(data: Members, theta: Theta) -> tuple[np.ndarray, ...]:
    """Mean and standard deviation of the members' true y, their scale s, and the rows' errors.

    In km/s, except s. The first axis is that of theta; the last one has length one or the rows.
    """
    names = ("v_sys", "ln_sigma_v", *(p.name for p in data.errors.parameters))
    theta = {name: theta[name][:, None] for name in names}
    v_sys, scale = theta["v_sys"], data.quantity.scale(theta["v_sys"])
    error = data.errors.true(data.stated_error[None], theta)
    return v_sys, scale * np.exp(theta["ln_sigma_v"]), scale, error


def spread(data: Members, theta: Theta) -> np.ndarray:
    """Standard deviation of the members' true y [km/s], shape (theta,)."""
    return data.quantity.scale(theta["v_sys"]) * np.exp(theta["ln_sigma_v"])


def log_densities(data: Members, theta: Theta) -> tuple[np.ndarray, Any]:
    """ln of each row's density, shape (theta, row), and ln of its odds of membership."""
    v_sys, spread, _, error = population(data, theta)
    value, variance = data.value, spread**2 + error**2
    log_member = -0.5 * ((value - v_sys) ** 2 / variance + np.log(2 * np.pi * variance))
    return data.background.mix(log_member, value, error, theta)


def log_marginal(data: Members, theta: Theta) -> np.ndarray:
    """ln p(y | theta), shape (theta,)."""
    if data.moments:
        at_nodes = replace(data, measured_error=data.quantity.from_kms(data.moments.error))
        v_sys, spread, _, error = population(at_nodes, theta)
        return data.moments.log_density(v_sys[:, 0], spread**2 + error**2)
    blocks = data.blocks()

    def of_chunk(some, start):
        total, tally = _sums(blocks, some)
        return total + data.background.log_factor(tally, some)

    return in_chunks(of_chunk, theta, cost=len(data.star))


def _sums(blocks, theta):
    """The sum of ln of all rows' densities, and the tally of their odds of membership."""
    total, tallies = 0.0, []
    for block in blocks:
        log_density, log_odds = log_densities(block, theta)
        total = total + log_density.sum(axis=1)
        tallies.append(block.background.tally(log_odds))
    return total, reduce(add, tallies)


def log_likelihood(data: Members, values: Theta) -> np.ndarray:
    """ln of each row's density, shape (draw, row)."""
    return np.concatenate([log_densities(block, values)[0] for block in data.blocks()], axis=1)


def log_some(data: Members, theta: Theta) -> np.ndarray:
    """ln of the probability that at least one row is a member, shape (theta,)."""
    tally = _sums(data.blocks(), theta)[1] if data.background else 0
    return data.background.log_some(tally, theta)


def members(block: Members, theta: Theta, log_some: np.ndarray) -> Any:
    """The probability that each row of a block is a member, given `log_some` of all rows."""
    if not block.background:
        return 1.0
    return block.background.members(log_densities(block, theta)[1], log_some)


def membership(data: Members, theta: Theta) -> Any:
    """The probability that each row is a member, (theta, row); 1 without a background."""
    if not data.background:
        return 1.0
    some = log_some(data, theta)
    return np.concatenate([members(block, theta, some) for block in data.blocks()], axis=1)


def given_row(data: Members, theta: Theta) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a member's v given its row, shape (theta, row)."""
    v_sys, spread, scale, error = population(data, theta)
    sd = np.hypot(spread, error)
    return (spread / sd) ** 2 * (data.value - v_sys) / scale, spread / scale * error / sd


def draw_latents(data: Members, theta: Theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One draw of v for each theta and row, and memberships if there is a background."""
    seed = rng.integers(2**63)

    def of_chunk(some, start):
        chunk_rng = np.random.default_rng([seed, start])
        v = chunk_rng.normal(*given_row(data, some))
        v, member = data.background.redrawn(
            v, lambda: log_densities(data, some)[1], some, chunk_rng, _of_population
        )
        return {"v": v, **member}

    return in_chunks(of_chunk, theta, cost=len(data.star))


def _of_population(v, other, theta, rng):
    """Velocities, with those of non-members redrawn from the population."""
    sigma_v = np.exp(theta["ln_sigma_v"])[:, None]
    return np.where(other, rng.normal(0, sigma_v, other.shape), v)


def simulate(
    data: Members, theta: Theta, rng: np.random.Generator, some: bool = True
) -> dict[str, np.ndarray]:
    """v, measurements and memberships of as many rows as there are errors.

    ``some`` is whether at least one of them is known to be a member.
    """
    v_sys, spread, scale, error = population(data, theta)
    v = rng.normal(0, spread / scale, (len(v_sys), error.shape[1]))
    true = data.background.contaminated(v_sys + scale * v, theta, rng, some)
    measured = data.quantity.from_kms(rng.normal(true, error))
    simulated = {"v": v, data.quantity.name: measured}
    for parameter in data.background.latents:
        simulated[parameter.name] = membership(replace(data, measured=measured), theta)
    return simulated
