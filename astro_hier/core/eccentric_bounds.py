"""How much posterior mass a cell of nodes may hold, given the likelihood at its centre.

The mean square change of the true anomaly over a cell of half-widths h_f, h_e, h_m is the sum of

    G_f = 2 pi^2 (sum w t^2 / sum w) r2 h_f^2,   G_e = h_e^2 / (1 - e^2),
    G_m = 2 pi^2 (r2 - 1) h_m^2,                 r2 = (1 + e^2 / 2) / (1 - e^2)^1.5,

e that of the cell's upper end: r2 is the mean over the phase of (d nu / d M)^2, less 1 for m since
A and B follow a rotation, so that circles are never split in m. A velocity of semi-amplitude K
changes by D_k^2 = s G_k, s = K^2 sum w, in units of its errors. To these the derivatives at the
centre add what they know, D_k^2 = H_kk + s G_k.

chi2 falls over a cell at most to

    chi2_low = max{ [sqrt(chi2 - gain) - kappa sqrt(s theta2 min(1, theta2))]^2,
                    [sqrt(chi2) - kappa |D|]^2 },   theta2 = G_f + G_e + G_m,

where ``gain`` is what the Gauss-Newton model at the centre promises, and brackets are not below
zero. So ln of the mass is bounded by

    U = ln(prior mass) + ln p + (chi2 - chi2_low) / 2 - sum_k ln max(1, D_k / 1.25),

the last for a needle fills a cell less the sharper it is. With fewer visits than parameters there
are sheets in place of needles, and the sum is over the largest few, as many as there are visits
beyond the linear parameters (``rank``). These bounds are estimates: kappa is
their margin. A scatter that varies over the cell changes chi2 and the determinant as well.
"""

from typing import NamedTuple

import numpy as np

NEEDLE = 1.25
STEEP = 1.5  # kappa at high eccentricity
STEEP_FROM, STEEP_RANGE = 0.7, 0.2
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of a cell's scatter, at which the bound is scaled


class Bounds(NamedTuple):
    """Of cells, arrays of shape (cell,).

    ``upper`` is U, and ``anneal`` the same as if the errors were larger, both with the prior's
    mass; ``width`` is the largest number of standard deviations along an axis, ``axis``.
    """

    upper: np.ndarray
    anneal: np.ndarray
    width: np.ndarray
    axis: np.ndarray


def generic(e_low, e_high, h_f, h_m, mean_square_time):
    """G_f, G_e and G_m."""
    h_e, square = 0.5 * (e_high - e_low), 1 - e_high**2
    r2 = (1 + 0.5 * e_high**2) / square**1.5
    turn = 2 * np.pi**2
    return turn * mean_square_time * r2 * h_f**2, h_e**2 / square, turn * (r2 - 1) * h_m**2


def margin(kappa, e_high):
    """kappa of cells, larger where they are eccentric."""
    share = np.clip((e_high - STEEP_FROM + STEEP_RANGE) / STEEP_RANGE, 0, 1)
    return kappa + share * max(STEEP - kappa, 0)


def loose(chi2, square, g_f, g_e, g_m, total, chi2_constant, half_range, kappa, tau, rank):
    """Without derivatives: chi2_low, sum_k ln max(1, D_k / 1.25) and the annealed key.

    ``square`` is A^2 + B^2; it is added to s, for what a turn of the orbit found would change.
    For arrays that broadcast or, compiled, for numbers.
    """
    typical = np.minimum(np.maximum(square, half_range**2), 9 * half_range**2)
    scale = (np.minimum(chi2 / chi2_constant, 1.0) * typical + square) * total
    cap = (np.sqrt(chi2_constant) + 1) ** 2
    d_f, d_e, d_m = scale * g_f, scale * g_e, scale * g_m
    length = np.sqrt(np.minimum(d_f, cap) + np.minimum(d_e, cap) + np.minimum(d_m, cap))
    root = np.sqrt(chi2)
    low = np.maximum(root - kappa * length, 0.0) ** 2
    least = NEEDLE * NEEDLE
    d_f, d_e, d_m = (
        np.maximum(d_f / least, 1.0),
        np.maximum(d_e / least, 1.0),
        np.maximum(d_m / least, 1.0),
    )
    if rank < 2:
        product = np.maximum(np.maximum(d_f, d_e), d_m) ** rank
    elif rank < 3:
        product = d_f * d_e * d_m / np.minimum(np.minimum(d_f, d_e), d_m)
    else:
        product = d_f * d_e * d_m
    soft = tau * tau
    softened = 0.5 * np.log(
        np.maximum(d_f / soft, 1.0) * np.maximum(d_e / soft, 1.0) * np.maximum(d_m / soft, 1.0)
    )
    volume = 0.5 * np.log(product)
    return low, volume, -softened - 0.5 * (np.maximum(root - 0.5 * length, 0.0) / tau) ** 2


