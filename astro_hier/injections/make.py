r"""Injected orbits: which of them a survey's own selection would have kept.

An orbit is drawn with a density p that is flat in ln P over a range, of a given prior in e, and as
the model has it in all else: the semi-amplitude K is Rayleigh by the prior of the amplitudes, the
argument of periastron and the phase are uniform,

    p(ln P, e) = p(e) / ln(P_high / P_low).

It is put on the visits of a star of the survey that is picked at random, each star with the same
chance; the velocities get the noise of their errors, and the user's own function says whether such
a star is kept. For a population of density g(ln P, e), the share of its stars that are kept is the
mean over all injections, kept or not, of g / p times one if it was kept, else zero (Mandel, Farr &
Gair 2019, MNRAS 486, 1086, eq. 7). So a table of those kept, with their p and the number of all, is
what `astro_hier.BinaryPopulation` needs to infer the population before the selection.

Stars without companions, of constant velocities, are simulated in the same way.
"""

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from tqdm.auto import tqdm

from astro_hier import priors
from astro_hier.annotations import ColumnsLike, PeriodRange, PriorLike, TableLike
from astro_hier.given import RandomState, generator
from astro_hier.injections.orbits import KMS, Orbits, Proposal
from astro_hier.injections.survey import Survey

DELAY = 2.0  # s, after which a progress bar appears


def make_injections(
    visits_table: TableLike,
    kept: Callable[[QTable], bool],
    n: int = 10_000,
    *,
    period_range: PeriodRange,
    eccentricity: PriorLike | None = None,
    circular: float = 0.0,
    amplitude: priors.Prior = priors.Normal(0 * KMS, 100 * KMS),
    v0: PriorLike = priors.Normal(0 * KMS, 150 * KMS),
    jitter: PriorLike = 0 * KMS,
    columns: ColumnsLike = None,
    random_state: RandomState = None,
    progressbar: bool = True,
) -> QTable:
    """Injected orbits that a selection keeps, for the ``selection`` of a population.

    Parameters
    ----------
    visits_table : `~astropy.table.Table`
        Radial velocities of all stars that were observed, whether they were kept or not, one row
        per visit, as `~astro_hier.BinaryPopulation` reads them. Of the velocities only the unit
        matters.
    kept : callable
        ``kept(star)`` says whether a star is selected, True or False. It gets a
        `~astropy.table.QTable` with the visits of one simulated star: the columns of star, time,
        velocity and its error, with the names and units of ``visits_table``.
    n : int, optional
        Number of orbits injected, and of stars of constant velocity.
    period_range : tuple of `~astropy.units.Quantity`
        Shortest and longest period, those that the model searches.
    eccentricity : `~astro_hier.priors.Prior`, optional
        Distribution that eccentricities are drawn from; by default all orbits are circles. It
        should be nowhere much lower than the populations to be inferred.
    circular : float, optional
        Share of the orbits that are circles all the same, for populations that have both.
    amplitude : `~astro_hier.priors.Normal` or `~astro_hier.priors.PeriodScaled`, optional
        Prior of both amplitudes, with mean 0, as in `~astro_hier.SB1Binary`. It must be that of
        the model.
    v0 : `~astro_hier.priors.Prior`, optional
        Distribution of systemic velocities.
    jitter : `~astropy.units.Quantity` or `~astro_hier.priors.Prior`, optional
        Scatter beyond the stated errors, added to them in quadrature.
    columns : dict or str, optional
        Names of the columns, as for `~astro_hier.BinaryPopulation`.
    random_state : None, int, `numpy.random.Generator`, optional
        Seed or source of randomness.
    progressbar : bool, optional
        Whether to show progress if it takes longer than two seconds.

    Returns
    -------
    `~astropy.table.QTable`
        The orbits kept, with columns P (d), e (0 for circles), K (km/s) and density, the
        dN / dlnP of circles and dN / dlnP de of others that they were drawn from. ``meta`` holds
        ``injected`` (n), ``kept_without_companion`` (the share of stars of constant velocity that
        are kept), ``simulated_without_companion`` (how many were simulated), ``period_range``
        (d) and ``amplitude``.

    Raises
    ------
    ValueError
        If an argument cannot be used, ``kept`` returns neither True nor False, or no orbit is kept.
    TableError
        If the table cannot be used.
    PriorError
        If a prior cannot be used.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from astro_hier import datasets, priors
    >>> from astro_hier.injections import make_injections
    >>> visits = datasets.make_binaries(20, random_state=1)
    >>> def kept(star):
    ...     return np.ptp(star["rv"]) > 10 * u.km / u.s
    >>> found = make_injections(
    ...     visits, kept, 500, period_range=(1 * u.day, 1000 * u.day),
    ...     amplitude=priors.Normal(0 * u.km / u.s, 10 * u.km / u.s),
    ...     random_state=1,
    ... )
    >>> 250 < len(found) < 500, found.meta["injected"]
    (True, 500)
    """
    if not callable(kept):
        raise ValueError(
            f"kept={kept!r}; expected a function of the table of one star that returns whether it"
            " is selected, True or False"
        )
    n = _count(n)
    proposal = Proposal.of(period_range, eccentricity, circular, amplitude, v0, jitter)
    survey = Survey.of(visits_table, columns)
    rng = generator(random_state)
    orbits = proposal.draw(n, rng)
    chosen = _kept(survey, kept, orbits, rng, progressbar, "orbits")
    if not chosen.any():
        raise ValueError(
            f"none of {n} injected orbits was kept; expected some: check the units and column names"
            f" that kept= relies on ({survey.table.colnames}), or increase n"
        )
    constant = replace(proposal.draw(n, rng), K=np.zeros(n))
    share = _kept(survey, kept, constant, rng, progressbar, "constant stars").mean()
    return _table(orbits, chosen, share, proposal, amplitude)


def _count(n):
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
        raise ValueError(f"n={n!r}; expected the number of orbits to inject, one or more")
    return int(n)


def _kept(
    survey: Survey,
    kept: Callable[[QTable], bool],
    orbits: Orbits,
    rng: np.random.Generator,
    progressbar: bool,
    desc: str,
) -> np.ndarray:
    """Which of the orbits the user's function keeps, shape (orbit,)."""
    stars = tqdm(
        survey.simulate(orbits, rng), total=len(orbits.P), unit="star", desc=desc,
        disable=not progressbar, delay=DELAY,
    )  # fmt: skip
    return np.array([_verdict(kept(star)) for star in stars])


def _verdict(value: Any) -> bool:
    """What the user's function said, which may also be NumPy's or a masked True or False."""
    found = np.asarray(getattr(value, "unmasked", value))
    if found.shape or found.dtype != bool:
        raise ValueError(
            f"kept(star) returned {value!r}; expected True or False, whether the star is selected"
        )
    return bool(found)


def _table(orbits, chosen, share, proposal, amplitude):
    """The orbits that were kept, with what a population needs to know of the others."""
    n = len(chosen)
    return QTable(
        {
            "P": orbits.P[chosen] * u.day,
            "e": orbits.e[chosen],
            "K": orbits.K[chosen] * KMS,
            "density": orbits.density[chosen],
        },
        meta={
            "injected": n,
            "kept_without_companion": float(share),
            "simulated_without_companion": n,
            "period_range": np.exp(proposal.log_ends) * u.day,
            "amplitude": repr(amplitude),
        },
    )
