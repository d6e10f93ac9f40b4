"""What figures return, for type checkers, which then know the methods of models that draw them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["of_panels", "on_axes"]

P = ParamSpec("P")


def on_axes(draw: Callable[P, Any]) -> "Callable[P, Axes]":
    """The same function, which returns axes."""
    return draw


def of_panels(draw: Callable[P, Any]) -> "Callable[P, Figure]":
    """The same function, which returns a figure."""
    return draw
