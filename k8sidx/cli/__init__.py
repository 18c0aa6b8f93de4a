"""Command-line interface: parse, call one function, render, map errors to exit codes.

Nothing heavy is imported before a command runs, and of the commands only the one that runs, so
that ``--help`` and completions return at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

    app: typer.Typer

COMMANDS = (
    "setup", "ship", "serve", "hunts", "hunt", "watch", "query", "search", "show", "timeline",
    "who", "history", "diff", "access", "findings", "notify", "baseline", "report", "dashboards",
    "policy", "doctor", "config", "generate", "schema", "mcp",
)  # fmt: skip
"""Names of the commands, which are those of their modules, in the order of the help."""


def __getattr__(name: str) -> Any:
    """Return the application with all commands as ``app``, made when it is first needed."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from k8sidx.cli.application import application

    globals()["app"] = application(COMMANDS)
    return globals()["app"]
