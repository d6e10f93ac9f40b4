"""The arguments of an estimator, as in scikit-learn."""

import inspect
from types import FunctionType
from typing import Any, Self

import numpy as np
from astropy.table import Table

from astro_hier.annotations import ColumnsLike
from astro_hier.spelling import did_you_mean

__all__ = ["Arguments", "said"]

MOST_SHOWN = 12  # values of an array


class Arguments:
    """Arguments, which are stored as given, and can be shown and changed."""

    columns: ColumnsLike
    on_invalid: str

    @classmethod
    def _argument_names(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of this estimator, a dict by name.

        Parameters
        ----------
        deep : bool, optional
            Ignored, for compatibility with scikit-learn: no argument is itself an estimator.

        Examples
        --------
        >>> from astro_hier import SB1Binary
        >>> SB1Binary(trend=1).get_params()["trend"]
        1
        """
        return {name: getattr(self, name) for name in self._argument_names()}

    def set_params(self, **params: Any) -> Self:
        """Change arguments. Returns self.

        Results of an earlier fit are discarded, because they belong to the old arguments.

        Examples
        --------
        >>> from astro_hier import SB1Binary
        >>> star = SB1Binary().set_params(trend=1)
        >>> star.trend
        1
        """
        unknown = sorted(set(params) - set(self._argument_names()))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no arguments {unknown}; it has {self._argument_names()}"
                + did_you_mean(unknown, self._argument_names())
            )
        for name, value in params.items():
            setattr(self, name, value)
        if params:
            vars(self).pop("_inference_data", None)
            vars(self).pop("_prepared", None)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """For scikit-learn's ``check_is_fitted``."""
        return "_inference_data" in vars(self)

    def __sklearn_tags__(self) -> Any:
        """For scikit-learn, which asks what an estimator takes: no arrays, but tables."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(None, TargetTags(required=False), input_tags=InputTags(two_d_array=False))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={said(of)}" for name, of in self.get_params().items())
        return f"{type(self).__name__}({arguments})"


def said(value: Any) -> str:
    """An argument in words: the name of a function, and not all rows of a table or array."""
    if isinstance(value, Table):
        return f"<table of {len(value)} rows>"
    if isinstance(value, np.ndarray) and value.size > MOST_SHOWN:
        return f"<array of {value.size} values from {value.flat[0]} to {value.flat[-1]}>"
    return value.__qualname__ if isinstance(value, FunctionType) else repr(value)
