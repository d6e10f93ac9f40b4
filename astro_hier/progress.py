"""What a fit tells while it runs: a progress bar, and messages to the logger "astro_hier".

A fit has one bar, which its stages take over one after the other; a stage outside any fit has its
own. INFO says that a fit begins, how many rows were read, which checks failed, and that it ends;
DEBUG adds every stage with the time it took, and the rounds of the search. Messages go nowhere
unless the user configures logging.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from tqdm.auto import tqdm

__all__ = ["LOG", "give_way", "of_fit", "over", "stage"]

P = ParamSpec("P")
T = TypeVar("T")
LOG = logging.getLogger("astro_hier")
LOG.addHandler(logging.NullHandler())


class _Bar:
    """The bar of a fit, which is made when the first stage is shown."""

    def __init__(self, name: str):
        self.name, self.start, self.bar = name, time.time(), None

    def show(self, desc: str, total: int, unit: str, bar_format: str | None) -> Any:
        """The bar, at the start of a stage."""
        if self.bar is None:
            self.bar = tqdm(total=total, unit=unit, desc=desc, bar_format=bar_format)
            return self.bar
        self.bar.set_description(desc, refresh=False)
        self.bar.unit, self.bar.bar_format, self.bar.postfix = unit, bar_format, None
        self.bar.reset(total)
        return self.bar

    def close(self, done: bool = False) -> None:
        """Leave the bar as it is, or with the time of the whole fit."""
        if self.bar is not None:
            if done:
                self.bar.bar_format, self.bar.start_t = "{desc}fitted in {elapsed}", self.start
                self.bar.set_description(self.name, refresh=True)
            self.bar.close()
        self.bar = None


CURRENT: ContextVar[_Bar | None] = ContextVar("bar", default=None)


def of_fit(method: Callable[P, T]) -> Callable[P, T]:
    """Decorate the method ``fit`` of a model, so that all its stages share one bar."""

    @wraps(method)
    def fit(*args: P.args, **options: P.kwargs) -> T:
        name, start = type(args[0]).__name__, time.perf_counter()
        bar = _Bar(name)
        token = CURRENT.set(bar)
        LOG.info("%s: fit begins", name)
        try:
            result = method(*args, **options)
            bar.close(done=True)
        finally:
            CURRENT.reset(token)
            bar.close()
        LOG.info("%s: fitted in %.3g s", name, time.perf_counter() - start)
        return result

    return fit


def give_way() -> None:
    """Remove the bar of the fit, for a method that has one of its own."""
    bar = CURRENT.get()
    if bar is not None and bar.bar is not None:
        bar.bar.leave = False
        bar.close()


@contextmanager
def stage(
    desc: str, total: int, unit: str = "step", shown: bool = True, bar_format: str | None = None
) -> Iterator[Any]:
    """A `tqdm.tqdm` for one stage, which need not be closed."""
    start, of_whole = time.perf_counter(), CURRENT.get()
    if shown and of_whole is not None:
        bar = of_whole.show(desc, total, unit, bar_format)
        yield bar
        bar.refresh()
    else:
        options = {"total": total, "unit": unit, "desc": desc, "bar_format": bar_format}
        with tqdm(**options, disable=not shown) as bar:
            yield bar
    LOG.debug("%s: %d %ss in %.3g s", desc, total, unit, time.perf_counter() - start)


def over(
    items: Iterable[T], desc: str, total: int, unit: str = "step", shown: bool = True
) -> Iterator[T]:
    """Go through items, and show how far this is."""
    with stage(desc, total, unit, shown) as bar:
        for item in items:
            yield item
            bar.update()
