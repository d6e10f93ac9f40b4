"""The ``astro-hier`` command: fit a table, print the summary, write figures and the posterior."""

import argparse
import inspect
import os
import sys
import tempfile
import warnings
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import astropy.units as u
from astropy.io.registry import IORegistryError
from astropy.table import QTable

import astro_hier
from astro_hier import checks, columns, populations, priors, profiles
from astro_hier.inference import METHODS
from astro_hier.model import HierarchicalModel
from astro_hier.plots import NothingToDraw
from astro_hier.table import TableError

FAMILIES = [name for name in priors.__all__ if name not in ("Prior", "PriorError")]
PRESETS = {"gaia": columns.GAIA, "apogee": columns.APOGEE}
NAMED = {"profile": profiles, "population": populations, "jitter": populations}
WORDS = {"true": True, "false": False, "none": None}
EXAMPLES = {
    "outliers": "outliers=True",
    "zero_point": "zero_point='-0.029 mas'",
    "trend": "trend=1",
    "instrument": "instrument=COLUMN",
    "population": "population=NormalMixture",
}
OPTIONAL_PRIORS = ("jitter", "offset", "zero_point", "error_scale")  # of options
COLUMNS_HELP = (
    "On the command line: --columns ROLE=NAME:UNIT,... says which columns to read and the unit of"
    f" those that have none, and so does --columns {' or '.join(PRESETS)}; --on-invalid drop"
    " leaves rows that are not valid out."
)
MODELS = {
    model.command: model
    for model in vars(astro_hier).values()
    if inspect.isclass(model) and issubclass(model, HierarchicalModel)
}


