r"""The distribution of a quantity among objects, from posteriors of each that anyone has made.

Prior
    That of the population's hyperparameters theta.
Population
    x_n ~ g(x | theta), one of `astro_hier.populations`.
Objects
    Each has a density o_n(x) of its own: draws from its posterior under an interim prior pi_n(x), a
    density on a grid, or a measured value with its error.
Marginal likelihood
    ln L = sum_n ln integral of o_n(x) g(x | theta) / pi_n(x) dx - N ln alpha(theta), where alpha is
    the share of the population that a selection keeps (`models.sample_population.data`). Draws of
    one quantity are dealt to a grid as fine as the population requires, so that an evaluation is
    one product with a sparse matrix (`astro_hier.core.cells`).
"""

import copy
import warnings
from typing import Any, Self

import astropy.units as u
import numpy as np

from astro_hier import annotations, datasets, plots, populations
from astro_hier.model import HierarchicalModel
from astro_hier.models.sample_population import (
    checks,
    figures,
    interim,
    joint,
    many_bins,
    prepare,
    roles,
    shape,
    start,
    tables,
)
from astro_hier.models.sample_population.data import Objects
from astro_hier.models.sample_population.reading import read_samples
from astro_hier.models.sample_population.shape import Setting
from astro_hier.part import Option
from astro_hier.plots.returned import on_axes
from astro_hier.posterior import Parameter
from astro_hier.table import Role, Rows

__all__ = ["SamplePopulation"]


