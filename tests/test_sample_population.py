"""Claims about populations from samples: the likelihood, the objects, selections.

The references sum over the draws themselves with SciPy's densities, or are closed forms.
"""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from scipy import stats
from scipy.special import logsumexp

from astro_hier import SamplePopulation, TableError, datasets, populations, priors
from astro_hier.checks import CheckWarning

MSUN = u.Msun
GIVEN = populations.Normal(mu=priors.Normal(1.4 * MSUN, 1 * MSUN), lnsigma=priors.Uniform(-4, 1))


def measured(number=60, sigma=0.19, seed=1, low=0.05, high=0.3):
    """True values, measured values and their errors."""
    rng = np.random.default_rng(seed)
    x, error = rng.normal(1.4, sigma, number), rng.uniform(low, high, number)
    return x, rng.normal(x, error), error


def draws_of(value, error, size=4000, seed=2):
    """Draws from posteriors with a flat prior."""
    return np.random.default_rng(seed).normal(value[:, None], error[:, None], (len(value), size))


def fit(table, seed=1, **options):
    options.setdefault("quantity", "mass")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckWarning)
        return SamplePopulation(**options).fit(table, random_state=seed, progressbar=False)


def prepared(table, **options):
    options.setdefault("quantity", "mass")
    model = SamplePopulation(**options).suited_to(table)
    return model.prepare(model.read(table), progressbar=False)


def closed_form(value, error, theta):
    """ln of the likelihood of each object, (theta, object)."""
    return stats.norm.logpdf(
        value, theta["mu"][:, None], np.hypot(np.exp(theta["lnsigma"])[:, None], error)
    )


@pytest.fixture(scope="module")
def sample():
    return measured()


@pytest.fixture(scope="module")
def theta():
    rng = np.random.default_rng(3)
    return {"mu": rng.normal(1.4, 0.05, 30), "lnsigma": rng.normal(np.log(0.19), 0.3, 30)}


def test_draws_are_summed_with_their_priors_and_weights(sample, theta):
    _, value, error = sample
    x = draws_of(value, error, 800)
    rng = np.random.default_rng(0)
    interim, weight = rng.uniform(0.5, 2, x.shape), rng.uniform(0, 1, x.shape)
    table = QTable({"samples": x * MSUN, "interim": interim / MSUN, "weight": weight})
    found = prepared(table, population=GIVEN).log_marginal(theta)
    density = stats.norm.logpdf(
        x, theta["mu"][:, None, None], np.exp(theta["lnsigma"])[:, None, None]
    )
    share = np.log(weight / weight.sum(axis=1, keepdims=True) / interim)
    expected = logsumexp(density + share, axis=2).sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=0.005)


@pytest.mark.parametrize("spread", [0.001, 0.1, 30])
def test_values_with_errors_have_the_closed_form(sample, theta, spread):
    _, value, error = sample
    table = QTable({"value": value * MSUN, "error": spread * error * MSUN})
    found = prepared(table, population=GIVEN).log_likelihood(theta)
    np.testing.assert_allclose(found, closed_form(value, spread * error, theta), 3e-4, 3e-4)


def test_errors_of_any_size_say_what_they_can(sample):
    # One object is known a million times worse than the others, and one a million times better.
    _, value, error = sample
    value, error = np.append(value, [3e5, 1.37]), np.append(error, [2e6, 2e-7])
    theta = {"mu": np.array([1.38, 1.42]), "lnsigma": np.log([0.15, 0.25])}
    table = QTable({"value": value * MSUN, "error": error * MSUN})
    found = prepared(table, population=GIVEN).log_likelihood(theta)
    np.testing.assert_allclose(found, closed_form(value, error, theta), 3e-4, 3e-4)


def test_densities_on_a_grid_are_the_same(sample, theta):
    _, value, error = sample
    grid = np.linspace(-1, 4, 2001)
    density = 7 * stats.norm.pdf(grid, value[:, None], error[:, None])  # of any height
    table = QTable({"density": density / MSUN})
    data = prepared(table, population=GIVEN, grid=grid * MSUN, interim="flat")
    np.testing.assert_allclose(
        data.log_likelihood(theta), closed_form(value, error, theta), 3e-4, 3e-4
    )


