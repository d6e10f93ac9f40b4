"""A sample of stars on eccentric orbits: the likelihood of each star's period and eccentricity.

It is known on cells of ln P and e, circular orbits being cells of their own, and the likelihood of
a population is the product of a sparse matrix and the population's shares in the cells, see
`astro_hier.core.plane`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed

from astro_hier import checks
from astro_hier.core import cells, eccentric_description, eccentric_population
from astro_hier.core.eccentric_population import EccentricSummary, Reference
from astro_hier.core.floats import Theta
from astro_hier.core.plane import Plane
from astro_hier.models import grids
from astro_hier.models.binary_population.data import Sample, in_parallel, thinned
from astro_hier.models.binary_population.kept import spread
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits.ellipse import nearest_passage, unbroken
from astro_hier.populations.period_eccentricity import PeriodEccentricity

FEWEST = 100  # effective nodes of a star
MISSED = "put aside", "second search"  # shortcomings of a search that may have missed orbits
CELLS = 1.5  # of ln P in a standard deviation, at the least
BLURRED = checks.define(
    "blurred_populations",
    limit=f"at most {100 * grids.LIMIT:.0f} percent",
    said="{found} percent of the posterior lie at populations narrower than {reach:.2g} in ln P,"
    " which the cells of ln P do not resolve",
    python="narrow period_range=, or raise the lower end of the prior on the population's width,"
    " such as with lnsigma=priors.TruncatedNormal(..., lower={ln_reach:.1f})",
)
MAX_VALUES = 5_000_000  # shares in cells that are computed at a time


@dataclass(frozen=True, eq=False)
class EccentricStars(Sample):
    """The velocities of stars on eccentric orbits, and the likelihood of each star's P and e.

    Attributes
    ----------
    reference : Reference
        The cells, and the priors of the searches.
    matrix : cells.Matrix
        The stars' likelihoods on the cells.
    """

    population: PeriodEccentricity
    summaries: list[EccentricSummary]
    reference: Reference
    matrix: cells.Matrix

    @property
    def plane(self) -> Plane:
        return self.reference.plane

    def shares(self, theta: Theta) -> np.ndarray:
        """Shares of the population in all cells, shape (theta, cell)."""
        edges = self.plane.ln_period_edges, self.plane.e_edges
        found = self.population.shares(*edges, theta, self.log_ends)
        return found.reshape(len(found), -1)

    def _parts(self, theta: Theta) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
        """Parts of theta, so that not too many shares are computed at a time."""
        size, step = len(next(iter(theta.values()))), max(MAX_VALUES // self.plane.size, 1)
        for start in range(0, size, step):
            part = slice(start, start + step)
            yield part, {name: of[part] for name, of in theta.items()}

    def with_orbit(self, theta):
        each = [
            self.matrix.log_likelihood(
                self.plane.log_shares(self.shares(some), self.matrix),
                self.population.outside(some, self.log_ends),
            )
            for _, some in self._parts(theta)
        ]
        return np.concatenate(each)

    def without_orbit(self, theta):
        return np.array([[star.constant for star in self.summaries]])

    def log_density_for_kept(self, theta):
        each = []
        for _, some in self._parts(theta):
            shares = self.shares(some).reshape(-1, *self.plane.reference.shape)
            spread_out = spread(self.plane, shares, self.population.outside(some, self.log_ends))
            each.append(self.plane.log_shares(spread_out, self.kept.matrix))
        return np.concatenate(each)

    def best_orbits(self) -> dict[str, np.ndarray]:
        stars = self.summaries
        P, e, phase, scatter = (
            np.array([getattr(star.best, name)[0] for star in stars])
            for name in ("period", "eccentricity", "phase", "scatter")
        )
        linear = self.named(np.transpose([star.linear for star in stars]))
        t_peri = np.array([star.t_ref for star in stars]) - phase * P
        t_peri = nearest_passage(t_peri, P, self.mean_time)
        found = {"lnP": np.log(P), "P": P, "e": e, "t_peri": t_peri, **linear}
        return found | self.scatter.named(self, scatter[:, None])

    def flat_bayes_factors(self):
        total = [star.row.log_scale + np.log(star.row.weight[0] @ self._reference(star))
                 for star in self.summaries]  # fmt: skip
        return np.array(total) - self.without_orbit({})[0]

    def _reference(self, star):
        """The reference prior's shares in the cells of a star's row, as of one search."""
        return self.plane.reference.ravel()[star.row.index] / len(self.reference.priors)

    def accuracy(self, theta):
        """Standard error of ln p(v | theta) of all stars, as if all their nodes were independent.

        And the number of evaluations of single orbits that were needed.
        """
        some = thinned(theta)
        log_shares = self.plane.log_shares(self.shares(some), self.matrix)
        outside = self.population.outside(some, self.log_ends)
        variance = self.matrix.relative_variance(log_shares, outside).mean(axis=0)
        return {
            "log_likelihood_error": float(np.sqrt(variance.sum())),
            "evaluations_of_orbits": int(sum(star.evaluations for star in self.summaries)),
        }

    def check_integrals(self, theta, attrs):
        size = np.array([star.effective_size for star in self.summaries])
        missed = [
            [name for name, _ in star.shortcomings if name in MISSED] for star in self.summaries
        ]
        bad = (size < FEWEST) | np.array([len(names) > 0 for names in missed])

        def say(n):
            return ", ".join(missed[n]) or f"effective size {size[n]:.0f}"

        found = orbit_checks.named(self.stars, bad, size, say)
        return [orbit_checks.SEARCH.finding(found, bool(bad.any())), self.check_width(theta)]

    def check_width(self, theta):
        """Whether the posterior is of populations that the cells of ln P resolve."""
        reach = CELLS * np.diff(self.plane.ln_period_edges[:2])[0]
        share = float(np.mean(self.population.width(theta) < reach))
        words = {"reach": reach, "ln_reach": np.log(reach)}
        return BLURRED.finding(f"{100 * share:.2g}", share > grids.LIMIT, **words)

    def draw_stars(self, theta, rng, n_jobs, progressbar):
        seed, n_stars = int(rng.integers(2**63)), len(self.stars)
        total = n_stars * sum(1 for _ in self._parts(theta))
        work = self._draws(theta, seed)
        drawn = in_parallel(work, n_jobs, total, "orbits", progressbar)
        parts = [self._by_name(drawn[k : k + n_stars]) for k in range(0, total, n_stars)]
        values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        t_peri = nearest_passage(values["t_peri"], values["P"], self.mean_time)
        return {**values, "t_peri": t_peri, "omega": unbroken(values["omega"])}

    def _draws(self, theta, seed):
        """Tasks that draw the orbit of every star, for one part of theta after the other."""
        for number, (_, some) in enumerate(self._parts(theta)):
            shares = self.shares(some)
            for n, star in enumerate(self.summaries):
                yield delayed(eccentric_population.draw)(
                    self.visits(n), star, self.plane, shares,
                    np.random.default_rng([seed, number, n]),
                )  # fmt: skip

    def _by_name(self, drawn: Iterable[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Draws of each star as arrays (theta, star, ...) by name."""
        both = {name: np.array([of[name] for of in drawn]) for name in ("P", "e", "t_peri")}
        linear = np.moveaxis(np.array([of["linear"] for of in drawn]), 0, 2)
        scatter = [of["scatter"][None] for of in drawn]
        values = {name: of.T for name, of in both.items()} | self.named(linear)
        return values | self.scatter.of_draws(self, scatter)

    def significance(self, theta):
        some = thinned(theta)
        shares = self.shares(some).mean(axis=0)
        outside = self.population.outside(some, self.log_ends).mean(axis=1)
        found = [
            eccentric_description.significance(star, self.plane, shares, outside)
            for star in self.summaries
        ]
        return np.transpose(found)

    def describe(self, stars: Iterable[int], theta: Theta) -> Iterable[Any]:
        some = thinned(theta)
        given = self.plane, self.shares(some), self.population.outside(some, self.log_ends)
        for n in stars:
            n_fitted = len(self.orbit.parameters) + self.n_adjusted(n)
            yield delayed(eccentric_description.describe)(
                self.visits(n), self.summaries[n], *given, n_fitted
            )
