"""Claims about posteriors that an edge of their prior cuts off."""

import re
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from scipy.stats import norm

from astro_hier import BinaryPopulation, StarCluster, VelocityDispersion, datasets
from astro_hier.inference import edges
from astro_hier.posterior import UNBOUNDED
from astro_hier.priors import LogUniform, TruncatedNormal, Uniform

KMS = u.km / u.s


def draws_of(prior, mean, sd, size=20_000):
    """Exact draws of x of a normal likelihood, cut by the prior, and of y about x."""
    rng = np.random.default_rng(1)
    x = prior.ppf(rng.uniform(size=40 * size))
    x = x[rng.uniform(size=len(x)) < np.exp(-0.5 * ((x - mean) / sd) ** 2)][:size]
    return {"x": x, "y": rng.normal(x, 0.5 * sd)}


def log_likelihood(mean, sd):
    return lambda theta: (
        norm.logpdf(theta["x"], mean, sd) + norm.logpdf(theta["y"], theta["x"], 0.5 * sd)
    )


@pytest.mark.parametrize("mean", [1.2, 1.0, 0.8, 1.6])
def test_the_share_removed_is_that_of_the_whole_posterior(mean):
    # y leaves x only a part of its spread, so that every draw sees another part of the edge
    prior, sd = Uniform(1, 10).frozen(u.one), 0.3
    theta = draws_of(prior, mean, sd)
    posterior = edges._Posterior(log_likelihood(mean, sd), theta, {"x": prior})
    found = edges.removed(posterior, "x", -1, -np.inf)
    # exact, but for the lower end of the grid and the scatter of 30 draws
    assert found == pytest.approx(norm.cdf(1, mean, sd), rel=0.12, abs=0.003)


def test_a_normal_prior_goes_on_as_it_was_cut():
    prior = TruncatedNormal(0, 1, lower=0).frozen(u.one)
    theta = draws_of(prior, 0.3, 1.0)
    posterior = edges._Posterior(log_likelihood(0.3, 1.0), theta, {"x": prior})
    found = edges.removed(posterior, "x", -1, -np.inf)
    assert found == pytest.approx(norm.cdf(0, 0.15, np.sqrt(0.5)), rel=0.12)


def counted(function):
    """A function that counts the values it is asked for."""

    def wrapped(theta):
        wrapped.evaluations += len(theta["x"])
        return function(theta)

    wrapped.evaluations = 0
    return wrapped


def finding(function, theta, prior, bounds=UNBOUNDED):
    return edges.of_priors(function, theta, {"x": prior.frozen(u.one)}, {"x": bounds})


def test_an_edge_far_away_costs_nothing():
    function = counted(log_likelihood(5, 0.3))
    theta = draws_of(Uniform(1, 10).frozen(u.one), 5, 0.3)
    assert not finding(function, theta, Uniform(1, 10)).failed
    assert function.evaluations == 0


def test_an_edge_nearby_costs_less_than_a_sixth_of_a_fit():
    # the fit of the tutorial's cluster takes 5342 evaluations
    function = counted(log_likelihood(1.2, 0.3))
    assert finding(
        function, draws_of(Uniform(1, 10).frozen(u.one), 1.2, 0.3), Uniform(1, 10)
    ).failed
    assert 0 < function.evaluations < 5342 / 6


def test_where_the_parameter_itself_ends_there_is_no_edge():
    theta = draws_of(Uniform(0, 1).frozen(u.one), 0.0, 0.2)
    function = log_likelihood(0.0, 0.2)
    assert not finding(function, theta, Uniform(0, 1), bounds=(0, 1)).failed
    assert not finding(function, theta, Uniform(0, 1), bounds=None).failed
    assert finding(function, theta, Uniform(0, 1)).failed


