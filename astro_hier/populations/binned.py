"""Histograms: densities that are constant in each bin, whatever the prior on their heights."""

from collections.abc import Mapping

import numpy as np

from astro_hier.core.floats import Theta
from astro_hier.core.normal import Floats
from astro_hier.populations import family
from astro_hier.populations.family import EVERYWHERE, Ends, Population


class Binned(Population):
    """Base of histograms: a subclass has ``edges``, parameters and the heights of the bins."""

    edges: tuple[float, ...]

    def _log_heights(self, theta):
        """ln of the density in each bin, shape (theta, bin)."""
        raise NotImplementedError

    def _check_edges(self, expected: str, *ends: float) -> None:
        """Raise ValueError unless there are two bins or more, between these ends if there are."""
        try:
            edges = np.asarray(self.edges, float)
            fitting = edges.ndim == 1 and len(edges) > 2 and bool(np.all(np.diff(edges) > 0))
            fitting = fitting and bool(np.all(np.isfinite(edges)))
            fitting = fitting and (not ends or (edges[0], edges[-1]) == ends)
        except (TypeError, ValueError):
            fitting = False
        if not fitting:
            raise ValueError(f"edges={self.edges!r}; expected three or more numbers {expected}")
        object.__setattr__(self, "edges", tuple(float(x) for x in edges))
        family.check_priors(self, self.sampled)

    @property
    def coordinates(self) -> dict[str, np.ndarray]:
        edges = np.array(self.edges)
        (bins,) = self.parameters[2].dims
        return {bins: 0.5 * (edges[1:] + edges[:-1])}

    def _below(self, theta):
        """The share below each edge, shape (theta, edge)."""
        share = np.exp(self._log_heights(theta)) * np.diff(self.edges)
        below = np.cumsum(share, axis=-1)
        below = np.concatenate([np.zeros_like(below[..., :1]), below], axis=-1)
        return below / below[..., -1:]

    def log_density(self, x: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        number = np.searchsorted(self.edges, x, side="right") - 1
        log_height = self._log_heights(theta)[:, np.clip(number, 0, len(self.edges) - 2)]
        return np.where((x >= self.edges[0]) & (x < self.edges[-1]), log_height, -np.inf)

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
        chance = rng.random((len(theta[self.sampled[0]]), size))
        drawn = self.within(self.edges[0], self.edges[-1], chance, theta)
        return np.minimum(drawn, np.nextafter(self.edges[-1], -np.inf))

    def derive(self, theta: Theta) -> dict:
        return {self.parameters[2].name: np.diff(self._below(theta), axis=-1)}

    def width(self, theta: Theta) -> np.ndarray:
        """The narrowest bin."""
        return np.full(len(theta[self.sampled[0]]), np.diff(self.edges).min())

    def smallest_width(self, frozen: Mapping) -> float:
        return float(np.diff(self.edges).min())

    def extent(self, frozen: Mapping) -> Ends:
        return self.edges[0], self.edges[-1]
