"""The options of every verb, which load no model, so that help is quick.

A verb is a function here that adds its options, and a file of its own with ``run(options)``, which
is imported when the verb is used.
"""

import argparse
import importlib
import os
from functools import partial
from pathlib import Path
from typing import Any

from astro_hier.cli.described import FAMILIES, METHODS, MODELS

__all__ = ["build"]

ABOUT = "Fit a table, print the summary, write figures and the posterior."
EXIT_CODES = "Exit status: 0 all went well, 1 failure, 2 wrong usage, 130 interrupted."
FIGURES = ("png", "pdf", "svg", "jpg")  # formats
TABLE = "any file that astropy can read, or text in columns, also compressed"


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser, *_):
        import astro_hier

        print(f"{parser.prog} {astro_hier.__version__}")
        parser.exit()


def build() -> argparse.ArgumentParser:
    """The parser of the command; ``run`` of what it returns is the file of the verb."""
    parser = argparse.ArgumentParser(prog="astro-hier", description=ABOUT, epilog=EXIT_CODES)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in MODELS:
        _fit(verbs, command)
    for add in (_compare, _report, _survey, _demo):
        add(verbs)
    return parser


def _verb(verbs, name, run, about, what):
    """A verb; ``run`` is its file, and ``what`` the files that follow it."""
    usage = f"%(prog)s {what} [OPTIONS]".replace("  ", " ")
    verb = verbs.add_parser(name, usage=usage, help=about, description=about, epilog=EXIT_CODES)
    verb.set_defaults(run=run, parser=verb)
    return verb


def _fit(verbs, command):
    described = MODELS[command]
    verb = _verb(verbs, command, "fit", described.about, "TABLE")
    verb.set_defaults(command=command)
    verb.add_argument("table", type=_path, metavar="TABLE", help=TABLE)
    _add_reading(verb, command)
    verb.add_argument(
        "--out", type=_path, metavar="DIR", help=f"folder to write to (default: TABLE-{command})"
    )
    _add_model(verb, command)
    verb.add_argument("--method", choices=METHODS, default="marginal")
    verb.add_argument(
        "--draws", type=_positive, default=1000, help="draws in each of 4 chains (default: 1000)"
    )
    verb.add_argument(
        "--max-evaluations",
        type=_positive,
        help="evaluations after which to stop, with a warning",
    )
    verb.add_argument(
        "--seed",
        type=_word("seed"),
        help="for the same draws every time (default: one by chance, which is printed)",
    )
    _add_output(verb)


def _compare(verbs):
    verb = _verb(
        verbs,
        "compare",
        "compare",
        "compare fits of the same data by their evidences",
        "FILE [FILE ...]",
    )
    verb.add_argument(
        "files",
        type=_path,
        nargs="+",
        metavar="FILE",
        help="saved fits, such as a/posterior.nc b/posterior.nc; or one table of the velocities of"
        " one star, for which an orbit is compared with none, and circles with ellipses",
    )
    _add_reading(verb, "binary")
    _add_model(verb, "binary")


def _report(verbs):
    verb = _verb(
        verbs, "report", "report", "write a page about a saved fit, with all figures", "FILE"
    )
    verb.add_argument("file", type=_path, metavar="FILE", help="a saved fit, such as posterior.nc")
    verb.add_argument(
        "--out", type=_path, metavar="HTML", help="page to write (default: FILE with .html)"
    )
    _add_overwrite(verb)
    _add_unit(verb)
    _add_quiet(verb)


def _survey(verbs):
    about = "a survey of any number of stars, whose rows are kept on disk"
    survey = verbs.add_parser("survey", help=about, description=about, epilog=EXIT_CODES)
    actions = survey.add_subparsers(required=True, metavar="ACTION")
    about = "search for the orbits of all stars, and write their rows; goes on where it was stopped"
    prepare = _action(actions, "prepare", about, "SOURCE")
    prepare.add_argument("source", type=_path, metavar="SOURCE", help=f"{TABLE}; or Parquet files")
    prepare.add_argument("--rows", type=_path, required=True, metavar="DIR", help="folder of rows")
    prepare.add_argument(
        "--model",
        choices=("binaries", "binary"),
        default="binaries",
        help="rows for a population (default), or the orbit of each star",
    )
    prepare.add_argument("--star", help="in Parquet files, the column of the stars' labels")
    prepare.add_argument("--visits", help="in Parquet files, the column of nested visits")
    prepare.add_argument("--workers", type=_positive, default=1, help="processes (default: 1)")
    prepare.add_argument(
        "--stars-per-file", type=_positive, default=10_000, help="(default: 10000)"
    )
    fit = _action(actions, "fit", "fit a population to rows", "ROWS")
    fit.add_argument("rows", type=_path, metavar="ROWS", help="folder of rows")
    fit.add_argument("--out", type=_path, metavar="DIR", help="(default: ROWS-fit)")
    fit.add_argument("--draws", type=_positive, default=1000, help="in each of 4 chains")
    fit.add_argument("--seed", type=_word("seed"), help="for the same draws every time")
    _add_overwrite(fit)
    _add_unit(fit)
    results = _action(actions, "results", "write results of every star", "FIT ROWS")
    results.add_argument("file", type=_path, metavar="FIT", help="a saved fit of rows")
    results.add_argument("rows", type=_path, metavar="ROWS", help="folder of rows")
    results.add_argument(
        "--out", type=_path, required=True, metavar="DIR", help="folder to write to"
    )
    status = _action(actions, "status", "how far the rows in a folder have come", "ROWS")
    status.add_argument("rows", type=_path, metavar="ROWS", help="folder of rows")
    for action in (prepare, fit):
        _add_reading(action, "binaries")
        _add_model(action, "binaries")
    for action in (prepare, fit, results):
        _add_quiet(action)


