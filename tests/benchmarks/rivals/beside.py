"""What all parts of ``eccentric_rivals.py`` need: stars, fits, child processes, comparisons."""

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from arviz_stats.base import array_stats
from eccentric import _injected, prior, visits

from astro_hier.core.eccentric_fit import eccentric_nodes

PERIODS, SD_YEAR, SD_MEAN, LARGEST = (2.0, 512.0), 30.0, 100.0, 0.95
DRAWS = 10_000


def simulated_star(n, rng):
    """Visits over 1000 d with errors of 0.5 to 1 km/s, of an orbit from the prior."""
    known = prior(SD_YEAR, PERIODS, 0.0)
    empty = visits(np.sort(rng.uniform(0, 1000, n)), np.zeros(n), rng.uniform(0.5, 1, n), SD_MEAN)
    return *_injected(empty, known, rng), known


def fitted(star, known, rng):
    """Nodes and `DRAWS` draws."""
    nodes = eccentric_nodes(star, known, rng)
    return nodes, nodes.draw(DRAWS, rng)


def distinct(drawn):
    return len(np.unique(drawn.period))


def run_child(python, script, given):
    """What a script, a rival in an environment of its own, makes of arrays."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, **given)
        path = Path(__file__).parent / script
        outside = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run([python, "-W", "ignore", path, source, target], check=True, env=outside)
        return dict(np.load(target))


def numbered(parts):
    """Arrays of several stars end to end, and the number of that of each value."""
    count = [len(next(iter(part.values()))) for part in parts]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return joined | {"star": np.repeat(np.arange(len(parts)), count)}


def print_beside(*columns):
    """Means and sd of each, and the last two's difference in sd of the last."""
    *columns, names = columns
    for name in columns[0]:
        values = [np.ravel(column[name]) for column in columns]
        if name in ("omega", "phase"):
            turn = 2 * np.pi if name == "omega" else 1.0
            zero = values[-1][0]
            values = [zero + (v - zero + turn / 2) % turn - turn / 2 for v in values]
        away = (values[-2].mean() - values[-1].mean()) / values[-1].std()
        spread = values[-2].std() / values[-1].std() - 1
        means = "; ".join(f"{label} {v.mean():.7g}±{v.std():.2g}"
                          for label, v in zip(names, values, strict=True))  # fmt: skip
        print(f"    {name:9}{means}: {away:+.2f} sd, width {spread:+.0%}", flush=True)


def least_ess(*chains):
    """Bulk effective draws, the least, of arrays of shape (chain, draw)."""
    return min(float(array_stats.ess(x, chain_axis=0, draw_axis=1)) for x in chains)
