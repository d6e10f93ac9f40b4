"""The arguments of an estimator as JSON values, and back, without running any code."""

import re
from dataclasses import fields

import astropy.units as u
import numpy as np
from astropy.table import QTable, Table

from astro_hier import priors
from astro_hier.netcdf import ContentError

__all__ = ["decode", "encode", "register"]

# By name, the classes whose instances a saved file may hold as arguments, besides plain values.
# Each instance is rebuilt from its attributes.
PRIORS = {name: getattr(priors, name) for name in priors.__all__ if name != "PriorError"}
SAVED = dict(PRIORS)


def register(cls, name=None):
    """Allow instances of a dataclass, whose fields can be saved, in saved files.

    Call this before saving and before loading.

    Parameters
    ----------
    cls : type
        A dataclass, such as your own population.
    name : str, optional
        Its name in files; by default the names of its module and class, in which case it must not
        be moved.

    Returns
    -------
    type
        ``cls``, so that this can decorate it.

    Raises
    ------
    ValueError
        If a prior of this package has the name.
    """
    name = name or f"{cls.__module__}.{cls.__name__}"
    if name in PRIORS and cls is not PRIORS[name]:
        raise ValueError(
            f"files call a prior of astro_hier {name!r}; expected another name for {cls.__name__},"
            f" such as 'my.{name}'"
        )
    SAVED[name] = cls
    return cls


def encode(value):
    """An estimator's argument as a JSON value."""
    for name, cls in SAVED.items():
        if type(value) is cls:
            return {"instance": name, "of": encode(_fields(value))}
    if isinstance(value, u.UnitBase):
        return {"unit": value.to_string()}
    if isinstance(value, u.Quantity):
        return {"value": value.value.tolist(), "unit": value.unit.to_string()}
    if isinstance(value, Table):
        columns = {name: encode(_column(value[name])) for name in value.colnames}
        return {"table": columns, "meta": encode(dict(value.meta))}
    if isinstance(value, dict):
        return {"dict": {key: encode(item) for key, item in value.items()}}
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, np.generic):
        return value.item()
    if value is not None and not isinstance(value, (bool, int, float, str, list)):
        kind = type(value).__name__
        cure = f"if {kind} is your own dataclass, call astro_hier.posterior.register({kind})"
        if callable(value):
            cure = (
                "files do not hold code: make it a callable dataclass, and call"
                " astro_hier.posterior.register with its class"
            )
        raise TypeError(f"{value!r} cannot be saved; {cure} and save again")
    return value


def _column(column):
    """A column of a table as a Quantity or as a list."""
    return column if isinstance(column, u.Quantity) else np.asarray(column).tolist()


def _fields(value):
    """The fields that a dataclass is rebuilt from, without anything it computed from them."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def decode(value):
    if not isinstance(value, dict):
        return value
    if "instance" in value:
        return _instance(value["instance"], decode(value["of"]))
    if "value" in value:
        return np.array(value["value"], dtype=float) * _unit(value["unit"])
    if "table" in value:
        columns = {name: decode(of) for name, of in value["table"].items()}
        return QTable(columns, meta=decode(value["meta"]))
    if "unit" in value:
        return _unit(value["unit"])
    if "tuple" in value:
        return tuple(decode(item) for item in value["tuple"])
    return {key: decode(item) for key, item in value["dict"].items()}


def _instance(name, attributes):
    if name not in SAVED:
        raise ContentError(
            f"holds a {name}, which is not known here: import the class and call"
            f" astro_hier.posterior.register(CLASS, {name!r}), then load again"
        )
    try:
        return SAVED[name](**attributes)
    except Exception as error:
        raise ContentError(
            f"holds a {name} that cannot be rebuilt: {error}; it was saved by another version of"
            " that class"
        ) from error


def _unit(text):
    """The unit with a given name, unless it has powers of thousands of digits."""
    if re.search(r"\d{4,}", re.sub(r"^[\d.]+(e[+-]?\d+)? ", "", text)):
        raise ContentError(f"holds an unlikely unit, {text!r}")
    return u.Unit(text)
