"""What the options of StarCluster do on simulated and real tables.

``python tests/benchmarks/star_cluster_options.py outliers|covariance|nuts|pleiades|cost``, each
prints its figures; ``--simulations`` says how many clusters (default 200).
"""

import argparse
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import astropy.units as u
import numpy as np
from astropy.table import QTable
from joblib import Parallel, delayed

from astro_hier import StarCluster, columns, covariances, datasets, priors, profiles

PLEIADES = Path(__file__).parents[3] / "shared/data/gaia_dr2_clusters/nearby_clusters_gaia_dr2.ecsv"
TRUTH = {"mu_r": 0.5, "std_r": 0.0087}


def contaminated_cluster(n_stars=200, contaminants=0.05, random_state=None):
    """A cluster in which each star is one of the field with a probability of ``contaminants``.

    Field stars have a uniform space density to 1 kpc.
    """
    rng = np.random.default_rng(random_state)
    table = datasets.make_star_cluster(n_stars, random_state=rng)
    field = rng.random(n_stars) < contaminants
    r = np.cbrt(rng.uniform(0.05**3, 1, field.sum()))
    table["parallax"][field] = rng.normal(1 / r, table["parallax_error"][field].value) * u.mas
    table["field"] = field
    return table


def correlated_cluster(n_stars=200, size=3.0, name="Lindegren+20", random_state=None):
    """A cluster over ``size`` degrees whose parallaxes have a published covariance, all of it."""
    rng = np.random.default_rng(random_state)
    table = datasets.make_star_cluster(n_stars, random_state=rng)
    ra, dec = rng.uniform(0, size, (2, n_stars))
    values, vectors = np.linalg.eigh(covariances.as_covariance(name)(ra, dec, ra, dec))
    common = vectors @ (np.sqrt(values.clip(0)) * rng.standard_normal(n_stars))
    table["parallax"] += common * u.mas
    table["ra"], table["dec"] = ra * u.deg, dec * u.deg
    return table


def scores(model, table):
    """Standardised errors of the parameters, and their sds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table, random_state=1, progressbar=False)
    found = {}
    for name, truth in TRUTH.items():
        draws = model.samples(name).value
        found[name] = (draws.mean() - truth) / draws.std(), draws.mean() - truth, draws.std()
    return found


def compare(models, make, simulations):
    """Print the rms of the standardised errors of each model on the same tables."""
    work = (
        delayed(scores)(model, make(random_state=seed))
        for seed in range(simulations)
        for model in models.values()
    )
    found = Parallel(n_jobs=2)(work)
    for i, name in enumerate(models):
        for parameter in TRUTH:
            z, error, sd = np.array([one[parameter] for one in found[i :: len(models)]]).T
            inside = np.mean(np.abs(z) < 1), np.mean(np.abs(z) < 1.96)
            print(
                f"{name:12} {parameter:6} z: mean {z.mean():6.2f} rms {np.sqrt(np.mean(z**2)):7.2f}"
                f"  within 68/95%: {inside[0]:.3f}/{inside[1]:.3f}  mean error"
                f" {1e3 * error.mean():7.2f} rms {1e3 * np.sqrt(np.mean(error**2)):7.2f} pc"
                f"  mean sd {1e3 * sd.mean():6.2f} pc"
            )


def nuts():
    table = correlated_cluster(random_state=0)
    for method, options in (("marginal", {}), ("nuts", {"tune": 700, "target_accept": 0.9})):
        model = StarCluster(parallax_covariance="Lindegren+20")
        start = time.perf_counter()
        model.fit(table, method=method, random_state=1, progressbar=False, **options)
        seconds = time.perf_counter() - start
        row = model.summary("mu_r")[0]
        print(
            f"{method:8} mu_r {row['mean']:.5f} +- {row['sd']:.5f} kpc, mcse"
            f" {row['mcse_mean']:.5f}, effective draws {row['ess_bulk']:.0f}, {seconds:.0f} s"
        )


def pleiades():
    members = QTable.read(PLEIADES)
    table = members[members["cluster"] == "Pleiades"]
    zero = {"zero_point": -0.029 * u.mas, "columns": columns.GAIA}
    models = {
        "plain": StarCluster(**zero),
        "outliers": StarCluster(outliers=True, **zero),
        "core and halo": StarCluster(profile=profiles.CoreHalo(), **zero),
        "Lindegren+18": StarCluster(parallax_covariance="Lindegren+18", **zero),
        "both": StarCluster(outliers=True, parallax_covariance="Lindegren+18", **zero),
    }
    print(f"{len(table)} stars")
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(table, random_state=1, progressbar=False)
        seconds = time.perf_counter() - start
        print(name, f"({seconds:.1f} s)", end=": ")
        for parameter in ("mu_r", "std_r"):
            draws = model.samples(parameter).to_value(u.pc)
            print(f"{parameter} {draws.mean():.2f} +- {draws.std():.2f} pc", end="; ")
        print({k: v for k, v in model.posterior.attrs.items() if k.startswith("covariance")})
    stars = models["outliers"].star_table()
    stars.sort("member")
    stars[:6].pprint_all()
    print(f"{np.sum(stars['member'] < 0.5)} stars are more likely none than members")


def cost():
    table = datasets.make_star_cluster(random_state=42)
    rng = np.random.default_rng(1)
    table["ra"], table["dec"] = rng.uniform(55, 58, (2, len(table))) * u.deg
    table["zpt"] = rng.normal(-0.03, 0.01, len(table)) * u.mas
    options = {
        "plain": {},
        "zero_point, a value": {"zero_point": -0.029 * u.mas},
        "zero_point, a prior": {"zero_point": priors.Normal(-0.03 * u.mas, 0.01 * u.mas)},
        "zero_point, a column": {"zero_point": "zpt"},
        "error_scale, a prior": {"error_scale": priors.LogNormal(0, 0.2)},
        "outliers": {"outliers": True},
        "parallax_covariance": {"parallax_covariance": "Lindegren+20"},
        "profile": {"profile": profiles.CoreHalo()},
    }
    inferred = ("zero_point, a prior", "error_scale, a prior", "outliers", "parallax_covariance")
    options["all inferred"] = {k: v for name in (*inferred, "profile")
                               for k, v in options[name].items()}  # fmt: skip
    plain = None
    for name, arguments in options.items():
        times = []
        for _ in range(3):
            start = time.perf_counter()
            model = StarCluster(**arguments).fit(table, random_state=1, progressbar=False)
            times.append(time.perf_counter() - start)
        plain = plain or np.median(times)
        print(
            f"{name:22} {np.median(times):6.2f} s  {np.median(times) / plain:5.1f} x plain,"
            f" {model.posterior.attrs['evaluations']} evaluations"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", choices=("outliers", "covariance", "nuts", "pleiades", "cost"), nargs="+"
    )
    parser.add_argument("--simulations", type=int, default=200)
    options = parser.parse_args()
    plain = StarCluster()
    for what in options.what:
        if what == "outliers":
            models = {"plain": plain, "outliers": StarCluster(outliers=True)}
            compare(models, contaminated_cluster, options.simulations)
        elif what == "covariance":
            models = {"plain": plain, "covariance": StarCluster(parallax_covariance="Lindegren+20")}
            compare(models, correlated_cluster, options.simulations)
        else:
            {"nuts": nuts, "pleiades": pleiades, "cost": cost}[what]()


if __name__ == "__main__":
    main()
