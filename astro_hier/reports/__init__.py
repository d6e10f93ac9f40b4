"""Results for papers and browsers: tables in LaTeX and other forms, and a page on a fit."""

from astro_hier.reports.page import report
from astro_hier.reports.paper import paper_table

__all__ = ["paper_table", "report"]
