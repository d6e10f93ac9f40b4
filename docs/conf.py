"""Configuration of the documentation, which is built, and read, without a network."""

import os
import sys
from importlib.metadata import version as installed
from pathlib import Path

from astro_hier.datasets import DATA_FOLDER

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "astro_hier"
author = "The astro_hier developers"
copyright = f"2026, {author}"
version = release = installed("astro_hier")

extensions = [
    "inventories",
    "mathml",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_automodapi.automodapi",
    "sphinx_automodapi.smart_resolver",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "pytest_doctestplus.sphinx.doctestplus",
]
default_role = "obj"

# every reference must be found, but for the package's own insides, which have no pages
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"astro_hier\.core(\..*)?"),
    (r"py:.*", r"astro_hier\.(models|populations)\.[a-z_]+\..*"),
]

# tutorials on published data are only built if the folder of the data is known
data = os.environ.get(DATA_FOLDER)
absent = [] if data else ["apogee_binaries"]
if not (data and (Path(data).parent / "eccentric_binaries").is_dir()):
    absent.append("eccentric_binaries")
left_out = "|".join(absent) or "^$"
exclude_patterns = ["_build", "examples", *(f"tutorials/*{name}*" for name in absent)]

html_theme = "furo"
html_title = f"astro_hier {version}"
html_static_path = ["_static"]
html_css_files = ["astro_hier.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_logo": "logo.svg",
    "dark_logo": "logo-dark.svg",
    "sidebar_hide_name": False,
    "light_css_variables": {"color-brand-primary": "#1f4e79", "color-brand-content": "#1f5f99"},
    "dark_css_variables": {"color-brand-primary": "#8fc1ec", "color-brand-content": "#8fc1ec"},
}
html_favicon = "_static/logo.svg"
pygments_style = "tango"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

autoclass_content = "both"
autodoc_typehints = "none"
autodoc_default_options = {"no-value": True}
automodapi_toctreedirnm = "api"
autosummary_generate = True
numpydoc_show_class_members = False
plot_formats = [("png", 150)]
plot_html_show_formats = False
plot_html_show_source_link = False

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
    "write_computation_times": False,
}
