"""Claims about the package as a whole: what it loads, which way it imports, what it shows."""

import ast
import graphlib
import re
import runpy
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import astro_hier
from astro_hier import datasets

ROOT = Path(astro_hier.__file__).parent
PROJECT = Path(__file__).parents[1]
README = PROJECT / "README.md"
EXAMPLES = sorted((PROJECT / "docs" / "examples").glob("*.py"))

# Files of each level, one a line: they may import from levels above, and from their own folder
LEVELS = """
progress logarithms
given
core/*
checks netcdf spelling
table/* priors/* covariances datasets/*
columns
posterior/encoding posterior/files posterior/parameters posterior/units
inference/*
posterior/*
survey/*
part
plots/*
reports/*
populations/*
outliers profiles samples annotations
model/*
models/*
models/orbits/*
models/*/roles models/*/forms models/*/objects models/*/quantities
models/*/selection models/*/kept models/*/reading models/*/read_draws models/*/read_densities
models/*/outliers models/*/data models/*/offsets
models/*/likelihood
models/*/many_offsets models/*/draws models/*/described models/*/far
models/*/interim models/*/injected
models/*/circular models/*/eccentric models/*/on_grid models/*/at_draws
models/*/shape models/*/prepare models/*/many_bins
models/*/star_rows
models/*/survey_blocks
models/*/survey_stars
models/*/options models/*/start models/*/joint models/*/checks models/*/tables models/*/figures
models/*/elements models/*/catalogue models/*/phases models/*/eccentricities
models/*/star_results models/*/surveys
models/*/model
models/*/__init__
injections/*
__init__
calibration cli/*
__main__
""".split("\n")[1:-1]
SHARED = ("models", "models/orbits")  # folders that other models may import from


def level_of(module):
    """The number of the level of a file, such as ``core/orbit``."""
    for level, patterns in enumerate(LEVELS):
        for pattern in patterns.split():
            if re.fullmatch(pattern.replace("*", "[^/]+"), module):
                return level
    raise AssertionError(f"{module} has no level: say in LEVELS where it belongs")


def file_of(name):
    """The file that holds a name, such as ``core/orbit`` for astro_hier.core.orbit."""
    path = "/".join(name.split(".")[1:])
    if path in MODULES:
        return path
    package = f"{path}/__init__".removeprefix("/")
    return package if package in MODULES else None


def imported(path):
    """Names of the modules of this package that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if "astro_hier" in alias.name)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            if node.module.split(".")[0] == "astro_hier":
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from (name if file_of(name) else node.module for name in names)


MODULES = {
    path.relative_to(ROOT).with_suffix("").as_posix(): path for path in sorted(ROOT.rglob("*.py"))
}
IMPORTS = {name: {file_of(found) for found in imported(path)} for name, path in MODULES.items()}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module):
    level, folder = level_of(module), module.rpartition("/")[0]
    for other in IMPORTS[module]:
        others, name = level_of(other), other.rpartition("/")[0]
        assert others < level or (others == level and name == folder), f"{module} imports {other}"
        if folder.startswith("models/") and name.startswith("models/"):
            assert name in (folder, *SHARED), f"{module} imports {other}, of another model"


def test_no_imports_go_in_a_circle():
    graphlib.TopologicalSorter(IMPORTS).prepare()


def test_the_core_knows_no_units():
    for module, path in MODULES.items():
        assert not module.startswith("core/") or "astropy" not in path.read_text(), module


def loaded_by(code):
    """Names of the packages and modules that are loaded after some code has run."""
    code = f"import sys\n{code}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split("\n")[-2].split())


def test_importing_loads_neither_pymc_nor_arviz_nor_matplotlib():
    heavy = {
        "pymc",
        "pytensor",
        "arviz",
        "arviz_base",
        "arviz_stats",
        "matplotlib",
        "corner",
        "daft",
    }
    assert not heavy & loaded_by("from astro_hier import *")


def test_importing_loads_what_is_used_only_when_it_is_used():
    assert not {"numpy", "astropy", "astro_hier.priors"} & loaded_by("import astro_hier")
    assert "astropy" in loaded_by("import astro_hier; astro_hier.priors.Normal(0, 1)")


def test_all_public_names_can_be_listed_and_loaded():
    assert {*astro_hier.__all__, "__version__"} <= set(dir(astro_hier))
    assert not {"importlib", "find_spec", "checks"} & set(dir(astro_hier))
    assert astro_hier.posterior.register  # a module that is not listed
    for name in ("Starcluster", "_checks", "__wrapped__"):
        with pytest.raises(AttributeError, match=name):
            getattr(astro_hier, name)


def test_public_names_have_docstrings():
    for name in astro_hier.__all__:
        assert getattr(astro_hier, name).__doc__


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_tutorials_run_without_warnings(path, request, monkeypatch):
    if "apogee" in path.stem or "eccentric" in path.stem:
        folder = request.getfixturevalue("shared_data") / "apogee_binaries"
        monkeypatch.setenv(datasets.DATA_FOLDER, str(folder))
    runpy.run_path(str(path))
    plt.close("all")


def test_readme_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    members = datasets.make_star_cluster(30, random_state=5)
    members["source_id"] = range(30)
    members.meta.clear()
    members.write("members.ecsv")
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.S)
    assert len(blocks) == 4
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "cluster.nc").exists()
