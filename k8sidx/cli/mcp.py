"""``k8sidx mcp`` command: a Model Context Protocol server on stdin and stdout."""

from __future__ import annotations

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import DebugOption
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, takes_store
from k8sidx.errors import UsageError

NAME = "mcp"
EXAMPLE = "\b\nExample:\n  k8sidx mcp --store k8sidx-store"


@ends_with_exit_code
@takes_store
def command(store: StoreChoice = AS_CONFIGURED, debug: DebugOption = False) -> None:
    """Serve read-only tools to a language model (MCP over stdio)."""
    from k8sidx.cli.selection import configured_lists

    try:
        from k8sidx.mcp.server import make_server
    except ImportError as error:
        raise UsageError(
            f"the MCP server needs a package that is not installed ({error.name}).",
            remedy="Install it: pip install 'k8sidx[mcp]'",
        ) from error
    make_server(open_chosen(store), configured_lists()).run("stdio")
