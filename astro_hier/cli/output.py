"""The output of a fit: its folder, the files in it, and what is printed."""

import inspect
import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import astropy.units as u

from astro_hier import checks
from astro_hier.plots import NothingToDraw, NotInTheModel

# tables that are written besides, by the names of their files: the methods that make them
TABLES = {"stars.ecsv": "star_table", "objects.ecsv": "object_table", "elements.ecsv": "elements"}


def _figures(model):
    """Names of a model's figures."""
    return [
        name.removeprefix("plot_")
        for cls in type(model).__mro__
        for name in vars(cls)
        if name.startswith("plot_")
    ]


def _files(model):
    """Names of all files that are written for a model."""
    return ["posterior.nc", *_tables(model), *(f"{name}.png" for name in _figures(model))]


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
def prepared_folder(out, model, overwrite):
    """Make sure, before hours are spent on a fit, that a folder can take its files.

    The folder is made if necessary, and removed again if nothing is written to it.
    """
    made = [folder for folder in (out, *out.parents) if not os.path.exists(folder)]
    _check_free(out, _files(model), overwrite)
    try:
        _make(out)
        yield
    finally:
        for folder in made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


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


def deliver(model, out, truths=None):
    """Save a fit, print it and draw it; returns the exit status."""
    tables = _save(model, out)
    _report(model, tables, truths)
    drawn, failed = _draw(model, out, truths)
    written = ["posterior.nc", *_tables(model), *drawn]
    print(f"\nWritten to {out}/: {', '.join(written)}")
    print(f"Read it again: {type(model).__name__}.load({str(out / 'posterior.nc')!r})")
    return 1 if failed else 0


def _save(model, out):
    """Write what must not be lost, before anything else can fail; returns the tables."""
    posterior, *others = (out / name for name in _files(model))
    try:
        out.mkdir(parents=True, exist_ok=True)
        model.save(posterior)
    except OSError as error:
        refuge = Path(tempfile.mkdtemp(prefix="astro-hier-")) / posterior.name
        model.save(refuge)
        raise OSError(
            f"{str(posterior)!r} could not be written ({(error.__cause__ or error).strerror}): the"
            f" fit was saved to {str(refuge)!r} instead, and can be loaded from there"
        ) from error
    for path in others:
        path.unlink(missing_ok=True)  # may be left from an earlier fit
    tables = [getattr(model, method)() for method in _tables(model).values()]
    for file, table in zip(_tables(model), tables, strict=True):
        table.write(out / file)
    return tables


def _report(model, tables, truths=None):
    """Print the summary, with the truth if it is known, and the tables of periods and others."""
    _summary(model, truths).pprint_all()
    if model.posterior.attrs.get("n_explanations", 1) > 1:
        print("\nExplanations, most probable first, which the summary mixes:")
        model.explanations().pprint(max_width=-1)
    for finding in checks.failed(model.findings()):
        print(f"\nWarning, {finding.name}: {finding.message(shell=True)}")
    if hasattr(model, "modes"):
        searched = (model.posterior.attrs[f"{end}_period"] for end in ("shortest", "longest"))
        print("\nPeriods between {:g} and {:g} d, most probable first:".format(*searched))
        model.modes().pprint(max_lines=15)
    if model.posterior.attrs.get("resolved") == 0:
        limit = getattr(model, f"{model.scale}_upper_limit")()
        print(f"\n{model.scale} < {limit:.4g}, 95 percent")
    for table in tables:
        print()
        table.pprint(max_lines=12, max_width=-1)


def _summary(model, truths):
    summary = model.summary()
    if truths:
        units = dict(zip(summary["parameter"], summary["unit"], strict=True))
        values = [u.Quantity(truths[p]).to_value(unit or u.one) for p, unit in units.items()]
        summary.add_column(values, index=2, name="truth")
        summary["truth"].info.format = ".6g"
    return summary


def _draw(model, out, truths=None):
    """Draw all figures that can be drawn; returns the names of their files and how many failed."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawn, failed = [], 0
    for name in _figures(model):
        path = out / f"{name}.png"
        options = {"truths": truths} if name == "corner" else {}
        try:
            getattr(model, f"plot_{name}")(**options).figure.savefig(path, dpi=150)
            drawn.append(path.name)
        except NotInTheModel:
            pass
        except NothingToDraw as error:
            print(f"\nNo {path.name}: {error}")
        except Exception as error:  # whatever the error, the other figures can still be drawn
            failed += 1
            path.unlink(missing_ok=True)
            print(f"astro-hier: no {path.name}: {type(error).__name__}: {error}", file=sys.stderr)
        plt.close("all")
    return drawn, failed
