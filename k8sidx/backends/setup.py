"""Plan of the requests that prepare a store for events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class SetupRequest(NamedTuple):
    """One request of a plan.

    :param about: its purpose, in a few words.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None
    about: str


@dataclass(slots=True)
class SetupPlan:
    """Requests that ``k8sidx setup`` makes.

    :ivar requests: in their order; empty when everything is set up.
    :ivar notes: hints for the user.
    """

    requests: list[SetupRequest] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
