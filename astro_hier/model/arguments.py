"""The arguments of an estimator, as in scikit-learn."""

import inspect
from typing import Any, Self

from astropy.table import Table

__all__ = ["Arguments", "said"]


class Arguments:
    """Arguments, which are stored as given, and can be shown and changed."""

    columns: dict | None
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
        """
        return {name: getattr(self, name) for name in self._argument_names()}

    def set_params(self, **params: Any) -> Self:
        """Change arguments. Returns self.

        Results of an earlier fit are discarded, because they belong to the old arguments.
        """
        unknown = sorted(set(params) - set(self._argument_names()))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no arguments {unknown}; it has {self._argument_names()}"
            )
        for name, value in params.items():
            setattr(self, name, value)
        if params:
            vars(self).pop("_inference_data", None)
            vars(self).pop("_prepared", None)
        return self

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={said(of)}" for name, of in self.get_params().items())
        return f"{type(self).__name__}({arguments})"


def said(value: Any) -> str:
    """An argument in words: not all rows of a table."""
    return f"<table of {len(value)} rows>" if isinstance(value, Table) else repr(value)
