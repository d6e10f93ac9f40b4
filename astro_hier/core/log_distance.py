r"""One star's ln of distance u, with a normal prior, given its parallax: integrated out or drawn.

With u ~ Normal(u0, t), a parallax p with error e and y = -u = ln(1/r), the integral is

    I = integral of N(y; -u0, t) N(p; e^y, e) dy = 1 / (2 pi t e) integral of exp(-g(y)) dy,
    g = (A^2 + (Y - C)^2) / 2,    A = (y + u0) / t,    Y = e^y / e,    C = p / e.

Negative parallaxes are as good as others. The integral is a sum over a lattice
(`astro_hier.core.lattice`), which needs two things.

*Ends.* Let g* be the value of g anywhere near its lowest point. What lies beyond `DROP` above that
does not matter, so A^2 and (Y - C)^2 are both below R^2 = 2 (g* + `DROP`), which limits y from both
sides; where either is nowhere small within these limits, the other's share of R^2 shrinks, and the
limits close in on each other. Whatever is cut off is truly small, also if there are two humps, one
near the prior and one near the parallax.

*Step.* In the complex plane |exp(-g(y + i tau))| is at most exp(growth) times the peak of exp(-g),
with growth = tau^2 / (2 t^2) + C^2 sin^2(tau) / (2 cos(2 tau)) for C > 0, and the first term alone
otherwise. The error of a step h is then 2 exp(growth - 2 pi tau / h), for any tau below pi / 4. The
step is that for which this is exp(-`DIGITS`) at a good tau.

Distances are in kpc, parallaxes in mas. Arguments broadcast.
"""

import numpy as np

from astro_hier.core.floats import TINY
from astro_hier.core.lattice import Lattices

Floats = np.ndarray | float

DROP = 18.0  # the lattice ends where the integrand has fallen by exp(-DROP)
DIGITS = 14.0  # ln of 1 / the error of the step, relative to the peak
LARGEST_SHIFT = 0.65  # tau, where cos(2 tau) is still far from zero
GOOD = 2.0  # parallax over error from which ln(1 / parallax) is a place to start from
SMALLEST_T = 1e-8  # a narrower prior of ln r is a point to all that can be measured
CONFLICT = 8.0  # R from which the limits are moved towards each other
MAX_STEPS = 100  # of that, and towards the lowest g
SETTLED = 0.9  # share of the distance between the limits that is left by the last step
CLOSE = 1e-2  # to the lowest g: what the next step would gain
ROUGH = 1e10  # g at which rounding errors of the exponent begin to matter


def log_marginal(parallax: Floats, parallax_error: Floats, u0: Floats, t: Floats) -> np.ndarray:
    """ln p(parallax | u0, t) with u integrated out, of the arguments' common shape."""
    t = np.maximum(t, SMALLEST_T)
    lattice = _Lattice(parallax, parallax_error, u0, t)
    integral = np.maximum(lattice.integral(), TINY)  # which rounding loses where g is absurd
    log_integral = lattice.unsorted(np.log(integral) - lattice.least)
    return log_integral - np.log(2 * np.pi * parallax_error * t)


def draw(
    parallax: Floats, parallax_error: Floats, u0: Floats, t: Floats, rng: np.random.Generator
) -> np.ndarray:
    """One exact draw of u for each element of the arguments' common shape.

    An infinite ``parallax_error`` says that there is no parallax.
    """
    lattice = _Lattice(parallax, parallax_error, u0, np.maximum(t, SMALLEST_T))
    return lattice.unsorted(-lattice.draw(rng))


class _Lattice(Lattices):
    """Equally spaced values of y for every pair of prior and parallax; a place is y."""

    def __init__(self, parallax, parallax_error, u0, t):
        arrays = np.broadcast_arrays(parallax, parallax_error, u0, t)
        shape = arrays[0].shape
        parallax, error, u0, t = (np.ravel(of).astype(float) for of in arrays)
        y0, C = -u0, parallax / error
        y = _near_the_top(y0, t, parallax, error, C)
        Y = np.exp(y) / error
        least = 0.5 * (((y - y0) / t) ** 2 + (Y - C) ** 2)
        low, high = _limits(y0, t, error, C, least)
        super().__init__(low, high, (high - low) / _step(t, C, Y), shape)
        self.y0, self.t, self.error, self.C, self.least = self.sorted(y0, t, error, C, least)
        self.rough = bool(np.any(least > ROUGH))

    def walk(self, offset):
        y = self.low + offset * self.step
        A, rise = (y - self.y0) / self.t, self.step / self.t
        Y, up = np.exp(y) / self.error, np.exp(self.step)
        square, other = np.empty((2, self.size))
        for n in self.active:
            # in place throughout: this loop is where the time goes
            y, A, Y, square, other = y[:n], A[:n], Y[:n], square[:n], other[:n]
            np.multiply(A, A, out=square)
            np.subtract(Y, self.C[:n], out=other)
            other *= other
            square += other
            square *= -0.5
            square += self.least[:n]
            if self.rough:
                np.minimum(square, DROP, out=square)
            yield slice(n), y, np.exp(square, out=square)
            y += self.step[:n]
            A += rise[:n]
            Y *= up[:n]


