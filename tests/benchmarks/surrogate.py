"""The surrogate of the likelihood against full sampling: ``python tests/benchmarks/surrogate.py``.

For each model's example, and for larger tables: evaluations of the likelihood and CPU time of the
hyperparameters' stage without and with the surrogate, those of the certificate apart, and what
became of it. Where it is used, by how many standard deviations the means differ from those of full
sampling with an effective size of 40,000 (Monte Carlo error 0.007), and by how many they move if
each of 4,000 draws is weighted by the exact likelihood, which has hardly any Monte Carlo error.

``--fresh N`` tries N random tables of random size and options instead, and prints how many were
accepted and the largest such move. ``--cases`` chooses among the cases.
"""

import argparse
import os
import time
import warnings
from dataclasses import replace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import numpy as np
from astropy.table import QTable

from astro_hier import (
    BinaryPopulation,
    SamplePopulation,
    StarCluster,
    VelocityDispersion,
    datasets,
    populations,
    priors,
    profiles,
)
from astro_hier.inference import marginal
from astro_hier.inference.explore import Exploration
from astro_hier.inference.target import Target

MAS, KMS = u.mas, u.km / u.s
ZERO_POINT = priors.Normal(-0.03 * MAS, 0.01 * MAS)
SCALE = priors.LogNormal(0.1, 0.2)
PRECISE = 40_000  # effective size of full sampling
FRESH = 30, 1000  # rows of random tables, log-uniform


def example(model):
    return model, lambda: model.example(random_state=2)


def stars(number, **options):
    return StarCluster(**options), lambda: datasets.make_star_cluster(number, random_state=2)


def velocities(number, **options):
    return VelocityDispersion(**options), lambda: datasets.make_velocities(number, random_state=2)


def binaries(number, **options):
    def table():
        return datasets.make_binaries(number, 6, baseline=1000 * u.day, random_state=2)

    return BinaryPopulation(star_draws=False, **options), table


CASES = {
    "example: stars": example(StarCluster()),
    "example: velocities": example(VelocityDispersion()),
    "example: binaries": example(BinaryPopulation()),
    "example: samples": example(SamplePopulation()),
    "stars 256": stars(256),
    "stars 4096": stars(4096),
    "stars 256, zero point": stars(256, zero_point=ZERO_POINT),
    "stars 256, and scale": stars(256, zero_point=ZERO_POINT, error_scale=SCALE),
    "stars 256, outliers": stars(256, outliers=True),
    "stars 256, core and halo": stars(256, profile=profiles.CoreHalo()),
    "velocities 1e4": velocities(10_000),
    "velocities 1e5": velocities(100_000),
    "velocities 1000, outliers": velocities(1000, outliers=True),
    "binaries 200": binaries(200),
    "binaries 200, companions": binaries(
        200, population=populations.TruncatedNormal(), companion_fraction=priors.Uniform(0, 1)
    ),
    "binaries 1000": binaries(1000),
}


def problem_of(model, table):
    """What the sampler sees of a model and a table, without draws of the rows' own parameters."""
    model = model.suited_to(table)
    problem = model.problem(model.prepare(model.read(table), progressbar=False))
    return replace(problem, draw_latents=lambda *arguments: {})


def timed(problem, **options):
    """Attributes of 4,000 draws, and CPU seconds."""
    start = time.process_time()
    drawn = marginal.sample(problem, draws=1000, chains=4, rng=np.random.default_rng(1),
                            progressbar=False, **options)  # fmt: skip
    return drawn.attrs, time.process_time() - start


def explored(problem, wanted, surrogate):
    target = Target(problem)
    starts, candidates = (target.normals_of(of()) for of in (problem.starts, problem.candidates))
    found = Exploration(target, np.random.default_rng(2), starts, candidates, 20 * wanted,
                        stand_in_for=wanted if surrogate else None)  # fmt: skip
    found.run(wanted)
    return found


def moments(pool):
    mean = pool.weights @ pool.z
    return mean, np.sqrt(pool.weights @ (pool.z - mean) ** 2)


