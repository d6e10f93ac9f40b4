"""What arguments of models may be: types that several of them share, for editors and type checkers.

Each alias has all that the documentation of an argument lists. What is wrong for other reasons,
such as a prior in another unit, is found when a model is fitted.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier.populations import Jitter, Pair, PeriodEccentricity, Population
from astro_hier.priors import Prior

__all__ = [
    "AmplitudeLike",
    "ColumnsLike",
    "CovarianceLike",
    "EccentricitiesLike",
    "EccentricityLike",
    "GridLike",
    "InterimLike",
    "JitterLike",
    "JittersLike",
    "KeepDraws",
    "LimitsLike",
    "OnInvalid",
    "PairLike",
    "PeriodRange",
    "PeriodsLike",
    "PriorLike",
    "QuantityLike",
    "SelectionLike",
    "TableLike",
    "TrendLike",
    "ZeroPointLike",
]

PriorLike: TypeAlias = Prior | u.Quantity | float  # or a value that is known
ZeroPointLike: TypeAlias = PriorLike | str | None  # or the name of a column
CovarianceLike: TypeAlias = str | Callable[[u.Quantity], u.Quantity] | None

# orbits
AmplitudeLike: TypeAlias = Prior | None
EccentricityLike: TypeAlias = PriorLike | bool | None
EccentricitiesLike: TypeAlias = Population | EccentricityLike
JitterLike: TypeAlias = PriorLike | None
JittersLike: TypeAlias = Jitter | JitterLike
TrendLike: TypeAlias = int | Sequence[PriorLike]
PeriodsLike: TypeAlias = Population | PeriodEccentricity
PeriodRange: TypeAlias = u.Quantity | tuple[u.Quantity, u.Quantity]
SelectionLike: TypeAlias = Table | None

# any quantity
PairLike: TypeAlias = Population | Pair | Sequence[Population]
QuantityLike: TypeAlias = str | Sequence[str] | Mapping[str, str | u.UnitBase | None]
InterimLike: TypeAlias = Prior | str | Sequence[Prior | str] | None
LimitsLike: TypeAlias = Sequence[u.Quantity | float | None] | Mapping[str, Sequence] | None
GridLike: TypeAlias = u.Quantity | np.ndarray | Sequence[float] | None

# tables


class DataFrame(Protocol):
    """What the data frames of pandas, polars and pyarrow have in common."""

    @property
    def columns(self) -> Any:
        """The columns, or their names."""


TableLike: TypeAlias = Table | DataFrame
Column: TypeAlias = str | list[str]  # a name, or its spellings
ColumnsLike: TypeAlias = Mapping[str, Column | tuple[Column, str | u.UnitBase] | None] | str | None
OnInvalid: TypeAlias = Literal["raise", "drop"]
KeepDraws: TypeAlias = Literal["auto"] | bool
