r"""The verb that compares fits of the same data by their evidences.

The evidence Z = p(data | model) of a fit is the likelihood of its data averaged over its priors.
Two models of the same data, equally probable beforehand, have probabilities in the ratio of their
evidences, the Bayes factor: with ln Z_i for each,

    P_i = exp(ln Z_i) / sum_j exp(ln Z_j).

Evidences of different data cannot be compared, so those who fitted other rows, or other values, are
refused.
"""

import numpy as np
from astropy.table import Table

from astro_hier import checks
from astro_hier.cli.fit import model_of
from astro_hier.cli.saved import load
from astro_hier.cli.speech import UsageError, in_shell
from astro_hier.cli.tables import check_unread, read_table
from astro_hier.posterior.files import SIGNATURE

SAID_OF_ARGUMENTS = 60  # letters
DATA = ("observed_data", "constant_data")  # groups of a saved fit


def run(options):
    """Compare saved fits, or models of one table; returns the exit status."""
    saved = [_is_saved(path) for path in options.files]
    if len(options.files) == 1 and not saved[0]:
        return _compare_models(options)
    if len(options.files) == 1:
        raise UsageError(
            f"{str(options.files[0])!r} is one saved fit; expected two or more of the same data,"
            " or one table of the velocities of one star"
        )
    if options.columns or options.set or options.prior:
        raise UsageError("--columns, --set and --prior are for a table, not for saved fits")
    check_unread(options, "saved fits")
    fits = [load(path) for path in options.files]
    for path, fit in zip(options.files[1:], fits[1:], strict=True):
        _check_same_data(options.files[0], fits[0], path, fit)
    for path, fit in zip(options.files, fits, strict=True):
        if not np.isfinite(fit.posterior.attrs.get("log_evidence", np.nan)):
            raise ValueError(
                f"{str(path)!r} has no evidence, which only --method marginal computes: fit again"
                " with it"
            )
    print("All fits are of the same data. Their evidences, the most probable first:\n")
    tabulated(options.files, fits).pprint_all()
    _print_notes(options.files, fits)
    return 0


def tabulated(paths, fits):
    """A table of evidences, most probable first.

    Returns
    -------
    `~astropy.table.Table`
        Columns fit (file), model, arguments (those that differ among the fits), log_evidence,
        log_bayes_factor (ln of the evidence over the largest), probability (if all were equally
        probable beforehand) and checks_failed.
    """
    log_evidence = np.array([float(fit.posterior.attrs["log_evidence"]) for fit in fits])
    log_bayes_factor = log_evidence - log_evidence.max()
    weight = np.exp(log_bayes_factor)
    table = Table(
        {
            "fit": [str(path) for path in paths],
            "model": [type(fit).__name__ for fit in fits],
            "arguments": [_different_arguments(fit, fits) for fit in fits],
            "log_evidence": log_evidence,
            "log_bayes_factor": log_bayes_factor,
            "probability": weight / weight.sum(),
            "checks_failed": [len(checks.failed(fit.findings())) for fit in fits],
        }
    )
    for name, digits in (("log_evidence", 2), ("log_bayes_factor", 2), ("probability", 4)):
        table[name].info.format = f".{digits}f"
    return table[np.argsort(-log_evidence, kind="stable")]


def _is_saved(path):
    """Whether a file begins as saved fits do; others are tables."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


def _check_same_data(path, fit, other_path, other):
    """Raise a ValueError that says what differs, unless two fits are of the same data.

    What only one of them read, such as a zero point, is part of its model.
    """
    pair = f"{str(path)!r} and {str(other_path)!r}"
    if fit.row != other.row or not _names(fit) & _names(other) & _observed(fit):
        raise ValueError(
            f"{pair} are of different kinds of data, {_listed(fit)} and {_listed(other)}: their"
            " evidences cannot be compared"
        )
    for name in sorted(_names(fit) & _names(other)):
        here, there = (_values(of, name) for of in (fit, other))
        if here.shape != there.shape:
            raise ValueError(
                f"{pair} were fitted to {len(here)} and {len(there)} rows: their evidences cannot"
                " be compared; fit the same rows of the same table"
            )
        differ = np.flatnonzero(~_equal(here, there))
        if differ.size:
            row = differ[0]
            raise ValueError(
                f"{pair} were fitted to different data: {name} differs in {differ.size} of"
                f" {len(here)} rows, such as row {row}: {here[row]} and {there[row]}; their"
                " evidences cannot be compared; fit the same table"
            )


def _equal(here, there):
    if here.dtype.kind == there.dtype.kind == "f":
        return np.isclose(here, there, rtol=1e-12, atol=0, equal_nan=True)
    return here == there


def _names(fit):
    return {name for group in DATA for name in fit.inference_data[group].data_vars}


def _observed(fit):
    return set(fit.inference_data["observed_data"].data_vars)


def _listed(fit):
    return ", ".join(sorted(_observed(fit)))


def _values(fit, name):
    group = next(group for group in DATA if name in fit.inference_data[group].data_vars)
    return np.asarray(fit.inference_data[group][name].values)


def _different_arguments(fit, fits):
    """The arguments of a fit that are not the same in all fits, without those of reading."""
    own = fit.get_params()
    named = []
    for name, value in own.items():
        others = [repr(other.get_params().get(name)) for other in fits]
        if name not in ("columns", "on_invalid") and set(others) != {repr(value)}:
            named.append(f"{name}={value!r}")
    said = ", ".join(named)
    return said if len(said) <= SAID_OF_ARGUMENTS else said[: SAID_OF_ARGUMENTS - 3] + "..."


def _print_notes(paths, fits):
    """What to bear in mind, and the checks that failed."""
    print(
        "\nProbabilities hold if all these models were equally probable beforehand, and depend on"
        " their priors:\na wider prior lowers the evidence."
    )
    for path, fit in zip(paths, fits, strict=True):
        for finding in checks.failed(fit.findings()):
            said = in_shell(finding.message(shell=True), fit.command)
            print(f"\nWarning, {path}, {finding.name}: {said}")


def _compare_models(options):
    """Compare the models of one star's velocities in a table; returns the exit status."""
    options.command = "binary"
    model = model_of(options, options.command)
    table = read_table(options.files[0], options.format, options.delimiter, options.hdu)
    found = model.compare(table)
    found.pprint_all()
    print(f"\nProbability of an orbit: {found.meta['probability_orbit']:.4f}")
    if "note" in found.meta:
        print(in_shell(found.meta["note"], options.command))
    return 0
