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

import numpy as np

NEEDLE = 1.25
STEEP = 1.5  # kappa at high eccentricity
STEEP_FROM, STEEP_RANGE = 0.7, 0.2
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of a cell's scatter, at which the bound is scaled


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


def loose(chi2, square, g_f, g_e, g_m, total, chi2_constant, half_range, kappa):
    """Without derivatives: chi2_low, D_f^2, D_e^2 and D_m^2, the root of their sum.

    ``square`` is A^2 + B^2; it is added to s, for what a turn of the orbit found would change.
    For arrays that broadcast or, compiled, for numbers, as all functions down to `annealed`.
    """
    typical = np.minimum(np.maximum(square, half_range**2), 9 * half_range**2)
    scale = (np.minimum(chi2 / chi2_constant, 1.0) * typical + square) * total
    cap = (np.sqrt(chi2_constant) + 1) ** 2
    d_f, d_e, d_m = scale * g_f, scale * g_e, scale * g_m
    length = np.sqrt(np.minimum(d_f, cap) + np.minimum(d_e, cap) + np.minimum(d_m, cap))
    low = np.maximum(np.sqrt(chi2) - kappa * length, 0.0) ** 2
    return low, d_f, d_e, d_m, length


def close(
    chi2, square, own_f, own_e, own_m, gain, g_f, g_e, g_m, total, chi2_constant, half_range, kappa
):
    """With derivatives: chi2_low, D^2 by each axis, the root of their sum, and what splits.

    ``own`` is the curvature and ``gain`` what its model promises, see `promised`. The last three
    numbers are those that decide along which axis a cell is split.
    """
    typical = np.minimum(np.maximum(square, half_range**2), 9 * half_range**2)
    scale = np.minimum(chi2 / chi2_constant, 1.0) * typical * total
    theta2 = g_f + g_e + g_m
    bent = scale * np.minimum(1.0, theta2)
    root = np.sqrt(chi2)
    curved = np.sqrt(np.maximum(chi2 - gain, 0.0)) - kappa * np.sqrt(bent * theta2)
    cap = (np.sqrt(chi2_constant) + 1) ** 2
    d_f = np.minimum(own_f + scale * g_f, cap)
    d_e = np.minimum(own_e + scale * g_e, cap)
    d_m = np.minimum(own_m + scale * g_m, cap)
    length = np.sqrt(d_f + d_e + d_m)
    low = np.maximum(np.maximum(curved, root - kappa * length), 0.0) ** 2
    split = own_f + bent * g_f, own_e + bent * g_e, own_m + bent * g_m
    return low, d_f, d_e, d_m, length, *split


def promised(chi2, x, y, z, ff, ee, mm, fe, fm, em):
    """How far chi2 falls by the Gauss-Newton model: its minimum, or its slope along all axes.

    Slopes and curvatures are in half-widths of the cell.
    """
    linear = 2 * (np.abs(x) + np.abs(y) + np.abs(z))
    ridge = 1e-9 + 1e-6 * (ff + ee + mm)
    a, b, c = ff + ridge, ee + ridge, mm + ridge
    aa, bb, cc = b * c - em * em, a * c - fm * fm, a * b - fe * fe
    determinant = a * aa - fe * (fe * c - em * fm) + fm * (fe * em - b * fm)
    cross = (fm * em - fe * c) * x * y + (fe * em - fm * b) * x * z + (fe * fm - a * em) * y * z
    newton = aa * x * x + bb * y * y + cc * z * z + 2 * cross
    newton = np.where(newton > 0, newton / np.maximum(determinant, 1e-300), chi2)
    return np.minimum(np.minimum(linear, newton), chi2)


def filled(d_f, d_e, d_m, rank):
    """Sum of ln max(1, D / 1.25) over the largest ``rank`` of D^2."""
    least = NEEDLE * NEEDLE
    d_f = np.maximum(d_f / least, 1.0)
    d_e = np.maximum(d_e / least, 1.0)
    d_m = np.maximum(d_m / least, 1.0)
    if rank < 2:
        product = np.maximum(np.maximum(d_f, d_e), d_m) ** rank
    elif rank < 3:
        product = d_f * d_e * d_m / np.minimum(np.minimum(d_f, d_e), d_m)
    else:
        product = d_f * d_e * d_m
    return 0.5 * np.log(product)


def annealed(d_f, d_e, d_m, length, chi2, least, tau):
    """The bound of D^2 over ``least`` as if errors were ``tau`` times larger."""
    soft = tau * tau * least
    product = np.maximum(d_f / soft, 1.0) * np.maximum(d_e / soft, 1.0)
    root = np.maximum(np.sqrt(chi2) - 0.5 * length, 0.0) / tau
    return -0.5 * (np.log(product * np.maximum(d_m / soft, 1.0)) + root * root)


def best_scatter(data, steps, step, chi2, low):
    """The most that ln p rises over the scatter of a cell; ``steps`` has shape (5, cell)."""
    risen = 0.5 * (chi2 - low * data.total[steps] / data.total[step])
    return (risen + 0.5 * (data.log_variance[step] - data.log_variance[steps])).max(axis=0)


def annealing(data, step):
    """By how much errors are inflated, so that a signal-to-noise of 4 is left."""
    return np.maximum(1.0, np.sqrt(data.chi2_constant[step] / len(data.time)) / 4)
