"""Claims about the table and the figures of a population of orbits."""

import warnings

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.table import vstack
from scipy import integrate

from astro_hier import BinaryPopulation, datasets, populations, priors
from astro_hier.checks import CheckWarning
from astro_hier.core import eccentric_population
from astro_hier.plots import NothingToDraw

KMS = u.km / u.s
OPTIONS = {"amplitude": priors.Normal(0 * KMS, 30 * KMS), "period_range": (2 * u.day, 40 * u.day)}
SOME = {"companion_fraction": priors.Uniform(0, 1)}
COLUMNS = [
    "star", "n_visits", "baseline", "P", "P_low", "P_high", "P_sd", "P_map", "K", "K_low", "K_high",
    "K_upper", "v0", "n_modes", "probability", "chi2_per_dof", "p_chi2", "ln_bayes_factor",
    "period_information",
]  # fmt: skip


def fit(table, **options):
    """A fit of tables so small that checks speak."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckWarning)
        model = BinaryPopulation(**OPTIONS, **options)
        return model.fit(table, random_state=1, progressbar=False)


@pytest.fixture(scope="module")
def table():
    """Four binaries, and two stars of constant velocity."""
    given = {"n_visits": 9, "baseline": 30 * u.day, "rv_error": 1 * KMS}
    binaries = datasets.make_binaries(4, **given, random_state=1)
    still = datasets.make_binaries(2, **given, amplitude=1e-6 * KMS, random_state=2)
    still["star"] = np.char.add("still-", still["star"])
    return vstack([binaries, still], metadata_conflicts="silent")


@pytest.fixture(scope="module")
def circular(table):
    return fit(table, **SOME)


@pytest.fixture(scope="module")
def eccentric(table):
    """With circular orbits below a period; rough, which figures do not mind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(eccentric_population, "POINTS", 300)
        return fit(table, population=populations.Circularised(), **SOME)


@pytest.fixture(params=["circular", "eccentric"])
def model(request):
    yield request.getfixturevalue(request.param)
    plt.close("all")


@pytest.fixture(scope="module")
def plain():
    """All stars have a companion, on circles."""
    return fit(datasets.make_binaries(20, 6, baseline=30 * u.day, random_state=1))


def test_a_table_has_the_columns_of_its_model(circular, eccentric, plain):
    assert plain.star_table().colnames == COLUMNS
    assert circular.star_table().colnames == [*COLUMNS, "companion"]
    first = COLUMNS.index("K")
    shape = [*COLUMNS[:first], "e", "e_low", "e_high", *COLUMNS[first:], "companion"]
    assert eccentric.star_table().colnames == shape


def test_a_table_agrees_with_the_draws(model):
    stars, draws = model.star_table(), model.samples("K")
    sure = (stars["probability"] > 0.99) & (stars["companion"] > 0.99)
    assert sure.sum() == 4
    for name, share in (("K_low", 0.16), ("K_high", 0.84), ("K_upper", 0.95)):
        assert stars[name].unit == KMS
        # quantiles of 4,000 draws, and of some 2,000, are good to .04 sd; five of these
        limit = 0.2 * (stars["K_high"] - stars["K_low"])[sure].value
        found = np.abs((stars[name] - np.quantile(draws, share, axis=0))[sure].value)
        assert np.all(found < limit)


def test_companions_are_found_where_there_are_some(model):
    stars = model.star_table()
    still = np.char.startswith(stars["star"], "still")
    assert np.all((stars["companion"] > 0.9) == ~still)
    drawn = model.samples("companion").value.mean(axis=0)
    np.testing.assert_allclose(stars["companion"], drawn, rtol=1e-12)


def test_companions_are_found_without_draws_of_stars(table, circular):
    hyper = fit(table, star_draws=False, **SOME)
    expected = circular.star_table()["companion"]
    np.testing.assert_allclose(hyper.star_table()["companion"], expected, rtol=1e-9)
    assert hyper.plot_population().get_legend_handles_labels()[1] == ["population, 94 percent"]
    plt.close("all")


def test_a_jitter_is_listed_if_it_is_inferred(table, monkeypatch):
    monkeypatch.setattr(eccentric_population, "POINTS", 300)
    few = table[table["star"] == "star-0000"]
    jitter = priors.LogUniform(0.01 * KMS, 1 * KMS)
    options = {"mu": 2.0, "lnsigma": 0.0}
    with_jitter = fit(few, eccentricity=priors.Uniform(0, 1), jitter=jitter, **options)
    assert with_jitter.star_table()["jitter"].unit == KMS
    assert with_jitter.star_table()["jitter"].shape == (1,)


def test_panels_have_curves_residuals_and_words(model):
    figure = model.plot_phase()
    assert len(figure.axes) == 12
    for top, bottom in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        assert len(top.lines) > 15  # draws, the best orbit and the visits
        low, high = model.fitted_data().orbit.phases
        assert top.get_xlim() == bottom.get_xlim() == pytest.approx((low - 0.03, high + 0.03))
        (measured,) = bottom.containers
        assert np.abs(measured.lines[0].get_ydata()).max() < 5  # errors are 1 km/s
    dashed = [any(line.get_ls() == "--" for line in top.lines) for top in figure.axes[::2]]
    assert dashed == [False] * 4 + [True] * 2
    titles = [top.get_title() for top in figure.axes[::2]]
    assert "companion: > 99%" in titles[0]
    assert "P = 7.67" in titles[0]
    assert "no orbit needed" in titles[-1]


