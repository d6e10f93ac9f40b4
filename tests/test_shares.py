"""Claims about posteriors of shares: their gradients, exact answers, and fits of many bins."""

import warnings

import numpy as np
import pytest
from astropy.table import QTable
from scipy import stats
from scipy.special import log_softmax

from astro_hier import SamplePopulation, populations, priors
from astro_hier.checks import CheckWarning
from astro_hier.core import hamiltonian, shares
from astro_hier.models.sample_population import many_bins

CHAINS = hamiltonian.CHAINS
SIZE = 125 * CHAINS
FALSE_ALARM = 1e-5  # of a test, with all its comparisons


def assert_means(values, expected, other_variance=0.0):
    """Means of independent chains agree with the expected: Student's t."""
    means = values.reshape(CHAINS, -1, *values.shape[1:]).mean(axis=1).reshape(CHAINS, -1)
    error = np.sqrt(means.var(axis=0, ddof=1) / CHAINS + other_variance)
    t = (means.mean(axis=0) - np.ravel(expected)) / error
    assert np.abs(t).max() < stats.t.isf(FALSE_ALARM / 2 / t.size, CHAINS - 1)


def run_of(posterior, seed=1, size=SIZE):
    rng = np.random.default_rng(seed)
    return hamiltonian.sample(posterior, posterior.start, size, rng).draws


def walk(likelihood, prior, near=0.5):
    bins = likelihood.bins
    changes = np.tril(np.ones((bins, bins)), -1)[:, :-1].T
    return shares.Walk(likelihood, changes, np.linspace(0, 1, bins), prior, near)


