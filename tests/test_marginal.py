"""Claims about importance sampling, on models whose posterior is known in closed form."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.utils.exceptions import AstropyUserWarning
from scipy import stats

from astro_hier import checks
from astro_hier.inference import Problem, marginal, weights
from astro_hier.inference.checks import of_weights


class Toy:
    """A likelihood of named hyperparameters, without latent variables."""

    def __init__(self, priors, log_likelihood, initial):
        self.priors, self.function, self.start = priors, log_likelihood, initial
        self.evaluations = 0

    def log_marginal(self, theta):
        self.evaluations += len(next(iter(theta.values())))
        return self.function(**theta)

    def candidates(self, rng=None):
        return []

    def problem(self):
        return Problem(
            "Toy",
            self.priors,
            tuple(self.priors),
            lower_ends={},
            normals={},
            starts=lambda: [self.start],
            candidates=self.candidates,
            log_marginal=self.log_marginal,
            draw_latents=lambda *arguments: {},
            draw_exactly=lambda *arguments: None,
            build_pymc=None,
            finish=None,
        )


def run(toy, draws=1000, chains=4, seed=0, **options):
    result = marginal.sample(
        toy.problem(),
        draws=draws,
        chains=chains,
        rng=np.random.default_rng(seed),
        progressbar=False,
        **options,
    )
    checks.warn_of(result.findings)
    return result


def gaussian(width, start=0.0):
    """A normal prior of sd 1 and a normal likelihood of mean 1.5: normal posterior, any width."""
    return Toy(
        {"x": stats.norm(0, 1), "y": stats.norm(0, 1)},
        lambda x, y: stats.norm.logpdf(1.5, x, width) + stats.norm.logpdf(-0.5, y, width),
        {"x": start, "y": start},
    )


@pytest.mark.parametrize("surrogate", [False, True])
@pytest.mark.parametrize("width", [3.0, 0.1, 1e-3, 1e-6])
@pytest.mark.parametrize("start", [0.0, 1.5, 4.0])
def test_normal_posterior_of_any_width_is_found_from_any_start(width, start, surrogate):
    # False alarm: each mean beyond 4.5 standard errors of 4,000 draws, 7e-6.
    result = run(gaussian(width, start), surrogate=surrogate)
    sd = width / np.sqrt(1 + width**2)
    for name, datum in (("x", 1.5), ("y", -0.5)):
        draws = result.posterior[name]
        mean = datum / (1 + width**2)
        assert abs(draws.mean() - mean) < 4.5 * sd / np.sqrt(4000)
        assert draws.std() == pytest.approx(sd, rel=4.5 / np.sqrt(2 * 4000))
    evidence = sum(stats.norm.logpdf(d, 0, np.hypot(1, width)) for d in (1.5, -0.5))
    assert result.attrs["log_evidence"] == pytest.approx(evidence, abs=0.05)
    assert result.attrs["effective_size"] >= 4000
    assert result.attrs["pareto_k"] < 0.5


def test_draws_are_uniform_in_their_posterior_ranks():
    # False alarm: one in 10,000. Independent runs, one draw of each, so that draws of one run
    # that come in pairs do not count.
    ranks = []
    for seed in range(60):
        toy = gaussian(0.3)
        result = run(toy, draws=2, chains=1, seed=seed, surrogate=seed % 2 == 0)
        draws = result.posterior["x"].ravel()
        ranks.append(stats.norm.cdf(draws[0], 1.5 / 1.09, 0.3 / np.sqrt(1.09)))
    assert stats.kstest(ranks, "uniform").pvalue > 1e-4


def test_both_modes_of_a_posterior_get_their_weight():
    # False alarm: 7e-6.
    def two_modes(x):
        return np.logaddexp(
            np.log(0.3) + stats.norm.logpdf(x, -4, 0.2), np.log(0.7) + stats.norm.logpdf(x, 5, 0.3)
        )

    with pytest.warns(AstropyUserWarning, match="2 distinct explanations"):
        result = run(Toy({"x": stats.uniform(-10, 20)}, two_modes, {"x": 5.0}))
    x = result.posterior["x"]
    assert abs(np.mean(x < 0) - 0.3) < 4.5 * np.sqrt(0.3 * 0.7 / 4000)
    # the more probable one is the first
    np.testing.assert_array_equal(result.sample_stats["explanation"], np.where(x < 0, 1, 0))


def test_a_narrow_peak_of_heavy_tails_is_found_in_nine_dimensions():
    # False alarm: 7e-6. Tempering alone leads into the tails, not to the peak.
    names, width, power = "abcdefghi", 1e-3, 100

    def heavy(**theta):
        r2 = sum((value - 1.5) ** 2 for value in theta.values())
        return -0.5 * power * np.log1p(r2 / width**2)

    priors = {name: stats.norm(0, 1) for name in names}
    result = run(Toy(priors, heavy, dict.fromkeys(names, 0.0)))
    assert result.attrs["effective_size"] >= 4000
    # a Student t of 91 degrees of freedom, whose scale is width / sqrt(91)
    sd = width / np.sqrt(91 - 2)
    assert abs(result.posterior["a"].mean() - 1.5) < 4.5 * sd / np.sqrt(4000)
    assert result.posterior["a"].std() == pytest.approx(sd, rel=4.5 / np.sqrt(2 * 4000))


def test_a_posterior_of_many_shapes_is_drawn_from():
    """A long crescent, the arms of which no one ellipse covers."""
    # False alarm: 7e-6.
    toy = Toy(
        {"x": stats.norm(0, 1), "y": stats.norm(0, 1)},
        lambda x, y: stats.norm.logpdf(y, x**2 - 1, 0.03),
        {"x": 0.0, "y": 0.0},
    )
    result = run(toy, max_evaluations=20_000)
    assert result.attrs["effective_size"] >= 4000
    assert result.attrs["pareto_k"] < 0.7
    x = np.linspace(-4, 4, 4001)
    density = stats.norm.pdf(x) * stats.norm.pdf(x**2 - 1, 0, np.hypot(1, 0.03))
    sd = np.sqrt(density @ x**2 / density.sum())
    assert abs(result.posterior["x"].mean()) < 4.5 * sd / np.sqrt(4000)


def test_a_posterior_flat_down_to_the_priors_edge_is_flat_in_the_draws():
    # False alarm: one in 10,000. The likelihood is one below 0.5 and zero above.
    toy = Toy({"x": stats.uniform(0, 1)}, lambda x: np.where(x < 0.5, 0.0, -np.inf), {"x": 0.9})
    draws = run(toy).posterior["x"].ravel()
    assert stats.kstest(draws[::20], stats.uniform(0, 0.5).cdf).pvalue > 1e-4


def test_funnel_of_five_dimensions():
    # False alarm: 7e-6 each. Neal's funnel with a likelihood of one: posterior is the prior.
    scale = stats.norm(0, 1)
    toy = Toy(
        {name: scale for name in "abcde"},
        lambda a, b, c, d, e: stats.norm.logpdf(b, 0, np.exp(a)) - stats.norm.logpdf(b),
        dict.fromkeys("abcde", 0.0),
    )
    result = run(toy)
    assert abs(result.posterior["a"].mean()) < 4.5 / np.sqrt(result.attrs["effective_size"])
    assert abs(result.posterior["e"].mean()) < 4.5 / np.sqrt(result.attrs["effective_size"])


@pytest.mark.parametrize("datum", [12.0, -25.0])
def test_a_posterior_far_out_in_the_prior_is_found_and_said(datum):
    # 25 standard deviations out the distribution function of the prior is 1 or 0 in every digit.
    # False alarm: 7e-6.
    toy = Toy(
        {"x": stats.norm(0, 1)}, lambda x: stats.norm.logpdf(datum, x, 0.1), {"x": np.sign(datum)}
    )
    with pytest.warns(AstropyUserWarning, match=r"the data put x \(posterior mean .* widen"):
        draws = run(toy).posterior["x"]
    sd = 0.1 / np.sqrt(1.01)
    assert abs(draws.mean() - datum / 1.01) < 4.5 * sd / np.sqrt(4000)


def test_too_few_evaluations_are_a_warning_that_names_the_remedy():
    with pytest.warns(AstropyUserWarning, match=r"effective number.*raise max_evaluations"):
        run(gaussian(1e-4, start=4.0), max_evaluations=1200, surrogate=False)


def test_unreliable_weights_are_a_warning():
    # weights 1 / u have a Pareto tail of index one
    rng = np.random.default_rng(0)
    pareto_k = weights.pareto_k(-np.log(rng.random(5000)))
    assert pareto_k == pytest.approx(1, abs=0.3)
    found = {"effective_size": 4000, "pareto_k": pareto_k, "evaluations": 5000}
    enough, trusted = of_weights(found, 4000, 60_000)
    assert not enough.failed
    assert re.search("Pareto k = 1.*narrow the priors.*nuts", trusted.message())


def test_weights_with_a_light_tail_are_reliable():
    rng = np.random.default_rng(0)
    assert weights.pareto_k(np.log(rng.random(5000))) < 0


def test_impossible_data_are_an_error():
    toy = Toy({"x": stats.norm(0, 1)}, lambda x: np.full(x.shape, -np.inf), {"x": 0.0})
    with pytest.raises(ValueError, match=r"likelihood .* is zero wherever"):
        run(toy)


@pytest.mark.parametrize("surrogate", [False, True])
def test_same_seed_same_draws(surrogate):
    first, second = (run(gaussian(0.1), seed=5, surrogate=surrogate) for _ in range(2))
    np.testing.assert_array_equal(first.posterior["x"], second.posterior["x"])


def test_resampling_keeps_weights_to_within_one_draw():
    weights = np.array([0.5, 0.3, 0.2])
    counts = np.bincount(marginal._resample(weights, 1000, np.random.default_rng(0)))
    np.testing.assert_allclose(counts, 1000 * weights, atol=1)


def test_progress_reaches_its_end(capsys):
    marginal.sample(
        gaussian(0.1).problem(), draws=100, chains=4, rng=np.random.default_rng(0), progressbar=True
    )
    assert "100%" in capsys.readouterr().err


def test_pool_weighs_by_the_mixture_of_all_proposals():
    z = np.array([[0.0], [1.0]])
    pool = weights.Pool(z, np.zeros(2))
    proposal = SimpleNamespace(logpdf=lambda z: stats.norm.logpdf(z[:, 0], 1, 2))
    pool.add(proposal, np.array([[2.0]]), np.zeros(1))
    points = np.array([0.0, 1, 2])
    mixture = 2 / 3 * stats.norm.pdf(points) + 1 / 3 * stats.norm.pdf(points, 1, 2)
    np.testing.assert_allclose(np.exp(pool.log_weights), stats.norm.pdf(points) / mixture)


def test_weights_are_tempered_as_far_as_leaves_enough():
    rng = np.random.default_rng(0)
    fixed, raised = rng.normal(size=(2, 1000)) * [[0.1], [30.0]]
    found, beta = weights.tempered(fixed, raised, 2)
    assert 0 < beta < 1
    assert 1 / np.sum(found**2) == pytest.approx(2 * weights.ENOUGH_TO_FIT, rel=0.05)
    found, beta = weights.tempered(fixed, 0.1 * fixed, 2)
    assert beta == 1
    # what is fixed leaves too few by itself
    found, beta = weights.tempered(raised, raised, 2)
    assert beta < 1e-20
    np.testing.assert_allclose(found, weights.normalised(raised))
