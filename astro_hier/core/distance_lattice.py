"""One star's distance r, given its cluster, on equally spaced values of ln r.

The density of x = ln r, for a star with parallax p and error e in a cluster with mean distance m
and depth s, is proportional to

    exp(-((r - m)^2 / s^2 + (1/r - p)^2 / e^2) / 2) r.

It is analytic and falls off double-exponentially at both ends, so the trapezoid rule converges
geometrically (`astro_hier.core.lattice`): a dozen equally spaced values of x are enough where the
parallax is good, a few dozen where the density has two humps.

In X = r / s and Y = 1 / (r e) the exponent is half the squared distance from the point
C = (m / s, p / e) to the hyperbola X Y = 1 / (s e) = q. The lattice therefore starts from the foot
of the perpendicular from C, which is the highest point of the exponential, and covers the arc where
the exponential is more than exp(-`DROP`) of that.

All functions are of pairs of hyperparameters and star: q, Cx and Cy, arrays of shape (pair,).
"""

import numpy as np

from astro_hier.core.lattice import Lattices

DROP = 20.0  # the lattice ends where the exponential has fallen by exp(-DROP)
STEP = 1.1  # lattice step in standard deviations: an error of 2 exp(-2 pi^2 / STEP^2) = 2e-7
WIDEST_GAUSSIAN = 0.8  # in ln r, from the foot to the end
CLOSE = 1e-3  # last step in ln X towards the foot: the next would be of the order of its square
LARGEST_STEP = 1.3  # of the lattice near its ends, in units of 1 / X and 1 / Y


def integrate(q, Cx, Cy):
    """ln of the integral of exp(-|P - C|^2 / 2) X by ln r, for P on the hyperbola."""
    lattice = _Lattice(q, Cx, Cy)
    return lattice.unsorted(np.log(lattice.integral()) - 0.5 * lattice.foot_distance2)


def describe(q, Cx, Cy):
    """Mean and variance of X, shape (2, pair)."""
    lattice = _Lattice(q, Cx, Cy)
    total, first, second = np.zeros((3, lattice.size))
    for points, X, weight in lattice.walk(np.full(lattice.size, 0.5)):
        away = X - lattice.X[points]
        total[points] += weight
        first[points] += weight * away
        second[points] += weight * away * away
    mean = first / total
    moments = lattice.X + mean, second / total - mean * mean
    return np.array([lattice.unsorted(of) for of in moments])


def draw(q, Cx, Cy, rng):
    """One exact draw of X for each pair."""
    lattice = _Lattice(q, Cx, Cy)
    return lattice.unsorted(lattice.draw(rng))


class _Lattice(Lattices):
    """Equally spaced values of ln r for every pair; a place is X."""

    def __init__(self, q, Cx, Cy):
        X, Y = _foot(q, Cx, Cy)
        low, high, scale = _limits(q, Cx, Cy, X, Y)
        super().__init__(low, high, (high - low) * scale / STEP, q.shape)
        self.Cx, self.Cy, self.X, self.Y = self.sorted(Cx, Cy, X, Y)
        self.foot_distance2 = (self.X - self.Cx) ** 2 + (self.Y - self.Cy) ** 2

    def walk(self, offset):
        factor = np.exp(self.low + offset * self.step)
        X, Y = self.X * factor, self.Y / factor
        up = np.exp(self.step)
        down = 1 / up
        square, other = np.empty((2, self.size))
        for n in self.active:
            # in place throughout: this loop is where the time goes
            X, Y, square, other = X[:n], Y[:n], square[:n], other[:n]
            np.subtract(X, self.Cx[:n], out=square)
            square *= square
            np.subtract(Y, self.Cy[:n], out=other)
            other *= other
            square += other
            square -= self.foot_distance2[:n]
            square *= -0.5
            weight = np.exp(square, out=square)
            weight *= X
            yield slice(n), X, weight
            X *= up[:n]
            Y *= down[:n]


