"""Units out: draws as a labelled tree with units, the summary table, and saved files."""

from astro_hier.posterior.encoding import SAVED, register
from astro_hier.posterior.files import (
    SavedFileError,
    estimator_in,
    is_there,
    load,
    reading,
    save,
    write_whole,
)
from astro_hier.posterior.parameters import LOG_PROB, UNBOUNDED, Parameter
from astro_hier.posterior.summary import draws_table, samples, summarise
from astro_hier.posterior.tree import build_tree, check_tree, dataset, likelihood_group
from astro_hier.posterior.units import UnitLike, Units, in_units, units_of

__all__ = [
    "LOG_PROB",
    "SAVED",
    "UNBOUNDED",
    "Parameter",
    "SavedFileError",
    "UnitLike",
    "Units",
    "build_tree",
    "check_tree",
    "dataset",
    "draws_table",
    "estimator_in",
    "in_units",
    "is_there",
    "likelihood_group",
    "load",
    "reading",
    "register",
    "samples",
    "save",
    "summarise",
    "units_of",
    "write_whole",
]
