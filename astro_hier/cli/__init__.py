"""The ``astro-hier`` command."""

from astro_hier.cli.command import MODELS, main

__all__ = ["MODELS", "main"]