def main(arguments=None):
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            # said below the summary, in the shell's words
            warnings.simplefilter("ignore", checks.CheckWarning)
            return options.run(options)
    except TableError as error:
        print(f"astro-hier: {error}\n{COLUMNS_HELP}", file=sys.stderr)
        return 1
    except (OSError, ValueError, ArithmeticError) as error:
        print(f"astro-hier: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("astro-hier: interrupted", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="astro-hier", description=__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('astro_hier')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    about = f"simulate and fit a table of each kind ({', '.join(MODELS)}); needs no data"
    demo = commands.add_parser("demo", help=about, description=about)
    demo.add_argument("--out", type=Path, default=Path("astro-hier-demo"), metavar="DIR",
                      help="folder to write to (default: %(default)s)")  # fmt: skip
    _add_overwrite(demo)
    demo.set_defaults(run=_demo)

    for name, model in MODELS.items():
        about = inspect.getdoc(model).splitlines()[0]
        roles, arguments = [role.name for role in model().roles], model().get_params()
        presets = [name for name, preset in PRESETS.items() if set(preset) <= set(roles)]
        examples = [example for name, example in EXAMPLES.items() if name in arguments]
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument(
            "table", type=Path, metavar="TABLE", help="any file that astropy reads"
        )
        command.add_argument(
            "--format", help="astropy's name of the file's format, if it is not obvious"
        )
        command.add_argument(
            "--columns",
            type=_columns,
            metavar="ROLE=NAME[:UNIT],...",
            help=f"columns of the roles {', '.join(roles)} where they are named otherwise"
            + (f", or a preset: {', '.join(presets)}" if presets else ""),
        )
        command.add_argument(
            "--out", type=Path, metavar="DIR", help=f"folder to write to (default: TABLE-{name})"
        )
        _add_overwrite(command)
        command.add_argument(
            "--prior",
            type=_prior,
            action="append",
            default=[],
            metavar="'NAME=FAMILY(NUMBERS)'",
            help="prior of a parameter, such as 'P=LogUniform(1 d, 1000 d)'; may be repeated; the"
            f" families are {', '.join(FAMILIES)}",
        )
        command.add_argument(
            "--set",
            type=_setting,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"any other argument of the model, such as {', '.join(examples)}; may be repeated;"
            f" {model.__name__} has {', '.join(arguments)}",
        )
        command.add_argument("--on-invalid", choices=("raise", "drop"), default="raise")
        command.add_argument("--method", choices=tuple(METHODS), default="marginal")
        command.add_argument("--draws", type=int, default=1000, help="draws in each of 4 chains")
        command.add_argument("--max-evaluations", type=int, help="when to give up, with a warning")
        command.add_argument("--seed", type=_seed, help="for the same draws each time")
        command.set_defaults(run=_fit, command=name)
    return parser


def _add_overwrite(command):
    command.add_argument(
        "--overwrite", action="store_true", help="replace the files of an earlier run there"
    )


def _demo(options):
    with ExitStack() as folders:
        for name, model in MODELS.items():
            folders.enter_context(_folder(options.out / name, model(), options.overwrite))
        return max([_demonstrate(model, options.out / name) for name, model in MODELS.items()])


def _demonstrate(model, out):
    """Simulate a table, fit it, and say how to do so; returns the exit status."""
    table = model.example(random_state=42)
    print(f"Simulated table of {model.__name__}, {len(table)} rows:")
    fitted = model().fit(table, random_state=42)
    truths = {name: table.meta["truth"][name] for name in fitted.summary()["parameter"]}
    status = _deliver(fitted, out, truths)
    print(
        "\nThe same in Python:\n"
        f"    from astro_hier import {model.__name__}\n"
        f"    model = {model.__name__}().fit({model.__name__}.example(random_state=42))\n"
        "    model.summary().pprint_all()\n"
    )
    return status


def _fit(options):
    try:
        table = QTable.read(options.table, format=options.format)
    except IORegistryError as error:
        raise ValueError(
            f"{options.table}: astropy does not know this format ({str(error).splitlines()[0]});"
            " name it with --format, such as ascii.ecsv, ascii.csv, fits, votable"
        ) from error
    estimator = MODELS[options.command]
    out = options.out or Path(f"{options.table.name.split('.')[0]}-{options.command}")
    model = estimator(columns=options.columns, on_invalid=options.on_invalid)
    model.set_params(**dict(options.set))
    for name, prior in options.prior:
        _set_prior(model, name, prior)
    more = {"max_evaluations": options.max_evaluations} if options.max_evaluations else {}
    with _folder(out, model, options.overwrite):
        model.fit(
            table, method=options.method, draws=options.draws, random_state=options.seed, **more
        )
        return _deliver(model, out)


def _set_prior(model, name, prior):
    """Give a parameter its prior, wherever the model keeps it."""
    arguments = model.get_params()
    if name in OPTIONAL_PRIORS and name in arguments:
        model.set_params(**{name: prior})
        return
    parameters = list(model.frozen_priors())
    if name not in parameters:
        parameters += [n for n in OPTIONAL_PRIORS if n in arguments and n not in parameters]
        raise ValueError(f"--prior: there is no prior of {name!r} but of {parameters}")
    owner = model.owner(name)
    if owner is model:
        model.set_params(**{name: prior})
        return
    argument = next(
        argument
        for argument, value in arguments.items()
        if value is owner or (argument == "outliers" and value is True)
    )
    model.set_params(**{argument: replace(owner, **{name: prior})})


def _columns(text):
    """The ``columns`` argument of a model, from ``ROLE=NAME[:UNIT],...`` or a preset's name."""
    if text in PRESETS:
        return PRESETS[text]
    columns = {}
    for word in text.split(","):
        role, equals, place = (part.strip() for part in word.partition("="))
        name, _, unit = place.partition(":")
        if not (equals and role and name):
            raise argparse.ArgumentTypeError(
                f"{word!r}; accepted are ROLE=NAME, ROLE=NAME:UNIT, several with commas between, or"
                f" one of the presets {', '.join(PRESETS)}"
            )
        columns[role] = (name, unit) if unit else None if name == "None" else name
    return columns


def _prior(text):
    """Name and prior from ``NAME=FAMILY(NUMBER [UNIT], ...)``."""
    name, _, call = (part.strip() for part in text.partition("="))
    family, bracket, numbers = call.partition("(")
    try:
        if not bracket:
            raise ValueError("a value that is known is given with --set")
        if family not in FAMILIES:
            raise ValueError(f"there is no family {family!r}")
        if not numbers.endswith(")"):
            raise ValueError("no closing bracket")
        return name, getattr(priors, family)(*_numbers(numbers.removesuffix(")")))
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} ({error}); accepted is such as P=LogUniform(1 d, 1000 d), with one of the"
            f" families {', '.join(FAMILIES)}"
        ) from error


