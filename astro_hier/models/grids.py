"""How finely a quantity is divided for a population: each draw uses the grid that resolves it.

Points w / 40 apart resolve a population whose narrowest feature is w wide
(`astro_hier.core.population`). Priors often allow populations far narrower than any that the data
permit; a single grid fine enough for these would make all of them expensive. There are therefore
several grids, each with twice the points of the one before, and each theta is evaluated on the
coarsest one that resolves it. The first resolves the narrowest population that the prior allows, or
a width of `COARSE` if that is larger. An object's cells are assigned to the finest grid; its row
on a coarser grid follows from that without error, since straight lines between points of the
coarser grid are also straight on the finer one.

Populations too narrow for the finest grid that fits in memory have no likelihood. The grids thus
end at the prior's own lower end or, if that is out of reach, at a width below which the share of
the posterior is estimated from that just above it, and reported by a check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from astro_hier import checks, priors
from astro_hier.core.floats import TINY
from astro_hier.core.grid import Axis
from astro_hier.core.population import STEPS_PER_WIDTH

COARSE = float(np.exp(-2.0))  # least width in ln P that sets the first grid
MAX_POINTS = 270_000
LARGEST = 20 * MAX_POINTS  # of a first grid, which would take gigabytes
MAX_WEIGHTS = 1e7  # of all rows, if no object constrains its value: some 600 MB
MIN_POINTS = 20_000  # kept for any number of rows
TAIL = 1e-6  # probability cut off a prior without a lower end
MAX_VALUES = 2_000_000  # of a density, computed at a time
NEAR = 4.0  # widths below this times the finest one are near it
PRIOR_DRAWS = 10_000
LIMIT = 0.01  # share of the posterior that may lie at narrower widths

NARROW = checks.define(
    "narrow_populations",
    limit=f"at most {100 * LIMIT:.0f} percent",
    said="about {found} percent of the posterior lie at populations narrower than {reach:.2g} in"
    " {of}, which are not computed: the data do not rule them out, and the prior allows them",
    python="raise the lower end of the prior on the population's width, such as with"
    " lnsigma=priors.TruncatedNormal(..., lower={ln_reach:.1f})",
    shell="raise the lower end of the prior on the population's width, such as with"
    " --prior 'lnsigma=TruncatedNormal(..., lower={ln_reach:.1f})'",
)


class _FarIntoTail:
    """A prior that ends far out in its lower tail if it has no lower end."""

    def __init__(self, prior):
        self.prior = prior

    def support(self):
        low, high = self.prior.support()
        return (low if np.isfinite(low) else float(self.prior.ppf(TAIL))), high

    def __getattr__(self, name):
        return getattr(self.prior, name)


@dataclass(frozen=True)
class Levels:
    """The grids, and which of them resolves a population.

    Attributes
    ----------
    population : `~astro_hier.populations.Population`
        Knows how narrow it is for each theta.
    grids : tuple of `~astro_hier.core.grid.Axis`
        From the coarsest to the finest.
    width : float
        The narrowest width that the first grid resolves.
    of : str
        What is divided.
    below : float
        If the prior extends below what the last grid resolves, the prior probability of that range
        over the probability near the limit; else zero.
    """

    population: Any
    grids: tuple[Any, ...]
    width: float
    of: str
    below: float = 0.0

    @property
    def reach(self) -> float:
        """The narrowest width that is resolved."""
        return self.width / 2 ** (len(self.grids) - 1)

    def numbers(self, theta: Mapping[str, np.ndarray]) -> np.ndarray:
        """Number of the grid that resolves each theta, -1 if none does, shape (theta,)."""
        if len(self.grids) == 1 and not self.below:
            return np.zeros(len(next(iter(theta.values()))), int)
        width = np.maximum(self.population.width(theta), TINY)
        number = np.ceil(np.log2(self.width / width) - 1e-9).clip(0, len(self.grids) - 1)
        beyond = width < self.reach * (1 - 1e-9) if self.below else False
        return np.where(beyond, -1, number).astype(int)

    def finest(self, theta: Mapping[str, np.ndarray]) -> int:
        """Number of a grid that resolves every theta."""
        return int(max(self.numbers(theta).max(), 0))

    def groups(self, theta: Mapping[str, np.ndarray]) -> list[tuple[int, np.ndarray]]:
        """Pairs of a grid's number and the indices of the theta for which it is used."""
        numbers = self.numbers(theta)
        return [(int(number), np.flatnonzero(numbers == number)) for number in np.unique(numbers)]

    def each(
        self, theta: Mapping[str, np.ndarray], function: Callable, *trailing: int
    ) -> np.ndarray:
        """``function(level, part of theta)`` for all theta, -inf for those that no grid resolves.

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

        ``ends`` are the ends of the range searched, in ln P.
        """
        grid, chosen = self.grids[level], np.arange(len(next(iter(theta.values()))))
        result = np.empty((len(chosen), grid.count))
        for part in self._parts(level, chosen):
            some = {name: values[part] for name, values in theta.items()}
            result[part] = self.population.log_density(grid.points, some, ends)
        return result

    def _parts(self, level, chosen):
        """The indices ``chosen``, split so that not too many values are computed at a time."""
        parts = -(-len(chosen) * self.grids[level].count // MAX_VALUES) if level else 1
        return np.array_split(chosen, min(parts, len(chosen)))

    def check(self, theta: Mapping[str, np.ndarray]) -> list[checks.Finding]:
        """Whether too much of the posterior lies at populations too narrow to be computed."""
        if not self.below:
            return []
        near = np.mean(self.population.width(theta) < NEAR * self.reach)
        share = near * self.below / (1 + near * self.below)
        words = {"reach": self.reach, "ln_reach": np.log(self.reach), "of": self.of}
        return [NARROW.finding(f"{100 * share:.2g}", bool(share > LIMIT), **words)]


def plan(
    population,
    frozen: Mapping[str, Any],
    following: Callable[[float], Axis],
    n_rows: int,
    *,
    coarse: float = COARSE,
    of: str = "ln P",
    instead: str = "narrow the period_range",
) -> Levels:
    """The grids that resolve what the priors allow, as far as memory permits.

    Parameters
    ----------
    population : `~astro_hier.populations.Population`
        Distribution of the quantity that is divided.
    frozen : dict
        The frozen priors of its parameters.
    following : callable
        ``following(width)`` is the grid that resolves populations as narrow as ``width``.
    n_rows : int
        Number of rows: one for each object, or for each of its layers.
    coarse : float, optional
        The first grid resolves this width, or the narrowest that the priors allow if that is
        larger.
    of, instead : str, optional
        The quantity, and what to do if all populations are too narrow, in words.

    Returns
    -------
    Levels

    Raises
    ------
    astro_hier.priors.PriorError
        If all populations that the priors allow are too narrow to be resolved.
    ValueError
        If the first grid would not fit in memory.
    """
    narrowest = population.smallest_width({n: _FarIntoTail(p) for n, p in frozen.items()})
    width = max(population.smallest_width(frozen), coarse)
    first = following(width)
    if first.count > LARGEST:
        raise ValueError(
            f"{of} spans so many widths of the narrowest population, {width:.3g}, that a grid would"
            f" have {first.count:.2g} points; expected at most {LARGEST:.2g}: look for values far"
            f" from all others, or {instead}"
        )
    most = min(MAX_POINTS, max(MIN_POINTS, MAX_WEIGHTS / n_rows))
    wanted = int(np.ceil(np.log2(max(width / narrowest, 1)) - 1e-9))
    held = int(np.log2(max(most / first.count, 1)))
    grids = tuple(first.finer(2**k) for k in range(min(wanted, held) + 1))
    if wanted <= held:
        return Levels(population, grids, width, of)
    words = narrowest, of, instead
    return Levels(population, grids, width, of, _below(population, frozen, width / 2**held, *words))


def on(axis: Axis, population, frozen: Mapping[str, Any], of: str = "ln P") -> Levels:
    """A given grid alone, for a population that it may be too coarse for.

    ``frozen`` are the frozen priors of the population's parameters.
    """
    narrowest = population.smallest_width({n: _FarIntoTail(p) for n, p in frozen.items()})
    reach = axis.step * STEPS_PER_WIDTH
    if narrowest >= reach * (1 - 1e-9):
        return Levels(population, (axis,), reach, of)
    instead = "make the rows again"
    return Levels(
        population, (axis,), reach, of, _below(population, frozen, reach, narrowest, of, instead)
    )


def _below(population, frozen, reach, narrowest, of, instead):
    """Prior probability of populations narrower than ``reach``, over that of those just above."""
    rng = np.random.default_rng(0)
    theta = {name: prior.rvs(PRIOR_DRAWS, random_state=rng) for name, prior in frozen.items()}
    width = population.width(theta)
    if width.max() < reach:
        raise priors.PriorError(
            f"the priors only allow populations as narrow as {narrowest:.2g} to {width.max():.2g}"
            f" in {of}, less than the {reach:.2g} that can be resolved: raise the prior on lnsigma"
            f" above {np.log(reach):.1f}, or {instead}"
        )
    near = np.sum((width >= reach) & (width < NEAR * reach))
    return max(np.sum(width < reach), 1) / max(near, 1)
