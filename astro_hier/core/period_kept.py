"""The cells of a star's period, kept in less memory for draws and tables.

A search ends with four cells for each of its panels, whose widths are powers of two of one another.
Kept are where a panel begins, the power, and ln p at the five ends of its cells, to 1e-6: 29 bytes
a panel or some 7 a cell, where the cells themselves take 40.
"""

from dataclasses import dataclass

import numpy as np

from astro_hier.core.period_cells import PeriodNodes

OF_PANEL = 4  # cells
BYTES = 29 / OF_PANEL  # a cell
TOUCH = 1e-3  # of a width: panels nearer than that have no gap between them
SHARES = np.linspace(0, 1, OF_PANEL + 1)[:, None]


@dataclass(frozen=True)
class KeptCells:
    """Cells of a star's period.

    Attributes
    ----------
    low : ndarray
        Where each panel begins, shape (panel,).
    power : ndarray of int
        Of two: by how much each panel is narrower than the widest, shape (panel,).
    log_p : ndarray of float32
        ln p, from the highest, at the ends of the cells of each panel, shape (end, panel).
    widest, highest : float
        The width of the widest panel, and the highest ln p.
    error : float
        As in `~astro_hier.core.period_cells.PeriodNodes`.
    """

    low: np.ndarray
    power: np.ndarray
    log_p: np.ndarray
    widest: float
    highest: float
    error: float

    @classmethod
    def of(cls, nodes: PeriodNodes) -> "KeptCells":
        """From the cells that a search ends with."""
        low = nodes.low[::OF_PANEL].copy()
        width = nodes.high[OF_PANEL - 1 :: OF_PANEL] - low
        widest, highest = float(width.max()), float(nodes.log_low.max())
        power = np.rint(np.log2(widest / width)).astype(np.uint8)
        last = nodes.log_high[OF_PANEL - 1 :: OF_PANEL]
        log_p = np.vstack([nodes.log_low.reshape(-1, OF_PANEL).T, last]) - highest
        return cls(low, power, log_p.astype(np.float32), widest, highest, nodes.error)

    def nodes(self, prior) -> PeriodNodes:
        """The cells, with their prior probabilities."""
        width = self.widest * 0.5**self.power
        ends = self.low + SHARES * width
        touch = np.abs(ends[-1, :-1] - self.low[1:]) < TOUCH * width[:-1]
        ends[-1, :-1][touch] = self.low[1:][touch]
        log_p = self.highest + self.log_p.astype(float)
        low, high, log_low, log_high = (
            of.T.ravel() for of in (ends[:-1], ends[1:], log_p[:-1], log_p[1:])
        )
        mass = prior.cdf(1 / low) - prior.cdf(1 / high)
        return PeriodNodes(low, high, log_low, log_high, mass, self.error)
