"""Claims about eccentric orbits of several stars: what holds for one holds for each of them."""

from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time
from scipy import stats

from astro_hier import datasets, priors
from astro_hier.core import kepler
from astro_hier.models.orbits import elements, joint
from astro_hier.models.orbits.amplitudes import Amplitudes, Elements, ScaledAmplitudes
from astro_hier.models.orbits.data import Velocities
from astro_hier.models.orbits.ellipse import Ellipse, nearest_passage, unbroken
from astro_hier.models.orbits.scatter import Jitter
from astro_hier.models.orbits.terms import Offsets, Trend
from astro_hier.models.orbits.velocity import Circle
from astro_hier.table import Epoch, Rows

KMS = u.km / u.s
SCALED = priors.PeriodScaled(30 * KMS)
V0, OFFSET = priors.Normal(-3 * KMS, 50 * KMS), priors.Normal(1 * KMS, 5 * KMS)
JITTER = priors.LogNormal(0, 0.5, scale=0.5 * KMS)
MU, SIGMA, ALPHA, BETA = 3.0, 0.7, 2.0, 3.0


def velocities(n_stars, kind=Elements, dims=("star",), chosen=slice(None)):
    """Of stars with a trend, two instruments and a jitter, the last star with only one of them."""
    orbit = Ellipse(dims) if kind is Elements else Circle(dims)
    term = (
        kind.of(orbit, priors.Normal(0 * KMS, 9 * KMS), priors.Normal(1 * KMS, 2 * KMS), V0)
        if kind is Amplitudes
        else kind.scaled(orbit, SCALED.in_unit(KMS), SCALED, V0)
    )
    terms = term, Trend.of(2, dims), Offsets.of(OFFSET, (*dims, "instrument"))
    table = datasets.make_binaries(n_stars, 6, random_state=2)
    rows = {name: np.asarray(table[name]) for name in ("star", "time", "rv", "rv_error")}
    rows["instrument"] = np.where(np.arange(len(table)) % 2, "B", "A")
    if n_stars > 1:
        rows["instrument"][-6:] = "B"
    rows, epoch = {name: x[chosen] for name, x in rows.items()}, Epoch(2457000.0, 0.25, "tdb")
    return Velocities.of(Rows(rows, epoch), orbit, terms, Jitter(JITTER, dims))


def shaping(size, rng):
    """Draws of what shapes the orbits."""
    return {"P": np.exp(rng.normal(3, 1, size)), "e": rng.uniform(0, 0.9, size)}


def simulated(data, theta, seed):
    rng, values = np.random.default_rng(seed), dict(theta)
    for term in data.terms:
        values |= term.simulate(values, data, rng)
    return values | data.scatter.simulate(data, values, rng)


@pytest.mark.parametrize("kind", [Elements, ScaledAmplitudes, Amplitudes])
def test_all_that_a_sample_lacks_is_drawn_from_its_prior(kind):
    # False alarm: eleven tests at most, each at 1e-5 for each kind: 4e-4.
    data = velocities(3, kind)
    theta = shaping((4000, 3), np.random.default_rng(1))
    values = simulated(data, theta, 2)
    parameters = [p for part in (data.orbit, *data.parts) for p in part.parameters]
    for p in parameters:
        assert values[p.name].shape == (4000, *data.shape(p.dims)), p.name

    def check(x, distribution):
        assert stats.kstest(np.ravel(x), distribution.cdf).pvalue > 1e-5

    s = SCALED.in_unit(KMS)(theta["P"], theta["e"] if kind is Elements else 0.0)
    if kind is Elements:
        check(values["K"] / s, stats.rayleigh())
        check(values["omega"], stats.uniform(-np.pi, 2 * np.pi))
        check((values["t_peri"] - data.mean_time) / theta["P"], stats.uniform(-0.5, 1))
    elif kind is ScaledAmplitudes:
        check(values["a"] / s, stats.norm())
        check(values["b"] / s, stats.norm())
    else:
        check(values["a"], stats.norm(0, 9))
        check(values["b"], stats.norm(1, 2))
    check(values["v0"], stats.norm(-3, 50))
    check(values["trend1"], stats.norm(0, 10))
    check(values["trend2"], stats.norm(0, 10))
    check(values["offset"][..., 1], stats.norm(1, 5))
    assert not values["offset"][..., 0].any()
    check(values["jitter"], JITTER.frozen(KMS))
    again = simulated(data, values, 3)
    for name in ("v0", "trend1", "jitter"):
        np.testing.assert_array_equal(again[name], values[name])


