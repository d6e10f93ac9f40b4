"""Slow, independent references that the fast paths are held to."""

from itertools import pairwise

import mpmath
import numpy as np
from scipy import integrate
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import brentq
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm, t, truncnorm


def log_marginal_star(parallax, error, mu_r, std_r):
    """ln p(parallax | mu_r, std_r) by adaptive quadrature between and beyond all modes."""

    def exponent(x):
        r = np.exp(x)
        return -0.5 * ((r - mu_r) / std_r) ** 2 - 0.5 * ((1 / r - parallax) / error) ** 2 + x

    def slope(x):
        r = np.exp(x)
        return -(r - mu_r) / std_r * r / std_r + (1 / r - parallax) / error / r / error + 1

    # modes: falling zeros of the slope, on a grid that is fine about both centres
    centres = [np.log(mu_r), *([-np.log(parallax)] if parallax > 0 else [])]
    fine = [c + 1e-9 * np.sinh(np.linspace(-20, 20, 4001)) for c in centres]
    grid = np.unique(np.concatenate([np.linspace(np.log(1e-7), np.log(1e3), 20001), *fine]))
    with np.errstate(over="ignore"):
        slopes = slope(grid)
    falling = np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))
    modes = [brentq(slope, grid[i], grid[i + 1], xtol=1e-15, rtol=1e-15) for i in falling]
    highest = max(exponent(m) for m in modes)

    def edge(mode, direction):
        distance = 1e-9
        while highest - exponent(mode + direction * distance) < 50:
            distance *= 1.2
        return mode + direction * distance

    arcs = []
    for mode in sorted(m for m in modes if highest - exponent(m) < 50):
        low, high = edge(mode, -1), edge(mode, 1)
        if arcs and low <= arcs[-1][1]:
            arcs[-1][1] = max(high, arcs[-1][1])
        else:
            arcs.append([low, high])
    total = error_estimate = 0
    for low, high in arcs:
        breaks = [m for m in modes if low < m < high]
        points = np.unique(np.concatenate([np.linspace(low, high, 33), breaks]))
        for a, b in pairwise(points):
            # with full_output rounding, which large exponents suffer, gives no warning: the
            # error estimate tells
            value, estimate, *_ = integrate.quad(
                lambda x: np.exp(exponent(x) - highest),
                a,
                b,
                epsabs=1e-13 * (high - low),
                epsrel=1e-11,
                full_output=1,
            )
            total += value
            error_estimate += estimate
    assert error_estimate < 1e-7 * total
    return np.log(total) + highest - np.log(2 * np.pi * std_r * error) - norm.logcdf(mu_r / std_r)


