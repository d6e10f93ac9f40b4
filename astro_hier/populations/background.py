"""Rows that are not members: a broad background, mixed into a model of the members.

With a probability of ``outlier_fraction`` a row is not a member. Its value is then normally
distributed about ``outlier_mean`` with the standard deviation ``outlier_sd`` and its own error in
quadrature (Hogg, Bovy & Lang 2010, arXiv:1008.4686, section 3). Which rows are members is summed
over exactly: each has a posterior probability of membership, none is removed.

A background is broader than the members. Otherwise nothing says which of two groups are the
members, and a posterior holds the model twice, with the labels exchanged. ``outlier_sd`` therefore
follows its prior cut below at the members' true spread s, and normalised given it:

    p(outlier_sd | s) = p(outlier_sd) / P(outlier_sd > s) for outlier_sd > s.

The definition picks the members if the background is broad, and leaves two groups of much the same
spread as two explanations. ``broader=False`` lifts it: for a cold group in front of a hot system,
such as stars of the Galaxy in front of a cluster of galaxies, which would be taken for the members.

At least one of the rows is a member. Without that, one explanation of any table is that none is:
the background describes all rows, and the members are anywhere that the priors allow. Where n rows
have the probabilities of membership p_n, the likelihood is therefore multiplied by
(1 - prod (1 - p_n)) / (1 - outlier_fraction^n), and p_n divided by the numerator.

A field may have several populations, such as disc and halo. ``parts=2`` describes it by two normal
distributions, the second of which is the broader and has the share ``outlier_share2`` of those that
are not members.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
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
Given: TypeAlias = priors.Prior | u.Quantity | float  # what a prior may be
LITTLE = 0.01  # share of a second part that starts as none
FAR = 1e-8  # share of a prior beyond which no starting point lies
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
# draws in which a background is no wider than this many sds of the members, and has this share of
# the rows, are warned of if they are more than this share of all
NARROW, MANY, OFTEN = 4.0, 0.05, 0.1
WINGS = checks.define(
    "wings",
    limit=f"at most {100 * OFTEN:.0f} percent of the draws",
    said="in {found} percent of the draws the outliers are more than"
    f" {100 * MANY:.0f} percent of the rows, and hardly wider spread than the members: they are the"
    " wings of the members' own distribution",
    python="if you look for others, say how widely these are spread, such as with {remedy}",
    shell="if you look for others, say how widely these are spread with --prior 'outlier_sd=...'",
)


@dataclass(frozen=True)
class Background(Part):
    """Base of backgrounds: a subclass has defaults, and the unit of the values.

    Parameters
    ----------
    outlier_fraction : `~astro_hier.priors.Prior` or float
        Prior on the share of rows that are not members.
    outlier_mean, outlier_sd : `~astro_hier.priors.Prior` or `~astropy.units.Quantity`
        Priors on the mean and the standard deviation of their true values.
    broader : bool, optional
        Whether the background is broader than the members by definition: ``outlier_sd`` is larger
        than their true spread.
    parts : {1, 2}, optional
        How many normal distributions the background has.
    outlier_share2, outlier_mean2, outlier_sd2 : optional
        Priors of the second, broader part: its share of the rows that are not members, mean and
        standard deviation.
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
        if self.parts not in (1, 2) or not isinstance(self.broader, bool):
            raise ValueError(
                f"parts={self.parts!r}, broader={self.broader!r}; expected are 1 or 2, and True or"
                " False"
            )
        family.check_priors(self, tuple(p.name for p in self.parameters))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return PARAMETERS[self.unit][: 6 if self.parts == 2 else 3]

    def components(self, theta: Mapping) -> components.Parts:
        """Share of the background, mean and sd of each of its parts."""
        first = theta["outlier_mean"], theta["outlier_sd"]
        if self.parts == 1:
            return [(1.0, *first)]
        share = theta["outlier_share2"]
        return [(1 - share, *first), (share, theta["outlier_mean2"], theta["outlier_sd2"])]

    def lower_ends(self, spread: Callable) -> dict[str, Callable]:
        """Where priors are cut below: by name a function of all parameters.

        ``spread`` is one: the members' true standard deviation.
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
        """Pairs of share and distribution of the rows, one each part, as variables of PyMC."""
        import pymc as pm

        return [
            (share, pm.Normal.dist(mean, pm.math.sqrt(sd**2 + error**2)))
            for share, mean, sd in self.components(theta)
        ]

    def mix(
        self, log_member: np.ndarray, value: np.ndarray, error: np.ndarray, theta: Mapping
    ) -> tuple[np.ndarray, np.ndarray]:
        """Members and background together.

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
            ln of the density of the mixture, and of the odds that each row is a member.
        """
        log_other = self.log_density(value, error, theta)
        return membership.mix(log_member, log_other, theta["outlier_fraction"])

    def given_some(self, log_odds: np.ndarray, theta: Mapping) -> tuple[np.ndarray, np.ndarray]:
        """What changes because at least one of the rows is a member.

        See `astro_hier.populations.membership.given_some`.
        """
        return membership.given_some(log_odds, theta["outlier_fraction"])

    def pymc_given_some(self, log_odds, theta: Mapping, size: int) -> tuple:
        """The same for variables of PyMC."""
        return membership.pymc_given_some(log_odds, theta["outlier_fraction"], size)

    def start(self, groups):
        """A starting point of the background's parameters from groups, the first the members'.

        ``groups`` are `~astro_hier.core.groups.Groups` of one part more than the background has, or
        of two.
        """
        others = groups.share[1:]
        guess = {"outlier_fraction": others.sum(), "outlier_mean": groups.mean[1],
                 "outlier_sd": groups.sd[1]}  # fmt: skip
        if len(others) == 2:
            guess |= {"outlier_share2": others[1] / others.sum(), "outlier_mean2": groups.mean[2],
                      "outlier_sd2": groups.sd[2]}  # fmt: skip
        elif self.parts == 2:  # of hardly a row
            middle = {
                p.name: priors.as_prior(getattr(self, p.name)).frozen(p.unit).median()
                for p in self.parameters[3:]
            }
            guess |= middle | {"outlier_share2": LITTLE}
        return {
            p.name: float(np.clip(guess[p.name], *priors.bulk(getattr(self, p.name), p.unit, FAR)))
            for p in self.parameters
        }

    def check_wings(self, theta, mean, sd, remedy):
        """Whether the background stands for the wings of the members' distribution.

        ``mean`` and ``sd`` are those of the members' values with their errors, shape (theta,).
        """
        near = np.abs(theta["outlier_mean"] - mean) < NARROW * np.hypot(sd, theta["outlier_sd"])
        narrow = near & (theta["outlier_sd"] < NARROW * sd)
        share = float(np.mean(narrow & (theta["outlier_fraction"] > MANY)))
        return WINGS.finding(f"{100 * share:.0f}", share > OFTEN, remedy=remedy)

    def draw(
        self, theta: Mapping, size: int, rng: np.random.Generator, some: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which of ``size`` rows are members, and true values of others, shape (theta, size).

        ``some`` is whether one of them is known to be a member, as of a table's rows together.
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
        """True values of rows that are not members, given their measured ones, (theta, row)."""
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
        """The parts, as columns."""
        return components.expanded(self.components(theta), 1)


def pymc_log_density(parts, value):
    """ln of the density of values under parts that `Background.pymc` returned."""
    import pymc as pm

    terms = [pm.math.log(share) + pm.logp(rows, value) for share, rows in parts]
    return pm.math.logsumexp(pm.math.stack(terms), axis=0, keepdims=False)


@dataclass(frozen=True)
class ParallaxBackground(Background):
    """Field stars among the members of a star cluster, in parallax."""

    outlier_fraction: Given = priors.Uniform(0, 1)
    outlier_mean: Given = priors.Normal(0 * u.mas, 10 * u.mas)
    outlier_sd: Given = priors.LogNormal(1, 1, scale=1 * u.mas)
    outlier_mean2: Given = priors.Normal(0 * u.mas, 10 * u.mas)
    outlier_sd2: Given = priors.LogNormal(1, 1, scale=1 * u.mas)
    unit = u.mas


@dataclass(frozen=True)
class VelocityBackground(Background):
    """Interlopers among the members of a cluster or a galaxy, in velocity."""

    outlier_fraction: Given = priors.Uniform(0, 1)
    outlier_mean: Given = priors.Normal(0 * KMS, 1e5 * KMS)
    outlier_sd: Given = priors.LogNormal(0, 1.5, scale=1000 * KMS)
    outlier_mean2: Given = priors.Normal(0 * KMS, 1e5 * KMS)
    outlier_sd2: Given = priors.LogNormal(0, 1.5, scale=1000 * KMS)
    unit = KMS


def of(given, kind):
    """The background that a model's argument stands for, one of ``kind``; None if there is none."""
    if given is None or given is False:
        return None
    background = _default(kind) if given is True else given
    if not isinstance(background, Background) or background.unit != kind.unit:
        raise ValueError(
            f"outliers={given!r}; accepted are True, False, None and"
            f" astro_hier.outliers.{kind.__name__}()"
        )
    return background


@cache  # it is asked for at every evaluation
def _default(kind):
    return kind()


# the names are those in users' files: they stay, wherever the classes go
register(ParallaxBackground, "astro_hier.outliers.ParallaxBackground")
register(VelocityBackground, "astro_hier.outliers.VelocityBackground")
