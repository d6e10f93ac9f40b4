"""Claims about simulated tables."""

import astropy.units as u
import numpy as np
import pytest
from astropy.utils.data import import_file_to_cache
from scipy import stats

from astro_hier import datasets
from astro_hier.core import kepler

KMS = u.km / u.s


def test_default_cluster_is_the_tutorials():
    # the tutorial's own lines, in its own order of draws
    rng = np.random.default_rng(42)
    r = rng.normal(500, 8.7, 256)
    error = 10 ** rng.uniform(-2, -1, 256)
    parallax = rng.normal((r * u.pc).to_value(u.mas, u.parallax()), error)
    table = datasets.make_star_cluster(random_state=42)
    np.testing.assert_array_equal(table["parallax"].to_value(u.mas), parallax)
    np.testing.assert_array_equal(table["parallax_error"].to_value(u.mas), error)
    truth = table.meta["truth"]
    np.testing.assert_array_equal(truth["r"].to_value(u.pc), r)
    assert truth["mu_r"] == 500 * u.pc
    assert truth["std_r"] == 8.7 * u.pc
    assert truth["ln_std_r"] == pytest.approx(np.log(0.0087))


def test_arguments_take_any_unit():
    table = datasets.make_star_cluster(5, mu_r=0.5 * u.kpc, std_r=8.7 * u.pc, random_state=1)
    other = datasets.make_star_cluster(5, mu_r=500 * u.pc, std_r=0.0087 * u.kpc, random_state=1)
    np.testing.assert_allclose(table["parallax"].value, other["parallax"].value)


def test_arguments_without_unit_are_refused():
    with pytest.raises(TypeError, match="mu_r"):
        datasets.make_star_cluster(mu_r=500)


def test_a_cluster_that_would_surround_the_observer_is_refused():
    with pytest.raises(ValueError, match="too large for mu_r"):
        datasets.make_star_cluster(mu_r=10 * u.pc, std_r=20 * u.pc, random_state=0)