def best_scatter(data, steps, step, chi2, low):
    """The most that ln p rises over the scatter of a cell; ``steps`` has shape (5, cell)."""
    risen = 0.5 * (chi2 - low * data.total[steps] / data.total[step])
    return (risen + 0.5 * (data.log_variance[step] - data.log_variance[steps])).max(axis=0)


def annealing(data, step):
    """By how much errors are inflated, so that a signal-to-noise of 4 is left."""
    return np.maximum(1.0, np.sqrt(data.chi2_constant[step] / len(data.time)) / 4)


def tight(data, found, step, steps, half, e_high, g, d_scatter, log_mass, kappa):
    """Bounds with derivatives.

    Parameters
    ----------
    data : `~astro_hier.core.eccentric_kernel.KeplerData`
    found : `~astro_hier.core.eccentric_kernel.Evaluated`
        At the cells' centres, with slopes.
    step, steps : ndarray
        Numbers of the scatter there, and at `STEPS` of the cell, shape (5, cell).
    half : ndarray
        h_f, h_e and h_m, shape (3, cell).
    e_high, g, d_scatter, log_mass : ndarray
        The largest eccentricity, G of shape (3, cell), the half-width in scatter in standard
        deviations, and ln of the prior mass.
    kappa : float

    Returns
    -------
    Bounds
    """
    total, constant = data.total[step], data.chi2_constant[step]
    theta2, kappa = g.sum(axis=0), margin(kappa, e_high)
    square = found.a**2 + found.b**2
    typical = np.clip(square, data.half_range**2, 9 * data.half_range**2)
    scale = np.minimum(found.chi2 / constant, 1) * typical * total
    own = np.maximum(found.curvature[:, :3].T * half**2, 0)
    gain = np.minimum(_promised(found, half, own), found.chi2)
    bent = scale * np.minimum(1, theta2)
    curved = np.sqrt(np.maximum(found.chi2 - gain, 0)) - kappa * np.sqrt(bent * theta2)
    d = np.minimum(np.sqrt(own + scale * g), np.sqrt(constant) + 1)
    length, root = np.sqrt(np.sum(d**2, axis=0)), np.sqrt(found.chi2)
    low = np.maximum(np.maximum(curved, root - kappa * length), 0) ** 2
    rise = best_scatter(data, steps, step, found.chi2, low)
    widest = np.sort(np.log(np.maximum(1, d / NEEDLE)), axis=0)[3 - data.rank :]
    volume = widest.sum(axis=0) + np.log(np.maximum(1, d_scatter / NEEDLE))
    tau = annealing(data, step)
    split = np.sqrt(own + bent * g)
    anneal = -np.log(np.maximum(1, split / tau / NEEDLE)).sum(axis=0)
    anneal -= 0.5 * (np.maximum(root - 0.5 * length, 0) / tau) ** 2
    widths = np.vstack([split, d_scatter])
    upper = log_mass + found.log_p + rise - volume
    return Bounds(upper, log_mass + anneal, widths.max(axis=0), widths.argmax(axis=0))


def _promised(found, half, own):
    """How far chi2 falls by the Gauss-Newton model: its minimum, or its slope along all axes."""
    slope = found.slope.T * half
    linear = 2 * np.abs(slope).sum(axis=0)
    a, b, c = own + (1e-9 + 1e-6 * own.sum(axis=0))
    _, _, _, ab, ac, bc = found.curvature.T
    ab, ac, bc = ab * half[0] * half[1], ac * half[0] * half[2], bc * half[1] * half[2]
    x, y, z = slope
    aa, bb, cc = b * c - bc**2, a * c - ac**2, a * b - ab**2
    determinant = a * aa - ab * (ab * c - bc * ac) + ac * (ab * bc - b * ac)
    cross = (ac * bc - ab * c) * x * y + (ab * bc - ac * b) * x * z + (ab * ac - a * bc) * y * z
    newton = (aa * x**2 + bb * y**2 + cc * z**2 + 2 * cross) / np.maximum(determinant, 1e-300)
    sound = np.isfinite(newton) & (newton > 0)
    return np.minimum(linear, np.where(sound, newton, found.chi2))
