"""The ``astro-hier`` command: its verbs, and how errors and warnings are said."""

import importlib
import os
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from astro_hier.cli import described, parser

__all__ = ["main"]

FAILED = 1  # exit status; argparse exits with 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = None
    try:
        options, unknown = parser.build().parse_known_args(arguments)
        if unknown:
            options.parser.error(_not_recognised(unknown, getattr(options, "command", None)))
        verb = importlib.import_module(f"astro_hier.cli.{options.run}")
        with _warnings_said(options):  # after astropy is loaded, which says them in its own way
            return verb.run(options)
    except BrokenPipeError:  # such as that of head, which reads no further
        with suppress(OSError, ValueError):  # or Python tries once more when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        return _failed(error, options, sys.argv[1:] if arguments is None else arguments)


def _not_recognised(unknown: Sequence[str], command: str | None) -> str:
    """What is wrong with arguments that no option has, some of which may be those of the model."""
    said = f"unrecognized arguments: {' '.join(unknown)}"
    known = described.MODELS[command].arguments if command in described.MODELS else ()
    for word in unknown:
        option, equals, value = word.partition("=")
        name = option.lstrip("-").replace("-", "_")
        if option.startswith("--") and name in known:
            given = shlex.quote(f"{name}={value}") if equals else f"{name}=..."
            return f"{said}; {name} is an argument of the model: try --set {given}"
    return said


def _failed(error: Exception, options: Any, arguments: Sequence[str]) -> int:
    """Say what went wrong; returns the exit status."""
    from astro_hier.cli import speech

    if isinstance(error, speech.UsageError):
        options.parser.error(str(error))
    for line in speech.of_error(error, getattr(options, "command", None), arguments):
        _say(line)
    return FAILED


@contextmanager
def _warnings_said(options: Any) -> Iterator[None]:
    """Print warnings as the shell says them, on standard error."""

    def show(message, category, *_args, **_options):
        from astro_hier.cli import speech

        _say(f"warning: {speech.in_shell(str(message), getattr(options, 'command', None))}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        for ignored in (FutureWarning, DeprecationWarning, RuntimeWarning):  # for programmers
            warnings.simplefilter("ignore", ignored, append=True)
        yield


def _say(line: str) -> None:
    print(f"astro-hier: {line}", file=sys.stderr)
