"""Claims about distributions of two quantities: density, draws and marginals are one."""

import astropy.units as u
import numpy as np
import pytest
from scipy import stats

from astro_hier import populations, priors
from astro_hier.populations.family import EVERYWHERE
from astro_hier.posterior.encoding import decode, encode

ENDS = EVERYWHERE, EVERYWHERE
MARGINALS = (
    {"mu": np.array([1.0, -2.0]), "lnsigma": np.log([0.5, 3.0])},
    {"mu": np.array([0.0, 4.0]), "lnsigma": np.log([2.0, 0.1])},
)
NORMAL = (*MARGINALS, {"correlation": np.array([-0.7, 0.95])})
GAMMA = {"alpha_e": np.array([2.0, 5.0]), "scale_e": np.array([1.0, 0.3])}
CASES = {
    "normal": (populations.BivariateNormal(), NORMAL),
    "product": (
        populations.Product(populations.Normal(), populations.Gamma().on((0, np.inf))),
        (MARGINALS[0], GAMMA, {}),
    ),
}


def test_two_normal_quantities_have_the_density_of_scipy():
    pair, thetas = CASES["normal"]
    x, y = np.random.default_rng(0).normal(1, 2, size=(2, 50))
    found = pair.log_density(x, y, thetas, ENDS)
    assert found.shape == (2, 50)
    for n, rho in enumerate(thetas[2]["correlation"]):
        mean, sd = [t["mu"][n] for t in MARGINALS], [np.exp(t["lnsigma"][n]) for t in MARGINALS]
        covariance = np.outer(sd, sd) * [[1, rho], [rho, 1]]
        expected = stats.multivariate_normal(mean, covariance).logpdf(np.transpose([x, y]))
        np.testing.assert_allclose(found[n], expected, rtol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_draws_of_each_follow_its_own_family_and_both_the_density(case):
    # False alarm: 1e-4 a case
    pair, thetas = CASES[case]
    drawn = pair.draw(thetas, ENDS, 4000, np.random.default_rng(1))
    for of, family, theta in zip(drawn, pair.families, thetas, strict=False):
        assert of.shape == (2, 4000)
        for n in range(2):
            row = {name: value[n : n + 1] for name, value in theta.items()}
            ranks = family.share(np.full(4000, -1e3), of[n], row)[:, 0]
            assert stats.kstest(ranks, "uniform").pvalue > 1e-5
    # where x is high, the share of draws is the integral of the density
    for n in range(2):
        x, y = (np.linspace(of[n].min(), of[n].max(), 400) for of in drawn)
        density = np.exp(pair.log_density(*(g.ravel() for g in np.meshgrid(x, y)), thetas, ENDS)[n])
        middle = np.median(drawn[0][n]), np.median(drawn[1][n])
        high = np.all(np.meshgrid(x > middle[0], y > middle[1]), axis=0).ravel()
        expected = density[high].sum() / density.sum()
        found = np.mean((drawn[0][n] > middle[0]) & (drawn[1][n] > middle[1]))
        assert abs(found - expected) < 4.5 * np.sqrt(0.25 / 4000)


def test_a_pair_starts_at_the_correlation_of_the_values():
    pair, thetas = CASES["normal"]
    x, y = pair.draw(thetas, ENDS, 4000, np.random.default_rng(2))
    assert pair.initial(x[0], y[0])["correlation"] == pytest.approx(-0.7, abs=0.05)
    assert pair.initial(np.ones(5), y[0, :5]) == {"correlation": 0.0}
    assert CASES["product"][0].initial(x[0], y[0]) == {}


def test_a_pair_holds_the_priors_of_both_and_its_own():
    pair = populations.BivariateNormal(
        mu1=priors.Normal(1 * u.solMass, 1 * u.solMass), lnsigma2=-1.0, correlation=0.0
    )
    assert pair.families[0].mu == priors.Normal(1 * u.solMass, 1 * u.solMass)
    assert pair.families[1].lnsigma == -1.0
    assert decode(encode(pair)) == pair
    with pytest.raises(priors.PriorError, match="must lie between -1 and 1"):
        populations.BivariateNormal(correlation=priors.Normal(0, 1))
    with pytest.raises(priors.PriorError, match="is not a prior"):
        populations.BivariateNormal(mu2="1")
    with pytest.raises(ValueError, match="expected families of astro_hier"):
        populations.Product(populations.Normal(), "normal")
