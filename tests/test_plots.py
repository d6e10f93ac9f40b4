"""Claims about figures: what they return, and that axes carry names and units."""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from astro_hier import SB1Binary, StarCluster, datasets, priors

KMS = u.km / u.s


def text_of(figure):
    figure.canvas.draw()
    return " ".join(t.get_text() for t in figure.findobj(plt.Text) if t.get_visible())


@pytest.mark.parametrize(
    ("name", "units"), [("plot_data", ["[mas]"]), ("plot_distances", ["[pc]", "[pc]"])]
)
def test_figures_draw_on_given_axes_or_their_own(fitted, name, units):
    _, ax = plt.subplots()
    assert getattr(fitted, name)(ax=ax) is ax
    own = getattr(fitted, name)()
    assert isinstance(own, Axes)
    assert own is not ax
    labels = own.get_xlabel() + own.get_ylabel()
    for unit in units:
        assert unit in labels
        labels = labels.replace(unit, "", 1)
    assert own.get_xlabel()
    assert own.get_ylabel()


def test_data_figure_shows_every_star_with_its_error(fitted, tutorial_table):
    container = fitted.plot_data().containers[0]
    np.testing.assert_allclose(container[0].get_ydata(), tutorial_table["parallax"].value)
    segments = container[2][0].get_segments()
    heights = [np.ptp(segment[:, 1]) for segment in segments]
    np.testing.assert_allclose(heights, 2 * tutorial_table["parallax_error"].value)


def test_distances_figure_shows_shrinkage(fitted, tutorial_table):
    points = fitted.plot_distances().containers[0][0]
    naive = tutorial_table["parallax"].to_value(u.pc, u.parallax())
    np.testing.assert_allclose(points.get_xdata(), naive)
    assert np.std(points.get_ydata()) < np.std(naive)


@pytest.mark.filterwarnings("ignore:the data press", "ignore:the errors hide")
def test_stars_without_a_naive_distance_are_shown_apart():
    table = QTable(
        {"parallax": [2.0, 2.1, -0.1] * u.mas, "parallax_error": [0.1, 0.1, 0.2] * u.mas}
    )
    model = StarCluster().fit(table, draws=50, chains=2, random_state=0, progressbar=False)
    ax = model.plot_distances()
    assert len(ax.containers[0][0].get_xdata()) == 2
    assert "posterior mean where" in text_of(ax.figure)
    only_negative = StarCluster().fit(
        QTable({"parallax": [-1.0, -2.0] * u.mas, "parallax_error": [1.0, 1.0] * u.mas}),
        draws=50, chains=2, random_state=0, progressbar=False,
    )  # fmt: skip
    text_of(only_negative.plot_distances().figure)


def test_the_legend_of_a_corner_names_truths_outside_the_axes(fitted):
    legend = fitted.plot_corner(truths={"mu_r": 461}).axes[1].get_legend()
    words = legend.get_texts()[-1].get_text()
    assert "outside the axes" in words.replace("\n", " ")
    assert "461" in words
    alone = fitted.plot_corner("mu_r", truths={"mu_r": 461 * u.kpc})
    assert "outside" in alone.legends[0].get_texts()[-1].get_text()


def test_corner_marks_truths_of_any_unit(fitted):
    figure = fitted.plot_corner(truths={"mu_r": 500 * u.pc})
    assert isinstance(figure, Figure)
    assert "kpc" in text_of(figure)
    marks = [line.get_xdata()[0] for line in figure.axes[0].lines]
    assert any(mark == pytest.approx(0.5) for mark in marks)
    in_kpc = fitted.plot_corner("mu_r", truths={"mu_r": 0.5})
    assert any(line.get_xdata()[0] == pytest.approx(0.5) for line in in_kpc.axes[0].lines)


def test_corner_draws_on_a_given_figure_and_chosen_parameters(fitted):
    figure = plt.figure()
    assert fitted.plot_corner(["mu_r", "std_r"], fig=figure) is figure
    assert len(figure.axes) == 4
    with pytest.raises(ValueError, match="r has a value for each star"):
        fitted.plot_corner(["r"])
    with pytest.raises(ValueError, match="no parameter 'distance'"):
        fitted.plot_corner(truths={"distance": 1 * u.kpc})
    with pytest.raises(u.UnitConversionError, match="truth of mu_r"):
        fitted.plot_corner(truths={"mu_r": 500 * u.s})


def test_corner_shows_what_every_instrument_has_and_prints_nothing(capfd):
    table = datasets.make_binary(10, random_state=6)
    table["tel"] = ["A_1", "B"] * 5
    model = SB1Binary(instrument="tel", jitter=priors.HalfNormal(1 * KMS))
    model.fit(table, draws=20, random_state=1, progressbar=False)
    figure = model.plot_corner(truths={"offset": 2 * KMS})
    assert len(figure.axes) == 7**2  # the offset of the first instrument is zero
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert [title.split(" = ")[0] for title in titles[:3]] == ["$P$", "$K$", r"$\phi$"]
    assert [title.split(" = ")[0] for title in titles[-3:]] == [r"$\Delta v$ B", "$s$ A_1", "$s$ B"]
    assert all("km" in title or "rad" in title for title in titles[1:])
    marks = [line.get_xdata()[0] for line in figure.axes[4 * 8].lines]
    assert 2 in marks
    assert len(model.plot_trace().axes) == 14
    assert capfd.readouterr() == ("", "")
    known = SB1Binary(P=7.3 * u.day, a=1 * KMS, b=2 * KMS, v0=0 * KMS)
    with pytest.warns(AstropyUserWarning, match="chi2"):
        known.fit(table, draws=20, random_state=1, progressbar=False)
    with pytest.raises(ValueError, match="no parameter was inferred"):
        known.plot_corner()


def test_trace_has_a_row_a_parameter_and_a_line_a_chain(fitted):
    figure = fitted.plot_trace()
    assert len(figure.axes) == 4
    assert len(figure.axes[1].lines) == 4
    assert "kpc" in text_of(figure)
    given = plt.figure()
    assert fitted.plot_trace(["mu_r"], fig=given) is given


def test_graph_shows_every_node_and_the_plate_without_a_fit():
    ax = StarCluster().plot_graph()
    text = text_of(ax.figure)
    for symbol in (r"$\mu_r$", r"\ln", "$r_n$", r"\varpi_n", "star $n$"):
        assert symbol in text


def test_a_loaded_estimator_draws_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "x.nc")
    loaded = StarCluster.load(tmp_path / "x.nc")
    for name in ("plot_data", "plot_distances"):
        first, second = getattr(fitted, name)(), getattr(loaded, name)()
        np.testing.assert_array_equal(
            first.containers[0][0].get_xydata(), second.containers[0][0].get_xydata()
        )
