"""Modes of an eccentric orbit's posterior in period and eccentricity.

Two nodes are of one mode if between their frequencies there is no gap wider than `GAP` over the
baseline, nor a valley in the distribution of e. Nodes that hold less than `TAIL` of the
probability fill no gaps.
"""

from typing import NamedTuple

import numpy as np

from astro_hier.core.eccentric_nodes import EccentricNodes

GAP = 0.5
TAIL = 0.002
VALLEY = 10.0
BINS = 24  # of e, in which valleys are looked for
MANY = 400  # nodes of a mode that may be split in e


class Mode(NamedTuple):
    """A mode of the posterior: mean and standard deviation of P [d] and e, and its K's mean."""

    probability: float
    period: float
    period_sd: float
    eccentricity: float
    eccentricity_sd: float
    amplitude: float


def modes(nodes: EccentricNodes, least: float = 1e-4) -> list[Mode]:
    """Modes of at least this probability, the most probable first."""
    f, weight = 1 / nodes.period, nodes.probability
    order = np.argsort(weight)
    bulk = np.sort(f[order[np.cumsum(weight[order]) > TAIL]])
    gap = np.diff(bulk) > GAP / max(np.ptp(nodes.star.data.time), 1e-300)
    which = np.searchsorted(0.5 * (bulk[1:] + bulk[:-1])[gap], f)
    ends = np.cumsum(np.bincount(which, minlength=gap.sum() + 1))[:-1]
    parts = np.split(np.argsort(which, kind="stable"), ends)
    found = []
    for part in parts:
        if weight[part].sum() < least:
            continue
        for group in _split_in_e(nodes, part):
            found.append(_mode(nodes, group))
    return sorted((m for m in found if m.probability >= least), reverse=True)


def _split_in_e(nodes, part):
    """Nodes of one range of frequencies, apart where there is a valley in e."""
    e, weight = nodes.eccentricity[part], nodes.probability[part]
    if len(part) < MANY or 1 / np.sum((weight / weight.sum()) ** 2) < MANY:
        return [part]
    edges = np.linspace(e.min(), e.max(), BINS + 1)
    height = np.histogram(e, edges, weights=weight)[0]
    cuts, peak, valley = [], height[0], height[0]
    lowest = 0
    for i, h in enumerate(height):
        if h > VALLEY * max(valley, 1e-6 * height.max()) and peak > VALLEY * valley:
            cuts.append(edges[lowest] + 0.5 * (edges[1] - edges[0]))
            peak = valley = h
        elif h > peak:
            peak = valley = h
        if h < valley:
            valley, lowest = h, i
    which = np.searchsorted(cuts, e)
    return [part[which == i] for i in range(len(cuts) + 1)]


def _mode(nodes, group):
    weight = nodes.probability[group]
    total = weight.sum()
    p, e, K = (
        np.average(x[group], weights=weight)
        for x in (nodes.period, nodes.eccentricity, nodes.amplitude)
    )
    spread = [
        np.sqrt(np.average((x[group] - mean) ** 2, weights=weight))
        for x, mean in ((nodes.period, p), (nodes.eccentricity, e))
    ]
    return Mode(*map(float, (total, p, spread[0], e, spread[1], K)))
