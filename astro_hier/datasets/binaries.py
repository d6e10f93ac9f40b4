"""Simulated radial velocities of one binary and of a population of them."""

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy import stats

from astro_hier.core import kepler
from astro_hier.given import RandomState, generator

__all__ = ["make_binaries", "make_binary"]

KMS = u.km / u.s
LARGEST = 0.999  # eccentricity


@u.quantity_input(P="time", K="speed", v0="speed", omega="angle", baseline="time", rv_error="speed")
def make_binary(
    n_visits: int = 16,
    *,
    P: u.Quantity = 7.3 * u.day,
    K: u.Quantity = 15 * KMS,
    phase: float = 0.3,
    v0: u.Quantity = -20 * KMS,
    e: float = 0.0,
    omega: u.Quantity = 0 * u.rad,
    baseline: u.Quantity = 300 * u.day,
    rv_error: u.Quantity = 0.3 * KMS,
    random_state: RandomState = None,
) -> QTable:
    """Radial velocities of a single-lined binary.

    Parameters
    ----------
    n_visits : int, optional
        Number of visits, at random times over ``baseline``.
    P, K, v0 : `~astropy.units.Quantity`, optional
        Period, semi-amplitude and systemic velocity.
    phase : float, optional
        Phase of the first visit, as a fraction of the orbit: after the highest velocity or, on an
        eccentric orbit, after periastron.
    e : float, optional
        Eccentricity.
    omega : `~astropy.units.Quantity`, optional
        Argument of periastron of the star on an eccentric orbit.
    baseline : `~astropy.units.Quantity`, optional
        Time from the first visit to the last.
    rv_error : `~astropy.units.Quantity`, optional
        Standard error of each velocity.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns time (d), rv and rv_error (km/s); ``meta["truth"]`` holds P, a, b, v0 and K or, on
        an eccentric orbit, P, e, omega, t_peri (before the first visit), v0 and K.

    Examples
    --------
    >>> from astro_hier import datasets
    >>> visits = datasets.make_binary(5, random_state=1)
    >>> visits.colnames
    ['time', 'rv', 'rv_error']
    >>> visits.meta["truth"]["P"]
    <Quantity 7.3 d>
    """
    rng = generator(random_state)
    inner = rng.uniform(size=max(n_visits - 2, 0))
    time = np.sort(np.concatenate([[0.0, 1.0][: min(n_visits, 2)], inner])) * baseline.to(u.day)
    if e:
        truth = {"P": P, "e": e, "omega": omega, "t_peri": -phase * P, "v0": v0, "K": K}
        exact = v0 + kepler.velocity(
            time.value, P.to_value(u.day), e, truth["t_peri"].to_value(u.day), K,
            omega.to_value(u.rad),
        )  # fmt: skip
    else:
        a, b = K * np.cos(2 * np.pi * phase), -K * np.sin(2 * np.pi * phase)
        angle = (2 * np.pi * time / P).to_value(u.one)
        exact = a * np.cos(angle) + b * np.sin(angle) + v0
        truth = {"P": P, "a": a, "b": b, "v0": v0, "K": K}
    error = np.full(n_visits, rv_error.to_value(KMS))
    rv = rng.normal(exact.to_value(KMS), error) * KMS
    return QTable({"time": time, "rv": rv, "rv_error": error * KMS}, meta={"truth": truth})


