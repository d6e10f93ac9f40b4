"""Checks of a fit: what each one found, what was expected, the verdict, and what to do.

A `Check` is defined once, by the module that knows what it looks at, with advice for users of
Python and of the shell; `DEFINED` holds them all. The code that looks returns a `Finding`. A fit
collects the findings, keeps them with its results, and warns of those that failed, once each, at
the line that called the package.
"""

import json
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from astro_hier.progress import LOG

__all__ = ["Check", "CheckWarning", "Finding", "define", "failed", "tabulate", "warn", "warn_of"]

PACKAGE = f"{Path(__file__).parent}{os.sep}"
DEFINED: dict[str, list["Check"]] = {}  # every check by name; several models may share a name


class CheckWarning(AstropyUserWarning):
    """A check of a fit that failed."""


@dataclass(frozen=True)
class Finding:
    """What one check found in one fit.

    Attributes
    ----------
    name : str
        Name of the check.
    found : str
        What it found: a number with its unit, or words.
    limit : str
        What is expected.
    failed : bool
        The verdict.
    said : str
        If it failed, what is wrong: the values, rows or parameters concerned.
    python, shell : str
        If it failed, what to do, for a user of Python and of the command.

    Examples
    --------
    >>> from astro_hier import SB1Binary, datasets
    >>> visits = datasets.make_binary(10, random_state=1)
    >>> star = SB1Binary().fit(visits, random_state=1, progressbar=False)
    >>> finding = star.findings()[0]
    >>> finding.name, finding.failed
    ('units', False)
    """

    name: str
    found: str
    limit: str
    failed: bool
    said: str = ""
    python: str = ""
    shell: str = ""

    def message(self, shell: bool = False) -> str:
        """What is wrong and what to do."""
        return f"{self.said}: {self.shell if shell else self.python}"


@dataclass(frozen=True)
class Check:
    """One property of a fit that is checked.

    The texts may hold fields in braces, which `finding` fills in.

    Attributes
    ----------
    name : str
        Its name in the table of checks.
    limit : str
        What is expected.
    said : str
        What is wrong if it fails.
    python : str
        What to do if it fails.
    shell : str
        The same for a user of the command; as in Python if empty.

    Examples
    --------
    >>> from astro_hier.checks import Check
    >>> check = Check("size", "at least 8", "only {found} stars", "observe more")
    >>> check.finding("3", failed=True).message()
    'only 3 stars: observe more'
    """

    name: str
    limit: str
    said: str
    python: str
    shell: str = ""

    def finding(self, found: str, failed: bool, **words: Any) -> Finding:
        """A `Finding`; ``words`` are the values of the fields in the texts."""
        words = {"found": found, **words}
        limit = self.limit.format_map(words)
        if not failed:
            return Finding(self.name, found, limit, False)
        said, python = self.said.format_map(words), self.python.format_map(words)
        shell = self.shell.format_map(words) if self.shell else python
        return Finding(self.name, found, limit, True, said, python, shell)


def define(name: str, *, limit: str, said: str, python: str, shell: str = "") -> Check:
    """Define a `Check`, and add it to ``DEFINED``."""
    check = Check(name, limit, said, python, shell)
    DEFINED.setdefault(name, []).append(check)
    return check


def failed(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that failed."""
    return [finding for finding in findings if finding.failed]


def tabulate(findings: Sequence[Finding]) -> Table:
    """A `~astropy.table.Table` with one row for each finding."""
    return Table(
        {
            "check": [f.name for f in findings],
            "found": [f.found for f in findings],
            "limit": [f.limit for f in findings],
            "verdict": ["failed" if f.failed else "good" for f in findings],
            "what to do": [f.message() if f.failed else "" for f in findings],
        },
        dtype=[str] * 5,
    )


def dump(findings: Iterable[Finding]) -> str:
    """Findings as text, for a file."""
    return json.dumps([asdict(finding) for finding in findings])


def restore(text: str) -> list[Finding]:
    """The findings in a text that `dump` wrote."""
    return [Finding(**fields) for fields in json.loads(text)]


def warn(message: str, category: type[Warning] = AstropyUserWarning) -> None:
    """Warn at the line that called the package, from any depth within it."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def warn_of(findings: Iterable[Finding]) -> None:
    """Warn of the findings that failed, once each."""
    for finding in failed(findings):
        LOG.info("check failed: %s, found %s", finding.name, finding.found)
        warn(finding.message(), CheckWarning)
