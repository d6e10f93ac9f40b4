"""Units out: draws with units, and the summary table."""

from itertools import product

import numpy as np
from astropy.table import QTable, Table

__all__ = ["draws_table", "label_of", "samples", "summarise"]

CONVERGENCE = "ess_bulk", "ess_tail", "r_hat"  # the same in any unit


def samples(posterior, parameter):
    """All draws of one parameter as a Quantity of shape (chain * draw, ...)."""
    values = posterior[parameter.name].values
    return values.reshape(-1, *values.shape[2:]) * parameter.unit


def draws_table(posterior, parameters, units):
    """The draws of parameters without further dimensions, one column per parameter."""
    return QTable({p.name: samples(posterior, p).to(units.of(p.unit, p.name)) for p in parameters})


def summarise(posterior, parameters, hdi_prob, units):
    """Mean, spread, interval and convergence, one row per parameter.

    The statistics are ArviZ's: rank-normalised split R-hat, bulk and tail effective sample size
    and Monte Carlo standard errors of Vehtari et al. (2021, Bayesian Analysis 16, 667), and the
    narrowest interval that contains ``hdi_prob``. Given values have no effective sample size.
    ``units`` are those of the rows, `~astro_hier.posterior.Units`.
    """
    import arviz_stats as azs

    draws = posterior[[p.name for p in parameters]]
    dims = ("chain", "draw")
    interval = azs.hdi(draws, prob=hdi_prob)
    low, high = (f"hdi_{100 * edge:.3g}%" for edge in ((1 - hdi_prob) / 2, (1 + hdi_prob) / 2))
    # parameters given as plain values do not vary: their statistics would only reflect rounding
    varies = draws.max(dims) > draws.min(dims)
    with np.errstate(invalid="ignore"):
        columns = {
            "mean": draws.mean(dims),
            "sd": draws.std(dims, ddof=1).where(varies, 0.0),
            low: interval.isel(ci_bound=0),
            high: interval.isel(ci_bound=1),
            "mcse_mean": azs.mcse(draws, method="mean").where(varies, 0.0),
            "mcse_sd": azs.mcse(draws, method="sd").where(varies, 0.0),
            "ess_bulk": azs.ess(draws, method="bulk").where(varies),
            "ess_tail": azs.ess(draws, method="tail").where(varies),
            "r_hat": azs.rhat(draws).where(varies),
        }
    table = Table()
    table["parameter"] = [label for p in parameters for label in _labels(posterior, p)]
    rows = [p for p in parameters for _ in range(draws[p.name][0, 0].size)]
    table["unit"] = [units.of(p.unit, p.name).to_string() for p in rows]
    factor = np.array([units.factor(p.unit, p.name) for p in rows])
    for name, statistic in columns.items():
        table[name] = np.concatenate([np.ravel(statistic[p.name].values) for p in parameters])
        if name not in CONVERGENCE:
            table[name] *= factor
        table[name].info.format = ".0f" if name.startswith("ess") else ".4g"
    # enough digits to distinguish values a tenth of a standard deviation apart
    sd = np.where(table["sd"] > 0, table["sd"], np.inf)
    digits = np.log10(np.maximum(np.abs(table["mean"]) / sd, 1))
    digits = int(np.ceil(digits.max(initial=0))) + 2
    for name in ("mean", low, high):
        table[name].info.format = f".{min(digits, 15)}g"
    table["r_hat"].info.format = ".3f"
    return table


def _labels(posterior, parameter):
    if not parameter.dims:
        return [parameter.name]
    labels = product(*(posterior[dim].values for dim in parameter.dims))
    return [f"{parameter.name}[{', '.join(map(label_of, label))}]" for label in labels]


def label_of(place):
    """The label of one element of a parameter in words, such as the middle of a bin."""
    return f"{place:.12g}" if isinstance(place, float) else str(place)
