"""Where a Sigma document stands in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from k8sidx.errors import Where


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands: its first line, and those of its ``k8sidx`` key, of the
    ``filters`` in it and of its fields."""

    file: str
    line: int = 0
    block: int = 0
    filters: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)

    @property
    def where(self) -> Where:
        return Where(self.file, self.line)

    def of_field(self, name: str) -> Where:
        """The first line of the detection that tests the field."""
        return Where(self.file, self.fields.get(name, self.line))
