"""Results for one star: a comparison of models, modes of the period, predicted velocities."""

from collections import ChainMap
from itertools import product

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.time import Time

from astro_hier import priors
from astro_hier.annotations import EccentricityLike, JitterLike, TableLike, TrendLike
from astro_hier.models.orbits import checks as orbit_checks
from astro_hier.models.orbits.velocity import KMS
from astro_hier.models.sb1_binary.data import prior_of_period
from astro_hier.posterior import UnitLike, in_units, quantity_in

CONSTANT, CIRCULAR, ECCENTRIC = "constant velocity", "circular orbit", "eccentric orbit"
FORMATS = {"probability": ".4f", "P": ".9g", "e": ".4f"}
NO_ORBIT = (
    "the velocities do not show an orbit: K is the amplitude that fits best at these periods, less"
    " than the mean of the draws; elements() has their median, and 95 percent are below K_upper"
)
NO_MODEL = (
    "none of these models explains the velocities within the stated errors: their probabilities say"
    " nothing about models that are not listed, such as second companions, which a jitter stands in"
    " for"
)


def compare(
    model,
    table: TableLike,
    *,
    jitter: JitterLike = None,
    trend: TrendLike | None = None,
    eccentricity: EccentricityLike = None,
) -> Table:
    """How probable the data are with and without an orbit, eccentricity, a trend and a jitter.

    This neither needs nor changes a fit. Evidences depend on the priors: on those of the orbit's
    period, amplitudes and eccentricity, of the jitter and of the trend.

    Parameters
    ----------
    table : `~astropy.table.Table`
        As for ``fit``.
    jitter : `~astro_hier.priors.Prior` or `~astropy.units.Quantity`, optional
        Prior on the scatter beyond the stated errors, or its value; by default this estimator's,
        or LogUniform(0.01, 10) in km/s if it has none.
    trend : int or tuple of `~astro_hier.priors.Prior`, optional
        Like the argument of the same name; by default this estimator's, or if it has none 1, with
        the prior Normal(0, 10) in km/s/yr. With 0, no trend is tried.
    eccentricity : True, False, `~astro_hier.priors.Prior` or float, optional
        Like the argument of the same name; by default this estimator's, or if its orbits are
        circular True. With False, eccentric orbits, which take by far the longest, are not tried.

    Returns
    -------
    `~astropy.table.Table`
        Columns model, log_evidence, log_bayes_factor (ln of the evidence over that of the best
        model), probability (if all models were equally probable beforehand) and p_chi2 (the tail
        probability of chi2 at the best parameters; NaN with an inferred jitter, which explains any
        scatter), with one row for each model. The probabilities only compare these models with
        each other; ``meta["note"]`` says so if none of them explains the velocities within the
        stated errors. ``meta["probability_orbit"]`` is that of all models with an orbit, and
        ``meta["probability_eccentric"]`` that of the eccentric ones among these.

    Raises
    ------
    TableError
        If the table cannot be used.
    astro_hier.priors.PriorError
        If a linear parameter has a prior that is not normal, or a and b have different priors,
        which an eccentric orbit does not allow.

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> found = SB1Binary().compare(visits, trend=0, eccentricity=False)
    >>> print(found["model"][found["probability"].argmax()])
    circular orbit
    """
    rows = []
    for chosen in product(*_rivals(model, jitter, trend, eccentricity)):
        names, changes = zip(*chosen, strict=True)
        other = type(model)(**{**model.get_params(), **dict(ChainMap(*changes))})
        data = other.prepare(other.read(table), progressbar=False)
        rows.append(("".join(names), data.log_evidence, data.best_p_chi2()))
    found = Table(rows=rows, names=("model", "log_evidence", "p_chi2"))
    found["log_bayes_factor"] = found["log_evidence"] - found["log_evidence"].max()
    weight = np.exp(found["log_bayes_factor"])
    found["probability"] = weight / weight.sum()
    for name, digits in (("log_evidence", 2), ("log_bayes_factor", 2), ("probability", 4)):
        found[name].info.format = f".{digits}f"
    found["p_chi2"].info.format = ".2g"
    known = found["p_chi2"][np.isfinite(found["p_chi2"])]
    if len(known) and known.max() < orbit_checks.MIN_P:
        found.meta["note"] = NO_MODEL
    _add_shares(found)
    return found["model", "log_evidence", "log_bayes_factor", "probability", "p_chi2"]