def blurred(bins=10, number=60, seed=0, selection=False):
    """The likelihood of objects whose bins are not known exactly."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0.4 * bins, 0.2 * bins, number)
    weight = np.exp(-0.5 * (np.arange(bins) - x[:, None]) ** 2) + 1e-9
    power = np.ones(number)
    if selection:
        weight = np.vstack([weight, np.linspace(0.2, 1, bins)])
        power = np.append(power, -number)
    return shares.Likelihood(weight, power)


POSTERIORS = {
    "dirichlet": lambda likelihood: shares.Dirichlet(likelihood, 1.0),
    "sparse": lambda likelihood: shares.Dirichlet(likelihood, 0.3),
    "walk": lambda likelihood: walk(likelihood, stats.halfnorm()),
    "known": lambda likelihood: walk(likelihood, 0.3),
}


@pytest.mark.parametrize("selection", [False, True])
@pytest.mark.parametrize("make", POSTERIORS.values(), ids=POSTERIORS)
def test_gradients_agree_with_differences(make, selection):
    posterior = make(blurred(selection=selection))
    x = posterior.start + np.random.default_rng(1).normal(0, 0.5, (4, len(posterior.start)))
    shifts = 1e-5 * np.eye(x.shape[1])
    expected = [(posterior(x + h)[0] - posterior(x - h)[0]) / 2e-5 for h in shifts]
    np.testing.assert_allclose(posterior(x)[1], np.transpose(expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("concentration", [0.5, 1.0, 4.0])
def test_known_objects_give_the_exact_dirichlet_posterior(concentration):
    counts = np.array([0, 0, 1, 2, 5, 40, 300, 20, 3, 0, 1, 0, 7])
    weight = np.repeat(np.eye(len(counts)), counts, axis=0)
    posterior = shares.Dirichlet(shares.Likelihood(weight, np.ones(len(weight))), concentration)
    share = np.exp(posterior.log_shares(run_of(posterior)))
    exact = stats.dirichlet(concentration + counts)
    assert_means(share, exact.mean())
    assert_means((share - exact.mean()) ** 2, exact.var())


def test_a_selection_of_half_the_bins():
    """The second half is found with probability c: the share of the first by quadrature."""
    counts, c, a = np.array([5, 9, 3, 11, 4, 8, 2, 6]), 0.3, 1.0
    number, half = counts.sum(), len(counts) // 2
    found = np.repeat([1.0, c], half)
    weight = np.vstack([np.repeat(np.eye(len(counts)), counts, axis=0), found])
    power = np.append(np.ones(number), -number)
    posterior = shares.Dirichlet(shares.Likelihood(weight, power), a)
    first = np.exp(posterior.log_shares(run_of(posterior)))[:, :half].sum(axis=1)
    f = np.linspace(0, 1, 20_001)[1:-1]
    log_density = (counts[:half].sum() + a * half - 1) * np.log(f)
    log_density += (counts[half:].sum() + a * half - 1) * np.log1p(-f)
    density = np.exp(log_density - number * np.log(f + c * (1 - f)))
    mean = (f * density).sum() / density.sum()
    assert_means(first, mean)
    assert_means((first - mean) ** 2, ((f - mean) ** 2 * density).sum() / density.sum())


@pytest.mark.parametrize("number", [0, 6, 300])
def test_a_walk_agrees_with_a_sum_over_a_grid(number):
    """Two steps and the smoothness, with as few and as many objects as there may be."""
    prior, likelihood = stats.halfnorm(scale=0.7), shares.Likelihood(np.ones((1, 3)), np.ones(1))
    if number:
        likelihood = blurred(3, number)
    posterior = walk(likelihood, prior)
    points = run_of(posterior)
    smoothness, step = posterior.steps(points)
    score = np.linspace(-4, 4, 61)
    axes = np.linspace(-5, 5, 81), np.linspace(-5, 5, 81), prior.ppf(stats.norm.cdf(score))
    z1, z2, of = (x.ravel() for x in np.meshgrid(*axes, indexing="ij"))
    heights = np.stack([np.zeros_like(z1), of * z1, of * (z1 + z2)], axis=1)
    x = posterior.origin + heights
    log_density = likelihood.at(x) - 0.5 * (z1**2 + z2**2)
    log_density += np.tile(stats.norm.logpdf(score), len(z1) // len(score))
    mass = np.exp(log_density - log_density.max())
    mass /= mass.sum()
    assert_means(np.exp(posterior.log_shares(points)), mass @ np.exp(log_softmax(x, axis=1)))
    assert_means(smoothness, mass @ of)
    assert_means(step, [mass @ z1, mass @ z2])
    assert_means(smoothness**2, mass @ of**2)


def ranks(make, draw, number, seed):
    """Ranks of true shares among 99 draws, shape (simulation, bin)."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(number):
        share = draw(rng)
        x = rng.choice(len(share), 40, p=share) + rng.normal(0, 0.7, 40)
        weight = np.exp(-0.5 * ((np.arange(len(share)) - x[:, None]) / 0.7) ** 2)
        posterior = make(shares.Likelihood(weight, np.ones(40)))
        run = hamiltonian.sample(posterior, posterior.start, 99, rng)
        found.append((np.exp(posterior.log_shares(run.draws)) < share).sum(axis=0))
    return np.array(found)


def dirichlet_shares(rng):
    return rng.dirichlet(np.ones(6))


def walk_shares(rng):
    step = np.abs(rng.normal()) * rng.normal(size=5)
    return np.exp(log_softmax(np.linspace(0, 1, 6) + np.concatenate([[0], np.cumsum(step)])))


@pytest.mark.parametrize(
    ("make", "draw"),
    [(POSTERIORS["dirichlet"], dirichlet_shares), (POSTERIORS["walk"], walk_shares)],
    ids=["dirichlet", "walk"],
)
def test_ranks_of_true_shares_are_uniform(make, draw):
    found = ranks(make, draw, 25, 3)
    for of_bin in found[:, ::2].T:  # a Kolmogorov-Smirnov test each, of ranks made continuous
        spread = (of_bin + np.random.default_rng(1).random(len(of_bin))) / 100
        assert stats.kstest(spread, "uniform").pvalue > FALSE_ALARM


# ---- fits


def sample(bins, number, seed=2):
    """Densities of redshifts, and the edges of bins."""
    rng = np.random.default_rng(seed)
    grid, z = np.linspace(0, 2, 101), rng.gamma(6, 0.12, number).clip(0.01, 1.95)
    error = 0.05 * (1 + z)
    off = (grid - rng.normal(z, error)[:, None]) / error[:, None]
    table = QTable({"density": np.exp(-0.5 * off**2) + 1e-12})
    return table, {"grid": grid, "quantity": "z", "interim": "flat"}, np.linspace(0, 2, bins + 1)


