"""What the help says of the models, without loading them: it is kept in ``models.json``.

``python tests/test_cli_help.py`` writes that file anew where models have changed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["FAMILIES", "METHODS", "MODELS", "PRESETS", "Described", "class_of"]

FILE = Path(__file__).with_name("models.json")


@dataclass(frozen=True)
class Described:
    """A model as its command describes it.

    Attributes
    ----------
    model : str
        Name of its class.
    about : str
        What it is for, in a line.
    roles, arguments, priors : list of str
        The columns that it reads, its arguments, and the names that may have a prior.
    examples : list of str
        Values of arguments as they follow ``--set``.
    presets : list of str
        Names of column presets that go with its roles.
    """

    model: str
    about: str
    roles: list[str]
    arguments: list[str]
    priors: list[str]
    examples: list[str]
    presets: list[str]


def _read() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


_FACTS = _read()
MODELS = {command: Described(**facts) for command, facts in _FACTS["models"].items()}
FAMILIES: list[str] = _FACTS["families"]  # of priors
METHODS: list[str] = _FACTS["methods"]
PRESETS: list[str] = _FACTS["presets"]


def class_of(command: str) -> Any:
    """The class of the model that a command fits."""
    import astro_hier

    return getattr(astro_hier, MODELS[command].model)
