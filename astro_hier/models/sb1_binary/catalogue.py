"""The orbit of each star of a catalogue, as numbers, without draws of its posterior.

A `StarSpec` holds all of a model that the work on one star needs, as floats and arrays; it can be
pickled, and ``str`` of it is JSON of all that changes its results. Modes, evidences and limits are
integrals over the same cells or nodes from which `astro_hier.SB1Binary` draws; percentiles of an
eccentric orbit are those of nodes chosen by their probability.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.core import compiling
from astro_hier.core.eccentric_prior import EccentricityTable, OrbitPrior
from astro_hier.core.jitter import JitterPrior
from astro_hier.core.orbit import Visits
from astro_hier.models.orbits import terms
from astro_hier.models.orbits.amplitudes import Amplitudes
from astro_hier.models.orbits.ellipse import Ellipse
from astro_hier.models.orbits.scatter import NoScatter
from astro_hier.models.orbits.terms import Term
from astro_hier.models.orbits.velocity import KMS, Circle
from astro_hier.models.sb1_binary import described
from astro_hier.models.sb1_binary.data import prior_of_period
from astro_hier.posterior import encoding
from astro_hier.priors.base import FrozenPrior

NOT_OF_RESULTS = "columns", "on_invalid"  # arguments that tell how tables are read
COUNTS = {"n_visits": None, "baseline": u.day}
PERIODS = dict.fromkeys(("P", "P_low", "P_high", "P_sd", "P_map"), u.day)
ECCENTRICITIES = dict.fromkeys(("e", "e_low", "e_high", "e_map"), u.one)
PERIASTRON = {"omega": u.rad, "t_peri": u.day}
VELOCITIES = dict.fromkeys(("K", "K_low", "K_high", "K_upper", "v0"), KMS)
SAID = dict.fromkeys(
    ("n_modes", "probability", "chi2_per_dof", "p_chi2", "log_evidence", "ln_bayes_factor",
     "period_information"),
)  # fmt: skip
OF_NODES = dict.fromkeys(("log_evidence_error", "effective_size", "shortcomings"))
OF_MODES = {"probability": None, "P": u.day, "P_sd": u.day, "e": u.one, "e_sd": u.one, "K": KMS}
LISTS = {f"modes_{name}": unit for name, unit in OF_MODES.items()}


@dataclass(frozen=True, eq=False, repr=False)
class StarSpec:
    """What the work on one star of a catalogue needs of a model.

    Attributes
    ----------
    arguments : str
        JSON of the model's arguments and the labels of all instruments.
    orbit, terms, scatter
        The model's orbit, linear terms and scatter.
    instruments : ndarray
        Labels of all instruments, in order; one empty label if there are none.
    moments : tuple of ndarray
        Prior means and standard deviations of the linear parameters, shape (column,).
    n_shape : int
        Number of inferred parameters that shape the orbit.
    period : FrozenPrior
        Of the period in d.
    known : JitterPrior or None
        What is known about the scatter; None if there is none.
    prior : OrbitPrior or None
        Of an ellipse.
    """

    arguments: str
    orbit: Circle
    terms: tuple[Term, ...]
    scatter: NoScatter
    instruments: np.ndarray
    moments: tuple[np.ndarray, np.ndarray]
    n_shape: int
    period: FrozenPrior
    known: JitterPrior | None
    prior: OrbitPrior | None

    def __repr__(self) -> str:
        return f"StarSpec({self.arguments})"

    def __str__(self) -> str:
        return self.arguments

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StarSpec) and self.arguments == other.arguments

    def __hash__(self) -> int:
        return hash(self.arguments)

    @property
    def is_eccentric(self) -> bool:
        """Whether orbits are ellipses."""
        return isinstance(self.orbit, Ellipse)

    @property
    def is_inferred(self) -> bool:
        """Whether there is a scatter to infer."""
        return not self.scatter.is_known

    @property
    def columns(self) -> dict[str, u.UnitBase | None]:
        """Names of all results, in order, and their units; None for what has none.

        ``jitter`` and names that begin with "modes_" are those of lists, the former of one number
        for each instrument, or of one.
        """
        linear = terms.linear(self.terms, self.instruments)[3:]
        ellipse, scatter = self.is_eccentric, {"jitter": KMS} if self.is_inferred else {}
        lists = {name: unit for name, unit in LISTS.items() if ellipse or "_e" not in name}
        return {
            **COUNTS, **PERIODS, **(ECCENTRICITIES if ellipse else {}), **VELOCITIES,
            **(PERIASTRON if ellipse else {}), "t_conj": u.day,
            **{column.label: column.unit for column in linear}, **scatter, **SAID,
            **(OF_NODES if ellipse else {"period_error": None}), **lists,
        }  # fmt: skip

    def visits(
        self,
        time: np.ndarray,
        rv: np.ndarray,
        rv_error: np.ndarray,
        instrument: Sequence[Any] | None = None,
    ) -> Visits:
        """The visits of one star as the core takes them.

        Parameters
        ----------
        time, rv, rv_error : ndarray
            In d, of any origin, and km/s, shape (visit,).
        instrument : sequence, optional
            The label of each visit's instrument, among those of the spec.

        Raises
        ------
        ValueError
            If an instrument is not among those of the spec.
        """
        number = np.zeros(len(time), int) if instrument is None else self._numbers(instrument)
        since = time - np.min(time)
        given = since, number, len(self.instruments)
        columns = np.hstack([term.columns(*given) for term in self.terms])
        scatters = self.scatter.numbers(number)
        return Visits(since, rv, rv_error, *self.moments, columns, scatters, None, self._scale)

    def _numbers(self, instrument):
        labels = np.asarray(list(instrument))
        number = np.searchsorted(self.instruments, labels)
        number = np.minimum(number, len(self.instruments) - 1)
        unknown = sorted(set(labels[self.instruments[number] != labels].tolist()))
        if unknown:
            raise ValueError(
                f"instruments {unknown} are not among those given, {self.instruments.tolist()};"
                " expected survey_spec(instruments=[...]) with all that any star was visited with"
            )
        return number

    @property
    def _scale(self):
        (first,) = (term for term in self.terms if isinstance(term, Amplitudes))
        return first.of_frequency

    def describe(self, visits: Visits, compiled: bool = True) -> dict[str, Any]:
        """The star's orbit, a dict of numbers and of short lists, with the names of ``columns``.

        Parameters
        ----------
        visits : `~astro_hier.core.orbit.Visits`
            As from ``visits``: times count from the star's first visit.
        compiled : bool, optional
            Whether circles are searched for in compiled loops, if numba is there. They take
            priors that are uniform in ln P.

        Returns
        -------
        dict
            Results as of ``SB1Binary.modes`` and ``SB1Binary.elements``, and of the posterior's
            attributes; those called low and high are 16th and 84th percentiles within the most
            probable mode. ``P`` is the median there and ``P_map`` the period of the highest
            likelihood, ``K`` of a circle that of the best orbit, and ``e`` and ``K`` of an ellipse
            medians. ``v0``, ``t_peri``, ``t_conj`` (in d from the first visit, the passages nearest
            the weighted mean time), ``omega``, trend and offsets are those of the best orbit.
            ``K_upper`` is the 95 percent upper limit, whatever the period. Lists have at most 8
            modes, the most probable first.

        Raises
        ------
        ArithmeticError, ValueError
            If the posterior of the period cannot be resolved.
        """
        visits = replace(visits, compiled=compiled and compiling.is_available())
        given = visits, self.scatter, self.known
        if self.prior is not None:
            found, best, linear = described.ellipse(*given, self.prior, self.n_fitted(visits))
        else:
            found, best, linear = described.circle(*given, self.period, self.n_fitted(visits))
        found |= described.passages(self.orbit, best, visits)
        names = [column.label for column in terms.linear(self.terms, self.instruments)]
        found |= {name: float(of) for name, of in zip(names[2:], linear[2:], strict=True)}
        return {name: _plain(found[name]) for name in self.columns}

    def n_fitted(self, visits: Visits) -> int:
        """Number of parameters that were fitted to a star's visits."""
        order = sum(len(term.parameters) for term in self.terms if isinstance(term, terms.Trend))
        offsets = visits.columns[:, order:] if visits.columns is not None else np.zeros((1, 0))
        count = len(np.unique(offsets, axis=0)) if offsets.shape[1] else 1
        n_linear = sum(term.n_adjusted(count) for term in self.terms)
        return self.n_shape + n_linear + self.scatter.n_adjusted(count)


