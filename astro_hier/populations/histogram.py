"""A histogram of eccentricities whose neighbouring heights are alike.

ln of the heights h_k is a random walk over the middles x_k of the bins, up to a constant,

    ln h_(k+1) - ln h_k = smoothness_e z_k [(x_(k+1) - x_k) / (1 / number of bins)]^(1/2),

with z_k standard normal: a Gaussian random walk of first order (Rue & Held 2005, Gaussian Markov
Random Fields, section 3.3), of Brownian motion for bins of unequal width. The constant follows from
sum_k h_k w_k = 1, with the widths w_k. The prior is the same from either end, and its centre is a
uniform distribution. Foreman-Mackey, Hogg & Morton (2014, ApJ 795, 64) also smooth ln of the
heights, by a Gaussian process.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from scipy.special import logsumexp

from astro_hier import priors
from astro_hier.core.floats import TINY, Theta
from astro_hier.core.normal import Floats
from astro_hier.populations import family
from astro_hier.populations.eccentricity import BOUND
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.posterior import UNBOUNDED, Parameter, register

SMOOTHNESS = Parameter(
    "smoothness_e", u.one, r"s_e", "standard deviation of ln of the ratio of neighbouring heights",
    bounds=(0, np.inf),
)  # fmt: skip
STEP = Parameter(
    "step_e", u.one, r"z_e", "ratios of neighbouring heights, in standard normals",
    dims=("step_e_number",), bounds=UNBOUNDED,
)  # fmt: skip
SHARE = Parameter(
    "share_e", u.one, r"h_e w_e", "share of the eccentricities in a bin", dims=("bin_e",)
)
LARGEST_STEP = 2.0  # of a starting point


@dataclass(frozen=True)
class Histogram(Population):
    """A histogram of eccentricities, with a prior by which neighbouring heights are alike.

    Parameters
    ----------
    edges : tuple of float, optional
        Edges of the bins, from 0 to 1; by default ten bins of equal width.
    smoothness_e : `~astro_hier.priors.Prior` or float, optional
        Prior on the standard deviation of ln of the ratio of neighbouring heights, for bins as wide
        as all on average.
    """

    edges: tuple[float, ...] = tuple(float(x) for x in np.linspace(0, 1, 11))
    smoothness_e: priors.Prior | float = priors.HalfNormal(1)

    parameters = (SMOOTHNESS, STEP, SHARE)
    sampled = ("smoothness_e",)

    def __post_init__(self):
        try:
            edges = np.asarray(self.edges, float)
            fitting = edges.ndim == 1 and (edges[0], edges[-1]) == BOUND and len(edges) > 2
            fitting = fitting and bool(np.all(np.diff(edges) > 0))
        except (TypeError, ValueError, IndexError):
            fitting = False
        if not fitting:
            raise ValueError(
                f"edges={self.edges!r}; expected three or more numbers that rise from 0 to 1"
            )
        object.__setattr__(self, "edges", tuple(float(x) for x in edges))
        family.check_priors(self, self.sampled)

    @property
    def standard_normals(self) -> dict[str, int]:
        return {"step_e": len(self.edges) - 2}

    def _log_heights(self, theta):
        """ln of the density in each bin, shape (theta, bin)."""
        edges = np.array(self.edges)
        steps = np.sqrt(np.diff(0.5 * (edges[1:] + edges[:-1])) * (len(edges) - 1))
        walk = np.cumsum(theta["smoothness_e"][:, None] * theta["step_e"] * steps, axis=1)
        log_height = np.pad(walk, ((0, 0), (1, 0)))
        mass = logsumexp(log_height + np.log(np.diff(edges)), axis=1, keepdims=True)
        return log_height - mass

    def _below(self, theta):
        """The share below each edge, shape (theta, edge)."""
        share = np.exp(self._log_heights(theta)) * np.diff(self.edges)
        below = np.pad(np.cumsum(share, axis=1), ((0, 0), (1, 0)))
        return below / below[:, -1:]

    def log_density(self, e: np.ndarray, theta: Theta, ends: Ends = BOUND) -> np.ndarray:
        number = np.searchsorted(self.edges, e, side="right") - 1
        log_height = self._log_heights(theta)[:, np.clip(number, 0, len(self.edges) - 2)]
        return np.where((e >= 0) & (e < 1), log_height, -np.inf)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        edges, height = np.array(self.edges), np.exp(self._log_heights(theta))
        low, high = np.asarray(low)[..., None], np.asarray(high)[..., None]
        overlap = np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1])
        return np.maximum(overlap, 0.0) @ height.T

    def within(
        self, low: Floats, high: Floats, chance: Floats, theta: Theta, ends: Ends = EVERYWHERE
    ) -> np.ndarray:
        below, shape = self._below(theta), np.shape(chance)
        rows = [np.reshape(x, (shape[0], -1)) for x in np.broadcast_arrays(low, high, chance)]
        found = np.empty(rows[0].shape)
        for n, (at_edges, bottom, top, of) in enumerate(zip(below, *rows, strict=True)):
            ends_below = (
                np.interp(bottom, self.edges, at_edges),
                np.interp(top, self.edges, at_edges),
            )
            wanted = ends_below[0] + of * (ends_below[1] - ends_below[0])
            found[n] = np.interp(wanted, at_edges, self.edges)
        return np.clip(found.reshape(shape), low, high)

    def draw(self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator) -> np.ndarray:
        chance = rng.random((len(theta["smoothness_e"]), size))
        return np.minimum(self.within(*BOUND, chance, theta), np.nextafter(1.0, 0.0))

    def derive(self, theta: Theta) -> dict:
        return {"share_e": np.diff(self._below(theta), axis=1)}

    def width(self, theta: Theta) -> np.ndarray:
        """The narrowest bin."""
        return np.full(len(theta["smoothness_e"]), np.diff(self.edges).min())

    def smallest_width(self, frozen: Mapping) -> float:
        return float(np.diff(self.edges).min())

    def extent(self, frozen: Mapping) -> Ends:
        return BOUND

    def initial(self, e: np.ndarray) -> dict:
        """Steps between the heights of a histogram with one more count, shared by all bins."""
        edges = np.array(self.edges)
        number = np.histogram(np.clip(e, 0, 1), edges)[0] + np.diff(edges)
        steps = np.diff(np.log(np.maximum(number / np.diff(edges), TINY)))
        steps /= np.sqrt(np.diff(0.5 * (edges[1:] + edges[:-1])) * (len(edges) - 1))
        smoothness = float(np.clip(np.std(steps), 0.1, 1.0))
        return {
            "smoothness_e": smoothness,
            "step_e": np.clip(steps / smoothness, -LARGEST_STEP, LARGEST_STEP),
        }


# users' files hold this name: it stays the same, wherever the class moves
register(Histogram, "astro_hier.populations.Histogram")
