"""Registry of output formats."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from k8sidx.show.render.formats.base import Format


class Output(StrEnum):
    """Output formats, as ``--output`` accepts them.

    A format is one line here and one module of this package, named like the member in lower
    case, whose ``FORMAT`` is a :class:`~k8sidx.show.render.formats.base.Format`. The module is
    imported when the format is used, so that no command pays for the others.
    """

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "md"
    HTML = "html"
    OCSF = "ocsf"


def load_format(output: Output) -> Format:
    """Return the writers of a format."""
    module = import_module(f"k8sidx.show.render.formats.{output.name.lower()}")
    return cast("Format", module.FORMAT)
