"""
A survey of binaries
====================

Catalogues of the size of surveys are divided by their place on the sky into Parquet files, in the
form called HATS, and read by `LSDB <https://docs.lsdb.io>`_ a part at a time. Here such a
catalogue, whose stars have their visits nested in a column, becomes a population of binaries and a
catalogue of orbits. This one is simulated and small; :doc:`/survey` says what large ones cost.
"""

import tempfile
import warnings
from pathlib import Path

# of pandas, within LSDB
warnings.filterwarnings("ignore", category=DeprecationWarning)

import astropy.units as u
import dask
import lsdb
import numpy as np
import pandas as pd
from nested_pandas import NestedFrame

from astro_hier import BinaryPopulation, SB1Binary, datasets, priors, survey

# %%
# A catalogue
# -----------
# One row a star, with a place on the sky and a nested column of visits. Yours is on disk, and is
# opened by ``lsdb.open_catalog(path)``, without its margins. It has no units.

table = datasets.make_binaries(60, 7, random_state=1)
stars = np.unique(table["star"])
rng = np.random.default_rng(1)
sky = {"ra": rng.uniform(0, 360, 60), "dec": rng.uniform(-60, 60, 60)}
visits = pd.DataFrame(
    {
        "bjd": 2459000 + table["time"].to_value(u.day),
        "vrad": table["rv"].to_value(u.km / u.s),
        "e_vrad": table["rv_error"].to_value(u.km / u.s),
    },
    index=table["star"],
)
frame = NestedFrame({"source_id": stars, **sky}, index=stars)
frame = frame.join_nested(visits, "visits")
catalogue = lsdb.from_dataframe(
    frame, ra_column="ra", dec_column="dec", lowest_order=0
)
catalogue

# %%
# Rows
# ----
# The model names the range of periods, since no part of the catalogue knows the longest baseline,
# and where times and velocities are found, in which units. What it returns is a function of a frame
# of stars, which any map over the parts of a catalogue takes. On a cluster, start a Dask client
# first; nothing else changes.

periods = (1 * u.day, 300 * u.day)
columns = {
    "time": ("bjd", u.day),
    "rv": ("vrad", u.km / u.s),
    "rv_error": ("e_vrad", u.km / u.s),
}
model = BinaryPopulation(period_range=periods)
where = {"star": "source_id", "visits": "visits", "columns": columns}
work = model.partition_function(**where)

folder = Path(tempfile.mkdtemp())
rows = catalogue.map_partitions(work, meta=work.meta(catalogue.meta))
with dask.config.set(scheduler="synchronous"):
    rows.write_catalog(folder / "rows", catalog_name="rows", progress_bar=False)
print(survey.status(folder / "rows"))

# %%
# A population
# ------------
# The rows are read some at a time, so the fit needs the same memory for a hundred stars and for a
# million. Other populations of the same orbits, such as one in which not all stars have companions,
# take the same rows.

population = BinaryPopulation(period_range=periods)
population.fit_rows(folder / "rows", random_state=1)
population.summary()

# %%
population.plot_population()

# %%
# Results of every star
# ---------------------
# Given its own visits and the population: one file for each file of rows.

population.star_results(folder / "rows", folder / "results", progressbar=False)
results = survey.read(folder / "results")
results["star", "P", "P_sd", "K", "probability", "ln_bayes_factor"][:8]

# %%
# A catalogue of orbits
# ---------------------
# Without a population, each star is fitted on its own, and its row is its orbit, with all modes.

orbit = SB1Binary(P=priors.LogUniform(*periods))
of_stars = orbit.partition_function(**where)
orbits = catalogue.map_partitions(of_stars, meta=of_stars.meta(catalogue.meta))
with dask.config.set(scheduler="synchronous"):
    orbits.write_catalog(
        folder / "orbits", catalog_name="orbits", progress_bar=False
    )
wanted = ["source_id", "P", "K", "n_modes", "probability"]
survey.read(folder / "orbits", columns=wanted)[:8]
