"""The verb that writes a page about a saved fit."""

import matplotlib

from astro_hier.cli.output import check_not_read
from astro_hier.cli.saved import load


def run(options):
    """Write the page; returns the exit status."""
    matplotlib.use("Agg")
    out = options.out or options.file.with_suffix(".html")
    check_not_read([out], [options.file])
    load(options.file).report(out, overwrite=options.overwrite, unit=options.unit)
    if not options.quiet:
        print(f"Written: {out}")
    return 0
