"""State changes of saved findings: an append-only record of who decided what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from k8sidx.errors import StoreError

Action = Literal["open", "acknowledge", "close", "silence", "note"]


@dataclass(frozen=True, slots=True)
class StateChange:
    """One decision about a finding.

    :param finding: id of the finding; ``series`` that of all findings with its hunt and key.
    :param by: name of the person.
    :param seen: when the finding was last seen at that time: later requests were not judged.
    :param until: end of a silence.
    """

    finding: str
    series: str
    action: Action
    by: str
    at: datetime
    note: str = ""
    seen: datetime | None = None
    until: datetime | None = None

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object; empty values are left out."""
        values = {
            "finding": self.finding,
            "series": self.series,
            "action": self.action,
            "by": self.by,
            "at": self.at.isoformat(),
            "note": self.note,
            "seen": self.seen.isoformat() if self.seen else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in values.items() if value}


def state_change(document: Mapping[str, Any], where: str) -> StateChange:
    """Return the state change of a JSON object.

    :param where: the file or index, for the error.
    :raises StoreError: when it is not one.
    """
    try:
        if document["action"] not in get_args(Action):
            raise ValueError(document["action"])
        return StateChange(
            str(document["finding"]),
            str(document["series"]),
            document["action"],
            str(document["by"]),
            datetime.fromisoformat(document["at"]),
            str(document.get("note", "")),
            _moment(document.get("seen")),
            _moment(document.get("until")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{where} contains a state of a finding that cannot be read: {error}.",
            remedy="It was made by another version of k8sidx, or damaged.",
        ) from error


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
