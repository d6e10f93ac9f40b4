"""Code that messages recommend, for astropy's tables or for the data frame that a user has."""

from typing import Any

from astro_hier.table.frames import library_of

__all__ = [
    "keep_first",
    "of_column",
    "read_call",
    "remove_rows",
    "replace_text",
    "select_first",
    "to_dates",
]

# how to read a file whose columns are separated in another way than by commas
READ = {
    "astropy": {
        ";": "QTable.read(path, format='ascii.csv', delimiter=';')",
        "|": "QTable.read(path, format='ascii.csv', delimiter='|')",
        ",": "QTable.read(path, format='ascii.csv')",
        "\t": "QTable.read(path, format='ascii.tab')",
        " ": "QTable.read(path, format='ascii.basic')",
        "rdb": "QTable.read(path, format='ascii.tab', data_start=2)",
        "header": "QTable.read(path, format='ascii.no_header', names=[...])",
    },
    "pandas": {
        " ": r"pandas.read_csv(path, sep=r'\s+')",
        "rdb": r"pandas.read_csv(path, sep='\t', skiprows=[1])",
        "header": "pandas.read_csv(path, header=None, names=[...])",
    },
    "polars": {
        " ": r"polars.from_pandas(pandas.read_csv(path, sep=r'\s+'))",
        "rdb": r"polars.read_csv(path, separator='\t', skip_rows_after_header=1)",
        "header": "polars.read_csv(path, has_header=False, new_columns=[...])",
    },
}
SEPARATED = {"pandas": "pandas.read_csv(path, sep={!r})",
             "polars": "polars.read_csv(path, separator={!r})"}  # fmt: skip
# dates with and without a time of day or a time zone
ISO = "format='ISO8601', utc=True"
MAX_LISTED = 20  # rows in a call that removes them


def of_column(column: Any) -> Any:
    """The table that a column belongs to, or None."""
    return getattr(getattr(column, "info", None), "parent_table", None)


def read_call(table: Any, kind: str) -> str:
    """The call that reads a file with another separator, without header, or of kind "rdb"."""
    library = library_of(table)
    if kind in READ.get(library, {}):
        return READ[library][kind]
    return SEPARATED[library].format(kind) if library in SEPARATED else READ["astropy"][kind]


def to_dates(table: Any, name: str) -> str:
    """The assignment that makes dates of text."""
    return {
        "pandas": f"frame[{name!r}] = pandas.to_datetime(frame[{name!r}], {ISO})",
        "pyarrow": _set_column(name, f"pandas.to_datetime(table[{name!r}].to_pandas(), {ISO})"),
        "polars": f"frame = frame.with_columns(polars.col({name!r}).str.to_datetime())",
    }.get(library_of(table), f"table[{name!r}] = Time(table[{name!r}])")


def replace_text(table: Any, name: str) -> str:
    """The assignment that makes numbers of text with decimal commas."""
    return {
        "pandas": f"frame[{name!r}] = frame[{name!r}].str.replace(',', '.').astype(float)",
        "polars": f"frame = frame.with_columns(polars.col({name!r}).str.replace(',',"
        " '.').cast(float))",
        "pyarrow": _set_column(
            name, f"[float(text.replace(',', '.')) for text in table[{name!r}].to_pylist()]"
        ),
    }.get(
        library_of(table),
        f"table[{name!r}] = [float(text.replace(',', '.')) for text in table[{name!r}]]",
    )


def remove_rows(table: Any, copies: list[int], names: list[str]) -> str:
    """The call that removes copies of rows."""
    library = library_of(table)
    if library == "pandas":
        return f"frame = frame.drop_duplicates({names})"
    if library == "polars":
        return f"frame = frame.unique({names}, keep='first', maintain_order=True)"
    if library == "pyarrow":
        return _without_repeats(names)
    if library == "astropy" and len(copies) <= MAX_LISTED:
        return f"table.remove_rows({copies})"
    if library == "astropy":
        return f"keep one of each with table = astropy.table.unique(table, keys={names})"
    return f"keep one of each in {names}"


def select_first(table: Any, name: str) -> str:
    """The rows of the first identifier."""
    return {
        "pandas": f"frame[frame[{name!r}] == frame[{name!r}].iloc[0]]",
        "polars": f"frame.filter(polars.col({name!r}) == frame[{name!r}][0])",
        "pyarrow": f"table.filter(pyarrow.compute.equal(table[{name!r}], table[{name!r}][0]))",
    }.get(library_of(table), f"table[table[{name!r}] == table[{name!r}][0]]")


def keep_first(table: Any, name: str) -> str:
    """The assignment that keeps one row of each identifier."""
    return {
        "pandas": f"frame = frame.drop_duplicates({name!r})",
        "polars": f"frame = frame.unique({name!r}, keep='first', maintain_order=True)",
        "pyarrow": _without_repeats(name),
    }.get(library_of(table), f"table = astropy.table.unique(table, keys={name!r})")


def _set_column(name: str, values: str) -> str:
    """The assignment that replaces a column of an Arrow table."""
    return f"table = table.set_column(table.column_names.index({name!r}), {name!r}, [{values}])"


def _without_repeats(names: str | list[str]) -> str:
    """The assignment that keeps one of equal rows of an Arrow table."""
    return f"table = pyarrow.Table.from_pandas(table.to_pandas().drop_duplicates({names!r}))"
