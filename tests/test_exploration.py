"""Claims about what explorations of a posterior find, and what they say of each other."""

import numpy as np
import pytest
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from relation import Relation
from scipy import stats
from test_marginal import Toy, run

from astro_hier.inference import certificate, explanations
from astro_hier.inference.explore import Exploration
from astro_hier.inference.proposals import StudentT
from astro_hier.inference.target import Target
from astro_hier.inference.weights import Pool
from astro_hier.inference.wings import wings


def exploration(toy, seed=0, starts=None, candidates=(), most=20_000):
    target = Target(toy.problem())
    starts = target.normals_of([toy.start]) if starts is None else starts
    return Exploration(target, np.random.default_rng(seed), starts, np.array(candidates), most)


def two_needles(share=0.5, width=1e-3):
    """Needles at 0.3 and 0.9 of a uniform prior, of which no Sobol point sees the second."""

    def log_likelihood(x, y):
        first, second = (stats.norm.logpdf([x, y], at, width).sum(axis=0) for at in (0.3, 0.9))
        return np.logaddexp(np.log(1 - share) + first, np.log(share) + second)

    unit = stats.uniform(0, 1)
    return Toy({"x": unit, "y": unit}, log_likelihood, {"x": 0.3, "y": 0.3})


class Informed(Toy):
    """A toy whose second needle the data point to, if they are looked at again."""

    def __init__(self, toy, again=True):
        super().__init__(toy.priors, toy.function, toy.start)
        self.again = again

    def candidates(self, rng=None):
        return [] if rng is None or not self.again else [{"x": 0.9, "y": 0.9}]


# ---- the certificate


@pytest.mark.parametrize("surrogate", [False, True])
def test_explorations_of_one_peak_agree_and_draws_do_not_depend_on_it(surrogate):
    toy = two_needles(share=1e-300)
    options = {"seed": 3, "surrogate": surrogate}
    certified, plain = run(toy, **options), run(toy, **options, certify=False)
    assert certified.attrs["certificate"] == "agreed"
    assert plain.attrs["certificate"] == "not asked for"
    most = 3000 if surrogate else certified.attrs["evaluations"]
    assert 0 < certified.attrs["certificate_evaluations"] <= most
    assert plain.attrs["certificate_evaluations"] == 0
    np.testing.assert_array_equal(certified.posterior["x"], plain.posterior["x"])


def test_what_the_first_missed_and_the_second_finds_is_pooled():
    # False alarm: 4.5 standard errors, 7e-6.
    missed = run(two_needles(0.4), seed=1, certify=False)
    assert not np.any(missed.posterior["x"] > 0.6)
    with pytest.warns(AstropyUserWarning, match="2 distinct explanations"):
        found = run(Informed(two_needles(0.4)), seed=1)
    assert found.attrs["certificate"] == "agreed after pooling"
    share = np.mean(found.posterior["x"] > 0.6)
    assert abs(share - 0.4) < 4.5 * np.sqrt(0.24 / 4000)


def test_disagreement_that_is_not_settled_is_a_warning_with_the_parameters():
    # each exploration finds one peak more than those before
    class Growing(Toy):
        looks = 0

        def candidates(self, rng=None):
            if rng is None:
                return []
            self.looks += 1
            at = 0.3 + 0.2 * self.looks
            return [{"x": at, "y": at}]

    def log_likelihood(x, y):
        parts = [stats.norm.logpdf([x, y], at, 1e-3).sum(axis=0) for at in (0.3, 0.5, 0.7, 0.9)]
        return np.logaddexp.reduce(parts)

    unit = stats.uniform(0, 1)
    toy = Growing({"x": unit, "y": unit}, log_likelihood, {"x": 0.3, "y": 0.3})
    with pytest.warns(AstropyUserWarning) as caught:
        result = run(toy, seed=1)
    assert result.attrs["certificate"].startswith("disagreed: log_evidence (")
    (said,) = [str(w.message) for w in caught if "independent exploration" in str(w.message)]
    assert "x (" in said
    assert "y (" in said
    assert "do not rely on these results" in said


def test_pooled_points_are_weighed_by_the_proposals_of_both():
    toy = two_needles(share=1e-300, width=0.1)
    first, second = (exploration(toy, seed) for seed in (1, 2))
    sizes = len(first.pool.z), len(second.pool.z)
    first.absorb(second)
    assert len(first.pool.z) == sum(sizes)
    assert first.pool.effective_size > second.pool.effective_size
    direct = np.exp(first.pool.log_prior_weights)
    assert np.mean(direct) == pytest.approx(1, abs=0.1)  # weights of the prior's evidence


def test_too_few_points_are_no_certificate():
    toy = two_needles()
    first = exploration(toy)
    first.run(4000)
    first.target.evaluations = 1  # so that the second may make hardly any
    found = certificate.look_again(first, 4000, np.random.default_rng(1), None)
    assert found.failed == (found.verdict in ("too few points", "disagreed"))
    assert certificate.Certificate("too few points").failed