class SamplePopulation(HierarchicalModel):
    """The distribution of a quantity among objects, from a posterior of each.

    Parameters
    ----------
    population : optional
        Distribution of the quantity among objects, one of `astro_hier.populations`, such as
        ``populations.Normal()``; for two quantities `~astro_hier.populations.BivariateNormal` or a
        pair of families. Priors are in the unit of the quantity; those that are not given follow
        where the table's values lie.
    quantity : str, tuple or dict, optional
        The quantity's name, such as "mass", or a pair of names; a dict of names and units fixes
        the units, which otherwise are those of the table. Hyperparameters have this unit.
    interim : "flat", `~astro_hier.priors.Prior` or str
        The prior with which the objects' posteriors were made: uniform in the quantity, a prior,
        or the name of a column with the prior's density at each draw. There is no default, because
        nothing in the table tells. It is not needed if the table has a column ``interim``, or holds
        values with errors, which are likelihoods.
    selection : `~astropy.table.QTable`, optional
        How objects got into the table, if not all did: the injected objects that were found, with
        a column for each quantity and ``density``, that of what all were drawn from per unit of
        the quantities; and ``meta["injected"]``, the number of all injections. The population is
        then that before the selection.
    grid : `~astropy.units.Quantity` or ndarray, optional
        Values at which the densities in a column ``density`` are given, rising.
    limits : tuple or dict, optional
        Lowest and highest value that objects can have, or these by the name of the quantity; by
        default those that the population has.
    object_draws : {"auto", True, False}, optional
        Whether to keep draws of each object's value; "auto" keeps them for up to 1000 objects.
    columns : dict or str, optional
        Names of the columns that the model reads, by role: ``object`` (identifiers) and either
        ``samples`` (draws: an array in each row, or one draw in each row and the same ``object`` in
        several), with optional ``interim`` (density of the interim prior at each) and ``weight``;
        or ``density`` (an array in each row); or ``value`` and ``error``. By default a column has
        the name of its role, or of the quantity. Give the column's name, or a tuple of name and
        unit if the table has no units.
    on_invalid : {"raise", "drop"}, optional
        Whether missing or infinite values raise an error, or are dropped with a warning.

    Notes
    -----
    The shares of a histogram of more than 12 bins are drawn by Hamiltonian Monte Carlo
    (`astro_hier.core.hamiltonian`) instead of importance sampling, which fails in many dimensions:
    there is no evidence then, and ``max_evaluations`` and ``certify`` do not apply.

    The posterior has the population's parameters, in the unit of the quantity where they lie on the
    same axis, and under the name of the quantity the value of each object, dimension ``object``.

    Among the attributes, ``log_likelihood_variance`` is the Monte Carlo variance of ln of the
    likelihood, from the finite numbers of draws and injections, ``selection_variance`` the
    injections' part of it, ``share_found`` the share of the population that the selection keeps,
    and ``fewest_effective_draws`` the smallest effective number of an object's draws given the
    population.

    Examples
    --------
    >>> from astro_hier import SamplePopulation, datasets
    >>> table = datasets.make_posterior_samples(random_state=2)
    >>> model = SamplePopulation(quantity="mass")
    >>> model = model.fit(table, random_state=1, progressbar=False)
    >>> model.posterior["mass"].sizes["object"]
    60
    """

    for_writers = HierarchicalModel.for_writers | {"distribution", "setting"}
    row = "sample"
    item = "object"
    likelihood_of = "object"
    command = "population"
    options = (
        Option("population", "LogNormal", populations.OF_ANY_QUANTITY),
        Option("interim", "flat", takes_prior=True),
        Option("selection", "found.ecsv", takes_table=True),
    )

    def __init__(
        self,
        *,
        population: annotations.PairLike = populations.Normal(),
        quantity: annotations.QuantityLike = "x",
        interim: annotations.InterimLike = None,
        selection: annotations.SelectionLike = None,
        grid: annotations.GridLike = None,
        limits: annotations.LimitsLike = None,
        object_draws: annotations.KeepDraws = "auto",
        columns: annotations.ColumnsLike = None,
        on_invalid: annotations.OnInvalid = "raise",
    ) -> None:
        super().__init__(columns=columns, on_invalid=on_invalid)
        self.population = population
        self.quantity = quantity
        self.interim = interim
        self.selection = selection
        self.grid = grid
        self.limits = limits
        self.object_draws = object_draws

    example = staticmethod(datasets.make_posterior_samples)
    _setting: Setting  # of the table that this one is suited to

    # ---- what only a table can tell

    @property
    def setting(self) -> Setting:
        """Units, and where values lie: of the fit, or what is known without a table."""
        if "_setting" in vars(self):
            return self._setting
        given = shape.names_and_units(self.quantity)
        if "_inference_data" in vars(self):
            return shape.setting_of_fit(self._inference_data, tuple(given))
        return Setting(tuple(given.values()), (0.0,) * len(given), (1.0,) * len(given))

    def suited_to(self, table) -> Self:
        suited = copy.copy(self)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they come again when the table is read to be fitted
            rows, units = suited._read(table)
        suited._setting = prepare.setting_of(rows, units, self.population)
        return suited

    def _read(self, table):
        """The rows of a table, and the units of the quantities by name."""
        self.check_arguments()
        units = shape.names_and_units(self.quantity)
        column = interim.column_of(self.interim)
        return read_samples(
            table, tuple(units), units, self.columns, self.on_invalid, self.grid, column
        )

    # ---- hooks

    @property
    def roles(self) -> tuple[Role, ...]:
        names = shape.names_and_units(self.quantity)
        of = zip(names, self.setting.units, strict=True)
        return roles.all_roles(tuple(names), {name: unit or u.one for name, unit in of})

    @property
    def distribution(self) -> Any:
        """The population as the distribution of the quantity, or of both."""
        return shape.distribution(self, self.setting)

    @property
    def parts(self):
        return (self.distribution,)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        of = zip(shape.names_and_units(self.quantity), self.setting.units, strict=True)
        own = [
            Parameter(
                name, unit or u.one, shape.symbol(name), f"{name} of each object", ("object",)
            )
            for name, unit in of
        ]
        return (*self.distribution.parameters, *own)

    def check_arguments(self):
        self.keeps_draws(0)
        interim.check(self.interim, tuple(shape.names_and_units(self.quantity)))

    def read(self, table: annotations.TableLike) -> Rows:
        rows, _ = self._read(table)
        interim.check_given(self.interim, prepare.kind_of(rows), rows, self.quantity)
        return rows

    def check_table(self, table, rows):
        return checks.check_rows(rows, self.roles)

    prepare = prepare.prepare
    draw_exactly = many_bins.draw_exactly
    initial = start.initial
    diagnose, check = checks.diagnose, checks.check
    build_pymc, finish, simulate = joint.build_pymc, joint.finish, joint.simulate

    def coordinates(self, data: Objects):
        own = super().coordinates(data)
        return own | {"object": data.labels, **data.population.coordinates}

    def standard_normals(self, data):
        return self.distribution.standard_normals

    def log_marginal(self, data: Objects, theta):
        return data.log_marginal(theta)

    def log_likelihood(self, data: Objects, values):
        return data.log_likelihood(checks.of_population(self, data, values))

    def draw_latents(self, data: Objects, theta, rng, progressbar=False):
        if not self.keeps_draws(len(data.labels)):
            return {}
        drawn = data.draw(checks.of_population(self, data, theta), rng)
        return dict(zip(data.names, drawn, strict=True))

    def derive(self, theta):
        return self.distribution.derive(theta)

    @property
    def graph(self):
        names = tuple(shape.names_and_units(self.quantity))
        sampled = [*self.sampled_names(), *self.distribution.standard_normals]
        data = roles.samples_roles(names)[0]
        x = 1.2 * (np.arange(len(sampled)) - 0.5 * (len(sampled) - 1))
        return (
            *(
                plots.Node(name, (float(at), 2.0), to=shape.of_which(name, names))
                for name, at in zip(sampled, x, strict=True)
            ),
            *(
                plots.Node(name, (1.2 * i, 1.0), (data,), ("object",), f"{shape.symbol(name)}_n")
                for i, name in enumerate(names)
            ),
            plots.Node(data, (0.0, 0.0), plates=("object",), symbol="d_n"),
        )

    # ---- results

    object_table = tables.object_table
    predict = tables.predict
    plot_data = on_axes(figures.plot_data)
    plot_population = on_axes(figures.plot_population)
    plot_shrinkage = on_axes(figures.plot_shrinkage)
    plot_effective = on_axes(figures.plot_effective)