def test_figures_say_how_many_stars_are_not_shown(plain):
    for plot, axes in ((plain.plot_data, 1), (plain.plot_phase, 2)):
        figure = plot()
        assert len(figure.axes) == 16 * axes
        assert "16 of 20 stars; others with stars=[...]" in figure.get_supxlabel()
        assert "km/s" in figure.get_supylabel()
        assert len(plot(stars=["star-0019"]).axes) == axes
        with pytest.raises(ValueError, match="not among the 20 fitted"):
            plot(stars=["star-9999"])
        assert "of 20" not in plot(stars=list(plain.posterior["star"].values)).get_supxlabel()
        plt.close("all")


def test_a_population_is_shown_in_days_or_their_logarithm(model):
    days, logarithm = (model.plot_population(quantity=of) for of in ("P", "lnP"))
    assert days.get_xscale() == "log"
    assert "[d]" in days.get_xlabel()
    assert "ln" in logarithm.get_xlabel()
    line, other = days.lines[0], logarithm.lines[0]
    np.testing.assert_allclose(np.log(line.get_xdata()), other.get_xdata(), rtol=1e-9)
    # the median of densities of six stars, and what lies within the range
    assert 0.5 < integrate.trapezoid(other.get_ydata(), other.get_xdata()) < 1
    with pytest.raises(ValueError, match="quantity='e'; expected 'P' or 'lnP'"):
        model.plot_population(quantity="e")


def test_stars_count_by_their_probability_of_a_companion(circular):
    ax = circular.plot_population(quantity="lnP")
    assert len(ax.lines[1].get_xdata()) == 4  # medians
    # the weighted draws lie at the periods of the binaries, from 2.4 to 10.7 d
    height, edges, _ = ax.patches[0].get_data()
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    held = height * width
    assert held.sum() == pytest.approx(1, abs=0.05)
    assert held[middle < np.log(12)].sum() == pytest.approx(1, abs=0.05)
    plt.close("all")


def test_eccentricities_are_those_of_eccentric_orbits(eccentric):
    ax = eccentric.plot_eccentricity()
    labels = ax.get_legend_handles_labels()[1]
    assert "$e = 0$: " in labels[-1]
    share = float(labels[-1].split()[3]) / 100
    height, edges, _ = ax.patches[0].get_data()
    # the stars' share of them is like that of the population
    assert (height * np.diff(edges)).sum() == pytest.approx(1 - share, abs=0.25)
    low, high = ax.get_xlim()
    assert low == 0
    edges = ax.collections[0].get_paths()[0].vertices[:, 0]
    assert edges.min() == 0
    assert edges.max() == 1
    # all of them are circular but for some that the population expects: the axis ends there
    assert 2 * np.median(eccentric.samples("e").value) <= high < 1
    plt.close("all")


def test_periods_and_eccentricities_are_shown_together(eccentric):
    ax = eccentric.plot_period_eccentricity()
    labels = ax.get_legend_handles_labels()[1]
    assert any("circ" in label for label in labels)
    assert "population, 90 percent" in labels
    (points,) = (of for of in ax.collections if len(of.get_offsets()) == 4)
    stars = eccentric.star_table()[:4]
    expected = np.transpose([stars["P"].value, stars["e"]])
    np.testing.assert_allclose(points.get_offsets(), expected)
    plt.close("all")


def test_probabilities_of_companions_are_shown_in_order(model):
    ax = model.plot_companions()
    share, probability = ax.lines[-1].get_data()
    assert np.all(np.diff(probability) <= 0)
    assert share[-1] == pytest.approx(11 / 12)
    low, high = ax.patches[0].get_x(), ax.patches[0].get_x() + ax.patches[0].get_width()
    assert low < 4 / 6 < high


def test_what_a_model_lacks_is_said(plain):
    for plot in (plain.plot_eccentricity, plain.plot_period_eccentricity):
        with pytest.raises(NothingToDraw, match="fit with eccentricity=True"):
            plot()
    with pytest.raises(NothingToDraw, match="fit with companion_fraction="):
        plain.plot_companions()


def test_the_elements_of_a_star_are_those_of_its_draws(model):
    found = model.elements("star-0001")
    assert list(found["statistic"]) == ["median", "16%", "84%"]
    draws = model.samples("K")[:, 1]
    np.testing.assert_allclose(found["K"], np.quantile(draws, [0.5, 0.16, 0.84]), rtol=1e-9)
    assert found.meta["star"] == "star-0001"
    assert found.meta["companion"] > 0.99
    assert "note" not in found.meta
    assert "modes" in model.elements("still-star-0000").meta["note"]
    first = model.fitted_data().first[1]
    assert np.all(found["T_conj"].to_value(u.day) > first)
    with pytest.raises(ValueError, match="'star-9' is not among the 6 fitted"):
        model.elements("star-9")


def test_elements_need_draws_of_the_star():
    hyper = fit(datasets.make_binaries(2, 6, random_state=1), mu=2.0, star_draws=False)
    with pytest.raises(ValueError, match="star_draws=True"):
        hyper.elements("star-0000")


def test_a_population_before_selection_is_called_so(circular):
    shown = circular.plot_population().get_legend_handles_labels()[1][0]
    assert shown == "population, 94 percent"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(circular, "selection", "injections")
        for plot in (circular.plot_population, circular.plot_companions):
            assert "before selection" in plot().get_legend_handles_labels()[1][0]
    plt.close("all")


def test_panels_of_stars_are_drawn_in_place_of_axes(circular):
    whole, grid = plt.subplots(1, 2, figsize=(14, 7))
    for draw, ax in zip((circular.plot_phase, circular.plot_data), grid, strict=True):
        assert draw(ax=ax) in whole.subfigs
    whole.canvas.draw()