def fit(table, seed=1, draws=1000, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error", CheckWarning)
        model = SamplePopulation(**options)
        return model.fit(table, draws=draws, random_state=seed, progressbar=False)


FAMILIES = {
    "dirichlet": lambda edges: populations.DirichletHistogram(edges=edges),
    "smooth": lambda edges: populations.Histogram(edges=edges),
    "known": lambda edges: populations.Histogram(edges=edges, smoothness=priors.Fixed(0.4)),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_it_agrees_with_importance_sampling(family, monkeypatch):
    table, options, edges = sample(8, 200)
    options |= {"population": family(edges), "object_draws": False}
    expected = fit(table, **options).samples("share").value
    monkeypatch.setattr(many_bins, "MOST_BINS", 7)
    found = fit(table, **options)
    assert found.posterior.attrs["sampler"] == "hamiltonian"
    share = found.samples("share").value
    # 2: a pool of weighted draws is worth less than as many independent ones
    assert_means(share, expected.mean(axis=0), 2 * expected.var(axis=0) / len(expected))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_histogram_of_forty_bins(family):
    table, options, edges = sample(40, 60)
    model = fit(table, draws=100, population=family(edges), **options)
    posterior, rng = model.posterior, np.random.default_rng(1)
    share = model.samples("share").value
    assert share.shape == (400, 40)
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert posterior["z"].sizes["object"] == 60
    assert posterior.attrs["r_hat"] <= hamiltonian.LARGEST_R_HAT
    assert "r_hat" in model.checks()["check"]
    data, some = model.fitted_data(), rng.choice(400, 20)
    names = *model.sampled_names(), "step"
    theta = {name: model.samples(name).value[some] for name in names}
    log_marginal = data.log_marginal(theta)
    height = model.log_prob(data, theta)
    np.testing.assert_allclose(model.samples("log_prob").value[some], height, rtol=1e-9)
    normals = stats.norm.logpdf(theta["step"]).sum(axis=1)
    expected = log_marginal + normals + model.log_prior({n: theta[n] for n in names[:-1]})
    np.testing.assert_allclose(height, expected)
    np.testing.assert_allclose(data.population.derive(theta)["share"], share[some], atol=1e-12)


def test_a_selection_keeps_enough_injections():
    """The stored likelihood is that of the sample, and finite: Farr's limit holds for each draw."""
    table, options, edges = sample(20, 30)
    rng = np.random.default_rng(1)
    z = rng.uniform(0, 2, 5000)
    found = z[rng.random(len(z)) < 1 - 0.4 * z]
    selection = QTable({"z": found, "density": np.full(len(found), 0.5)}, meta={"injected": 5000})
    population = populations.DirichletHistogram(edges=edges)
    model = fit(table, draws=100, population=population, selection=selection, **options)
    assert model.posterior.attrs["sampler"] == "hamiltonian"
    stored = np.ravel(model.inference_data["sample_stats"]["log_marginal"].values)
    again = model.fitted_data().log_marginal({"step": model.samples("step").value})
    assert np.all(np.isfinite(again))
    np.testing.assert_allclose(stored, again, rtol=1e-9)


@pytest.mark.parametrize("concentration", [0.3, 1.0, 5.0])
def test_steps_give_back_the_shares(concentration):
    rng = np.random.default_rng(1)
    family = populations.DirichletHistogram(np.arange(21.0), concentration=concentration)
    log_share = np.log(rng.dirichlet(np.full(20, 0.3 * concentration), 200) + 1e-20)
    log_share = log_softmax(log_share, axis=1)
    share = family.derive({"step": family._steps(log_share)})["share"]
    np.testing.assert_allclose(share, np.exp(log_share), rtol=1e-5, atol=1e-12)
    step = rng.normal(size=(200, 19))
    again = family._steps(np.log(family.derive({"step": step})["share"]))
    np.testing.assert_allclose(again, step, atol=1e-4)
