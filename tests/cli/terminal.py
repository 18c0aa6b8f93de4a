"""Pseudo-terminal for tests: run a command, type keys, read the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

ROWS, COLUMNS = 40, 100
TIMEOUT = 60.0
"""Seconds after which a terminal that says nothing is taken for stuck."""


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self._process = process
        self.shown = ""
        self._position = 0

    def type(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    def until(self, text: str) -> str:
        """Read until the text is shown, and go on behind it the next time; what came, with it."""
        while (found := self.shown.find(text, self._position)) < 0:
            if not self._read():
                unread = self.shown[self._position :]
                raise AssertionError(f"{text!r} never came after {unread!r}")
        began, self._position = self._position, found + len(text)
        return self.shown[began : self._position]

    def ended(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self._process.wait(TIMEOUT)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], TIMEOUT)
        try:
            data = os.read(self._descriptor, 65536) if ready else b""
        except OSError:  # Linux's answer to reading from a terminal whose other end is closed.
            data = b""
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


def _take_terminal() -> None:
    """Ctrl-C typed there is a signal to the process, whatever the tests were started by."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def k8sidx_on_terminal(*arguments: str, columns: int = COLUMNS) -> Iterator[Terminal]:
    """Run the command with stdin, stdout and stderr on a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "k8sidx", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
