"""Tables from files: those that astropy knows, and text whose layout is found out.

FITS, VOTable, ECSV and other formats that say what they are are left to astropy, which is told to
read times as times.
"""

import bz2
import gzip
import io
import lzma
import re
import warnings
import zlib

from astropy.io.registry import IORegistryError
from astropy.table import QTable
from astropy.utils.exceptions import AstropyWarning

from astro_hier.cli.speech import UsageError
from astro_hier.cli.text import read_text

__all__ = ["read_table"]

COMPRESSED = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ\x00": lzma}
SUFFIXES = (".gz", ".bz2", ".xz")
FITS = b"SIMPLE  ="
# what formats that astropy reads and that are not plain columns start with
MARKS = {
    b"# %ECSV": "ascii.ecsv",
    FITS: "fits",
    b"<?xml": "votable",
    b"<VOTABLE": "votable",
    b"Title: ": "ascii.mrt",
    b"|": "ascii.ipac",
    b"\\": "ascii.ipac",
}
TEXT = ("", ".csv", ".txt", ".dat", ".rdb", ".tsv", ".tab", ".ssv", ".data", ".tbl", ".ascii")
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
    if hdu is not None and known != "fits":
        raise UsageError(f"--hdu is for FITS files, and {str(path)!r} is not one")
    try:
        if known == "fits":
            return _read_fits(content, {} if hdu is None else {"hdu": hdu})
        if delimiter is None and format is not None:
            return QTable.read(path, format=format)
        if delimiter is None and known is not None:
            return QTable.read(io.BytesIO(content), format=known)
        if delimiter is not None or _is_text(path, content):
            return read_text(content, delimiter)
        return QTable.read(path)
    except IORegistryError as error:
        raise ValueError(_unknown(path, format, error)) from error
    except (MemoryError, UsageError):
        raise
    except Exception as error:  # of astropy, or of any package that it uses to read a file
        raise ValueError(_unreadable(path, known, error)) from error


def _content(path):
    """All bytes of a file, decompressed."""
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; expected a file with a table")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {str(path)!r}") from None
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
    return known in TEXT and b"\0" not in content


def _unknown(path, format, error):
    """The message for a format that astropy does not recognise, or that does not exist."""
    if format is not None:
        return f"--format {format} is none that astropy can read; expected {NAMES}"
    first = str(error).partition("\n")[0].strip().rstrip(".")
    return f"{path}: astropy does not recognise this format ({first}); name it: --format {NAMES}"


def _unreadable(path, format, error):
    """The message for a file that could not be read."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = (lines or [type(error).__name__])[0][:200].rstrip(".")
    if isinstance(error, AstropyWarning | LookupError) and format == "fits":
        said = said.partition(", reading")[0]
        return f"{path}: {said}: name a table of the file, by its number or name, with --hdu"
    if isinstance(error, ImportError) or re.search("required to (read|write)", said):
        missing = getattr(error, "name", None) or "a package that is not installed"
        return (
            f"{path}: this format needs {missing} ({said}): install it, or write the table in"
            " another format, such as fits or ascii.ecsv"
        )
    if format not in (None, "ascii.csv", "ascii.basic"):
        return f"{path}: could not be read as {format} ({said}); expected another --format: {NAMES}"
    return (
        f"{path}: could not be read ({said}); expected columns with their names in the first line:"
        f" name another format, --format {NAMES}, or what stands between columns with"
        " --delimiter, such as --delimiter ';'"
    )
