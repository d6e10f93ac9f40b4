"""The verbs that fit a model to a table: its arguments, the fit, and its output."""

import os
import secrets
import warnings
from dataclasses import fields, is_dataclass
from pathlib import Path

from astro_hier import checks
from astro_hier.cli.described import class_of
from astro_hier.cli.output import deliver, files_of, prepared_folder
from astro_hier.cli.speech import OPTIONS, UsageError
from astro_hier.cli.tables import read_table
from astro_hier.cli.values import did_you_mean
from astro_hier.inference import METHODS
from astro_hier.posterior import Units, known_units


def run(options):
    """Fit a table; returns the exit status."""
    model = model_of(options, options.command)
    table = read_table(options.table, options.format, options.delimiter, options.hdu)
    out = options.out or Path(f"{options.table.name.split('.')[0]}-{options.command}")
    more = {"max_evaluations": options.max_evaluations} if options.max_evaluations else {}
    read = [options.table, *_tables_set(options, model).values()]
    with prepared_folder(out, files_of(model), options.overwrite, read):
        check_unit(model, table, options.unit)
        seed = seed_of(options, lambda: _check_columns(model, table))
        fitted(
            model,
            table,
            method=options.method,
            draws=options.draws,
            random_state=seed,
            progressbar=not options.quiet,
            **more,
        )
        return deliver(model, out, options)


def seed_of(options, check):
    """The seed that is asked for, or one by chance, which is said unless ``check`` fails."""
    if options.seed is not None:
        return options.seed
    seed = secrets.randbelow(2**32)
    if not options.quiet:
        check()
        print(f"The seed of this run is {seed}: repeat it with --seed {seed}\n", flush=True)
    return seed


def check_unit(model, table, unit):
    """Raise a ValueError, before the fit, if its results have no quantity of such a unit."""
    if unit is not None:
        Units(unit, known_units(model.suited_to(table)))


def _check_columns(model, table):
    """Raise the error with which the fit of a table would begin, if there is one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit repeats them
        suited = model.suited_to(table)
        suited.frozen_priors()
        suited.read(table)


def fitted(model, table, **options):
    """Fit a model; its findings are printed below the summary, in the shell's words."""
    unused = sorted(set(options) - METHODS[options.get("method", "marginal")].OPTIONS - COMMON)
    if unused:
        raise UsageError(f"--{unused[0].replace('_', '-')} has no effect with --method nuts")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", checks.CheckWarning)
        return model.fit(table, **options)


COMMON = {"method", "draws", "chains", "random_state", "progressbar"}  # to all methods


def model_of(options, command):
    """The model that the options of a command describe.

    Raises
    ------
    UsageError
        If they name what the model does not have, or contradict each other.
    """
    columns = {role: place for given in options.columns for role, place in given.items()}
    _check_once([name for name, _ in (*options.set, *options.prior)])
    model = class_of(command)(columns=columns or None, on_invalid=options.on_invalid)
    tables = _tables_set(options, model)
    for name, value in options.set:
        if name in OPTIONS and name not in model.get_params():
            raise UsageError(f"--set {name}: expected {OPTIONS[name]} {value}")
        if name not in model.get_params():
            raise UsageError(
                f"--set: {type(model).__name__} has no argument {name!r}; expected one of"
                f" {', '.join(model.get_params())}{did_you_mean(name, model.get_params())}"
            )
        if name in ("columns", "on_invalid"):
            raise UsageError(f"--set {name}: expected --{name.replace('_', '-')}")
        model.set_params(**{name: read_table(tables[name]) if name in tables else value})
    for name, prior in options.prior:
        _set_prior(model, name, prior)
    return model


def _check_once(names):
    """Raise a UsageError if a name is given twice, of which only one could count."""
    for i, name in enumerate(names):
        if name in names[:i]:
            raise UsageError(f"{name!r} is given twice: expected one value, by --set or --prior")


def _tables_set(options, model):
    """The files that ``--set`` names, by the arguments of the model that are tables."""
    named = [option.name for option in model.options if option.takes_table]
    return {
        name: Path(os.path.expanduser(str(value))) for name, value in options.set if name in named
    }


def names_with_priors(model):
    """Names that ``--prior`` takes, for a model and its options."""
    names = model.sampled_names()
    of_options = [option.name for option in model.options if option.takes_prior]
    return names + [name for name in of_options if name not in names]


def _turned_on_by(model, name):
    """Which option gives a model the parameter of this name, if one does."""
    for option in model.options:
        for family in option.families:
            if is_dataclass(family) and name in {field.name for field in fields(family)}:
                is_one = len(option.families) == 1 and option.example == "True"
                value = "True" if is_one else family.__name__
                return f"; it is one with --set {option.name}={value}"
    return ""


def _set_prior(model, name, prior):
    """Give a parameter its prior, wherever the model keeps it."""
    if name in [option.name for option in model.options if option.takes_prior]:
        model.set_params(**{name: prior})
        return
    if name not in model.sampled_names():
        known = names_with_priors(model)
        raise UsageError(
            f"--prior: {name!r} has no prior; expected one of {', '.join(known)}"
            f"{_turned_on_by(model, name) or did_you_mean(name, known)}"
        )
    owner = model.owner(name)
    if owner is model:
        model.set_params(**{name: prior})
        return
    changed = owner.with_prior(name, prior)
    option = next(option for option in model.options if isinstance(changed, option.families))
    model.set_params(**{option.name: changed})
