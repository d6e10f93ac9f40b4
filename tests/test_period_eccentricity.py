"""Claims about joint populations of ln P and e: shares, densities and draws are one."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from astro_hier import populations, priors
from astro_hier.populations.circularised import Circular, Circularised, Factored, Independent
from astro_hier.populations.eccentricity_families import ALPHA, BETA, Beta, Gamma, Rayleigh
from astro_hier.populations.histogram import EccentricityHistogram
from astro_hier.populations.normal import LNSIGMA, MU
from astro_hier.populations.period_eccentricity import PeriodEccentricity
from astro_hier.posterior.encoding import decode, encode

ENDS = (-0.5, 4.0)
EDGES = np.linspace(*ENDS, 10), np.array([0.0, 0.1, 0.3, 0.6, 0.95])
WHOLE = np.linspace(-40, 40, 200), np.linspace(0, 1, 9)
THETA = {"mu": np.array([1.2, 2.5, 0.0]), "lnsigma": np.array([0.1, -1.5, 0.5]),
         "alpha_e": np.array([1.5, 2.0, 3.0]), "beta_e": np.array([3.0, 1.5, 2.0]),
         "ln_P_circ": np.array([1.3, -2.0, 2.0])}  # fmt: skip
TRUNCATED = populations.TruncatedNormal()


@dataclass(frozen=True)
class Tides(PeriodEccentricity):
    """Someone's own density: half the orbits are circular, and short ones less eccentric."""

    parameters = (MU, LNSIGMA, ALPHA, BETA)
    sampled = ("mu", "lnsigma", "alpha_e", "beta_e")

    def log_density(self, ln_period, e, theta, ends):
        of = {name: x[:, None] for name, x in theta.items()}
        tide = 1 + np.exp(-ln_period)
        log_density = stats.norm.logpdf(ln_period, of["mu"], np.exp(of["lnsigma"]))
        return log_density + stats.beta.logpdf(e, of["alpha_e"], of["beta_e"] * tide) - np.log(2)

    def log_density_of_circles(self, ln_period, theta, ends):
        normal = stats.norm(theta["mu"][:, None], np.exp(theta["lnsigma"])[:, None])
        return normal.logpdf(ln_period) - np.log(2)


CASES = {
    "independent": Independent(),
    "truncated": Independent(TRUNCATED),
    "circularised": Circularised(),
    "truncated and circularised": Circularised(TRUNCATED),
    "circular": Circular(),
    "one's own": Tides(),
}
each_case = pytest.mark.parametrize("case", CASES)


@each_case
def test_shares_add_up_to_one(case):
    found = CASES[case].shares(*WHOLE, THETA, ENDS)
    assert found.shape == (3, 199, 9)
    assert found.min() >= 0
    # one's own is summed over points, and bends sharply at e = 0, as e^(1/2)
    error = 3e-4 if case == "one's own" else 1e-12
    np.testing.assert_allclose(found.sum(axis=(1, 2)), 1, atol=error)


@each_case
def test_shares_are_sums_of_the_density(case):
    joint = CASES[case]
    found = joint.shares(*EDGES, THETA, ENDS)
    fine = [np.linspace(0, 1, 201)[:, None] * np.diff(of) + of[:-1] for of in EDGES]
    x, e = (0.5 * (of[1:] + of[:-1]).T for of in fine)  # the middles of 200 parts, (cell, part)
    step = [np.diff(of) / 200 for of in EDGES]
    circles = np.exp(joint.log_density_of_circles(x.ravel(), THETA, ENDS)).reshape(3, *x.shape)
    # the sum errs by half a part where orbits begin to be eccentric
    np.testing.assert_allclose(found[..., 0], circles.sum(axis=2) * step[0], atol=2e-3)
    for k in range(len(EDGES[1]) - 1):
        points = np.repeat(x.ravel(), 200), np.tile(e[k], x.size)
        density = np.exp(joint.log_density(*points, THETA, ENDS)).reshape(3, len(x), -1)
        expected = density.sum(axis=2) * step[0] * step[1][k]
        np.testing.assert_allclose(found[..., 1 + k], expected, atol=2e-3)


@each_case
def test_draws_fall_into_cells_by_their_shares(case):
    # False alarm: 1e-4 a theta, once in 500 over all
    joint, size = CASES[case], 4000
    ln_period, e = joint.draw(THETA, ENDS, size, np.random.default_rng(3))
    assert ln_period.shape == e.shape == (3, size)
    edges_e = np.concatenate([[0.0, 1e-300], EDGES[1][1:-1], [1.0]])  # circles first
    share = joint.shares(EDGES[0], np.append(EDGES[1][:-1], 1.0), THETA, ENDS)
    for n in range(3):
        inside = (ln_period[n] > ENDS[0]) & (ln_period[n] < ENDS[1])
        found = np.histogram2d(ln_period[n, inside], e[n, inside], (EDGES[0], edges_e))[0].ravel()
        expected = share[n].ravel() / share[n].sum() * inside.sum()
        assert found[expected == 0].sum() == 0
        many = expected > 5
        both = [np.append(of[many], of[~many].sum()) for of in (found, expected)]
        assert stats.chisquare(*[of[both[1] > 0] for of in both]).pvalue > 1e-4


