"""Configuration of the documentation."""

import os
from importlib.metadata import version as installed

from sphinx_astropy.conf.v3 import *  # noqa: F403

from astro_hier.datasets import DATA_FOLDER

project = "astro_hier"
author = "The astro_hier developers"
copyright = f"2026, {author}"
version = release = installed("astro_hier")

# the tutorial on published data is only built if the folder of the data is known
left_out = "^$" if os.environ.get(DATA_FOLDER) else "apogee"
exclude_patterns = ["_build", "examples", *([] if left_out == "^$" else ["tutorials/*apogee*"])]
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
