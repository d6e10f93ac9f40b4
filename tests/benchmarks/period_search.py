"""What a star costs in a population of circles: ``python tests/benchmarks/period_search.py``.

Prints the CPU time of NumPy and of compiled loops on the same stars in one run, and that their
cells agree; then what compiling took, the bytes kept for a star, and what draws of its orbits and a
line of ``star_table()`` take. Compiling is in none of the other figures.
"""

import os
import time
import warnings
from dataclasses import replace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.stats import loguniform

from astro_hier import BinaryPopulation, datasets
from astro_hier.core import compiling, orbit, period_nodes, population_star
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.population import LnPeriodGrid

PERIODS = LnPeriodGrid.following(0.5, 3000.0, 0.135)
JITTER = JitterPrior(1, loguniform(0.01, 10))
YEAR = 365.25
CASES = {  # visits, order of the trend, whether there is a jitter, stars
    "3 visits": (3, 0, False, 4),
    "4 visits": (4, 0, False, 8),
    "6 visits": (6, 0, False, 40),
    "12 visits": (12, 0, False, 40),
    "24 visits": (24, 0, False, 40),
    "6 visits, trend of order 2": (6, 2, False, 8),
    "12 visits, trend of order 2": (12, 2, False, 20),
    "6 visits, jitter": (6, 0, True, 3),
    "12 visits, jitter": (12, 0, True, 5),
    "24 visits, jitter": (24, 0, True, 5),
}


def star(n, order, seed):
    """Visits over 1000 d, with errors of .3 km/s and amplitudes of 20."""
    rng = np.random.default_rng([n, seed])
    when = np.append(0, np.sort(rng.uniform(0, 1000, n - 1)))
    rv = orbit.radial_velocity(when, np.exp(rng.normal(1.8, 0.7)), *rng.normal(0, 20, 2), 30)
    sd = np.array([100.0, 100, 150, *[10.0] * order])
    columns = (when[:, None] / YEAR) ** np.arange(1, order + 1) if order else None
    rv_error, instrument = np.full(n, 0.3), np.zeros(n, int)
    rv = rv + rng.normal(0, rv_error)
    return orbit.Visits(when, rv, rv_error, np.zeros(3 + order), sd, columns, instrument)


def cpu(function, *args):
    """CPU seconds of a call, and its result."""
    start = time.process_time()
    found = function(*args)
    return time.process_time() - start, found


def cells(visits, jitter):
    if jitter:
        visits = JITTER.with_nodes(visits, PERIODS)
    return period_nodes.period_nodes(orbit.likelihood(visits), PERIODS)


def compare(n, order, jitter, stars):
    """CPU ms a star of NumPy and of loops, stars with the same cells, and how far ln p differs."""
    seconds, same, largest = np.zeros(2), 0, 0.0
    for seed in range(stars):
        visits = star(n, order, seed)
        plain, fast = (
            cpu(cells, replace(visits, compiled=compiled), jitter) for compiled in (False, True)
        )
        seconds += plain[0], fast[0]
        plain, fast = plain[1], fast[1]
        if np.array_equal(plain.low, fast.low) and np.array_equal(plain.high, fast.high):
            same += 1
            largest = max(largest, np.abs(plain.log_low - fast.log_low).max())
    return *(1e3 * seconds / stars), same, largest


def fitted(model, table):
    return model.fit(table, random_state=1, progressbar=False)


def whole(n_stars, n_visits):
    """The work on a population, by CPU ms a star."""
    table = datasets.make_binaries(n_stars, n_visits, random_state=1)
    available = compiling.is_available
    for name, compiled in (("NumPy", False), ("compiled", True)):
        compiling.is_available = available if compiled else lambda: False
        model = BinaryPopulation(star_draws=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit, _ = cpu(fitted, model, table)
            data = model.fitted_data()
            assert data.compiled == compiled
            theta = {of: model.samples(of).value for of in ("mu", "lnsigma")}
            draws, _ = cpu(data.draw_stars, theta, np.random.default_rng(1), 1, False)
            lines, _ = cpu(model.star_table)
        first, _ = cpu(summarise, data)
        kept = [star.cells for star in data.summaries if star.cells is not None]
        size = np.mean([of.low.nbytes + of.power.nbytes + of.log_p.nbytes for of in kept])
        print(
            f"  {name:9} first pass {1e3 * first / n_stars:6.2f}; whole fit"
            f" {1e3 * fit / n_stars:6.2f}; draws {1e3 * draws / n_stars:6.2f};"
            f" star_table() {1e3 * lines / n_stars:6.2f}; {size:.0f} bytes kept for each of"
            f" {len(kept)} stars"
        )
    compiling.is_available = available


def summarise(data):
    for n in range(len(data.stars)):
        population_star.summarise(data.visits(n), None, False, data.levels.grids, 0)


def main():
    print(f"compiled loops ready after {cpu(compiling.make_ready)[0]:.1f} CPU s")
    for name, case in CASES.items():
        plain, fast, same, largest = compare(*case)
        print(
            f"  {name:28} NumPy {plain:7.2f} ms, compiled {fast:6.2f} ms,"
            f" {plain / fast:4.1f} times; same cells {same} of {case[-1]},"
            f" ln p within {largest:.1e}"
        )
    for n_stars, n_visits in ((300, 6), (600, 12)):
        print(f"BinaryPopulation of {n_stars} stars with {n_visits} visits, CPU ms a star")
        whole(n_stars, n_visits)


if __name__ == "__main__":
    main()
