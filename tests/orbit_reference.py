"""ln p(velocities of a star | population of eccentric orbits), by weighted points, with numpy only.

Points (ln P, e, phase) come from a broad distribution q or, where velocities are precise, also from
multivariate t distributions about an orbit that is known to be near the best. Each has the weight
p(v | point) / q(point), with the linear parameters integrated over their normal priors, so that

    p(v | theta) = mean of weight times g(ln P, e | theta),

g being the population's density in ln P, e and phase in cycles. It does not say what it misses: the
orbit must be the only one that matters, or the points must be many.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

SHARES = 0.3, 0.3, 0.4  # of the broad points, and of those of 3 and 1 times the width


def shapes(mean_anomaly, e):
    """The velocities of A = 1 and of B = 1, by Newton's method; M in radians."""
    mean = np.remainder(mean_anomaly + np.pi, 2 * np.pi) - np.pi
    E = mean + 0.85 * e * np.sign(mean)
    for _ in range(50):
        step = (E - e * np.sin(E) - mean) / (1 - e * np.cos(E))
        E = np.clip(E - step, -np.pi, np.pi)
        if np.max(np.abs(step)) < 1e-11:
            break
    root = 1 - e * np.cos(E)
    return (np.cos(E) - e) / root + e, -np.sqrt(1 - e**2) * np.sin(E) / root


@dataclass(frozen=True)
class Star:
    """Visits [d, km/s], and priors: of A and B as a function of P and e, of v0 and of columns."""

    time: np.ndarray
    rv: np.ndarray
    error: np.ndarray
    amplitude: object
    v0: float = 150.0
    columns: tuple = ()  # of a trend and the like, with the sd of each

    def log_p(self, ln_period, e, phase, scatter=0.0, size=20_000):
        """ln p(v | point), for many points."""
        parts = (slice(i, i + size) for i in range(0, len(ln_period), size))
        scatter = np.broadcast_to(scatter, len(ln_period))
        each = [self._log_p(ln_period[s], e[s], phase[s], scatter[s]) for s in parts]
        return np.concatenate(each)

    def _log_p(self, ln_period, e, phase, scatter):
        period, e = np.exp(ln_period)[:, None], e[:, None]
        x, y = shapes(2 * np.pi * (self.time / period + phase[:, None]), e)
        sd = np.broadcast_to(self.amplitude(period, e), period.shape)
        others = [np.full(x.shape, self.v0)]
        others += [np.broadcast_to(column * sd_of, x.shape) for column, sd_of in self.columns]
        return self._normal(np.stack([x * sd, y * sd, *others], axis=1), scatter)

    def constant(self, scatter=0.0):
        """ln p(v) without an orbit, for one scatter or several."""
        scatter = np.atleast_1d(np.asarray(scatter, float))
        columns = [np.ones(len(self.time)) * self.v0, *(c * sd for c, sd in self.columns)]
        return self._normal(np.tile(np.array(columns), (len(scatter), 1, 1)), scatter)

    def draw_linear(self, ln_period, e, phase, rng):
        """A, B, v0, ... given points without scatter, shape (parameter, point)."""
        x, y = shapes(
            2 * np.pi * (self.time / np.exp(ln_period)[:, None] + phase[:, None]), e[:, None]
        )
        sd = np.broadcast_to(self.amplitude(np.exp(ln_period), e), x.shape[:1])
        columns = [x * sd[:, None], y * sd[:, None], np.full(x.shape, self.v0)]
        columns += [np.broadcast_to(column * sd_of, x.shape) for column, sd_of in self.columns]
        X = np.stack(columns, axis=1) / self.error
        covariance = np.linalg.inv(np.eye(X.shape[1]) + X @ X.transpose(0, 2, 1))
        mean = np.einsum("pcd,pdv,v->pc", covariance, X, self.rv / self.error)
        normal = rng.standard_normal(mean.shape)
        drawn = mean + np.einsum("pcd,pd->pc", np.linalg.cholesky(covariance), normal)
        drawn[:, :2] *= sd[:, None]
        return np.append(drawn[:, :2].T, drawn[:, 2:3].T * self.v0, axis=0)

    def _normal(self, columns, scatter):
        """ln N(v; 0, D + X X^T) for columns X, shape (point, column, visit)."""
        sigma = np.hypot(self.error, scatter[:, None])
        X, v = columns / sigma[:, None], self.rv / sigma
        inner = np.eye(X.shape[1]) + X @ X.transpose(0, 2, 1)
        projected = np.einsum("pcv,pv->pc", X, v)
        solved = np.linalg.solve(inner, projected[..., None])[..., 0]
        chi2 = np.sum(v**2, axis=1) - np.sum(projected * solved, axis=1)
        log_det = np.linalg.slogdet(inner)[1] + 2 * np.log(sigma).sum(axis=1)
        return -0.5 * (chi2 + log_det + len(self.rv) * np.log(2 * np.pi))


