"""Joint populations of ln P and e, with circular orbits apart.

A part of the orbits may be circular. With its density c(ln P) and that of the others,

    integral c(ln P) d ln P + integral p(ln P, e) d ln P de = 1.

e = 0 is a cell of its own beside those of e > 0, so a likelihood on cells needs no second code for
circles. `Independent` populations are a family of ln P times one of e; in `Circularised` ones all
orbits are circular below a period that is inferred, and all are eccentric above it; `Circular` ones
have no others.

A joint density of one's own is a frozen dataclass that derives from `PeriodEccentricity`, declares
``parameters`` and ``sampled``, and writes ``log_density``: ::

    @dataclass(frozen=True)
    class Tidal(PeriodEccentricity):
        alpha_e: Prior = priors.LogNormal(0, 1)

        parameters = (eccentricity_families.ALPHA,)
        sampled = ("alpha_e",)

        def log_density(self, ln_period, e, theta, ends):
            ...  # shape (theta, value)

If there are circular orbits, it writes ``log_density_of_circles`` too. Shares of cells then are
sums over Gauss-Legendre points in them, and draws are picked among uniform ones. Whoever needs them
faster, or has a density without bound, writes ``shares`` and ``draw``.
"""

from collections.abc import Mapping

import numpy as np

from astro_hier import priors
from astro_hier.core.floats import Theta
from astro_hier.part import Part
from astro_hier.populations.eccentricity import BOUND, number_of
from astro_hier.populations.family import Ends

ORDER = 5  # Gauss-Legendre points of a cell, on each axis
MESH = 100, 40  # cells in ln P and e that draws are picked from
CANDIDATES = 100  # uniform points of a cell, of which one is drawn


