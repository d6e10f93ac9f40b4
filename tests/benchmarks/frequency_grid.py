"""The likelihood on a frequency grid against astropy's periodogram, printed.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/frequency_grid.py``: 24 visits and
16,000 frequencies, the best of ten runs of each, in one run on the same data.
"""

import time

import numpy as np
from astropy.timeseries import LombScargle

from astro_hier.core import orbit

VISITS, START, STEP, COUNT = 24, 0.05, 1e-4, 16_000


def best_of(function, runs=10):
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main():
    rng = np.random.default_rng(0)
    visits = orbit.Visits(
        np.sort(rng.uniform(0, 1000, VISITS)),
        rng.normal(0, 20, VISITS),
        np.full(VISITS, 0.1),
        np.zeros(3),
        np.array([100.0, 100.0, 150.0]),
    )
    frequency = START + STEP * np.arange(COUNT)
    ours = best_of(lambda: orbit.log_marginal_grid(visits, START, STEP, COUNT))
    print(f"log_marginal_grid      {1e3 * ours:8.2f} ms")
    search = LombScargle(visits.time, visits.rv, visits.rv_error)
    for method in ("cython", "fast"):
        options = {"assume_regular_frequency": True} if method == "fast" else {}
        theirs = best_of(lambda m=method, o=options: search.power(frequency, method=m, **o))
        print(f"LombScargle {method:10} {1e3 * theirs:8.2f} ms   ratio {theirs / ours:6.1f}")


if __name__ == "__main__":
    main()
