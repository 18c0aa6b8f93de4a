"""What hunts say, without what is worded for people."""

from __future__ import annotations

import json
from typing import Any

from tests.compat.running import digest_of

_OF_A_FINDING = ("hunt", "level", "key", "count", "first_seen", "last_seen", "audit_ids")
_OF_A_HUNT = ("level", "exact", "columns", "rows", "cannot_judge")


def findings(answer: str) -> dict[str, Any]:
    """By hunt: how many findings there are, and a digest of them in their order.

    :param answer: of ``k8sidx hunt -o json``.
    """
    return {one["hunt"]: _findings(one) for one in json.loads(answer)}


def answers(answer: str) -> dict[str, Any]:
    """By hunt: the same, and how many rows, with a digest of these and what else it says."""
    return {
        one["hunt"]: _findings(one)
        | {"rows": len(one["rows"]), "answer": digest_of([one[name] for name in _OF_A_HUNT])}
        for one in json.loads(answer)
    }


def _findings(one: dict[str, Any]) -> dict[str, Any]:
    told = [[finding[name] for name in _OF_A_FINDING] for finding in one["findings"]]
    return {"findings": len(told), "sha256": digest_of(told)}