def test_an_interim_prior_is_divided_out(sample):
    # Posteriors under a normal prior, with that prior divided out, are the likelihoods.
    _, value, error = sample
    prior = priors.Normal(1.2 * MSUN, 0.4 * MSUN)
    variance = 1 / (1 / error**2 + 1 / 0.4**2)
    mean = variance * (value / error**2 + 1.2 / 0.4**2)
    grid = np.linspace(-1, 4, 2001)
    density = stats.norm.pdf(grid, mean[:, None], np.sqrt(variance)[:, None])
    theta = {"mu": np.array([1.3, 1.5, 1.4]), "lnsigma": np.log([0.1, 0.2, 0.3])}
    data = prepared(QTable({"density": density / MSUN}), grid=grid * MSUN, interim=prior)
    expected = closed_form(value, error, theta).sum(axis=1)
    np.testing.assert_allclose(np.diff(data.log_marginal(theta)), np.diff(expected), atol=0.005)


LOG_NORMAL = populations.LogNormal(mu=priors.Normal(0.3, 1), lnsigma=priors.Uniform(-3, 1))
UNIFORM = populations.Uniform(
    lower=priors.Uniform(0.5 * MSUN, 1.3 * MSUN), upper=priors.Uniform(1.6 * MSUN, 3 * MSUN)
)
GAMMA = populations.Gamma(
    alpha_e=priors.LogNormal(2, 1), scale_e=priors.LogNormal(-2, 1, scale=1 * MSUN)
)


@pytest.mark.parametrize(
    ("population", "theta", "density", "within"),
    [
        (LOG_NORMAL, {"mu": 0.3, "lnsigma": -1.5}, stats.lognorm(0.22313, 0, 1.34986), 2e-3),
        (GAMMA, {"alpha": 20.0, "scale": 0.07}, stats.gamma(20, scale=0.07), 2e-3),
        (UNIFORM, {"lower": 1.11, "upper": 1.73}, stats.uniform(1.11, 0.62), 0.05),
    ],
    ids=["log-normal", "gamma", "uniform"],
)  # fmt: skip
def test_any_family_describes_a_mass(sample, population, theta, density, within):
    _, value, error = sample
    x = draws_of(value, error, 2000)
    table = QTable({"samples": x * MSUN})
    data = prepared(table, population=population, interim="flat")
    found = data.log_likelihood({name: np.array([of]) for name, of in theta.items()})[0]
    expected = np.log(density.pdf(x).mean(axis=1))
    np.testing.assert_allclose(found, expected, atol=within)


def test_the_posterior_is_that_of_the_closed_form():
    # 200 objects of 4000 draws: their Monte Carlo error is 0.2 in ln L, 0.01 sd of the parameters.
    # That of 4000 draws of the posterior is 0.016 sd.
    _, value, error = measured(200)
    model = fit(
        QTable({"samples": draws_of(value, error) * MSUN}), population=GIVEN, interim="flat"
    )
    mu, lnsigma = (
        x.ravel() for x in np.meshgrid(np.linspace(1.3, 1.5, 81), np.linspace(-2.4, -1.2, 121))
    )
    log_p = closed_form(value, error, {"mu": mu, "lnsigma": lnsigma}).sum(axis=1)
    p = np.exp(log_p - log_p.max()) * stats.norm.pdf(mu, 1.4, 1)
    for name, x in (("mu", mu), ("lnsigma", lnsigma)):
        mean = np.average(x, weights=p)
        sd = np.sqrt(np.average((x - mean) ** 2, weights=p))
        draws = model.samples(name).value
        assert abs(draws.mean() - mean) < 0.08 * sd
        assert draws.std() == pytest.approx(sd, rel=0.06)


@pytest.fixture(scope="module")
def of_values(sample):
    _, value, error = sample
    return fit(QTable({"value": value * MSUN, "error": error * MSUN}), population=GIVEN)


