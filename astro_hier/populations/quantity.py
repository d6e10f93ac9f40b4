"""The quantity that a family describes, and the names of the family's parameters for it.

Families are written for ln(P / d): their parameters have the names of a population of periods. For
another quantity the same parameters have other names, so that a model may have families of both.
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
        What the family describes, such as "ln(jitter / (km/s))".
    suffix, index : str
        Suffix of the parameters' names, and superscript of their symbols.
    own : dict
        Parameters that do not follow that rule, by the name that the family gives them.
    defaults : dict
        Priors for parameters to which a family gives none, by the family's name for them.
    """

    of: str
    suffix: str
    index: str
    own: Mapping[str, Parameter] = field(default_factory=dict)
    defaults: Mapping[str, priors.Prior] = field(default_factory=dict)

    def parameter(self, parameter: Parameter) -> Parameter:
        """The counterpart of one of a family's parameters for this quantity."""
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
        "sigma": Parameter(
            "sigma_jitter", u.one, r"\sigma_s", "standard deviation of ln(jitter / (km/s))"
        ),
    },
    defaults={"mu": priors.Normal(-1.5, 1.5), "lnsigma": priors.Normal(0, 0.5)},
)
