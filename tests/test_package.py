"""Claims about the package as a whole: what it loads, which way it imports, what it shows."""

import ast
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

# each layer may import from those before it
LAYERS = [
    {"core", "checks", "netcdf"},
    {"table", "priors", "columns", "datasets"},
    {"inference"},
    {"encoding"},
    {"files"},
    {"posterior"},
    {"arguments"},
    {"parameters"},
    {"hooks"},
    {"fitting"},
    {"results"},
    {"covariances", "model", "outliers", "plots", "populations", "profiles"},
    {"models"},
    {"calibration", "cli"},
]


def imported(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("astro_hier"):
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    level = next(i for i, layer in enumerate(LAYERS) if own in layer)
    below = set().union(*LAYERS[:level]) | {own}
    assert set(imported(path)) <= below
    if own == "core":
        assert set(imported(path)) <= {"core"}
        assert "astropy" not in path.read_text()


def test_importing_loads_neither_pymc_nor_arviz_nor_matplotlib():
    code = "import sys, astro_hier; print(*{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
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
    assert not heavy & set(run.stdout.split())


def test_public_names_have_docstrings():
    for name in astro_hier.__all__:
        assert getattr(astro_hier, name).__doc__


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_tutorials_run_without_warnings(path, request, monkeypatch):
    if "apogee" in path.stem:
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
