"""The ``astro-hier`` command: fit a table, print the summary, write figures and the posterior."""

import argparse
import inspect
import sys
import warnings
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path

from astropy.io.registry import IORegistryError
from astropy.table import QTable

import astro_hier
from astro_hier import checks
from astro_hier.cli.report import deliver, prepared_folder
from astro_hier.cli.values import (
    FAMILIES,
    PRESETS,
    read_columns,
    read_prior,
    read_seed,
    read_setting,
)
from astro_hier.inference import METHODS
from astro_hier.model import HierarchicalModel
from astro_hier.table import TableError
from astro_hier.table.presets import presets_for

COLUMNS_HELP = (
    "On the command line: --columns ROLE=NAME:UNIT,... says which columns to read and the unit of"
    f" those that have none, and so does --columns {' or '.join(PRESETS)}; --on-invalid drop"
    " leaves out invalid rows."
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
            # these are printed below the summary, with advice for the shell
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
        presets = presets_for(model().roles)
        examples = [f"{of.name}={of.example}" for of in model.options if of.example]
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument(
            "table", type=Path, metavar="TABLE", help="any file that astropy can read"
        )
        command.add_argument(
            "--format", help="astropy's name for the format of the file, if it is not obvious"
        )
        command.add_argument(
            "--columns",
            type=read_columns,
            metavar="ROLE=NAME[:UNIT],...",
            help=f"columns of the roles {', '.join(roles)}, where they have other names"
            + (f", or a preset: {', '.join(presets)}" if presets else ""),
        )
        command.add_argument(
            "--out", type=Path, metavar="DIR", help=f"folder to write to (default: TABLE-{name})"
        )
        _add_overwrite(command)
        command.add_argument(
            "--prior",
            type=read_prior,
            action="append",
            default=[],
            metavar="'NAME=FAMILY(NUMBERS)'",
            help="prior of a parameter, such as 'P=LogUniform(1 d, 1000 d)'; may be repeated; the"
            f" families are {', '.join(FAMILIES)}",
        )
        command.add_argument(
            "--set",
            type=partial(read_setting, families={of.name: of.families for of in model.options}),
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"any other argument of the model, such as {', '.join(examples)}; may be repeated;"
            f" {model.__name__} has {', '.join(arguments)}",
        )
        command.add_argument("--on-invalid", choices=("raise", "drop"), default="raise")
        command.add_argument("--method", choices=tuple(METHODS), default="marginal")
        command.add_argument("--draws", type=int, default=1000, help="draws in each of 4 chains")
        command.add_argument(
            "--max-evaluations", type=int, help="evaluations after which to stop, with a warning"
        )
        command.add_argument("--seed", type=read_seed, help="for the same draws every time")
        command.set_defaults(run=_fit, command=name)
    return parser


def _add_overwrite(command):
    command.add_argument(
        "--overwrite", action="store_true", help="replace the files of an earlier run"
    )


def _demo(options):
    with ExitStack() as folders:
        for name, model in MODELS.items():
            folders.enter_context(prepared_folder(options.out / name, model(), options.overwrite))
        return max([_demonstrate(model, options.out / name) for name, model in MODELS.items()])


def _demonstrate(model, out):
    """Simulate a table, fit it, and print how to do so; returns the exit status."""
    table = model.example(random_state=42)
    print(f"Simulated table of {model.__name__}, {len(table)} rows:")
    fitted = model().fit(table, random_state=42)
    truths = {name: table.meta["truth"][name] for name in fitted.summary()["parameter"]}
    status = deliver(fitted, out, truths)
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
            f"{options.table}: astropy does not recognise this format"
            f" ({str(error).splitlines()[0]}); name it with --format, such as ascii.ecsv,"
            " ascii.csv, fits, votable"
        ) from error
    estimator = MODELS[options.command]
    out = options.out or Path(f"{options.table.name.split('.')[0]}-{options.command}")
    model = estimator(columns=options.columns, on_invalid=options.on_invalid)
    tables = [option.name for option in model.options if option.takes_table]
    for name, value in options.set:
        model.set_params(**{name: QTable.read(value) if name in tables else value})
    for name, prior in options.prior:
        _set_prior(model, name, prior)
    more = {"max_evaluations": options.max_evaluations} if options.max_evaluations else {}
    with prepared_folder(out, model, options.overwrite):
        model.fit(
            table, method=options.method, draws=options.draws, random_state=options.seed, **more
        )
        return deliver(model, out)


def _set_prior(model, name, prior):
    """Give a parameter its prior, wherever the model keeps it."""
    of_options = [option.name for option in model.options if option.takes_prior]
    if name in of_options:
        model.set_params(**{name: prior})
        return
    parameters = model.sampled_names()
    if name not in parameters:
        parameters += [option for option in of_options if option not in parameters]
        raise ValueError(f"--prior: {name!r} has no prior; expected one of {parameters}")
    owner = model.owner(name)
    if owner is model:
        model.set_params(**{name: prior})
        return
    changed = owner.with_prior(name, prior)
    option = next(option for option in model.options if isinstance(changed, option.families))
    model.set_params(**{option.name: changed})
