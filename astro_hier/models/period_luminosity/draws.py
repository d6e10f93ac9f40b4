"""Simulated stars, and draws of the joint model as the marginal method makes them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.stats import norm

from astro_hier.core.floats import Theta
from astro_hier.core.threads import in_chunks
from astro_hier.models.period_luminosity import likelihood
from astro_hier.models.period_luminosity.data import AT_KPC, PER_LN, Stars


def true_values(
    data: Stars, theta: Theta, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, z (zeros without metallicities), mu and M of as many stars, shape (theta, star)."""
    columns = likelihood.columns_of(theta)
    shape = len(theta["alpha"]), len(data.star)
    middle = likelihood.middle_of(data, columns)
    x = rng.normal(middle[0], columns["sigma_log_period"], shape)
    z = np.zeros(shape)
    if data.feh is not None:
        mean = middle[1] + columns.get("feh_period", 0.0) * (x - middle[0])
        z = rng.normal(mean, columns["sigma_feh"])
    modulus = np.broadcast_to(columns["mu_modulus"], shape)
    absolute = np.broadcast_to(columns["alpha"], shape)
    slopes = likelihood.trends_of(data, columns), likelihood.relation_of(data, columns)
    for true, at, trend, slope in zip((x, z), middle, *slopes, strict=False):
        modulus, absolute = modulus + trend * (true - at), absolute + slope * true
    scatter = data.outliers.drawn(columns, shape[1], rng)
    return (
        x, z, rng.normal(modulus, columns["sigma_modulus"]), rng.normal(absolute, scatter)
    )  # fmt: skip


def simulate(data: Stars, theta: Theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """True values of the stars, what is measured of them, and their memberships."""
    columns = likelihood.columns_of(theta)
    x, z, modulus, absolute = true_values(data, theta, rng)
    r = np.exp((modulus - AT_KPC) / PER_LN)
    parallax = rng.normal(
        1 / r + data.zero_point.added(columns), data.errors.true(data.parallax_error, columns)
    )
    log_period = rng.normal(x, data.log_period_error) + data.log_pivot
    drawn = {
        "r": r,
        "absolute_magnitude": absolute,
        "period": 10**log_period,
        "magnitude": rng.normal(modulus + absolute, data.magnitude_error) + data.extinction,
        "parallax": parallax,
    }
    if data.feh is not None:
        drawn["feh"] = rng.normal(z, data.feh_error) + data.feh_pivot
    for parameter in data.outliers.latents:
        drawn[parameter.name] = likelihood.membership(simulated(data, drawn), theta)
    return drawn


def simulated(data: Stars, rows: Mapping[str, np.ndarray]) -> Stars:
    """The same stars with other measurements; errors, those of log10 P too, stay as they are."""
    feh = rows.get("feh")
    return replace(
        data,
        log_period=np.log10(rows["period"]) - data.log_pivot,
        magnitude=rows["magnitude"] - data.extinction,
        parallax=rows["parallax"],
        feh=None if feh is None else feh - data.feh_pivot,
    )


def finish(data: Stars, values: Theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draws of the joint model, with absolute magnitudes given the distances, and memberships."""
    seed = rng.integers(2**63)

    def of_chunk(some, start):
        theta = {name: of for name, of in some.items() if of.ndim == 1}
        columns = likelihood.columns_of(theta)
        given = likelihood.covariates(data, columns)
        modulus = AT_KPC + PER_LN * np.log(some["r"])
        measured = modulus, data.magnitude, data.magnitude_error

        def log_odds():
            absolute, error = data.magnitude - modulus, data.magnitude_error
            priors = likelihood.of_each_scatter(data, columns, given)
            of_each = [norm.logpdf(absolute, *of.magnitude_at(modulus, error)) for of in priors]
            return data.outliers.mix(of_each, theta)[1]

        chunk_rng = np.random.default_rng([seed, start])
        scatter, _ = data.outliers.draw(log_odds, columns, chunk_rng)
        at = likelihood.modulus(data, columns, given, scatter).magnitude_given(*measured)
        member = {p.name: likelihood.membership(data, theta) for p in data.outliers.latents}
        return {"absolute_magnitude": chunk_rng.normal(*at), **member}

    return {**values, **in_chunks(of_chunk, dict(values), cost=len(data.star))}
