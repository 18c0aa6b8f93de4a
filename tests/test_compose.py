"""``docker-compose.yml``: pinned, local, with health checks; and Compose reads it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers.container import IMAGES, image_of

FILE = Path(__file__).parents[1] / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_checked_and_not_on_the_network(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":\d+\.\d+\.\d+$", service["image"])
    assert service["healthcheck"]["test"][0] == "CMD-SHELL"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    for other in service.get("depends_on", {}):
        assert SERVICES[other]["profiles"] == service["profiles"]
    for volume in service.get("volumes", []):
        assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_the_servers_are_those_that_the_suite_runs_on() -> None:
    for product in IMAGES:
        assert SERVICES[product]["image"] == image_of(product)


def test_both_servers_speak_tls_and_know_their_users() -> None:
    assert SERVICES["elasticsearch"]["environment"]["xpack.security.http.ssl.enabled"] == "true"
    assert "DISABLE_SECURITY_PLUGIN" not in SERVICES["opensearch"]["environment"]
    for product in IMAGES:
        assert "--cacert" in SERVICES[product]["healthcheck"]["test"][1]


@pytest.mark.parametrize("profile", ["opensearch", "elastic"])
def test_compose_reads_it(profile: str) -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("no docker compose here")
    command = [docker, "compose", "-f", str(FILE), "--profile", profile, "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
