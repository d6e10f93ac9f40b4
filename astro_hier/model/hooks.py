"""What a model says of itself: hooks for those who write models, called by `fit` and its methods.

Hooks work on floats in the units that a model declares. Four things go through them:

``rows``
    `~astro_hier.table.Rows`, what was read of a table: an array for each role.
``data``
    What ``prepare`` makes of the rows: a frozen dataclass, with all that the other hooks need of
    the rows and of the options. By default it is the rows themselves.
``theta``
    Values of the sampled parameters: a dict of arrays of shape (theta,) by name.
``values``
    Draws of all parameters, a dict of arrays of shape (draw, ...) by name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.table import Table
from scipy.stats import norm

from astro_hier.checks import Finding
from astro_hier.model.parameters import Priors, Theta
from astro_hier.part import Option
from astro_hier.table import Role, Rows, of_table

__all__ = ["Hooks"]


class Hooks(Priors):
    """Hooks of a model, and what they return where a model has nothing to say.

    A model has either ``log_marginal`` and ``draw_latents``, or ``draw_exactly`` and ``log_prob``.
    """

    row = "star"  # what a row of the table is
    likelihood_of: str | None = None  # what has a likelihood of its own, if it is not a row
    command: str | None = None  # name on the command line
    options: Sequence[Option] = ()  # for the command
    scale: str | None = None  # the parameter that errors may hide, which has an upper limit then
    roles_of_options: Sequence[str] = ()  # ``columns`` may name them where the options are off
    numbers: Sequence[str] = ()  # attributes, from ``diagnose``, that results are made from

    @property
    def roles(self) -> Sequence[Role]:
        """The columns that are read."""
        return ()

    @staticmethod
    def example(*, random_state=None) -> Table:
        """A simulated table that the model describes, to try it on."""
        raise NotImplementedError

    # ---- from a table to data

    def check_arguments(self) -> None:
        """Raise a ValueError where arguments do not go together; before a table is read."""

    def check_rows(self, rows: Rows, table: Table) -> None:
        """Raise a `~astro_hier.TableError` where rows are not what the model needs together."""

    def prepare(self, rows: Rows, progressbar: bool) -> Any:
        """All that can be computed before any parameter is known, a frozen dataclass.

        The only way from rows to data, of a table and of a file.
        """
        return rows

    def prepare_simulated(self, rows: Rows, data, progressbar: bool = False) -> Any:
        """What ``prepare`` makes of rows that were simulated from ``data``.

        Parameters whose meaning ``prepare`` takes from the rows must keep that of ``data``.
        """
        return self.prepare(rows, progressbar)

    def coordinates(self, data) -> dict[str, Sequence | np.ndarray]:
        """Labels of the dimensions that parameters have besides the rows'."""
        normals = self.standard_normals(data)
        return {self.parameter(name).dims[0]: np.arange(n) for name, n in normals.items()}

    # ---- the posterior

    def initial(self, data) -> dict[str, Any]:
        """The starting point: floats and arrays by parameter; the medians of the priors."""
        medians = {name: float(prior.median()) for name, prior in self.frozen_priors().items()}
        return {**medians, **self.derive({name: np.asarray(x) for name, x in medians.items()})}

    def starts(self, data) -> list[dict[str, Any]]:
        """Where the posterior may have peaks: points as that of ``initial``, which is the first."""
        return [self.initial(data)]

    def candidates(self, data, rng: np.random.Generator | None = None) -> list[dict[str, Any]]:
        """More points, read off the data, each of which may lie near a peak of the posterior.

        Each costs one evaluation, and the best are climbed from. With ``rng`` they are others,
        chosen at random: a second look at the data.
        """
        return []

    def standard_normals(self, data) -> dict[str, int]:
        """Parameters of several elements, each standard normal a priori: their numbers by name.

        In ``theta`` they have shape (theta, number), and in the posterior the dimension that the
        parameter declares.
        """
        return {}

    def log_marginal(self, data, theta: Theta) -> np.ndarray:
        """ln p(data | theta), the latent variables integrated out, shape (theta,)."""
        raise self._missing("log_marginal")

    def draw_latents(
        self, data, theta: Theta, rng: np.random.Generator, progressbar: bool = False
    ) -> dict[str, np.ndarray]:
        """One draw of the latent variables for each theta: arrays of shape (theta, star)."""
        raise self._missing("draw_latents")

    def draw_exactly(
        self, data, size: int, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any]] | None:
        """Independent draws of all parameters, where a model needs no importance sampling.

        Returns
        -------
        None or tuple
            Arrays (size, ...) by parameter, statistics of each draw, and of the whole.
        """
        return None

    def build_pymc(self, data) -> Any:
        """The joint `pymc.Model` with its starting point."""
        raise self._missing("build_pymc")

    def finish(self, data, values: Theta, rng: np.random.Generator) -> Theta:
        """Draws of the joint model, turned into what ``draw_latents`` would have returned."""
        return values

    def derive(self, theta: Theta) -> dict[str, np.ndarray]:
        """Parameters that follow from others."""
        return {}

    def log_likelihood(self, data, values: Theta) -> np.ndarray | None:
        """ln of the density of each row's data, given what is common to all rows.

        Parameters
        ----------
        data
            As ``prepare`` made it.
        values : dict of ndarray
            Draws of all parameters without the dimension of the stars, shape (draw, ...).

        Returns
        -------
        None or ndarray
            Shape (draw, row), or (draw, star) where ``likelihood_of`` is "star". Its sum is
            ``log_marginal``, if the model has that. By default there is none, and rows are not
            left out to see what they change.
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

    # ---- what is said of a fit

    def diagnose(self, data, values: Theta, method: str) -> dict[str, Any]:
        """What to say of a fit: numbers for the posterior's ``attrs``."""
        return {}

    def check_table(self, table: Table, rows: Rows) -> list[Finding]:
        """Checks of a table and the rows read from it."""
        return of_table(table, self.roles, self.columns_in_use())

    def check(self, data, values: Theta, attrs: Mapping[str, Any], method: str) -> list[Finding]:
        """Checks of a fit, the likeliest cause first; ``attrs`` hold what ``diagnose`` said."""
        return []

    def reword(self, finding: Finding) -> Finding:
        """A finding of the method, in words that may name the model's own options."""
        return finding

    def headline(self) -> Sequence[str]:
        """Names of the parameters that no single row should decide: all that are inferred."""
        return self.free_names()

    def rows_to_compare(self, data) -> tuple[np.ndarray, np.ndarray] | None:
        """Value and error of each row, where nothing describes rows far from all others."""
        return None

    def excess_scatter(self, data, values: Theta) -> float:
        """How many times more most rows scatter than the errors say: one row may do as much."""
        return 1.0

    def remedy_of_rows(self) -> tuple[str, str]:
        """What else to do about rows that decide the result, in Python and in the shell."""
        return "", ""

    # ---- for the methods above

    def columns_in_use(self) -> dict | None:
        """``columns`` without those of options that are off."""
        if not isinstance(self.columns, Mapping):
            return self.columns
        off = set(self.roles_of_options) - {role.name for role in self.roles}
        return {name: place for name, place in self.columns.items() if name not in off}

    def _missing(self, hook):
        return NotImplementedError(
            f"{type(self).__name__} does not define {hook}, see HierarchicalModel.{hook}"
        )
