"""Times of StarCluster, printed: ``python tests/benchmarks/star_cluster.py [--nuts]``.

Wall time and effective draws per second of the worst hyperparameter, by the marginal method for
growing numbers of stars and, with ``--nuts``, by PyMC on the tutorial's 256 in the same run.
"""

import argparse
import resource
import time

import arviz_stats  # noqa: F401 so that its import is not timed

from astro_hier import StarCluster, datasets


def timed(n_stars, **options):
    table = datasets.make_star_cluster(n_stars, random_state=42)
    start = time.perf_counter()
    model = StarCluster().fit(table, random_state=1, progressbar=False, **options)
    seconds = time.perf_counter() - start
    rate = model.summary()["ess_bulk"].min() / seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{options.get('method', 'marginal'):8} {n_stars:7} stars {seconds:7.2f} s"
        f" {rate:8.0f} effective draws / s   peak so far {peak:5.0f} MB"
    )
    return rate


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nuts", action="store_true")
    options = parser.parse_args()
    rates = [timed(n_stars) for n_stars in (256, 256, 1000, 10_000)]
    if options.nuts:
        nuts = timed(256, method="nuts", tune=1000, draws=1000, chains=4)
        print(f"marginal / nuts: {rates[1] / nuts:.0f}")


if __name__ == "__main__":
    main()