def test_of_one_star_only_what_no_model_samples_is_drawn():
    data, theta = velocities(1, dims=()), shaping(5, np.random.default_rng(1))
    known = {"v0": np.zeros(5), "trend1": np.zeros(5), "trend2": np.zeros(5), "jitter": np.ones(5)}
    values, rng = simulated(data, theta | known, 2), np.random.default_rng(2)
    np.testing.assert_array_equal(values["omega"], rng.uniform(-np.pi, np.pi, 5))
    s = SCALED.in_unit(KMS)(theta["P"], theta["e"])
    np.testing.assert_array_equal(values["K"], rng.rayleigh(s, 5))
    t_peri = data.mean_time[0] - rng.uniform(-0.5, 0.5, 5) * theta["P"]
    np.testing.assert_array_equal(values["t_peri"], t_peri)
    offset = rng.normal(1, 5, (5, 2))
    np.testing.assert_allclose(values["offset"][:, 1], offset[:, 1], rtol=1e-14)
    assert set(values) == {*theta, *known, "omega", "K", "t_peri", "offset"}


def test_the_velocity_of_each_star_is_that_of_its_own_ellipse():
    data = velocities(3)
    values = simulated(data, shaping((4, 3), np.random.default_rng(5)), 6)
    found, at_times = data.velocity(values), data.velocity_at(np.tile([0.0, 9.0], (3, 1)), values)
    assert found.shape == (4, 18)
    assert at_times.shape == (4, 3, 2)
    for n, rows in enumerate(data.rows_of):
        for draw in range(4):
            of = {name: x[draw, n] for name, x in values.items()}
            own = [of[name] for name in ("P", "e", "t_peri", "K", "omega")]

            def smooth(time, of=of, own=own):
                years = time / 365.25
                slope = of["trend1"] * years + of["trend2"] * years**2
                return kepler.velocity(time, *own) + of["v0"] + slope

            expected = smooth(data.time[rows]) + of["offset"][data.instrument[rows]]
            np.testing.assert_allclose(found[draw, rows], expected, rtol=1e-10)
            np.testing.assert_allclose(at_times[draw, n], smooth(np.array([0.0, 9.0])), rtol=1e-10)


def test_angles_and_passages_of_each_star_are_settled_on_its_own():
    rng = np.random.default_rng(1)
    near = np.array([0.1, np.pi, -2.0]) + rng.normal(0, 0.2, (500, 3))
    cut = np.angle(np.exp(1j * near))
    together = unbroken(cut)
    assert np.all(np.ptp(together, axis=0) < 2)
    for n in range(3):
        np.testing.assert_array_equal(together[:, n], unbroken(cut[:, n]))
    P, times = np.exp(rng.normal(2, 1, (500, 3))), np.array([10.0, 200.0, -5.0])
    passages = nearest_passage(rng.uniform(-99, 99, (500, 3)), P, times)
    assert np.all(np.abs(passages - times) <= 0.5 * P * (1 + 1e-9))


def test_stars_have_the_elements_of_each_of_them():
    data = velocities(3)
    values = simulated(data, shaping((50, 3), np.random.default_rng(3)), 4)
    found = data.orbit.elements(values)
    for n in range(3):
        of_one = Ellipse().elements({name: x[:, n] for name, x in values.items()})
        for name, x in of_one.items():
            np.testing.assert_array_equal(found[name][:, n], x)


