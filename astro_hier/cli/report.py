"""The verb that writes a page about a saved fit."""

import matplotlib

from astro_hier.cli.saved import load


def run(options):
    """Write the page; returns the exit status."""
    matplotlib.use("Agg")
    out = options.out or options.file.with_suffix(".html")
    load(options.file).report(out, overwrite=options.overwrite, unit=options.unit)
    if not options.quiet:
        print(f"Written: {out}")
    return 0
