"""Saved fits, whichever model they are of."""

from pathlib import Path
from typing import Any

import astro_hier
from astro_hier.model import HierarchicalModel
from astro_hier.posterior import SavedFileError, estimator_in

__all__ = ["load"]


def load(path: Path) -> Any:
    """The fitted model in a file, of the class that the file names.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SavedFileError
        If it is damaged or holds something else.
    """
    name = estimator_in(path)
    found = getattr(astro_hier, name, None) if name in astro_hier.__all__ else None
    if not (isinstance(found, type) and issubclass(found, HierarchicalModel)):
        raise SavedFileError(
            f"{str(path)!r} holds a {name}, which is not a model of this package: load it in Python"
            " with the class that saved it"
        )
    return found.load(path)
