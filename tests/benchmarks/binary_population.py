"""Times of BinaryPopulation, printed: ``python tests/benchmarks/binary_population.py [STARS ...]``.

Simulated stars of 6 visits over 1000 d with errors of 0.5 km/s, whose periods are ambiguous one by
one: wall time and peak memory for each number of stars, without the draws of single stars' orbits.
"""

import argparse
import resource
import time

import arviz_stats  # noqa: F401 so that its import is not timed
import astropy.units as u
import numpy as np

from astro_hier import BinaryPopulation, datasets, priors

KMS = u.km / u.s


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stars", nargs="*", type=int, default=[100, 256, 1000])
    parser.add_argument("--n-jobs", type=int, default=1)
    options = parser.parse_args()
    amplitude = priors.Normal(0 * KMS, 20 * KMS)
    model = BinaryPopulation(
        a=amplitude,
        b=amplitude,
        period_range=(2 * u.day, 5000 * u.day),
        star_draws=False,
        n_jobs=options.n_jobs,
    )
    for n_stars in options.stars:
        visits = datasets.make_binaries(
            n_stars, 6, mu=np.log(100), sigma=1.0, rv_error=0.5 * KMS, random_state=1
        )
        start = time.perf_counter()
        model.fit(visits, random_state=1, progressbar=False)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        mu, sigma = model.samples("mu"), model.samples("sigma")
        print(
            f"{n_stars:6} stars {seconds:7.2f} s   peak so far {peak:5.0f} MB"
            f"   mu {mu.mean():.4f} +- {mu.std():.4f} (truth {np.log(100):.4f}),"
            f" sigma {sigma.mean():.4f} +- {sigma.std():.4f} (truth 1)",
            flush=True,
        )


if __name__ == "__main__":
    main()