def test_objects_are_shrunk_as_normal_ones_are(sample, of_values):
    _, value, error = sample
    mu, variance = of_values.samples("mu").value, of_values.samples("sigma").value ** 2
    share = variance / (variance + error[:, None] ** 2)  # (object, draw)
    mean, within = mu + share * (value[:, None] - mu), share * error[:, None] ** 2
    sd = np.sqrt(within.mean(axis=1) + mean.var(axis=1))
    table = of_values.object_table()
    np.testing.assert_allclose(table["mass_mean"].value, mean.mean(axis=1), atol=0.1 * sd.min())
    np.testing.assert_allclose(table["mass_sd"].value, sd, rtol=0.05)
    np.testing.assert_allclose(table["mass_own_mean"].value, value, atol=1e-6)
    np.testing.assert_allclose(table["mass_own_sd"].value, error, rtol=1e-4)
    # False alarm: 4.5 standard errors of 60 means of 4000 draws, 4e-4.
    drawn = of_values.samples("mass").value
    assert np.all(np.abs(drawn.mean(axis=0) - mean.mean(axis=1)) < 4.5 * sd / np.sqrt(4000))
    np.testing.assert_allclose(drawn.std(axis=0), sd, rtol=0.06)
    for p in (16, 50, 84):
        np.testing.assert_allclose(
            table[f"mass_p{p}"].value, np.percentile(drawn, p, axis=0), atol=0.08 * sd.max()
        )


def test_units_are_those_of_the_table_or_the_ones_asked_for(sample, of_values):
    _, value, error = sample
    assert of_values.samples("mu").unit == of_values.samples("mass").unit == MSUN
    assert of_values.parameter("sigma").unit == MSUN
    table = QTable({"value": value * MSUN, "error": error * MSUN})
    in_kg, same = fit(table, quantity={"mass": u.kg}), fit(table)
    assert in_kg.samples("mu").unit == u.kg
    np.testing.assert_allclose(in_kg.samples("mu").to_value(MSUN), same.samples("mu").value)
    with pytest.raises(priors.PriorError, match="prior of mu"):
        fit(QTable({"value": value, "error": error}), population=GIVEN)


@pytest.mark.filterwarnings("ignore::astro_hier.checks.CheckWarning")
def test_the_table_of_objects_has_the_units_asked_for_or_none(sample, of_values):
    own, in_kg = of_values.object_table(), of_values.object_table(unit="kg")
    assert own["mass_mean"].unit == MSUN
    assert in_kg["mass_mean"].unit == u.kg
    np.testing.assert_allclose(in_kg["mass_mean"].to_value(MSUN), own["mass_mean"].value)
    _, value, error = sample
    spin = SamplePopulation(quantity="mass").fit(
        QTable({"value": value, "error": error}), draws=50, random_state=1, progressbar=False
    )
    assert spin.object_table()["mass_mean"].unit is None


def test_a_log_normal_is_the_same_in_any_unit(sample):
    _, value, error = sample
    table = QTable({"value": value * MSUN, "error": error * MSUN})
    population = populations.LogNormal()
    found = [fit(table, population=population, quantity={"mass": of}) for of in (MSUN, u.kg)]
    mean = [model.samples("mu").value.mean() for model in found]
    assert mean[1] - mean[0] == pytest.approx(np.log(MSUN.to(u.kg)), abs=1e-3)


def test_a_new_object_is_one_of_the_population(of_values):
    drawn = of_values.predict(random_state=0)
    assert drawn.unit == MSUN
    assert drawn.shape == (4000,)
    mu, sigma = (of_values.samples(name).value for name in ("mu", "sigma"))
    assert drawn.value.std() == pytest.approx(np.hypot(np.sqrt(np.mean(sigma**2)), mu.std()), 0.06)


