"""Claim: draws of single objects, and the objects' own data, lead to the same population."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from astro_hier import BinaryPopulation, SamplePopulation, SB1Binary, datasets, populations, priors
from astro_hier.checks import CheckWarning

KMS = u.km / u.s
RANGE = 0.5 * u.day, 3000 * u.day
LN_RANGE = tuple(np.log([end.to_value(u.day) for end in RANGE]))
OTHERS = {"amplitude": priors.Normal(0 * KMS, 30 * KMS), "v0": priors.Normal(0 * KMS, 50 * KMS)}
PERIODS = populations.TruncatedNormal(mu=priors.Uniform(-2, 12), lnsigma=priors.Uniform(-1.5, 2))


def quietly(model, table, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckWarning)
        return model.fit(table, random_state=1, progressbar=False, **options)


def draws_of_each(visits, names, **options):
    """Draws of each star's orbit alone, under a prior uniform in ln P."""
    star = SB1Binary(P=priors.LogUniform(*RANGE), **OTHERS, **options)
    rows = []
    for name in np.unique(visits["star"]):
        fitted = quietly(star, visits[visits["star"] == name], draws=2500)
        rows.append([fitted.samples(of).value for of in names])
    return np.array(rows)  # (star, quantity, draw)


@pytest.mark.slow
def test_draws_of_periods_lead_to_the_population_of_their_velocities():
    visits = datasets.make_binaries(20, 6, random_state=2)
    P = draws_of_each(visits, ("P",))[:, 0]
    whole = quietly(BinaryPopulation(population=PERIODS, period_range=RANGE, **OTHERS), visits)
    of_draws = SamplePopulation(
        population=PERIODS, quantity="lnP", interim="flat", limits=LN_RANGE
    )  # fmt: skip
    found = quietly(of_draws, QTable({"samples": np.log(P)}))
    for name in ("mu", "lnsigma"):
        expected, draws = (fit.samples(name).value for fit in (whole, found))
        # 4000 draws of each have an error of 0.022 sd
        assert abs(draws.mean() - expected.mean()) < 0.1 * expected.std()
        assert draws.std() == pytest.approx(expected.std(), rel=0.08)


@pytest.mark.slow
def test_draws_of_eccentricities_lead_to_their_population():
    visits = datasets.make_binaries(12, 14, eccentricity=(1.5, 3.0), random_state=4)
    e = draws_of_each(visits, ("e",), eccentricity=priors.Uniform(0, 0.95))[:, 0]
    family = populations.Beta(priors.LogNormal(0, 0.5), priors.LogNormal(0, 0.5, scale=3))
    periods = populations.PowerLaw(slope=0.0)  # as the prior of each star alone
    model = BinaryPopulation(
        population=periods, eccentricity=family, period_range=RANGE, star_draws=False, **OTHERS
    )
    whole = quietly(model, visits)
    of_draws = SamplePopulation(population=family, quantity="e", interim="flat")
    found = quietly(of_draws, QTable({"samples": e}))
    for name in ("alpha", "beta"):
        expected, draws = whole.samples(f"{name}_e").value, found.samples(name).value
        assert abs(draws.mean() - expected.mean()) < 0.15 * expected.std()
