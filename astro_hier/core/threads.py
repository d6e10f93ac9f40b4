"""Chunks of array work on a few threads: NumPy releases the interpreter while it computes."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from astro_hier.core.floats import Theta

CHUNK = 32_768  # elements of an array: a dozen such arrays fit in a core's cache
MAX_THREADS = 4
FEW = 200  # theta: arrays of (row, theta) are small, and wide enough for sparse products


def a_few_at_a_time(
    function: Callable[[dict[str, np.ndarray]], np.ndarray], theta: Theta
) -> np.ndarray:
    """``function(some)`` of all theta, of `FEW` at a time, on this thread.

    For thousands of theta and stars at once, arrays take gigabytes, and half of the time or more is
    spent waiting for memory.
    """
    n = len(next(iter(theta.values())))
    starts = range(0, max(n, 1), FEW)
    some = ({name: of[start : start + FEW] for name, of in theta.items()} for start in starts)
    return np.concatenate([function(of) for of in some])


def in_chunks(function, theta, cost=1, progress=None):
    """``function(some, start)`` of all theta, chunk by chunk, as `for_chunks` does.

    Parameters
    ----------
    function : callable
        Takes a chunk of ``theta``, and the number of its first item. Returns an array, or a dict of
        arrays, whose first axis is that of the chunk.
    theta : dict of ndarray
        Arrays with a common first axis.
    cost, progress
        As for `for_chunks`.

    Returns
    -------
    ndarray or dict of ndarray
        What ``function`` returns, of all theta.
    """
    n = len(next(iter(theta.values())))
    whole: dict[str | None, np.ndarray] = {}

    def fill(start, stop):
        found = function({name: values[start:stop] for name, values in theta.items()}, start)
        for name, values in (found if isinstance(found, dict) else {None: found}).items():
            if name not in whole:  # another thread may be as quick
                whole.setdefault(name, np.empty((n, *values.shape[1:]), values.dtype))
            whole[name][start:stop] = values

    for_chunks(fill, n, cost, progress)
    return whole.get(None, whole)


def blocks(size: int) -> list[slice]:
    """Slices of nearly equal length, at most `CHUNK`, that together cover ``range(size)``."""
    edges = np.linspace(0, size, max(1, -(-size // CHUNK)) + 1).astype(int)
    return [slice(start, stop) for start, stop in pairwise(edges.tolist())]


def for_chunks(function, n, cost=1, progress=None):
    """Call ``function(start, stop)`` for all of ``range(n)`` in chunks, in any order.

    The chunks depend on ``n`` and ``cost`` (array elements per item) alone, so that results do not
    depend on the number of threads. After an exception in a chunk, or an interrupt, no further
    chunk is started. ``progress`` is called with the length of each finished chunk.
    """
    size = max(1, CHUNK // cost)
    bounds = [(start, min(start + size, n)) for start in range(0, n, size)]
    threads = min(MAX_THREADS, _cores(), len(bounds))
    if threads <= 1:
        for start, stop in bounds:
            function(start, stop)
            if progress:
                progress(stop - start)
        return
    executor = ThreadPoolExecutor(threads)
    try:
        futures = [executor.submit(function, *chunk) for chunk in bounds]
        for future, (start, stop) in zip(futures, bounds, strict=True):
            future.result()
            if progress:
                progress(stop - start)
    finally:
        executor.shutdown(cancel_futures=True)


def _cores():
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
