"""Servers in containers, where a Docker engine runs. Needs the package ``testcontainers``."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from typing import Any

from tests.servers.node import free_port
from tests.servers.start import VERSIONS, product_of

IMAGES = {
    "opensearch": "opensearchproject/opensearch",
    "elasticsearch": "docker.elastic.co/elasticsearch/elasticsearch",
}
_SETTINGS = {
    "opensearch": {
        "DISABLE_INSTALL_DEMO_CONFIG": "true",
        "DISABLE_SECURITY_PLUGIN": "true",
        "OPENSEARCH_JAVA_OPTS": "-Xms512m -Xmx512m",
    },
    "elasticsearch": {
        "xpack.security.enabled": "false",
        "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
    },
}


def docker_runs() -> bool:
    """Whether a Docker engine answers and testcontainers is there to talk to it."""
    docker = shutil.which("docker")
    if docker is None or importlib.util.find_spec("testcontainers") is None:
        return False
    asked = [docker, "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(asked, capture_output=True, check=False, timeout=20).returncode == 0


def image_of(name: str) -> str:
    """The pinned image of a server, by its name in ``VERSIONS``."""
    return f"{IMAGES[product_of(name)]}:{VERSIONS[name]}"


class Container:
    """A server in a container; the same few verbs as :class:`tests.servers.node.Node`."""

    def __init__(self, name: str) -> None:
        from testcontainers.core.container import DockerContainer

        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._container: Any = DockerContainer(image_of(name)).with_bind_ports(9200, port)
        self._container.with_env("discovery.type", "single-node")
        self._container.with_env("cluster.routing.allocation.disk.threshold_enabled", "false")
        for setting, value in _SETTINGS[product_of(name)].items():
            self._container.with_env(setting, value)

    def start(self) -> None:
        """Start it; the caller waits until it answers."""
        self._container.start()

    def stop(self) -> None:
        """End it and remove its data."""
        self._container.stop()
