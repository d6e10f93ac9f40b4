"""What the package makes of random tables, arguments and command lines.

``python tests/benchmarks/fuzz.py tables 5000 --seed 0 --failures FILE`` fits every exported model
in turn to random tables (``fuzz_tables.py``) with random arguments (``fuzz_arguments.py``), and
asks the fitted ones for their tables. ``commands 1000`` does the same with files and words of the
shell, in this process. Each case has a number, which with the seed decides all of it. A case is
one of

fitted
    it returned, and neither a density nor a summary is NaN or infinite;
refused
    an error that the package raised itself, with its own message (``TableError``, ``ValueError``,
    ``TypeError``, ``OSError``), or an exit of the command that is no traceback;
foreign
    any other exception, or a warning that is not the package's;
not finite
    a fit with a density that is NaN or infinite, without an error;
slow
    more than ``--limit`` seconds of CPU time, so that other work on the machine does not matter.

The last three are written to the file of failures, one line each; ``fuzz.py tables --seed 0 --only
NUMBER`` repeats one with its traceback. 5,000 tables take some 10 CPU minutes.
"""

import argparse
import collections
import contextlib
import dis
import io
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import fuzz_arguments
import fuzz_tables
import numpy as np
from astropy.utils.exceptions import AstropyUserWarning

import astro_hier
from astro_hier.cli import main
from astro_hier.model import HierarchicalModel

PACKAGE = os.path.dirname(astro_hier.__file__)
MODELS = {
    model.command: model
    for model in (getattr(astro_hier, name) for name in sorted(astro_hier.__all__))
    if isinstance(model, type) and issubclass(model, HierarchicalModel)
}
OWN = (ValueError, TypeError, OSError)
RAISE = dis.opmap["RAISE_VARARGS"]
SHOWN = 160  # characters of a message


class Slow(BaseException):
    """The time of a case is over."""


class NotFinite(Exception):
    """A result that should have been an error."""


def ring(*_):
    raise Slow


def is_own(error):
    """Whether a statement ``raise`` in the package made an error, of a kind that users expect."""
    last = list(traceback.walk_tb(error.__traceback__))[-1][0]
    tb = error.__traceback__
    while tb.tb_next:
        tb = tb.tb_next
    raised = last.f_code.co_code[tb.tb_lasti] == RAISE
    return isinstance(error, OWN) and raised and last.f_code.co_filename.startswith(PACKAGE)


def place(error):
    """Where an error came from: the last line of the package, and the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    last = [f"{os.path.basename(f.filename)}:{f.lineno}" for f in (*own[-1:], *frames[-1:])]
    return " <- ".join(dict.fromkeys(last))


def fit(name, rng):
    """Fit a random table; asks for all that can be said of the result."""
    model, table = MODELS[name], fuzz_tables.table(name, rng)
    given, of_fit = fuzz_arguments.arguments(model, rng), fuzz_arguments.of_fit(rng)
    estimator = model(**given)
    if rng.random() < 0.05:
        estimator.initial_values(table)
    estimator.fit(table, **of_fit)
    for group in ("posterior", "sample_stats"):
        for variable, values in estimator.inference_data[group].data_vars.items():
            if not np.all(np.isfinite(values.values)):
                raise NotFinite(f"{variable} of {group}")
    estimator.summary(), estimator.map_sample, estimator.checks(), repr(estimator)
    for method in ("star_table", "object_table", "modes", "posterior_table", "predict"):
        if hasattr(estimator, method):
            getattr(estimator, method)()
    return "fitted"


def command(name, rng):
    """Run the command with random words on a random file."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    suffix = rng.choice([".csv", ".ecsv", ".fits", ".xml", ".txt", "", ".hdf5", ".parquet", ".rdb"])
    path = folder / f"table{suffix}"
    try:
        fuzz_arguments.write(fuzz_tables.table(name, rng), path, rng)
        words = fuzz_arguments.words(name, MODELS[name], path, folder / "out", rng)
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()) as said,
        ):
            try:
                status = main(words)
            except SystemExit as error:
                status = error.code
        if status and not said.getvalue().startswith(("astro-hier", "usage")):
            raise NotFinite(f"{words}: {said.getvalue()[:SHOWN]}")
    finally:
        shutil.rmtree(folder)
    return "refused" if status else "fitted"


def run(case, name, rng, limit):
    """The outcome of one case, what was said, and the error."""
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", ResourceWarning)
            outcome, error = case(name, rng), None
        foreign = [w for w in caught if not issubclass(w.category, AstropyUserWarning)
                   and w.filename.startswith(PACKAGE)]  # fmt: skip
        if foreign:
            at = f"{os.path.basename(foreign[0].filename)}:{foreign[0].lineno}"
            return "foreign", f"{foreign[0].category.__name__} {at}: {foreign[0].message}", None
        return outcome, "", None
    except Slow as found:
        outcome, error = "slow", found
    except NotFinite as found:
        outcome, error = "not finite", found
    except Exception as found:
        outcome, error = "refused" if is_own(found) else "foreign", found
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    said = f"{type(error).__name__} {place(error)}: {str(error)[:SHOWN]!r}"
    return outcome, said, error


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("tables", "commands"))
    parser.add_argument("number", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", type=int, help="one case, with its traceback")
    parser.add_argument("--limit", type=float, default=30, help="seconds for a case")
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures.txt"))
    return parser.parse_args()


def report(counts, slowest, begun):
    print(f"{sum(counts.values())} cases, {time.process_time() - begun:.0f} CPU s;",
          ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())),
          f"; slowest: case {slowest[1]}, {slowest[0]:.1f} CPU s", flush=True)  # fmt: skip


if __name__ == "__main__":
    options = parsed()
    signal.signal(signal.SIGPROF, ring)
    case = fit if options.kind == "tables" else command
    number = options.only if options.only is not None else options.first
    last = number + 1 if options.only is not None else options.first + options.number
    counts, slowest, begun = collections.Counter(), (0.0, None), time.process_time()
    with options.failures.open("a") as failures:
        for i in range(number, last):
            name, before = list(MODELS)[i % len(MODELS)], time.process_time()
            outcome, said, error = run(
                case, name, np.random.default_rng([options.seed, i]), options.limit
            )
            counts[outcome] += 1
            slowest = max(slowest, (time.process_time() - before, i))
            if outcome not in ("fitted", "refused"):
                print(options.kind, options.seed, i, name, outcome, said, file=failures, flush=True)
            if options.only is not None:
                print(name, outcome, said)
                if error:
                    traceback.print_exception(error)
            elif (i + 1) % 500 == 0:
                report(counts, slowest, begun)
    report(counts, slowest, begun)
    sys.exit(bool(set(counts) - {"fitted", "refused"}))
