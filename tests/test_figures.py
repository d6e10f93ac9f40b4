"""Claims about how all figures look: text that can be read, colours, styles."""

import copy
import gzip
import io
import tempfile
import warnings
from pathlib import Path

import astropy.units as u
import figure_audit as audit
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.table import QTable
from matplotlib.colors import to_hex, to_rgb

from astro_hier import (
    BinaryPopulation,
    PeriodLuminosity,
    SamplePopulation,
    SB1Binary,
    StarCluster,
    VelocityDispersion,
    datasets,
    plots,
    populations,
    priors,
)
from astro_hier.plots.draws import count_from

KMS = u.km / u.s
FEW = {"draws": 100, "chains": 2, "random_state": 1, "progressbar": False}
LONG = "Gaia DR3 461168601842738{:04d}"


def cluster():
    """Members at 2 mas, and a field that reaches from 80 pc to 12 kpc."""
    members, field = datasets.make_star_cluster(40, random_state=1), [0.08, 0.2, 0.5, 0.9, 12.0]
    return QTable({
        "parallax": np.append(members["parallax"].value, field) * u.mas,
        "parallax_error": np.append(members["parallax_error"].value, [0.02] * 5) * u.mas,
    })  # fmt: skip


def binaries():
    table = datasets.make_binaries(5, 6, random_state=1)
    table["star"] = [LONG.format(int(star[-1])) for star in table["star"]]
    table["tel"] = ["HARPS-N", "ESPRESSO"] * (len(table) // 2)
    return table


def binary():
    table = datasets.make_binary(16, random_state=6)
    table["tel"] = ["HARPS-N", "ESPRESSO_19"] * 8
    table["rv"][3] += 2000 * KMS
    return table


MODELS = {
    "cluster": lambda: (StarCluster(outliers=True), cluster()),
    "binary": lambda: (SB1Binary(instrument="tel", trend=1), binary()),
    "population": lambda: (BinaryPopulation(instrument="tel", mu=2.0), binaries()),
    "dispersion": lambda: (VelocityDispersion(), datasets.make_velocities(30, random_state=1)),
    "relation": lambda: (PeriodLuminosity(), datasets.make_period_luminosity(20, random_state=1)),
    "samples": lambda: (
        SamplePopulation(quantity="mass"), datasets.make_posterior_samples(12, 50, random_state=1)
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    estimator, table = MODELS[request.param]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tables are small
        return estimator.fit(table, **FEW)


def drawn(model, but=()):
    """All figures of a model, by name, but for some."""
    for name in sorted({name for name in dir(model) if name.startswith("plot_")} - {*but}):
        try:
            yield name, getattr(model, name)().figure
        except plots.NothingToDraw:
            pass
        plt.close("all")


def test_figures_can_be_read_in_print_and_in_grey(model):
    before = mpl.rcParams.copy()
    for name, figure in drawn(model):
        found = audit.texts(figure)
        assert audit.print_size(figure, found) >= 6, name
        assert audit.collisions(found) == [], name
        assert audit.cut_off(figure, found) == [], name
        assert audit.covered(figure) == 0, name
        colors = {to_hex(line.get_color()) for ax in figure.axes for line in ax.lines}
        others = colors - {color.lower() for color in plots.CYCLE}
        assert all(np.ptp(to_rgb(color)) < 0.01 for color in others), (name, others)
    assert mpl.rcParams == before


def test_figures_can_be_read_on_a_dark_background(model):
    with plt.style.context("dark_background"):
        for name, figure in drawn(model, but=("plot_graph", "plot_corner", "plot_trace")):
            for ax in figure.axes:
                ratios = [audit.contrast(one.get_color(), ax.get_facecolor()) for one in ax.lines]
                assert all(ratio > 2.5 for ratio in ratios), name


def luminance(color):
    return np.dot(to_rgb(color), (0.299, 0.587, 0.114))


def test_neighbours_in_the_cycle_differ_in_grey_or_in_line():
    assert len(set(plots.LINES)) == len(set(plots.MARKERS)) == len(plots.CYCLE)
    for first, second in zip(plots.CYCLE, plots.CYCLE[1:], strict=False):
        assert abs(luminance(first) - luminance(second)) > 0.1


def test_wild_values_do_not_set_the_range():
    values = [*np.linspace(1, 2, 30), 500.0, np.nan]
    low, high = plots.focus(values)
    assert low == pytest.approx(0.94)
    assert high == pytest.approx(2.06)
    assert plots.focus([3.0, 3.0])[0] < 3 < plots.focus([3.0, 3.0])[1]
    assert plots.focus([]) == (0, 1)
    assert plots.focus([20.0, 20.01], margin=0.0) == (20, 20.01)
    _, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(3, 0))
    assert plots.at_edges(ax, [0.5, 2.0, 0.2], [1.0, 1.0, 9.0]) == 2
    assert [(line.get_marker(), *line.get_xydata()[0]) for line in ax.lines] == [
        (">", 1, 1), ("v", 0.2, 3)
    ]  # fmt: skip
    assert plots.at_edges(ax, [2.0], [1.0]) == 1
    said = ax.get_legend_handles_labels()[1]
    assert said == ["beyond the axes: 2 stars", "beyond the axes: 1 star"]


@pytest.mark.filterwarnings("ignore")
def test_members_fill_the_figures_of_a_cluster_with_a_field():
    model = StarCluster(outliers=True).fit(cluster(), **FEW)
    parallaxes, distances = model.plot_data(), model.plot_distances()
    low, high = parallaxes.get_ylim()
    assert 1 < low < 2 < high < 3
    assert "beyond the axes: 5 stars" in parallaxes.get_legend_handles_labels()[1]
    assert distances.get_xlim()[1] < 700
    assert "not members: 5, 0 in this range" in distances.get_legend_handles_labels()[1]


@pytest.mark.parametrize(
    ("ends", "labels"),
    [
        ((1, 1000), ["1", "3", "10", "30", "100", "300", "1000"]),
        ((2, 40), ["2", "5", "10", "20"]),
        ((0.1, 1e6), None),
        ((3, 8), ["3", "4", "5", "6", "7", "8"]),
    ],
)
def test_logarithmic_axes_have_plain_numbers(ends, labels):
    figure, ax = plt.subplots()
    ax.set_xlim(*ends)
    plots.log_axis(ax)
    figure.canvas.draw()
    shown = [
        tick.label1.get_text() for tick in ax.xaxis.get_major_ticks()
        if ends[0] <= tick.get_loc() <= ends[1]
    ]  # fmt: skip
    assert shown == labels if labels else "10^{3}" in "".join(shown)


def test_a_label_of_the_users_is_not_mathematics():
    assert plots.verbatim("HD$1_a") == r"HD\$1_a"
    with plt.rc_context({"text.usetex": True}):
        assert plots.verbatim("50% A_1") == r"50\% A\_1"


def test_large_scatters_are_an_image_in_vector_files():
    figure, ax = plt.subplots()
    many = np.random.default_rng(1).normal(size=(2, 20_000))
    plots.errorbar(ax, *many, np.ones(20_000))
    out = io.BytesIO()
    figure.savefig(out, format="pdf")
    assert len(out.getvalue()) < 200_000


def test_scales_stand_for_their_logarithms_where_they_are_resolved(fitted):
    labels = [ax.get_xlabel() for ax in fitted.plot_corner().axes]
    assert any(label.startswith(r"$\sigma_r$") for label in labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(fitted._inference_data["posterior"].attrs, "resolved", 0)
        labels = [ax.get_xlabel() for ax in fitted.plot_corner().axes]
    assert any(r"\ln" in label for label in labels)
    legend = fitted.plot_corner(truths={"mu_r": 500 * u.pc}).axes[1].get_legend()
    said = " ".join(text.get_text() for text in legend.get_texts())
    assert "68 and 95 percent" in said
    assert "true values" in said


def labels_of(model, **options):
    figure = model.plot_corner(**options)
    return [ax.get_xlabel() for ax in figure.axes[-int(len(figure.axes) ** 0.5) :]]


def narrowed(model, share):
    """The same, with draws of all quantities in this share of their range about the first one."""
    model = copy.copy(model)
    model._inference_data = model._inference_data.copy(deep=True)
    posterior = model._inference_data["posterior"].dataset
    for of in posterior.data_vars.values():
        of.values[:] = of.values[0, 0] + share * (of.values - of.values[0, 0])
    return model


@pytest.mark.filterwarnings("ignore")
def test_scales_of_mixtures_stand_for_their_logarithms_too():
    path = Path(__file__).parent / "data" / "BinaryPopulation-3-options.nc.gz"
    with tempfile.NamedTemporaryFile(suffix=".nc") as file:
        file.write(gzip.decompress(path.read_bytes()))
        file.flush()
        model = BinaryPopulation.load(file.name)
    broad = [r"$\ln\sigma_1$", r"$\ln\sigma_2$"]
    assert labels_of(model)[2:4] == broad
    narrow = narrowed(model, 0.3)
    assert labels_of(narrow)[2:4] == [r"$\sigma_1$", r"$\sigma_2$"]
    assert labels_of(narrow)[-1] == r"$\sigma_s$"  # of the jitters
    listed = list(narrow.paper_table(format="table")["parameter"])
    assert {"sigma1", "sigma2", "sigma_jitter"} <= {*listed}
    assert not [name for name in listed if name.startswith("ln")]
    assert "lnsigma1" in model.paper_table(format="table")["parameter"]
    assert [ax.get_xlabel() for ax in narrow.plot_trace().axes[4:8:2]] == labels_of(narrow)[2:4]


def test_the_shares_of_a_free_histogram_are_drawn_by_their_bins():
    edges = [1.0, 1.2, 1.6, 1.8] * u.Msun
    family = populations.DirichletHistogram(edges)
    table = datasets.make_posterior_samples(12, 50, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the table is small
        model = SamplePopulation(quantity="mass", population=family).fit(table, **FEW)
    assert labels_of(model) == ["$f$(1.1)", "$f$(1.4)", "$f$(1.7)"]
    assert list(model.summary()["parameter"]) == ["share[1.1]", "share[1.4]", "share[1.7]"]


def test_few_wild_draws_do_not_set_the_range_of_a_corner(fitted):
    wild = narrowed(fitted, 1.0)
    draws = wild._inference_data["posterior"]["std_r"].values
    draws[0, 0] = 1.0
    figure = wild.plot_corner()
    assert figure.axes[3].get_xlim()[1] < 0.02
    said = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert "beyond the axes: up to 1 percent" in said
    draws[0, : draws.size // 50] = 1.0  # two percent may be a mode
    assert wild.plot_corner().axes[3].get_xlim()[1] == 1


def test_corners_and_traces_can_be_read_in_a_column(fitted):
    for draw in (fitted.plot_corner, fitted.plot_trace):
        figure = draw(fig=plt.figure(figsize=(3.5, 3.5)))
        found = audit.texts(figure)
        assert audit.collisions(found) == audit.cut_off(figure, found) == []
        assert min(text.get_fontsize() for text, _ in found) >= 6
        assert audit.covered(figure) == 0


def test_a_planets_orbit_fills_the_figures_and_its_corner_shows_k():
    table = datasets.make_binary(14, random_state=2)
    table["rv"] = 20 * KMS + 6e-4 * (table["rv"] - table["rv"].mean())  # by some 10 m/s
    table["rv_error"] *= 1e-3
    priors_of = {"v0": priors.Normal(20 * KMS, 1 * KMS), "amplitude": priors.Normal(0, 0.02 * KMS)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SB1Binary(**priors_of).fit(table, **FEW)
    for figure in (model.plot_data().figure, model.plot_phase()):
        assert np.ptp(figure.axes[0].get_ylim()) < 1.5 * np.ptp(table["rv"].value)
    assert [label.split("$")[1] for label in labels_of(model)] == ["P", "K", r"\phi", "v_0"]
    assert model.coordinate_names() == ["a", "b"]


def test_a_number_at_the_end_of_a_corner_has_room(fitted):
    figure = fitted.plot_corner()
    figure.axes[3].set(xlim=(0, 0.012), xticks=[0.012])
    assert audit.cut_off(figure, audit.texts(figure)) == []


def test_a_graph_is_in_the_ink_of_the_users_style():
    with plt.style.context("dark_background"):
        ax = StarCluster().plot_graph()
    paper = ax.get_figure().get_facecolor()
    assert all(audit.contrast(text.get_color(), paper) > 7 for text in ax.texts)
    assert all(audit.contrast(patch.get_edgecolor(), paper) > 7 for patch in ax.patches)


def test_ticks_count_from_a_value_near_draws_of_many_digits():
    _, ax = plt.subplots()
    assert count_from(ax.xaxis, 7.29996 + 1e-4 * np.linspace(-1, 1, 50)) == " - 7.3"
    assert count_from(ax.xaxis, np.linspace(1, 2, 50)) == ""