def test_a_density_of_ones_own_has_the_shares_and_draws_of_the_factors():
    class Own(PeriodEccentricity):
        log_density = Factored.log_density
        boundary = Independent.boundary
        period, eccentricity = populations.Normal(), Beta()

    own, factored = Own(), Independent()
    expected = factored.shares(*EDGES, THETA, ENDS)
    np.testing.assert_allclose(own.shares(*EDGES, THETA, ENDS), expected, atol=2e-4)


def test_circularised_orbits_are_independent_ones_or_circles_at_the_ends():
    theta = THETA | {"ln_P_circ": np.array([-np.inf, -np.inf, -np.inf])}
    expected = Independent().shares(*EDGES, THETA, ENDS)
    np.testing.assert_array_equal(Circularised().shares(*EDGES, theta, ENDS), expected)
    assert not expected[..., 0].any()
    theta["ln_P_circ"] = np.full(3, np.inf)
    circles = Circular().shares(*EDGES, THETA, ENDS)
    np.testing.assert_array_equal(Circularised().shares(*EDGES, theta, ENDS), circles)
    assert not circles[..., 1:].any()
    np.testing.assert_allclose(circles[..., 0], populations.Normal().share(
        EDGES[0][:-1], EDGES[0][1:], THETA).T, rtol=1e-12)  # fmt: skip


def test_a_boundary_on_an_edge_splits_no_cell():
    theta = THETA | {"ln_P_circ": EDGES[0][[3, 0, 9]]}
    found = Circularised().shares(*EDGES, theta, ENDS)
    assert np.all((found[0, :, 0] > 0) == (np.arange(9) < 3))
    assert not found[1, :, 0].any()
    assert not found[2, :, 1:].any()


def test_any_families_make_a_joint_population_with_all_their_parameters():
    joint = Circularised(populations.NormalMixture(), EccentricityHistogram(), ln_P_circ=2.0)
    assert joint.standard_normals == {"step_e": 9}
    assert joint.sampled[-2:] == ("smoothness_e", "ln_P_circ")
    assert joint.mu1 == priors.Uniform(-1, 8)
    assert decode(encode(joint)) == joint
    assert Independent().mu is None
    e = np.array([0.01, 0.0, 0.4, 0.05, 0.2])
    start = joint.initial(np.array([0.5, 1.0, 2.0, 3.0, 4.0]), e)
    assert set(start) == {*joint.sampled, "step_e"}
    start = Circularised().initial(np.array([0.5, 1.0, 2.2, 3.0, 4.0]), e)
    assert start["ln_P_circ"] == 2.2
    assert Circularised().derive({**THETA})["P_circ"] == pytest.approx(np.exp(THETA["ln_P_circ"]))


def test_what_does_not_go_together_is_refused():
    with pytest.raises(ValueError, match="both have a parameter alpha_e; expected a family of ln"):
        Independent(Beta(), Gamma())
    with pytest.raises(ValueError, match="expected families of"):
        Independent(eccentricity=priors.Beta(1, 2))
    with pytest.raises(priors.PriorError, match="ln_P_circ='3' is not a prior"):
        Circularised(ln_P_circ="3")
    with pytest.raises(ValueError, match="Circularised has no form for method='nuts'"):
        Circularised().check_pymc()
    Independent().check_pymc()
    with pytest.raises(ValueError, match="EccentricityHistogram has a log_density but no pymc"):
        Independent(eccentricity=EccentricityHistogram()).check_pymc()


@pytest.mark.slow
def test_the_density_by_pymc_is_the_product():
    import pymc as pm
    import pytensor.tensor as pt

    theta = {name: x[:1] for name, x in THETA.items()} | {"sigma_e": np.array([0.3])}
    joint = Independent(eccentricity=Rayleigh())
    with pm.Model(coords={"star": range(2)}):
        one = {name: pt.as_tensor_variable(x[0]) for name, x in theta.items()}
        of = joint.pymc(one, ENDS, dims="star")
    values = {"lnP": np.array([0.3, 2.0]), "e": np.array([0.1, 0.7])}
    found = sum(pm.logp(of[name], x).eval() for name, x in values.items())
    expected = joint.log_density(values["lnP"], values["e"], theta, ENDS)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-8)
