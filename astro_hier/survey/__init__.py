"""Surveys: rows of single stars on disk, made anywhere, and fits of all of them.

See :doc:`/survey`. Needs the extra ``astro_hier[survey]``.
"""

from astro_hier.survey.files import RowsError
from astro_hier.survey.making import prepare
from astro_hier.survey.state import Status, read, status

__all__ = ["RowsError", "Status", "prepare", "read", "status"]
