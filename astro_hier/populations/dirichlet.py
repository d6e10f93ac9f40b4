"""Histograms whose shares have a Dirichlet prior, which knows no neighbours.

The shares f_k of K bins are Dirichlet(a, ..., a). By stick breaking (Sethuraman 1994, Statistica
Sinica 4, 639; Wong 1998, Applied Mathematics and Computation 97, 165),

    f_k = v_k prod_(j<k) (1 - v_j),    v_k ~ Beta(a, a (K - k)) for k = 1 ... K - 1,

and v_k is the quantile of that at Phi(z_k), so that z_k is standard normal. 1 - v_k is taken as a
quantile of its own, at Phi(-z_k), so that no digits are lost in either tail. Where there are many
bins, the shares are drawn in other coordinates (`astro_hier.core.shares`), and the z_k follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from scipy.special import betainc, betaincinv, log_ndtr, ndtr, ndtri, ndtri_exp

from astro_hier.core import shares
from astro_hier.core.floats import TINY
from astro_hier.populations import binned, components
from astro_hier.populations.binned import Binned
from astro_hier.posterior import UNBOUNDED, Parameter, register

LARGEST_STEP = 2.0  # of a starting point
STEP = Parameter(
    "step", u.one, "z", "shares of the bins of the quantity, in standard normals",
    dims=("step_number",), bounds=UNBOUNDED,
)  # fmt: skip


@dataclass(frozen=True)
class DirichletHistogram(Binned):
    """A histogram of any quantity, whose shares have a Dirichlet prior.

    Parameters
    ----------
    edges : `~astropy.units.Quantity` or tuple of float
        Edges of the bins; there are no objects beyond. Numbers are in the unit that the model has
        for the quantity.
    concentration : float, optional
        Parameter of the Dirichlet distribution, of each bin: 1 if all shares that add up to one are
        equally probable, less if few bins hold most, more if the shares are alike.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, populations
    >>> family = populations.DirichletHistogram(edges=(0, 1, 2, 3))
    >>> model = SamplePopulation(quantity="mass", population=family)
    >>> [p.name for p in family.parameters]
    ['step', 'share']
    """

    edges: tuple[float, ...]
    concentration: float = 1.0

    quantity = "any"
    parameters = (STEP, binned.shares_of("", "", "the quantity"))

    def __post_init__(self):
        if not (np.isscalar(self.concentration) and 0 < self.concentration < np.inf):
            raise ValueError(f"concentration={self.concentration!r}; expected a positive number")
        binned.check_rising(self, "edges")

    @property
    def standard_normals(self) -> dict[str, int]:
        return {"step": len(self.edges) - 2}

    def _rest(self):
        """Of each step, the sum of the concentrations of the bins that follow."""
        return float(self.concentration) * np.arange(len(self.edges) - 2, 0, -1)

    def _log_heights(self, theta):
        broken, left = _log_parts(theta["step"], float(self.concentration), self._rest())
        before = np.cumsum(left, axis=-1)
        nothing = np.zeros_like(before[..., :1])
        log_share = np.concatenate([broken, nothing], axis=-1)
        log_share[..., 1:] += before
        return log_share - np.log(np.diff(self.edges))

    def _pymc_log_heights(self, theta):
        import pytensor.tensor as pt

        broken, left = _pymc_log_parts(theta["step"], float(self.concentration), self._rest())
        before = pt.concatenate([pt.zeros(1), pt.cumsum(left)])
        return pt.concatenate([broken, pt.zeros(1)]) + before - np.log(np.diff(self.edges))

    def initial(self, x: np.ndarray) -> dict:
        """Steps to the shares of a histogram with one more count, shared by all bins."""
        share = self._counts(x) / (np.size(x) + 1)
        return {"step": np.clip(self._steps(np.log(share)), -LARGEST_STEP, LARGEST_STEP)}

    def _steps(self, log_share):
        """The steps of shares, given by their ln, shape (..., bin)."""
        log_left = np.logaddexp.accumulate(log_share[..., ::-1], axis=-1)[..., ::-1]  # from each on
        log_broken = np.minimum(log_share[..., :-1] - log_left[..., :-1], 0.0)
        log_rest = np.minimum(log_left[..., 1:] - log_left[..., :-1], 0.0)
        with np.errstate(divide="ignore"):
            exact = np.log1p(-np.exp(np.minimum(log_broken, -1.0)))
        log_rest = np.where(log_broken < -1, exact, log_rest)
        return _normals(log_broken, log_rest, float(self.concentration), self._rest())

    def posterior(self, likelihood: shares.Likelihood, priors: Mapping, near: Mapping) -> Any:
        return shares.Dirichlet(likelihood, float(self.concentration))

    def theta_of(self, posterior: Any, points: np.ndarray) -> dict[str, np.ndarray]:
        return {"step": self._steps(posterior.log_shares(points))}


def _log_parts(z: np.ndarray, a: float, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln of the part that each step breaks off, and of that which it leaves."""
    if a == 1:  # v = 1 - Phi(-z)^(1 / rest)
        left = log_ndtr(-z) / rest
        return np.log(-np.expm1(left)), left
    broken, left = betaincinv(a, rest, ndtr(z)), betaincinv(rest, a, ndtr(-z))
    return np.log(np.maximum(broken, TINY)), np.log(np.maximum(left, TINY))


def _pymc_log_parts(z: Any, a: float, rest: np.ndarray) -> tuple[Any, Any]:
    """The same of a PyMC variable."""
    import pytensor.tensor as pt

    if a == 1:
        left = components.pymc_log_ndtr(-z) / rest
        return pt.log(-pt.expm1(left)), left
    below, above = (pt.exp(components.pymc_log_ndtr(x)) for x in (z, -z))
    broken, left = (
        pt.betaincinv(np.float64(a), rest, below),
        pt.betaincinv(rest, np.float64(a), above),
    )
    return pt.log(pt.maximum(broken, TINY)), pt.log(pt.maximum(left, TINY))


def _normals(broken: np.ndarray, left: np.ndarray, a: float, rest: np.ndarray) -> np.ndarray:
    """The inverse of `_log_parts`: standard normals of ln of the parts broken off and left."""
    if a == 1:
        return -ndtri_exp(rest * left)
    below, above = betainc(a, rest, np.exp(broken)), betainc(rest, a, np.exp(left))
    return np.where(below < above, ndtri(below), -ndtri(above))


# users' files hold this name: it stays the same, wherever the class moves
register(DirichletHistogram, "astro_hier.populations.DirichletHistogram")
