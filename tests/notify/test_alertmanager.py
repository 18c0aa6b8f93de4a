"""Alerts in a real Alertmanager: accepted as its API describes them, and a pager is called once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import urllib3

from k8sidx.notify.deliver import deliver, enqueue
from k8sidx.notify.target import parse_target
from tests.notify.receivers import http_receiver
from tests.notify.test_notify import HOSTILE, finding
from tests.servers.emulators import NoEmulator, alertmanager


def test_alertmanager_takes_each_story_and_calls_the_pager_once(tmp_path: Path) -> None:
    try:
        with http_receiver() as pager, alertmanager(tmp_path, pager.url) as url:
            target = parse_target(f"alertmanager+{url}")
            for _ in range(2):  # as after a response that was lost
                enqueue([finding(), finding(HOSTILE)], [target], tmp_path / "queue")
                (delivery,) = deliver([target], tmp_path / "queue")
                assert (delivery.sent, delivery.is_complete) == (2, True)
            listed = urllib3.request("GET", f"{url}/api/v2/alerts").json()
            _wait_for(pager.bodies, 2)
    except NoEmulator as error:
        pytest.skip(str(error))
    labels = [alert["labels"] for alert in listed]
    assert {each["alertname"] for each in labels} == {"K8sidxFinding"}
    assert "mallory" in {each["actor"] for each in labels}
    assert len(listed) == len(pager.bodies) == 2
    assert all(len(json.loads(body)["alerts"]) == 1 for body in pager.bodies)


def _wait_for(bodies: list[bytes], count: int) -> None:
    until = time.monotonic() + 20
    while len(bodies) < count:
        if time.monotonic() > until:
            pytest.fail(f"the pager was called {len(bodies)} times")
        time.sleep(0.05)
