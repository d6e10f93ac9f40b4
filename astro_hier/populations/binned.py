"""Histograms: densities that are constant in each bin, whatever the prior on their heights."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import astropy.units as u
import numpy as np

from astro_hier.core import shares
from astro_hier.core.floats import Theta
from astro_hier.core.normal import Floats
from astro_hier.logarithms import value_in
from astro_hier.populations import family
from astro_hier.populations.family import EVERYWHERE, Ends, Population
from astro_hier.posterior import Parameter


def shares_of(suffix: str, index: str, of: str) -> Parameter:
    """The parameter that holds the shares of the bins."""
    long_name = f"shares of the bins of {of}"
    return Parameter(f"share{suffix}", u.one, f"f{index}", long_name, dims=(f"bin{suffix}",))


def rise(values: Any, *ends: float) -> bool:
    """Whether these are three or more finite numbers that rise, between ``ends`` if given."""
    try:
        values = np.asarray(values, float)
    except (TypeError, ValueError):
        return False
    fitting = values.ndim == 1 and len(values) > 2 and bool(np.all(np.diff(values) > 0))
    fitting = fitting and bool(np.all(np.isfinite(values)))
    return fitting and (not ends or (values[0], values[-1]) == ends)


def check_rising(owner: Population, name: str) -> None:
    """Check a family with fixed values that may have a unit, which they keep until a model has one.

    Raises
    ------
    ValueError
        If the values are not three or more that rise.
    `~astro_hier.priors.PriorError`
        If the family's priors are not priors of its parameters.
    """
    given = getattr(owner, name)
    try:
        values = u.Quantity(given, dtype=float)
    except (TypeError, ValueError):
        values = u.Quantity(np.nan)
    if not rise(values.value):
        raise ValueError(
            f"{name}={given!r}; expected three or more numbers that rise, with a unit if the"
            " quantity has one"
        )
    plain = values.unit == u.one
    object.__setattr__(owner, name, tuple(values.value.tolist()) if plain else tuple(values))
    family.check_priors(owner, owner.sampled)


def values_in(unit: u.UnitBase, given: Sequence, name: str) -> list[float]:
    """Fixed values of a family as numbers in ``unit``.

    Raises
    ------
    ValueError
        If they have a unit that cannot be converted.
    """
    values = u.Quantity(given)
    try:
        return [float(x) for x in value_in(values, unit)]
    except u.UnitConversionError:
        raise ValueError(
            f"{name}={values}; expected numbers in the unit of the quantity,"
            f" {unit.to_string() or 'none'}, or in one that can be converted to it"
        ) from None


class Binned(Population):
    """Base of histograms: a subclass has ``edges`` and the heights of the bins.

    The last of its ``parameters`` are the shares of the bins, as of `shares_of`.
    """

    edged = True
    edges: tuple[float, ...]

    def _log_heights(self, theta):
        """ln of the density in each bin, shape (theta, bin)."""
        raise NotImplementedError

    def _pymc_log_heights(self, theta):
        """The same of PyMC variables, shape (bin,)."""
        raise NotImplementedError

    def _check_edges(self, expected: str, *ends: float) -> None:
        """Raise ValueError unless there are two bins or more, between these ends if there are."""
        if not rise(self.edges, *ends):
            raise ValueError(f"edges={self.edges!r}; expected three or more numbers {expected}")
        object.__setattr__(self, "edges", tuple(float(x) for x in self.edges))
        family.check_priors(self, self.sampled)

    def in_unit_of(self, unit: u.UnitBase) -> "Binned":
        if not isinstance(self.edges[0], u.Quantity):
            return self
        return replace(cast("Any", self), edges=tuple(values_in(unit, self.edges, "edges")))

    @property
    def coordinates(self) -> dict[str, np.ndarray]:
        edges = np.array(self.edges)
        (bins,) = self.parameters[-1].dims
        return {bins: 0.5 * (edges[1:] + edges[:-1])}

    def _below(self, theta):
        """The share below each edge, shape (theta, edge)."""
        share = np.exp(self._log_heights(theta)) * np.diff(self.edges)
        below = np.cumsum(share, axis=-1)
        below = np.concatenate([np.zeros_like(below[..., :1]), below], axis=-1)
        return below / below[..., -1:]

    def log_density(self, x: np.ndarray, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        number, inside = self._numbers(x)
        return np.where(inside, self._log_heights(theta)[:, number], -np.inf)

    def _numbers(self, x):
        """The number of each value's bin, or of the nearest, and whether it lies in one."""
        number = np.searchsorted(self.edges, x, side="right") - 1
        inside = (x >= self.edges[0]) & (x < self.edges[-1])
        return np.clip(number, 0, len(self.edges) - 2), inside

    def _counts(self, x):
        """Numbers of values in each bin, with one more that all share."""
        edges, width = np.array(self.edges), np.diff(self.edges)
        return np.histogram(np.clip(x, edges[0], edges[-1]), edges)[0] + width / width.sum()

    def pymc_log_density(self, x: np.ndarray, theta: Mapping, ends: Ends) -> Any:
        import pytensor.tensor as pt

        number, inside = self._numbers(x)
        return pt.switch(inside, self._pymc_log_heights(theta)[number], -np.inf)

    def share(self, low: Floats, high: Floats, theta: Theta, ends: Ends = EVERYWHERE) -> np.ndarray:
        return self._overlaps(low, high) @ np.exp(self._log_heights(theta)).T

    def _overlaps(self, low, high):
        """Lengths of what intervals share with each bin, shape (..., bin)."""
        edges = np.array(self.edges)
        low, high = np.asarray(low)[..., None], np.asarray(high)[..., None]
        return np.maximum(np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1]), 0.0)

    def mean_densities(self, edges: np.ndarray) -> np.ndarray:
        """Mean densities between neighbouring ``edges`` if one bin has all, (interval, bin)."""
        overlaps = self._overlaps(edges[:-1], edges[1:])
        return overlaps / np.diff(self.edges) / np.diff(edges)[:, None]

    def posterior(self, likelihood: shares.Likelihood, priors: Mapping, near: Mapping) -> Any:
        """The posterior of the shares, one of `astro_hier.core.shares`, for many bins.

        Parameters
        ----------
        likelihood : Likelihood
            Of the shares.
        priors : dict
            Frozen priors of the parameters that have one, or their values if these are known.
        near : dict
            Parameters near the peak.

        Returns
        -------
        None or posterior
            None if the family has none.
        """
        return None

    def theta_of(self, posterior: Any, points: np.ndarray) -> dict[str, np.ndarray]:
        """The parameters at points of that posterior."""
        raise NotImplementedError

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
        chance = rng.random((len(theta[self.parameters[0].name]), size))
        drawn = self.within(self.edges[0], self.edges[-1], chance, theta)
        return np.minimum(drawn, np.nextafter(self.edges[-1], -np.inf))

    def derive(self, theta: Theta) -> dict:
        return {self.parameters[-1].name: np.diff(self._below(theta), axis=-1)}

    def width(self, theta: Theta) -> np.ndarray:
        """The narrowest bin."""
        return np.full(len(theta[self.parameters[0].name]), np.diff(self.edges).min())

    def smallest_width(self, frozen: Mapping) -> float:
        return float(np.diff(self.edges).min())

    def extent(self, frozen: Mapping) -> Ends:
        return self.edges[0], self.edges[-1]
