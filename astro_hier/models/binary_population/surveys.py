"""Surveys: the rows of single stars, made anywhere, and a population fitted to them."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import astropy.units as u

from astro_hier import checks
from astro_hier.given import RandomState
from astro_hier.inference import METHODS
from astro_hier.model.estimator import source_of
from astro_hier.model.fitting import label
from astro_hier.models.binary_population import start
from astro_hier.models.binary_population.star_rows import PopulationRows
from astro_hier.models.binary_population.survey_stars import SurveyStars
from astro_hier.survey import files, partition
from astro_hier.survey.partition import COORDINATES, OK, StarWork
from astro_hier.table import Rows

UNUSED = checks.define(
    "unused_stars",
    limit="all stars of the survey have rows",
    said="{found} of the stars could not be used",
    python="see survey.status() for the reasons; on_invalid='drop' leaves out single visits instead"
    " of their stars",
    shell="see astro-hier survey status for the reasons; --on-invalid drop leaves out single visits"
    " instead of their stars",
)


def star_work(model, period_range: u.Quantity | tuple | None = None) -> StarWork:
    """The work on single stars, a function of their visits that can be pickled.

    Raises
    ------
    ValueError
        If the model depends on more than single stars: the range of periods is not given, visits
        are of several instruments, or jitters have a population.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import BinaryPopulation
    >>> model = BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    >>> work = model.star_work()
    """
    if period_range is not None:
        model = type(model)(**{**model.get_params(), "period_range": period_range})
    model.check_arguments()
    if model.period_range is None:
        raise ValueError(
            "period_range is not given; expected shortest and longest period, such as"
            " period_range=(1 * u.day, 1000 * u.day), since no part of a survey knows the longest"
            " baseline"
        )
    if model.instrument is not None:
        raise ValueError(
            f"instrument={model.instrument!r}: visits of a survey are taken to be of one"
            " instrument; expected None"
        )
    if model.scatter.layered:
        raise ValueError(
            f"jitter={model.jitter!r}: rows of single stars cannot hold a population of jitters;"
            " expected a prior, which all stars share, or None"
        )
    return StarWork(PopulationRows(model), model.on_invalid)


def partition_function(
    model,
    *,
    period_range: u.Quantity | tuple | None = None,
    star: str = "star",
    visits: str | None = None,
    columns: Mapping | None = None,
    keep: Sequence[str] = COORDINATES,
) -> Callable[[Any], Any]:
    """A function that takes a frame of stars and returns their rows, for any map over parts.

    Parameters
    ----------
    period_range : tuple of `~astropy.units.Quantity`, optional
        Shortest and longest period searched, if the model has no ``period_range``.
    star : str, optional
        Column of the stars' labels.
    visits : str, optional
        Column of nested visits, as in catalogues of LSDB; if None, the columns of visits hold
        lists, or the frame has a visit a row, with all visits of a star in the same part.
    columns : dict, optional
        A tuple of name and unit for each of ``time``, ``rv`` and ``rv_error``, such as
        ``{"rv": ("vhelio", u.km / u.s)}``; by default those of the model's ``columns``.
    keep : list of str, optional
        Columns that the rows keep; by default ra and dec, which catalogues need.

    Returns
    -------
    callable
        ``work(frame)`` returns a frame with a row a star, and ``work.meta(frame)`` an empty one. It
        can be pickled, and has no other state.

    Raises
    ------
    ValueError
        If the model depends on more than single stars.
    TableError
        If a column or its unit is missing.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import BinaryPopulation
    >>> model = BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    >>> columns = {
    ...     "time": ("bjd", u.day),
    ...     "rv": ("v", u.km / u.s),
    ...     "rv_error": ("e_v", u.km / u.s),
    ... }
    >>> work = model.partition_function(star="source_id", columns=columns)
    >>> callable(work)
    True
    """
    work = star_work(model, period_range)
    return partition.partition_function(work, model, star, visits, columns, tuple(keep))


def prepare_rows(model, folder: str | os.PathLike) -> SurveyStars:
    """The stars of a survey, from the rows in a folder."""
    return SurveyStars.of_rows(model, files.Store.open(folder))


def fit_rows(
    model,
    rows: str | os.PathLike,
    *,
    draws: int = 1000,
    chains: int = 4,
    random_state: RandomState = None,
    progressbar: bool = True,
    **options: Any,
) -> Any:
    """Draw from the posterior of the population, given rows on disk of all stars.

    The rows are read some at a time, so memory does not grow with their number, but for some 50
    bytes a star. Results of single stars are made by `star_results`.

    Parameters
    ----------
    rows : str or path-like
        The folder of rows, as made by `astro_hier.survey.prepare`, or a catalogue that was made
        with ``partition_function``. Orbits must be those that were searched for; the population may
        be any whose widths the rows resolve.
    draws, chains, random_state, progressbar
        As in ``fit``.
    **options
        Those of ``fit(method="marginal")``.

    Returns
    -------
    self

    Raises
    ------
    FileNotFoundError
        If there are no rows.
    astro_hier.survey.RowsError
        If they were made with other arguments than this model has.

    Examples
    --------
    >>> import astropy.units as u
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from astro_hier import BinaryPopulation, datasets, survey
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> model = BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    >>> with TemporaryDirectory() as folder:
    ...     rows = Path(folder) / "rows"
    ...     done = survey.prepare(visits, rows, model, progressbar=False)
    ...     model = model.fit_rows(
    ...         rows, draws=50, random_state=1, progressbar=False
    ...     )
    >>> model.samples("mu").shape
    (200,)
    """
    model.check_arguments()
    data = prepare_rows(model, rows)
    problem = replace(
        model.problem(data),
        starts=lambda: [start.of_population(model, data, data.best_orbits())],
        draw_latents=lambda theta, rng, progressbar: {},
    )
    result = METHODS["marginal"].sample(
        problem, draws=draws, chains=chains, rng=source_of(random_state),
        progressbar=progressbar, **options,
    )  # fmt: skip
    notes = {"rows": os.path.abspath(rows)}
    tree = label(model, Rows({}), data, result, "marginal", [_unused(data.store)], notes)
    model._inference_data, model._fitted_params = tree, model.get_params()
    model._prepared = data
    checks.warn_of(model.findings())
    return model


def _unused(store):
    failed = {reason: count for reason, count in store.counts.items() if reason != OK}
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(failed.items()))
    total, bad = sum(store.counts.values()), sum(failed.values())
    found = f"{bad} of {total}" + (f" ({listed})" if listed else "")
    return UNUSED.finding(found, bad > 0)