@u.quantity_input(amplitude="speed", v0_sd="speed", baseline="time")
def make_binaries(
    n_stars: int = 14,
    n_visits: int | Sequence[int] = 12,
    *,
    mu: float = 1.8,
    sigma: float = 0.7,
    eccentricity: tuple[float, float] | None = None,
    companion_fraction: float = 1.0,
    amplitude: u.Quantity = 20 * KMS,
    v0_sd: u.Quantity = 50 * KMS,
    baseline: u.Quantity = 1000 * u.day,
    rv_error: u.Quantity = 0.3 * KMS,
    random_state: RandomState = None,
) -> QTable:
    """Radial velocities of a population of single-lined binaries, and of stars without companions.

    Parameters
    ----------
    n_stars : int, optional
        Number of stars.
    n_visits : int or tuple of int, optional
        Number of visits to each star, at random times over ``baseline``; or the least and the most,
        between which all numbers are equally probable.
    mu, sigma : float, optional
        Mean and standard deviation of ln(P / d), which is normally distributed.
    eccentricity : tuple of float, optional
        Shape parameters alpha and beta of the Beta distribution of the eccentricities, cut at
        0.999; omega and phases are uniformly distributed. By default orbits are circular.
    companion_fraction : float, optional
        Probability that a star has a companion. The others have constant velocities.
    amplitude, v0_sd : `~astropy.units.Quantity`, optional
        Standard deviations of both amplitudes (a and b of a circle, K cos(omega) and K sin(omega)
        of an ellipse), and of v0, which are normally distributed about zero.
    baseline : `~astropy.units.Quantity`, optional
        Length of the survey.
    rv_error : `~astropy.units.Quantity` or tuple of it, optional
        Standard error of each velocity; or the least and the largest, between which the ln of each
        star's error is uniformly distributed.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.

    Returns
    -------
    `~astropy.table.QTable`
        Columns star ("star-0000", ...), time (d), rv and rv_error (km/s); ``meta["truth"]`` holds
        mu, lnsigma, sigma and, for each star, lnP, P, a, b, v0 and K. With ``eccentricity`` it
        holds alpha_e and beta_e and, for each star, e, omega and t_peri in place of a and b: t_peri
        counts from the star's first visit, and is the passage nearest the mean time of its visits.
        With a ``companion_fraction`` below one it holds that and, for each star, companion, whether
        it has one. Without a companion K, a and b are zero, and P, e, omega and t_peri are those
        that it would have.

    Raises
    ------
    ValueError
        If a number is not in its range, or the first of two is larger than the second.

    Examples
    --------
    >>> from astro_hier import datasets
    >>> visits = datasets.make_binaries(3, 4, random_state=1)
    >>> len(visits), visits.colnames
    (12, ['star', 'time', 'rv', 'rv_error'])
    """
    rng = generator(random_state)
    visits, errors = _two("n_visits", n_visits, 1), _two("rv_error", _in_kms(rv_error), 0)
    lnP = rng.normal(mu, sigma, n_stars)
    a, b = rng.normal(0, amplitude.to_value(KMS), (2, n_stars))
    v0 = rng.normal(0, v0_sd.to_value(KMS), n_stars)
    companion = _companions(n_stars, companion_fraction, rng)
    count, error = _numbers(n_stars, visits, rng), _errors(n_stars, errors, rng)
    star, time, since = _visits(count, baseline.to_value(u.day), rng)
    P, K = np.exp(lnP), np.hypot(a, b) * companion
    if eccentricity is None:
        exact, own = _circles(star, since, P, a * companion, b * companion)
    else:
        exact, own = _ellipses(star, since, P, K, np.arctan2(b, a), eccentricity, rng)
    rv = rng.normal(exact + v0[star], error[star])
    names = np.array([f"star-{n:0{max(4, len(str(n_stars)))}d}" for n in range(n_stars)], str)
    truth = {
        "mu": mu, "lnsigma": float(np.log(sigma)), "sigma": sigma,
        "lnP": lnP, "P": P * u.day, **own, "v0": v0 * KMS, "K": K * KMS,
    }  # fmt: skip
    if companion_fraction < 1:
        truth |= {"companion_fraction": companion_fraction, "companion": companion}
    return QTable(
        {"star": names[star], "time": time * u.day, "rv": rv * KMS, "rv_error": error[star] * KMS},
        meta={"truth": truth},
    )


# ---- parts of a population; what is not asked for takes no random numbers, so that a seed goes on
# meaning the same table


def _in_kms(rv_error):
    try:
        return u.Quantity(rv_error).to_value(KMS)
    except (TypeError, ValueError):
        raise TypeError(
            f"rv_error={rv_error!r}; expected a velocity, or two, such as 0.3 * u.km / u.s"
        ) from None


def _two(name, given, least):
    """The least and the most that one number, or two, allow."""
    both = np.asarray(given)
    if both.shape not in ((), (2,)) or not least <= both.flat[0] <= both.flat[-1] < np.inf:
        raise ValueError(
            f"{name}={given!r}; expected one number, or two, the smaller first, of at least {least}"
        )
    return np.broadcast_to(both, 2).tolist()


def _companions(n_stars, fraction, rng):
    """Which stars have a companion."""
    if not 0 <= fraction <= 1:
        raise ValueError(f"companion_fraction={fraction!r}; expected a number from 0 to 1")
    return rng.uniform(size=n_stars) < fraction if fraction < 1 else np.ones(n_stars, bool)


def _numbers(n_stars, ends, rng):
    """Numbers of visits."""
    least, most = ends
    if least == most:
        return np.full(n_stars, least)
    return rng.integers(least, most, n_stars, endpoint=True)


def _errors(n_stars, ends, rng):
    """The error of each star's velocities."""
    least, most = ends
    if least == most:
        return np.full(n_stars, least)
    if least == 0:
        raise ValueError("rv_error has zero as the smaller one; expected two positive velocities")
    return np.exp(rng.uniform(np.log(least), np.log(most), n_stars))


def _visits(count, baseline, rng):
    """The star of each visit, its time, and the time since the star's first one."""
    star = np.repeat(np.arange(len(count)), count)
    at = rng.uniform(size=len(star))
    time = at[np.lexsort((at, star))] * baseline
    return star, time, time - np.repeat(time[np.cumsum(count) - count], count)


def _circles(star, since, P, a, b):
    """Velocities, and each star's own parameters."""
    angle = 2 * np.pi * since / P[star]
    return a[star] * np.cos(angle) + b[star] * np.sin(angle), {"a": a * KMS, "b": b * KMS}


def _ellipses(star, since, P, K, omega, eccentricity, rng):
    """The same with eccentricities from a Beta distribution, cut where orbits become needles."""
    alpha, beta = eccentricity
    family = stats.beta(alpha, beta)
    e = family.ppf(rng.uniform(size=len(P)) * family.cdf(LARGEST))
    # the errors of a star's visits are the same, so that their mean time is a plain one
    mean_time = np.bincount(star, since) / np.bincount(star)
    t_peri = mean_time - rng.uniform(-0.5, 0.5, len(P)) * P
    exact = kepler.velocity(since, P[star], e[star], t_peri[star], K[star], omega[star])
    own = {"e": e, "omega": omega * u.rad, "t_peri": t_peri * u.day}
    return exact, {"alpha_e": alpha, "beta_e": beta, **own}
