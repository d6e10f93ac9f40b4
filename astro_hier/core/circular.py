"""The likelihood of circular orbits on equally spaced frequencies, all else integrated out.

The likelihood is that of `astro_hier.core.linear`: its chi2 comes from the sums over visits of
w exp(i theta), w v exp(i theta) and w exp(2 i theta), with w = 1 / C, as in the Lomb-Scargle
periodogram. The phase factors split, exp(2 pi i (f0 + (i n + j) df) t) = A_it B_tj, so each sum is
the product of two matrices, without trigonometric functions at every frequency.

`star` and `compiled_at` are the way to the compiled loops of `astro_hier.core.circular_compiled`;
what is here in NumPy is the reference that they are held to.

Times are in d, frequencies in 1 / d, velocities in km / s. A visit's arrays have shape (visit,).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import solve_triangular

from astro_hier.core.linear import Solution, log_norm

# Rounding in the sums changes chi2 by 1e-16 times the squared velocities in units of their errors.
LARGEST_SUM = 1e10
FEW = 3  # visits, from which sums lose digits
PROBES = np.array([1e-4, 1e-2, 1e2])  # frequencies at which amplitudes are tried
BLOCK = 100_000
LARGEST_GRID = 1_000_000


def log_marginal_grid(visits, start, step, count):
    """ln p(rv | frequency) at ``count`` equally spaced frequencies from ``start``."""
    weight, rv = visits.rv_error**-2, visits.from_center
    if not _sums_are_exact(weight, rv):
        frequency = start + step * np.arange(count)
        blocks = np.array_split(frequency, -(-count * len(rv) // BLOCK))
        return np.concatenate([Solution(visits, block).log_marginal() for block in blocks])
    if count > LARGEST_GRID:
        starts = range(0, count, LARGEST_GRID)
        return np.concatenate(
            [
                log_marginal_grid(visits, start + i * step, step, min(LARGEST_GRID, count - i))
                for i in starts
            ]
        )
    # once the constant columns are orthogonal, each can be eliminated on its own
    columns = visits.constant * visits.sd[2:]
    triangle = np.linalg.cholesky(np.eye(columns.shape[1]) + (columns.T * weight) @ columns)
    columns = solve_triangular(triangle, columns.T, lower=True)
    coarse, fine = _phase_factors(visits.time.tobytes(), start, step, count)
    single = np.concatenate([coarse * (weight * row) for row in (rv, *columns)]) @ fine
    w2 = (coarse**2 * weight) @ fine**2
    y1, *w1 = (sums.ravel()[:count] for sums in np.split(single, len(columns) + 1))
    sums = _Sums(w1, y1, w2.ravel()[:count])
    sd = visits.sd_at(start + step * np.arange(count))
    return sums.log_marginal(visits, sd[:2], weight, rv, columns, triangle)


def _sums_are_exact(weight, rv):
    return len(rv) > FEW and weight @ rv**2 <= LARGEST_SUM


@lru_cache(maxsize=2)  # many values of a jitter are tried at the same phases
def _phase_factors(time, start, step, count):
    """The two factors of exp(2 pi i f t) at equally spaced frequencies; ``time`` is in bytes."""
    time = np.frombuffer(time)
    inner = int(np.ceil(np.sqrt(count)))
    outer = -(-count // inner)
    coarse = start + np.arange(outer) * (inner * step)
    coarse = np.exp(2j * np.pi * np.multiply.outer(coarse, time))
    return coarse, np.exp(2j * np.pi * np.multiply.outer(time, np.arange(inner) * step))


@dataclass
class _Sums:
    """Sums over visits of w c_k exp(i theta), w v exp(i theta), w exp(2 i theta)."""

    w1: list
    y1: np.ndarray
    w2: np.ndarray

    def log_marginal(self, visits, sd, weight, rv, columns, triangle):
        """ln p, by eliminating the orthogonal constant columns c_k, then a and b of these sd."""
        sd_a, sd_b = sd
        a0, b0 = visits.mean[:2]
        total = np.sum(weight)
        cos2, sin2 = 0.5 * (total + self.w2.real), 0.5 * (total - self.w2.real)
        cos_sin, yc, ys = 0.5 * self.w2.imag, self.y1.real, self.y1.imag
        y2, prior = weight @ rv**2, np.zeros(len(columns))
        if visits.sd[2] > 0:
            prior[0] = (visits.mean[2] - visits.center[2]) / visits.sd[2]
        d = columns @ (weight * rv) + solve_triangular(triangle, prior, lower=True)
        if a0 or b0:
            y2 = y2 - 2 * (a0 * yc + b0 * ys)
            y2 = y2 + a0 * a0 * cos2 + 2 * a0 * b0 * cos_sin + b0 * b0 * sin2
            yc, ys = yc - a0 * cos2 - b0 * cos_sin, ys - a0 * cos_sin - b0 * sin2
            d = [dk - a0 * wk.real - b0 * wk.imag for dk, wk in zip(d, self.w1, strict=True)]
        for wk, dk in zip(self.w1, d, strict=True):
            cos2, sin2 = cos2 - wk.real**2, sin2 - wk.imag**2
            cos_sin = cos_sin - wk.real * wk.imag
            yc, ys = yc - wk.real * dk, ys - wk.imag * dk
            y2 = y2 - dk * dk
        aa, bb, ab = 1 + sd_a**2 * cos2, 1 + sd_b**2 * sin2, sd_a * sd_b * cos_sin
        da, db = sd_a * yc, sd_b * ys
        determinant = np.maximum(aa * bb - ab * ab, 1.0)  # which it is but for rounding
        explained = (bb * da * da - 2 * ab * da * db + aa * db * db) / determinant
        chi2 = y2 + prior @ prior - explained
        log_determinant = np.log(determinant) + 2 * np.sum(np.log(np.diag(triangle)))
        return -0.5 * (chi2 + log_determinant + log_norm(visits))


def star(nodes, log_weight):
    """What the compiled loops take of a star, given its visits at each value of a scatter.

    ``log_weight`` are ln of the weights of these, shape (node,). None if the errors or the
    amplitudes are not of a kind that the loops know.
    """
    first = nodes[0]
    power = _power(first)
    if power is None or first.rv_error.ndim == 2:
        return None
    from astro_hier.core import star_compiled

    error, rv = (
        np.array([getattr(of, name) for of in nodes]) for name in ("rv_error", "from_center")
    )
    sd, pull = first.sd, np.zeros(len(nodes))
    if sd[2] > 0:
        pull = np.array([(of.mean[2] - of.center[2]) / sd[2] for of in nodes])
    height = log_weight - 0.5 * np.array([log_norm(of) for of in nodes])
    sums = np.array([_sums_are_exact(of.rv_error**-2, v) for of, v in zip(nodes, rv, strict=True)])
    scale = np.array(first.sd_at(np.ones(1))[:2]).ravel()
    columns = np.ascontiguousarray((first.constant * sd[2:]).T)
    return star_compiled.prepare(
        np.array(first.time), rv, error, columns, pull, height, first.mean[:2].copy(), scale,
        power, sums,
    )  # fmt: skip


def _power(visits):
    """The power of the frequency to which amplitudes go, or None if they do not go so."""
    if visits.amplitude is None:
        return 0.0
    ends = np.log(visits.amplitude(PROBES))
    slopes = np.diff(ends) / np.diff(np.log(PROBES))
    return float(slopes[1]) if abs(slopes[0] - slopes[1]) < 1e-12 else None


def compiled_at(star, frequency):
    """ln p(rv | frequency) from the compiled loop."""
    from astro_hier.core import circular_compiled

    return circular_compiled.log_p(star, np.ascontiguousarray(frequency), 0.0)
