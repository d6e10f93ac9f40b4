"""Where a fit of a period-luminosity relation starts."""

from typing import Any

import numpy as np
from scipy.optimize import least_squares

from astro_hier.models.period_luminosity import likelihood
from astro_hier.models.period_luminosity.data import AT_KPC, Stars

SCATTER = 0.15  # mag
FEW = 1e-3  # share of its distance from a middle below which a spread does not start


def initial(model, data: Stars) -> dict[str, Any]:
    """The relation by least squares of 10^(M/5), which parallaxes measure with normal errors.

    That quantity, parallax x 10^(m/5 - 2), is the astrometry-based luminosity of Arenou & Luri
    (1999, ASP Conf. Ser. 167, 13).
    """
    start = {name: float(prior.median()) for name, prior in model.frozen_priors().items()}
    columns = [np.ones_like(data.log_period), data.log_period]
    columns += [] if data.feh is None else [data.feh]
    parallax = data.parallax - data.zero_point.added(start)
    relation = _relation(np.column_stack(columns), data, parallax)
    absolute = np.column_stack(columns) @ relation
    guess = dict(zip(("alpha", "beta", "gamma"), relation, strict=False))
    guess |= {"scatter": SCATTER, **data.errors.guess, "outlier_fraction": 0.05}
    guess |= _moments("log_period", data.log_period + data.log_pivot, data.log_period_error)
    guess |= _moments("modulus", data.magnitude - absolute, SCATTER)
    if data.feh is not None:
        guess |= _moments("feh", data.feh + data.feh_pivot, data.feh_error)
    for name in guess.keys() & start.keys():
        start[name] = model.within_bulk(name, float(guess[name]))
    start = model.above_ends(data, start)
    theta = {name: np.array([at]) for name, at in start.items()}
    start["absolute_magnitude"] = absolute
    start["r"] = 10 ** (0.2 * (data.magnitude - absolute - AT_KPC))
    for parameter in data.outliers.latents:
        start[parameter.name] = likelihood.membership(data, theta)[0]
    return start


def _relation(columns, data, parallax):
    """Zero point and slopes, with rows far off counting less."""
    factor = 10 ** (0.2 * (data.magnitude - AT_KPC))

    def off(relation):
        luminosity = 10 ** (0.2 * np.clip(columns @ relation, -30, 30))
        error = np.hypot(
            factor * data.parallax_error,
            0.2 * np.log(10) * luminosity * np.hypot(SCATTER, data.magnitude_error),
        )
        return (factor * parallax - luminosity) / error

    zero_points = np.linspace(-12, 8, 41)
    middle = columns.mean(axis=0)
    flat = [np.r_[at, np.zeros(len(middle) - 1)] for at in zero_points]
    best = min(flat, key=lambda at: np.sum(np.log1p(off(at) ** 2)))
    return least_squares(off, best, loss="soft_l1", x_scale="jac").x


def _moments(name, values, errors):
    spread = np.sqrt(max(np.var(values) - np.mean(np.square(errors)), FEW * np.var(values), 1e-8))
    return {f"mu_{name}": np.mean(values), f"sigma_{name}": spread}
