"""The output of a fit: its folder, the files in it, and what is printed."""

import errno
import inspect
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import astropy.units as u

from astro_hier import checks
from astro_hier.cli.parser import FIGURES
from astro_hier.cli.speech import in_shell
from astro_hier.plots import NothingToDraw, NotInTheModel
from astro_hier.reports.figures import figure_names

POSTERIOR = "posterior.nc"
# tables that are written besides, by the names of their files: the methods that make them
TABLES = {"stars.ecsv": "star_table", "objects.ecsv": "object_table", "elements.ecsv": "elements"}


def files_of(model):
    """Names of all files that may be written for a model, that of its posterior first."""
    figures = [f"{name}.{kind}" for kind in FIGURES for name in figure_names(model)]
    return [POSTERIOR, *_tables(model), *figures]


def _tables(model):
    """What makes the tables of a model that are written besides, by the names of their files."""
    return {file: method for file, method in TABLES.items() if _is_of_all(model, method)}


def _is_of_all(model, method):
    """Whether a model has a method that needs no arguments, such as one star of a sample."""
    if not hasattr(model, method):
        return False
    given = inspect.signature(getattr(model, method)).parameters.values()
    return all(parameter.default is not parameter.empty for parameter in given)


@contextmanager
def prepared_folder(out, names, overwrite, read=()):
    """Make sure, before hours are spent on a fit, that a folder can take files of these names.

    The folder is made if necessary, and removed again if nothing is written to it. The files that
    are ``read``, such as the table, are never among those that are replaced.
    """
    made = [folder for folder in (out, *out.parents) if not os.path.exists(folder)]
    check_not_read([out / name for name in names], read)
    _check_free(out, names, overwrite)
    try:
        _make(out)
        yield
    finally:
        for folder in made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def check_not_read(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Raise an OSError if a file that is read would be replaced by one that is written."""
    for path in read:
        for other in written:
            if os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other):
                raise FileExistsError(
                    f"{str(path)!r} is read, and would be replaced by what is written: choose"
                    " another name with --out"
                )


def _make(out):
    """Make a folder, unless it exists, and test whether a file can be made in it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise OSError(
            f"{str(out)!r} cannot be written to ({error.strerror}): choose another folder with"
            " --out"
        ) from error


def _check_free(out, names, overwrite):
    """Raise an OSError if a folder's files are in the way of new ones."""
    if os.path.lexists(out) and not out.is_dir():
        raise NotADirectoryError(
            f"{str(out)!r} is not a folder: choose a new or existing folder with --out"
        )
    there = [name for name in names if os.path.lexists(out / name)]
    if there and not overwrite:
        raise FileExistsError(
            f"{str(out)!r} already holds {', '.join(there)}: choose another folder with --out, or"
            " replace them with --overwrite"
        )
    for name in there:
        if not (out / name).is_file() or not os.access(out / name, os.W_OK):
            raise PermissionError(
                f"{str(out / name)!r} cannot be replaced: choose another folder with --out"
            )


def deliver(model, out, options, truths=None):
    """Save a fit, print it and draw it; returns the exit status.

    ``options`` hold ``format_figures``, which formats to draw figures in, ``unit``, those of
    results, and ``quiet``.
    """
    tables, failed = _save(model, out, options)
    tell(model, tables.values(), options, truths)
    drawn, undrawn = _draw(model, out, options, truths)
    written = [POSTERIOR, *tables, *drawn]
    if not options.quiet:
        print(f"\nWritten to {out}/: {', '.join(written)}")
        print(f"Read it again: {type(model).__name__}.load({str(out / POSTERIOR)!r})")
    return 1 if failed + undrawn else 0


def tell(model, tables, options, truths=None):
    """Print a fit or, if it is to be quiet, only the checks that failed."""
    if not options.quiet:
        _print(model, tables, options.unit, truths)
        return
    for finding in checks.failed(model.findings()):
        print(f"astro-hier: warning: {_said(model, finding)}", file=sys.stderr)


def _said(model, finding):
    """The name of a check that failed, what is wrong, and what to type."""
    return f"{finding.name}: {in_shell(finding.message(shell=True), model.command)}"


def _save(model, out, options):
    """Write what must not be lost, before anything else can fail.

    Returns
    -------
    tables : dict
        The tables that were written, by the names of their files.
    failed : int
        How many could not be made or written, which is said.
    """
    others = files_of(model)[1:]
    save(model, out / POSTERIOR, others, options.overwrite)
    for name in others:
        (out / name).unlink(missing_ok=True)  # may be left from an earlier fit
    tables = {}
    for file, method in _tables(model).items():
        try:
            table = in_unit(getattr(model, method), options.unit)
            table.write(out / file)
            tables[file] = table
        except Exception as error:  # whatever the error, the fit is there
            _not_written(out / file, error)
    return tables, len(_tables(model)) - len(tables)


def save(model: Any, path: Path, others: Sequence[str] = (), overwrite: bool = False) -> None:
    """Save a fit or, if it cannot be written there, elsewhere, which is said by an OSError.

    Unless they are to be overwritten, this file and the ``others`` beside it must not have been
    made since the fit began, such as by another run.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with nullcontext() if overwrite else _claimed(path, others):
            model.save(path)
    except OSError as error:
        refuge = Path(tempfile.mkdtemp(prefix="astro-hier-")) / path.name
        model.save(refuge)
        why = getattr(error.__cause__, "strerror", None) or error.strerror or error
        raise OSError(
            f"{str(path)!r} could not be written ({why}): the fit was saved"
            f" to {str(refuge)!r} instead, and can be loaded from there"
        ) from error


@contextmanager
def _claimed(path: Path, others: Sequence[str]) -> Iterator[None]:
    """Hold a new file's name, which only one of several runs can, unless others are in the way."""
    there = [name for name in others if os.path.lexists(path.with_name(name))]
    try:
        if not there:
            path.touch(exist_ok=False)
    except FileExistsError:
        there = [path.name]
    if there:
        said = f"{', '.join(there)} was made there during the fit"
        raise FileExistsError(errno.EEXIST, said)
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _not_written(path, error):
    """Say which file could not be made, and leave no part of it."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
    kind = type(error).__name__
    print(f"astro-hier: no {path.name}: {kind}: {error}", file=sys.stderr)


def _print(model, tables, unit, truths=None):
    """Print the summary, with the truth if it is known, and the tables of periods and others."""
    _summary(model, unit, truths).pprint_all()
    if model.posterior.attrs.get("n_explanations", 1) > 1:
        print("\nExplanations, most probable first, which the summary mixes:")
        in_unit(model.explanations, unit).pprint(max_width=-1)
    for finding in checks.failed(model.findings()):
        print(f"\nWarning, {_said(model, finding)}")
    if hasattr(model, "modes"):
        searched = (model.posterior.attrs[f"{end}_period"] for end in ("shortest", "longest"))
        print("\nPeriods between {:g} and {:g} d, most probable first:".format(*searched))
        in_unit(model.modes, unit).pprint(max_lines=15)
    if model.posterior.attrs.get("resolved") == 0:
        limit = in_unit(getattr(model, f"{model.scale}_upper_limit"), unit)
        print(f"\n{model.scale} < {limit:.4g}, 95 percent")
    for table in tables:
        print()
        table.pprint(max_lines=12, max_width=-1)


def in_unit(method: Callable[..., Any], unit: list[str] | None, **more: Any) -> Any:
    """What a method returns, in the units that were asked for if it takes any."""
    takes = "unit" in inspect.signature(method).parameters
    return method(**more, unit=unit) if takes else method(**more)


def _summary(model, unit, truths):
    summary = model.summary(unit=unit)
    if truths:
        units = dict(zip(summary["parameter"], summary["unit"], strict=True))
        values = [u.Quantity(truths[p]).to_value(unit or u.one) for p, unit in units.items()]
        summary.add_column(values, index=2, name="truth")
        summary["truth"].info.format = ".6g"
    return summary


def _not_of_corner(record):
    """Whether a line of the log is not corner's on panels with few draws, which says nothing."""
    return record.module != "core" or "valid contours" not in record.getMessage()


def _draw(model, out, options, truths=None):
    """Draw all figures that can be drawn; returns the names of their files and how many failed."""
    if not options.format_figures:
        return [], 0
    import matplotlib

    matplotlib.use("Agg")
    logging.getLogger().addFilter(_not_of_corner)
    import matplotlib.pyplot as plt

    drawn, failed = [], 0
    for name in figure_names(model):
        more = {"truths": truths} if name == "corner" else {}
        path = out / f"{name}.{options.format_figures[0]}"
        try:
            figure = in_unit(getattr(model, f"plot_{name}"), options.unit, **more).figure
            for kind in options.format_figures:
                path = out / f"{name}.{kind}"
                figure.savefig(path, dpi=150)
                drawn.append(path.name)
        except NotInTheModel:
            pass
        except NothingToDraw as error:
            if not options.quiet:
                print(f"\nNo {path.name}: {in_shell(str(error), model.command)}")
        except Exception as error:  # whatever the error, the other figures can still be drawn
            failed += 1
            _not_written(path, error)
        plt.close("all")
    return drawn, failed
