"""Claims about where figures are drawn: every one takes ``ax`` and ``fig``."""

import inspect

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from astro_hier import SB1Binary, StarCluster, datasets
from astro_hier.calibration import Calibration
from astro_hier.model import HierarchicalModel


def leaves(cls):
    below = [b for b in cls.__subclasses__() if b.__module__.startswith("astro_hier.")]
    return [leaf for b in below for leaf in leaves(b)] if below else [cls]


FIGURES = sorted(
    {
        getattr(model, name)
        for model in leaves(HierarchicalModel)
        for name in dir(model)
        if name.startswith("plot_")
    }
    | {Calibration.plot},
    key=lambda f: (f.__module__, f.__name__),
)


@pytest.fixture(scope="module")
def binary():
    table = datasets.make_binary(10, random_state=6)
    return SB1Binary().fit(table, draws=20, random_state=1, progressbar=False)


@pytest.fixture(params=["cluster", "binary"])
def model(request):
    """Models whose figures are of every kind: of one panel, of several, by corner and by daft."""
    return request.getfixturevalue({"cluster": "fitted"}.get(request.param, request.param))


def figures(model):
    return [getattr(model, name) for name in dir(model) if name.startswith("plot_")]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_every_figure_takes_axes_and_a_figure(figure):
    found = inspect.signature(figure).parameters
    assert found["ax"].default is found["fig"].default is None
    assert "ax, fig :" in figure.__doc__ or "fig, ax :" in figure.__doc__


def test_figures_are_drawn_beside_others(model):
    for draw in figures(model):
        whole, (left, right) = plt.subplots(1, 2, figsize=(14, 7), layout="constrained")
        drawn = draw(ax=left)
        if isinstance(drawn, Axes):
            assert drawn is left
        else:
            assert drawn in whole.subfigs
            assert left not in whole.axes
        whole.canvas.draw()
        boxes = [ax.get_window_extent().x1 for ax in drawn.figure.axes if ax is not right]
        assert max(boxes) < right.get_window_extent().x0
        assert not right.has_data()


def test_figures_are_drawn_in_a_given_figure_or_a_part_of_one(model):
    for draw in figures(model):
        for given in (
            plt.figure(),
            plt.figure(figsize=(14, 7), layout="constrained").subfigures(1, 2)[0],
        ):
            drawn = draw(fig=given)
            assert drawn is given if isinstance(drawn, FigureBase) else drawn.figure is given
            assert given.axes
        plt.close("all")


def test_what_is_no_place_is_an_error_that_says_what_is_expected(model):
    whole, grid = plt.subplots(1, 2)
    for draw in figures(model):
        with pytest.raises(TypeError, match="ax= is of type ndarray; expected one of matplotlib's"):
            draw(ax=grid)
        with pytest.raises(TypeError, match="fig= is of type str; expected a matplotlib Figure"):
            draw(fig="new")
        with pytest.raises(ValueError, match="both given"):
            draw(ax=grid[0], fig=whole)
    inset = grid[0].inset_axes([0.1, 0.1, 0.5, 0.5])
    with pytest.raises(ValueError, match=r"no place in a grid.*plt\.subplots, or fig="):
        model.plot_trace(ax=inset)


def test_a_graph_replaces_nothing_on_given_axes():
    _, ax = plt.subplots()
    (line,) = ax.plot([0, 1], [0, 1])
    own = StarCluster().plot_graph()
    assert StarCluster().plot_graph(ax=ax) is ax
    assert len(ax.patches) == len(own.patches)
    assert line in ax.lines
