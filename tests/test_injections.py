"""Claims about injected orbits: their densities, their visits, and what is said of them."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table
from astropy.time import Time
from scipy import stats

from astro_hier import columns, datasets, priors
from astro_hier.injections import make_injections
from astro_hier.table import TableError

KMS = u.km / u.s
RANGE = (1 * u.day, 1000 * u.day)
VISITS = datasets.make_binaries(5, 6, rv_error=1 * KMS, random_state=1)


def make(kept=lambda star: True, n=2000, visits=VISITS, **options):
    options = {"period_range": RANGE, "random_state": 1, "progressbar": False} | options
    return make_injections(visits, kept, n, **options)


def test_orbits_have_the_distributions_that_are_asked_for():
    # False alarm: five tests at 1e-4
    prior = priors.Beta(2, 4)
    found = make(eccentricity=prior, circular=0.25, amplitude=priors.PeriodScaled(10 * KMS))
    ln_period, e = np.log(found["P"].value), found["e"]
    assert len(found) == 2000
    flat = stats.uniform(0, np.log(1000))
    assert stats.kstest(ln_period, flat.cdf).pvalue > 1e-4
    assert stats.binomtest(int(np.sum(e == 0)), 2000, 0.25).pvalue > 1e-4
    of_e = prior.frozen(u.one)
    assert stats.kstest(e[e > 0], of_e.cdf).pvalue > 1e-4
    scale = priors.PeriodScaled(10 * KMS).sd(found["P"], e)
    assert stats.kstest((found["K"] / scale).value, stats.rayleigh.cdf).pvalue > 1e-4
    expected = np.where(e > 0, 0.75 * np.exp(of_e.logpdf(e)), 0.25) / np.log(1000)
    np.testing.assert_allclose(found["density"], expected, rtol=1e-9)  # but for e > 0.999
    # all of it is injected: the mean of 1 / density over a unit of it is that unit
    inside = (ln_period < 2) & (e > 0.2) & (e < 0.5)
    area = np.sum(1 / found["density"][inside]) / 2000
    sd = np.sqrt(np.sum(found["density"][inside] ** -2.0)) / 2000
    assert abs(area - 2 * 0.3) < 4 * sd


def test_stars_have_the_visits_of_the_survey_in_its_own_units_and_names():
    visits = Table(VISITS, names=["APOGEE_ID", "JD", "VHELIO", "VHELIO_ERR"])
    visits["VHELIO"] = np.arange(len(visits))  # integers without unit
    visits["other"] = 1
    rows_of = {name: visits[visits["APOGEE_ID"] == name] for name in set(visits["APOGEE_ID"])}
    seen = []

    def kept(star):
        assert isinstance(star, QTable)
        assert star.colnames == ["APOGEE_ID", "JD", "VHELIO", "VHELIO_ERR"]
        own = rows_of[star["APOGEE_ID"][0]]
        np.testing.assert_array_equal(star["JD"], own["JD"])
        np.testing.assert_array_equal(star["VHELIO_ERR"], own["VHELIO_ERR"])
        assert not isinstance(star["VHELIO"], u.Quantity)
        seen.append(star["VHELIO"])
        return True

    make(kept, 50, visits=visits, columns=columns.APOGEE)
    assert len(seen) == 100
    assert len({tuple(values) for values in seen}) == 100


@pytest.mark.parametrize("unit", ["km/s", "m/s"])
def test_velocities_have_the_unit_of_the_table_and_the_noise_of_their_errors(unit):
    # False alarm: 1e-4
    visits = VISITS.copy()
    visits["rv"] = visits["rv"].to(unit)
    visits["time"] = Time(60000 + visits["time"].value, format="mjd")
    pulls = []

    def kept(star):
        assert star["rv"].unit == u.Unit(unit)
        pulls.append((star["rv"] - 5 * KMS).to_value(KMS) / np.hypot(1, 2))
        return True

    amplitude = priors.Normal(0 * KMS, 1e-6 * KMS)
    make(kept, 300, visits=visits, amplitude=amplitude, v0=5 * KMS, jitter=2 * KMS)
    assert stats.kstest(np.ravel(pulls), stats.norm.cdf).pvalue > 1e-4


def test_velocities_without_noise_are_those_of_the_orbits():
    visits = VISITS[VISITS["star"] == VISITS["star"][0]]
    visits["rv_error"] = 1e-6 * KMS
    seen = []
    found = make(lambda star: seen.append(star) or True, 40, visits=visits, v0=0 * KMS)
    for orbit, star in zip(found, seen[:40], strict=True):
        phase = (2 * np.pi * star["time"] / orbit["P"]).to_value(u.one)
        waves = np.column_stack([np.cos(phase), np.sin(phase)])
        rv = star["rv"].to_value(KMS)
        fitted, *_ = np.linalg.lstsq(waves, rv, rcond=None)
        np.testing.assert_allclose(waves @ fitted, rv, atol=1e-4)
        assert np.hypot(*fitted) == pytest.approx(orbit["K"].to_value(KMS), rel=1e-4, abs=1e-4)


def test_stars_without_companions_are_kept_by_chance_alone():
    # False alarm: 1e-4. The range of six normal velocities
    small = priors.Normal(0 * KMS, 1 * KMS)
    found = make(lambda star: np.ptp(star["rv"]) > 3 * KMS, amplitude=small)
    number = found.meta["simulated_without_companion"]
    share = stats.studentized_range.sf(3, 6, np.inf)
    alone = round(found.meta["kept_without_companion"] * number)
    assert stats.binomtest(alone, number, float(share)).pvalue > 1e-4
    assert found.meta["injected"] == number == 2000
    assert alone < len(found) < 2000


def test_the_table_survives_a_file_and_a_seed_repeats_it(tmp_path):
    found, again = make(n=20), make(n=20)
    assert np.all(found["P"] == again["P"])
    found.write(tmp_path / "found.ecsv")
    read = QTable.read(tmp_path / "found.ecsv")
    assert read.meta["injected"] == 20
    assert "Normal(mu=0.0 km / s, sigma=100.0 km / s)" in read.meta["amplitude"]
    np.testing.assert_allclose(read.meta["period_range"].to_value(u.day), [1, 1000])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kept": lambda star: 1}, r"kept\(star\) returned 1; expected True or False"),
        ({"kept": lambda star: star["rv"] > 0 * KMS}, "expected True or False"),
        ({"kept": lambda star: False}, "none of 20 injected orbits was kept; expected some"),
        ({"kept": "all"}, "kept='all'; expected a function"),
        ({"n": 0}, "n=0; expected the number of orbits"),
        ({"period_range": (10 * u.day, 1 * u.day)}, "period_range=.*the shorter first"),
        ({"period_range": (1, 10)}, "period_range=.*the shorter first"),
        ({"eccentricity": 0.3}, "eccentricity=0.3; expected None for circles, or a prior"),
        ({"eccentricity": True}, "eccentricity=True; expected None for circles, or a prior"),
        ({"eccentricity": priors.Uniform(0, 2)}, "it must lie between 0.0 and 1.0"),
        ({"circular": 1}, "circular=1; expected a share of at least 0 and less than 1"),
        ({"amplitude": priors.Uniform(0, 1)}, "amplitude=.*expected a prior of both amplitudes"),
        ({"v0": priors.Normal(0 * u.day, 1 * u.day)}, "prior of v0"),
        ({"jitter": priors.Normal(0 * KMS, 1 * KMS)}, "jitter=.*it must not be negative"),
    ],
)
def test_what_cannot_be_used_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**{"n": 20} | changes)


def test_tables_are_read_as_the_model_reads_them():
    with pytest.raises(TableError, match=r"column 'star' .* is not in the table"):
        make(visits=VISITS["time", "rv", "rv_error"])


def test_masked_velocities_of_a_selection_are_judged_as_others_are():
    visits = QTable(VISITS, masked=True)
    found = make(lambda star: star["rv"].max() > -1e9 * KMS, 20, visits=visits)
    assert len(found) == 20
