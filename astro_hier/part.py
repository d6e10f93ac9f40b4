"""What models are put together from: parts that own parameters, and the options that name them."""

from collections.abc import Sequence
from dataclasses import dataclass

from astro_hier.posterior import Parameter
from astro_hier.table import Role

__all__ = ["Option", "Part"]


class Part:
    """An option, a population or a background: a piece of a model that owns parameters.

    A subclass is a frozen dataclass. The prior of a parameter is the field of its name; parameters
    without such a field follow from others. A model that has an option in two or more forms, or
    without it, has a class for each of them with the same methods, so that nothing asks which it
    is.
    """

    @property
    def parameters(self) -> Sequence[Parameter]:
        """What it adds to the posterior."""
        return ()

    @property
    def roles(self) -> Sequence[Role]:
        """The columns that it reads."""
        return ()


@dataclass(frozen=True)
class Option:
    """An argument of a model that turns something on, as the command offers it.

    Attributes
    ----------
    name : str
        The argument.
    example : str, optional
        What may follow ``--set``, for the help.
    families : tuple of type, optional
        Classes whose names ``--set`` takes for the argument, each with its defaults.
    takes_prior : bool, optional
        Whether ``--prior`` may give the argument itself.
    """

    name: str
    example: str | None = None
    families: tuple[type, ...] = ()
    takes_prior: bool = False
