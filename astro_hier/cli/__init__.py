"""The ``astro-hier`` command."""

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130  # exit status, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status, 0 if all went well, 1 if not, 130 if interrupted.

    Raises
    ------
    SystemExit
        With status 2 for wrong usage, and 0 after help.
    """
    _open_streams()
    try:
        # imported here, so that an interrupt is heard whatever is being loaded
        from astro_hier.cli import command

        return command.main(arguments)
    except KeyboardInterrupt:
        print("astro-hier: interrupted", file=sys.stderr)
        return INTERRUPTED


def _open_streams() -> None:
    """Open what the shell has closed, as by ``>&-``, so that what is printed goes nowhere.

    Else a file that is opened later, such as that of the fit, would take its number and be printed
    to.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))
