"""Histograms of ln P and of e whose neighbouring heights are alike.

ln of the heights h_k is a random walk over the middles x_k of the bins, up to a constant,

    ln h_(k+1) - ln h_k = smoothness z_k [(x_(k+1) - x_k) / w]^(1/2),

where w is the average width of the bins, with z_k standard normal: a Gaussian random walk of first
order (Rue & Held 2005, Gaussian Markov Random Fields, section 3.3), of Brownian motion for bins of
unequal width. The constant follows from sum_k h_k w_k = 1, with the widths w_k. The prior is the
same from either end, and its centre is a uniform distribution. Foreman-Mackey, Hogg & Morton (2014,
ApJ 795, 64) also smooth ln of the heights, by a Gaussian process.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from scipy.special import logsumexp

from astro_hier import priors
from astro_hier.populations.binned import Binned
from astro_hier.populations.eccentricity import BOUND
from astro_hier.posterior import UNBOUNDED, Parameter, register

LARGEST_STEP = 2.0  # of a starting point
SMOOTHNESS = (0.1, 1.0)


def _parameters(suffix: str, index: str, of: str) -> tuple[Parameter, ...]:
    """The smoothness, the steps and the shares of the bins."""
    return (
        Parameter(
            f"smoothness{suffix}", u.one, f"s{index}",
            f"standard deviation of ln of the ratio of neighbouring heights of {of}",
            bounds=(0, np.inf),
        ),
        Parameter(
            f"step{suffix}", u.one, f"z{index}",
            f"ratios of neighbouring heights of {of}, in standard normals",
            dims=(f"step{suffix}_number",), bounds=UNBOUNDED,
        ),
        Parameter(
            f"share{suffix}", u.one, f"f{index}", f"shares of the bins of {of}",
            dims=(f"bin{suffix}",),
        ),
    )  # fmt: skip


class SmoothHistogram(Binned):
    """Base of histograms: a subclass has ``edges``, parameters by `_parameters`, and priors."""

    @property
    def standard_normals(self) -> dict[str, int]:
        return {self.parameters[1].name: len(self.edges) - 2}

    def _steps(self):
        """Standard deviation of each step of ln of the heights, for a smoothness of one."""
        edges = np.array(self.edges)
        width = (edges[-1] - edges[0]) / (len(edges) - 1)
        return np.sqrt(np.diff(0.5 * (edges[1:] + edges[:-1])) / width)

    def _log_heights(self, theta):
        """ln of the density in each bin, shape (theta, bin)."""
        smoothness, step = (theta[parameter.name] for parameter in self.parameters[:2])
        walk = np.cumsum(smoothness[..., None] * step * self._steps(), axis=-1)
        log_height = np.concatenate([np.zeros_like(walk[..., :1]), walk], axis=-1)
        mass = logsumexp(log_height + np.log(np.diff(self.edges)), axis=-1, keepdims=True)
        return log_height - mass

    def initial(self, x: np.ndarray) -> dict:
        """Steps between the heights of a histogram with one more count, shared by all bins."""
        edges = np.array(self.edges)
        width = np.diff(edges)
        number = np.histogram(np.clip(x, edges[0], edges[-1]), edges)[0] + width / width.sum()
        steps = np.diff(np.log(number / width)) / self._steps()
        smoothness = float(np.clip(np.std(steps), *SMOOTHNESS))
        steps = np.clip(steps / smoothness, -LARGEST_STEP, LARGEST_STEP)
        return dict(zip((p.name for p in self.parameters), (smoothness, steps), strict=False))


@dataclass(frozen=True)
class EccentricityHistogram(SmoothHistogram):
    """A histogram of eccentricities, with a prior by which neighbouring heights are alike.

    Parameters
    ----------
    edges : tuple of float, optional
        Edges of the bins, from 0 to 1; by default ten bins of equal width.
    smoothness_e : `~astro_hier.priors.Prior` or float, optional
        Prior on the standard deviation of ln of the ratio of neighbouring heights, for bins of the
        average width.
    """

    edges: tuple[float, ...] = tuple(float(x) for x in np.linspace(0, 1, 11))
    smoothness_e: priors.Prior | float = priors.HalfNormal(1)

    quantity = "e"
    parameters = _parameters("_e", "_e", "the eccentricities")
    sampled = ("smoothness_e",)

    def __post_init__(self):
        self._check_edges("that rise from 0 to 1", *BOUND)


@dataclass(frozen=True)
class PeriodHistogram(SmoothHistogram):
    """A histogram of ln(P / d), with a prior by which neighbouring heights are alike.

    Parameters
    ----------
    edges : `~astropy.units.Quantity` or tuple of float
        Periods at the edges of the bins, or their ln(P / d); there are no orbits beyond.
    smoothness : `~astro_hier.priors.Prior` or float, optional
        Prior on the standard deviation of ln of the ratio of neighbouring heights, for bins of the
        average width.
    """

    edges: tuple[float, ...]
    smoothness: priors.Prior | float = priors.HalfNormal(1)

    parameters = _parameters("", "", "ln(P / d)")
    sampled = ("smoothness",)

    def __post_init__(self):
        if isinstance(self.edges, u.Quantity):
            object.__setattr__(self, "edges", _ln_periods(self.edges))
        self._check_edges("that rise, ln(P / d) at the edges of bins, or periods with a unit")


def _ln_periods(edges):
    """ln(P / d) of periods."""
    if edges.unit.physical_type != "time" or not np.all(edges > 0):
        raise ValueError(f"edges={edges!r}; expected periods, such as [1, 10, 100] * u.day")
    return tuple(np.log(np.ravel(edges.to_value(u.day))))


# users' files hold these names: they stay the same, wherever the classes move
register(EccentricityHistogram, "astro_hier.populations.EccentricityHistogram")
register(PeriodHistogram, "astro_hier.populations.PeriodHistogram")
