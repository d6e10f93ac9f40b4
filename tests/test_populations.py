"""Claims about all families of all quantities: density, shares, draws and PyMC's form are one.

A case says what a family is called for one quantity; a family that is registered and has no case
fails the first test.
"""

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

import astropy.units as u
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad_vec

from astro_hier import BinaryPopulation, datasets, outliers, populations, priors, profiles
from astro_hier.populations.background import pymc_log_density
from astro_hier.populations.circularised import Circularised, Factored
from astro_hier.populations.eccentricity import KnownDistribution
from astro_hier.populations.eccentricity_families import (
    Beta,
    Exponential,
    Gamma,
    Rayleigh,
    RayleighExponential,
)
from astro_hier.populations.family import EVERYWHERE
from astro_hier.populations.histogram import EccentricityHistogram, PeriodHistogram
from astro_hier.populations.power_law import PowerLaw
from astro_hier.populations.weighted_normals import Truncated
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
        return self.family.share(low, high, self.of, self.ends)

    def share_of_each(self, low, high):
        return self.family.share_of_each(low, high, self.of, self.ends)

    def within(self, low, high, chance):
        return self.family.within(*np.full((3, 2), [[low], [high], [chance]]), self.of, self.ends)

    def outside(self):
        return self.family.outside(self.of, self.ends)

    def draw(self, size, rng):
        return self.family.draw(self.of, self.ends, size, rng)

    def pymc(self, theta):
        return self.family.pymc(theta, self.ends)

    def derived(self):
        return self.family.derive(self.of)

    def initial(self, x):
        return self.family.initial(x)


class SearchedPeriods(Periods):
    """Families of ln P that are not meant for method='nuts'."""

    pymc = property()


class Others(SearchedPeriods):
    """Families of any other quantity, without limits."""

    def __post_init__(self):
        super().__post_init__()
        self.ends = EVERYWHERE


class Eccentricities(Case):
    """Families of e, which are also given a parameter that is not theirs."""

    @property
    def _all(self):
        return {**self.of, "mu": np.zeros(2)}

    def log_density(self, e):
        return self.family.log_density(e, self._all)

    def share(self, low, high):
        return self.family.share(low, high, self._all)

    def share_of_each(self, low, high):
        return self.family.share_of_each(low, high, self._all)

    def within(self, low, high, chance):
        return self.family.within(*np.full((3, 2), [[low], [high], [chance]]), self._all)

    def outside(self):
        return self.family.outside(self._all, self.ends)

    def draw(self, size, rng):
        return self.family.draw(self._all, (0.0, 1.0), size, rng)

    def derived(self):
        return self.family.derive(self._all)

    def initial(self, e):
        return self.family.initial(e)


class SmoothEccentricities(Eccentricities):
    """Those that PyMC can sample."""

    def pymc(self, theta):
        return self.family.pymc(theta)


class Jitters(Case):
    """Families of ln(jitter / (km/s)), as functions of it."""

    def log_density(self, x):
        return self.family.log_density(np.exp(x), self.of) + x

    def share(self, low, high):
        return self.family.shares(np.exp([[low]]), np.exp([[high]]), self.of)[0]

    def within(self, low, high, chance):
        ends = np.exp(np.full((2, 2, 1), [[[low]], [[high]]]))
        x = np.log(self.family.within(*ends, np.full((2, 1), chance), self.of))[:, 0]
        return np.clip(x, low, high)  # of which the logarithm is that of a rounded number

    def draw(self, size, rng):
        return np.log(self.family.draw(self.of, (size,), rng))

    def pymc(self, theta):
        import pymc as pm

        with pm.Model():
            jitter = self.family.pymc(theta)
        return lambda x: pm.logp(jitter, np.exp(x)).eval() + x

    def derived(self):
        return self.family.derive(self.of)

    def initial(self, x):
        return self.family.initial(np.exp(x))


