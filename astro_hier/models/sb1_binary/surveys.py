"""The orbit of every star of a survey, each on its own."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from astro_hier.core import compiling
from astro_hier.models.sb1_binary.catalogue import StarSpec, survey_spec
from astro_hier.survey import partition
from astro_hier.survey.partition import COORDINATES, OWN, StarWork

FORMAT = 1  # of the rows: raised when their meaning changes
TIMES = "t_peri", "t_conj"


@dataclass(frozen=True, eq=False)
class OrbitRows:
    """The work on the stars of a survey, whose rows are their orbits.

    Attributes
    ----------
    spec : StarSpec
        What it needs of the model.
    """

    spec: StarSpec

    @property
    def note(self) -> str:
        """What the first star waits for."""
        return "" if self.spec.is_eccentric else compiling.note()

    @cached_property
    def fields(self) -> dict[str, str]:
        """What each of the results holds, by name."""
        kinds = {"n_modes": "i4", "shortcomings": "str"}
        return {
            name: "[f8]" if _is_list(name) else kinds.get(name, "f8")
            for name in self.spec.columns
            if name not in OWN
        }

    @property
    def units(self) -> dict[str, str]:
        """Units of those that have one."""
        return {name: str(unit) for name, unit in self.spec.columns.items() if unit}

    @property
    def times(self) -> tuple[str, ...]:
        """Those that count from the first visit."""
        return tuple(name for name in TIMES if name in self.spec.columns)

    @cached_property
    def specification(self) -> str:
        """All that the rows depend on, as JSON."""
        return json.dumps({"rows": FORMAT, **json.loads(str(self.spec))}, sort_keys=True)

    def of_star(
        self, star: Any, time: np.ndarray, rv: np.ndarray, rv_error: np.ndarray
    ) -> Mapping[str, Any]:
        """The orbit of one star; times are in d since its first visit, velocities in km/s."""
        found = self.spec.describe(self.spec.visits(time, rv, rv_error))
        return {name: of for name, of in found.items() if name not in OWN}


def _is_list(name):
    return name == "jitter" or name.startswith("modes_")


def star_work(model) -> StarWork:
    """The work on single stars, a function of their visits that can be pickled.

    Raises
    ------
    ValueError
        If visits are of several instruments.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import SB1Binary, priors
    >>> star = SB1Binary(P=priors.LogUniform(1 * u.day, 100 * u.day))
    >>> work = star.star_work()
    """
    if model.instrument is not None:
        raise ValueError(
            f"instrument={model.instrument!r}: visits of a survey are taken to be of one"
            " instrument; expected None"
        )
    return StarWork(OrbitRows(survey_spec(model)), model.on_invalid)


def partition_function(
    model,
    *,
    star: str = "star",
    visits: str | None = None,
    columns: Mapping | None = None,
    keep: Sequence[str] = COORDINATES,
) -> Callable[[Any], Any]:
    """A function that takes a frame of stars and returns their orbits, for any map over parts.

    Parameters
    ----------
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
        ``work(frame)`` returns a frame with a row a star: what ``elements()`` and ``modes()`` say
        of it, in d, km/s and rad, and its ``status``. ``work.meta(frame)`` is an empty one. It can
        be pickled, and has no other state.

    Raises
    ------
    ValueError
        If visits are of several instruments.
    TableError
        If a column or its unit is missing.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import SB1Binary, priors
    >>> star = SB1Binary(P=priors.LogUniform(1 * u.day, 100 * u.day))
    >>> columns = {
    ...     "time": ("bjd", u.day),
    ...     "rv": ("v", u.km / u.s),
    ...     "rv_error": ("e_v", u.km / u.s),
    ... }
    >>> work = star.partition_function(star="source_id", columns=columns)
    >>> callable(work)
    True
    """
    work = star_work(model)
    return partition.partition_function(work, model, star, visits, columns, tuple(keep))
