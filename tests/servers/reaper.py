"""Runs a command in a process group of its own and kills the group when its own stdin ends.

``python reaper.py COMMAND...``: the test process holds the other end of stdin, so however it
ends (``kill -9`` too, and with its whole process group) nothing it started is left behind. Prints
the group's id as its first line and ends when the command ends.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import signal
import subprocess
import sys


def main() -> int:
    os.setsid()  # `timeout` and Ctrl-C signal the group of the tests
    root = os.geteuid() == 0  # both servers refuse to run as root
    child = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.PIPE,
        stdout=sys.stderr,
        start_new_session=True,
        user="nobody" if root else None,
        group=pwd.getpwnam("nobody").pw_gid if root else None,
        extra_groups=[] if root else None,
    )
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    ended = os.pidfd_open(child.pid) if hasattr(os, "pidfd_open") else None
    watched = [sys.stdin.fileno(), *([ended] if ended is not None else [])]
    while child.poll() is None:
        ready, _, _ = select.select(watched, [], [], 1.0)
        if sys.stdin.fileno() in ready and not os.read(sys.stdin.fileno(), 1):
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
