"""Claims about selections: the share that is kept, its error, and that it cures a biased sample."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from scipy import stats

from astro_hier import BinaryPopulation, datasets, populations, priors
from astro_hier.core.plane import Plane
from astro_hier.core.population import LnPeriodGrid
from astro_hier.injections import make_injections
from astro_hier.models.binary_population.kept import Kept, spread, with_tails
from astro_hier.models.binary_population.selection import Selection
from astro_hier.populations.circularised import Circularised, Independent
from astro_hier.table import TableError

KMS = u.km / u.s
ENDS = (1.0, 1000.0)
LOG_ENDS = tuple(np.log(ENDS))
LENGTH = LOG_ENDS[1] - LOG_ENDS[0]
GRID = LnPeriodGrid.following(*ENDS, 0.3)
E_EDGES = np.concatenate([[0, 0.01, 0.03, 0.1], np.linspace(0.2, 1, 17)])  # not evenly spaced
PLANE = Plane(np.linspace(*LOG_ENDS, 121), E_EDGES, np.ones((120, len(E_EDGES))))
THETA = {"mu": np.array([3.0, 2.0, 4.5]), "lnsigma": np.array([-0.5, -1.0, 0.0]),
         "alpha_e": np.array([0.867, 2.0, 1.2]), "beta_e": np.array([3.03, 4.0, 1.5]),
         "ln_P_circ": np.array([2.5, 1.5, 3.0])}  # fmt: skip
LONGEST = 3.5  # ln P, up to which orbits are kept


def injections(keep, n=20_000, seed=0, e=None, circular=0.0):
    """Those that ``keep(ln_period, e)`` keeps, drawn flat in ln P and e."""
    rng = np.random.default_rng(seed)
    ln_period = rng.uniform(*LOG_ENDS, n)
    of_e = np.zeros(n)
    density = np.full(n, 1 / LENGTH)
    if e is not None:
        ellipse = rng.random(n) >= circular
        of_e[ellipse] = e.rvs(ellipse.sum(), random_state=rng)
        density *= np.where(ellipse, (1 - circular) * e.pdf(of_e), circular)
    chosen = keep(ln_period, of_e)
    columns = {"P": np.exp(ln_period) * u.day, "e": of_e, "density": density}
    return QTable({name: of[chosen] for name, of in columns.items()}, meta={"injected": n})


def kept_on_grid(table, **meta):
    table.meta.update(meta)
    return Kept.on(Selection.of(table, ENDS, False), GRID)


def densities(kept, theta=THETA, population=None):
    """ln of the density of a population within the range."""
    population = population or populations.TruncatedNormal()
    return population.log_density(GRID.points[kept.matrix.points], theta, LOG_ENDS)


def below(longest, theta=THETA):
    """The share of a truncated normal population below ln P."""
    return populations.TruncatedNormal().share(-np.inf, longest, theta, LOG_ENDS)


def test_a_cut_in_period_keeps_the_share_of_the_population_below_it():
    # False alarm: three of 4.5 standard errors, 2e-5; the edge of the selection, between points of
    # the grid, adds 0.001
    kept = kept_on_grid(injections(lambda x, e: x < LONGEST))
    log_share, variance = kept.log_share(densities(kept))
    off = np.abs(np.exp(log_share) / below(LONGEST) - 1)
    assert np.all(off < 4.5 * np.sqrt(variance) + 0.001)
    assert np.sqrt(variance).max() < 0.03


@pytest.mark.parametrize("joint", [Independent(populations.TruncatedNormal()), Circularised()])
def test_on_a_plane_the_share_is_that_of_its_orbits_whatever_the_cells_of_e(joint):
    # False alarm: three of 4.5 standard errors, 2e-5; the edge of the selection adds 0.002
    edges = np.array([-1e-9, 0.3]), np.array([LOG_ENDS[0], LONGEST])
    table = injections(lambda x, e: (x < LONGEST) & (e < 0.3), 60_000, e=stats.beta(0.8, 2),
                       circular=0.3)  # fmt: skip
    kept = Kept.on(Selection.of(table, ENDS, True), PLANE)
    shares = joint.shares(PLANE.ln_period_edges, E_EDGES, THETA, LOG_ENDS)
    expected = joint.shares(edges[1], np.array([0, 0.3]), THETA, LOG_ENDS).sum(axis=(1, 2))
    log_share, variance = kept.log_share(PLANE.log_shares(shares, kept.matrix))
    off = np.abs(np.exp(log_share) / expected - 1)
    assert np.all(off < 4.5 * np.sqrt(variance) + 0.002)
    assert np.sqrt(variance).max() < 0.04


def test_with_injections_from_the_population_the_share_is_that_which_is_counted():
    # g / p is one on cells of any width, so there is no error of the cells at all
    plane = Plane(np.array([*LOG_ENDS[:1], 2.0, 2.5, LOG_ENDS[1]]), E_EDGES, np.ones((3, 21)))
    flat = np.diff(plane.ln_period_edges)[:, None] / LENGTH * np.append(0.0, np.diff(E_EDGES))
    table = injections(lambda x, e: np.sin(9 * x) > e, 500, e=stats.uniform(0, 1))
    kept = Kept.on(Selection.of(table, ENDS, True), plane)
    log_share, variance = kept.log_share(plane.log_shares(flat[None], kept.matrix))
    share = len(table) / 500
    assert np.exp(log_share[0]) == pytest.approx(share, rel=1e-12)
    assert variance[0] == pytest.approx((1 - share) / (500 * share), rel=1e-9)


def test_a_cut_in_amplitude_keeps_the_closed_share_of_a_rayleigh_distribution():
    # False alarm: three of 4.5 standard errors, 2e-5. K of exact velocities: half of their range
    rng = np.random.default_rng(3)
    time = np.sort(rng.uniform(0, 3000, 400))
    visits = QTable({"star": np.repeat("a", 400), "time": time * u.day,
                     "rv": np.zeros(400) * KMS, "rv_error": np.full(400, 1e-9) * KMS})  # fmt: skip
    table = make_injections(
        visits, lambda star: np.ptp(star["rv"]) > 30 * KMS, 4000, random_state=3,
        period_range=np.array(ENDS) * u.day, progressbar=False,
        amplitude=priors.PeriodScaled(10 * KMS, period=20 * u.day, exponent=-0.5),
    )  # fmt: skip
    kept = kept_on_grid(table)
    log_share, variance = kept.log_share(densities(kept))
    density = np.exp(populations.TruncatedNormal().log_density(GRID.points, THETA, LOG_ENDS))
    scale = 10 * np.exp(-0.5 * (GRID.points - np.log(20)))
    expected = density @ stats.rayleigh.sf(15, 0, scale) * GRID.step
    assert np.all(np.abs(np.exp(log_share) / expected - 1) < 4.5 * np.sqrt(variance) + 0.005)
    assert np.sqrt(variance).max() < 0.1


def test_the_variance_is_that_of_other_injections():
    # False alarm: the variance of 300 is known to 8 percent, six of these once in 1e5
    found, said = [], []
    for seed in range(300):
        table = injections(lambda x, e: x < LONGEST, 600, seed)
        share = np.random.default_rng([seed, 1]).binomial(50, 0.7) / 50
        kept = kept_on_grid(table, kept_without_companion=share, simulated_without_companion=50)
        for fraction in (None, np.full(3, 0.4)):
            log_share, variance = kept.log_share(densities(kept), fraction)
            found.append(np.exp(log_share))
            said.append(variance * np.exp(2 * log_share))
    found, said = (np.reshape(of, (300, 2, 3)) for of in (found, said))
    np.testing.assert_allclose(said.mean(axis=0), found.var(axis=0), rtol=0.38)
    expected = below(LONGEST), 0.4 * below(LONGEST) + 0.6 * 0.7
    error = 4.5 * found.std(axis=0) / np.sqrt(300)
    assert np.all(np.abs(found.mean(axis=0) - expected) < error + 0.001)


def test_stars_without_companions_count_by_their_fraction():
    kept = kept_on_grid(injections(lambda x, e: x < 3), kept_without_companion=0.3)
    of_companions, variance = kept.log_share(densities(kept))
    fraction = np.array([0.0, 0.5, 1.0])
    log_share, mixed = kept.log_share(densities(kept), fraction)
    expected = fraction * np.exp(of_companions) + (1 - fraction) * 0.3
    np.testing.assert_allclose(np.exp(log_share), expected)
    # a share that is given without the number of simulated stars is exact
    np.testing.assert_allclose(mixed, (fraction * np.exp(of_companions) / expected) ** 2 * variance)
    none = kept_on_grid(injections(lambda x, e: x < 3), kept_without_companion=0.0)
    log_share, mixed = none.log_share(densities(none), fraction)
    np.testing.assert_allclose(np.exp(log_share), fraction * np.exp(of_companions))
    np.testing.assert_allclose(mixed, [np.inf, *variance[1:]])
    assert np.isneginf(none.log_likelihood(5, densities(none), fraction)[0])


def test_a_sum_over_too_few_injections_is_refused():
    kept = kept_on_grid(injections(lambda x, e: x < LONGEST, 2000))
    log_density = densities(kept)
    log_share, variance = kept.log_share(log_density)
    most = int(1 / (4 * variance[0]))
    assert 20 < most < 2000
    assert kept.log_likelihood(most, log_density)[0] == pytest.approx(-most * log_share[0])
    assert np.isneginf(kept.log_likelihood(most + 1, log_density)[0])
    np.testing.assert_allclose(kept.variance(7, log_density), 49 * variance)
    theta = {"mu": np.array([6.5, 6.9, 3.0]), "lnsigma": np.array([-1.5, -6.0, -8.0])}
    few = kept.log_likelihood(10, densities(kept, theta))
    assert np.all(np.isneginf(few))  # nothing was kept there, or a needle among the injections
    nowhere = np.full_like(log_density, -np.inf), np.full_like(log_density, np.log(1e-300))
    assert all(np.all(np.isneginf(kept.log_likelihood(10, of))) for of in nowhere)


def test_what_lies_outside_the_range_is_kept_as_its_ends_are():
    # False alarm: 4.5 standard errors, 1e-5
    def keep(x, e):
        return (x < 1) | (np.abs(x - LOG_ENDS[1]) < 0.2)

    theta = {"mu": np.array([-3.0, 10.0]), "lnsigma": np.array([0.0, 0.0])}
    outside = populations.Normal().outside(theta, LOG_ENDS)
    reach = LENGTH / 20
    expected = np.array([1.0, 0.2 / reach])
    kept = kept_on_grid(injections(keep))
    normal = densities(kept, theta, populations.Normal())
    log_share, variance = kept.log_share(with_tails(GRID, kept.matrix.points, normal, outside))
    # what lies inside, at the ends, is 0.1 percent of the population
    allowed = 4.5 * np.sqrt(variance) + 0.02
    assert np.all(np.abs(np.exp(log_share) / expected - 1) < allowed)
    assert np.sqrt(variance).max() < 0.1
    joint = Independent()
    both = theta | {"alpha_e": np.full(2, 2.0), "beta_e": np.full(2, 4.0)}
    shares = joint.shares(PLANE.ln_period_edges, E_EDGES, both, LOG_ENDS)
    whole = spread(PLANE, shares, outside)
    np.testing.assert_allclose(whole.sum(axis=(1, 2)), 1, rtol=1e-6)
    table = injections(keep, 60_000, e=stats.uniform(0, 1))
    kept = Kept.on(Selection.of(table, ENDS, True), PLANE)
    log_share, variance = kept.log_share(PLANE.log_shares(whole, kept.matrix))
    allowed = 4.5 * np.sqrt(variance) + 0.02
    assert np.all(np.abs(np.exp(log_share) / expected - 1) < allowed)


def test_the_mean_period_of_a_sample_cut_in_period_is_unbiased_with_its_selection():
    # False alarm: 4.5 standard deviations of the posterior, 1e-5
    rng = np.random.default_rng(8)
    ln_period = rng.normal(3.0, 0.8, 3000)
    ln_period = ln_period[(ln_period > LOG_ENDS[0]) & (ln_period < 3.2)][:400]
    mu, sigma = np.meshgrid(np.linspace(1.5, 4.5, 121), np.linspace(0.4, 1.6, 61))
    theta = {"mu": mu.ravel(), "lnsigma": np.log(sigma.ravel())}
    kept = kept_on_grid(injections(lambda x, e: x < 3.2, 50_000))
    of_stars = populations.TruncatedNormal().log_density(ln_period, theta, LOG_ENDS).sum(axis=1)
    correction = kept.log_likelihood(len(ln_period), densities(kept, theta))

    def posterior(log_p):
        p = np.exp(log_p - log_p.max())
        mean = p @ theta["mu"] / p.sum()
        return mean, np.sqrt(p @ (theta["mu"] - mean) ** 2 / p.sum())

    mean, sd = posterior(of_stars)
    assert mean < 3.0 - 8 * sd
    mean, sd = posterior(of_stars + correction)
    assert abs(mean - 3.0) < 4.5 * sd
    assert sd < 0.5


def test_a_selection_is_read_in_any_unit():
    table = injections(lambda x, e: e < 0.5, 50, e=stats.uniform(0, 1))
    table.meta |= {"kept_without_companion": 0.25, "simulated_without_companion": 40,
                   "amplitude": "Normal(0 km / s, 1 km / s)"}  # fmt: skip
    table["P"] = table["P"].to(u.yr)
    found = Selection.of(table, ENDS, True)
    np.testing.assert_allclose(np.exp(found.ln_period), table["P"].to_value(u.day))
    np.testing.assert_allclose(np.exp(found.log_density), table["density"])
    np.testing.assert_array_equal(found.e, table["e"])
    assert found.kept_without_companion == (0.25, 40)
    assert found.injected == 50
    assert found.amplitude == table.meta["amplitude"]
    without = table["P", "density"]
    assert not Selection.of(without, ENDS, False).e.any()


def changed(**columns):
    table = injections(lambda x, e: x < 5, 20)
    for name, values in columns.items():
        table[name][:2] = values
    return table


def told(**meta):
    table = injections(lambda x, e: x < 5, 20)
    table.meta |= meta
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (datasets.make_binaries(2, 3), "selection: column 'P' .* is not in the table"),
        ("found.ecsv", "selection: expected an astropy Table"),
        (changed(density=0.0), "'density' .* has 2 of .* rows that are not valid .row 0: 0"),
        (changed(P=np.nan * u.day), "'P' .* has 2 of .* rows that are not valid"),
        (changed(P=1001 * u.day), r"'P' has 2 .*row 0: 1001, row 1: 1001\); expected the periods"),
        (changed(e=1.0), "'e' has 2 values .*expected at least 0 and below 1"),
        (changed(e=-0.1), "'e' has 2 values .*expected at least 0 and below 1"),
        (changed(e=0.2), "but the population's orbits are circles"),
        (told(injected=3), r'meta\["injected"\] is 3; expected the number of all orbits injected'),
        (told(injected=None), r'meta\["injected"\] is missing'),
        (told(injected=2e4), r'meta\["injected"\] is 20000.0'),
        (told(kept_without_companion=2), "from 0 to 1"),
        (told(kept_without_companion=0.2, simulated_without_companion=0), "that were simulated"),
        (told(period_range=[2, 500] * u.day), "injected with periods from 2 to 500 d; expected"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_refused(table, message):
    with pytest.raises(TableError, match=message):
        Selection.of(table, ENDS, False)


def test_what_a_population_needs_must_be_in_the_table():
    with pytest.raises(TableError, match=r"column 'e' .* is not in the table"):
        Selection.of(injections(lambda x, e: x < 5, 20)["P", "density"], ENDS, True)
    kept = kept_on_grid(injections(lambda x, e: x < 5))
    with pytest.raises(ValueError, match="does not say which share of stars without companions"):
        kept.log_share(densities(kept), np.full(3, 0.5))
    high = Selection.of(injections(lambda x, e: e > 0.6, e=stats.uniform(0, 1)), ENDS, True)
    with pytest.raises(TableError, match=r"all eccentricities are above 0\.5"):
        high.row(Plane(PLANE.ln_period_edges, np.array([0, 0.5]), np.ones((120, 2))))


# ---- in the model


PERIODS = 0.5 * u.day, 500 * u.day
WIDE = priors.Normal(0 * u.km / u.s, 20 * u.km / u.s)
SHORT = 100.0  # d, up to which companions are found


def found(n=4000):
    """Injections of circles, uniform in ln P, kept if their period is short."""
    rng = np.random.default_rng(1)
    low, high = (np.log(of.value) for of in PERIODS)
    ln_period = rng.uniform(low, high, n)
    kept = np.exp(ln_period[ln_period < np.log(SHORT)])
    density = np.full(len(kept), 1 / (high - low))
    meta = {"injected": n, "kept_without_companion": 0.1}
    return QTable({"P": kept * u.day, "e": 0 * kept, "density": density}, meta=meta)


def fits(**options):
    table = datasets.make_binaries(6, 8, baseline=100 * u.day, random_state=2)
    table.meta = {}
    for selection in (None, found()):
        model = BinaryPopulation(
            population=populations.TruncatedNormal(),
            mu=priors.Normal(3, 0.5),
            lnsigma=priors.Normal(0, 0.3),
            period_range=PERIODS,
            amplitude=WIDE,
            selection=selection,
            **options,
        )
        yield model.fit(table, random_state=1, progressbar=False, certify=False)


@pytest.mark.parametrize("eccentricity", [None, 0])
@pytest.mark.parametrize("fraction", [None, priors.Uniform(0.2, 1)])
def test_the_likelihood_is_divided_by_the_share_that_is_kept(eccentricity, fraction):
    """alpha is the population's share below 100 d, to 4 standard errors of 4,000 injections."""
    whole, selected = fits(eccentricity=eccentricity, companion_fraction=fraction)
    theta = {"mu": np.array([2.0, 4.0]), "lnsigma": np.array([0.0, 0.3])}
    if fraction is not None:
        theta["companion_fraction"] = np.array([0.3, 0.8])
    mu, sigma = theta["mu"], np.exp(theta["lnsigma"])
    low, short, high = (
        stats.norm.cdf((np.log(of) - mu) / sigma)
        for of in (PERIODS[0].value, SHORT, PERIODS[1].value)
    )
    share = (short - low) / (high - low)
    of = theta.get("companion_fraction", 1.0)
    alpha = of * share + (1 - of) * 0.1
    before = whole.fitted_data().log_likelihood(theta)
    after = selected.fitted_data().log_likelihood(theta)
    assert np.allclose(before - after, np.log(alpha)[:, None], atol=0.12)
    assert np.allclose(selected.fitted_data().log_marginal(theta), after.sum(axis=1))


