"""The base of all models: reading, fitting, and the problem that a method solves."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, Self

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier import checks, plots, progress, reports
from astro_hier.annotations import ColumnsLike, OnInvalid, TableLike
from astro_hier.given import MOST, RandomState, choice, generator, switch, whole
from astro_hier.inference import METHODS, Problem
from astro_hier.model.extremes import in_words
from astro_hier.model.fitting import label
from astro_hier.model.hooks import Hooks
from astro_hier.model.notebook import to_html
from astro_hier.model.parameters import Priors
from astro_hier.model.saved import Saved
from astro_hier.model.to_arviz import to_arviz
from astro_hier.plots.returned import of_panels, on_axes
from astro_hier.spelling import did_you_mean
from astro_hier.table import Rows, as_table, read_columns

__all__ = ["HierarchicalModel"]

MAX_ITEMS_KEPT = 1000  # with more, the draws of each are kept only on request
FIT_ARGUMENTS = ("method", "draws", "chains", "random_state", "progressbar")
FOR_USERS = {"example", "frozen_priors", "parameters", "prior_of", "roles"}  # among all hooks


class _Completion(type):
    """Makes completion on a model class list what a user needs, as it does on an instance."""

    for_writers: set[str]

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if name not in cls.for_writers]


class HierarchicalModel(Saved, metaclass=_Completion):
    """Base of all models: reading, fitting, results, figures and files.

    A model is a subclass that declares ``roles`` (the columns it reads), ``row`` (what a row of
    its table is), ``parameters`` (all quantities of its posterior; those that ``__init__`` takes a
    prior for are sampled, unless a plain value is given) and ``command`` (its name on the command
    line), and defines the hooks of `astro_hier.model.hooks`.
    """

    # names that users of the model do not need, and that completion leaves out
    for_writers = {*vars(Hooks), *vars(Priors), "fitted_data", "for_writers", "graph",
                   "keeps_draws", "parameters_of_summary", "problem",
                   "star_work", "suited_to", "survey_spec"} - FOR_USERS  # fmt: skip
    plot_corner = of_panels(plots.plot_corner)
    plot_trace = of_panels(plots.plot_trace)
    plot_graph = on_axes(plots.plot_graph)
    to_arviz = to_arviz
    _repr_html_ = to_html
    paper_table = reports.paper_table
    report = reports.report

    @property
    def graph(self) -> Sequence[plots.Node]:
        """The nodes of the graphical model, for ``plot_graph``."""
        return ()

    def __init__(self, *, columns: ColumnsLike = None, on_invalid: OnInvalid = "raise") -> None:
        self.columns = columns
        self.on_invalid = on_invalid

    def __dir__(self) -> list[str]:
        """All names except those that are only for authors of models."""
        return [name for name in super().__dir__() if name not in self.for_writers]

    def read(self, table: TableLike) -> Rows:
        """Read and check the rows of a table, converted to the model's units.

        Parameters
        ----------
        table : `~astropy.table.Table`, `~astropy.timeseries.TimeSeries` or data frame
            The measurements, with units, in the table or in ``columns``. Data frames are those of
            pandas, polars and pyarrow.

        Returns
        -------
        `~astro_hier.table.Rows`
            An array for each role.

        Raises
        ------
        TableError
            If the table cannot be used; the message says what to do.
        ValueError
            If the model's arguments are inconsistent.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> rows = SB1Binary().read(datasets.make_binary(4, random_state=1))
        >>> rows["rv"].shape
        (4,)
        """
        self.check_arguments()
        table = as_table(table)
        rows = read_columns(table, self.roles, self.columns_in_use(), self.on_invalid)
        self.check_rows(rows, table)
        progress.LOG.info("%s: %d rows read", type(self).__name__, rows.size)
        return rows

    def suited_to(self, table: Table) -> Self:
        """This model with what only a table can tell, such as its units: by default itself."""
        return self

    def problem(self, data) -> Problem:
        """What a method needs to know about this model, given data from ``prepare``."""
        return Problem(
            type(self).__name__,
            self.frozen_priors(),
            tuple(self.free_names()),
            self.lower_ends(data),
            self.standard_normals(data),
            partial(self.starts, data),
            partial(self.candidates, data),
            partial(self.log_marginal, data),
            partial(self.draw_latents, data),
            partial(self.draw_exactly, data),
            partial(self.build_pymc, data),
            partial(self.finish, data),
        )

    def keeps_draws(self, number: int) -> bool:
        """Whether draws of each item's parameters are kept, for a model with ``star_draws``.

        ``number`` is the number of stars, or of whatever the model's ``item`` is.
        """
        name = f"{self.item}_draws"
        given = getattr(self, name)
        given = choice(name, given, ("auto", True, False))
        return number <= MAX_ITEMS_KEPT if given == "auto" else given

    @progress.of_fit
    def fit(
        self,
        table: TableLike,
        *,
        method: Literal["marginal", "nuts"] = "marginal",
        draws: int = 1000,
        chains: int = 4,
        random_state: RandomState = None,
        progressbar: bool = True,
        **options: Any,
    ) -> Self:
        """Draw from the posterior of the parameters given a table.

        A fit that fails or is interrupted leaves the results of an earlier one as they were.

        Parameters
        ----------
        table : `~astropy.table.Table`, `~astropy.timeseries.TimeSeries` or data frame
            The measurements, with units, in the table or in ``columns``. Data frames are those of
            pandas, polars and pyarrow.
        method : {"marginal", "nuts"}, optional
            "marginal" integrates the latent variables out numerically and returns independent
            draws; "nuts" samples the joint model with PyMC.
        draws, chains : int, optional
            Draws in each chain, and number of chains.
        random_state : None, int, `numpy.random.Generator`, optional
            Seed or source of randomness.
        progressbar : bool, optional
            Whether to show progress.
        **options
            For "marginal": ``max_evaluations``, the number of evaluations of the marginal
            likelihood after which to give up with a warning (default: 20,000 and ten more per
            draw); ``certify``, whether a second, independent exploration must agree (default:
            True); ``surrogate``, whether a polynomial may stand in for the likelihood where it is
            good enough (default: True). For "nuts": options of `pymc.sample` such as ``tune``,
            ``target_accept``, ``nuts_sampler``, ``cores``, ``init``.

        Returns
        -------
        self

        Raises
        ------
        TableError
            If the table cannot be used; the message says what to do.
        astro_hier.priors.PriorError
            If a prior has the wrong physical type.
        ValueError
            If a method or option does not exist.

        Examples
        --------
        >>> from astro_hier import SB1Binary, datasets
        >>> visits = datasets.make_binary(10, random_state=1)
        >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
        >>> star.samples("P").shape
        (4000,)
        >>> star = star.fit(visits, draws=100, random_state=1, progressbar=False)
        >>> star.samples("P").shape
        (400,)
        """
        if not isinstance(method, str) or method not in METHODS:
            raise ValueError(
                f"method={method!r} does not exist; expected one of {list(METHODS)}"
                + did_you_mean([method], METHODS)
            )
        unknown = sorted(set(options) - METHODS[method].OPTIONS)
        if unknown:
            of_model = [name for name in unknown if name in self._argument_names()]
            raise ValueError(
                f"method {method!r} has no options {unknown}; it has"
                f" {sorted(METHODS[method].OPTIONS)}, and every method has draws, chains,"
                " random_state and progressbar"
                + did_you_mean(unknown, [*METHODS[method].OPTIONS, *FIT_ARGUMENTS])
                + (f"; {of_model} are arguments of {type(self).__name__}()" if of_model else "")
            )
        draws, chains = whole("draws", draws, 1, MOST), whole("chains", chains, 1, MOST)
        rng, progressbar = source_of(random_state), switch("progressbar", progressbar)
        METHODS[method].check(**options)
        table = as_table(table)
        model = self.suited_to(table)
        model.frozen_priors()
        rows = model.read(table)
        findings = model.check_table(table, rows)
        own = type(self).__module__.partition(".")[0] == "astro_hier"
        with in_words(type(self).__name__, rows, model.roles, findings, own):
            data = model.prepare(rows, progressbar)
            result = METHODS[method].sample(
                model.problem(data),
                draws=draws,
                chains=chains,
                rng=rng,
                progressbar=progressbar,
                **options,
            )
            tree = label(model, rows, data, result, method, findings)
            tree["sample_stats"].attrs["call"] = _call(random_state, options)
        self._inference_data, self._fitted_params, self._prepared = tree, self.get_params(), data
        checks.warn_of(self.findings())
        return self

    def initial_values(self, table: TableLike) -> dict[str, u.Quantity]:
        """The estimator's own starting point for a table, a dict of Quantities.

        Examples
        --------
        >>> from astro_hier import StarCluster, datasets
        >>> table = datasets.make_star_cluster(random_state=42)
        >>> print(f"{StarCluster().initial_values(table)['mu_r']:.1f}")
        0.5 kpc
        """
        table = as_table(table)
        model = self.suited_to(table)
        rows = model.read(table)
        with in_words(type(self).__name__, rows, model.roles):
            initial = model.initial(model.prepare(rows, progressbar=False))
        return {p.name: initial[p.name] * p.unit for p in model.parameters}

    def pymc_model(self, table: TableLike) -> Any:
        """The joint model of a table as a `pymc.Model`, to sample or modify.

        Examples
        --------
        >>> from astro_hier import StarCluster, datasets
        >>> table = datasets.make_star_cluster(5, random_state=42)
        >>> model = StarCluster().pymc_model(table)
        >>> sorted(variable.name for variable in model.free_RVs)
        ['ln_std_r', 'mu_r', 'r']
        """
        table = as_table(table)
        model = self.suited_to(table)
        model.frozen_priors()
        return model.build_pymc(model.prepare(model.read(table), progressbar=False))


def _call(random_state, options):
    """What else is to be known of a fit, as text."""
    plain = isinstance(random_state, (int, np.integer))
    seed = str(random_state) if plain or random_state is None else type(random_state).__name__
    said = {name: str(value) for name, value in options.items()}
    return json.dumps({"random_state": seed, "options": said})


def source_of(random_state):
    """A source of randomness that can spawn others, unlike a legacy one."""
    rng = generator(random_state)
    if getattr(rng.bit_generator, "seed_seq", None) is None:
        rng = np.random.default_rng(rng.integers(2**63, size=4))
    return rng
