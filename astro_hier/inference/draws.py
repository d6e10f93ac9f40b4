"""What every inference method returns."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Draws:
    """Draws from a posterior, as floats in the units that the model declares.

    Attributes
    ----------
    posterior : dict of ndarray
        By parameter name, shape (chain, draw) or (chain, draw, star).
    sample_stats : dict of ndarray
        Statistics of each draw, shape (chain, draw).
    attrs : dict
        Statistics of the whole run, numbers and strings.
    findings : tuple of `~astro_hier.checks.Finding`
        What the method's checks found.
    """

    posterior: dict
    sample_stats: dict
    attrs: dict
    findings: tuple = ()

    @classmethod
    def of_chains(cls, posterior, sample_stats, attrs, findings=(), *, chains):
        """Independent draws, shape (chain * draw, ...), arranged in ``chains`` chains."""

        def split(values):
            return values.reshape(chains, len(values) // chains, *values.shape[1:])

        return cls(
            {name: split(np.asarray(values)) for name, values in posterior.items()},
            {name: split(np.asarray(values)) for name, values in sample_stats.items()},
            attrs,
            tuple(findings),
        )
