"""Draws of each object, with their densities under the prior of their making, and weights."""

from collections.abc import Mapping

import astropy.units as u
import numpy as np
from astropy.table import Table

from astro_hier import checks
from astro_hier.models.sample_population.forms import Entries
from astro_hier.models.sample_population.objects import Objects, find_objects, leave_out
from astro_hier.models.sample_population.quantities import (
    check_shape,
    entries_of,
    in_unit,
    invalid,
    said,
    unit_of,
)
from astro_hier.models.sample_population.roles import Place, roles_of, samples_roles
from astro_hier.table import Rows, TableError
from astro_hier.table.placeholders import standing_out
from astro_hier.table.roles import ROWS_SHOWN

__all__ = ["read_draws"]

MIN_DRAWS = 2  # of an object


def read_draws(
    table: Table,
    names: tuple[str, ...],
    given: Mapping[str, u.UnitBase | None],
    places: dict[str, Place],
    on_invalid: str,
) -> tuple[Rows, dict[str, u.UnitBase]]:
    """One row for each draw that is not padding, the rows of an object together."""
    own, read = samples_roles(names), entries_of(table, places)
    for role in read:
        check_shape(read, places, role, own[0])
    label = places["object"][0] if "object" in places else None
    objects = find_objects(table, label, read[own[0]].single, on_invalid)
    units = {
        name: unit_of(table[places[role][0]], read[role].unit, places[role], role, given.get(name))
        for name, role in zip(names, own, strict=True)
    }
    roles = {role.name: role for role in roles_of("draws", names, units)}
    order = _order(objects, [read[role] for role in own])
    of = objects.number[read[own[0]].of][order]
    values = {
        role: in_unit(table, entries, places[role], roles[role])[order]
        for role, entries in read.items()
    }
    found = [invalid(places[role], role, values[role]) for role in values]
    bad = leave_out(found, objects, of, "draws", on_invalid)
    of, values = of[~bad], {role: values[role][~bad] for role in values}
    _check_numbers(objects, of, said(places[own[0]], own[0]), bool(bad.any()))
    for role in own:
        _warn_of_placeholders(objects, of, values[role], roles[role], said(places[role], role))
    if "weight" in values:
        _check_weights(objects, of, values["weight"], said(places["weight"], "weight"))
    return Rows({"object": objects.labels[of], **values}), units


def _order(objects: Objects, draws: list[Entries]) -> np.ndarray:
    """Indices of the entries that are draws of an object, those of each object together.

    Entries that are masked in the draws of all quantities are padding, unless there is one in each
    row, where they are missing.
    """
    first = draws[0]
    of = objects.number[first.of]
    used = of >= 0
    if not first.single:
        used &= ~np.all([entries.absent for entries in draws], axis=0)
    kept = np.flatnonzero(used)
    return kept[np.argsort(of[kept], kind="stable")]


def _warn_of_placeholders(objects, of, values, role, place):
    """Warn of draws that lie far from all others, before a fit that would follow them."""
    out = np.flatnonzero(standing_out(values, role))
    if not out.size:
        return
    rest = np.delete(values, out)
    shown = ", ".join(
        f"{values[i]:.7g} of object {objects.labels[of[i]]}" for i in out[:ROWS_SHOWN]
    )
    checks.warn(
        f"draws in {place} lie far from all others, which are from {rest.min():.4g} to"
        f" {rest.max():.4g}: {shown}: if they stand for missing values, or are wrong, remove them"
    )


def _check_numbers(objects: Objects, of: np.ndarray, place: str, dropped: bool) -> None:
    """Raise a TableError if an object has too few draws."""
    counts = np.bincount(of, minlength=len(objects.labels))
    few = np.flatnonzero(counts < MIN_DRAWS)
    if not few.size:
        return
    raise TableError(
        f"{place} has too few draws of {few.size} of {len(counts)} objects"
        f" ({objects.named(few, counts)}"
        + ", without those that are not valid"
        * dropped
        + f"); expected at least {MIN_DRAWS} of each: add draws, or remove these objects, if why"
        " they have none has nothing to do with the quantity"
    )


def _check_weights(objects: Objects, of: np.ndarray, weight: np.ndarray, place: str) -> None:
    """Raise a TableError if an object has no draw with a weight."""
    sums = np.bincount(of, weight, minlength=len(objects.labels))
    without = np.flatnonzero(sums == 0)
    if without.size:
        raise TableError(
            f"{place} is zero for all draws of {without.size} of {len(sums)} objects"
            f" ({objects.named(without)}); expected one or more draws of each with a weight greater"
            " than zero"
        )
