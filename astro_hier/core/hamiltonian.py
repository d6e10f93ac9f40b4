"""Hamiltonian Monte Carlo for a smooth density with one peak, in some tens of dimensions.

A point x moves with a momentum p, drawn from a standard normal, along a trajectory of the energy
H = -ln f(x) + p^2 / 2, and its end is kept with the probability min(1, exp(-change of H)), which
leaves the density f as it is (Duane et al. 1987, Physics Letters B 195, 216; Neal 2011, Handbook of
Markov Chain Monte Carlo, chapter 5, arXiv:1206.1901). The leapfrog scheme follows the trajectory:

    p += (e / 2) grad ln f(x),    x += e p,    p += (e / 2) grad ln f(x).

Coordinates are whitened, x = x_0 + S y, so that f is about a standard normal of y: first about its
mode x_0, by the Hessian there (S S' is the inverse of -H), then, for skewed densities, by the mean
and covariance of all chains in the first half of the burn-in. Trajectories of a standard normal
have the period 2 pi, and a quarter of it forgets where it began. Their lengths are drawn from pi /
3 to 2 pi / 3, over which the average of cos(t), the correlation of y with where it began, is zero,
and that of cos^2(t), the correlation of y^2, is 0.09; this also keeps any direction from coming
back to its beginning every time (Neal 2011, section 5.3.2).

Many chains move together, so that a call of f computes all of them. The step e follows their mean
acceptance in the burn-in (Robbins & Monro 1951), which is discarded, and is then fixed. The run
goes on, to twice its length each time, until the largest split R hat (Gelman et al. 2013, Bayesian
Data Analysis, section 11.4) is small enough, and is thinned to the number of draws asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

CHAINS = 32
BURN_IN = 60  # trajectories: a standard normal needs one, and the step about twenty
PER_DRAW = 2  # trajectories: of one, successive draws are correlated by about 0.3
FEWEST = 64  # trajectories of each chain: with fewer, R hat scatters by more than its limit
LARGEST_R_HAT = 1.01
DOUBLINGS = 4
ACCEPTANCE = 0.85  # above 0.65, the best for many dimensions (Neal 2011): it is lower in tails
LENGTHS = np.pi / 3, 2 * np.pi / 3
DIFFERENCE = 1e-4  # between points whose gradients give the Hessian
SOFTEST = 1e-10  # eigenvalue of a Hessian or covariance over the largest: less is rounding
SHORTEST = 0.05  # step: shorter ones do not help where trajectories end at a wall

Density = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class NoPeakError(ValueError):
    """The density is zero where its peak should be."""


@dataclass(frozen=True)
class Run:
    """Draws, and how they came about.

    Attributes
    ----------
    draws : ndarray
        Shape (draw, dimension), chain after chain.
    acceptance : float
        The mean probability that the end of a trajectory was kept.
    r_hat : float
        The largest split R hat of all dimensions, of the run before it was thinned.
    step : float
        Of the leapfrog scheme, where the density is about a standard normal.
    evaluations : int
        At how many points the density and its gradient were computed.
    """

    draws: np.ndarray
    acceptance: float
    r_hat: float
    step: float
    evaluations: int


def sample(
    density: Density, start: np.ndarray, size: int, rng: np.random.Generator, chains: int = CHAINS
) -> Run:
    """Draws from a density.

    Parameters
    ----------
    density : callable
        ``density(x)`` returns ln f, up to a constant, shape (point,), and its gradient, shape
        (point, dimension), at points of shape (point, dimension). A point where either is not
        finite is never kept.
    start : ndarray
        Where to begin to look for the mode, shape (dimension,).
    size : int
        Number of draws.
    rng : `numpy.random.Generator`
    chains : int, optional
        Number of chains.

    Returns
    -------
    Run

    Raises
    ------
    NoPeakError
        If ln f is not finite at the mode.
    """
    density = _Counted(density)
    mode = find_mode(density, start)
    moving = _Chains(density, mode, _whitening(density, mode), chains, rng)
    burn_in = moving.run(BURN_IN // 2, adapt=True)[BURN_IN // 6 :]
    moving = moving.whitened_by(burn_in.reshape(-1, len(mode)))
    moving.run(BURN_IN // 2, adapt=True)
    per_chain = max(-(-size // chains) * PER_DRAW, FEWEST)
    moving.accepted = []
    path = moving.run(per_chain)
    for _ in range(DOUBLINGS):
        if split_r_hat(path) <= LARGEST_R_HAT:
            break
        path = np.concatenate([path, moving.run(len(path))])
    return Run(
        _thinned(path, size),
        moving.acceptance,
        split_r_hat(path),
        float(moving.step),
        density.evaluations,
    )


def _thinned(path, size):
    """Equally spaced points of each chain, chain after chain, shape (size, dimension)."""
    trajectories, chains, dimension = path.shape
    per_chain = -(-size // chains)
    chosen = (np.arange(1, per_chain + 1) * trajectories) // per_chain - 1
    return path[chosen].swapaxes(0, 1).reshape(-1, dimension)[:size]


class _Counted:
    """A density that counts its points, and is zero where its gradient is not finite."""

    def __init__(self, density):
        self.density, self.evaluations = density, 0

    def __call__(self, x):
        self.evaluations += len(x)
        with np.errstate(all="ignore"):
            value, gradient = self.density(x)
            known = np.isfinite(gradient).all(axis=1)
        possible = known & np.isfinite(value)
        return np.where(possible, value, -np.inf), np.where(known[:, None], gradient, 0.0)


def find_mode(density: Density, start: np.ndarray) -> np.ndarray:
    """Where the density is largest.

    Raises
    ------
    NoPeakError
        If ln f is not finite there.
    """

    def falling(x):
        value, gradient = density(x[None])
        return -value[0], -gradient[0]

    found = minimize(falling, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    if not np.isfinite(found.fun):
        raise NoPeakError("the density is zero where its peak should be")
    return found.x


def _whitening(density, mode):
    """S for which S S' is the inverse of minus the Hessian, from differences of gradients."""
    shifts = DIFFERENCE * np.eye(len(mode))
    ahead, behind = density(mode + shifts)[1], density(mode - shifts)[1]
    hessian = (behind - ahead) / (2 * DIFFERENCE)
    stiffness, axes = np.linalg.eigh(0.5 * (hessian + hessian.T))
    return axes / np.sqrt(np.maximum(stiffness, SOFTEST * max(stiffness[-1], SOFTEST)))