@dataclass(frozen=True)
class Points:
    """Points and ln of the weight of each, likelihood over density of the points."""

    ln_period: np.ndarray
    e: np.ndarray
    phase: np.ndarray
    log_weight: np.ndarray

    def log_likelihood(self, log_density):
        """ln p(v | theta), and its standard error; ``log_density`` of arrays of ln P and e."""
        log_mass = self.log_weight + log_density(self.ln_period, self.e)
        highest = log_mass.max()
        mass = np.exp(log_mass - highest)
        mean = mass.mean()
        return np.log(mean) + highest, mass.std() / np.sqrt(len(mass)) / mean

    def draw(self, log_density, size, rng):
        """Numbers of points, drawn from the posterior given the population."""
        log_mass = self.log_weight + log_density(self.ln_period, self.e)
        mass = np.exp(log_mass - log_mass.max())
        return rng.choice(len(mass), size, p=mass / mass.sum())


def broad(star, ends, size, rng, scatter=None):
    """Points uniform in ln P, e and phase; ``scatter`` draws one for each, from its prior."""
    ln_period, e, phase = _uniform(ends, size, rng)
    s = 0.0 if scatter is None else scatter(size)
    log_weight = star.log_p(ln_period, e, phase, s) + np.log(ends[1] - ends[0])
    return Points(ln_period, e, phase, log_weight)


def about(star, ends, orbit, size, rng, rounds=6):
    """Points also about an ``orbit`` (ln P, e, phase), found in rounds from a narrow start."""
    span = np.ptp(star.time)
    centre = np.array(orbit, float)
    width = np.array([0.02 * np.exp(centre[0]) / span, 0.02, 0.01])
    covariance = np.diag(width**2)
    for n in range(rounds):
        points, log_weight = _mixed(star, ends, centre, covariance, size // (rounds + 3), rng)
        softer = log_weight * min(1.0, 0.2 * (n + 1))
        mass = np.exp(softer - softer.max())
        mass /= mass.sum()
        centre = mass @ points
        covariance = np.cov(points.T, aweights=mass) + 1e-12 * np.eye(3)
    points, log_weight = _mixed(star, ends, centre, covariance, size, rng)
    return Points(*points.T, log_weight)


def _mixed(star, ends, centre, covariance, size, rng):
    count = [int(share * size) for share in SHARES]
    families = [stats.multivariate_t(centre, covariance * f, 4, seed=rng) for f in (9.0, 1.0)]
    about_centre = np.array([0.0, 0.0, centre[2] - 0.5])
    everywhere = np.transpose(_uniform(ends, count[0], rng)) + about_centre
    near = [of.rvs(n) for of, n in zip(families, count[1:], strict=True)]
    points = np.concatenate([everywhere, *near])
    inside = (points[:, 0] > ends[0]) & (points[:, 0] < ends[1]) & (points[:, 1] >= 0)
    # one cycle of phases only, about the centre
    inside &= (points[:, 1] < 1) & (np.abs(points[:, 2] - centre[2]) < 0.5)
    density = SHARES[0] / (ends[1] - ends[0])
    density = density + sum(
        share * of.pdf(points) for share, of in zip(SHARES[1:], families, strict=True)
    )
    log_weight = np.full(len(points), -np.inf)
    log_weight[inside] = star.log_p(*points[inside].T)
    return points, log_weight - np.log(density)


def _uniform(ends, size, rng):
    # a Latin hypercube: less noise than independent points
    cube = stats.qmc.LatinHypercube(3, seed=rng).random(size)
    return ends[0] + (ends[1] - ends[0]) * cube[:, 0], cube[:, 1], cube[:, 2]
