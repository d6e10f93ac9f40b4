"""Claims about docstrings: each public name and method shows how it is used.

The examples themselves run as doctests. A new public method needs one, at the end of its docstring.
"""

import inspect

import pytest
from test_public_api import WITH_METHODS, public_names

from astro_hier import PeriodLuminosity
from astro_hier.model import HierarchicalModel
from astro_hier.models.orbits.model import OrbitModel

FOR_AUTHORS = "authors of models and families write these; tutorial 5 and tests show how"
WITHOUT = {
    "Hooks": FOR_AUTHORS,
    "HierarchicalModel": FOR_AUTHORS,
    "Priors": FOR_AUTHORS,
    "Part": FOR_AUTHORS,
    "Population": FOR_AUTHORS,
    "Pair": FOR_AUTHORS,
    "Components": FOR_AUTHORS,
    "Eccentricity": FOR_AUTHORS,
    "PeriodEccentricity": FOR_AUTHORS,
    "Jitter": FOR_AUTHORS,
    "Background": FOR_AUTHORS,
    "Profile": FOR_AUTHORS,
    "define": FOR_AUTHORS,
    "register": "tests/test_files.py; what it registers would stay registered in this process",
    "RowsError": "raised for rows on disk that do not belong together",
    "SavedFileError": "raised for damaged files, as load() says",
    "fetch_apogee_binaries": "needs a file of published data",
    "roles": "each model's page lists its columns",
    "has_feh": "whether a column is in use, for parts of the model",
    "example": "the model's simulated table, documented as a function of datasets",
}
WITHIN_THE_CLASS = {"Prior", "PeriodScaled", "Check", "Finding"}  # their example shows the methods


def methods(cls):
    """Public methods of an estimator, or of a class that the list of public names opens."""
    for name in dir(cls):
        hidden = issubclass(cls, HierarchicalModel) and name in cls.for_writers
        found = inspect.getattr_static(cls, name)
        if name.startswith("_") or hidden or name in WITHOUT:
            continue
        if callable(getattr(cls, name)) or isinstance(found, property):
            yield name


def documented():
    """Each name with the docstring that a reader sees."""
    for name, obj in public_names():
        own = name.rpartition(".")[2]
        if own in WITHOUT or not callable(obj):
            continue
        yield name, inspect.getdoc(obj)
        estimator = inspect.isclass(obj) and issubclass(obj, HierarchicalModel)
        if estimator or (own in WITH_METHODS and own not in WITHIN_THE_CLASS):
            for method in methods(obj):
                yield f"{name}.{method}", inspect.getdoc(getattr(obj, method))


DOCUMENTED = dict(documented())


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_public_name_has_an_example(name):
    assert ">>> " in (DOCUMENTED[name] or ""), f"{name}: write an Examples section"


def test_exceptions_exist():
    names = {name.rpartition(".")[2] for name, _ in public_names()} | set(dir(OrbitModel))
    assert set(WITHOUT) <= names | set(dir(PeriodLuminosity))
