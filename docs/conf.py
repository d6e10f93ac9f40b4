"""Configuration of the documentation."""

import os
from importlib.metadata import version as installed
from pathlib import Path

from sphinx_astropy.conf.v3 import *  # noqa: F403

from astro_hier.datasets import DATA_FOLDER

project = "astro_hier"
author = "The astro_hier developers"
copyright = f"2026, {author}"
version = release = installed("astro_hier")

# tutorials on published data are only built if the folder of the data is known
data = os.environ.get(DATA_FOLDER)
absent = [] if data else ["apogee_binaries"]
if not (data and (Path(data).parent / "eccentric_binaries").is_dir()):
    absent.append("eccentric_binaries")
left_out = "|".join(absent) or "^$"
exclude_patterns = ["_build", "examples", *(f"tutorials/*{name}*" for name in absent)]
html_title = f"astro_hier {version}"
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
autodoc_typehints = "none"
autodoc_default_options = {"no-value": True}
numpydoc_show_class_members = False
plot_formats = [("png", 150)]
plot_html_show_formats = False
plot_html_show_source_link = False

# a build needs no network; for releases, link to other projects with -D disable_intersphinx=0
disable_intersphinx = 1

extensions += ["sphinx_gallery.gen_gallery"]  # noqa: F405
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "tutorials",
    "filename_pattern": r"\.py$",
    "ignore_pattern": left_out,
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "backreferences_dir": "tutorials/of",
    "doc_module": ("astro_hier",),
    "download_all_examples": False,
    "ignore_repr_types": r"matplotlib\.(axes|figure)",
    "image_srcset": ["2x"],
    "min_reported_time": 3600,
}
