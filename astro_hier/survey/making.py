"""Making the rows of a survey, part by part, so that what is done is never lost."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from astropy.table import Table
from tqdm.auto import tqdm

from astro_hier.given import path as as_path
from astro_hier.given import switch, whole, workers
from astro_hier.posterior.files import UNFINISHED
from astro_hier.survey import files, sources
from astro_hier.survey.files import RowsError
from astro_hier.survey.measured import Measured, checksum
from astro_hier.survey.partition import IMPOSSIBLE, MISSING, SPECIFICATION, StarWork
from astro_hier.survey.state import PLAN, Status, status

PER_WORKER = 2  # parts that wait at each worker


def prepare(
    source: Table | str | os.PathLike,
    folder: str | os.PathLike,
    model: Any,
    *,
    star: str | None = None,
    visits: str | None = None,
    columns: Mapping | None = None,
    client: Any = None,
    n_jobs: int = 1,
    stars_per_file: int = 10_000,
    resume: bool = True,
    progressbar: bool = True,
) -> Status:
    """Make the rows of all stars of a survey, in files of some stars each.

    A file appears when it is complete, so work that was interrupted, or a machine that failed,
    loses only what was under way: the same call goes on from there.

    Parameters
    ----------
    source : `~astropy.table.Table`, str or path-like
        The visits: a table or file of a visit a row (FITS, Parquet, or whatever `astropy` reads),
        or a Parquet file or folder of a star a row whose visits are nested or in lists.
    folder : str or path-like
        Where the files are written; made if necessary.
    model : `~astro_hier.BinaryPopulation` or `~astro_hier.SB1Binary`
        Its orbits are searched for. ``period_range`` (or the prior of ``P``) must be given, since
        no part of a survey knows the longest baseline.
    star, visits : str, optional
        In Parquet files, the columns of the stars' labels and of nested visits.
    columns : dict, optional
        In Parquet files, which have no units, a tuple of name and unit for each of ``time``, ``rv``
        and ``rv_error``; by default those of the model's ``columns``.
    client : `distributed.Client`, optional
        Where the work is done, if not in this process.
    n_jobs : int, optional
        Without a client, the number of processes.
    stars_per_file : int, optional
        How many stars a file holds.
    resume : bool, optional
        Whether to leave files that are there, and hold the same visits, as they are. If not, there
        must be none.
    progressbar : bool, optional
        Whether to show progress.

    Returns
    -------
    Status
        As from `status`.

    Raises
    ------
    TableError
        If the source does not have what the model needs.
    RowsError
        If the folder holds rows of other arguments, or of other stars; or parts could not be made.
    OSError
        If a file cannot be written, for instance because the disk is full.

    Examples
    --------
    >>> import astropy.units as u
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from astro_hier import BinaryPopulation, datasets, survey
    >>> visits = datasets.make_binaries(5, random_state=1)
    >>> model = BinaryPopulation(period_range=(1 * u.day, 100 * u.day))
    >>> with TemporaryDirectory() as folder:
    ...     rows = Path(folder) / "rows"
    ...     done = survey.prepare(visits, rows, model, progressbar=False)
    >>> done.stars, done.done
    (5, 5)
    """
    stars_per_file = whole("stars_per_file", stars_per_file, 1)
    workers("n_jobs", n_jobs)
    resume = switch("resume", resume)
    progressbar = switch("progressbar", progressbar)
    folder, work = as_path("folder", folder), model.star_work()
    stars = sources.of(source, model, star, visits, columns)
    if not stars.size:
        raise sources.TableError("the source holds no stars")
    _begin(folder, work, stars.size, stars_per_file, resume)
    said = f"rows, {work.rows.note}" if work.rows.note else "rows"
    with tqdm(total=stars.size, unit="star", desc=said, disable=not progressbar) as bar:
        tasks = _left(folder, work, stars.parts(stars_per_file), bar)
        if client is not None:
            failed = _by_client(tasks, work, client, bar)
        else:
            failed = (_here if n_jobs == 1 else _by_processes)(tasks, work, n_jobs, bar)
    if failed:
        path, error = failed[0]
        raise RowsError(
            f"{len(failed)} of the files were not made, the first {path.name}"
            f" ({type(error).__name__}: {error}); all others are complete: the same call makes"
            " those that are missing"
        )
    return status(folder)


def _begin(folder, work, n_stars, per_file, resume):
    """Make the folder, and say in it what is to be made."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = {"stars": n_stars, "stars_per_file": per_file,
            SPECIFICATION: json.loads(work.rows.specification)}  # fmt: skip
    there, path = sorted(folder.glob("*.parquet")), folder / PLAN
    if there and not resume:
        raise FileExistsError(
            f"{str(folder)!r} already holds {len(there)} files: expected an empty folder, or"
            " resume=True, which completes them"
        )
    if path.exists():
        _compare(folder, json.loads(path.read_text()), plan)
    for left in folder.glob(f"{UNFINISHED}*"):
        left.unlink(missing_ok=True)
    files.write_bytes(json.dumps(plan).encode(), path)


