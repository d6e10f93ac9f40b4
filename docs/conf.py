"""Configuration of the documentation."""

from importlib.metadata import version as installed

from sphinx_astropy.conf.v3 import *  # noqa: F403

project = "astro_hier"
author = "The astro_hier developers"
copyright = f"2026, {author}"
version = release = installed("astro_hier")

exclude_patterns = ["_build"]
html_title = "astro_hier"
autodoc_typehints = "none"
numpydoc_show_class_members = False
