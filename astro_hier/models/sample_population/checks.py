"""Checks of a population of samples: whether its Monte Carlo sums can be trusted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import Table

from astro_hier import checks
from astro_hier.checks import Finding
from astro_hier.core.floats import Theta
from astro_hier.core.hamiltonian import LARGEST_R_HAT
from astro_hier.models.sample_population.data import Objects, thinned
from astro_hier.models.sample_population.on_grid import OnGrid
from astro_hier.models.sample_population.prepare import objects
from astro_hier.table import Role, Rows, of_table
from astro_hier.table.checks import REPEATED_ROWS
from astro_hier.table.roles import ROWS_SHOWN

MAX_VARIANCE = 1.0  # of ln of the likelihood
FEWEST_DRAWS = 10.0  # effective, of an object
LEAST = 0.01  # probability of an object within the population's range, in one of all objects
ERRORS = 5.0  # standard errors of a share above one that are not chance

VARIANCE = checks.define(
    "monte_carlo_variance",
    limit=f"at most {MAX_VARIANCE:g}",
    said="the Monte Carlo variance of ln of the likelihood is {found}, of which the objects' draws"
    " make {objects:.2g} and the injections {injections:.2g}: where it is large, the posterior"
    " follows the noise of the sums",
    python="use more draws of each object or more injections, whichever makes more of it, or a"
    " population without features that are narrower than what the draws resolve",
    shell="use a table with more draws of each object, or a population without narrow features",
)
FEW = checks.define(
    "effective_draws",
    limit=f"at least {FEWEST_DRAWS:g} for each object",
    said="{found} of the objects have fewer effective draws given the population: {which}",
    python="use more draws of these objects, or draws made under an interim prior that is nearer to"
    " the population; object_table() lists them all",
    shell="use more draws of these objects, or draws made under an interim prior that is nearer to"
    " the population; objects.ecsv lists them all",
)

R_HAT = checks.define(
    "r_hat",
    limit=f"at most {LARGEST_R_HAT:g}",
    said="the chains that draw the shares of the bins do not agree (r_hat: {found}): means and"
    " intervals may be wrong",
    python="use fewer bins, or a larger concentration",
)


SHARE = checks.define(
    "share_found",
    limit="at most 1",
    said="the injections say that {found} of the population are found, more than all: their density"
    " or number is wrong",
    python="give the density per unit of the quantity that all injections were drawn from, and in"
    " meta['injected'] the number of all of them",
)
OUTSIDE = checks.define(
    "outside_population",
    limit=f"a share of at least {LEAST:g} / number of objects",
    said="{found} of the objects lie where the population cannot have any ({range}): {which}; they"
    " count as if they were at its ends",
    python="choose a population that reaches them, widen limits=, or leave these objects out",
    shell="choose a population that reaches them, with --set population=, or leave them out",
)


def check_rows(rows: Rows, roles: Sequence[Role]) -> list[Finding]:
    """Whether objects are copies of others."""
    if "value" in rows:
        own = [role for role in roles if role.name in ("value", "error")]
        return of_table(Table({role.name: rows[role.name] * role.unit for role in own}), own)
    labels, rows_of = objects(rows)
    values = [rows[role.name] for role in roles if role.observed and role.name in rows]
    first: dict[bytes, int] = {}
    copies = []
    for n, chosen in enumerate(rows_of):
        same = first.setdefault(b"".join(of[chosen].tobytes() for of in values), n)
        if same != n:
            copies.append((same, n))
    shown = "; ".join(f"{labels[a]}, {labels[b]}" for a, b in copies[:ROWS_SHOWN])
    return [
        REPEATED_ROWS.finding(
            f"{len(copies)} of {len(labels)}",
            bool(copies),
            columns="all draws" if "density" not in rows else "the density",
            rows=f"objects {shown}",
            too_small=np.sqrt(2),
            cure=f"table.remove_rows({[b for _, b in copies]})",
        )
    ]


def diagnose(model, data: Objects, values: Theta, method: str) -> dict[str, Any]:
    """Variances of the sums, the fewest effective draws, and where the values lie."""
    theta = thinned(of_population(model, data, values))
    setting = model.setting
    numbers = {
        f"{what}_{name}": float(of)
        for what, each in (("middle", setting.middles), ("spread", setting.spreads))
        for name, of in zip(data.names, each, strict=True)
    }
    if model.selection is not None:
        kept, variance = data.kept(theta)
        numbers["share_found"] = float(kept.mean())
        numbers["selection_variance"] = float(len(data.labels) ** 2 * variance.mean())
    units = dict(zip(data.names, setting.units, strict=True))
    return (
        numbers
        | {f"unit_{name}": str(unit or "") for name, unit in units.items()}
        | {
            "log_likelihood_variance": float(data.variance(theta).mean()),
            "fewest_effective_draws": float(data.effective(theta).min()),
        }
    )


def check(model, data: Objects, values: Theta, attrs, method: str) -> list[Finding]:
    """Whether there are enough draws and injections, and whether the grids are fine enough."""
    theta = of_population(model, data, values)
    variance, injections = attrs["log_likelihood_variance"], attrs.get("selection_variance", 0.0)
    found = [
        VARIANCE.finding(
            f"{variance:.2g}",
            not variance <= MAX_VARIANCE,
            objects=max(variance - injections, 0.0),
            injections=injections,
        ),
        _effective(data, theta),
        _outside(data),
        *_share_found(attrs, len(data.labels)),
    ]
    if method == "marginal" and "r_hat" in attrs:
        r_hat = attrs["r_hat"]
        found.append(R_HAT.finding(f"{r_hat:.3f}", not r_hat <= LARGEST_R_HAT))
    return [*found, *data.levels.check(theta)] if isinstance(data, OnGrid) else found


def _share_found(attrs, number):
    """Whether the injections are found more often than is possible."""
    if "share_found" not in attrs:
        return []
    share, error = attrs["share_found"], np.sqrt(attrs["selection_variance"]) / number
    return [SHARE.finding(f"{share:.4g}", share > 1 + ERRORS * share * error)]


def _outside(data):
    """Whether objects lie beyond the values that the population can have."""
    inside = np.array([of.share(data.population.possible(of.x)) for of in data.own])
    out = np.flatnonzero(inside < LEAST / len(inside))
    which = ", ".join(f"{data.labels[n]}" for n in out[:ROWS_SHOWN])
    more = ", ..." if len(out) > ROWS_SHOWN else ""
    words = {"which": which + more, "range": data.population.range_in_words}
    return OUTSIDE.finding(f"{len(out)} of {len(inside)}", bool(len(out)), **words)


def _effective(data, theta):
    effective = data.effective(thinned(theta))
    few = np.flatnonzero(effective < FEWEST_DRAWS)
    worst = few[np.argsort(effective[few])]
    which = ", ".join(f"{data.labels[n]} ({effective[n]:.2g})" for n in worst[:ROWS_SHOWN])
    more = ", ..." if len(few) > ROWS_SHOWN else ""
    return FEW.finding(f"{len(few)} of {len(effective)}", bool(len(few)), which=which + more)


def of_population(model, data: Objects, values: Theta) -> Theta:
    """The parameters of the population among all values."""
    names = *model.sampled_names(), *model.standard_normals(data)
    return {name: values[name] for name in names}
