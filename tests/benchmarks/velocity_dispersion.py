"""Velocity dispersions of samples of 5 to 500: ``python tests/benchmarks/velocity_dispersion.py``.

Prints the calibration with a number of members of its own for each simulated table, and how often
the upper limit of 95 percent holds where the errors hide the dispersion. Takes some minutes on two
cores.
"""

import argparse
import os
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import numpy as np
from joblib import Parallel, delayed

from astro_hier import VelocityDispersion, datasets
from astro_hier.calibration import Calibration, calibrate

KMS = u.km / u.s
SIZES = 5, 500  # of samples, log-uniform
MEMBERS = 20
RATIOS = 0.001, 0.1, 0.3, 0.5, 1.0  # of the true dispersion to the errors


def ranks(seed):
    """Of one simulation, its table of random size and errors of 0.5 to 50 km/s."""
    rng = np.random.default_rng(seed)
    size = int(np.exp(rng.uniform(*np.log(SIZES))))
    table = datasets.make_velocities(size, error=10 ** rng.uniform(-0.3, 1.7, size) * KMS)
    return calibrate(
        VelocityDispersion(), table, simulations=1, random_state=rng, progressbar=False
    ).ranks


def upper_limit(ratio, seed):
    """Whether the limit holds, in errors, and whether the dispersion is resolved."""
    error = 2 * KMS
    table = datasets.make_velocities(MEMBERS, sigma_v=ratio * error, error=error, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = VelocityDispersion().fit(table, random_state=seed, progressbar=False)
    limit = (model.sigma_v_upper_limit() / error).to_value(u.one)
    return ratio < limit, limit, model.posterior.attrs["resolved"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--n-jobs", type=int, default=-1)
    options = parser.parse_args()
    parallel, seeds = Parallel(options.n_jobs), range(options.simulations)
    done = parallel(delayed(ranks)(seed) for seed in seeds)
    joined = {name: np.concatenate([one[name] for one in done]) for name in done[0]}
    Calibration(joined, {}).table().pprint_all()
    print("sigma_v/error  limit holds  median limit/error  resolved")
    for ratio in RATIOS:
        found = np.array(parallel(delayed(upper_limit)(ratio, seed) for seed in seeds))
        holds, limit, resolved = found[:, 0].mean(), np.median(found[:, 1]), found[:, 2].mean()
        print(f"{ratio:13} {holds:12.3f} {limit:19.2f} {resolved:9.3f}")


if __name__ == "__main__":
    main()
