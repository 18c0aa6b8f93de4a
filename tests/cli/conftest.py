"""Fixtures: a small audit log, and a working directory isolated from the user's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from k8sidx.cli import app
from tests.building import write_log
from tests.stores import stored

EVIL_AGENT = "evil\x1b[2J\u202e=1+1\n| <script>alert(1)</script>"


def audit_event(number: int, **changes: Any) -> dict[str, Any]:
    """Return a request as logged by kube-apiserver; each is one second after the previous."""
    moment = f"2024-05-01T10:00:{number:02d}.000000Z"
    event: dict[str, Any] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": f"audit-{number}",
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/shop/pods/pod-{number}",
        "verb": "get",
        "user": {"username": "alice", "groups": ["system:authenticated"]},
        "sourceIPs": ["203.0.113.7"],
        "userAgent": "kubectl/v1.30.0",
        "objectRef": {
            "resource": "pods",
            "namespace": "shop",
            "name": f"pod-{number}",
            "apiVersion": "v1",
        },
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": moment,
        "stageTimestamp": moment,
        "annotations": {"authorization.k8s.io/decision": "allow"},
    }
    return event | changes


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory and home; colours and store as in a plain environment."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "K8SIDX_STORE", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    yield folder


EVENTS = (
    *(audit_event(number) for number in range(5)),
    audit_event(5, verb="delete", userAgent="curl/8.5.0"),
    audit_event(6, userAgent=EVIL_AGENT),
)
"""Seven requests: five by kubectl, a delete by curl, a hostile one."""


@pytest.fixture
def log(here: Path) -> Path:
    """The events as a file, the first of them twice."""
    return write_log(here / "audit.log", [*EVENTS, EVENTS[0]])


@pytest.fixture
def store(here: Path) -> Path:
    """Ship the events to the default store."""
    return stored(here / "k8sidx-store", EVENTS).path


@pytest.fixture
def rule(here: Path) -> Path:
    """A Sigma rule that finds the delete."""
    path = here / "deleted.yml"
    path.write_text(
        "title: Something was deleted\n"
        "id: 7a1f0f4e-6a53-4b3c-9d70-5ad6ad7f5a0e\n"
        "status: test\n"
        "description: A request that deletes.\n"
        "logsource:\n"
        "  product: kubernetes\n"
        "  service: audit\n"
        "detection:\n"
        "  selection:\n"
        "    verb: delete\n"
        "  condition: selection\n"
        "level: high\n"
        "tags:\n"
        "  - attack.impact\n"
        "  - attack.t1485\n"
    )
    return path


def k8sidx(*arguments: object) -> Result:
    """Run a command with piped output."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
