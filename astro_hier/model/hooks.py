"""How a model is defined: hooks for authors of models, called by ``fit`` and the methods.

Hooks work on floats in the units that a model declares. Four kinds of objects go through them:

``rows``
    `~astro_hier.table.Rows`, the columns read from a table: an array for each role.
``data``
    What ``prepare`` makes of the rows: a frozen dataclass with everything that the other hooks need
    of the rows and the options. By default it is the rows themselves.
``theta``
    Values of the sampled parameters: a dict of arrays of shape (theta,) by name.
``values``
    Draws of all parameters: a dict of arrays of shape (draw, ...) by name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.table import Table
from scipy.stats import norm

from astro_hier.checks import Finding
from astro_hier.core.floats import Theta
from astro_hier.model.parameters import Priors
from astro_hier.part import Option
from astro_hier.posterior import Parameter
from astro_hier.reports.panels import Panel
from astro_hier.table import Role, Rows, as_columns, of_table

__all__ = ["Hooks"]


class Hooks(Priors):
    """Hooks of a model, with what they do by default.

    A model has either ``log_marginal`` and ``draw_latents``, or ``draw_exactly`` and ``log_prob``.
    """

    row = "star"  # what a row of the table is
    item = "star"  # the dimension of what has latent variables of its own
    likelihood_of: str | None = None  # what has its own likelihood, if not each row
    command: str | None = None  # name on the command line
    options: Sequence[Option] = ()  # for the command
    scale: str | None = None  # the parameter that errors may hide, and that then has an upper limit
    roles_of_options: Sequence[str] = ()  # ``columns`` may name them even if the options are off
    other_units: Mapping[str, Any] = {}  # of results that are no parameters, by name
    numbers: Sequence[str] = ()  # attributes from ``diagnose`` that results need

    @property
    def roles(self) -> Sequence[Role]:
        """The columns that are read."""
        return ()

    @staticmethod
    def example(*, random_state=None) -> Table:
        """A simulated table to try the model on."""
        raise NotImplementedError

    # ---- from a table to data

    def check_arguments(self) -> None:
        """Raise a ValueError if arguments are inconsistent; called before a table is read."""

    def check_rows(self, rows: Rows, table: Table) -> None:
        """Raise a `~astro_hier.TableError` if the columns together are not what the model needs."""

    def prepare(self, rows: Rows, progressbar: bool) -> Any:
        """Everything that can be computed before any parameter is known: a frozen dataclass.

        This is the only way from rows to data, whether the rows come from a table or a file.
        """
        return rows

    def prepare_rows(self, folder: str) -> Any:
        """The same as ``prepare``, from the rows of a survey in a folder."""
        raise self._missing("prepare_rows")

    def prepare_simulated(self, rows: Rows, data, progressbar: bool = False) -> Any:
        """The same as ``prepare``, for rows that were simulated from ``data``.

        Parameters whose meaning depends on the rows must keep their meaning in ``data``.
        """
        return self.prepare(rows, progressbar)

    def coordinates(self, data) -> dict[str, Sequence | np.ndarray]:
        """Labels of the dimensions of parameters other than the rows."""
        normals = self.standard_normals(data)
        return {self.parameter(name).dims[0]: np.arange(n) for name, n in normals.items()}

    # ---- the posterior

    def initial(self, data) -> dict[str, Any]:
        """The starting point, floats and arrays by parameter; by default the prior medians."""
        medians = {name: float(prior.median()) for name, prior in self.frozen_priors().items()}
        return {**medians, **self.derive({name: np.asarray(x) for name, x in medians.items()})}

    def starts(self, data) -> list[dict[str, Any]]:
        """Where the posterior may have peaks: points like ``initial``, which comes first."""
        return [self.initial(data)]

    def candidates(self, data, rng: np.random.Generator | None = None) -> list[dict[str, Any]]:
        """More points, suggested by the data, that may lie near peaks of the posterior.

        Each costs one evaluation, and the best are climbed from. With ``rng`` they are different
        ones, chosen at random, for a second look at the data.
        """
        return []

    def standard_normals(self, data) -> dict[str, int]:
        """Parameters of several elements that are standard normal a priori.

        Returns the number of elements by name. In ``theta`` they have shape (theta, number), and
        in the posterior the dimension that the parameter declares.
        """
        return {}

    def log_marginal(self, data, theta: Theta) -> np.ndarray:
        """ln p(data | theta) with the latent variables integrated out, shape (theta,)."""
        raise self._missing("log_marginal")

    def draw_latents(
        self, data, theta: Theta, rng: np.random.Generator, progressbar: bool = False
    ) -> dict[str, np.ndarray]:
        """One draw of the latent variables for each theta: arrays of shape (theta, star)."""
        raise self._missing("draw_latents")

    def draw_exactly(
        self, data, size: int, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any]] | None:
        """Independent draws of all parameters, if the model does not need importance sampling.

        Returns
        -------
        None or tuple
            Arrays of shape (size, ...) by parameter, statistics of each draw, and statistics of
            the whole run.
        """
        return None

    def build_pymc(self, data) -> Any:
        """The joint `pymc.Model` with its starting point."""
        raise self._missing("build_pymc")

    def finish(self, data, values: Theta, rng: np.random.Generator) -> Theta:
        """Turn draws of the joint model into what ``draw_latents`` would have returned."""
        return values

    def derive(self, theta: Theta) -> dict[str, np.ndarray]:
        """Parameters that follow from others."""
        return {}

    def log_likelihood(self, data, values: Theta) -> np.ndarray | None:
        """ln of the density of each row's data, given the parameters common to all rows.

        Parameters
        ----------
        data
            From ``prepare``.
        values : dict of ndarray
            Draws of all parameters that do not have the dimension of the stars, shape (draw, ...).

        Returns
        -------
        None or ndarray
            Shape (draw, row), or (draw, star) if ``likelihood_of`` is "star". The sum is
            ``log_marginal``, if the model has that. By default None, and the influence of single
            rows is not checked.
        """
        return None

    def log_prob(self, data, values: Theta, log_marginal: np.ndarray | None = None) -> np.ndarray:
        """ln of the posterior density of the parameters common to all rows, up to a constant."""
        theta = {name: np.ravel(values[name]) for name in self.sampled_names()}
        normals = {name: values[name] for name in self.standard_normals(data)}
        if log_marginal is None:
            log_marginal = self.log_marginal(data, theta | normals)
        height = sum(norm.logpdf(x).sum(axis=1) for x in normals.values())
        return log_marginal + self.log_prior(theta, data) + height

    def simulate(self, data, theta: Theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Latent variables and observations for each theta: arrays of shape (theta, row)."""
        raise self._missing("simulate")

    def replicate(self, data, values: Theta, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The observations made again, for draws from the posterior: arrays of shape (draw, row).

        By default those of new stars of the population, by ``simulate``.
        """
        names = *self.sampled_names(), *self.standard_normals(data)
        return self.simulate(data, {name: values[name] for name in names}, rng)

    # ---- checks of a fit

    def diagnose(self, data, values: Theta, method: str) -> dict[str, Any]:
        """Numbers that describe a fit, for the ``attrs`` of the posterior."""
        return {}

    def check_table(self, table: Table, rows: Rows) -> list[Finding]:
        """Checks of a table and the rows read from it."""
        return of_table(table, self.roles, self.columns_in_use())

    def check(self, data, values: Theta, attrs: Mapping[str, Any], method: str) -> list[Finding]:
        """Checks of a fit, the likeliest cause first; ``attrs`` include those of ``diagnose``."""
        return []

    def reword(self, finding: Finding) -> Finding:
        """A finding of the method, which may be reworded to name the model's own options."""
        return finding

    def headline(self) -> Sequence[str]:
        """Names of the parameters that no single row should decide; by default all inferred."""
        return self.free_names()

    def rows_to_compare(self, data) -> tuple[np.ndarray, np.ndarray] | None:
        """Value and error of each row, if the model does not describe rows far from the others."""
        return None

    def excess_scatter(self, data, values: Theta) -> float:
        """By what factor most rows scatter more than their errors, which a single row may too."""
        return 1.0

    def remedy_of_rows(self) -> tuple[str, str]:
        """Further advice about rows that decide the result, for Python and for the shell."""
        return "", ""

    # ---- figures of a fit, and tables for papers

    def drawn_names(self) -> Sequence[str]:
        """What figures of draws show by default, in order; by default the inferred parameters.

        Parameters that each instrument has follow anyway.
        """
        return self.free_names()

    def drawn_quantities(self) -> Sequence[tuple[Parameter, np.ndarray]]:
        """What else such figures can show: draws, shape (chain, draw), not in the posterior."""
        return []

    def truths_that_follow(self, truths: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Values of ``drawn_quantities`` that follow from known ones, in the model's units."""
        return {}

    def coordinate_names(self) -> Sequence[str]:
        """Parameters that papers leave out: others and ``drawn_quantities`` say the same."""
        return []

    def panels(self, numbers: Sequence[int]) -> Sequence[Panel]:
        """Small drawings of some stars for a report; by default none."""
        return []

    # ---- for the methods above

    def columns_in_use(self) -> dict:
        """``columns``, or the preset of that name, without the roles of options that are off."""
        off = set(self.roles_of_options) - {role.name for role in self.roles}
        return {name: at for name, at in as_columns(self.columns).items() if name not in off}

    def _missing(self, hook):
        return NotImplementedError(
            f"{type(self).__name__} does not define {hook}, see HierarchicalModel.{hook}"
        )