class Distances(Case):
    """Profiles: mixtures of normal distributions about mu_r, each cut at zero."""

    @property
    def _all(self):
        theta = self.of | {"std_r": np.exp(self.of["ln_std_r"])}
        return theta | self.family.derive(theta)

    def log_density(self, x):
        return self.family.log_density(x, self._all)

    def share(self, low, high):
        return self.family.share(low, high, self._all)

    def within(self, low, high, chance):
        return self.family.within(*np.full((3, 2), [[low], [high], [chance]]), self._all)

    def draw(self, size, rng):
        sd, mean = self.family.draw(self._all, size, rng), self.of["mu_r"][:, None]
        return stats.truncnorm.rvs(-mean / sd, np.inf, mean, sd, size=(2, size), random_state=rng)

    def derived(self):
        return self.family.derive(self._all)


class Values(Case):
    """Backgrounds, of values without error."""

    def log_density(self, x):
        return self.family.log_density(x, np.zeros(len(x)), self.of)

    def draw(self, size, rng):
        return self.family.draw(self.of, size, rng)[1]

    def pymc(self, theta):
        parts = self.family.pymc(0.0, theta)
        return lambda x: pymc_log_density(parts, x).eval()


@dataclass(frozen=True)
class TruncatedMixture(Truncated, populations.NormalMixture):
    """A family as users write one."""


DEFAULTS = {"mu": priors.Uniform(-2, 12), "lnsigma": priors.Uniform(-2, 3)}  # of the model
NORMAL = {"mu": [1.2, -3.0], "lnsigma": [0.1, -1.5]}
MIXTURE = {"mu1": [0.5, -3.0], "separation": [1.5, 6.0], "lnsigma1": [-0.5, -1.5],
           "lnsigma2": [0.2, 1.0], "fraction1": [0.3, 0.9]}  # fmt: skip
JITTERS = {f"{name}_jitter": values for name, values in MIXTURE.items()}
JITTER = {"mu_jitter": [0.3, -2.0], "lnsigma_jitter": [-0.2, 0.7]}
TO_ONE = (0.0, 1.0), (0.0, 0.9)  # the reach of eccentricities, and those searched
E_MIXTURE = {"fraction_e": [0.3, 0.8], "scale_e": [0.3, 2.0], "sigma_e": [0.11, 0.6]}
BINS = (0.0, 0.05, 0.2, 0.4, 0.7, 1.0)
LN_BINS = (-1.0, 0.0, 0.4, 1.0, 2.5, 3.0)
HEIGHTS = {"smoothness_e": [0.4, 1.5], "step_e": [[-1.0, 0.5, 0.3, -2.0], [1.0, -1.0, 0.4, 0.1]]}
DISTANCE = {"mu_r": [0.5, 0.1], "ln_std_r": [-3.0, -2.0]}
HALO = DISTANCE | {"halo_fraction": [0.3, 0.01], "ln_halo_ratio": [1.0, 0.2]}
FIELD = {"outlier_fraction": [0.3, 0.9], "outlier_mean": [1.0, -4.0], "outlier_sd": [2.0, 0.5]}
FIELD2 = FIELD | {"outlier_share2": [0.2, 0.7], "outlier_mean2": [0.0, 3.0],
                  "outlier_sd2": [4.0, 3.0]}  # fmt: skip
PEAK = {"alpha": [2.3, -1.5], "lower": [0.2, 0.4], "upper": [2.5, 1.0], "fraction_peak": [0.1, 0.7],
        "mu_peak": [1.0, 0.5], "sigma_peak": [0.2, 0.6]}  # fmt: skip
