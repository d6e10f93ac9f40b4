"""From rows to a sample: nodes of every object, dealt to the points of grids."""

from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np

from astro_hier.core import object_nodes
from astro_hier.core.floats import TINY
from astro_hier.core.grid import Axis
from astro_hier.core.object_nodes import Mesh, Nodes
from astro_hier.core.population import STEPS_PER_WIDTH
from astro_hier.models import grids
from astro_hier.models.sample_population import injected, interim, shape
from astro_hier.models.sample_population.at_draws import AtDraws
from astro_hier.models.sample_population.data import Objects, Points
from astro_hier.models.sample_population.objects import in_order
from astro_hier.models.sample_population.on_grid import OnGrid
from astro_hier.models.sample_population.shape import Setting
from astro_hier.table import Rows, TableError
from astro_hier.table.roles import ROWS_SHOWN

NARROWEST = 1 / 3  # width that sets the first grid, in the scatter of the objects' means
NODES_PER_SPREAD = 200.0  # of densities and broad normal likelihoods, which are smooth
LEAST = 1e-12  # relative scatter that is one
HIDDEN = 0.3  # scatter of a population that errors hide, in their size
HALVINGS = 2  # of the grids, for drawing values of populations whose density does not jump
FOUR = 2**HALVINGS


def kind_of(rows: Rows) -> str:
    """What the objects were given as: "draws", "density" or "value"."""
    return next((kind for kind in ("density", "value") if kind in rows), "draws")


def setting_of(rows: Rows, units: Mapping[str, u.UnitBase], family: Any) -> Setting:
    """Units, and where the values of a sample lie.

    ``units`` are those of the quantities by name; ``family`` is the population.
    """
    names = tuple(units)
    each = [of.moments(of.log_own) for of in own_nodes(rows, names, Mesh())]
    means, sds = (np.array(of).reshape(len(each), -1) for of in zip(*each, strict=True))
    scales = shape.scales_of(family, len(names))
    found = map(_middle_and_spread, means.T, sds.T, scales)
    middles, spreads = zip(*found, strict=True)
    return Setting(tuple(units.values()), middles, spreads)


def _middle_and_spread(mean, sd, scale):
    """Mean of the objects' means, and their scatter beyond the typical error.

    Objects of large errors count less. Where the errors hide the scatter, it is a part of theirs.
    """
    if scale == "ln":
        positive = mean > 0
        mean, sd = np.log(mean[positive]), sd[positive] / mean[positive]
    if not len(mean):
        return 0.0, 1.0
    error = float(np.median(sd))
    weight = 1 / (sd**2 + max(error**2, TINY))
    middle = float(np.average(mean, weights=weight))
    total = float(np.sqrt(np.average((mean - middle) ** 2, weights=weight)))
    spread = np.sqrt(max(total**2 - error**2, (HIDDEN * max(total, error)) ** 2))
    return middle, float(spread) if spread > LEAST * abs(middle) else max(abs(middle), 1.0)


def _mesh(setting, population):
    """Where the nodes of densities are, in the quantity itself."""
    middle, spread = setting.middles[0], setting.spreads[0]
    if population.family.scale == "ln":
        middle, spread = np.exp(middle), np.exp(middle) * min(spread, 1.0)
    return Mesh(spread / NODES_PER_SPREAD, middle)


def prepare(model, rows: Rows, progressbar: bool) -> Objects:
    """The objects' nodes on grids, or the draws of two quantities as points."""
    names = tuple(shape.names_and_units(model.quantity))
    setting, population = model.setting, model.distribution
    units = tuple(unit or u.one for unit in setting.units)
    labels, rows_of = objects(rows)
    mesh = _mesh(setting, population) if len(names) == 1 else Mesh()
    kind = kind_of(rows)
    own = nodes = own_nodes(rows, names, mesh)
    if kind != "value":
        nodes = [_without_interim(model.interim, of, names, units) for of in nodes]
    nodes = [_in_population(of, population) for of in nodes]
    _check_there(nodes, labels, population)
    found = None
    if model.selection is not None:
        found = injected.read(model.selection, names, units)
        injected.check(found, own, labels, names, units)
        found = _in_population(found, population)
    form = _on_grid if len(names) == 1 else _at_draws
    error = rows["error"][np.concatenate(rows_of)] if kind == "value" else None
    return form(model, (labels, own, nodes, error, population, kind), found)


def objects(rows):
    """Labels of the objects, in the order of the table, and the rows of each."""
    labels, number = in_order(rows["object"])
    by_object = np.argsort(number, kind="stable")
    return labels, np.split(by_object, np.cumsum(np.bincount(number))[:-1])


