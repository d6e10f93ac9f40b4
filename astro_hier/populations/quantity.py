"""What a family describes: how its parameters are called there.

Families speak of ln(P / d), and their parameters' own names are those of a population of periods.
Of another quantity, the same parameters have other names, so that a model may have families of
both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import astropy.units as u

from astro_hier import priors
from astro_hier.posterior import UNBOUNDED, Parameter

LN_PERIOD = "ln(P / d)"


@dataclass(frozen=True)
class Quantity:
    """What a family describes.

    Attributes
    ----------
    of : str
        What follows the family, such as "ln(jitter / (km/s))".
    suffix, index : str
        What names of parameters end in, and what distinguishes their symbols.
    own : dict
        Parameters that are called otherwise than their name and suffix, by the family's name.
    defaults : dict
        Priors where a family has none of its own, by the family's name.
    """

    of: str
    suffix: str
    index: str
    own: Mapping[str, Parameter] = field(default_factory=dict)
    defaults: Mapping[str, priors.Prior] = field(default_factory=dict)

    def parameter(self, parameter: Parameter) -> Parameter:
        """What one of a family's parameters is of this quantity."""
        if parameter.name in self.own:
            return self.own[parameter.name]
        return replace(
            parameter,
            name=parameter.name + self.suffix,
            symbol=f"{{{parameter.symbol}}}^{{({self.index})}}",
            long_name=parameter.long_name.replace(LN_PERIOD, self.of),
        )


LN_JITTER = Quantity(
    "ln(jitter / (km/s))",
    suffix="_jitter",
    index="s",
    own={
        "mu": Parameter(
            "mu_jitter", u.one, r"\mu_s", "mean of ln(jitter / (km/s))", bounds=UNBOUNDED
        ),
        "lnsigma": Parameter(
            "lnsigma_jitter",
            u.one,
            r"\ln\sigma_s",
            "ln of its standard deviation",
            bounds=UNBOUNDED,
        ),
    },
    defaults={"mu": priors.Normal(-1.5, 1.5), "lnsigma": priors.Normal(0, 0.5)},
)
