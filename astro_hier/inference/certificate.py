"""A second, independent exploration, which must give the same answer as the first.

A search that missed a part of a posterior cannot know: its weights are even, and their Pareto k is
small. So a second one starts from elsewhere, with its own random numbers: from other Sobol points
and, instead of the model's starting points, from random windows of the data if the model can use
them. ln of the evidence and the mean of each parameter must agree within `LIMIT` of their errors.
If they do not, the points of both are pooled, the search goes on, and a third exploration decides:
either it agrees, or its points must change nothing.
"""

from dataclasses import dataclass

import numpy as np

from astro_hier.core.floats import TINY
from astro_hier.inference.explore import SOBOL_POINTS, Exploration
from astro_hier.inference.target import Target

SECOND_EFFECTIVE_SIZE = 1000  # effective size at which the second exploration stops
MIN_EFFECTIVE_SIZE = 100  # below which it says nothing
LIMIT = 5.0  # standard errors
SEVERAL = 3  # number of its best Sobol points to climb from


@dataclass(frozen=True)
class Certificate:
    """Whether the explorations agree.

    Attributes
    ----------
    verdict : str
        "agreed", "agreed after pooling", "disagreed", "too few points", "not tried" (because the
        first exploration has too few points) or "not asked for".
    parameters : tuple of str
        What they disagree on, and by how many standard errors.
    evaluations : int
        Evaluations of the marginal likelihood that the comparison took.
    """

    verdict: str
    parameters: tuple = ()
    evaluations: int = 0

    @property
    def failed(self):
        return self.verdict in ("disagreed", "too few points")

    def __str__(self):
        return ": ".join([self.verdict, *([", ".join(self.parameters)] * bool(self.parameters))])


@dataclass(frozen=True)
class _Answer:
    """ln of the evidence, means and sds of z, and the effective size."""

    log_evidence: float
    mean: np.ndarray
    sd: np.ndarray
    size: float

    @classmethod
    def of(cls, pool):
        mean = pool.weights @ pool.z
        sd = np.sqrt(pool.weights @ (pool.z - mean) ** 2)
        return cls(pool.log_evidence, mean, sd, pool.effective_size)

    def differs_from(self, other, names):
        """Whatever differs by more than `LIMIT` standard errors, in words."""
        error = np.sqrt(1 / self.size + 1 / other.size)
        off = [abs(self.log_evidence - other.log_evidence) / error]
        sd = np.maximum(np.maximum(self.sd, other.sd), TINY)
        off += list(np.abs(self.mean - other.mean) / sd / error)
        return tuple(
            f"{name} ({by:.0f} standard errors)"
            for name, by in zip(("log_evidence", *names), off, strict=True)
            if by > LIMIT
        )


def look_again(exploration, wanted, rng, bar):
    """Explore once more, and pool the points if the answers differ.

    Parameters
    ----------
    exploration : `~astro_hier.inference.explore.Exploration`
        The first, which continues if the second differs.
    wanted : int
        The effective size of the first.
    rng : `numpy.random.Generator`
        An independent source of randomness.
    bar : tqdm
        Progress bar.

    Returns
    -------
    Certificate
    """
    names, spent = exploration.target.names, 0
    for verdict in ("agreed", "agreed after pooling"):
        second = _another(exploration, rng)
        spent += SOBOL_POINTS if second is None else second.target.evaluations
        if second is None or second.pool.effective_size < MIN_EFFECTIVE_SIZE:
            return Certificate("too few points", (), spent)
        before = _Answer.of(exploration.answer)
        differences = before.differs_from(_Answer.of(second.pool), names)
        if not differences:
            return Certificate(verdict, (), spent)
        exploration.absorb(second)
        exploration.run(wanted, bar)
    changed = before.differs_from(_Answer.of(exploration.answer), names)
    if not changed:
        return Certificate(verdict, (), spent)
    return Certificate("disagreed", tuple(dict.fromkeys([*changed, *differences])), spent)


def _another(exploration, rng):
    target = Target(exploration.target.problem)
    candidates = target.normals_of(target.problem.candidates(rng))
    most = exploration.effort
    try:
        second = Exploration(target, rng, [], candidates, most, several=SEVERAL)
    except ValueError:  # the likelihood is zero wherever it looked
        return None
    second.most = max(exploration.most, most)
    second.run(SECOND_EFFECTIVE_SIZE)
    return second