def own_nodes(rows: Rows, names: tuple[str, ...], mesh: Mesh) -> list[Nodes]:
    """Each object's own nodes, with the interim prior still in their masses.

    If the rows hold its density at each draw, it has been divided out.
    """
    _, rows_of = objects(rows)
    kind = kind_of(rows)
    if kind == "value":
        of = zip(rows["value"], rows["error"], strict=True)
        found = [object_nodes.of_normal(value, error, mesh) for value, error in of]
        return [found[chosen[0]] for chosen in rows_of]
    if kind == "density":
        return [_of_density(rows, of, mesh) for of in rows_of]
    columns = ["samples"] if len(names) == 1 else [f"samples_{name}" for name in names]
    x = np.stack([rows[name] for name in columns], axis=1)
    return [_of_draws(rows, x[of], of) for of in rows_of]


def _of_density(rows, chosen, mesh):
    grid = rows["grid"][chosen]
    nodes = object_nodes.of_density(grid, rows["density"][chosen], mesh)
    if "interim" not in rows:
        return nodes
    return nodes.divided(np.log(np.interp(nodes.x, grid, rows["interim"][chosen])))


def _of_draws(rows, x, chosen):
    weight = rows["weight"][chosen] if "weight" in rows else np.ones(len(chosen))
    log_interim = np.log(rows["interim"][chosen]) if "interim" in rows else 0.0
    nodes = object_nodes.of_draws(x[:, 0] if x.shape[1] == 1 else x, weight)
    return nodes.divided(log_interim[weight > 0] if np.ndim(log_interim) else log_interim)


def _without_interim(given, nodes, names, units):
    if given is None or interim.column_of(given):  # the rows hold its density
        return nodes
    x = nodes.x.reshape(len(nodes.x), -1)
    return nodes.divided(interim.log_density(given, x, names, units))


def _in_population(nodes, population):
    """The nodes at which the population may have a density, with masses for its coordinate."""
    nodes = nodes.chosen(population.possible(nodes.x))
    return nodes.divided(population.log_slope(nodes.x))


def _check_there(nodes, labels, population):
    """Raise a TableError if objects have no values that the population can have."""
    without = [label for label, of in zip(labels, nodes, strict=True) if not len(of.x)]
    if without:
        shown = ", ".join(str(label) for label in without[:ROWS_SHOWN])
        raise TableError(
            f"{len(without)} of {len(labels)} objects ({shown}"
            f"{', ...' if len(without) > ROWS_SHOWN else ''}) have no values that the population"
            f" can have, {population.range_in_words}: widen limits=, choose another population, or"
            " leave these objects out"
        )


def _on_grid(model, common, found):
    _, _, nodes, _, population, _ = common
    every = [population.coordinate(of.x) for of in (*nodes, *([found] if found else []))]
    low, high = min(y.min() for y in every), max(y.max() for y in every)
    low, high = _ends(low, high, population)

    def following(width):
        steps = int(np.ceil((high - low) / width * STEPS_PER_WIDTH / FOUR))
        return Axis(low, high, FOUR * max(steps, 1) + 1)

    levels = grids.plan(
        population,
        model.frozen_priors(),
        following,
        len(nodes),
        coarse=NARROWEST * population.spread,
        of=population.coordinate_in_words,
        instead="check the unit of the prior",
    )
    finest = levels.grids[-1]
    rows = [of.row(finest, y) for of, y in zip(nodes, every, strict=False)]
    row = found.row(finest, every[-1]) if found else None
    by_level, points = [rows], [Points.of(rows, row)]
    for _ in levels.grids[1:]:
        rows, row = _coarser(rows), row.coarser() if row else None
        by_level.insert(0, rows)
        points.insert(0, Points.of(rows, row))
    coarser = 0 if population.jumps else HALVINGS
    for _ in range(coarser):
        by_level = [_coarser(rows) for rows in by_level]
    return OnGrid(*common, levels, by_level, points, coarser)


def _coarser(rows):
    return [row.coarser() for row in rows]


def _ends(low, high, population):
    """The ends of the grid: those of the values or, if they are near, of the population."""
    width = max(high - low, population.spread)
    ends = population.ends
    below = ends[0] if ends[0] > low - width else low
    above = ends[1] if ends[1] < high + width else high
    return (below, above) if above > below else (below - population.spread, above)


def _at_draws(model, common, found):
    nodes = common[2]
    every = [*nodes, *([found] if found else [])]
    number = np.array([len(of.x) for of in every])
    first = np.cumsum(number) - number
    rows = [of.row_of_points(start) for of, start in zip(every, first, strict=True)]
    points = Points.of(rows[: len(nodes)], rows[-1] if found else None)
    return AtDraws(*common, np.concatenate([of.x for of in every]), points)
