"""Claims about the command's help: it is quick, and says what the models are.

Where models have changed, ``python tests/test_cli_help.py`` writes anew what the help says of them.
"""

import inspect
import json
import subprocess
import sys

import pytest

import astro_hier
from astro_hier import priors
from astro_hier.cli import described, main
from astro_hier.cli.fit import names_with_priors
from astro_hier.cli.values import PRESETS
from astro_hier.inference import METHODS
from astro_hier.model import HierarchicalModel
from astro_hier.table.presets import presets_for


def facts():
    """What the help says, from the models themselves."""
    models = {}
    for name in astro_hier.__all__:
        model = getattr(astro_hier, name)
        if inspect.isclass(model) and issubclass(model, HierarchicalModel):
            roles = [role.name for role in model().roles]
            models[model.command] = {
                "model": name,
                "about": inspect.getdoc(model).splitlines()[0],
                "roles": roles,
                "arguments": list(model().get_params()),
                "priors": names_with_priors(model()),
                "examples": [f"{of.name}={of.example}" for of in model.options if of.example],
                "presets": presets_for(model().roles),
            }
    return {
        "families": [name for name in priors.__all__ if name not in ("Prior", "PriorError")],
        "methods": list(METHODS),
        "presets": list(PRESETS),
        "models": models,
    }


def test_the_help_says_what_the_models_are():
    assert json.loads(described.FILE.read_text()) == facts(), "run python tests/test_cli_help.py"


@pytest.mark.parametrize("words", [[], ["cluster"], ["compare"], ["report"], ["demo"]])
def test_help_loads_nothing_that_takes_time(words):
    code = (
        "import sys\nfrom astro_hier.cli import main\n"
        f"try:\n    main({[*words, '--help']})\nexcept SystemExit:\n    print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *shown, loaded = run.stdout.splitlines()
    assert shown[0].startswith("usage: astro-hier")
    assert not {"numpy", "astropy", "matplotlib"} & set(loaded.split())


def test_every_verb_is_listed_and_explains_itself(capsys):
    verbs = [*described.MODELS, "compare", "report", "demo"]
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert set(verbs) <= set(capsys.readouterr().out.split())
    for verb in verbs:
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        printed = capsys.readouterr().out
        assert "--quiet" in printed or verb == "compare"
        assert "130 interrupted" in " ".join(printed.split())


@pytest.mark.parametrize("module", ["astro_hier", "astro_hier.cli"])
def test_the_command_is_a_module(module):
    run = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"astro-hier {astro_hier.__version__}\n"


if __name__ == "__main__":
    described.FILE.write_text(json.dumps(facts(), indent=1) + "\n")
