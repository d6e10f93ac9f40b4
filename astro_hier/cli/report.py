"""The verb that writes a page about a saved fit."""

import os
from pathlib import Path

import matplotlib

from astro_hier.cli.output import check_not_read
from astro_hier.cli.saved import load


def _check_place(out: Path) -> None:
    """Raise an OSError, before figures are drawn, if a page cannot be written there."""
    if out.is_dir() or not out.parent.is_dir():
        raise OSError(
            f"{str(out)!r} is not the name of a file in a folder that exists: choose another name"
            " with --out"
        )
    if not os.access(out if out.exists() else out.parent, os.W_OK):
        raise PermissionError(f"{str(out)!r} cannot be written: choose another name with --out")


def run(options):
    """Write the page; returns the exit status."""
    matplotlib.use("Agg")
    out = options.out or options.file.with_suffix(".html")
    check_not_read([out], [options.file])
    _check_place(out)
    load(options.file).report(out, overwrite=options.overwrite, unit=options.unit)
    if not options.quiet:
        print(f"Written: {out}")
    return 0
