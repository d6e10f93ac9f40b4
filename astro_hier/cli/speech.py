"""Messages as the shell says them.

Messages of the package name arguments as Python writes them, such as ``outliers=True`` or
``columns={'rv': ('vrad', 'km/s')}``. Each such piece is found by the name of the argument, read as
Python, and written as the option to type: ``--set outliers=True``, ``--columns rv=vrad:km/s``.
"""

import ast
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from astro_hier.cli.described import FAMILIES, MODELS

__all__ = ["OPTIONS", "UsageError", "in_shell", "of_error"]

# Arguments of fit() and of all models that have options of their own
OPTIONS = {
    "draws": "--draws",
    "format": "--format",
    "hdu": "--hdu",
    "max_evaluations": "--max-evaluations",
    "method": "--method",
    "on_invalid": "--on-invalid",
    "overwrite": "--overwrite",
    "random_state": "--seed",
    "unit": "--unit",
}
MODULES = "astro_hier|outliers|populations|priors|profiles"
# methods whose results the command writes to files
FILES = {
    r"\bstar_table\(\)": "stars.ecsv",
    r"\bobject_table\(\)": "objects.ecsv",
    r"\belements\(\)": "elements.ecsv",
    r"\bplot_(\w+)\(\)": r"the figure \1",
}
CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
FACTOR = re.compile(r" \* (?=[\w(])")  # between a number and its unit


class UsageError(ValueError):
    """A command line that has no meaning."""


@dataclass
class _Said:
    """A message as it is written anew, and the options in it."""

    priors: set[str]  # arguments that are usually priors
    text: str = ""  # so far; options at the beginning are what was given, not what to type
    columns: dict[str, str] = field(default_factory=dict)  # by role, what follows ROLE= or "NAME"
    others: list[str] = field(default_factory=list)


def in_shell(message: str, command: str | None = None) -> str:
    """A message in which arguments are options to type; ``command`` is the verb, if one fits."""
    return _translated(message, command).text


def of_error(error: Exception, command: str | None, arguments: Sequence[str]) -> list[str]:
    """The lines to print about an error: what is wrong, and the line to type where that is known.

    ``arguments`` are those of the command line that failed.
    """
    if not isinstance(error, (OSError, ValueError, ArithmeticError, MemoryError)):
        kind = type(error).__name__
        return [
            f"this should not happen, and is a fault of the program ({kind}: {error}): please"
            " report it with the command line and, if you can, the table"
        ]
    if isinstance(error, MemoryError):
        return ["there is not enough memory: fit fewer rows, or with fewer --draws"]
    message = getattr(error, "shell", None) or str(error) or type(error).__name__
    lines = re.sub(r"(?<![:;,.])\s*\n\s*", "; ", message.strip())  # problems, one in each
    said = _translated(" ".join(lines.split()), command)
    known = any(place.partition(":")[0] != "NAME" for place in said.columns.values())
    columns = ",".join(f"{role}={place}" for role, place in said.columns.items() if known)
    more = ["--columns", columns] if columns else said.others
    if not more or command is None or _are_of_others(said.columns, arguments):
        return [said.text]
    blank = " (with your columns for NAME)" if "=NAME" in columns else ""
    return [said.text, f"try{blank}: {shlex.join(['astro-hier', *arguments, *more])}"]


def _are_of_others(columns: dict[str, str], arguments: Sequence[str]) -> bool:
    """Whether columns for some roles are already given for others, such as a redshift."""
    words = re.findall(r"([\w-]+)\s*=\s*([^,:]+)", ",".join(arguments))
    places = {(role, place.partition(":")[0]) for role, place in columns.items()}
    return any(name == place and role != of for of, place in places for role, name in words)


def _translated(message: str, command: str | None) -> _Said:
    models = [MODELS[command]] if command in MODELS else MODELS.values()
    arguments = {"columns", *OPTIONS}.union(*(described.arguments for described in models))
    said, end = _Said(set().union(*(described.priors for described in models))), 0
    for found in re.finditer(r"(?<![\w.\-'\"{])(\w+)=(?!=)", message):
        written = re.search(r"--(set|prior|columns) ['\"]?$", message[: found.start()])
        if found.start() < end or found[1] not in arguments or written:
            continue
        stop = _end_of_value(message, found.end())
        said.text += _plain(message[end : found.start()], said)
        said.text += _option(found[1], message[found.end() : stop], said)
        end = stop
    said.text += _plain(message[end:], said)
    return said