def survey_spec(model, instruments: Sequence[Any] | None = None) -> StarSpec:
    """What the same work on every star of a catalogue needs of this model.

    Parameters
    ----------
    instruments : sequence, optional
        Labels of all instruments of the catalogue, needed with ``instrument=``.

    Returns
    -------
    StarSpec
        Its ``describe`` takes the visits of a star.

    Raises
    ------
    ValueError
        If arguments do not go together, or the instruments are not known.
    astro_hier.priors.PriorError
        If a linear parameter has a prior that is not normal.
    TypeError
        If a prior is of a class of your own that is not registered for files.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import SB1Binary, priors
    >>> star = SB1Binary(P=priors.LogUniform(1 * u.day, 100 * u.day))
    >>> spec = star.survey_spec()
    """
    model.check_arguments()
    if (instruments is None) != (model.instrument is None):
        raise ValueError(
            f"instruments={instruments!r} and instrument={model.instrument!r}; expected both, the"
            " labels of all instruments and the name of their column, or neither"
        )
    labels = np.unique([""] if instruments is None else list(instruments))
    frozen, known = model.frozen_priors(), model.scatter.known(len(labels))
    period, prior = prior_of_period(model), None
    if model.is_eccentric:
        scatter = 0.0 if known is None or model.scatter.is_known else known.prior
        table = EccentricityTable.of(frozen["e"])
        prior = OrbitPrior(period, table, model.amplitudes.scale, scatter)
    free = model.free_names()
    return StarSpec(
        _arguments(model, labels), model.orbit, model.terms, model.scatter, labels,
        terms.moments(model.terms, labels),
        sum(p.name in free for p in model.orbit.parameters), period, known, prior,
    )  # fmt: skip


def _arguments(model, labels):
    given = {name: of for name, of in model.get_params().items() if name not in NOT_OF_RESULTS}
    said = {
        "model": type(model).__name__,
        "arguments": {name: encoding.encode(of) for name, of in given.items()},
        "instruments": labels.tolist(),
    }
    return json.dumps(said, sort_keys=True)


def _plain(of):
    """A number, or a list of numbers."""
    return of if isinstance(of, str) else np.asarray(of).tolist()
