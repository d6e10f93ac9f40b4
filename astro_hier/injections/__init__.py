"""Injected orbits: which of them a survey's own selection would have kept."""

from astro_hier.injections.make import make_injections

__all__ = ["make_injections"]


def __dir__() -> list[str]:
    """What completion shows."""
    return sorted(__all__)