class PeriodEccentricity(Part):
    """Base of joint populations of ln P and e: a new one writes ``log_density``.

    ``theta`` is a dict of float arrays of shape (theta,) by the names of parameters. ``ends`` are
    ln of the shortest and longest period searched, and periods are ln(P / d).
    """

    @property
    def has_circles(self) -> bool:
        """Whether orbits may be exactly circular: if there is a density of them."""
        own = type(self).log_density_of_circles
        return own is not PeriodEccentricity.log_density_of_circles

    @property
    def sampled(self) -> tuple[str, ...]:
        """Names of the parameters that have a prior, each in the field of its name."""
        return ()

    @property
    def standard_normals(self) -> dict[str, int]:
        """Parameters of several elements that are standard normal a priori: numbers by name."""
        return {}

    @property
    def coordinates(self) -> dict[str, np.ndarray]:
        """Labels of the dimensions of its parameters."""
        return {}

    def log_density(
        self, ln_period: np.ndarray, e: np.ndarray, theta: Theta, ends: Ends
    ) -> np.ndarray:
        """ln of the density of eccentric orbits in ln P and e at points, shape (theta, point)."""
        raise NotImplementedError

    def log_density_of_circles(self, ln_period: np.ndarray, theta: Theta, ends: Ends) -> np.ndarray:
        """ln of the density of circular orbits in ln P, shape (theta, point); by default none."""
        return np.full((number_of(theta), len(ln_period)), -np.inf)

    def shares(
        self, ln_period_edges: np.ndarray, e_edges: np.ndarray, theta: Theta, ends: Ends
    ) -> np.ndarray:
        """Shares of the population in the product of cells of ln P and of e.

        Parameters
        ----------
        ln_period_edges, e_edges : ndarray
            Edges of the cells, finite and rising.
        theta : dict
        ends : tuple of float

        Returns
        -------
        ndarray
            Shape (theta, cell of ln P, 1 + cell of e): circular orbits first.
        """
        x, of_x = _legendre(ln_period_edges)
        e, of_e = _legendre(e_edges)
        points = np.repeat(x, len(e)), np.tile(e, len(x))
        log_density = self.log_density(points[0], points[1], theta, ends)
        density = np.exp(log_density).reshape(-1, len(x), len(e))
        circles = np.exp(self.log_density_of_circles(x, theta, ends)) * of_x
        cells = -1, len(ln_period_edges) - 1, ORDER
        weighted = density * of_x[:, None] * of_e
        weighted = weighted.reshape(*cells, len(e_edges) - 1, ORDER).sum(axis=(2, 4))
        return np.concatenate([circles.reshape(cells).sum(axis=2)[..., None], weighted], axis=2)

    def smallest_width(self, frozen: Mapping) -> float:
        """The narrowest feature in ln P that the priors ``frozen`` allow.

        By default 0, which is unknown: the range searched then has 100 cells.
        """
        return 0.0

    def width(self, theta: Theta) -> np.ndarray:
        """The narrowest feature in ln P of each theta, shape (theta,): by default none."""
        return np.full(number_of(theta), np.inf)

    def outside(self, theta: Theta, ends: Ends) -> np.ndarray:
        """Shares of the population below and above ``ends``, shape (2, theta): by default none."""
        return np.zeros((2, number_of(theta)))

    def draw(
        self, theta: Theta, ends: Ends, size: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """ln P and e of ``size`` members for each theta, both of shape (theta, size)."""
        edges = np.linspace(*ends, MESH[0] + 1), np.linspace(*BOUND, MESH[1] + 1)
        below_e = np.append(0.0, edges[1])  # the first cell of e is that of circles
        each = []
        for n in range(number_of(theta)):
            one = _one(theta, n)
            share = self.shares(*edges, one, ends)[0]
            chosen = rng.choice(share.size, size, p=share.ravel() / share.sum())
            i, j = np.unravel_index(chosen, share.shape)
            cells = edges[0][[i, i + 1]], np.array([below_e[j], below_e[j + 1]])
            each.append(self._draw_in_cells(*cells, one, ends, rng))
        return tuple(np.array(each).transpose(1, 0, 2))

    def _draw_in_cells(self, ln_period, e, theta, ends, rng):
        """A point in each of several cells, shape (2, cell): one of many, by its density."""
        chance = rng.random((2, ln_period.shape[1], CANDIDATES))
        x, y = (
            low[:, None] + (high - low)[:, None] * of
            for (low, high), of in zip((ln_period, e), chance, strict=True)
        )
        log_density = np.where(
            (e[1] > 0)[:, None],
            self.log_density(x.ravel(), y.ravel(), theta, ends).reshape(x.shape),
            self.log_density_of_circles(x.ravel(), theta, ends).reshape(x.shape),
        )
        highest = np.maximum(log_density.max(axis=1, keepdims=True), -1e300)
        below = np.cumsum(np.exp(log_density - highest), axis=1)
        chosen = (below < rng.random((len(x), 1)) * below[:, -1:]).sum(axis=1)
        return np.array([of[np.arange(len(x)), chosen] for of in (x, y)])

    def initial(self, ln_period: np.ndarray, e: np.ndarray) -> dict:
        """A starting point from the orbits' rough ln periods and eccentricities.

        By default the medians of the priors.
        """
        units = {parameter.name: parameter.unit for parameter in self.parameters}
        given = {name: priors.as_prior(getattr(self, name)) for name in self.sampled}
        return {name: float(of.frozen(units[name]).median()) for name, of in given.items()}

    def pymc(self, theta: Mapping, ends: Ends, initial: Mapping | None = None, **options) -> dict:
        """The distribution as the PyMC variables lnP and e, by name, from where they start."""
        raise NotImplementedError

    def check_pymc(self) -> None:
        """Raise ValueError if there is no ``pymc``."""
        raise ValueError(
            f"{type(self).__name__} has no form for method='nuts': fit with method='marginal'"
        )


def _one(theta, n):
    """One of the theta, with its axis."""
    return {name: values[n : n + 1] for name, values in theta.items()}


def _legendre(edges):
    """Gauss-Legendre points of the cells and their weights, each of shape (cell * ORDER,)."""
    x, weight = np.polynomial.legendre.leggauss(ORDER)
    half = 0.5 * np.diff(edges)[:, None]
    middle = 0.5 * (np.asarray(edges)[1:] + np.asarray(edges)[:-1])[:, None]
    return (middle + half * x).ravel(), (half * weight).ravel()