def _compare(folder, old, new):
    """Raise a RowsError if rows that are there are not those that are to be made."""
    if old[SPECIFICATION] != new[SPECIFICATION]:
        said = files.difference(old[SPECIFICATION], new[SPECIFICATION])
        raise RowsError(
            f"{str(folder)!r} holds rows that were made with other arguments ({said}): expected the"
            " same, or another folder"
        )
    if (old["stars"], old["stars_per_file"]) != (new["stars"], new["stars_per_file"]):
        raise RowsError(
            f"{str(folder)!r} was begun for {old['stars']} stars, {old['stars_per_file']} a file,"
            f" and now there are {new['stars']}, {new['stars_per_file']} a file: expected the same,"
            " or another folder"
        )


def _left(folder, work, parts, bar) -> Iterator[tuple[Path, Measured]]:
    """The parts that are still to be made, and their files."""
    for number, part in enumerate(parts):
        path = folder / f"rows-{number:06d}.parquet"
        if path.exists() and _holds(path, part, work.on_invalid):
            bar.update(len(part))
        else:
            yield path, part


def _holds(path, part, on_invalid):
    """Whether a file holds the rows of these very visits, with invalid ones treated alike."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        there = pq.read_table(path, columns=["star", "checksum", "status", "n_dropped"])
    except (ValueError, OSError):  # damaged, by whatever means
        return False
    aside = pc.is_in(there["status"], pa.array([MISSING, IMPOSSIBLE]))
    dropped = pc.and_(pc.invert(aside), pc.greater(there["n_dropped"], 0))
    if pc.any(aside if on_invalid == "drop" else dropped).as_py():
        return False
    same = len(there) == len(part) and [str(s) for s in there["star"].to_pylist()] == [
        str(s) for s in part.star
    ]
    return same and there["checksum"].to_pylist() == [checksum(*visits) for visits in part]


def _make(work: StarWork, part: Measured, path: Path) -> int:
    """Make one file; returns its number of stars."""
    files.write(work.table(part), path)
    return len(part)


def _here(tasks, work, n_jobs, bar):
    for path, part in tasks:
        files.write(work.table(part, bar.update), path)
    return []


def _by_processes(tasks, work, n_jobs, bar):
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
    for count in parallel(delayed(_make)(work, part, path) for path, part in tasks):
        bar.update(count)
    return []


def _by_client(tasks, work, client, bar):
    """Keep a client's workers busy; returns the files that could not be made, and why."""
    from distributed import as_completed

    waiting, failed, tasks = {}, [], iter(tasks)
    done = as_completed()
    most = PER_WORKER * max(len(client.scheduler_info(n_workers=-1)["workers"]), 1)

    def more():
        for path, part in tasks:
            future = client.submit(_make, work, part, path, pure=False)
            waiting[future] = path
            done.add(future)
            return

    for _ in range(most):
        more()
    while waiting:
        future = next(done)
        path, error = waiting.pop(future), future.exception()
        if error is None:
            bar.update(future.result())
        elif isinstance(error, OSError):
            client.cancel(list(waiting))
            raise error
        else:
            failed.append((path, error))
        more()
    return failed
