"""Links to the objects of other packages, without asking their servers.

``_inventories/NAME.txt`` lists the objects that these pages name, as ``objects.inv`` files do:
name, domain and role, priority, page, and title. They are packed in the way that intersphinx reads.
When one is missing, a build warns of a reference that is not found: add its line. ``python
docs/_extensions/inventories.py`` compares all lines with what the projects publish, over the
network.
"""

import sys
import urllib.request
import zlib
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "_inventories"
SITES = {
    "arviz": "https://python.arviz.org/projects/stats/en/latest/",
    "arviz_old": "https://python.arviz.org/en/v0.23.4/",
    "arviz_base": "https://python.arviz.org/projects/base/en/latest/",
    "astropy": "https://docs.astropy.org/en/stable/",
    "corner": "https://corner.readthedocs.io/en/latest/",
    "distributed": "https://distributed.dask.org/en/stable/",
    "joblib": "https://joblib.readthedocs.io/en/stable/",
    "matplotlib": "https://matplotlib.org/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "pymc": "https://www.pymc.io/projects/docs/en/stable/",
    "python": "https://docs.python.org/3/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "xarray": "https://docs.xarray.dev/en/stable/",
}


def pack(name, target):
    """Write one list of objects as an inventory of version 2."""
    lines = (FOLDER / f"{name}.txt").read_text()
    head = f"# Sphinx inventory version 2\n# Project: {name}\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    target.write_bytes(head.encode() + zlib.compress(lines.encode()))


def configure(app, config):
    folder = Path(app.outdir).parent / f"{Path(app.outdir).name}-inventories"
    folder.mkdir(parents=True, exist_ok=True)
    config.intersphinx_mapping = {}
    for name, site in SITES.items():
        if (FOLDER / f"{name}.txt").exists():
            pack(name, folder / f"{name}.inv")
            config.intersphinx_mapping[name] = (site, str(folder / f"{name}.inv"))


def published(site):
    """The lines of the inventory that a project publishes."""
    with urllib.request.urlopen(f"{site}objects.inv", timeout=60) as answer:
        packed = answer.read().split(b"\n", 4)[4]
    return set(zlib.decompress(packed).decode().splitlines())


def compare():
    """Print the lines that a project does not publish (any more)."""
    missing = 0
    listed = {name: site for name, site in SITES.items() if (FOLDER / f"{name}.txt").exists()}
    for name, site in listed.items():
        theirs = published(site)
        ours = (FOLDER / f"{name}.txt").read_text().splitlines()
        gone = [line for line in ours if line not in theirs]
        missing += len(gone)
        for line in gone:
            print(f"{name}: {site} does not have: {line}")
    return missing


def setup(app):
    app.connect("config-inited", configure, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    sys.exit(1 if compare() else 0)
