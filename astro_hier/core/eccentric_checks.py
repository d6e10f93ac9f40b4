"""What the nodes of an eccentric orbit may fall short of.

A search that lost a needle may look converged, and one that was stopped may be right: whether
all cells were split says little. What says more:

- ``effective size``: of the nodes, below `FEWEST` from `PRECISE` visits on and `FEWEST_OF_FEW`
  with fewer. Sums over nodes are rough.
- ``Pareto k``: of their weights, above `LARGEST_K`. Sums may be dominated by what was not drawn.
- ``unrefined``: the share of p(v) in cells that are not fine, above `UNREFINED` from `DECIDED`
  nights on and `UNREFINED_OF_FEW` with fewer, whose posteriors are broad.
- ``put aside``: the share in roots that were never searched, above `MOST_REST`, or
  `MOST_REST_OF_FEW`, after all searches.
- ``second search``: it disagrees by more than `DISAGREE` in ln p(v), or found this much besides.
- ``improbable chi2``: the chance of as large a least chi2, if it is less than `IMPROBABLE` and the
  scatter is known, so that no orbit fits, or takes more than `MOST_SCATTER` of the velocities'
  standard deviation, where an orbit that was missed would leave it.
"""

from typing import Any

import numpy as np
from scipy.stats import chi2 as chi2_distribution

DECIDED, IMPROBABLE, LARGE_SCATTER = 7, 1e-4, 3.0
MOST_REST, MOST_REST_OF_FEW = 0.01, 0.1
PRECISE, FEWEST, FEWEST_OF_FEW = 6, 1000, 200
LARGEST_K = 0.7
UNREFINED, UNREFINED_OF_FEW = 0.01, 0.2
DISAGREE = 0.1
MOST_SCATTER = 0.3


def largest_rest(nights: int) -> float:
    """The share of p(v) that roots put aside may hold."""
    return MOST_REST if nights >= DECIDED else MOST_REST_OF_FEW


def unlikely(nodes: Any) -> bool:
    """Whether no orbit found fits without a scatter that is large and was to be found."""
    if nodes.dof < 1 or nodes.least_chi2 < chi2_distribution.isf(IMPROBABLE, nodes.dof):
        return False
    if nodes.star.scatter.known:
        return True
    return nodes.probability @ nodes.scatter > LARGE_SCATTER * np.median(nodes.visits.rv_error)


def shortcomings(nodes: Any) -> list[tuple[str, float]]:
    """Names and values of what `EccentricNodes` fall short of, see above; empty if of nothing."""
    few = nodes.nights < DECIDED
    precise = len(nodes.visits.time) >= PRECISE
    found = [
        ("effective size", nodes.effective_size, FEWEST if precise else FEWEST_OF_FEW, -1),
        ("Pareto k", nodes.pareto_k, LARGEST_K, 1),
        ("unrefined", nodes.unrefined, UNREFINED_OF_FEW if few else UNREFINED, 1),
        ("put aside", nodes.rest, largest_rest(nodes.nights), 1),
        ("second search", nodes.log_ratio, DISAGREE, 1),
    ]
    short = [(name, value) for name, value, limit, sign in found if sign * (value - limit) > 0]
    if unlikely(nodes) and _little_explained(nodes):
        short.append(("improbable chi2", float(chi2_distribution.sf(nodes.least_chi2, nodes.dof))))
    return short


def _little_explained(nodes):
    """Whether the scatter is known, or a large part of what velocities vary by."""
    scatter = nodes.probability @ nodes.scatter
    return nodes.star.scatter.known or scatter > MOST_SCATTER * np.std(nodes.star.data.rv)