def test_a_likelihood_that_does_not_exist_beyond_removes_nothing():
    def of_logarithm(theta):
        return norm.logpdf(np.log(theta["x"] - 1), -2, 1)

    def refuses(theta):
        if np.any(theta["x"] < 1):
            raise ValueError("x must not be below 1")
        return of_logarithm(theta)

    theta = {"x": 1 + np.exp(np.random.default_rng(1).normal(-1, 1, 4000))}
    theta["x"] = theta["x"][theta["x"] < 10]
    for function in (of_logarithm, refuses):
        assert not finding(function, theta, Uniform(1, 10)).failed


def test_a_flat_posterior_is_not_cut_off():
    rng = np.random.default_rng(1)
    flat = {"x": rng.uniform(-8, 0, 4000)}
    assert not finding(lambda theta: np.zeros(len(theta["x"])), flat, Uniform(-8, 0)).failed
    scale = {"x": np.exp(rng.uniform(-8, 0, 4000))}
    prior = LogUniform(np.exp(-8), 1)
    assert not finding(lambda theta: np.zeros(len(theta["x"])), scale, prior, (0, np.inf)).failed


def test_a_posterior_flat_at_the_edge_alone_is_cut_off():
    # the likelihood rises beyond the edge by less than e, and falls again as far out
    prior = Uniform(-8, 0.62)
    theta = draws_of(prior.frozen(u.one), 1.0, 0.3)
    found = finding(log_likelihood(1.0, 0.3), theta, prior)
    assert found.failed
    assert norm.sf(0.62, 1.0, 0.3) == pytest.approx(0.9, abs=0.01)
    assert re.search("removes (7|8|9). percent", found.said)


def fit(model, table, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is claimed of them is below
        return model.fit(table, random_state=1, progressbar=False, **options)


def of_edge(model):
    return next(f for f in model.findings() if f.name == "prior_edge")


def test_a_population_of_short_periods_is_said_to_be_cut_off():
    # periods of about 3 d, as those of hot Jupiters, so good that each is known
    rng = np.random.default_rng(4)
    star = np.repeat(np.arange(30), 15)
    period = np.exp(rng.normal(1.2, 0.6, 30))
    time = rng.uniform(0, 60, len(star))
    rv = 0.1 * np.sin(2 * np.pi * time / period[star] + star) + rng.normal(0, 0.01, len(star))
    table = QTable({"star": star, "time": time * u.day, "rv": rv * KMS})
    table["rv_error"] = np.full(len(star), 0.01) * KMS
    searched = {"period_range": (0.5 * u.day, 60 * u.day)}
    cut = of_edge(fit(BinaryPopulation(mu=Uniform(1, 10), **searched), table, surrogate=False))
    whole = fit(BinaryPopulation(mu=Uniform(-8, 10), **searched), table, surrogate=False)
    share = np.mean(whole.samples("mu") < 1)
    assert 0.1 < share < 0.3
    assert cut.failed
    assert "mu (posterior mean" in cut.said
    said = float(cut.said.split("removes ")[1].split(" percent")[0]) / 100
    assert said == pytest.approx(share, abs=0.02)
    assert not of_edge(whole).failed


def test_the_edge_is_found_whatever_the_method():
    table = datasets.make_velocities(30, random_state=1)
    prior = {"ln_sigma_v": Uniform(-3, 1.3)}
    for options in ({}, {"method": "nuts", "draws": 200, "tune": 300, "chains": 2}):
        found = of_edge(fit(VelocityDispersion(**prior), table, **options))
        assert found.failed
        assert "ln_sigma_v" in found.found


def test_a_depth_that_is_not_resolved_is_not_said_to_be_cut_off():
    rng = np.random.default_rng(1)
    table = QTable({"parallax": rng.normal(2, 0.1, 40) * u.mas})
    table["parallax_error"] = np.full(40, 0.1) * u.mas
    model = fit(StarCluster(), table)
    assert np.quantile(model.samples("ln_std_r"), 0.02) < -7.7  # it runs flat to the edge
    assert not of_edge(model).failed


def test_what_is_drawn_exactly_is_not_looked_at():
    from astro_hier import SB1Binary

    model = fit(SB1Binary(), datasets.make_binary(5, random_state=1))
    assert not [f for f in model.findings() if f.name == "prior_edge"]
