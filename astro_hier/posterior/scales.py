"""Scales in place of their logarithms, where the data resolve them.

A scale s is sampled as ln s, and follows from it under a name of its own: ``sigma_v`` from
``ln_sigma_v``, ``sigma1`` from ``lnsigma1``. Where the posterior of ln s is narrow, s is what
people speak of. Where it is broad, and where errors may hide s altogether, only ln s shows how far
it reaches towards zero.
"""

from typing import Any

__all__ = ["scales_of"]

RESOLVED = 0.7  # standard deviation of ln of a scale, below which the scale itself is shown


def scales_of(model: Any) -> dict[str, str]:
    """Names of the scales that a fit resolves, by the names of their logarithms."""
    posterior = model.posterior
    known = {p.name for p in model.parameters if not p.dims} & set(posterior)
    by_log = {name: name.removeprefix("ln").removeprefix("_") for name in known}
    hidden = set() if posterior.attrs.get("resolved", 1) else {model.scale}
    return {
        name: scale for name, scale in by_log.items()
        if scale != name and scale in known - hidden and float(posterior[name].std()) < RESOLVED
    }  # fmt: skip