def _numbers(text):
    """Numbers and Quantities with commas between."""
    values = [u.Quantity(number) for number in text.split(",")]
    return [v.item() if v.unit == u.dimensionless_unscaled else v for v in values]


def _setting(text):
    """Name and value from ``NAME=VALUE``: a number, Quantity, several of them, prior or word."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (equals and name and value):
        raise argparse.ArgumentTypeError(f"{text!r}; accepted is NAME=VALUE, such as trend=1")
    if value.lower() in WORDS:
        return name, WORDS[value.lower()]
    word = value.removesuffix("()").rpartition(".")[2]
    if name in NAMED and word in NAMED[name].__all__:
        return name, getattr(NAMED[name], word)()
    if value.partition("(")[0] in FAMILIES:
        return _prior(text)
    if value.isdigit():
        return name, int(value)
    try:
        values = _numbers(value)
    except TypeError:
        return name, value
    return name, values[0] if len(values) == 1 else tuple(values)


def _seed(text):
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}; accepted is a whole number of at least 0")
    return int(text)


def _figures(model):
    """Names of the figures that a model has."""
    return [
        name.removeprefix("plot_")
        for cls in type(model).__mro__
        for name in vars(cls)
        if name.startswith("plot_")
    ]


def _files(model):
    """Names of all files that are written for a model."""
    stars = ["stars.ecsv"] if hasattr(model, "star_table") else []
    return ["posterior.nc", *stars, *(f"{name}.png" for name in _figures(model))]


@contextmanager
def _folder(out, model, overwrite):
    """See, before hours are spent on a fit, that a folder can take its files.

    It is made if need be, and goes again if nothing is written to it.
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
    """Make a folder, unless it is there, and try whether a file can be made in it."""
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
            f"{str(out)!r} is not a folder: choose the name of one, new or not, with --out"
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


def _deliver(model, out, truths=None):
    """Save a fit, print it and draw it; returns the exit status."""
    stars = _save(model, out)
    _report(model, stars, truths)
    drawn, failed = _draw(model, out, truths)
    written = ["posterior.nc", *(["stars.ecsv"] if stars is not None else []), *drawn]
    print(f"\nWritten to {out}/: {', '.join(written)}")
    print(f"Read it again: {type(model).__name__}.load({str(out / 'posterior.nc')!r})")
    return 1 if failed else 0


def _save(model, out):
    """Write what must not be lost, before anything else can fail; returns the table of stars."""
    posterior, *others = (out / name for name in _files(model))
    try:
        out.mkdir(parents=True, exist_ok=True)
        model.save(posterior)
    except OSError as error:
        refuge = Path(tempfile.mkdtemp(prefix="astro-hier-")) / posterior.name
        model.save(refuge)
        raise OSError(
            f"{str(posterior)!r} could not be written ({(error.__cause__ or error).strerror}): the"
            f" fit is in {str(refuge)!r} instead, and can be loaded from there"
        ) from error
    for path in others:
        path.unlink(missing_ok=True)  # of an earlier fit
    if not hasattr(model, "star_table"):
        return None
    stars = model.star_table()
    stars.write(out / "stars.ecsv")
    return stars


def _report(model, stars, truths=None):
    """Print the summary, beside the truth if there is one, and the tables of periods and stars."""
    _summary(model, truths).pprint_all()
    if model.posterior.attrs.get("n_explanations", 1) > 1:
        print("\nExplanations, which the summary mixes, most probable first:")
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
    if stars is not None:
        print()
        stars.pprint(max_lines=12, max_width=-1)


def _summary(model, truths):
    summary = model.summary()
    if truths:
        units = dict(zip(summary["parameter"], summary["unit"], strict=True))
        values = [u.Quantity(truths[p]).to_value(unit or u.one) for p, unit in units.items()]
        summary.add_column(values, index=2, name="truth")
        summary["truth"].info.format = ".6g"
    return summary


def _draw(model, out, truths=None):
    """Write all figures that can be; returns the names of their files, and how many failed."""
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
        except NothingToDraw as error:
            print(f"\nNo {path.name}: {error}")
        except Exception as error:  # whatever it is, the other figures can be drawn
            failed += 1
            path.unlink(missing_ok=True)
            print(f"astro-hier: no {path.name}: {type(error).__name__}: {error}", file=sys.stderr)
        plt.close("all")
    return drawn, failed


if __name__ == "__main__":
    sys.exit(main())
