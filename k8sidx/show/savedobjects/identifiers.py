"""Ids of saved objects: stable, so that another import replaces the same objects.

They contain no ``_``: OpenSearch Dashboards takes two parts joined by one for the id of a
data source.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from k8sidx.backends.cluster.index.target import DEFAULT_INDEX, Target, findings_index
from k8sidx.show.savedobjects.index_fields import OWN_FIELDS, IndexFields

_KINDS = ("panel", "controls", "about")


@dataclass(frozen=True, slots=True)
class Names:
    """Names for one set of indices.

    :param prefix: index prefix, for example ``k8s-audit``.
    :param fields: of the indices of events.
    """

    prefix: str = DEFAULT_INDEX
    fields: IndexFields = field(default=OWN_FIELDS, compare=False)

    def fields_of(self, *, findings: bool) -> IndexFields:
        """Return the fields of the indices of events, or of saved findings."""
        return OWN_FIELDS if findings else self.fields

    @property
    def _own(self) -> str:
        plain = self.prefix.replace("_", "-").replace("*", "").replace(",", "-").strip("-.")
        return "k8sidx" if self.prefix == DEFAULT_INDEX else f"k8sidx-{plain}"

    def title(self, text: str) -> str:
        """Return a title that tells the objects of other indices from those of the default ones."""
        return text if self.prefix == DEFAULT_INDEX else f"{text} ({self.prefix})"

    def dashboard(self, identifier: str) -> str:
        return f"{self._own}-{identifier}"

    def panel(self, identifier: str) -> str:
        return f"{self._own}-panel-{identifier}"

    def controls(self, dashboard: str) -> str:
        return f"{self._own}-controls-{dashboard}"

    def about(self, dashboard: str) -> str:
        return f"{self._own}-about-{dashboard}"

    def is_own(self, identifier: str) -> bool:
        """Whether an id is of a panel, list or text of these names, of whatever version."""
        return identifier.startswith(tuple(f"{self._own}-{kind}-" for kind in _KINDS))

    def pattern_id(self, *, findings: bool) -> str:
        """Return the id of the index pattern or data view."""
        return f"{self._own}-{'findings' if findings else 'events'}-pattern"

    def pattern(self, *, findings: bool) -> str:
        """Return the indices that it matches."""
        if findings:
            # A pattern, since a missing index would be an error until something is saved.
            return f"{findings_index(self.prefix)}*"
        return self.fields.pattern or Target(self.prefix).dated