def test_the_variance_is_reported_and_a_file_keeps_the_injections(tmp_path):
    _, selected = fits()
    assert 0 < selected.posterior.attrs["selection_variance"] < 1
    assert "selection" in {finding.name for finding in selected.findings()}
    selected.save(tmp_path / "fit.nc")
    again = BinaryPopulation.load(tmp_path / "fit.nc")
    assert again.selection.meta == selected.selection.meta
    assert np.all(again.selection["P"] == selected.selection["P"])


def test_a_fraction_of_companions_needs_to_know_how_many_others_are_kept():
    table = found()
    del table.meta["kept_without_companion"]
    model = BinaryPopulation(
        period_range=PERIODS, selection=table, companion_fraction=priors.Uniform(0, 1)
    )
    with pytest.raises(ValueError, match="kept_without_companion"):
        model.fit(datasets.make_binaries(3, 5, random_state=1), progressbar=False)


def test_injections_with_other_amplitudes_are_refused():
    table = found()
    table.meta["amplitude"] = repr(priors.Normal(0 * u.km / u.s, 5 * u.km / u.s))
    model = BinaryPopulation(period_range=PERIODS, selection=table, amplitude=WIDE)
    with pytest.raises(ValueError, match="expected the same prior of amplitudes"):
        model.fit(datasets.make_binaries(3, 5, random_state=1), progressbar=False)
