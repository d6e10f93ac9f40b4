"""The building blocks of models: parts that own parameters, and the options that name them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from astro_hier.posterior import Parameter
from astro_hier.table import Role

__all__ = ["Option", "Part"]

FOR_USERS = ("draw", "log_density", "parameters", "with_prior")  # among all methods of parts


class Part:
    """An option, a population or a background: a piece of a model that owns parameters.

    A subclass is a frozen dataclass. The prior of a parameter is the field with its name;
    parameters without such a field follow from others. The forms of an option, its absence
    included, are classes with the same methods, so that no code has to ask which one is in use.
    """

    def __dir__(self) -> list[str]:
        """What completion shows: its own arguments, and not what only models need."""
        own = [name for name in super().__dir__() if name.startswith("__")]
        known = (name for name in FOR_USERS if hasattr(type(self), name))
        return [*own, *getattr(self, "__dataclass_fields__", ()), *known]

    @property
    def parameters(self) -> Sequence[Parameter]:
        """The parameters that it adds to the posterior."""
        return ()

    @property
    def roles(self) -> Sequence[Role]:
        """The columns that it reads."""
        return ()

    def derive(self, theta: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters that follow from those with priors: a dict of arrays, or of PyMC variables.

        Where data resolve a scale that is sampled as ``lnX`` or ``ln_X`` and follows here as ``X``,
        figures and tables for papers show the latter.
        """
        return {}

    def with_prior(self, name: str, prior: Any) -> Any:
        """The argument that this part stems from, with another prior of one of the parameters."""
        return replace(self, **{name: prior})  # type: ignore[type-var]


@dataclass(frozen=True)
class Option:
    """An argument of a model that turns something on, as described to the command.

    Attributes
    ----------
    name : str
        The argument.
    example : str, optional
        An example of its value after ``--set``, for the help.
    families : tuple of type, optional
        Classes that may be named after ``--set``, each with its default arguments.
    takes_prior : bool, optional
        Whether the argument may be a prior, given by ``--prior``.
    takes_table : bool, optional
        Whether the argument is a table, of which the file is given.

    Examples
    --------
    >>> from astro_hier.part import Option
    >>> Option("trend", example="1").name
    'trend'
    """

    name: str
    example: str | None = None
    families: tuple[type, ...] = ()
    takes_prior: bool = False
    takes_table: bool = False
