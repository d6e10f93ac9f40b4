"""The verb for surveys: rows of all stars, a population fitted to them, results of every star."""

import os
import warnings
from pathlib import Path

from astro_hier import checks, survey
from astro_hier.cli.fit import check_unit, model_of, seed_of
from astro_hier.cli.output import POSTERIOR, prepared_folder, save, tell
from astro_hier.cli.saved import load
from astro_hier.cli.speech import UsageError
from astro_hier.cli.tables import check_unread, read_table

PARQUET = (".parquet", ".pq")


def run(options):
    """Do what is asked for; returns the exit status."""
    return {"prepare": prepare, "fit": fit, "results": results, "status": status}[options.action](
        options
    )


def prepare(options):
    model = model_of(options, options.model)
    source = options.source
    if not source.exists():
        raise FileNotFoundError(f"there is no file or folder {str(source)!r}")
    _check_rows(options.rows, source)
    if source.is_dir() or source.suffix in PARQUET:
        check_unread(options, "Parquet files")
    if not (source.is_dir() or source.suffix in PARQUET):
        if options.star or options.visits:
            raise UsageError("--star and --visits are for Parquet files; expected --columns")
        source = read_table(source, options.format, options.delimiter, options.hdu)
    done = survey.prepare(
        source,
        options.rows,
        model,
        star=options.star,
        visits=options.visits,
        n_jobs=options.workers,
        stars_per_file=options.stars_per_file,
        progressbar=not options.quiet,
    )
    if not options.quiet:
        print(done)
        print(f"\nRows are in {options.rows}/")
    return 0


def _check_rows(rows, source):
    """Raise an OSError unless rows can be kept in a folder, apart from what they are made of."""
    if os.path.lexists(rows) and not rows.is_dir():
        raise NotADirectoryError(
            f"{str(rows)!r} is not a folder: choose a new or existing folder with --rows"
        )
    read = source if source.is_dir() else source.parent
    if rows.is_dir() and rows.samefile(read) and (source.is_dir() or source.suffix in PARQUET):
        raise FileExistsError(
            f"{str(rows)!r} holds what is read: choose another folder with --rows"
        )


def fit(options):
    model = model_of(options, options.command)
    check_unread(options, "rows", "columns")
    out = options.out or Path(f"{options.rows.name}-fit")
    check_unit(model, None, options.unit)
    with prepared_folder(out, [POSTERIOR], options.overwrite), warnings.catch_warnings():
        seed = seed_of(options, lambda: survey.status(options.rows))
        warnings.simplefilter("ignore", checks.CheckWarning)  # printed below the summary
        model.fit_rows(
            options.rows, draws=options.draws, random_state=seed, progressbar=not options.quiet
        )
        save(model, out / POSTERIOR, overwrite=options.overwrite)
    tell(model, (), options)
    if not options.quiet:
        print(f"\nWritten to {out / POSTERIOR}")
        line = f"astro-hier survey results {out / POSTERIOR} {options.rows} --out DIR"
        print(f"Results of every star: {line}")
    return 0


def results(options):
    model = load(options.file)
    if not hasattr(model, "star_results"):
        raise UsageError(f"{str(options.file)!r} is not a fit of rows")
    model.star_results(options.rows, options.out, progressbar=not options.quiet)
    if not options.quiet:
        print(f"Written to {options.out}/: a file for each of {options.rows}/")
    return 0


def status(options):
    print(survey.status(options.rows))
    return 0
