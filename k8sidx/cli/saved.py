"""Where a user's saved queries are, and the list of all."""

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
    """The user's folder of saved queries: of the environment, else of the configuration.

    :raises UsageError: when the configuration is wrong.
    """
    named = os.environ.get(FOLDER) or configuration().query.folder
    if not named:
        return None
    try:
        return Path(named).expanduser()
    except RuntimeError as error:
        raise UsageError(
            "the folder of saved queries names a user who has no home here.", where=Where(named)
        ) from error


def saved_sheet(folder: Path | None) -> Sheet:
    """All saved queries.

    :raises UsageError: when the folder cannot be read.
    """
    from k8sidx.insights.saved.saved import saved_queries
    from k8sidx.show.render.sheet import Sheet

    rows = [(one.name, one.title, one.source) for one in saved_queries(folder)]
    return Sheet(("name", "title", "source"), rows, "Saved queries")
