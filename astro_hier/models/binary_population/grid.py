"""How finely ln P is divided for a population: each draw of it on the grid that follows its width.

A population that is everywhere as wide as w is followed by points w / 40 apart
(`astro_hier.core.population`). Priors often allow populations far narrower than any that the data
leave possible; a grid for these would make all of them dear. So there are several grids, each of
twice the points of the one before, and each theta is evaluated on the coarsest that follows it.
The first follows what the prior's lower end allows, or a width of `COARSE` where that is less. A
star's cells are dealt to the finest grid; its row on a coarser one follows from that without
error, since straight lines between points of the coarser are straight on the finer.

Populations narrower than the finest grid that can be held are given no likelihood. They are where
it ends: at the prior's own end, or, if that is beyond reach, at a width below which the share of
the posterior is estimated from that just above, and said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from astro_hier import checks, priors
from astro_hier.core.population import LnPeriodGrid

COARSE = np.exp(-2.0)  # the width that the first grid follows at the least
MOST_POINTS = 270_000
MOST_WEIGHTS = 1e7  # of all stars, should the visits of none say anything: some 600 MB
FEWEST_POINTS = 20_000  # that are held for any number of stars
LAYERS = 20  # rows of a star where its scatter has a population, roughly
TAIL = 1e-6  # of a prior without a lower end
MOST_VALUES = 2_000_000  # of a density at a time
NEAR = 4.0  # the finest width times this is near it
PRIOR_DRAWS = 10_000
LIMIT = 0.01  # share of the posterior that may lie at narrower widths

NARROW = checks.define(
    "narrow_populations",
    limit=f"at most {100 * LIMIT:.0f} percent",
    said="about {found} percent of the posterior lie at populations narrower than {reach:.2g} in"
    " ln P, which are not looked at: the visits do not rule them out, and the prior allows them",
    python="raise the lower end of the prior on the population's width, such as with"
    " lnsigma=priors.TruncatedNormal(..., lower={ln_reach:.1f})",
    shell="raise the lower end of the prior on the population's width, such as with"
    " --prior 'lnsigma=TruncatedNormal(..., lower={ln_reach:.1f})'",
)


class _FarIntoTail:
    """A prior that, if it has no lower end, ends far in its tail."""

    def __init__(self, prior):
        self.prior = prior

    def support(self):
        low, high = self.prior.support()
        return (low if np.isfinite(low) else float(self.prior.ppf(TAIL))), high

    def __getattr__(self, name):
        return getattr(self.prior, name)


@dataclass(frozen=True)
class Levels:
    """The grids, and which of them follows a population.

    Attributes
    ----------
    population : `~astro_hier.populations.Population`
        Says how narrow it is.
    grids : tuple of `~astro_hier.core.population.LnPeriodGrid`
        The coarsest first.
    width : float
        The narrowest that the first of them follows, in ln P.
    below : float
        Where the prior goes on below what the last of them follows, prior probability of that
        over that near it; zero if it does not.
    """

    population: Any
    grids: tuple[LnPeriodGrid, ...]
    width: float
    below: float = 0.0

    @property
    def reach(self) -> float:
        """The narrowest width that is followed."""
        return self.width / 2 ** (len(self.grids) - 1)

    def of(self, theta: Mapping[str, np.ndarray]) -> np.ndarray:
        """Number of the grid that follows each theta, -1 where none does, shape (theta,)."""
        if len(self.grids) == 1 and not self.below:
            return np.zeros(len(next(iter(theta.values()))), int)
        width = self.population.width(theta)
        number = np.ceil(np.log2(self.width / width) - 1e-9).clip(0, len(self.grids) - 1)
        beyond = width < self.reach * (1 - 1e-9) if self.below else False
        return np.where(beyond, -1, number).astype(int)

    def finest(self, theta: Mapping[str, np.ndarray]) -> int:
        """Number of a grid that follows every theta."""
        return int(max(self.of(theta).max(), 0))

    def groups(self, theta: Mapping[str, np.ndarray]) -> list[tuple[int, np.ndarray]]:
        """Numbers of grids, and those of the theta that each of them follows."""
        of = self.of(theta)
        return [(int(number), np.flatnonzero(of == number)) for number in np.unique(of)]

    def each(
        self, theta: Mapping[str, np.ndarray], function: Callable, *trailing: int
    ) -> np.ndarray:
        """``function(level, some theta)`` of all theta, -inf of those that no grid follows.

        ``trailing`` is the shape of what it returns, without the first axis, that of theta.
        """
        if len(self.grids) == 1 and not self.below:
            return function(0, theta)
        result = np.full((len(next(iter(theta.values()))), *trailing), -np.inf)
        for level, chosen in self.groups(theta):
            for part in self._parts(level, chosen) if level >= 0 else ():
                some = {name: values[part] for name, values in theta.items()}
                result[part] = function(level, some)
        return result

    def densities(
        self, level: int, theta: Mapping[str, np.ndarray], ends: tuple[float, float]
    ) -> np.ndarray:
        """ln of the population's density on one of the grids, shape (theta, point).

        ``ends`` are those of the range in ln P.
        """
        grid, chosen = self.grids[level], np.arange(len(next(iter(theta.values()))))
        result = np.empty((len(chosen), grid.count))
        for part in self._parts(level, chosen):
            some = {name: values[part] for name, values in theta.items()}
            result[part] = self.population.log_density(grid.points, some, ends)
        return result

    def _parts(self, level, chosen):
        """The theta chosen, not too many at a time."""
        parts = -(-len(chosen) * self.grids[level].count // MOST_VALUES) if level else 1
        return np.array_split(chosen, min(parts, len(chosen)))

    def check(self, theta: Mapping[str, np.ndarray]) -> list[checks.Finding]:
        """Whether draws stop short of populations that are not looked at, if there are any."""
        if not self.below:
            return []
        near = np.mean(self.population.width(theta) < NEAR * self.reach)
        share = near * self.below / (1 + near * self.below)
        words = {"reach": self.reach, "ln_reach": np.log(self.reach)}
        return [NARROW.finding(f"{100 * share:.2g}", bool(share > LIMIT), **words)]


def plan(
    population, frozen: Mapping[str, Any], ends: tuple[float, float], n_stars: int, layered: bool
) -> Levels:
    """The grids that follow what the priors allow, as far as they can be held.

    Parameters
    ----------
    population : `~astro_hier.populations.Population`
    frozen : dict
        The priors of its parameters.
    ends : tuple of float
        Shortest and longest period searched, in d.
    n_stars : int
    layered : bool
        Whether the stars have a row for each of several scatters.

    Raises
    ------
    astro_hier.priors.PriorError
        If all populations that the priors allow are narrower than can be followed.
    """
    narrowest = population.smallest_width({n: _FarIntoTail(p) for n, p in frozen.items()})
    width = max(population.smallest_width(frozen), COARSE)
    first = LnPeriodGrid.following(*ends, width)
    n_rows = n_stars * (LAYERS if layered else 1)
    most = min(MOST_POINTS, max(FEWEST_POINTS, MOST_WEIGHTS / n_rows))
    wanted = int(np.ceil(np.log2(max(width / narrowest, 1)) - 1e-9))
    held = int(np.log2(max(most / first.count, 1)))
    grids = tuple(first.finer(2**k) for k in range(min(wanted, held) + 1))
    if wanted <= held:
        return Levels(population, grids, width)
    return Levels(population, grids, width, _below(population, frozen, width / 2**held, narrowest))


def _below(population, frozen, reach, narrowest):
    """Prior probability of populations narrower than ``reach`` over that of those near it."""
    rng = np.random.default_rng(0)
    theta = {name: prior.rvs(PRIOR_DRAWS, random_state=rng) for name, prior in frozen.items()}
    width = population.width(theta)
    if width.max() < reach:
        raise priors.PriorError(
            f"the priors allow no populations but those as narrow as {narrowest:.2g} to"
            f" {width.max():.2g} in ln P, less than the {reach:.2g} that can be followed: raise the"
            f" prior on lnsigma above {np.log(reach):.1f}, or narrow the period_range"
        )
    near = np.sum((width >= reach) & (width < NEAR * reach))
    return max(np.sum(width < reach), 1) / max(near, 1)