CASES = {
    "periods, normal": Periods(populations.Normal(), NORMAL),
    "periods, truncated": Periods(
        populations.TruncatedNormal(), NORMAL | {"mu": [1.2, -1.0]}, ENDS
    ),
    "periods, mixture": Periods(populations.NormalMixture(), MIXTURE),
    "jitters, normal": Jitters(populations.LogNormalJitter(), JITTER),
    "periods, truncated mixture": Periods(TruncatedMixture(), MIXTURE | {"mu1": [0.5, -1.0]}, ENDS),
    "jitters, mixture": Jitters(populations.JitterOf(populations.NormalMixture()), JITTERS),
    "jitters, any normal": Jitters(populations.JitterOf(populations.Normal()), JITTER),
    "distances, normal": Distances(profiles.Normal(), DISTANCE, (0.0, 3.0)),
    "distances, core and halo": Distances(profiles.CoreHalo(), HALO, (0.0, 4.0)),
    "periods, power law": SearchedPeriods(PowerLaw(), {"slope": [0.26, -3.0]}, ENDS),
    "periods, no power law": SearchedPeriods(PowerLaw(), {"slope": [0.0, -1e-14]}, ENDS),
    "periods, histogram": SearchedPeriods(
        PeriodHistogram(LN_BINS),
        {name.removesuffix("_e"): x for name, x in HEIGHTS.items()},
        (-1.0, 3.0),
        (-0.5, 2.0),
    ),
    "eccentricities, beta": SmoothEccentricities(
        Beta(), {"alpha_e": [1.5, 2.0], "beta_e": [3.03, 1.2]}, *TO_ONE
    ),
    "eccentricities, Rayleigh": SmoothEccentricities(Rayleigh(), {"sigma_e": [0.3, 2.0]}, *TO_ONE),
    "eccentricities, exponential": SmoothEccentricities(
        Exponential(), {"scale_e": [0.3, 3.0]}, *TO_ONE
    ),
    "eccentricities, gamma": SmoothEccentricities(
        Gamma(), {"alpha_e": [1.7, 3.0], "scale_e": [0.2, 1.0]}, *TO_ONE
    ),
    "eccentricities, two components": SmoothEccentricities(
        RayleighExponential(), E_MIXTURE, *TO_ONE
    ),
    "masses, gamma": Others(
        Gamma().on((0, np.inf)), {"alpha_e": [1.7, 30.0], "scale_e": [2.0, 0.1]}, (0.0, 70.0)
    ),
    "masses, Rayleigh": Others(Rayleigh().on((0.5, 4.0)), {"sigma_e": [0.6, 2.0]}, (0.5, 4.0)),
    "eccentricities, known": SmoothEccentricities(
        KnownDistribution(priors.Beta(1.3, 2.0, upper=0.95)), {}, *TO_ONE
    ),
    "eccentricities, histogram": Eccentricities(EccentricityHistogram(BINS), HEIGHTS, *TO_ONE),
    "masses, histogram": Others(
        populations.Histogram(BINS), {n.removesuffix("_e"): x for n, x in HEIGHTS.items()}, (0, 1)
    ),
    "masses, free histogram": Others(
        populations.DirichletHistogram(BINS), {"step": HEIGHTS["step_e"]}, (0, 1)
    ),
    "masses, uneven histogram": Others(
        populations.DirichletHistogram(BINS, concentration=0.3), {"step": HEIGHTS["step_e"]}, (0, 1)
    ),
    "masses, log-normal": Others(populations.LogNormal(), NORMAL),
    "masses, uniform": Others(populations.Uniform(), {"lower": [0.05, -1.0], "upper": [0.7, 2.5]}),
    "masses, power law and peak": Others(populations.PowerLawPeak(), PEAK, (0.0, 4.0)),
    "masses, power law and wider peak": Others(
        populations.PowerLawPeak(peak_upper=3.0), PEAK, (0.0, 4.0)
    ),
    "masses, spline": Others(
        populations.Spline(BINS),
        {
            "smoothness": [0.4, 1.5],
            "step": [[-1.0, 0.5, 0.3, -2.0, 0.7], [1.0, -1.0, 0.4, 2.0, 1.0]],
        },
        (0.0, 1.0),
    ),
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
    ends = np.union1d(np.linspace(low, high, 41), np.clip(BINS + LN_BINS, low, high))
    return quad_vec(
        lambda x: np.exp(case.log_density(np.array([x]))[:, 0]),
        low, high, points=ends[1:-1], epsabs=1e-10, limit=2000,
    )[0]  # fmt: skip


def quantiles(case, *chances):
    """Of a thousand draws, whatever theta: values where there is something to see."""
    return np.quantile(case.draw(1000, np.random.default_rng(1)), chances)


def test_every_family_has_a_case():
    families = {cls for name, cls in SAVED.items() if name.startswith(PACKAGES)}
    families = {
        cls
        for cls in families
        if not issubclass(cls, (Factored, populations.Pair, outliers.WiderScatter))
    }  # of two quantities, or of none
    assert families <= {type(case.family) for case in CASES.values()}


@pytest.mark.parametrize("family", [*(case.family for case in CASES.values()), Circularised()])
def test_what_a_family_knows_the_logarithm_of_follows(family):
    theta = {parameter.name: np.array([0.3, -1.0]) for parameter in family.parameters}
    scales = {name: re.sub("^ln_?", "", name) for name in theta if name.startswith("ln")}
    derived = family.derive(theta) if scales else {}
    for name, scale in scales.items():
        np.testing.assert_array_equal(derived[scale], np.exp(theta[name]))
        units = {of.name: of.unit for of in family.parameters}
        assert units[scale] == (u.day if scale == "P_circ" else u.one)


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


@having("share_of_each")
def test_shares_of_intervals_that_differ_from_theta_to_theta_are_the_same(case):
    case = CASES[case]
    low, middle, high = quantiles(case, 0.1, 0.3, 0.95)
    ends = np.array([[[low], [low]], [[middle], [low]]]), np.array([[[middle], [high]]] * 2)
    found = case.share_of_each(*ends)
    assert found.shape == (2, 2, 1)
    for (n, k, _), value in np.ndenumerate(found):
        expected = case.share(ends[0][n, k, 0], ends[1][n, k, 0])[n]
        assert value == pytest.approx(expected, rel=1e-12)


@having("outside")
def test_what_lies_outside_is_the_share_there(case):
    case = CASES[case]
    low, high = case.ends
    expected = [case.share(-np.inf, low), case.share(high, np.inf)]
    np.testing.assert_allclose(case.outside(), expected, rtol=1e-13, atol=1e-300)


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


def families():
    """The cases that hold a family of one number."""
    population = populations.Population
    names = [name for name, of in CASES.items() if isinstance(of.family, population)]
    return pytest.mark.parametrize("case", names)


@pytest.mark.slow
@families()
def test_the_density_at_known_values_by_pymc_is_the_same(case):
    import pytensor
    import pytensor.tensor as pt

    case = CASES[case]
    if not case.family.agrees("pymc_log_density"):
        with pytest.raises(NotImplementedError, match="no pymc_log_density of its own"):
            case.family.pymc_log_density(np.zeros(1), {}, case.ends)
        return
    x, rng = np.append(quantiles(case, *np.linspace(0, 1, 7)), 50.0), np.random.default_rng(3)
    of = {name: pt.tensor(name, shape=v.shape[1:], dtype="float64") for name, v in case.of.items()}
    found = pytensor.function(list(of.values()), case.family.pymc_log_density(x, of, case.ends))
    for _ in range(20):
        between = rng.random()
        theta = {name: between * v[0] + (1 - between) * v[1] for name, v in case.of.items()}
        rows = {name: v[None] for name, v in theta.items()}
        expected = case.family.log_density(x, rows, case.ends)[0]
        np.testing.assert_allclose(found(*theta.values()), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("mean", [-60.0, 60.0])
def test_a_distribution_that_is_cut_far_out_is_the_same_by_pymc(mean):
    import pytensor.tensor as pt

    family, x = populations.TruncatedNormal(), np.array([0.0, 2.9])
    theta = {"mu": np.array([mean]), "lnsigma": np.zeros(1)}
    of = {name: pt.as_tensor_variable(value[0]) for name, value in theta.items()}
    found = family.pymc_log_density(x, of, ENDS).eval()
    np.testing.assert_allclose(found, family.log_density(x, theta, ENDS)[0], rtol=1e-10)


@families()
def test_priors_follow_the_scale_and_the_unit_of_the_quantity(case):
    case, unit = CASES[case], u.solMass
    family = case.family
    names = {p.name for p in family.parameters}
    assert family.scale in ("linear", "ln")
    assert set(family.in_unit) <= names
    assert family.scale == "linear" or not family.in_unit
    rng = np.random.default_rng(0)
    for middle, spread in ((3.0, 0.5), (1e-3, 2e-4), (4e30, 1e29)):
        given = family.priors_for(middle, spread, unit)
        assert set(given) <= set(family.sampled)
        own = replace(family, **given)  # which refuses priors of another unit or range
        assert set(given) >= set(family.in_unit) & set(family.sampled)
        start = family.in_unit_of(unit).initial(rng.normal(middle, spread, 1000))
        for name, prior in given.items():
            assert getattr(own, name) == prior
            of = unit if name in family.in_unit else u.one
            assert prior.unit == of
            if case.ends == EVERYWHERE:
                low, high = prior.frozen(of).ppf([1e-4, 1 - 1e-4])
                assert low <= start[name] <= high, name


def test_a_quantity_may_have_a_family_with_priors_in_its_own_unit():
    own = populations.Normal(mu=priors.Normal(1 * u.solMass, 10 * u.jupiterMass))
    assert own.mu.unit == u.solMass
    with pytest.raises(priors.PriorError, match=r"mu .*solMass"):
        BinaryPopulation(population=own).frozen_priors()
    with pytest.raises(priors.PriorError, match="must not be negative"):
        Rayleigh(priors.Normal(1 * u.solMass, 1 * u.solMass))


@pytest.mark.parametrize("case", ["masses, uniform", "masses, power law and peak"])
def test_where_the_ends_are_the_wrong_way_round_there_is_nothing(case):
    case = CASES[case]
    theta = case.of | {"lower": case.of["upper"], "upper": case.of["lower"]}
    check_nothing_is_there(case.family, theta, np.linspace(-2, 4, 50))
    theta = case.of | {"lower": case.of["upper"]}  # and where they are the same
    check_nothing_is_there(case.family, theta, np.sort(np.append(theta["upper"], [0.0, 3.0])))


def check_nothing_is_there(family, theta, x):
    assert np.all(family.log_density(x, theta) == -np.inf)
    assert np.all(family.shares(x, theta) == 0)
    assert np.all(family.share(x[:-1], x[1:], theta) == 0)


@having("log_density", "share")
def test_shares_of_neighbouring_intervals_are_those_of_each(case):
    case = CASES[case]
    if not isinstance(case.family, populations.Population):
        return
    edges = np.sort(np.append(quantiles(case, *np.linspace(0, 1, 12)), [-5.0, 60.0]))
    expected = [case.family.share(*pair, case.of, case.ends) for pair in pairwise(edges)]
    found = case.family.shares(edges, case.of, case.ends)
    np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-11, atol=1e-14)


@having("derived")
def test_what_is_derived_is_declared_and_not_sampled(case):
    case = CASES[case]
    derived, declared = case.derived(), {p.name for p in case.family.parameters}
    assert set(derived) <= declared
    assert not set(derived) & set(case.of)
    assert declared <= set(derived) | set(case.of)
    dims = {p.name: p.dims for p in case.family.parameters}
    for name, values in derived.items():
        assert np.shape(values)[0] == 2
        assert np.ndim(values) == 1 + len(dims[name])


def default_prior(family, name):
    """Of the model, or of the family for values from 0 to 2."""
    return DEFAULTS[name] if family.quantity == "lnP" else family.priors_for(1.0, 0.5, u.one)[name]


@having("initial")
def test_starting_points_lie_where_priors_allow_them(case):
    case = CASES[case]
    for sample in (case.draw(30, np.random.default_rng(2))[0], np.full(3, 1.0)):
        start = case.initial(sample)
        assert set(start) == set(case.of)
        for name, size in getattr(case.family, "standard_normals", {}).items():
            value = start.pop(name)
            assert value.shape == (size,)
            assert np.all(np.abs(value) < 3)
        for name, value in start.items():
            prior = getattr(case.family, name) or default_prior(case.family, name)
            assert np.isfinite(prior.logpdf(value)), name


def test_shares_and_values_far_out_are_numbers():
    theta = {"mu": np.array([60.0, -60.0]), "lnsigma": np.log([1.0, 1.0])}
    family = populations.TruncatedNormal()
    drawn = family.draw(theta, ENDS, 4000, np.random.default_rng(1))
    assert np.all((drawn >= ENDS[0]) & (drawn <= ENDS[1]))
    # 57 and 59.5 standard deviations out, a normal density falls off as fast as an exponential
    mean = np.abs(drawn - [[ENDS[1]], [ENDS[0]]]).mean(axis=1)
    np.testing.assert_allclose(mean, [1 / 57, 1 / 59.5], rtol=0.08)
    np.testing.assert_allclose(family.share(*ENDS, theta, ENDS), 1)


class Odd(populations.Normal):
    """A density of its own, with the shares of another."""

    def log_density(self, ln_period, theta, ends):
        return stats.cauchy.logpdf(ln_period, theta["mu"][:, None])


def test_a_family_of_jitters_has_shares_that_follow_from_its_density():
    for family in (Odd(), populations.Spline(BINS), PowerLaw()):
        with pytest.raises(ValueError, match=rf"family={type(family).__name__}.*within follow"):
            populations.JitterOf(family)
    with pytest.raises(ValueError, match="Odd has a log_density but no pymc of its own"):
        Odd().check_pymc()


class OwnForm(populations.Normal):
    """Someone's PyMC form,"""

    def pymc(self, theta, ends, **options):
        return None


class OtherParts(OwnForm):
    """and components that it does not know of."""

    def components(self, theta):
        return [(1.0, theta["mu"] + 1, np.exp(theta["lnsigma"]))]


def test_a_pymc_form_is_that_of_the_components():
    OwnForm().check_pymc()
    with pytest.raises(ValueError, match="OtherParts has a log_density but no pymc of its own"):
        OtherParts().check_pymc()


@pytest.mark.parametrize("family", [populations.Normal, populations.TruncatedNormal])
def test_a_family_may_own_its_priors(family):
    own = family(mu=priors.Normal(2, 1), lnsigma=0.3)
    model = BinaryPopulation(population=own)
    assert model.prior_of("mu") == priors.Normal(2, 1)
    assert model.prior_of("lnsigma") == priors.Fixed(0.3)
    assert model.free_names() == ["mu"]
    assert "mu=Normal(mu=2, sigma=1)" in repr(own)
    assert BinaryPopulation(population=family()).prior_of("mu") == DEFAULTS["mu"]
    twice = BinaryPopulation(population=own, mu=priors.Normal(3, 1))
    with pytest.raises(priors.PriorError, match="also has a prior on mu; give only one of them"):
        twice.check_arguments()
    with pytest.raises(priors.PriorError, match="mu='2' is not a prior"):
        family(mu="2")


@dataclass(frozen=True)
class OfDegree(populations.Normal):
    """A family with a field of its own, without a default."""

    degree: int


def test_fields_of_ones_own_come_first():
    assert OfDegree(3).degree == 3
    assert OfDegree(3).mu is None


def test_any_family_describes_jitters_under_names_of_its_own():
    family = populations.JitterOf(
        populations.NormalMixture(priors.Normal(-3, 1), priors.Uniform(0, 4), fraction1=0.5)
    )
    model = BinaryPopulation(jitter=family)
    assert model.sampled_names()[2:] == list(JITTERS)
    assert model.prior_of("mu1_jitter") == priors.Normal(-3, 1)
    assert model.prior_of("fraction1_jitter") == priors.Fixed(0.5)
    low, high = family.range()
    assert low < np.exp(-6) < np.exp(4) < high
    default = populations.JitterOf()
    assert default.range() == populations.LogNormalJitter().range()
    assert default.parameters == populations.LogNormalJitter().parameters


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::astro_hier.checks.CheckWarning")
def test_stars_of_two_kinds_of_jitter_are_told_apart(tmp_path):
    table = datasets.make_binaries(4, 8, random_state=1)
    noisy = table["star"] >= "star-0002"
    rng = np.random.default_rng(1)
    scatter = np.where(noisy, 3.0, 0.02) * rng.normal(size=len(table))
    table["rv"] += scatter * table["rv"].unit
    family = populations.JitterOf(
        populations.NormalMixture(mu1=-3, separation=priors.Uniform(2, 5), lnsigma1=-1, lnsigma2=-1)
    )
    options = {"population": populations.TruncatedNormal(), "period_range": (2, 40) * u.day}
    model = BinaryPopulation(jitter=family, **options).fit(
        table, draws=100, chains=2, random_state=1, progressbar=False
    )
    share = model.samples("fraction1_jitter").value
    # False alarm: four standard errors of a share
    assert abs(share.mean() - 0.5) < 4 * share.std()
    separation = model.samples("separation_jitter").value
    assert abs(separation.mean() - 3 - np.log(3)) < 4 * separation.std()
    model.save(tmp_path / "two.nc")
    loaded = BinaryPopulation.load(tmp_path / "two.nc")
    assert loaded.jitter == family
    assert list(loaded.summary()["parameter"]) == list(model.summary()["parameter"])
    joint = model.pymc_model(table)
    assert np.isfinite(joint.compile_logp(mode="FAST_COMPILE")(joint.initial_point()))