def moved(found):
    """By how many sds any mean moves if draws are weighted by the exact likelihood."""
    pool = found.answer
    chosen = np.random.default_rng(3).choice(len(pool.z), 4000, p=pool.weights)
    z = pool.z[chosen]
    weight = np.exp(found.target.log_likelihood(z) - pool.log_likelihood[chosen])
    return np.max(np.abs(weight @ z / weight.sum() - z.mean(axis=0)) / z.std(axis=0))


def compare(name):
    model, table = CASES[name]
    problem = problem_of(model, table())
    (full, seconds), (attrs, fewer) = (
        timed(problem, surrogate=surrogate, certify=False) for surrogate in (False, True)
    )
    certified, with_certificate = timed(problem)
    line = (
        f"{name:26} {len(problem.free)} {full['evaluations']:6d} {seconds:6.2f} s ->"
        f" {attrs['evaluations']:6d} {fewer:6.2f} s;"
        f" certificate {certified['certificate_evaluations']:5d} {with_certificate - fewer:6.2f} s;"
        f" {attrs['surrogate']}"
    )
    if attrs["surrogate"] == "used":
        found, exact = (explored(problem, PRECISE, surrogate) for surrogate in (True, False))
        (mean, sd), (true, true_sd) = moments(found.answer), moments(exact.pool)
        off, of_sd = np.abs(mean - true) / true_sd, np.abs(sd / true_sd - 1)
        of_evidence = abs(found.answer.log_evidence - exact.pool.log_evidence)
        line += (
            f", error {attrs['surrogate_error']:.1e}: means {off.max():.4f} sd off, sds"
            f" {of_sd.max():.4f}, ln evidence {of_evidence:.4f}; by exact weights"
            f" {moved(found):.1e} sd"
        )
    print(line, flush=True)


def random_case(rng):
    """A model with random options, and a table of random size."""
    size, seed = int(np.exp(rng.uniform(*np.log(FRESH)))), int(rng.integers(2**31))
    kind, chosen = rng.integers(4), rng.random(2) < 0.4
    if kind == 0:
        options = {"zero_point": ZERO_POINT} if chosen[0] else {}
        options |= {"error_scale": SCALE} if chosen[1] else {}
        depth = np.exp(rng.uniform(np.log(2), np.log(50))) * u.pc
        return StarCluster(**options), datasets.make_star_cluster(
            size, std_r=depth, random_state=seed
        )
    if kind == 1:
        options = {"outliers": True} if chosen[0] else {}
        options |= {"error_scale": SCALE} if chosen[1] else {}
        error = np.exp(rng.uniform(-1, 3)) * KMS
        return VelocityDispersion(**options), datasets.make_velocities(
            size, error=error, random_state=seed
        )
    if kind == 2:
        return BinaryPopulation(star_draws=False), datasets.make_binaries(
            max(size // 5, 10), 6, baseline=1000 * u.day, random_state=seed
        )
    error = rng.uniform(0.02, 0.5, size)
    family = populations.Normal(mu=priors.Normal(1.4, 0.3), lnsigma=priors.Normal(-2, 0.7))
    table = QTable({"value": rng.normal(1.4, np.hypot(0.2, error)), "error": error})
    return SamplePopulation(population=family, quantity="mass"), table


def fresh(number):
    """Random tables: how many are accepted, and how far the means of these move."""
    rng, moves = np.random.default_rng(1), []
    for _ in range(number):
        model, table = random_case(rng)
        found = explored(problem_of(model, table), 4000, surrogate=True)
        line = f"{type(model).__name__:18} {found.target.dimension} {len(table):5d}"
        line += f" {found.surrogate.verdict}"
        if found.surrogate.pool is not None:
            moves.append(moved(found))
            line += f", error {found.surrogate.error:.1e}, means move by {moves[-1]:.1e} sd"
        print(line, flush=True)
    print(f"{len(moves)} of {number} accepted; means move by {max(moves):.1e} sd at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", metavar="CASE", help="of " + "; ".join(CASES))
    parser.add_argument("--fresh", type=int, metavar="N")
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if options.fresh:
            fresh(options.fresh)
        else:
            for name in options.cases or CASES:
                compare(name)


if __name__ == "__main__":
    main()