def _action(actions, name, about, what):
    action = _verb(actions, name, "survey", about, what)
    action.set_defaults(action=name, command="binaries")
    return action


def _demo(verbs):
    about = f"simulate and fit a table of each kind ({', '.join(MODELS)}); needs no data"
    verb = _verb(verbs, "demo", "demo", about, "")
    verb.add_argument("--out", type=_path, default=Path("astro-hier-demo"), metavar="DIR",
                      help="folder to write to (default: %(default)s)")  # fmt: skip
    _add_output(verb)


def _add_reading(verb, command):
    """How a table is read."""
    described = MODELS[command]
    presets = f", or a preset: {', '.join(described.presets)}" if described.presets else ""
    verb.add_argument(
        "--format", help="astropy's name for the format of the file, if it is not obvious"
    )
    verb.add_argument(
        "--delimiter",
        type=_word("delimiter"),
        metavar="CHARACTER",
        help="what stands between the columns of a text: ';', ',', '|', tab or blank",
    )
    verb.add_argument("--hdu", type=_word("hdu"), help="number or name of the table in a FITS file")
    verb.add_argument(
        "--columns",
        type=_word("columns"),
        action="append",
        default=[],
        metavar="ROLE=NAME[:UNIT],...",
        help=f"columns of the roles {', '.join(described.roles)}, where they have other names or no"
        f" unit{presets}; may be repeated",
    )
    verb.add_argument(
        "--on-invalid",
        choices=("raise", "drop"),
        default="raise",
        help="whether invalid rows are an error or left out (default: raise)",
    )


def _add_model(verb, command):
    """The arguments of a model."""
    described = MODELS[command]
    verb.add_argument(
        "--prior",
        type=_word("prior"),
        action="append",
        default=[],
        metavar="'NAME=FAMILY(NUMBERS)'",
        help="prior of a parameter, such as 'P=LogUniform(1 d, 1000 d)'; may be repeated; the"
        f" families are {', '.join(FAMILIES)}",
    )
    verb.add_argument(
        "--set",
        type=_word("setting", command),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"any other argument of the model, such as {', '.join(described.examples)}; may be"
        f" repeated; {described.model} has {', '.join(described.arguments)}",
    )


def _add_output(verb):
    """What is written and printed."""
    _add_overwrite(verb)
    _add_unit(verb)
    verb.add_argument(
        "--format-figures",
        type=_figures,
        default=("png",),
        metavar="FORMAT,...",
        help=f"formats of the figures, of {', '.join(FIGURES)} (default: png)",
    )
    verb.add_argument(
        "--no-figures",
        action="store_const",
        dest="format_figures",
        const=(),
        help="draw no figures",
    )
    _add_quiet(verb)


def _add_unit(verb):
    verb.add_argument(
        "--unit",
        type=_word("units"),
        metavar="UNIT,...",
        help="units of results and figures, such as pc,m/s, for all quantities of their kinds",
    )


def _add_quiet(verb):
    verb.add_argument("--quiet", action="store_true", help="print nothing but errors and warnings")


def _add_overwrite(verb):
    verb.add_argument(
        "--overwrite", action="store_true", help="replace the files of an earlier run"
    )


def _word(kind, *context):
    """A kind of value, whose reader is imported when one is given, not for the help."""
    return partial(_read_word, kind, context)


def _read_word(kind: str, context: tuple, text: str) -> Any:
    values = importlib.import_module("astro_hier.cli.values")
    return getattr(values, f"read_{kind}")(text, *context)


def _path(text: str) -> Path:
    """A file or folder, in which ~ stands for the home folder as in unquoted words of the shell."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r}; expected the name of a file or folder")
    return Path(os.path.expanduser(text))


def _positive(text):
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:19]) < 10**18:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number of at least 1")
    return int(text)


def _figures(text):
    formats = tuple(dict.fromkeys(word.strip().lower().lstrip(".") for word in text.split(",")))
    unknown = [word for word in formats if word not in FIGURES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{unknown[0]!r}; expected some of {', '.join(FIGURES)}, separated by commas, or"
            " --no-figures for none"
        )
    return formats
