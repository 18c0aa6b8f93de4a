"""Which tests run on one worker of pytest-xdist: those of a server, and those of a module.

A server is started by the one worker that has its tests, and what a module makes once for all
its tests is made once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.servers.start import VERSIONS

SERVERS = {*VERSIONS, "secured_opensearch", "secured_elasticsearch"}
"""Fixtures with a server that tests share."""
OWN = {"own_node", "three_nodes"}
"""Fixtures that start servers for one test."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before xdist's own hook, which reads the marks."""
    import sys; sys.stderr.write(f"XX {[i.plugin_name for i in config.hook.pytest_collection_modifyitems.get_hookimpls()]} {items[0]._nodeid} {group_of(items[0])}\n")
    for item in items:
        name = group_of(item)
        if name:
            item.add_marker(pytest.mark.xdist_group(name))


def group_of(item: pytest.Item) -> str:
    """The server that a test needs, else its module; nothing when it starts its own servers.

    :raises AssertionError: when it needs several: two workers would start them.
    """
    fixtures = set(getattr(item, "fixturenames", ()))
    callspec = getattr(item, "callspec", None)
    params: Mapping[str, Any] = callspec.params if callspec else {}
    texts = {one for one in params.values() if isinstance(one, str)}
    servers = (fixtures | texts) & SERVERS
    assert len(servers) <= 1, f"{item.nodeid} needs {', '.join(sorted(servers))}"
    if servers:
        return servers.pop()
    return "" if (fixtures | texts) & OWN else item.nodeid.partition("::")[0]
