"""The ``k8sidx`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end with its exit code (docs/cli.md)."""
    try:
        from k8sidx.cli import app

        app(prog_name="k8sidx")
    except KeyboardInterrupt:
        # Before a command has begun; from then on k8sidx.cli.exit answers.
        sys.exit(130)


if __name__ == "__main__":
    main()
