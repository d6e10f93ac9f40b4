"""Tables from files: those that astropy knows, and text whose layout is found out.

FITS, VOTable, ECSV and other formats that say what they are are left to astropy, which is told to
read times as times.
"""

import bz2
import gzip
import io
import lzma
import re
import sys
import warnings
import zlib
from argparse import Namespace

from astropy.io.registry import IORegistryError
from astropy.table import QTable
from astropy.utils.exceptions import AstropyWarning

from astro_hier.cli.speech import UsageError
from astro_hier.cli.text import TextError, as_text, check_names, read_text

__all__ = ["check_unread", "read_table"]

# what cannot be read, and what to do
ARCHIVES = {
    b"PK\x03\x04": "a zip archive or a spreadsheet: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save the sheet as CSV",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it",
    b"\x1f\x9d": "compressed by compress: unpack it",
}
TAR, TAR_AT = b"ustar", 257
COMPRESSED = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ\x00": lzma}
SUFFIXES = (".gz", ".bz2", ".xz")
FITS = b"SIMPLE  ="
# what formats that astropy reads and that are not plain columns start with
MARKS = {
    b"# %ECSV": "ascii.ecsv",
    FITS: "fits",
    b"<?xml": "votable",
    b"<VOTABLE": "votable",
    b"Title:": "ascii.mrt",
    b"|": "ascii.ipac",
    b"\\begin{deluxetable": "ascii.aastex",
    b"\\begin": "ascii.latex",
    b"\\": "ascii.ipac",
}
BINARY = b"\x89HDF", b"PAR1"  # HDF5 and Parquet
TEXT = ("", ".csv", ".txt", ".dat", ".rdb", ".tsv", ".tab", ".ssv", ".data", ".tbl", ".ascii")
NO_TABLE = "No table found"  # astropy's words
MUCH = 10**8  # bytes of text that take long to read
LONGEST_MARK = 1000  # bytes, with blanks before it
NAMES = "ascii.csv, ascii.ecsv, ascii.rdb, ascii.no_header, fits, votable, ..."


def read_table(path, format=None, delimiter=None, hdu=None):
    """A table from a file of any kind.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.
    format : str, optional
        Astropy's name of its format.
    delimiter : str, optional
        What stands between the columns of text.
    hdu : int or str, optional
        Which table of a FITS file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no table, or of a format that is not recognised; the message says what to type.
    """
    content = _content(path)
    start = content[:LONGEST_MARK].lstrip(b"\xef\xbb\xbf \t\r\n")
    known = format or next((name for mark, name in MARKS.items() if start.startswith(mark)), None)
    text = known is None and _is_text(path, content)
    is_text = (known or "ascii").startswith("ascii") and not content.startswith(BINARY)
    if delimiter is not None and not is_text:
        raise UsageError(f"--delimiter is for text, and {str(path)!r} is not read as text")
    if hdu is not None and known != "fits":
        raise UsageError(f"--hdu is for FITS files, and {str(path)!r} is not one")
    try:
        if known == "fits":
            return _read_fits(content, {} if hdu is None else {"hdu": hdu})
        if text or delimiter is not None or (known or "").startswith("ascii"):
            return _read_ascii(content, known, delimiter)
        if format is not None:
            return QTable.read(path, format=format)
        if known is not None:
            table = QTable.read(io.BytesIO(content), format=known)
            check_names(table.colnames, content.decode(errors="replace"))
            return table
        return QTable.read(path)
    except IORegistryError as error:
        raise ValueError(_unknown(path, format, error)) from error
    except (MemoryError, UsageError):
        raise
    except TextError as error:
        raise ValueError(f"{path}: could not be read: {error}") from error
    except Exception as error:  # of astropy, or of any package that it uses to read a file
        raise ValueError(_unreadable(path, known, format, error)) from error


def check_unread(options: Namespace, what: str, *more: str) -> None:
    """Raise a UsageError if there are options for a table in a file where there is none."""
    for name in ("format", "delimiter", "hdu", *more):
        if getattr(options, name) not in (None, []):
            raise UsageError(f"--{name} is for the file of a table, and {what} are given")


def _read_ascii(content, format, delimiter):
    """A table of text, in one of astropy's formats or else in columns of any layout."""
    if len(content) > MUCH:
        print(f"astro-hier: reading {len(content) // 10**6} MB of text", file=sys.stderr)
    text = as_text(content)
    if format is None:
        return read_text(text, delimiter)
    more = {} if delimiter is None else {"delimiter": delimiter}
    table = QTable.read(text if "\n" in text else f"{text}\n", format=format, **more)
    if format != "ascii.no_header":
        check_names(table.colnames, text)
    return table


def _content(path):
    """All bytes of a file, decompressed."""
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; expected a file with a table")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {str(path)!r}") from None
    archive = next((said for mark, said in ARCHIVES.items() if content.startswith(mark)), None)
    if archive is None and content[TAR_AT:].startswith(TAR):
        archive = "a tar archive: unpack it"
    if archive:
        raise OSError(f"{str(path)!r} is {archive}")
    for mark, module in COMPRESSED.items():
        if content.startswith(mark):
            try:
                return module.decompress(content)
            except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
                raise OSError(
                    f"{str(path)!r} is a damaged {module.__name__} file: {error}"
                ) from None
    return content


def _read_fits(content, which):
    """A table of a FITS file, with times as times where they can be understood as such."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Specified hdu", AstropyWarning)
        try:
            return QTable.read(io.BytesIO(content), format="fits", astropy_native=True, **which)
        except (OSError, LookupError, AstropyWarning):
            raise
        except Exception:  # what looks like times but is not
            return QTable.read(io.BytesIO(content), format="fits", **which)


def _is_text(path, content):
    """Whether a file holds plain text, to judge by its name and its first bytes."""
    name = path.name.lower()
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    known = "." + name.rpartition(".")[2] if "." in name else ""
    is_binary = b"\0" in content and (known == "" or content.startswith(BINARY))
    return known in TEXT and not is_binary


def _unknown(path, format, error):
    """The message for a format that astropy does not recognise, or that does not exist."""
    if format is not None:
        return f"--format {format} is none that astropy can read; expected {NAMES}"
    first = str(error).partition("\n")[0].strip().rstrip(".")
    return f"{path}: astropy does not recognise this format ({first}); name it: --format {NAMES}"


def _unreadable(path, format, given, error):
    """The message for a file that could not be read as a format, which may have been given."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = (lines or [type(error).__name__])[0][:200].rstrip(".")
    if isinstance(error, AstropyWarning | LookupError) and format == "fits":
        said = said.partition(", reading")[0]
        return f"{path}: {said}: name a table of the file, by its number or name, with --hdu"
    if "already used as a name" in said:
        return f"{path}: several columns have the same name: give them different names"
    if isinstance(error, ImportError) or re.search("required to (read|write)", said):
        missing = getattr(error, "name", None) or "a package that is not installed"
        return (
            f"{path}: this format needs {missing} ({said}): install it, or write the table in"
            " another format, such as fits or ascii.ecsv"
        )
    if said == NO_TABLE:
        return f"{path}: holds no table: name a file with one, if this one is not cut short"
    if format != given:
        return f"{path}: could not be read as {format} ({said}): it is damaged or cut short"
    if format not in (None, "ascii.csv", "ascii.basic"):
        return f"{path}: could not be read as {format} ({said}); expected another --format: {NAMES}"
    return (
        f"{path}: could not be read ({said}); expected columns with their names in the first line:"
        f" name another format, --format {NAMES}, or what stands between columns with"
        " --delimiter, such as --delimiter ';'"
    )
