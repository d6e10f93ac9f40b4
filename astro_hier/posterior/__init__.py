"""Units out: draws as a labelled tree with units, the summary table, and saved files."""

from astro_hier.posterior.encoding import SAVED, register
from astro_hier.posterior.files import (
    SavedFileError,
    estimator_in,
    load,
    reading,
    save,
    write_whole,
)
from astro_hier.posterior.parameters import LOG_PROB, UNBOUNDED, Parameter
from astro_hier.posterior.scales import scales_by_log, scales_of
from astro_hier.posterior.summary import draws_table, label_of, samples, summarise
from astro_hier.posterior.tree import add_draws, build_tree, check_tree, dataset, likelihood_group
from astro_hier.posterior.units import (
    UnitLike,
    Units,
    fitting,
    in_units,
    known_units,
    quantities_in,
    quantity_in,
    units_of,
)

__all__ = [
    "LOG_PROB",
    "SAVED",
    "UNBOUNDED",
    "Parameter",
    "SavedFileError",
    "UnitLike",
    "Units",
    "add_draws",
    "build_tree",
    "check_tree",
    "dataset",
    "draws_table",
    "estimator_in",
    "fitting",
    "in_units",
    "known_units",
    "label_of",
    "likelihood_group",
    "load",
    "quantities_in",
    "quantity_in",
    "reading",
    "register",
    "samples",
    "save",
    "scales_by_log",
    "scales_of",
    "summarise",
    "units_of",
    "write_whole",
]
