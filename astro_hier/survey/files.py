"""Rows on disk: Parquet files in a folder, each written whole or not at all.

Any folder of such files serves, such as the catalogues that LSDB writes; margins of these, which
hold stars a second time, are left out.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astro_hier.given import path as as_path
from astro_hier.posterior.files import put
from astro_hier.survey.partition import OK, SPECIFICATION

BLOCK = 10_000  # stars that are read at a time


class RowsError(ValueError):
    """Rows on disk that cannot be used together, or not by a model."""


def write(table: Any, path: Path) -> None:
    """Write an Arrow table to a Parquet file, which appears when it is complete.

    Raises
    ------
    OSError
        If the file cannot be written; nothing is left of it then.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_statistics=False)
    write_bytes(sink.getvalue(), path)


def write_bytes(content: Any, path: Path) -> None:
    """Write a file, which appears when it is complete, or raise an OSError."""
    try:
        put(path, content)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{str(path)!r} cannot be written ({error.strerror}); the files that are complete stay,"
            " and the same call goes on from there",
        ) from error


def found(folder: str | os.PathLike) -> list[Path]:
    """The Parquet files of rows in a folder and the folders in it, in order.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no such file in it.
    """
    folder = as_path("folder", folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{str(folder)!r} is not a folder; expected a folder of rows")
    margins = [file.parent for file in folder.rglob("*properties") if _is_margin(file)]
    paths = sorted(
        path
        for path in folder.rglob("*.parquet")
        if not path.name.startswith((".", "_"))
        and path.name != "per_partition_statistics.parquet"
        and not any(margin in path.parents for margin in margins)
    )
    if not paths:
        raise FileNotFoundError(f"{str(folder)!r} holds no Parquet files; expected rows")
    return paths


def _is_margin(file):
    with suppress(OSError, UnicodeDecodeError):
        return any(
            line.replace(" ", "").startswith("dataproduct_type=margin")
            for line in file.read_text().splitlines()
        )
    return False


@dataclass(frozen=True)
class Store:
    """The files of a survey's rows, all made alike.

    Attributes
    ----------
    folder : Path
    paths : list of Path
    specification : dict
        What the rows depend on.
    counts : dict
        Number of stars by status.
    star : str
        Name of the column of labels.
    """

    folder: Path
    paths: Sequence[Path]
    specification: dict[str, Any]
    counts: dict[str, int]
    star: str

    @classmethod
    def open(cls, folder: str | os.PathLike) -> "Store":
        """The rows in a folder.

        Raises
        ------
        RowsError
            If a file holds something else, or files were made with different arguments.
        """
        folder = as_path("folder", folder)
        paths = found(folder)
        counts: dict[str, int] = {}
        of_file: dict[str, Path] = {}
        for path in paths:
            said, statuses = _look_at(path)
            for text in said:
                of_file.setdefault(text, path)
            for status, count in statuses.items():
                counts[status] = counts.get(status, 0) + count
        if len(of_file) > 1:
            raise RowsError(_different(folder, of_file))
        specification = json.loads(next(iter(of_file), "{}"))
        if not specification:
            raise RowsError(f"{str(folder)!r} holds no stars")
        names = _schema(paths[0]).names
        star = "star" if "star" in names else names[0]
        return cls(folder, paths, specification, counts, star)

    def __len__(self) -> int:
        """Number of stars that can be used."""
        return self.counts.get(OK, 0)

    def blocks(self, columns: Sequence[str], paths: Sequence[Path] | None = None) -> Iterator[Any]:
        """Some columns of the usable stars, as Arrow tables of about `BLOCK` stars."""
        import pyarrow as pa

        waiting: list[Any] = []
        for table in self._tables(columns, paths or self.paths):
            waiting.append(table)
            if sum(map(len, waiting)) > BLOCK // 2:
                yield pa.concat_tables(waiting).combine_chunks()
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting).combine_chunks()

    def check_unique(self) -> None:
        """Raise a RowsError if a star has several rows, which would count it several times."""
        import pandas as pd

        def hashes():
            for table in self.blocks([self.star]):
                yield table, pd.util.hash_array(np.asarray(table[0].to_pandas()))

        every = np.sort(np.concatenate([of for _, of in hashes()]))
        twice = every[1:][every[1:] == every[:-1]]
        if not len(twice):
            return
        label = next(
            table[0][int(np.argmax(of == twice[0]))].as_py()
            for table, of in hashes()
            if np.any(of == twice[0])
        )
        raise RowsError(
            f"{len(twice)} rows in {str(self.folder)!r} are of stars that have another row, such as"
            f" {label!r}: expected one a star; remove copies of files, and open catalogues without"
            " margins"
        )

    def _tables(self, columns, paths):
        """The same, as they are in the files."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        for path in paths:
            with pq.ParquetFile(path, memory_map=True) as file:
                for batch in file.iter_batches(BLOCK, columns=[*columns, "status"]):
                    table = pa.Table.from_batches([batch])
                    table = table.filter(pc.equal(table["status"], OK)).drop_columns("status")
                    if len(table):
                        yield table


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """In what two specifications differ, in words."""
    if one.get("model") != other.get("model"):
        return f"they are of {one.get('model')} and {other.get('model')}"
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    return "; ".join(
        f"{name} {_short(one.get(name))} and {_short(other.get(name))}" for name in names
    )


def _short(value):
    text = json.dumps(value)
    return text if len(text) < 120 else f"{text[:117]}..."


def _different(folder, of_file):
    (one, path), (other, another) = list(of_file.items())[:2]
    return (
        f"{str(folder)!r} holds rows that were made with different arguments"
        f" ({difference(json.loads(one), json.loads(other))}), such as {path.name} and"
        f" {another.name}: expected rows of one model; make them again, or move one kind away"
    )


def _schema(path):
    import pyarrow.parquet as pq

    return pq.read_schema(path)


def _look_at(path):
    """Specifications in a file, and how many stars it has by status."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(
            path, columns=[SPECIFICATION, "status"], read_dictionary=[SPECIFICATION, "status"],
            partitioning=None,
        )  # fmt: skip
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise RowsError(
            f"{str(path)!r} is not a file of rows ({error}): expected those that survey.prepare or"
            " a partition_function made; remove it, or make it again"
        ) from None
    if set(table.column_names) != {SPECIFICATION, "status"}:
        raise RowsError(
            f"{str(path)!r} holds no rows of stars; expected a column {SPECIFICATION!r}"
        )
    counted = pc.value_counts(table["status"].combine_chunks())
    return pc.unique(table[SPECIFICATION]).to_pylist(), {
        str(of["values"]): of["counts"] for of in counted.to_pylist()
    }