def _foot(q, Cx, Cy, iterations=8):
    """The point (X, Y) of the hyperbola X Y = q nearest to C, by Newton's method.

    In w = X - Y and v = X + Y = sqrt(w^2 + 4 q) the condition is 2 w - W - V w / v = 0 with
    W = Cx - Cy and V = Cx + Cy. At the nearest point w has the sign of W; for w, W > 0 the function
    is convex where V > 0 and concave otherwise, so Newton's method does not cycle. A slightly
    inaccurate foot does no harm: it only shifts the lattice.
    """
    W, V, q4 = np.abs(Cx - Cy), Cx + Cy, 4 * q
    largest = 0.5 * (W + np.maximum(V, 0))
    inverse = 1 / np.sqrt(W * W + q4)
    slope = 2 - V * q4 * inverse * inverse * inverse
    w = np.where(slope > 0.3, W, largest)
    away = np.flatnonzero(V < 0)
    if away.size:
        # C lies beyond the other branch: start from a lower bound, so that Newton's method rises
        depth = -V[away]
        rough = np.minimum(0.5 * np.cbrt(0.25 * q4[away] * depth), depth / 8)
        w[away] = np.maximum(rough, 0.5 * (W[away] - depth))
    Vq4 = V * q4
    inverse, value, slope = np.empty((3, *w.shape))
    for _ in range(iterations):
        # in place: this takes half of the time spent on making a lattice
        np.multiply(w, w, out=inverse)
        inverse += q4
        np.sqrt(inverse, out=inverse)
        np.divide(1, inverse, out=inverse)
        np.multiply(V, w, out=value)
        value *= inverse
        value += W
        np.subtract(value, w, out=value)
        value -= w
        np.multiply(inverse, inverse, out=slope)
        slope *= inverse
        slope *= Vq4
        np.subtract(2, slope, out=slope)
        np.maximum(slope, 0.05, out=slope)
        value /= slope
        w += value
        np.clip(w, 0, largest, out=w)
        value *= inverse  # the move in ln X
        if max(value.max(), -value.min()) < CLOSE:
            break
    far = 0.5 * (w + np.sqrt(w * w + q4))
    near = q / far
    return np.where(Cx >= Cy, far, near), np.where(Cx >= Cy, near, far)


def _limits(q, Cx, Cy, X0, Y0):
    """The lattice's lower and upper ends relative to the foot, and 1 / its largest step."""
    dX, dY = X0 - Cx, Y0 - Cy
    foot2 = dX * dX + dY * dY
    metric = X0 * X0 + Y0 * Y0
    curvature = metric + np.maximum(X0 * dX + Y0 * dY, -0.5 * metric)
    # The ends of a Gaussian of the same curvature, rescaled by how far the density falls there.
    guess = np.minimum(np.sqrt(2 * DROP / curvature), WIDEST_GAUSSIAN)
    factor = np.exp(guess)
    largest_X, largest_Y = X0 * factor, Y0 * factor
    fall_high = 0.5 * ((largest_X - Cx) ** 2 + (Y0 / factor - Cy) ** 2 - foot2)
    fall_low = 0.5 * ((X0 / factor - Cx) ** 2 + (largest_Y - Cy) ** 2 - foot2)
    least, most = np.minimum(fall_low, fall_high), np.maximum(fall_low, fall_high)
    gaussian = (least > 0.7 * DROP) & (most < 2 * DROP) & (guess < WIDEST_GAUSSIAN)
    low = -guess * np.sqrt(DROP / np.where(gaussian, fall_low, DROP))
    high = guess * np.sqrt(DROP / np.where(gaussian, fall_high, DROP))
    other = np.flatnonzero(~gaussian)
    if other.size:
        arc = [v[other] for v in (q, Cx, Cy, X0, Y0, foot2)]
        low[other], high[other] = _far_limits(*arc)
        largest_X[other] = arc[3] * np.exp(high[other])
        largest_Y[other] = arc[4] * np.exp(-low[other])
    # Where the arc bends, the narrowest feature may lie away from the foot: a second hump is at
    # least sqrt(2 DROP) inside the end, and the fall towards the end is itself a feature.
    inside = np.sqrt(2 * DROP)
    largest = np.maximum(largest_X, largest_Y)
    scale = np.maximum(np.sqrt(curvature), np.maximum(largest - inside, largest / LARGEST_STEP))
    return low, high, scale


def _far_limits(q, Cx, Cy, X0, Y0, foot2):
    """The ends where the density is not Gaussian, from outside inwards so that none is missed."""
    radius = np.sqrt(foot2 + 2 * DROP)
    largest_X = q / np.maximum(Cy - radius, q / (Cx + radius))
    # at large r the factor r in the density may outweigh the fall
    fall = DROP + np.log(np.maximum(largest_X / X0, 1))
    radius = np.sqrt(foot2 + 2 * fall)
    high = np.log(q / np.maximum(Cy - radius, q / (Cx + radius)) / X0)
    low = -np.log(q / np.maximum(Cx - radius, q / (Cy + radius)) / Y0)
    low = -_tighten(-low, Cy, Cx, Y0, X0, foot2, fall)
    return low, _tighten(high, Cx, Cy, X0, Y0, foot2, fall)


def _tighten(end, Cx, Cy, X0, Y0, foot2, fall, iterations=6):
    """Move an outer bound on the end at large X inwards, by Newton's method in sqrt(fall)."""
    target = np.sqrt(2 * fall)
    for _ in range(iterations):
        factor = np.exp(end)
        X, Y = X0 * factor, Y0 / factor
        dX, dY = X - Cx, Y - Cy
        root = np.sqrt(np.maximum(dX * dX + dY * dY - foot2, 0))
        slope = X * dX - Y * dY
        move = (root - target) * root / np.where(slope > 0, slope, np.inf)
        trial = np.clip(end - move, 0, end)
        factor = np.exp(trial)
        still_outside = (X0 * factor - Cx) ** 2 + (Y0 / factor - Cy) ** 2 - foot2 > 1.8 * fall
        end = np.where(still_outside, trial, end)
    return end
