"""Logs with the identities of a platform."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from typer.testing import CliRunner

from k8sidx.cli import app
from k8sidx.cli.generate import Platform
from k8sidx.generate.platforms import PLATFORMS


def events(platform: str, *options: str) -> list[dict[str, Any]]:
    given = ["--platform", platform, "--attacks", "none", "--span", "1h", "-q", *options]
    result = CliRunner().invoke(app, ["generate", *given])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_command_offers_every_platform() -> None:
    assert {platform.value for platform in Platform} == PLATFORMS.keys()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_hour_has_the_identities_of_the_platform_beside_ordinary_work(platform: str) -> None:
    made = events(platform, "--events", "2400")
    users = Counter(event["user"].get("username") for event in made)
    assert len(made) == 2400
    assert {identity.name for identity in PLATFORMS[platform]} <= users.keys()
    assert users["system:serviceaccount:external-secrets:external-secrets"] > 0
    times = [event["stageTimestamp"] for event in made]
    assert times == sorted(times)


def test_a_log_without_a_platform_has_none_of_them() -> None:
    result = CliRunner().invoke(
        app, ["generate", "--events", "500", "--attacks", "none", "--span", "1h", "-q"]
    )
    users = {json.loads(line)["user"].get("username") for line in result.stdout.splitlines()}
    assert not users & {"eks:node-manager", "aksService", "system:addon-manager"}


def test_nodes_and_pods_behind_one_public_address_have_it() -> None:
    made = events("aks", "--events", "2400")
    addresses = {
        event["sourceIPs"][-1]
        for event in made
        if event["user"].get("username", "").startswith("system:node:")
    }
    assert addresses == {"52.152.245.238"}


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert events("gke", "--events", "1200") == events("gke", "--events", "1200")
    assert events("gke", "--events", "1200") != events("gke", "--events", "1200", "--seed", "2")