# ---- explanations


def pool_of(z, log_density):
    pool = Pool(z, log_density(z) - stats.norm.logpdf(z).sum(axis=1))
    pool.weights = np.full(len(z), 1 / len(z))
    return pool


def mixture(*parts):
    """Points of normal distributions, triples of share, mean and sd, and ln of their density."""
    rng = np.random.default_rng(1)
    number = [int(4000 * share) for share, *_ in parts]
    z = np.vstack([rng.normal(m, s, (n, 3)) for n, (_, m, s) in zip(number, parts, strict=True)])

    def log_density(z):
        terms = [np.log(share) + stats.norm.logpdf(z, m, s).sum(axis=1) for share, m, s in parts]
        return np.logaddexp.reduce(terms)

    return pool_of(z, log_density), log_density, np.repeat(np.arange(len(parts)), number)


@pytest.mark.parametrize(
    "parts",
    [
        [(0.7, 0.0, 0.5), (0.3, 6.0, 0.5)],
        [(0.7, 0.0, 1.0), (0.3, 2.0, 1e-3)],  # a needle in the flank of a hill
        [(0.5, 0.0, 1e-4), (0.3, 1e-2, 1e-4), (0.2, -2.0, 0.1)],
    ],
)
def test_regions_apart_are_explanations_the_most_probable_first(parts):
    pool, log_density, of = mixture(*parts)
    assert np.mean(explanations.find(pool, log_density) == of) > 0.99


@pytest.mark.parametrize(
    "parts", [[(1.0, 0.0, 1.0)], [(0.5, 0.0, 1.0), (0.5, 1.0, 1.0)], [(0.5, 0, 1.0), (0.5, 0, 0.1)]]
)
def test_one_hill_is_one_explanation(parts):
    pool, log_density, _ = mixture(*parts)
    np.testing.assert_array_equal(explanations.find(pool, log_density), 0)


def test_less_than_a_percent_is_none():
    pool, log_density, of = mixture((0.995, 0.0, 0.5), (0.005, 6.0, 0.1))
    np.testing.assert_array_equal(explanations.find(pool, log_density), np.where(of == 1, -1, 0))


# ---- wings


def long_wing(z):
    """Narrow across y = x^2 / 4, and falling slowly along it from a normal core."""
    along = np.where(z[:, 0] > 0, np.minimum(0.5 * (z[:, 0] / 0.3) ** 2, 2 + z[:, 0]), 0.5 * (
        z[:, 0] / 0.3) ** 2)  # fmt: skip
    return -along - 0.5 * ((z[:, 1] - z[:, 0] ** 2 / 4) / 0.02) ** 2


def test_a_wing_is_followed_to_the_edge_of_the_prior():
    peak = StudentT(np.zeros(2), np.diag([0.09, 4e-4]))
    parts = [part for part in wings(long_wing, peak) if part.mean[0] > 0]
    reached = np.array([part.mean for part in parts])
    assert reached[:, 0].max() == pytest.approx(2.4, abs=0.3)  # four steps of two sds
    np.testing.assert_allclose(reached[:, 1], reached[:, 0] ** 2 / 4, atol=0.01)
    assert all(0.015 < part.sd[1] < 0.6 for part in parts)


def test_a_normal_peak_has_no_wings():
    covariance = np.array([[0.3, 0.2], [0.2, 0.4]])
    inverse = np.linalg.inv(covariance)

    def log_density(z):
        return -0.5 * np.einsum("ni,ij,nj->n", z, inverse, z)

    assert wings(log_density, StudentT(np.zeros(2), covariance)) == []


def test_needles_have_no_wings():
    peak = StudentT(np.zeros(2), np.diag([1e-6, 1e-6]))
    assert wings(lambda z: -np.abs(z / 1e-3).sum(axis=1), peak) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_the_wing_of_ten_parameters_is_weighed(seed, shared_data):
    # Five routes agree on .076; without parts along wings it is .013 to .049.
    table = QTable.read(shared_data / "rr_lyrae_tgas" / "rr_lyrae.ecsv")
    model = Relation().fit(table, random_state=seed, progressbar=False, certify=False)
    assert 0.06 < np.mean(model.samples("angle") > -0.3) < 0.085
    assert model.posterior.attrs["evaluations"] < 25_000


# ---- errors


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_likelihood_that_is_no_number_names_the_parameters(wrong):
    def log_likelihood(x, y):
        return np.where((x > 0.5) & (y > 0.5), wrong, 0.0)

    unit = stats.uniform(0, 1)
    toy = Toy({"x": unit, "y": unit}, log_likelihood, {"x": 0.1, "y": 0.1})
    message = rf"log_marginal of Toy is {wrong} at \d+ of \d+ points, .* x=0\.\d+, y=0\.\d+; expect"
    with pytest.raises(ValueError, match=message):
        run(toy)
