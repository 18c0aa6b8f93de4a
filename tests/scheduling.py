"""How pytest-xdist shares the tests out: those of one server, or of one module, to one worker.

So a server is started once, and what a module makes for all its tests is made once.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.servers.start import VERSIONS

SERVERS = (*VERSIONS, "secured_opensearch", "secured_elasticsearch")
_SERVER = re.compile(rf"[\[-]({'|'.join(SERVERS)})(?=[\]-])")


def group_of(nodeid: str) -> str:
    """The server that a test's id names among its parameters, else the test's module."""
    module, _, name = nodeid.partition("::")
    found = _SERVER.search(name)
    return found[1] if found else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
        """Known by ids, not by marks: xdist's own ``loadgroup`` changes ids for that, which
        pytest 9.2 does not allow any more (pytest-xdist issue 1386)."""

        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return GroupScheduling(config, log)
