"""User-provided lists in ``k8sidx.toml``."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

from tests.building import event
from tests.cli.conftest import k8sidx
from tests.stores import stored

RULE = """
title: From a listed address
logsource: {product: kubernetes, service: audit}
detection:
  listed: {source.ip|expand: '%threat_addresses%'}
  known: {user.username|expand: '%known_users%'}
  condition: listed and not known
"""


def test_lists_of_a_hundred_thousand_entries_work(here: Path) -> None:
    stored(here / "k8sidx-store", [
        event(user="mallory", source="198.51.100.77", seconds=1),
        event(user="user-99999", source="198.51.100.77", seconds=2),
        event(user="mallory", source="203.0.113.9", seconds=3),
    ])  # fmt: skip
    first = int(ipaddress.ip_address("198.18.0.0"))
    bad = [f"{ipaddress.ip_address(first + number)}\n" for number in range(100_000)]
    (here / "lists").mkdir()
    (here / "lists" / "bad.txt").write_text("".join(bad) + "198.51.100.64/28\n")
    (here / "users.txt").write_text("".join(f"user-{number}\n" for number in range(100_000)))
    (here / "k8sidx.toml").write_text(
        '[lists]\nthreat_addresses = "lists/bad.txt"\nknown_users = ["users.txt"]\n'
    )
    (here / "rule.yml").write_text(RULE)
    done = k8sidx("hunt", "rule.yml", "-o", "json")
    assert done.exit_code == 0, done.stderr
    [found] = json.loads(done.stdout)[0]["findings"]
    assert found["key"]["user.effective.name"] == "mallory"
    assert found["count"] == 1
