"""A store that commit dfe4889 filled with secrets is migrated, and none is left in it.

``secrets.ndjson`` has an event for each place of :mod:`tests.events.normalize`; that commit
replaced eight of its sixty-one secrets.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from k8sidx.backends.embedded.storage.manifest import NORMALIZED, read_manifest
from tests.compat.running import HERE, ROOT, k8sidx, printed

LOG = HERE / "secrets.ndjson"
STORE = HERE / "store-secrets-dfe4889"
EVENTS = 61
SECRET = "Hunter2xyz"  # noqa: S105
FORMS = (SECRET, *(base64.b64encode(b" " * n + SECRET.encode()).decode()[3:-4] for n in range(3)))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORE, tmp_path / "store"))


def texts(store: Path) -> Iterator[str]:
    """All that is in the files of a store, decompressed."""
    for path in store.rglob("*"):
        if path.suffix == ".parquet":
            yield str(pq.read_table(path).to_pylist())
        elif path.is_file():
            yield path.read_text("utf-8", "replace")


def has_secrets(store: Path) -> bool:
    return any(form in text for text in texts(store) for form in FORMS)


def test_secrets_are_listed_without_their_values(store: Path, tmp_path: Path) -> None:
    assert has_secrets(store)
    result = k8sidx(tmp_path, "doctor", "--secrets", "--store", store, "-o", "json")
    assert result.exit_code == 1
    assert not any(form in result.output for form in FORMS)
    rows = json.loads(result.stdout)
    places = {(row["location"], row["auditID"], row["field"], row["kind"]) for row in rows}
    assert ("2026-11-24", "secret-34", "requestObject.data.p", "Secret") in places
    variable = "requestObject.spec.containers[0].env[0].value"
    assert ("2026-11-23", "secret-39", variable, "environment variable") in places
    assert len({row["auditID"] for row in rows}) >= EVENTS - 8
    assert f"{EVENTS} events read" in result.stderr


def test_the_next_ship_migrates_it(store: Path, tmp_path: Path) -> None:
    """And what is shipped again is there already, under the ids of today."""
    before = set(store.rglob("*.parquet"))
    result = k8sidx(tmp_path, "ship", LOG, "--store", store, "-o", "json")
    assert result.exit_code == 0, result.output
    assert "values replaced" in result.stderr
    counts = json.loads(result.stdout)
    assert (counts["indexed"], counts["duplicates"]) == (0, EVENTS)
    assert not has_secrets(store)
    assert not before & set(store.rglob("*.parquet")), "the files with secrets are deleted"
    assert read_manifest(store).is_current
    doctor = k8sidx(tmp_path, "doctor", "--secrets", "--store", store, "-o", "json")
    assert (doctor.exit_code, json.loads(doctor.stdout)) == (0, [])
    query = ("query", "filter event.redacted = true | stats count(*) as n", "-o", "csv")
    assert printed(tmp_path, *query, "--store", store, "-q") == f"n\n{EVENTS}\n"


def test_setup_migrates_it_as_well_and_twice_is_once(store: Path, tmp_path: Path) -> None:
    first = k8sidx(tmp_path, "setup", "--redact-existing", "--store", store, "-o", "json")
    assert first.exit_code == 0, first.output
    [counts] = json.loads(first.stdout)
    assert counts["events"] == EVENTS
    assert counts["values"] > EVENTS - 8
    assert not has_secrets(store)
    again = k8sidx(tmp_path, "setup", "--redact-existing", "--store", store, "-o", "json")
    [counts] = json.loads(again.stdout)
    assert (counts["values"], counts["changed"]) == (0, 0)


def test_a_migration_keeps_secrets_where_they_are_wanted(store: Path, tmp_path: Path) -> None:
    result = k8sidx(tmp_path, "ship", LOG, "--store", store, "--keep-secrets", "-o", "json")
    assert json.loads(result.stdout)["duplicates"] == EVENTS
    assert has_secrets(store)


def test_an_older_store_can_be_read_before_it_is_migrated(store: Path, tmp_path: Path) -> None:
    query = ("query", "stats count(*) as n", "-o", "csv", "-q", "--store", store)
    assert printed(tmp_path, *query) == f"n\n{EVENTS}\n"
    newer = k8sidx(tmp_path, "query", "filter event.redacted = true", "--store", store)
    assert newer.exit_code == 3
    assert "k8sidx ship" in newer.stderr


def test_what_an_older_version_adds_is_migrated(store: Path, tmp_path: Path) -> None:
    """It drops from the manifest what it does not know."""
    k8sidx(tmp_path, "ship", LOG, "--store", store)
    path = store / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    del manifest["normalized"]
    path.write_text(json.dumps(manifest), "utf-8")
    result = k8sidx(tmp_path, "ship", LOG, "--store", store, "-o", "json")
    assert "0 values replaced, 0 of 61 events stored again" in result.stderr
    assert all(part.normalized == NORMALIZED for part in read_manifest(store).parts)


def test_a_migration_that_is_killed_loses_nothing_and_resumes(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "K8SIDX_CONFIG": os.devnull}
    for milliseconds in (0, 20, 60, 120):
        store = tmp_path / f"store-{milliseconds}"
        shutil.copytree(STORE, store)
        command = [sys.executable, "-m", "k8sidx", "setup", "--redact-existing"]
        process = subprocess.Popen(
            [*command, "--store", str(store)], env=environment, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        process.stderr.readline()  # it has begun
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        result = k8sidx(tmp_path, "ship", LOG, "--store", store, "-o", "json")
        counts = json.loads(result.stdout)
        assert (counts["indexed"], counts["duplicates"]) == (0, EVENTS)
        assert read_manifest(store).rows == EVENTS
        assert not has_secrets(store)