def selected(threshold=1.5, number=400, injections=200_000, seed=5):
    """Objects whose measured value exceeds a threshold, and injections that would be found."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1.4, 0.2, number)
    value = rng.normal(x, 0.1)
    value = value[value > threshold]
    injected = rng.uniform(0.4, 2.6, injections)
    found = injected[rng.normal(injected, 0.1) > threshold]
    table = QTable({"value": value * MSUN, "error": np.full(len(value), 0.1) * MSUN})
    density = np.full(len(found), 1 / 2.2) / MSUN
    return table, QTable({"mass": found * MSUN, "density": density}, meta={"injected": injections})


def test_a_selection_is_undone():
    # A standard deviation of the mean is 0.02 to 0.03: without the selection it is 9 off.
    table, found = selected()
    without, model = fit(table), fit(table, selection=found)
    assert without.samples("mu").mean() > 1.55 * MSUN
    assert abs(model.samples("mu").mean() - 1.4 * MSUN) < 4 * model.samples("mu").std()
    assert abs(model.samples("sigma").mean() - 0.2 * MSUN) < 4 * model.samples("sigma").std()
    attrs = model.posterior.attrs
    assert 0 < attrs["selection_variance"] < 1
    assert attrs["share_found"] == pytest.approx(
        stats.norm.sf(1.5, 1.4, np.hypot(0.2, 0.1)), abs=0.2
    )


def test_the_selection_is_the_mean_over_injections(theta):
    table, found = selected()
    data, bare = prepared(table, selection=found), prepared(table)
    one = {name: of[:5] for name, of in theta.items()}
    ratio = (
        stats.norm.pdf(found["mass"].value, one["mu"][:, None], np.exp(one["lnsigma"])[:, None])
        / found["density"].value
    )
    alpha = ratio.sum(axis=1) / 200_000
    expected = bare.log_marginal(one) - len(table) * np.log(alpha)
    np.testing.assert_allclose(data.log_marginal(one), expected, atol=0.02)
    variance = ((ratio**2).sum(axis=1) / 200_000**2 - alpha**2 / 200_000) / alpha**2
    np.testing.assert_allclose(data.kept(one)[1], variance, rtol=0.02)
    np.testing.assert_allclose(data.variance(one), len(table) ** 2 * variance, rtol=0.02)


def test_few_injections_are_warned_of_and_too_few_are_refused():
    table, found = selected(injections=20_000)
    with pytest.warns(CheckWarning, match="Monte Carlo variance .* injections"):
        SamplePopulation(quantity="mass", selection=found).fit(
            table, random_state=1, progressbar=False
        )
    with pytest.raises(TableError, match=r"40 injections were found, of which .* need at least"):
        prepared(table, selection=found[:40])
    narrow = {"mu": np.array([1.9]), "lnsigma": np.array([-5.0])}  # where few of them are
    data = prepared(table, selection=found[: 5 * len(table)], population=GIVEN)
    assert data.log_marginal(narrow) == -np.inf


def test_injections_have_to_be_where_the_objects_are():
    table, found = selected()
    of = found["mass"] < 1.6 * MSUN
    with pytest.raises(
        TableError, match="have a mass at which no injection was found: those found have"
    ):
        prepared(table, selection=found[of])
    found["density"] /= 100
    model = fit(table, selection=found)
    assert next(f for f in model.findings() if f.name == "share_found").failed


def test_an_object_that_is_hardly_known_is_not_beyond_the_injections():
    table, found = selected()
    table["error"][0] = 1e5 * MSUN
    assert np.isfinite(prepared(table, selection=found).log_marginal(
        {"mu": np.array([1.4]), "lnsigma": np.array([-1.6])}
    ))  # fmt: skip


def test_objects_beyond_the_population_are_named(sample):
    _, value, error = sample
    table = QTable({"value": np.append(value / 4, 1.4), "error": np.append(error / 4, 0.1)})
    model = fit(table, population=populations.Beta(), quantity="q")
    found = next(f for f in model.findings() if f.name == "outside_population")
    assert found.failed
    assert "1 of 61 of the objects" in found.said
    assert "60" in found.said


@pytest.mark.parametrize(("spread", "error"), [(0.0, 0.3), (1e-9, 0.3), (1e-3, 0.3), (1.0, 1e-9)])
def test_tables_of_any_scatter_can_be_fitted(spread, error):
    value = 5 + spread * np.linspace(-1, 1, 12)
    model = fit(QTable({"value": value, "error": np.full(12, error)}), quantity="q")
    assert abs(model.samples("mu").value.mean() - 5) < 0.5


def test_objects_with_few_effective_draws_are_named(sample):
    _, value, error = sample
    value = np.append(value, 3.4)  # where the population is not
    table = QTable(
        {"object": [f"n{i}" for i in range(61)],
         "samples": draws_of(value, np.append(error, 0.3), 60) * MSUN}
    )  # fmt: skip
    narrow = populations.Normal(mu=1.4 * MSUN, lnsigma=priors.Normal(-1.6, 0.1))
    model = fit(table, population=narrow, interim="flat")
    found = next(f for f in model.findings() if f.name == "effective_draws")
    assert found.failed
    assert "1 of the objects have fewer effective draws given the population: n60 (" in found.said
    table = model.object_table()
    assert table["effective"][-1] < 10 < table["effective"][0] < table["n_draws"][0] == 60


def test_copies_of_objects_are_noticed(sample):
    _, value, error = sample
    twice = np.append(value, value[3]), np.append(error, error[3])
    for table, interim in (
        (QTable({"value": twice[0] * MSUN, "error": twice[1] * MSUN}), None),
        (QTable({"samples": draws_of(*twice, 20)[[*range(60), 3]] * MSUN}), "flat"),
    ):
        model = SamplePopulation(quantity="mass", interim=interim).suited_to(table)
        (found, *_) = model.check_table(table, model.read(table))
        assert found.failed
        assert found.found == "1 of 61"
        (found, *_) = model.check_table(table, model.read(table[:-1]))
        assert not found.failed


@pytest.mark.parametrize(
    ("options", "columns", "message"),
    [
        ({}, {}, r"interim= is missing: .* interim='flat'"),
        ({"interim": 3}, {}, r"interim=3; expected 'flat', a prior"),
        ({"interim": priors.Uniform(0 * MSUN, 1 * MSUN)}, {}, "does not allow .* values of mass"),
        ({"interim": "flat"}, {"interim": 1.0}, "column of the interim prior's density too"),
        ({"interim": "flat", "quantity": "error"}, {}, "'error' cannot be a name"),
        ({"interim": "flat", "quantity": "mu"}, {}, "'mu' is the name of a parameter of the popu"),
        ({"interim": "flat", "quantity": "draw"}, {}, "'draw' cannot be a name"),
        ({"interim": "flat", "quantity": ("a", "a")}, {}, "expected a name such as 'mass'"),
        ({"interim": "flat", "population": populations.KnownDistribution()}, {}, "no parameters"),
        ({"interim": "flat", "quantity": 3}, {}, r"quantity=3; expected a name such as 'mass'"),
        ({"interim": "flat", "limits": (3, 2)}, {}, "expected the lowest and highest mass"),
        ({"interim": "flat", "population": "normal"}, {}, r"population='normal'; expected one of"),
        ({"interim": "flat", "population": populations.PowerLaw()}, {}, r"expected limits=\(LOW"),
        ({"interim": "flat", "limits": (8 * MSUN, 9 * MSUN)}, {}, "Normal.* extends beyond any"),
        ({"interim": "flat", "limits": (8 * MSUN, 9 * MSUN),
          "population": populations.TruncatedNormal()}, {}, "have no values that the population"),
        ({"interim": "flat", "object_draws": 3}, {}, "object_draws=3; expected 'auto'"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_an_error(sample, options, columns, message):
    _, value, error = sample
    table = QTable({"samples": draws_of(value, error, 50) * MSUN})
    for name, of in columns.items():
        table[name] = np.full(table["samples"].shape, of)
    with pytest.raises((ValueError, TableError), match=message):
        fit(table, **options)


def test_figures_and_files(of_values, tmp_path):
    for figure in (of_values.plot_data, of_values.plot_population, of_values.plot_shrinkage):
        ax = figure()
        assert "mass" in ax.get_xlabel() + ax.get_ylabel()
        assert "M_{\\odot}" in ax.get_xlabel() + ax.get_ylabel()
    with pytest.raises(ValueError, match="for objects that are described by draws"):
        of_values.plot_effective()
    with pytest.raises(ValueError, match="quantity='age'; expected 'mass'"):
        of_values.plot_population(quantity="age")
    table = datasets.make_posterior_samples(12, 50, random_state=1)
    model = fit(table)
    assert model.plot_effective().get_yscale() == "log"
    model.save(tmp_path / "model.nc")
    again = SamplePopulation.load(tmp_path / "model.nc")
    assert list(again.object_table()["mass_mean"]) == list(model.object_table()["mass_mean"])
    assert repr(again) == repr(model)


def test_draws_of_single_objects_may_be_left_out(sample):
    _, value, error = sample
    table = QTable({"value": value * MSUN, "error": error * MSUN})
    model = fit(table, object_draws=False)
    assert "mass" not in model.posterior
    with pytest.raises(ValueError, match=r"object_draws=True, or see object_table\(\)"):
        model.samples("mass")
    assert len(model.object_table()) == len(value)
