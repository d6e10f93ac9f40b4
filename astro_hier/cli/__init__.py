"""The ``astro-hier`` command."""

from astro_hier.cli.command import main
from astro_hier.cli.described import MODELS

__all__ = ["MODELS", "main"]
