"""Claims about what users write: no public name or argument goes, or comes, unnoticed.

``data/public_api.txt`` lists them. Where a change is meant, write the list anew and say what
changed in CHANGES.rst: ``python tests/test_public_api.py``.
"""

import importlib
import inspect
import re
from pathlib import Path

import astro_hier
from astro_hier.model import HierarchicalModel

EXPECTED = Path(__file__).parent / "data" / "public_api.txt"
PAGE = Path(__file__).parents[1] / "docs" / "api.rst"

WITH_METHODS = (
    "Prior",
    "PeriodScaled",
    "Calibration",
    "Check",
    "Finding",
)  # besides the estimators


def public_names():
    """Dotted name and object of all that ``docs/api.rst`` shows."""
    page = PAGE.read_text()
    for module in re.findall(r"automod(?:api|ule):: (\S+)", page):
        owner = importlib.import_module(module)
        names = getattr(owner, "__all__", None) or [n for n in vars(owner) if n.isupper()]
        yield from ((f"{module}.{name}", getattr(owner, name)) for name in names)
    for name in re.findall(r"auto(?:class|function):: (\S+)", page):
        module, _, own = name.rpartition(".")
        yield name, getattr(importlib.import_module(module), own)


def signature(obj, without=0):
    """Arguments and their defaults; annotations look different from one Python to another."""
    found = inspect.signature(obj)
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in found.parameters.values()]
    return str(found.replace(parameters=bare[without:], return_annotation=inspect.Signature.empty))


def described(name, obj):
    """One line of what a name is, and one of each of its methods and properties."""
    if inspect.isclass(obj) and issubclass(obj, Exception):
        yield f"{name} is a {', '.join(base.__name__ for base in obj.__mro__[1:-2])}"
    elif callable(obj):
        yield name + signature(obj)
    else:
        value = re.sub(r" at 0x\w+", "", repr(obj))
        yield name if inspect.ismodule(obj) else f"{name} = {value}"
    if not inspect.isclass(obj):
        return
    estimator = issubclass(obj, HierarchicalModel)
    if estimator or obj.__name__ in WITH_METHODS:
        for method in dir(obj):
            if method.startswith("_") or (estimator and method in obj.for_writers):
                continue
            found = getattr(obj, method)
            if callable(found):
                own = inspect.isfunction(inspect.getattr_static(obj, method))  # with a self
                yield f"{name}.{method}{signature(found, without=own)}"
            elif estimator or isinstance(found, property):
                yield f"{name}.{method}"


def public_api():
    """All lines of the list."""
    return sorted({line for item in public_names() for line in described(*item)})


def test_what_users_write_works_as_before():
    found, expected = public_api(), EXPECTED.read_text().splitlines()
    gone = [f"- {line}" for line in expected if line not in found]
    new = [f"+ {line}" for line in found if line not in expected]
    what = "public names or arguments changed; if that is meant, run tests/test_public_api.py"
    assert not gone + new, "\n".join([what, *gone, *new])


def test_all_that_is_exported_is_documented():
    documented = {name for name, _ in public_names()}
    assert {f"astro_hier.{name}" for name in astro_hier.__all__} <= documented


def test_the_typed_program_uses_all_that_is_public():
    program = (EXPECTED.parents[1] / "typed_program.py").read_text()
    for name in astro_hier.__all__:
        assert re.search(rf"\b{name}\b", program), name
    for estimator in filter(inspect.isclass, (getattr(astro_hier, n) for n in astro_hier.__all__)):
        if issubclass(estimator, HierarchicalModel):
            methods = [name for name in dir(estimator) if not name.startswith("_")]
            for name in (n for n in methods if inspect.isfunction(getattr(estimator, n))):
                assert f".{name}(" in program, f"{estimator.__name__}.{name}"


if __name__ == "__main__":
    EXPECTED.write_text("\n".join(public_api()) + "\n")
