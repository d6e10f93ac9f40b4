"""Stars that follow a relation less closely than the others."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from astro_hier import priors
from astro_hier.part import Part
from astro_hier.populations import family
from astro_hier.posterior import Parameter, register


@dataclass(frozen=True)
class WiderScatter(Part):
    """Stars of a period-luminosity relation that scatter more widely about it than the members.

    Such as stars of another class, blended stars, or stars whose extinction is far off. The prior
    of ``outlier_scatter`` is cut off below the members' scatter and renormalised.

    Parameters
    ----------
    outlier_fraction : `~astro_hier.priors.Prior` or float
        Prior on the share of such stars.
    outlier_scatter : `~astro_hier.priors.Prior` or `~astropy.units.Quantity`
        Prior on the standard deviation of their absolute magnitudes about the relation.

    Examples
    --------
    >>> from astro_hier import PeriodLuminosity, outliers, priors
    >>> background = outliers.WiderScatter(outlier_fraction=priors.Beta(1, 19))
    >>> model = PeriodLuminosity(outliers=background)
    >>> [p.name for p in background.parameters][0]
    'outlier_fraction'
    """

    outlier_fraction: priors.Prior | float = priors.Beta(1, 9)
    outlier_scatter: priors.Prior | u.Quantity = priors.LogNormal(0, 0.7, scale=1 * u.mag)

    parameters = (
        Parameter("outlier_fraction", u.one, "f_o", "share of stars that are not members",
                  bounds=(0, 1)),
        Parameter("outlier_scatter", u.mag, "s_o", "their scatter about the relation",
                  bounds=(0, np.inf)),
    )  # fmt: skip

    def __post_init__(self):
        family.check_priors(self, ("outlier_fraction", "outlier_scatter"))


# users' files hold this name: it stays the same, wherever the class moves
register(WiderScatter, "astro_hier.outliers.WiderScatter")