def log_marginal_grid(parallax, error, mu_r, std_r, points=600):
    """Sum over stars of ln p(parallax | mu_r, std_r) for arrays of hyperparameters.

    The trapezoid rule in r, on the union of points equally spaced in the population and points
    equally spaced in the likelihood: right to about 1e-4 a star, whatever is narrower.
    """
    t = np.linspace(-8, 8, points)
    result = np.zeros(len(mu_r))
    blocks = np.array_split(np.arange(len(mu_r)), len(mu_r) // 100 + 1)
    for p, e in zip(parallax, error, strict=True):
        inverse = p + e * t
        likely = 1 / inverse[inverse > 0]
        for of in blocks:
            mu, std = mu_r[of, None], std_r[of, None]
            r = np.hstack([mu + std * t, np.broadcast_to(likely, (len(of), len(likely)))])
            # points left out stand on the end, where they have no weight
            r = np.sort(np.clip(r, np.maximum(mu - 8 * std, 1e-12), mu + 8 * std), axis=1)
            density = np.exp(-0.5 * (((r - mu) / std) ** 2 + ((p - 1 / r) / e) ** 2))
            with np.errstate(divide="ignore"):
                integral = np.log(integrate.trapezoid(density, r, axis=1))
            log_norm = np.log(2 * np.pi * std[:, 0] * e) + norm.logcdf(mu_r[of] / std_r[of])
            result[of] += integral - log_norm
    return result


def cluster_posterior(parallax, error, mu_r, ln_std_r, log_prior):
    """Means and sds of mu_r and ln_std_r, and log evidence, on a grid of the hyperparameters.

    ``mu_r`` and ``ln_std_r`` are equally spaced; ``log_prior(mu_r, ln_std_r)`` is normalised.
    """
    mu, ln_std = (g.ravel() for g in np.meshgrid(mu_r, ln_std_r, indexing="ij"))
    log_density = log_prior(mu, ln_std)
    log_density += log_marginal_grid(parallax, error, mu, np.exp(ln_std))
    highest = log_density.max()
    shape = len(mu_r), len(ln_std_r)
    weight = np.exp(log_density - highest).reshape(shape)
    weight[[0, -1]] /= 2
    weight[:, [0, -1]] /= 2
    total = weight.sum()
    moments = []
    for values in (mu.reshape(shape), ln_std.reshape(shape)):
        mean = (weight * values).sum() / total
        moments += [mean, np.sqrt((weight * (values - mean) ** 2).sum() / total)]
    cell = (mu_r[1] - mu_r[0]) * (ln_std_r[1] - ln_std_r[0])
    return (*moments, np.log(total * cell) + highest)


def log_marginal_orbit(time, rv, rv_error, frequency, mean, sd):
    """ln p(rv | frequency) with 40 digits, the linear parameters integrated out.

    The identities of Woodbury and Sylvester turn the normal density of covariance
    C + M Lambda M^T into sums over visits and a system of three equations.
    """
    with mpmath.workdps(40):
        A, d = mpmath.diag([mpmath.mpf(s) ** -2 for s in sd]), mpmath.matrix(3, 1)
        chi2 = log_determinant = mpmath.mpf(0)
        for i in range(3):
            d[i] = A[i, i] * mpmath.mpf(mean[i])
            chi2 += d[i] * mpmath.mpf(mean[i])
            log_determinant -= mpmath.log(A[i, i])
        for t, v, e in zip(time, rv, rv_error, strict=True):
            phase = 2 * mpmath.pi * mpmath.mpf(frequency) * mpmath.mpf(t)
            row = mpmath.matrix([mpmath.cos(phase), mpmath.sin(phase), 1])
            weight = mpmath.mpf(e) ** -2
            A += weight * (row * row.T)
            d += weight * mpmath.mpf(v) * row
            chi2 += weight * mpmath.mpf(v) ** 2
            log_determinant += mpmath.log(2 * mpmath.pi / weight)
        chi2 -= (d.T * mpmath.lu_solve(A, d))[0]
        return float(-(chi2 + log_determinant + mpmath.log(mpmath.det(A))) / 2)


def log_marginal_orbit_by_covariance(time, rv, rv_error, frequency, mean, sd):
    """The same as the density of a normal distribution with its full covariance."""
    phase = 2 * np.pi * frequency * time
    M = np.column_stack([np.cos(phase), np.sin(phase), np.ones_like(phase)])
    covariance = np.diag(rv_error**2) + (M * sd**2) @ M.T
    return multivariate_normal(M @ mean, covariance).logpdf(rv)


def orbit_triangle(time, rv, rv_error, frequency, mean, sd, columns=()):
    """ln p(rv | frequency), and triangles of the equations of a, b, v0, ... at each frequency.

    By Householder reflections of the visits with the priors as more of them, for arrays of
    frequencies, which are the last axis. The last column of a triangle is the right-hand side.
    ``columns`` are those of parameters besides a, b and v0.
    """
    phase = 2 * np.pi * np.multiply.outer(time, frequency)
    size, shape = len(sd), (len(sd), len(frequency))
    rows = np.empty((len(time) + size, size + 1, len(frequency)))
    rows[: len(time)] = (rv / rv_error)[:, None, None]
    rows[len(time) :] = (mean / sd)[:, None, None]
    for i, column in enumerate((np.cos(phase), np.sin(phase), np.ones_like(phase), *columns)):
        column = column if np.ndim(column) == 2 else np.asarray(column)[:, None]
        rows[: len(time), i] = column / rv_error[:, None]
        rows[len(time) :, i] = np.broadcast_to(np.diag(1 / sd)[:, i, None], shape)
    for k in range(size + 1):
        below = rows[k:, k:]
        mirror = below[:, 0].copy()
        mirror[0] += np.copysign(np.sqrt(np.sum(mirror**2, axis=0)), mirror[0])
        along = 2 * np.einsum("nf,ncf->cf", mirror, below) / np.sum(mirror**2, axis=0)
        below -= mirror[:, None] * along
    diagonal = np.array([rows[k, k] for k in range(size)])
    log_det = 2 * np.log(np.abs(diagonal)).sum(axis=0)
    log_norm = np.sum(np.log(2 * np.pi * rv_error**2)) + 2 * np.sum(np.log(sd))
    return -0.5 * (rows[size, size] ** 2 + log_det + log_norm), rows[:size]


def orbit_sums(time, rv, rv_error, frequency, mean, sd, columns=()):
    """ln p(rv | frequency), and mean and covariance of a, b, v0, ... given each frequency."""
    log_p, triangle = orbit_triangle(time, rv, rv_error, frequency, mean, sd, columns)
    triangle = np.moveaxis(triangle, -1, 0)
    inverse = np.linalg.inv(np.triu(triangle[:, :, :-1]))
    linear = np.einsum("fij,fj->fi", inverse, triangle[:, :, -1])
    return log_p, linear, inverse @ np.swapaxes(inverse, 1, 2)


def orbit_posterior(visits, ends, prior_of_period, mean, sd, count, columns=(), jitter=None):
    """Mean and sd of P, a, b, v0, ... by brute force over ``count`` equal steps of the frequency.

    ``columns`` maps further linear parameters to their columns; ``jitter`` is a `scipy.stats` prior
    of the scatter and equally spaced values of ln s. The last item is the log evidence, "evidence".
    """
    time, rv, rv_error = visits
    frequency = np.linspace(1 / ends[1], 1 / ends[0], count)
    prior, ln_s = jitter or (None, np.array([-np.inf]))
    parts = []
    for s in np.exp(ln_s):
        # of equal steps in frequency and ln s, as a density in P and s
        log_prior = 0.0 if prior is None else prior.logpdf(s) + np.log(s * (ln_s[1] - ln_s[0]))
        for block in np.array_split(frequency, max(count // 2000, 1)):
            found = orbit_sums(
                time, rv, np.hypot(rv_error, s), block, mean, sd, tuple(dict(columns).values())
            )
            measure = prior_of_period.logpdf(1 / block) - 2 * np.log(block)
            parts.append((found[0] + log_prior + measure, *found[1:], 1 / block, block * 0 + s))
    log_p, linear, covariance, P, s = (np.concatenate(x) for x in zip(*parts, strict=True))
    weight = np.exp(log_p - log_p.max())
    evidence = np.log(weight.sum() * (frequency[1] - frequency[0])) + log_p.max()
    weight /= weight.sum()
    moments = {}
    for name, values in (("P", P), ("jitter", s)):
        center = weight @ values
        moments[name] = center, np.sqrt(weight @ (values - center) ** 2)
    if prior is None:
        del moments["jitter"]
    for i, name in enumerate(("a", "b", "v0", *dict(columns))):
        center = weight @ linear[:, i]
        spread = weight @ (covariance[:, i, i] + (linear[:, i] - center) ** 2)
        moments[name] = center, np.sqrt(spread)
    return moments | {"evidence": evidence}


def population_posterior(stars, mu, lnsigma, ends, mean, sd, count, jitter=None):
    """Mean and sd of mu and lnsigma by brute force in ln P and on a grid of both.

    ``stars`` are tuples of time, rv, rv_error; ``mu`` and ``lnsigma`` are equally spaced over a
    range of flat prior density that holds the posterior; ``jitter`` is a `scipy.stats` prior of
    each star's scatter and equally spaced values of ln s.
    """
    low, high = np.log(ends)
    step = (high - low) / count
    lnP = low + step * (np.arange(count) + 0.5)
    likelihood = np.empty((count, len(stars)))
    prior, ln_s = jitter or (None, np.array([-np.inf]))
    for n, (time, rv, rv_error) in enumerate(stars):
        blocks = np.array_split(lnP, count // 2000)
        log_likelihood = np.full(count, -np.inf)
        for s in np.exp(ln_s):
            of_s = 0.0 if prior is None else prior.logpdf(s) + np.log(s * (ln_s[1] - ln_s[0]))
            visits = time, rv, np.hypot(rv_error, s)
            found = [orbit_triangle(*visits, np.exp(-block), mean, sd)[0] for block in blocks]
            log_likelihood = np.logaddexp(log_likelihood, of_s + np.concatenate(found))
        likelihood[:, n] = np.exp(log_likelihood - log_likelihood.max())
    log_p = np.zeros((len(mu), len(lnsigma)))
    used = np.any(likelihood > 1e-14, axis=1)
    lnP, likelihood = lnP[used], likelihood[used]
    for j, sigma in enumerate(np.exp(lnsigma)):
        density = np.exp(-0.5 * ((lnP - mu[:, None]) / sigma) ** 2) / sigma
        with np.errstate(divide="ignore"):
            log_p[:, j] = np.log(density @ likelihood).sum(axis=1)
    weight = np.exp(log_p - log_p.max())
    weight /= weight.sum()
    moments = {}
    for name, axis, values in (("mu", 1, mu), ("lnsigma", 0, lnsigma)):
        marginal = weight.sum(axis=axis)
        center = marginal @ values
        moments[name] = center, np.sqrt(marginal @ (values - center) ** 2)
    return moments


def log_marginal_member(value, error, v_sys, spread, points=801):
    """ln p(value | v_sys, spread) by the trapezoid rule over a member's true value.

    Right to 1e-6 where the error is no less than a twentieth of ``spread`` and the value is within
    ten of it.
    """
    t = np.linspace(-16, 16, points)
    away = (value - v_sys[..., None] - spread[..., None] * t) / error
    density = np.exp(-0.5 * (t**2 + away**2)).sum(axis=-1) * (t[1] - t[0])
    with np.errstate(divide="ignore"):
        return np.log(density / (2 * np.pi * error))


def velocity_posterior(value, error, v_sys, ln_sigma_v, scale=1.0, background=None):
    """Means and sds of v_sys and ln_sigma_v on a grid, their prior flat; and log evidence.

    ``scale`` is how much larger the scatter of the values is than that of v, an array for the
    values of ``v_sys`` or a number. ``background`` is the mean and sd of values of rows that are
    not members and an array of their share, whose prior is Beta(1, 9).
    """
    scale = np.broadcast_to(scale, v_sys.shape)
    centre, ln_sigma = np.meshgrid(v_sys, ln_sigma_v, indexing="ij")
    spread = scale[:, None] * np.exp(ln_sigma)
    mean, sd, share = background or (0.0, 1.0, np.zeros(1))
    log_p = np.zeros((*centre.shape, len(share))) + 8 * np.log1p(-share)
    for y, e in zip(value, error, strict=True):
        member = np.exp(log_marginal_member(y, e, centre, spread))[..., None]
        other = norm.pdf(y, mean, np.sqrt(sd**2 + e**2))
        with np.errstate(divide="ignore"):
            log_p += np.log((1 - share) * member + share * other)
    weight = np.exp(log_p - log_p.max())
    for axis, n in enumerate(weight.shape):
        if n > 1:
            ends = np.moveaxis(weight, axis, 0)
            ends[[0, -1]] /= 2
    cell = 1.0 if len(share) == 1 else 9 * (share[1] - share[0])
    # the flat prior's density over the grid is one over its lengths
    cell /= (len(v_sys) - 1) * (len(ln_sigma_v) - 1)
    evidence = np.log(weight.sum() * cell) + log_p.max()
    weight /= weight.sum()
    moments = {}
    values = {"v_sys": v_sys, "ln_sigma_v": ln_sigma_v, "outlier_fraction": share}
    for axis, (name, points) in enumerate(values.items()):
        marginal = weight.sum(axis=tuple({0, 1, 2} - {axis}))
        center = marginal @ points
        moments[name] = center, np.sqrt(marginal @ (points - center) ** 2)
    if background is None:
        del moments["outlier_fraction"]
    return moments, evidence


def log_marginal_options(parallax, error, mu_r, components, offset=0.0, outliers=None):
    """ln p(parallax | theta) of one star with all options, by Gaussian quadrature in r.

    ``components`` are pairs of weight and standard deviation of the distances, ``outliers`` are
    the fraction, mean and sd of those that are not members. For parallaxes well above zero.
    """

    def joint(r):
        density = sum(w * truncnorm.pdf(r, -mu_r / s, np.inf, mu_r, s) for w, s in components)
        return density * norm.pdf(parallax, 1 / r + offset, error)

    # between half standard deviations of every component and of the likelihood, and in between,
    # where the product of two tails has its peak
    t = np.linspace(-9, 9, 37)
    inverse = parallax - offset + error * t
    far = np.linspace(*np.sort([mu_r, 1 / (parallax - offset)]), 400)
    narrow = [mu_r + s * t for _, s in components]
    breaks = np.concatenate([*narrow, 1 / inverse[inverse > 0], far])
    breaks = np.unique(breaks[(breaks > 1e-4) & (breaks < 50)])
    x, weights = np.polynomial.legendre.leggauss(20)
    half, middle = 0.5 * np.diff(breaks)[:, None], 0.5 * (breaks[1:] + breaks[:-1])[:, None]
    total = np.sum(joint(middle + half * x) * weights * half)
    if outliers is None:
        return np.log(total)
    fraction, mean, sd = outliers
    other = norm.pdf(parallax, mean, np.sqrt(sd**2 + error**2))
    return np.log((1 - fraction) * total + fraction * other)


def cluster_likelihood_grid(
    parallax, error, r, mu_r, ln_std_r, offset=((0.0,),), scale=(1.0,), halo=(0.0,), ratio=1.0,
    fraction=(0.0,), background=(0.0, 1.0),
):  # fmt: skip
    """ln p(parallax | theta) on a grid, of shape (mu_r, ln_std_r, offset, scale, halo, fraction).

    The rectangle rule over equally spaced ``r``, which must resolve the population and each
    likelihood. ``offset`` has one row a star, or one for all.
    """
    mu, std = (g.ravel()[:, None] for g in np.meshgrid(mu_r, np.exp(ln_std_r), indexing="ij"))
    core, wide = (
        truncnorm.pdf(r, -mu / s, np.inf, mu, s) * (r[1] - r[0]) for s in (std, std * ratio)
    )
    offset = np.broadcast_to(offset, (len(parallax), np.shape(offset)[1]))
    halo, fraction = np.asarray(halo)[:, None], np.asarray(fraction)
    total = 0.0
    for p, e, shifts in zip(parallax, error, offset, strict=True):
        sd = e * np.asarray(scale)
        likely = norm.pdf(p, 1 / r[:, None, None] + shifts[:, None], sd).reshape(len(r), -1)
        inner, outer = ((part @ likely)[..., None, None] for part in (core, wide))
        member = (1 - halo) * inner + halo * outer
        other = norm.pdf(p, background[0], np.hypot(background[1], sd))
        other = np.tile(other, len(shifts))[:, None, None]
        with np.errstate(divide="ignore"):
            total = total + np.log((1 - fraction) * member + fraction * other)
    shape = len(mu_r), len(ln_std_r), offset.shape[1], len(scale), len(halo), len(fraction)
    return total.reshape(shape)


def grid_moments(axes, log_density):
    """Mean and sd by name of each axis of a grid of equally spaced points."""
    weight = np.exp(log_density - log_density.max())
    moments = {}
    for i, (name, values) in enumerate(axes.items()):
        along = weight.sum(axis=tuple(j for j in range(weight.ndim) if j != i))
        mean = along @ values / along.sum()
        moments[name] = mean, np.sqrt(along @ (values - mean) ** 2 / along.sum())
    return moments


def correlated_cluster_posterior(parallax, error, covariance, mu_r, ln_std_r, log_prior):
    """Means and sds of mu_r and ln_std_r where errors have a dense covariance besides their own.

    1/r is taken to second order about mu_r, and the parallaxes as jointly normal: for clusters
    whose depth is small compared with their distance.
    """
    log_density = np.empty((len(mu_r), len(ln_std_r)))
    for i, mu in enumerate(mu_r):
        for j, std in enumerate(np.exp(ln_std_r)):
            total = covariance + np.diag(error**2 + std**2 / mu**4)
            residual = parallax - (1 / mu + std**2 / mu**3)
            factor = cho_factor(total, lower=True)
            log_density[i, j] = -0.5 * residual @ cho_solve(factor, residual)
            log_density[i, j] -= np.sum(np.log(np.diag(factor[0])))
            log_density[i, j] += log_prior(mu, ln_std_r[j])
    return grid_moments({"mu_r": mu_r, "ln_std_r": ln_std_r}, log_density)


def evidence_of_labels(value, error, members, log_prior, rng, points=400_000):
    """ln of the evidence of one labelling of two groups: who the members are is given.

    By importance sampling about the labelled groups, in (mean, ln sd) of members and of others and
    the logit of the others' share, from Student t distributions of 3 degrees of freedom, twice as
    wide as the errors of mean and sd are. ``members`` is a boolean array; ``log_prior`` is that of
    v_sys, ln_sigma_v, outlier_fraction, outlier_mean and outlier_sd. Right where the groups lie so
    far apart that no other labelling is near.
    """
    centre, width = [], []
    for of in (members, ~members):
        sd = np.sqrt(max(np.var(value[of]) - np.mean(error[of] ** 2), 0.1))
        blurred = np.hypot(sd, np.mean(error[of]))
        centre += [value[of].mean(), np.log(sd)]
        width += [2 * blurred / np.sqrt(of.sum()), 2 * (blurred / sd) ** 2 / np.sqrt(2 * of.sum())]
    others = np.mean(~members)
    centre.append(np.log(others / (1 - others)))
    width.append(2 / np.sqrt(len(value) * others * (1 - others)))
    x = np.array(centre) + np.array(width) * t.rvs(3, size=(points, 5), random_state=rng)
    log_proposal = t.logpdf(x, 3, centre, width).sum(axis=1)
    v_sys, ln_sigma_v, mean, ln_sd, logit = x.T
    share = 1 / (1 + np.exp(-logit))
    log_p = log_prior(v_sys, ln_sigma_v, share, mean, np.exp(ln_sd))
    log_p += ln_sd + np.log(share * (1 - share))  # of the transforms
    for y, e in zip(value, error, strict=True):
        log_p += np.logaddexp(
            np.log1p(-share) + norm.logpdf(y, v_sys, np.hypot(np.exp(ln_sigma_v), e)),
            np.log(share) + norm.logpdf(y, mean, np.hypot(np.exp(ln_sd), e)),
        )
    weight = log_p - log_proposal
    return logsumexp(weight) - np.log(points)