def _near_the_top(y0, t, parallax, error, C):
    """A point near the lowest g, by Gauss and Newton's method from either side.

    Where parallax and prior agree, one step from their weighted mean is enough.
    """
    t2 = t * t
    good = C > GOOD
    of_parallax = np.log(np.where(good, parallax, 1.0))
    weight = np.where(good, C * C, 0.0) * t2
    y = y0 + (of_parallax - y0) * weight / (1 + weight)
    highest = _highest(y0, t2, error, C)
    y, least = _descend(y, y0, t, error, C, highest, 2)
    far = np.flatnonzero(least > 0.5 * CONFLICT)
    if far.size:
        some = [of[far] for of in (y0, t, error, C, highest)]
        for start in (np.where(good, of_parallax, y)[far], y0[far]):
            found, height = _descend(start, *some, MAX_STEPS)
            better = height < least[far]
            y[far[better]], least[far[better]] = found[better], height[better]
    return y


def _highest(y0, t2, error, C):
    """An upper limit on where g is lowest, not far above that if this is below y0.

    There (y0 - y) / t^2 = Y (Y - C). For a given D = y0 - y this fixes Y, which rises with D; and
    y = y0 - D falls.
    """

    def solved(D):
        root = np.sqrt(C * C + 4 * D / t2)
        Y = np.where(C > 0, 0.5 * (C + root), 2 * D / t2 / (root + np.abs(C)))
        return np.log(error * Y)

    largest = np.maximum(1, y0 - solved(np.ones_like(y0)))
    of_parallax = np.where(C > 0, np.log(error * np.maximum(C, TINY)), -np.inf)
    return np.maximum(np.minimum(y0, solved(largest)), of_parallax)


def _descend(y, y0, t, error, C, highest, steps):
    """The best of the points that some steps visit, and its g."""
    best, least = y, np.full_like(y, np.inf)
    for step in range(steps + 1):
        y = np.minimum(y, highest)
        A, Y = (y - y0) / t, np.exp(y) / error
        off = Y - C
        g = 0.5 * (A * A + off * off)
        better = g < least
        best, least = np.where(better, y, best), np.where(better, g, least)
        slope = A / t + Y * off
        move = slope / (1 / t**2 + Y * Y + np.maximum(Y * off, 0))
        if step == steps or np.all(slope * move < CLOSE):
            break
        y = y - move
    return best, least


def _limits(y0, t, error, C, least):
    """Lower and upper ends in y."""
    R2 = 2 * (least + DROP)
    R = np.sqrt(R2)
    low, high = _closer(y0, t, error, C, R, R)
    far = np.flatnonzero(R > CONFLICT)
    if far.size:
        y0, t, error, C, R2 = (of[far] for of in (y0, t, error, C, R2))
        for _ in range(MAX_STEPS):
            width = high[far] - low[far]
            of_prior = np.maximum(np.maximum(low[far] - y0, y0 - high[far]), 0) / t
            below, above = np.exp(low[far]) / error - C, C - np.exp(high[far]) / error
            of_parallax = np.maximum(np.maximum(below, above), 0)
            left = [np.sqrt(np.maximum(R2 - of * of, 0)) for of in (of_parallax, of_prior)]
            new_low, new_high = _closer(y0, t, error, C, *left)
            low[far] = np.maximum(low[far], new_low)
            high[far] = np.maximum(np.minimum(high[far], new_high), low[far])
            if np.all(high[far] - low[far] >= SETTLED * width):
                break
    return low, high


def _closer(y0, t, error, C, of_prior, of_parallax):
    """Ends of where |A| and |Y - C| are at most these."""
    lowest, highest = C - of_parallax, np.maximum(C + of_parallax, TINY)
    bounded = lowest > 0
    low = np.where(bounded, np.log(np.where(bounded, lowest, 1.0) * error), -np.inf)
    return (
        np.maximum(y0 - t * of_prior, low),
        np.minimum(y0 + t * of_prior, np.log(highest * error)),
    )


def _step(t, C, Y):
    """The step of the lattice."""
    steep = np.maximum(np.maximum(C, 0) ** 2, Y * (2 * Y - C))
    tau = np.minimum(np.sqrt(2 * DIGITS / (1 / t**2 + steep)), LARGEST_SHIFT)
    sin2 = np.sin(tau) ** 2
    growth = 0.5 * (tau / t) ** 2 + 0.5 * steep * sin2 / (1 - 2 * sin2)
    return 2 * np.pi * tau / (DIGITS + growth)
