"""The verb that simulates and fits a table of each kind."""

from argparse import Namespace
from contextlib import ExitStack

from astro_hier.cli.described import MODELS, class_of
from astro_hier.cli.fit import fitted
from astro_hier.cli.output import deliver, files_of, prepared_folder
from astro_hier.cli.speech import UsageError
from astro_hier.posterior import fitting

SEED = 42  # of the tables and of the fits


def run(options):
    """Simulate and fit; returns the exit status."""
    models = {name: class_of(name) for name in MODELS}
    for unit in options.unit or ():
        if not any(_takes(model, unit) for model in models.values()):
            raise UsageError(f"--unit {unit} is of a kind that no result has")
    with ExitStack() as folders:
        for name, model in models.items():
            names = files_of(model())
            folders.enter_context(prepared_folder(options.out / name, names, options.overwrite))
        return max([_demonstrate(model, name, options) for name, model in models.items()])


def _takes(model, unit):
    """Whether some results of a model can have a unit."""
    return fitting(model().suited_to(model.example(random_state=SEED)), [unit])


def _demonstrate(model, name, options):
    """Simulate a table, fit it, and print how to do so; returns the exit status."""
    table = model.example(random_state=SEED)
    if not options.quiet:
        print(f"Simulated table of {model.__name__}, {len(table)} rows:")
    found = fitted(model(), table, random_state=SEED, progressbar=not options.quiet)
    truths = {each: table.meta["truth"][each] for each in found.summary()["parameter"]}
    if options.unit is not None:
        options = Namespace(**vars(options) | {"unit": fitting(found, options.unit) or None})
    status = deliver(found, options.out / name, options, truths)
    if not options.quiet:
        print(
            "\nThe same in Python:\n"
            f"    from astro_hier import {model.__name__}\n"
            f"    table = {model.__name__}.example(random_state={SEED})\n"
            f"    model = {model.__name__}().fit(table, random_state={SEED})\n"
            "    model.summary().pprint_all()\n"
        )
    return status
