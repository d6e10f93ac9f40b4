"""Checks of a table for a period-luminosity relation, and of a fit to it."""

import numpy as np
from astropy.table import Table
from scipy.special import ndtr

from astro_hier.checks import Finding
from astro_hier.core.floats import Theta
from astro_hier.model import HierarchicalModel
from astro_hier.models import goodness, zero_point
from astro_hier.models.period_luminosity import likelihood
from astro_hier.models.period_luminosity.data import AT_KPC, PER_LN, Stars
from astro_hier.table import Rows, TableError

NODES = np.linspace(-6, 6, 61)  # ln of distances for tail probabilities, in standard deviations


def check_rows(model, rows: Rows, table: Table) -> None:
    """Raise a TableError if there are errors of a column that is missing."""
    for name in ("feh", "extinction"):
        if f"{name}_error" in rows and name not in rows:
            raise TableError(
                f"the table has {name}_error but no {name}; it has {table.colnames}: say which"
                f" column it is with columns={{{name!r}: 'NAME'}}, or do without:"
                f" {{'{name}_error': None}}"
            )


def check_table(model, table: Table, rows: Rows) -> list[Finding]:
    """Whether parallaxes that seem to be Gaia's lack a zero point that matters."""
    error = np.sum(rows["parallax_error"] ** -2.0) ** -0.5
    of_columns = HierarchicalModel.check_table(model, table, rows)
    return [*of_columns, *zero_point.check(model, table, error)]


def check(model, data: Stars, values: Theta, attrs, method: str) -> list[Finding]:
    """Checks of the parallaxes given the relation, of their errors, and of outliers."""

    def label(row):
        return f"star {data.star[row]} ({data.parallax[row]:.4g} mas)"

    def remedies(narrow):
        return [*data.outliers.remedies(narrow), *data.errors.remedies(narrow)]

    names = [p.name for p in model.parameters if not p.dims]
    return [
        *data.outliers.checks(values),
        goodness.check_rows(
            *scores(data, goodness.few_draws(values, names, len(data.star))), label, remedies
        ),
        *data.errors.checks(values, data.outliers.remedies(narrow=False)),
    ]


def scores(data: Stars, theta: Theta) -> tuple[np.ndarray, np.ndarray]:
    """The normal score of each parallax given all else, and the probability of membership."""
    columns = likelihood.columns_of(theta)
    mean, sd = expected_modulus(data, theta)
    parallax = data.parallax - data.zero_point.added(columns)
    error = data.errors.true(data.parallax_error, columns)
    below, above = np.zeros((2, *mean.shape))
    heights = np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum()
    for node, height in zip(NODES, heights, strict=True):
        t = (parallax - np.exp(-(mean + node * sd - AT_KPC) / PER_LN)) / error
        below += height * ndtr(t)
        above += height * ndtr(-t)
    member = np.broadcast_to(likelihood.membership(data, theta), mean.shape)
    return goodness.scores(below, above, member)


def expected_modulus(data: Stars, theta: Theta) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of the moduli of members, given all but their parallaxes, (theta, star)."""
    columns = likelihood.columns_of(theta)
    prior = likelihood.modulus(
        data, columns, likelihood.covariates(data, columns), columns["scatter"]
    )
    _, mean, sd = prior.of_magnitude(data.magnitude, data.magnitude_error)
    return mean, np.broadcast_to(sd, mean.shape)