def _rivals(model, jitter, trend, eccentricity):
    """Orbits, trends and jitters to combine: names, and changes of the model's arguments."""
    if jitter is None:
        jitter = model.jitter
    if jitter is None:
        jitter = priors.LogUniform(0.01 * KMS, 10 * KMS)
    if trend is None:
        trend = model.trend or 1
    if eccentricity is None:
        eccentricity = model.eccentricity if model.is_eccentric else True
    period = float(prior_of_period(model).median()) * u.day
    circular = {"eccentricity": None}
    # no amplitude, at any period
    constant = {"P": period, "a": 0 * KMS, "b": 0 * KMS, "amplitude": None, **circular}
    orbits = (
        (CONSTANT, constant),
        (CIRCULAR, circular),
        (ECCENTRIC, {"eccentricity": eccentricity}),
    )
    trends = (("", {"trend": 0}), (" + trend", {"trend": trend}))
    return (
        orbits[:2] if eccentricity is False else orbits,
        trends if trend else trends[:1],
        (("", {"jitter": None, "shared_jitter": False}), (" + jitter", {"jitter": jitter})),
    )


def _add_shares(found):
    """Probabilities of kinds of orbits, in the table's ``meta``."""
    share = {
        kind: float(sum(p for name, p in found.iterrows("model", "probability") if kind in name))
        for kind in (CIRCULAR, ECCENTRIC)
    }
    orbit = sum(share.values())
    found.meta["probability_orbit"] = orbit
    if any(ECCENTRIC in name for name in found["model"]):
        # where no orbit has any probability, that of an eccentric one is not defined
        found.meta["probability_eccentric"] = share[ECCENTRIC] / orbit if orbit > 0 else np.nan


def modes(model, min_probability: float = 1e-3, unit: UnitLike = None) -> Table:
    """The periods that the data allow, the most probable first.

    Two maxima of the likelihood of a circle's period are two modes if it falls to a tenth of the
    lower one between them. Two eccentric orbits are of one mode unless between their frequencies
    there is a gap of half a cycle over the baseline, or between their eccentricities a valley of a
    tenth of the lower maximum.

    Parameters
    ----------
    min_probability : float, optional
        Modes of lower probability are left out; ``meta["probability_left_out"]`` is their sum.
    unit : unit, list or dict, optional
        Units of the columns, as in `summary`.

    Returns
    -------
    `~astropy.table.Table`
        Columns probability, P and P_sd (mean and standard deviation in the mode), for eccentric
        orbits also e and e_sd, and K, the semi-amplitude of the best orbit, averaged over the mode.
        ``meta`` also tells whether there is an orbit, and whether its period is known, with
        ``ln_bayes_factor``, ``K_upper`` and ``period_information`` from the posterior's attributes;
        ``meta["note"]`` says what K then is if there is none.

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> print(len(star.modes()), "period")
    1 period
    """
    table = Table(model.fitted_data().mode_table())
    table = table[np.argsort(-table["probability"], kind="stable")]
    for name in table.colnames:
        table[name].info.format = FORMATS.get(name, ".4g")
    listed = table["probability"] >= min_probability
    table.meta["probability_left_out"] = float(table["probability"][~listed].sum())
    for name in ("ln_bayes_factor", "K_upper", "period_information"):
        if name in model.posterior.attrs:
            table.meta[name] = model.posterior.attrs[name]
    if table.meta.get("ln_bayes_factor", np.inf) < orbit_checks.MIN_LN_BAYES:
        table.meta["note"] = NO_ORBIT
    return in_units(model, table[listed], unit)


def predict(model, times: u.Quantity | Time | None = None, unit: UnitLike = None) -> u.Quantity:
    """Radial velocity of every draw at given times, without measurement errors.

    Parameters
    ----------
    times : `~astropy.units.Quantity` or `~astropy.time.Time`, optional
        Times of the same kind as the table's, shape (time,); by default those of the visits.
    unit : unit, list or dict, optional
        The unit of the result, or several as in `summary`; by default km/s.

    Returns
    -------
    `~astropy.units.Quantity`
        Velocities, shape (chain * draw, time): in the frame of each visit's instrument by
        default, and in that of the first instrument at given times.

    Raises
    ------
    TableError
        If the times are not of the table's kind.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> star.predict().shape
    (4000, 10)
    >>> star.predict(visits["time"][0] + [0, 1, 2] * u.day, unit="m/s").shape
    (4000, 3)
    """
    data = model.fitted_data()
    if times is None:
        found = data.velocity(draws_of(model))
    else:
        found = data.velocity_at(np.atleast_1d(data.epoch.since(times)), draws_of(model))
    return quantity_in(model, "rv", found * KMS, unit)


def draws_of(model) -> dict[str, np.ndarray]:
    """All draws of all parameters, floats by name."""
    return {p.name: model.samples(p.name).value for p in model.parameters}
