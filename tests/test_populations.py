"""Claims about all families of all quantities: density, shares, draws and PyMC's form are one.

A case says what a family is called for one quantity; a family that is registered and has no case
fails the first test.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad_vec

from astro_hier import outliers, populations, priors, profiles
from astro_hier.posterior import SAVED

ENDS = (-0.5, 3.0)  # ln of the periods searched
PACKAGES = tuple(f"astro_hier.{name}." for name in ("populations", "profiles", "outliers"))


@dataclass
class Case:
    """A family, and two values of each of its parameters."""

    family: object
    theta: dict
    reach: tuple = (-40.0, 40.0)  # beyond which the densities are negligible
    ends: tuple = ENDS
    of: dict = field(init=False)

    def __post_init__(self):
        self.of = {name: np.array(values, float) for name, values in self.theta.items()}


class Periods(Case):
    """Families of ln P."""

    def log_density(self, x):
        return self.family.log_density(x, self.of, self.ends)

    def share(self, low, high):
        if isinstance(self.family, populations.TruncatedNormal):
            pytest.skip("a share of a part of the range is not asked for")
        return 1 - self.family.outside(self.of, (low, high)).sum(axis=0)

    def draw(self, size, rng):
        return self.family.draw(self.of, self.ends, size, rng)

    def pymc(self, theta):
        return self.family.pymc(theta, self.ends)

    def derived(self):
        return self.family.derive(self.of)

    def initial(self, x):
        return self.family.initial(x)


class Jitters(Case):
    """Families of ln(jitter / (km/s)), as functions of it."""

    def _inside(self, low, high):
        return np.full((2, 1), np.exp(low)), np.full((2, 1), np.exp(high))

    def log_density(self, x):
        mu, sigma = self.of["mu_jitter"], np.exp(self.of["lnsigma_jitter"])
        return stats.norm.logpdf(x, mu[:, None], sigma[:, None])

    def share(self, low, high):
        return self.family.shares(np.exp([[low]]), np.exp([[high]]), self.of)[0]

    def within(self, low, high, chance):
        ends = self._inside(low, high)
        return np.log(self.family.within(*ends, np.full((2, 1), chance), self.of))[:, 0]

    def draw(self, size, rng):
        return np.log(self.family.draw(self.of, (size,), rng))

    def pymc(self, theta):
        import pymc as pm

        with pm.Model():
            jitter = self.family.pymc(theta)
        return lambda x: pm.logp(jitter, np.exp(x)).eval() + x

    def derived(self):
        return {}

    def initial(self, x):
        return self.family.initial(np.exp(x))


class Distances(Case):
    """Profiles: mixtures of normal distributions about mu_r, each cut at zero."""

    def _normals(self):
        theta = self.of | {"std_r": np.exp(self.of["ln_std_r"])}
        components = self.family.components(theta | self.family.derive(theta))
        for weight, sd in components:
            yield weight, stats.truncnorm(-theta["mu_r"] / sd, np.inf, theta["mu_r"], sd)

    def log_density(self, x):
        terms = [weight * normal.pdf(x[:, None]) for weight, normal in self._normals()]
        with np.errstate(divide="ignore"):
            return np.log(sum(terms)).T

    def share(self, low, high):
        return sum(weight * (r.cdf(high) - r.cdf(low)) for weight, r in self._normals())

    def draw(self, size, rng):
        theta = self.of | {"std_r": np.exp(self.of["ln_std_r"])}
        sd = self.family.draw(theta | self.family.derive(theta), size, rng)
        mean = theta["mu_r"][:, None]
        return stats.truncnorm.rvs(-mean / sd, np.inf, mean, sd, size=(2, size), random_state=rng)

    def derived(self):
        return self.family.derive(self.of)


class Values(Case):
    """Backgrounds, of values without error."""

    def log_density(self, x):
        return self.family.log_density(x, np.zeros(len(x)), self.of)

    def draw(self, size, rng):
        return self.family.draw(self.of, size, rng)[1]

    def pymc(self, theta):
        parts = self.family.pymc(0.0, theta)
        return lambda x: outliers.pymc_log_density(parts, x).eval()


NORMAL = {"mu": [1.2, -3.0], "lnsigma": [0.1, -1.5]}
MIXTURE = {"mu1": [0.5, -3.0], "separation": [1.5, 6.0], "lnsigma1": [-0.5, -1.5],
           "lnsigma2": [0.2, 1.0], "fraction1": [0.3, 0.9]}  # fmt: skip
JITTER = {"mu_jitter": [0.3, -2.0], "lnsigma_jitter": [-0.2, 0.7]}
DISTANCE = {"mu_r": [0.5, 0.1], "ln_std_r": [-3.0, -2.0]}
HALO = DISTANCE | {"halo_fraction": [0.3, 0.01], "ln_halo_ratio": [1.0, 0.2]}
FIELD = {"outlier_fraction": [0.3, 0.9], "outlier_mean": [1.0, -4.0], "outlier_sd": [2.0, 0.5]}
FIELD2 = FIELD | {"outlier_share2": [0.2, 0.7], "outlier_mean2": [0.0, 3.0],
                  "outlier_sd2": [4.0, 3.0]}  # fmt: skip
CASES = {
    "periods, normal": Periods(populations.Normal(), NORMAL),
    "periods, truncated": Periods(
        populations.TruncatedNormal(), NORMAL | {"mu": [1.2, -1.0]}, ENDS
    ),
    "periods, mixture": Periods(populations.NormalMixture(), MIXTURE),
    "jitters, normal": Jitters(populations.LogNormalJitter(), JITTER),
    "distances, normal": Distances(profiles.Normal(), DISTANCE, (0.0, 3.0)),
    "distances, core and halo": Distances(profiles.CoreHalo(), HALO, (0.0, 4.0)),
    "parallaxes": Values(outliers.ParallaxBackground(), FIELD),
    "parallaxes, two parts": Values(outliers.ParallaxBackground(parts=2), FIELD2),
    "velocities": Values(outliers.VelocityBackground(), FIELD),
    "velocities, two parts": Values(outliers.VelocityBackground(parts=2, broader=False), FIELD2),
}


def having(*methods):
    """Cases that have these methods."""
    return pytest.mark.parametrize(
        "case", [name for name, of in CASES.items() if all(hasattr(of, m) for m in methods)]
    )


def integral(case, low, high):
    """Of the density, of each theta, to 1e-9."""
    ends = np.linspace(low, high, 41)
    return quad_vec(
        lambda x: np.exp(case.log_density(np.array([x]))[:, 0]),
        low, high, points=ends[1:-1], epsabs=1e-10, limit=2000,
    )[0]  # fmt: skip


def quantiles(case, *chances):
    """Of a thousand draws, whatever theta: values where there is something to see."""
    return np.quantile(case.draw(1000, np.random.default_rng(1)), chances)


def test_every_family_has_a_case():
    families = {cls for name, cls in SAVED.items() if name.startswith(PACKAGES)}
    assert families == {type(case.family) for case in CASES.values()}


@having("log_density")
def test_densities_are_normalised(case):
    case = CASES[case]
    np.testing.assert_allclose(integral(case, *case.reach), 1, atol=1e-8)


@having("share")
def test_shares_are_integrals_of_the_density(case):
    case = CASES[case]
    for low, high in ((0.2, 0.6), (0.05, 0.1), (0.9, 0.999)):
        low, high = quantiles(case, low, high)
        found = case.share(low, high)
        assert found.shape == (2,)
        np.testing.assert_allclose(found, integral(case, low, high), atol=1e-9)


@having("share", "within")
@pytest.mark.parametrize("chance", [1e-6, 0.2, 0.5, 0.999])
def test_values_within_have_this_share_below_them(case, chance):
    case = CASES[case]
    for low, high in ((0.01, 0.3), (0.4, 0.5), (0.9, 1.0)):
        low, high = quantiles(case, low, high)
        x = case.within(low, high, chance)
        assert x.shape == (2,)
        assert np.all((x >= low) & (x <= high))
        below = [case.share(low, end)[n] for n, end in enumerate(x)]
        np.testing.assert_allclose(below, chance * case.share(low, high), rtol=1e-8, atol=1e-13)


@having("draw", "log_density")
def test_draws_follow_the_density(case):
    # False alarm: 5e-5 a theta, one in a thousand over the cases
    case = CASES[case]
    drawn = case.draw(4000, np.random.default_rng(0))
    assert drawn.shape == (2, 4000)
    for n in range(2):
        x = np.linspace(drawn[n].min() - 1e-9, drawn[n].max() + 1e-9, 40_001)
        x = np.clip(x, *case.reach)
        density = np.exp(case.log_density(x)[n])
        below = np.append(0, np.cumsum(np.diff(x) * (density[1:] + density[:-1]) / 2))
        # what lies beyond the draws is of the order of one over their number
        ranks = np.interp(drawn[n], x, below)
        ranks += 0.5 * (1 - below[-1])
        assert stats.kstest(ranks, "uniform").pvalue > 5e-5


@pytest.mark.slow
@having("pymc", "log_density")
def test_the_density_by_pymc_is_the_same(case):
    import pymc as pm
    import pytensor.tensor as pt

    case = CASES[case]
    values = np.clip(quantiles(case, 0.05, 0.4, 0.7), *case.reach)
    expected = case.log_density(values)
    for n in range(2):
        with pm.Model():
            of = case.pymc({name: pt.as_tensor_variable(v[n]) for name, v in case.of.items()})
        log_density = of if callable(of) else lambda x, of=of: pm.logp(of, x).eval()
        found = [float(log_density(x)) for x in values]
        np.testing.assert_allclose(found, expected[n], rtol=1e-7, atol=1e-6)


@having("derived")
def test_what_is_derived_is_declared_and_not_sampled(case):
    case = CASES[case]
    derived, declared = case.derived(), {p.name for p in case.family.parameters}
    assert set(derived) <= declared
    assert not set(derived) & set(case.of)
    assert declared <= set(derived) | set(case.of)
    for values in derived.values():
        assert np.shape(values) == (2,)


@having("initial")
def test_starting_points_lie_where_priors_allow_them(case):
    case = CASES[case]
    for sample in (case.draw(30, np.random.default_rng(2))[0], np.full(3, 1.0)):
        start = case.initial(sample)
        assert set(start) == set(case.of)
        for name, value in start.items():
            prior = getattr(case.family, name, priors.Normal(0, 10))
            assert np.isfinite(prior.logpdf(value)), name