def test_apogee_binaries_are_read_from_a_folder_and_verified(shared_data, monkeypatch, tmp_path):
    folder = shared_data / "apogee_binaries"
    monkeypatch.setenv("ASTRO_HIER_DATA", str(folder))
    visits = datasets.fetch_apogee_binaries()
    assert len(visits) == 321
    assert visits["APOGEE_ID"][0] == "2M01282954+8522331"
    assert visits["VHELIO"].unit == u.km / u.s
    content = (folder / "apogee-binaries.fits").read_bytes()
    (tmp_path / "apogee-binaries.fits").write_bytes(content[:-1] + b"x")
    monkeypatch.setenv("ASTRO_HIER_DATA", str(tmp_path))
    with pytest.raises(OSError, match="is not the published file: its sha256 is"):
        datasets.fetch_apogee_binaries()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ASTRO_HIER_DATA", "~")
    with pytest.raises(OSError, match="is not the published"):
        datasets.fetch_apogee_binaries()
    monkeypatch.setenv("ASTRO_HIER_DATA", str(tmp_path / "absent"))
    with pytest.raises(FileNotFoundError, match=r"does not contain apogee-binaries\.fits"):
        datasets.fetch_apogee_binaries()


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """Wherever this version of astropy keeps downloads of a package, there is nothing yet."""
    monkeypatch.delenv("ASTRO_HIER_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "astro_hier").mkdir()


@pytest.mark.usefixtures("empty_cache")
def test_apogee_binaries_are_cached_by_astropy(shared_data):
    import_file_to_cache(
        datasets.apogee.APOGEE_BINARIES_URL,
        shared_data / "apogee_binaries" / "apogee-binaries.fits",
        pkgname="astro_hier",
    )
    assert len(datasets.fetch_apogee_binaries()) == 321


@pytest.mark.usefixtures("empty_cache")
def test_without_network_the_folder_is_named():
    with pytest.raises(OSError, match=r"cannot be downloaded .* variable ASTRO_HIER_DATA"):
        datasets.fetch_apogee_binaries()


# ---- posteriors of objects


def test_draws_are_of_posteriors_under_the_interim_prior():
    # False alarm: two tests, each at 1e-5: 2e-5. Weighted by the inverse of their density under
    # the prior, the draws are of the likelihoods, whose means scatter about the masses.
    error = np.linspace(0.05, 0.15, 400) * u.Msun
    table = datasets.make_posterior_samples(400, 4000, error=error, random_state=1)
    draws, weight = table["samples"].to_value(u.Msun), 1 / table["interim"].to_value(1 / u.Msun)
    truth = table.meta["truth"]
    mean = np.sum(draws * weight, axis=1) / np.sum(weight, axis=1)
    mass = truth["mass"].to_value(u.Msun)
    assert stats.kstest((mass - 1.4) / 0.1, stats.norm.cdf).pvalue > 1e-5
    assert stats.kstest((mean - mass) / error.value, stats.norm.cdf).pvalue > 1e-5
    assert truth["lnsigma"] == pytest.approx(np.log(0.1))
    np.testing.assert_allclose(weight, 1 / stats.norm(1.7, 0.3).pdf(draws))


def test_samples_of_a_seed_are_of_any_unit():
    table = datasets.make_posterior_samples(3, 5, mu=2.0e30 * u.kg, random_state=1)
    assert table["samples"].shape == table["interim"].shape == (3, 5)
    assert table["samples"].unit == 1 / table["interim"].unit == u.Msun
    assert table["object"].tolist() == ["object-0000", "object-0001", "object-0002"]
    assert table.meta["truth"]["mu"] == 2.0e30 * u.kg


# ---- populations of binaries


def test_default_binaries_of_a_seed_stay_the_same():
    # written out in the order of draws that tables have been made with from the start
    rng = np.random.default_rng(3)
    lnP, (a, b) = rng.normal(1.8, 0.7, 5), rng.normal(0, 20, (2, 5))
    v0 = rng.normal(0, 50, 5)
    time = np.sort(rng.uniform(size=(5, 4)), axis=1) * 1000
    angle = 2 * np.pi * (time - time[:, :1]) / np.exp(lnP)[:, None]
    exact = a[:, None] * np.cos(angle) + b[:, None] * np.sin(angle) + v0[:, None]
    table = datasets.make_binaries(5, 4, random_state=3)
    np.testing.assert_array_equal(table["time"].value, time.ravel())
    np.testing.assert_array_equal(table["rv"].value, rng.normal(exact, 0.3).ravel())
    assert table["star"][[0, 3, 4, 19]].tolist() == ["star-0000"] * 2 + ["star-0001", "star-0004"]
    truth = table.meta["truth"]
    np.testing.assert_array_equal(truth["K"].value, np.hypot(a, b))
    # names of the model's parameters only: figures take the whole of it
    assert set(truth) == {"mu", "lnsigma", "sigma", "lnP", "P", "a", "b", "v0", "K"}


@pytest.fixture(scope="module")
def survey():
    return datasets.make_binaries(
        2000, (1, 30), eccentricity=(2, 3), companion_fraction=0.4,
        rv_error=(0.1 * KMS, 1000 * u.m / u.s), random_state=1,
    )  # fmt: skip


def of_stars(table):
    """The rows of each star."""
    first = np.flatnonzero(np.diff(np.unique(table["star"], return_inverse=True)[1])) + 1
    return np.split(np.arange(len(table)), first)


def test_a_survey_has_the_distributions_that_it_is_asked_for(survey):
    # False alarm: seven tests, each at 1e-5: 7e-5.
    truth, rows = survey.meta["truth"], of_stars(survey)
    mean = np.array([survey["time"][of].value.mean() for of in rows])
    first = np.array([survey["time"][of[0]].value for of in rows])
    cycles = (truth["t_peri"].value + first - mean) / truth["P"].value
    error = survey["rv_error"][[of[0] for of in rows]].value
    has = truth["companion"]
    for x, distribution in (
        (truth["lnP"], stats.norm(1.8, 0.7)),
        (truth["e"], stats.beta(2, 3)),
        (truth["omega"].value, stats.uniform(-np.pi, 2 * np.pi)),
        (cycles, stats.uniform(-0.5, 1)),
        (truth["K"][has].value, stats.rayleigh(0, 20)),
        (error, stats.loguniform(0.1, 1)),
    ):
        assert stats.kstest(x, distribution.cdf).pvalue > 1e-5
    assert stats.binomtest(has.sum(), 2000, 0.4).pvalue > 1e-5
    assert {len(of) for of in rows} == set(range(1, 31))
    assert all(np.ptp(survey["rv_error"][of]) == 0 for of in rows)
    assert (truth["alpha_e"], truth["beta_e"], truth["companion_fraction"]) == (2, 3, 0.4)


def test_velocities_of_a_survey_are_those_of_its_truth(survey):
    # False alarm: KS at 1e-5, for stars with and without a companion.
    truth = survey.meta["truth"]
    number = np.concatenate([np.full(len(of), n) for n, of in enumerate(of_stars(survey))])
    first = np.array([survey["time"][of[0]].value for of in of_stars(survey)])
    own = (truth[name][number] for name in ("P", "e", "t_peri", "K", "omega"))
    own = [getattr(x, "value", x) for x in own]
    exact = kepler.velocity(survey["time"].value - first[number], *own) + truth["v0"][number].value
    z = (survey["rv"].value - exact) / survey["rv_error"].value
    for some in (truth["companion"], ~truth["companion"]):
        assert stats.kstest(z[some[number]], stats.norm.cdf).pvalue > 1e-5
    assert not truth["K"].value[~truth["companion"]].any()


def test_stars_without_companions_have_no_circle_either():
    table = datasets.make_binaries(50, companion_fraction=0, random_state=1)
    truth = table.meta["truth"]
    assert not any(np.any(u.Quantity(truth[name]).value) for name in ("a", "b", "K", "companion"))
    assert all(np.std(table["rv"][of].value) < 1 for of in of_stars(table))


def test_nearly_parabolic_orbits_are_cut():
    truth = datasets.make_binaries(500, eccentricity=(5, 0.1), random_state=1).meta["truth"]
    assert truth["e"].max() <= 0.999


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_visits": 0}, ValueError, "n_visits=0; expected one number, or two"),
        ({"n_visits": (5, 3)}, ValueError, r"n_visits=\(5, 3\); expected"),
        ({"n_visits": (1, 2, 3)}, ValueError, "n_visits="),
        ({"rv_error": 0.3}, TypeError, "rv_error=0.3; expected a velocity"),
        ({"rv_error": [1, 0.1] * KMS}, ValueError, "rv_error=.*the smaller first"),
        ({"rv_error": [0, 0.1] * KMS}, ValueError, "rv_error has zero"),
        ({"companion_fraction": 1.1}, ValueError, "companion_fraction=1.1; expected a number"),
    ],
)
def test_impossible_surveys_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        datasets.make_binaries(3, **options)
