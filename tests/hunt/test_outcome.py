"""A hunt that means “it happened” is silent where it did not, wherever the event says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.protocol import Engine
from tests.hunt.library.test_pairs import pairs, result, seen
from tests.judge.engines import embedded, tagged

Event = dict[str, Any]
DECISION = "authorization.k8s.io/decision"


def _with(event: Event, status: Event, decision: str) -> Event:
    notes = {**event.get("annotations", {}), DECISION: decision}
    return {**event, "responseStatus": status, "annotations": notes}


def denied(event: Event) -> Event:
    status = {"code": 403, "status": "Failure", "reason": "Forbidden"}
    return _with(event, status, "forbid")


def denied_by_decision(event: Event) -> Event:
    """Another code than the decision implies: a proxy or an aggregated API server answered."""
    return _with(event, event.get("responseStatus", {"code": 200}), "forbid")


def failed_without_code(event: Event) -> Event:
    return _with(event, {"status": "Failure"}, "allow")


def failed_with_grpc_code(event: Event) -> Event:
    return _with(event, {"code": 7}, "allow")


NOT_DONE: dict[str, Callable[[Event], Event]] = {
    "denied by decision": denied_by_decision,
    "failed without code": failed_without_code,
    "failed with gRPC's code": failed_with_grpc_code,
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("outcomes")
    cases = {
        f"{name} {side}": [*map(change, pair.before), *map(change, pair.fires)]
        for name, pair in pairs().items()
        for side, change in {"denied": denied, **NOT_DONE}.items()
    }
    with embedded(folder, tagged(cases)) as opened:
        yield opened


def is_refused(event: Event) -> bool:
    return int(event.get("responseStatus", {}).get("code", 0)) >= 400


OTHER_MEANING = {
    "aks_allowed_create": "lists what the authorizer allows, whatever becomes of it",
    "kubelet_checkpoint": "through a proxy, other failures are answers of the kubelet",
    "node_log_query_injection": "through a proxy, other failures are answers of the kubelet",
    "person_impersonated": "whatever becomes of the request, the impersonation was allowed",
    "system_principal_public_ip": "any answer but a denial shows that the credential works",
}
HAPPENED = 60
"""Hunts of the library, at least, that mean a success: the others list, or are about attempts."""


def test_hunts_that_mean_a_success_are_silent_without_one(engine: Engine) -> None:
    means_success = [
        name
        for name, pair in pairs().items()
        if not any(map(is_refused, pair.fires)) and not seen(result(name, "denied", engine))
    ]
    assert len(means_success) >= HAPPENED
    fired = [
        f"{name}: {side}"
        for name in means_success
        if name not in OTHER_MEANING
        for side in NOT_DONE
        if seen(result(name, side, engine))
    ]
    assert fired == [], "\n".join(fired)


def test_a_denial_is_one_for_all_hunts_of_denials(engine: Engine) -> None:
    """Whatever fires on a request that is denied as usual fires when only its decision says so."""
    usual = [name for name in pairs() if seen(result(name, "denied", engine))]
    assert [name for name in usual if not seen(result(name, "denied by decision", engine))] == []
