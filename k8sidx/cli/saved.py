"""Folder and list of saved queries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.cli.options import configuration
from k8sidx.errors import UsageError, Where

if TYPE_CHECKING:
    from k8sidx.show.render.sheet import Sheet

FOLDER = "K8SIDX_QUERY_FOLDER"


def query_folder() -> Path | None:
    """Return the user's folder of saved queries, from the environment or the configuration.

    :raises UsageError: when the configuration is invalid.
    """
    named = os.environ.get(FOLDER) or configuration().query.folder
    if not named:
        return None
    try:
        return Path(named).expanduser()
    except RuntimeError as error:
        raise UsageError(
            "the folder of saved queries names a user without a home folder.", where=Where(named)
        ) from error


def saved_sheet(folder: Path | None) -> Sheet:
    """Return a table of all saved queries.

    :raises UsageError: when the folder cannot be read.
    """
    from k8sidx.insights.saved.saved import saved_queries
    from k8sidx.show.render.sheet import Sheet

    rows = [(query.name, query.title, query.source) for query in saved_queries(folder)]
    return Sheet(("name", "title", "source"), rows, "Saved queries")
