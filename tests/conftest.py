"""Fixtures shared by the tests."""

import os
import signal
from pathlib import Path

import matplotlib
import pytest

from astro_hier import StarCluster, datasets

matplotlib.use("Agg")
# a core for each worker, which inherits this before it loads NumPy
for library in ("OPENBLAS", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# import packages that belong into environments of their own
collect_ignore_glob = ["benchmarks/eccentric_rivals.py", "benchmarks/rivals/*"]

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real data beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real data, shared/data beside the checkout, is absent")
    return SHARED_DATA


@pytest.fixture(scope="session")
def tutorial_table():
    return datasets.make_star_cluster(random_state=42)


@pytest.fixture(scope="session")
def fitted(tutorial_table):
    """The tutorial's cluster fitted by default; not to be changed."""
    return StarCluster().fit(tutorial_table, random_state=1, progressbar=False)


@pytest.fixture
def small_table():
    return datasets.make_star_cluster(12, random_state=3)


@pytest.fixture(autouse=True)
def interrupts_are_heard():
    """Python ignores interrupts where it was started to, as in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
