"""A broad background of rows that are not members, in parallax or velocity.

A row that is not a member has a value drawn from one or two normal distributions, whose width adds
to the row's own error in quadrature. `astro_hier.outliers` explains why the background is broader
than the members, and why at least one row is a member.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import astropy.units as u
import numpy as np
from scipy.special import logit
from scipy.stats import norm

from astro_hier import checks, priors
from astro_hier.part import Part
from astro_hier.populations import components, family, membership
from astro_hier.posterior import UNBOUNDED, Parameter, register

KMS = u.km / u.s
Given: TypeAlias = priors.Prior | u.Quantity | float  # what may be given as a prior
STARTING_SHARE2 = 0.01  # of a second part for which no group was found
PRIOR_TAIL = 1e-8  # share of a prior at either end where no starting point may lie
SHARE, SPREAD = (0, 1), (0, np.inf)
PARAMETERS = {
    unit: (
        Parameter("outlier_fraction", u.one, "f_o", "share of rows that are not members",
                  bounds=SHARE),
        Parameter("outlier_mean", unit, r"\mu_o", "mean of those that are not members",
                  bounds=UNBOUNDED),
        Parameter("outlier_sd", unit, r"\sigma_o", "their standard deviation", bounds=SPREAD),
        Parameter("outlier_share2", u.one, "f_{o2}", "share of them in the second part",
                  bounds=SHARE),
        Parameter("outlier_mean2", unit, r"\mu_{o2}", "mean of the second part",
                  bounds=UNBOUNDED),
        Parameter("outlier_sd2", unit, r"\sigma_{o2}", "standard deviation of the second part",
                  bounds=SPREAD),
    )
    for unit in (u.mas, KMS)
}  # fmt: skip
# a background narrower than NARROW standard deviations of the members, with more than MIN_SHARE
# of the rows, is warned about if more than MAX_SHARE_OF_DRAWS of the draws have it
NARROW, MIN_SHARE, MAX_SHARE_OF_DRAWS = 4.0, 0.05, 0.1
WINGS = checks.define(
    "wings",
    limit=f"at most {100 * MAX_SHARE_OF_DRAWS:.0f} percent of the draws",
    said="in {found} percent of the draws the outliers make up more than"
    f" {100 * MIN_SHARE:.0f} percent of the rows and are hardly more spread out than the members:"
    " they are the wings of the members' own distribution",
    python="if the outliers you mean are others, state how widely they are spread, such as with"
    " {remedy}",
    shell="if the outliers you mean are others, state how widely they are spread with"
    " --prior 'outlier_sd=...'",
)


@dataclass(frozen=True)
class Background(Part):
    """Base of backgrounds: a subclass sets the defaults and the unit of the values.

    Parameters
    ----------
    outlier_fraction : `~astro_hier.priors.Prior` or float
        Prior on the share of rows that are not members.
    outlier_mean, outlier_sd : `~astro_hier.priors.Prior` or `~astropy.units.Quantity`
        Priors on the mean and the standard deviation of their true values.
    broader : bool, optional
        Whether the background is by definition broader than the members: ``outlier_sd`` is then
        larger than their true spread.
    parts : {1, 2}, optional
        Number of normal distributions that make up the background.
    outlier_share2, outlier_mean2, outlier_sd2 : optional
        Priors on the second, broader part: its share of the rows that are not members, its mean
        and its standard deviation.
    """

    outlier_fraction: Given
    outlier_mean: Given
    outlier_sd: Given
    broader: bool = True
    parts: int = 1
    outlier_share2: Given = priors.Uniform(0, 1)
    outlier_mean2: Given | None = None
    outlier_sd2: Given | None = None
    unit = u.one

    def __post_init__(self):
        is_known = isinstance(self.parts, int) and self.parts in (1, 2)
        if not is_known or not isinstance(self.broader, bool):
            raise ValueError(
                f"parts={self.parts!r}, broader={self.broader!r}; expected 1 or 2, and True or"
                " False"
            )
        family.check_priors(self, tuple(p.name for p in self.parameters))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        if self.unit not in PARAMETERS:
            raise TypeError(
                f"{type(self).__name__} is a base: expected outliers.ParallaxBackground or"
                " outliers.VelocityBackground"
            )
        return PARAMETERS[self.unit][: 6 if self.parts == 2 else 3]

    def components(self, theta: Mapping) -> components.Parts:
        """Share of the background, mean and standard deviation of each of its parts."""
        first = theta["outlier_mean"], theta["outlier_sd"]
        if self.parts == 1:
            return [(1.0, *first)]
        share = theta["outlier_share2"]
        return [(1 - share, *first), (share, theta["outlier_mean2"], theta["outlier_sd2"])]

    def lower_ends(self, spread: Callable) -> dict[str, Callable]:
        """Lower ends of priors that other parameters set: functions of all parameters, by name.

        ``spread`` is such a function, the members' true standard deviation.
        """
        ends = {"outlier_sd": spread} if self.broader else {}
        if self.parts == 2:
            ends["outlier_sd2"] = lambda theta: theta["outlier_sd"]
        return ends

    def log_density(self, value: np.ndarray, error: np.ndarray, theta: Mapping) -> np.ndarray:
        """ln of the density of a row that is not a member, shape (theta, row)."""
        parts = []
        for share, *moments in self.components(theta):
            mean, sd = (np.asarray(of)[:, None] for of in moments)
            density = norm.logpdf(value, mean, np.hypot(sd, error))
            with np.errstate(divide="ignore"):
                parts.append(np.log(share)[..., None] + density)
        return np.logaddexp.reduce(parts)

    def pymc(self, error: np.ndarray, theta: Mapping) -> list[tuple]:
        """Share and distribution of the rows, one pair for each part, as PyMC variables."""
        import pymc as pm

        return [
            (share, pm.Normal.dist(mean, pm.math.sqrt(sd**2 + error**2)))
            for share, mean, sd in self.components(theta)
        ]

    def mix(
        self, log_member: np.ndarray, value: np.ndarray, error: np.ndarray, theta: Mapping
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mix the members with the background.

        Parameters
        ----------
        log_member : ndarray
            ln of the density of each row if it is a member, shape (theta, row).
        value, error : ndarray
            Measurements and their standard errors, shape (row,) or (theta, row).
        theta : dict
            Parameters, arrays of shape (theta,).

        Returns
        -------
        log_density, log_odds : ndarray
            ln of the density of the mixture, and ln of the odds that each row is a member.
        """
        log_other = self.log_density(value, error, theta)
        return membership.mix(log_member, log_other, theta["outlier_fraction"])

    def given_some(self, log_odds: np.ndarray, theta: Mapping) -> tuple[np.ndarray, np.ndarray]:
        """Condition on at least one row being a member.

        See `astro_hier.populations.membership.given_some`.
        """
        return membership.given_some(log_odds, theta["outlier_fraction"])

    def pymc_given_some(self, log_odds, theta: Mapping, size: int) -> tuple:
        """The same for PyMC variables."""
        return membership.pymc_given_some(log_odds, theta["outlier_fraction"], size)

    def start(self, groups):
        """A starting point for the background's parameters, from groups in the data.

        ``groups`` are `~astro_hier.core.groups.Groups`, the members first: two of them, or one more
        than the background has parts.
        """
        others = groups.share[1:]
        guess = {"outlier_fraction": others.sum(), "outlier_mean": groups.mean[1],
                 "outlier_sd": groups.sd[1]}  # fmt: skip
        if len(others) == 2:
            guess |= {"outlier_share2": others[1] / others.sum(), "outlier_mean2": groups.mean[2],
                      "outlier_sd2": groups.sd[2]}  # fmt: skip
        elif self.parts == 2:  # no group for the second part: start it with hardly any rows
            middle = {
                p.name: priors.as_prior(getattr(self, p.name)).frozen(p.unit).median()
                for p in self.parameters[3:]
            }
            guess |= middle | {"outlier_share2": STARTING_SHARE2}
        ends = {
            p.name: priors.bulk(getattr(self, p.name), p.unit, PRIOR_TAIL) for p in self.parameters
        }
        return {name: float(np.clip(guess[name], *of_prior)) for name, of_prior in ends.items()}

    def check_wings(self, theta, mean, sd, remedy):
        """Whether the background describes the wings of the members' own distribution.

        ``mean`` and ``sd`` are those of the members' measured values, errors included, shape
        (theta,).
        """
        near = np.abs(theta["outlier_mean"] - mean) < NARROW * np.hypot(sd, theta["outlier_sd"])
        narrow = near & (theta["outlier_sd"] < NARROW * sd)
        share = float(np.mean(narrow & (theta["outlier_fraction"] > MIN_SHARE)))
        return WINGS.finding(f"{100 * share:.0f}", share > MAX_SHARE_OF_DRAWS, remedy=remedy)

    def draw(
        self, theta: Mapping, size: int, rng: np.random.Generator, some: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which of ``size`` rows are members, and true values for the others, (theta, size).

        ``some`` is whether at least one is known to be a member, as in a whole table of rows.
        """
        shape = len(theta["outlier_fraction"]), size
        if some:
            log_odds = -logit(theta["outlier_fraction"])[:, None]
            member = membership.draw_members(np.broadcast_to(log_odds, shape), rng)
        else:
            member = rng.random(shape) >= theta["outlier_fraction"][:, None]
        return member, components.draw(self._columns(theta), shape, rng)

    def draw_true(
        self, value: np.ndarray, error: np.ndarray, theta: Mapping, rng: np.random.Generator
    ) -> np.ndarray:
        """True values of rows that are not members, given the measured ones, (theta, row)."""
        parts = self._columns(theta)
        with np.errstate(divide="ignore"):
            log_mass = np.array(
                [
                    np.log(share) + norm.logpdf(value, mean, np.hypot(sd, error))
                    for share, mean, sd in parts
                ]
            )
        mass = np.exp(log_mass - log_mass.max(axis=0))
        weight = [sd**2 / (sd**2 + error**2) for _, _, sd in parts]
        given = [
            (m, mean + w * (value - mean), np.sqrt(w) * error)
            for m, w, (_, mean, _) in zip(mass, weight, parts, strict=True)
        ]
        return components.draw(given, (len(theta["outlier_fraction"]), len(value)), rng)

    def _columns(self, theta):
        """The parts, with theta as a column."""
        return components.expanded(self.components(theta), 1)


def pymc_log_density(parts, value):
    """ln of the density of values under the parts that `Background.pymc` returns."""
    import pymc as pm

    terms = [pm.math.log(share) + pm.logp(rows, value) for share, rows in parts]
    return pm.math.logsumexp(pm.math.stack(terms), axis=0, keepdims=False)


@dataclass(frozen=True)
class ParallaxBackground(Background):
    """Parallaxes of field stars among the members of a star cluster.

    Examples
    --------
    >>> from astro_hier import StarCluster, outliers, priors
    >>> background = outliers.ParallaxBackground(outlier_fraction=priors.Beta(1, 9))
    >>> model = StarCluster(outliers=background)
    >>> [p.name for p in background.parameters][0]
    'outlier_fraction'
    """

    outlier_fraction: Given = priors.Uniform(0, 1)
    outlier_mean: Given = priors.Normal(0 * u.mas, 10 * u.mas)
    outlier_sd: Given = priors.LogNormal(1, 1, scale=1 * u.mas)
    outlier_mean2: Given = priors.Normal(0 * u.mas, 10 * u.mas)
    outlier_sd2: Given = priors.LogNormal(1, 1, scale=1 * u.mas)
    unit = u.mas


@dataclass(frozen=True)
class VelocityBackground(Background):
    """Velocities of interlopers among the members of a cluster or a galaxy.

    Examples
    --------
    >>> from astro_hier import VelocityDispersion, outliers, priors
    >>> background = outliers.VelocityBackground(outlier_fraction=priors.Beta(1, 9))
    >>> model = VelocityDispersion(outliers=background)
    >>> [p.name for p in background.parameters][0]
    'outlier_fraction'
    """

    outlier_fraction: Given = priors.Uniform(0, 1)
    outlier_mean: Given = priors.Normal(0 * KMS, 1e5 * KMS)
    outlier_sd: Given = priors.LogNormal(0, 1.5, scale=1000 * KMS)
    outlier_mean2: Given = priors.Normal(0 * KMS, 1e5 * KMS)
    outlier_sd2: Given = priors.LogNormal(0, 1.5, scale=1000 * KMS)
    unit = KMS


# users' files hold these names: they stay the same, wherever the classes move
register(ParallaxBackground, "astro_hier.outliers.ParallaxBackground")
register(VelocityBackground, "astro_hier.outliers.VelocityBackground")
