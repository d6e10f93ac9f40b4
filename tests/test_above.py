"""Claims about distributions that are cut below where other parameters say."""

import numpy as np
import pytest
from scipy import integrate, stats

from astro_hier.core.above import Above

FAMILIES = {
    "lognormal": stats.lognorm(1.5, scale=1000),
    "loguniform": stats.loguniform(1, 1e4),
    "uniform": stats.uniform(0, 100),
    "gamma": stats.gamma(2, scale=10),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("quantile", [1e-12, 0.01, 0.5, 0.999])
def test_its_density_is_that_of_the_family_normalised(family, quantile):
    frozen = FAMILIES[family]
    low = frozen.ppf(quantile)
    cut = Above(frozen, np.array([low]))
    inside = np.exp(np.linspace(np.log(low * (1 + 1e-9)), np.log(frozen.isf(1e-9)), 20_001))
    density = np.exp(cut.logpdf(inside))
    assert integrate.simpson(density * inside, x=np.log(inside)) == pytest.approx(1, abs=1e-3)
    assert cut.logpdf(np.array([0.99 * low]))[0] == -np.inf


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_made_of_normal_variables_and_back(family):
    frozen = FAMILIES[family]
    low = frozen.ppf([0.0001, 0.3, 0.9])
    cut = Above(frozen, low)
    for z in (-3.0, -0.5, 0.0, 1.0, 5.0):
        value = cut.of_normal(np.full(3, z))
        np.testing.assert_allclose(cut.to_normal(value), z, atol=1e-5)
        # the share of what is above the cut
        np.testing.assert_allclose(frozen.sf(value) / frozen.sf(low), stats.norm.sf(z), rtol=1e-6)


def test_where_nothing_lies_above_the_cut_nothing_is_possible():
    cut = Above(stats.uniform(0, 1), np.array([0.5, 2.0]))
    np.testing.assert_array_equal(cut.possible, [True, False])
    assert cut.logpdf(np.array([0.7, 2.5]))[1] == -np.inf