class _Chains:
    """Chains that move together, in whitened coordinates."""

    def __init__(self, density, centre, whitening, number, rng):
        self.density, self.centre, self.whitening, self.rng = density, centre, whitening, rng
        self.step, self.round, self.accepted = len(centre) ** -0.25, 0, []
        self._place(rng.standard_normal((number, len(centre))))

    def _place(self, y):
        """Put the chains at points, or nearer to the centre where the density is zero."""
        value, gradient = self._at(y)
        for shrink in (0.5, 0.25, 0.0):
            outside = np.isneginf(value)
            if outside.any():
                y[outside] *= shrink
                value, gradient = self._at(y)
        self.y, self.value, self.gradient = y, value, gradient

    def _at(self, y):
        value, gradient = self.density(self.centre + y @ self.whitening.T)
        return value, gradient @ self.whitening

    def whitened_by(self, points):
        """The chains where they are, in coordinates that follow the scatter of points."""
        covariance = np.atleast_2d(np.cov(points.T))
        variance, axes = np.linalg.eigh(covariance)
        new = _Chains.__new__(_Chains)
        new.__dict__.update(vars(self), centre=points.mean(axis=0), round=0, accepted=[])
        scale = np.sqrt(np.maximum(variance, SOFTEST * variance[-1]))
        new.whitening = axes * scale
        x = self.centre + self.y @ self.whitening.T
        new._place((x - new.centre) @ axes / scale)
        return new

    def run(self, trajectories, adapt=False):
        """Move, and return where the chains were, shape (trajectory, chain, dimension)."""
        path = np.empty((trajectories, *self.y.shape))
        for place in path:
            kept = self._move()
            if adapt:
                self.round += 1
                longer = np.exp((kept.mean() - ACCEPTANCE) * 2 / np.sqrt(self.round))
                self.step = max(self.step * longer, SHORTEST)
            self.accepted.append(kept.mean())
            place[:] = self.y
        return self.centre + path @ self.whitening.T

    @property
    def acceptance(self):
        return float(np.mean(self.accepted))

    def _move(self):
        """One trajectory of all chains; returns the probabilities to keep their ends."""
        length = self.rng.uniform(*LENGTHS)
        steps = int(np.ceil(length / self.step))
        step = length / steps
        y, value, gradient = self.y, self.value, self.gradient
        p = self.rng.standard_normal(y.shape)
        energy = 0.5 * (p**2).sum(axis=1) - value
        with np.errstate(all="ignore"):  # a trajectory that diverges is not kept
            for _ in range(steps):
                p = p + 0.5 * step * gradient
                y = y + step * p
                value, gradient = self._at(y)
                p = p + 0.5 * step * gradient
            change = 0.5 * (p**2).sum(axis=1) - value - energy
            chance = np.nan_to_num(np.exp(np.minimum(-change, 0.0)), nan=0.0)
        kept = self.rng.random(len(y)) < chance
        self.y = np.where(kept[:, None], y, self.y)
        self.value = np.where(kept, value, self.value)
        self.gradient = np.where(kept[:, None], gradient, self.gradient)
        return chance


def split_r_hat(path: np.ndarray) -> float:
    """The largest split R hat of chains, shape (trajectory, chain, dimension)."""
    half = len(path) // 2
    halves = np.concatenate([path[:half], path[-half:]], axis=1)
    within = halves.var(axis=0, ddof=1).mean(axis=0)
    between = halves.mean(axis=0).var(axis=0, ddof=1)
    return float(np.sqrt((half - 1) / half + between / within).max())
