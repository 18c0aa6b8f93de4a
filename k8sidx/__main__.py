"""Entry point of the ``k8sidx`` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and end with its exit code (docs/cli.md)."""
    try:
        from k8sidx.cli.start import start

        start(sys.argv[1:], os.environ)
    except KeyboardInterrupt:
        # Only before a command has begun; k8sidx.cli.exit handles it from then on.
        sys.exit(130)


if __name__ == "__main__":
    main()
