"""Scales in place of their logarithms, where the data resolve them.

A scale s is sampled as ln s, and follows from it under a name of its own: ``sigma_v`` from
``ln_sigma_v``, ``sigma1`` from ``lnsigma1``. Where the posterior of ln s is narrow, s is what
people speak of. Where it is broad, and where errors may hide s altogether, only ln s shows how far
it reaches towards zero.
"""

from typing import Any

__all__ = ["scales_by_log", "scales_of"]

RESOLVED = 0.7  # standard deviation of ln of a scale, below which the scale itself is shown


def scales_by_log(model: Any) -> dict[str, str]:
    """Names of all scales of a fit by the names of their logarithms."""
    known = {p.name for p in model.parameters if not p.dims} & set(model.posterior)
    by_log = {name: name.removeprefix("ln").removeprefix("_") for name in known}
    return {name: scale for name, scale in by_log.items() if scale != name and scale in known}


def scales_of(model: Any) -> dict[str, str]:
    """Those scales that the fit resolves."""
    posterior = model.posterior
    hidden = None if posterior.attrs.get("resolved", 1) else model.scale
    return {
        name: scale for name, scale in scales_by_log(model).items()
        if scale != hidden and float(posterior[name].std()) < RESOLVED
    }  # fmt: skip
