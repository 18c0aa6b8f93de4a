"""One server process: started, polled, killed, started again on the same data."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

_REAPER = Path(__file__).with_name("reaper.py")
START_SECONDS = 120.0


class NotStarted(Exception):
    """The server ended or did not answer in time; the message has the end of its output."""


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(slots=True)
class Node:
    """A server of this test run.

    :ivar folder: configuration, data and logs; outlives :meth:`kill`.
    :ivar command: the command line and the environment.
    :ivar user: basic auth of an administrator, ``name:password``; empty without security.
    :ivar ca: certificate authority, for ``https`` addresses.
    """

    url: str
    folder: Path
    home: Path
    command: tuple[list[str], Mapping[str, str]]
    user: str = ""
    ca: Path | None = None
    _reaper: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _group: int = 0

    def start(self) -> None:
        """Start it; return when it answers.

        :raises NotStarted: when it does not.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it without waiting for it."""
        arguments, environment = self.command
        if os.geteuid() == 0:  # the reaper runs it as nobody then
            nobody = pwd.getpwnam("nobody")
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        with (self.folder / "output.log").open("ab") as output:
            self._reaper = subprocess.Popen(
                [sys.executable, "-I", str(_REAPER), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=self.home,
                env={**os.environ, **environment, "HOME": str(self.folder)},
            )
        assert self._reaper is not None
        assert self._reaper.stdout is not None
        self._group = int(self._reaper.stdout.readline() or 0)

    def wait(self) -> None:
        """Return when it answers.

        :raises NotStarted: when it ends, or stays silent for ``START_SECONDS``.
        """
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._reaper is None or self._reaper.poll() is not None:
                break
            if self.answers():
                return
            time.sleep(0.1)
        said = (self.folder / "output.log").read_text("utf-8", "replace")[-3000:]
        self.kill()
        raise NotStarted(f"{self.home.name} at {self.url} did not start:\n{said}")

    def answers(self) -> bool:
        """Whether the cluster has a manager and serves requests."""
        headers = urllib3.make_headers(basic_auth=self.user) if self.user else {}
        context = ssl.create_default_context(cafile=str(self.ca)) if self.ca else None
        health = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        with urllib3.PoolManager(ssl_context=context) as pool:
            try:
                answer = pool.request("GET", health, headers=headers, timeout=5.0, retries=False)
            except urllib3.exceptions.HTTPError:
                return False
        return answer.status == 200

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it at once, as a power cut would; data stay for :meth:`start`."""
        if self._reaper is None:
            return
        if self._group:  # 0 would be the group of the tests themselves
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._group, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._reaper.wait(20)
        for stream in (self._reaper.stdin, self._reaper.stdout):
            if stream is not None:
                stream.close()
        self._reaper.wait()
        self._reaper = None

    def stop(self) -> None:
        """End it in order and remove its data."""
        self.kill(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)
