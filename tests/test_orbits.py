"""Claims about what the models of orbits share: one star is a population of one."""

from dataclasses import FrozenInstanceError

import astropy.units as u
import numpy as np
import pytest
from scipy.stats import norm

from astro_hier import BinaryPopulation, SB1Binary, datasets, populations, priors
from astro_hier.models.orbits import scatter

KMS = u.km / u.s
JITTER = priors.LogUniform(0.5 * KMS, 1 * KMS)  # narrow: few nodes
ALL = {"instrument": "spec", "trend": 2, "jitter": JITTER}
OPTIONS = [
    {},
    {"jitter": JITTER, "trend": 1},
    {"jitter": 0.5 * KMS, "v0": 0 * KMS},
    ALL,
    ALL | {"jitter": 0.5 * KMS, "offset": 0 * KMS},
]


def visits(n):
    table = datasets.make_binaries(n, random_state=1)
    table["spec"] = np.where(np.arange(len(table)) % 3 == 0, "A", "B")
    return table


def drawn(model, data, rng):
    """Values of all parameters, not those of any posterior."""
    shape = {p.name: (3, *data.shape(p.dims)) for p in model.orbit_parameters}
    return {name: rng.uniform(1, 2, of) for name, of in shape.items()}


def prepared(model, table):
    return model.prepare(model.read(table), progressbar=False)


def test_velocities_and_errors_are_the_formula_written_out():
    table, model = visits(3), BinaryPopulation(**ALL | {"jitter": 0.5 * KMS})
    data = prepared(model, table)
    values = drawn(model, data, np.random.default_rng(0))
    velocity, error = data.velocity(values), data.errors(values)
    for j, row in enumerate(table):
        star, i = list(data.stars).index(row["star"]), "AB".index(row["spec"])
        t = (row["time"] - table["time"][table["star"] == row["star"]].min()).to_value(u.day)
        for n in range(3):
            of = {name: draws[n, star] for name, draws in values.items()}
            phase, years = 2 * np.pi * t / of["P"], t / 365.25
            expected = (
                of["a"] * np.cos(phase) + of["b"] * np.sin(phase) + of["v0"]
                + of["trend1"] * years + of["trend2"] * years**2 + of["offset"][i]
            )  # fmt: skip
            assert velocity[n, j] == pytest.approx(expected, rel=1e-12)
            total = np.hypot(row["rv_error"].to_value(KMS), of["jitter"][i])
            assert error[n, j] == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("options", OPTIONS)
def test_one_star_is_a_population_of_one(options):
    table = visits(1)
    one, many = (prepared(model(**options), table) for model in (SB1Binary, BinaryPopulation))
    values = drawn(SB1Binary(**options), one, np.random.default_rng(1))
    of_star = {name: draws[:, None] for name, draws in values.items()}
    np.testing.assert_array_equal(one.velocity(values), many.velocity(of_star))
    np.testing.assert_array_equal(one.errors(values), many.errors(of_star))
    time = np.linspace(0, 50, 4)
    at_times = one.velocity_at(time, values)
    np.testing.assert_array_equal(at_times, many.velocity_at(time, of_star)[:, 0])
    assert one.n_adjusted(0) == many.n_adjusted(0)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        *((SB1Binary, options) for options in OPTIONS),
        *((BinaryPopulation, options) for options in OPTIONS),
        (BinaryPopulation, {"jitter": populations.LogNormalJitter()}),
    ],
)
def test_the_joint_likelihood_is_that_of_draws(model, options):
    star = model(**options)
    data = prepared(star, visits(2 if model is BinaryPopulation else 1))
    joint = star.build_pymc(data)
    height = joint.compile_logp(vars=joint["rv"], mode="FAST_COMPILE")(joint.initial_point())
    values = {name: np.asarray(value)[None] for name, value in star.initial(data).items()}
    expected = norm.logpdf(data.rv, data.velocity(values), data.errors(values)).sum()
    assert height == pytest.approx(expected, rel=1e-9)


def test_kinds_of_scatter_have_the_same_methods():
    def public(cls):
        return {name for name in dir(cls) if not name.startswith("_")}

    common = public(scatter.NoScatter)
    for kind in (scatter.Jitter, scatter.JitterPopulation):
        assert public(kind) - common <= {"dims", "prior"}
    assert scatter.as_scatter(None, ()).parameters == ()


def test_prepared_data_do_not_change():
    data = prepared(SB1Binary(), datasets.make_binary(random_state=42))
    assert data.nodes is data.nodes
    with pytest.raises(FrozenInstanceError):
        data.rv = data.rv + 1


def test_the_range_of_periods_follows_from_the_rows_after_loading(tmp_path):
    table = datasets.make_binaries(20, random_state=1)
    model = BinaryPopulation(star_draws=False)
    model.fit(table, draws=20, chains=2, random_state=0, progressbar=False)
    model.save(tmp_path / "fit.nc")
    loaded = BinaryPopulation.load(tmp_path / "fit.nc")
    assert loaded.fitted_data().ends == model.fitted_data().ends


def test_the_prior_of_an_offset_that_no_instrument_has_is_not_looked_at():
    table = datasets.make_binary(random_state=42)
    table["spec"] = "A"
    model = SB1Binary(instrument="spec", offset=priors.Uniform(-5 * KMS, 5 * KMS))
    model.fit(table, draws=20, chains=2, random_state=0, progressbar=False)
    assert not model.samples("offset").value.any()
    table["spec"][::2] = "B"
    with pytest.raises(priors.PriorError, match=r"offset=Uniform.* integrated out"):
        model.fit(table, progressbar=False)
