"""What the options of orbits cost: ``python tests/benchmarks/orbit_options.py [APOGEE.ecsv]``.

Prints the time of a fit with each option over that of the plain one, on the same data in one run:
the first star and all of the 14 tutorial binaries, or of simulated ones if no file is given.
"""

import os
import sys
import time
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier import BinaryPopulation, SB1Binary, columns, datasets, populations, priors

KMS = u.km / u.s
JITTER = priors.LogUniform(0.01 * KMS, 10 * KMS)
OF_ALL = {
    "plain": {},
    "jitter": {"jitter": JITTER},
    "trend=1": {"trend": 1},
    "instrument": {"instrument": "instrument"},
    "jitter, trend=1": {"jitter": JITTER, "trend": 1},
}
OF_ONE = {"jitter, instrument": {"jitter": JITTER, "instrument": "instrument"}}
OF_MANY = {"jitter population": {"jitter": populations.LogNormalJitter()}}


def main():
    if len(sys.argv) > 1:
        table, where = QTable.read(sys.argv[1]), {"columns": columns.APOGEE}
        ids = table["APOGEE_ID"]
    else:
        table, where = datasets.make_binaries(random_state=42), {}
        ids = table["star"]
    table["instrument"] = np.where(np.arange(len(table)) % 2, "A", "B")
    first = table[ids == ids[0]]
    compare("SB1Binary", SB1Binary, first, OF_ALL | OF_ONE, where)
    compare("BinaryPopulation", BinaryPopulation, table, OF_ALL | OF_MANY, where)


def compare(title, model, table, options, where):
    print(f"{title}, {len(table)} velocities")
    plain = None
    for name, chosen in options.items():
        seconds = []
        for seed in range(3):
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = model(**chosen, **where).fit(table, random_state=seed, progressbar=False)
            seconds.append(time.perf_counter() - start)
        plain = plain or np.median(seconds)
        evidence = fitted.posterior.attrs["log_evidence"]
        print(
            f"  {name:20} {np.median(seconds):7.2f} s, {np.median(seconds) / plain:6.1f} times;"
            f" log evidence {evidence:.2f}"
        )


if __name__ == "__main__":
    main()
