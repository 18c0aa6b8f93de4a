"""Which server a test runs on: an address, a container, an artifact, or none."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.open import open_cluster
from tests.servers.container import Container, docker_runs, image_of
from tests.servers.node import START_SECONDS, NotStarted
from tests.servers.start import VERSIONS, CannotStart, java_for, product_of, start_server


def address_variable(name: str) -> str:
    """The environment variable that may hold a server's address."""
    return f"K8SIDX_TEST_{name.upper()}"


@cache
def _docker() -> bool:
    return docker_runs()


def plan(name: str) -> str:
    """Where the server will come from, in words, without starting it.

    :raises CannotStart: when it can come from nowhere.
    """
    if address := os.environ.get(address_variable(name)):
        try:
            cluster = open_cluster(address)
        except ClusterUnreachable as error:
            raise CannotStart(f"{address_variable(name)}: {error}") from error
        version = ".".join(map(str, cluster.version))
        cluster.close()
        return f"{cluster.product} {version} at {address}"
    if _docker():
        return f"{image_of(name)} in a container"
    product, version = product_of(name), VERSIONS[name]
    java = java_for(product, version)
    return f"{product} {version} from Maven, Java {java.release} in {java.home}"


@dataclass(slots=True)
class Servers:
    """The servers of a test run: started when first asked for, ended with the run.

    :ivar ran: what a server calls itself, by its name.
    :ivar missing: why a server could not be had, by its name.
    """

    clusters: dict[str, Cluster] = field(default_factory=dict)
    ran: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    _ends: list[Callable[[], None]] = field(default_factory=list)

    def get(self, name: str) -> Cluster:
        """The cluster of that name in ``VERSIONS``.

        :raises CannotStart: when it cannot be had here.
        """
        if name in self.missing:
            raise CannotStart(self.missing[name])
        if name not in self.clusters:
            try:
                cluster = self.clusters[name] = self._open(name)
            except (CannotStart, NotStarted) as error:
                self.missing[name] = str(error)
                raise CannotStart(str(error)) from error
            self.ran[name] = f"{cluster.product} {'.'.join(map(str, cluster.version))}"
        return self.clusters[name]

    def _open(self, name: str) -> Cluster:
        if address := os.environ.get(address_variable(name)):
            return _patiently(address, 5.0)
        if _docker():
            container = Container(name)
            container.start()
            self._ends.append(container.stop)
            return _patiently(container.url, START_SECONDS)
        node = start_server(name)
        self._ends.append(node.stop)
        return _patiently(node.url, 5.0)

    def close(self) -> None:
        """End what was started."""
        for cluster in self.clusters.values():
            cluster.close()
        for end in self._ends:
            end()
        self._ends.clear()


def _patiently(address: str, seconds: float) -> Cluster:
    end = time.monotonic() + seconds
    while True:
        try:
            return open_cluster(address)
        except ClusterUnreachable as error:
            if time.monotonic() > end:
                raise CannotStart(f"{address} does not answer: {error}") from error
            time.sleep(0.3)
