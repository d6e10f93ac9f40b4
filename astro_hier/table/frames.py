"""Data frames as astropy tables: those of pandas, polars and pyarrow, and what converts to them.

Numbers are not copied. Dates without a time zone are taken as UTC, as astropy takes them. The index
of a frame is not a column.
"""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column, MaskedColumn, Table
from astropy.time import Time

from astro_hier.table.roles import TableError

__all__ = ["ASTROPY", "FrameTable", "as_table", "library_of"]

ASTROPY = "astropy"

Values = tuple[np.ndarray, np.ndarray]  # of a column, and where they are missing

EXPECTED = (
    "expected an astropy Table, QTable or TimeSeries, or a data frame of pandas, polars or pyarrow"
)
LAZY = {"LazyFrame": ".collect()", "Dataset": ".to_table()", "Scanner": ".to_table()"}


class FrameTable(Table):
    """A table made of a data frame, which messages speak of.

    Attributes
    ----------
    library : str
        Name of the library that the frame is of.
    index_names : tuple of str
        Names of its index, which has no columns.
    """

    library = ""
    index_names: tuple[str, ...] = ()


def library_of(table: Any) -> str:
    """The library whose calls a message should show: that of the user's frame, or astropy."""
    return getattr(table, "library", ASTROPY)


def as_table(data: Any) -> Table:
    """An astropy table as it is, or one of the columns of a data frame.

    Raises
    ------
    TableError
        If this is neither, or a frame that holds no data yet.
    """
    if isinstance(data, Table):
        return data
    library, kind = type(data).__module__.partition(".")[0], type(data).__name__
    if library == "xarray":
        raise TableError(
            f"{EXPECTED}, got a {kind} of xarray: give its .to_dataframe().reset_index()"
        )
    if library != "builtins" and kind in LAZY:
        raise TableError(
            f"{EXPECTED}, got a {kind} of {library}, which holds no data yet: give its result, that"
            f" of {LAZY[kind]}"
        )
    if _is_frame(data, "polars"):
        names = data.columns
        return _table("polars", names, (_polars_values(data.get_column(name)) for name in names))
    if _is_frame(data, "pandas"):
        frame, library = data, "pandas"
    else:
        frame = _of_arrow(data) if _is_arrow(data) else _of_narwhals(data)
    if frame is None:
        raise TableError(
            f"{EXPECTED}, got {kind}; read a file with astropy.table.QTable.read(path), or convert"
            " columns with QTable({...})"
        )
    names = [str(name) for name in frame.columns]
    columns = (_pandas_values(frame.iloc[:, i]) for i in range(len(names)))
    table = _table(library, names, columns)
    table.index_names = tuple(str(name) for name in frame.index.names if name is not None)
    return table


def _is_frame(data, library):
    """Whether this is a DataFrame of a library, which need not be installed."""
    classes = [(of.__module__.partition(".")[0], of.__name__) for of in type(data).__mro__]
    return (library, "DataFrame") in classes


def _is_arrow(data):
    return hasattr(data, "__arrow_c_stream__") and not isinstance(data, type)


def _of_arrow(data):
    """A pandas frame that holds the columns of an Arrow table as they are, or None."""
    try:
        import pandas
        import pyarrow

        table = pyarrow.table(data)
    except (ImportError, TypeError, ValueError):  # no pyarrow, or no table
        return None
    views = (pyarrow.string_view(), pyarrow.binary_view())  # which pandas does not know
    plain = [pyarrow.string() if of.type == views[0] else pyarrow.binary() if of.type == views[1]
             else of.type for of in table.schema]  # fmt: skip
    columns = [_arrow_column(column, of) for column, of in zip(table.columns, plain, strict=True)]
    if not columns:
        return pandas.DataFrame()
    return pandas.concat(columns, axis=1, keys=table.column_names)


def _arrow_column(column, of):
    """An Arrow column of a type as a pandas one; as objects if pandas does not know the type."""
    import pandas

    try:
        _ = pandas.ArrowDtype(of).type  # raises where pandas has none
        # whole numbers with gaps would become floats otherwise, and lose digits
        return column.cast(of).to_pandas(types_mapper=pandas.ArrowDtype)
    except NotImplementedError:
        return pandas.Series(column.to_pylist(), dtype=object)


def _of_narwhals(data):
    """A pandas frame of any other that narwhals knows, or None."""
    try:
        import narwhals
    except ImportError:
        return None
    frame = narwhals.from_native(data, eager_only=True, pass_through=True)
    return frame.to_pandas() if isinstance(frame, narwhals.DataFrame) else None


def _table(library: str, names: Sequence[str], columns: Iterable[Values]) -> FrameTable:
    """A table of values and of where they are missing."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TableError(f"the frame has several columns {repeated}; expected different names")
    table = FrameTable()
    table.library = library
    for name, (values, missing) in zip(names, columns, strict=True):
        table.add_column(_column(values, missing), name=name, copy=False)
    return table


def _column(values, missing):
    if values.dtype.kind == "O" and values.ndim == 1:
        values = _dates(values, missing)
    if values.dtype.kind == "M":
        return Time(values.astype("M8[ns]"), format="datetime64", scale="utc")
    if values.dtype.kind == "m":
        return Column(values / np.timedelta64(1, "D"), unit=u.day)  # NaN where missing
    if not missing.any():
        return Column(values, copy=False)
    mask = np.broadcast_to(missing.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
    return MaskedColumn(values, mask=mask, copy=False)


def _dates(values, missing):
    """Objects as dates if they are, otherwise as they are."""
    present = values[~missing]
    naive = [isinstance(value, datetime.date) and not getattr(value, "tzinfo", None)
             for value in present]  # fmt: skip
    if not len(present) or not all(naive):
        return values
    dates = np.full(len(values), np.datetime64("NaT", "us"))
    dates[~missing] = present.astype("M8[us]")
    return dates


def _pandas_values(series):
    """The values of a pandas column, and where they are missing."""
    import pandas

    dtype, missing = series.dtype, series.isna().to_numpy(dtype=bool)
    if isinstance(dtype, pandas.CategoricalDtype):
        categories, _ = _pandas_values(dtype.categories.to_series())
        codes = series.cat.codes.to_numpy()
        return (categories[codes] if len(categories) else np.full(len(codes), None)), missing
    if getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return series.to_numpy(dtype="M8[ns]"), missing
    numbers = getattr(dtype, "numpy_dtype", None)
    if numbers is not None and numbers.kind in "iufb":
        return series.to_numpy(dtype=numbers, na_value=numbers.type(0)), missing
    if isinstance(dtype, pandas.SparseDtype):
        return np.asarray(series), missing
    return series.to_numpy(), missing


def _polars_values(series):
    """The values of a polars column, and where they are missing."""
    missing = series.is_null().to_numpy()
    if series.dtype.is_integer() and missing.any():
        series = series.fill_null(0)
    if str(series.dtype).endswith("128"):  # which numpy does not have
        return np.array(series.to_list(), dtype=object), missing
    return series.to_numpy(), missing