@pytest.mark.parametrize("kind", [Elements, ScaledAmplitudes])
def test_the_table_of_elements_of_a_star_does_not_need_the_others(kind):
    data = velocities(3, kind)
    values = simulated(data, shaping((50, 3), np.random.default_rng(3)), 4)
    values |= data.orbit.derive(values)
    for n, rows in enumerate(data.rows_of):
        of_star = {name: x[:, n] for name, x in values.items()}
        found = elements.of_draws(data, of_star, n, {"star": data.stars[n]})
        alone = velocities(3, kind, (), rows)
        count = 1 if n == 2 else 2  # instruments
        assert len(alone.instruments) == count
        of_star["offset"] = of_star["offset"][:, -count:]
        expected = elements.of_draws(alone, of_star)
        assert found.colnames == expected.colnames
        assert found.colnames[-4:] == ["trend1", "trend2", "offset[B]", "jitter"]
        for name in found.colnames[1:]:
            one, other = (
                of.jd if isinstance(of, Time) else of for of in (found[name], expected[name])
            )
            np.testing.assert_array_equal(np.ma.filled(one, 0), np.ma.filled(other, 0))
        assert found.meta == {"star": data.stars[n]}


# ---- the joint model


def stand_in(start):
    """A model of stars whose hyperparameters are known."""
    return SimpleNamespace(
        initial=lambda data: start,
        coordinates=lambda data: {"star": data.stars, "instrument": data.instruments},
        pymc_priors=lambda data, initial: {},
    )


def of_population(theta, initial):
    import pymc as pm

    lnP = pm.Normal("lnP", MU, SIGMA, dims="star", initval=np.log(initial["P"]))
    e = pm.Beta("e", alpha=ALPHA, beta=BETA, dims="star", initval=initial["e"])
    return {"P": pm.Deterministic("P", pm.math.exp(lnP), dims="star"), "e": e}


def moved(point, seed):
    """Another point: every variable elsewhere, as the sampler moves it."""
    rng = np.random.default_rng(seed)
    return {name: np.asarray(x) + rng.uniform(-0.3, 0.3, np.shape(x)) for name, x in point.items()}


def density(data, values):
    """ln of the joint density of data and parameters, star by star, without PyMC."""
    P, e, total = values["P"], values["e"], 0.0
    s = SCALED.in_unit(KMS)(P, e)
    total += stats.norm(MU, SIGMA).logpdf(np.log(P)).sum()
    total += stats.beta(ALPHA, BETA).logpdf(e).sum()
    # of K and omega as two normal amplitudes, and of the phase, which is uniform within a cycle
    total += (stats.rayleigh.logpdf(values["K"], 0, s) - np.log(2 * np.pi * values["K"])).sum()
    total += V0.frozen(KMS).logpdf(values["v0"]).sum()
    total += stats.norm(0, 10).logpdf([values["trend1"], values["trend2"]]).sum()
    total += OFFSET.frozen(KMS).logpdf(values["offset"][:, 1]).sum()
    total += JITTER.frozen(KMS).logpdf(values["jitter"]).sum()
    for n, rows in enumerate(data.rows_of):
        time, own = data.time[rows], [values[x][n] for x in ("P", "e", "t_peri", "K", "omega")]
        years, of_each = time / 365.25, values["offset"][n][data.instrument[rows]]
        mean = kepler.velocity(time, *own) + values["v0"][n] + of_each
        mean = mean + values["trend1"][n] * years + values["trend2"][n] * years**2
        error = np.hypot(data.rv_error[rows], values["jitter"][n])
        total += stats.norm(mean, error).logpdf(data.rv[rows]).sum()
    return total


def test_the_joint_density_is_the_product_over_stars():
    data = velocities(3)
    start = simulated(data, shaping((1, 3), np.random.default_rng(7)), 8)
    start = {name: x[0] for name, x in start.items()}
    model = joint.build(stand_in(start), data, of_population)
    point = model.initial_point()
    log_p = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    names = [*start]
    found = model.compile_fn(
        model.replace_rvs_by_values([model[name] for name in names]),
        inputs=model.value_vars, mode="FAST_COMPILE",
    )  # fmt: skip
    for at in (point, moved(point, 1), moved(point, 2)):
        values = dict(zip(names, found(at), strict=True))
        assert values["K"].shape == (3,)
        assert values["offset"].shape == (3, 2)
        assert log_p(at) == pytest.approx(density(data, values), rel=1e-9)
        if at is point:
            for name in names:
                np.testing.assert_allclose(values[name], start[name], rtol=1e-9, atol=1e-9)