def _end_of_value(text: str, start: int) -> int:
    """Where the value that starts in a message ends: a number or word, in brackets or times units.

    Brackets and quotes are followed to their ends.
    """
    open_ends: list[str] = []
    end, quote = start, ""
    while end < len(text):
        letter = text[end]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and (open_ends or end == start):
            quote = letter
        elif letter in "([{" or (letter == "<" and (open_ends or end == start)):
            open_ends.append(CLOSING[letter])
        elif open_ends and letter == open_ends[-1]:
            open_ends.pop()
        elif not open_ends and letter in " ,;:)":
            factor = FACTOR.match(text, end) or re.match(r" / u\.\w", text[end:])
            if not factor or end == start:
                break
            end += 2
        end += 1
    while end > start and text[end - 1] in "." and text[start:end] != "...":
        end -= 1
    return end


def _option(name: str, value: str, said: _Said) -> str:
    """The option that gives an argument its value, which is empty if the message states none."""
    if name == "columns":
        return _columns_option(value, said) if value else "--columns"
    if name == "unit":
        return f"--unit {_compact(_value(value))}"
    if name in OPTIONS:
        option = OPTIONS[name] if value == "True" else f"{OPTIONS[name]} {_value(value)}".rstrip()
        if name == "on_invalid" and said.text:
            said.others = ["--on-invalid", "drop"]
        return option
    if not value:
        return f"{'--prior' if name in said.priors else '--set'} {name}=..."
    shown = _value(value)
    is_prior = shown.partition("(")[0] in FAMILIES and shown.endswith(")")
    words = f"{name}={shown}"
    return f"{'--prior' if is_prior else '--set'} {words if _is_word(words) else repr(words)}"


def _is_word(text: str) -> bool:
    return re.fullmatch(r"[\w@%+=:,./-]+", text) is not None


def _columns_option(value: str, said: _Said) -> str:
    """``--columns`` for a dict from role to column name, or to name and unit."""
    try:
        places = ast.literal_eval(value)
    except (SyntaxError, ValueError):
        places = None
    if not isinstance(places, dict):
        return f"--columns {places or '...'}"
    words = {role: _place(place) for role, place in places.items()}
    for role, place in words.items():
        if said.text and role not in said.columns and place != "None":
            said.columns[role] = place
    line = ",".join(f"{role}={place}" for role, place in words.items())
    return f"--columns {line if _is_word(line) else repr(line)}"


def _place(place: object) -> str:
    if isinstance(place, tuple):
        name, unit = place
        return f"{name}:{_compact(str(unit))}"
    return str(place)


def _compact(unit: str) -> str:
    """A unit without blanks, which shells take for ends of words."""
    return unit.replace(" / ", "/").replace(" ", ".")


def _value(text: str) -> str:
    """A value of Python as a word of the shell."""
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        value = text
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    if text.startswith("<") and not text.startswith("<Quantity"):  # repr of a class or table
        return "..."
    said = _calls(str(value))
    return said[1:-1] if said.startswith("(") and said.endswith(")") else said


def _calls(text: str) -> str:
    """Text in which families and quantities are written as after ``--prior`` and ``--set``."""
    text = re.sub(rf"\b(?:(?:{MODULES})\.)+(?=[A-Z]\w*)", "", text)
    text = re.sub(r"\b([A-Z]\w*)\(\)", r"\1", text)
    text = re.sub(r"<Quantity ([^>]*)>", r"\1", text)
    text = re.sub(rf"\bastro_hier\.({MODULES})\b", r"the \1", text)
    for call, file in FILES.items():
        text = re.sub(call, file, text)
    return _quantities(text)


def _quantities(text: str) -> str:
    """Text in which ``3 * u.km / u.s`` is ``3 km/s``."""
    unit = r"u\.(\w+)((?: [*/] u\.\w+)*)"

    def named(found: re.Match) -> str:
        return found[1] + found[2].replace(" / u.", "/").replace(" * u.", ".")

    text = re.sub(r"(?<=[\d\]\w)]) \* " + unit, lambda found: " " + named(found), text)
    return re.sub(r"\b" + unit, named, text)


def _plain(text: str, said: _Said) -> str:
    """The words between arguments, which may hold a dict of columns, a family or a quantity."""
    dict_of_columns = re.compile(r"(?<![\w=])\{'\w+': (?:None|'\w+')\}")
    text = dict_of_columns.sub(lambda found: _columns_option(found[0], said), text)
    return _calls(text)
