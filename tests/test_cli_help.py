"""Claims about the command's help: it is quick, and says what the models are.

Where models have changed, ``python tests/test_cli_help.py`` writes anew what the help says of them.
"""

import inspect
import json

import astro_hier
from astro_hier import priors
from astro_hier.cli import described
from astro_hier.cli.fit import names_with_priors
from astro_hier.cli.values import PRESETS
from astro_hier.inference import METHODS
from astro_hier.model import HierarchicalModel


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
                "presets": [name for name, preset in PRESETS.items() if set(preset) <= set(roles)],
            }
    return {
        "families": [name for name in priors.__all__ if name not in ("Prior", "PriorError")],
        "methods": list(METHODS),
        "presets": list(PRESETS),
        "models": models,
    }


def test_the_help_says_what_the_models_are():
    assert json.loads(described.FILE.read_text()) == facts(), "run python tests/test_cli_help.py"


if __name__ == "__main__":
    described.FILE.write_text(json.dumps(facts(), indent=1) + "\n")
