"""Errors of the rows: as stated, or all scaled by one factor.

The true error of a row is the stated one times ``error_scale``, which is given or inferred.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import astropy.units as u

from astro_hier import priors
from astro_hier.checks import Finding
from astro_hier.models import goodness
from astro_hier.part import Part
from astro_hier.posterior import Parameter

__all__ = ["ErrorScale", "StatedErrors", "as_errors"]


@dataclass(frozen=True)
class StatedErrors(Part):
    """The errors are those of the table."""

    guess: ClassVar[dict[str, float]] = {}  # where a fit starts

    def true(self, stated: Any, theta: Mapping[str, Any]) -> Any:
        """True errors from the stated ones, which broadcast with the arrays of theta."""
        return stated

    def remedies(self, narrow: bool) -> list[tuple[str, str]]:
        """Remedies by way of the errors, for rows that scatter too little (narrow) or too much."""
        return [goodness.other_errors(narrow)]

    def checks(self, values: Mapping[str, Any], other: list[tuple[str, str]]) -> list[Finding]:
        """Whether the errors are far from the stated ones; ``other`` are further remedies."""
        return []


@dataclass(frozen=True)
class ErrorScale(StatedErrors):
    """All errors are the stated ones times one factor.

    Parameters
    ----------
    error_scale : `~astro_hier.priors.Prior` or float
        The factor, a number, or a prior on it.
    """

    error_scale: priors.Prior | float

    parameters = (
        Parameter(
            "error_scale", u.one, r"f_\sigma", "true errors over stated errors", positive=True
        ),
    )
    guess: ClassVar[dict[str, float]] = {"error_scale": 1.0}

    def true(self, stated, theta):
        return theta["error_scale"] * stated

    def remedies(self, narrow):
        return []

    def checks(self, values, other):
        if isinstance(priors.as_prior(self.error_scale), priors.Fixed):
            return []
        return [goodness.check_error_scale(values["error_scale"].mean(), other)]


def as_errors(error_scale: priors.Prior | float | None) -> StatedErrors:
    """The errors that a model's argument ``error_scale`` stands for."""
    return StatedErrors() if error_scale is None else ErrorScale(error_scale)
