"""Location of a Sigma document in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from k8sidx.errors import Where


@dataclass(frozen=True, slots=True)
class Location:
    """Line numbers of a document: its first line, and those of parts that errors are about.

    :param extension: line of its ``k8sidx`` key.
    :param filters: line of the ``filters`` in it.
    :param fields: first line of each field in its detection.
    """

    file: str
    line: int = 0
    extension: int = 0
    filters: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)

    @property
    def where(self) -> Where:
        """The file and first line."""
        return Where(self.file, self.line)

    def of_field(self, name: str) -> Where:
        """Return the first line of the detection that tests a field."""
        return Where(self.file, self.fields.get(name, self.line))
