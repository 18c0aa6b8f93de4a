"""The command as a process: pipes that close early, Ctrl-C, ``python -m``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from k8sidx import __version__
from tests.cli.conftest import audit_event, k8sidx

K8SIDX = [sys.executable, "-m", "k8sidx"]


def test_python_m_runs_the_command() -> None:
    done = subprocess.run([*K8SIDX, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"k8sidx {__version__}\n"


@pytest.mark.parametrize("output", ["csv", "json", "table", "html"])
def test_a_pipe_closed_early_is_a_success(output: str) -> None:
    with subprocess.Popen(
        [*K8SIDX, "hunts", "-o", output], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 0


def test_ctrl_c_is_one_line_and_130_and_keeps_the_store_readable(here: Path) -> None:
    with subprocess.Popen(
        [*K8SIDX, "ship", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has its children ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(audit_event(1)) + "\n")
        process.stdin.flush()
        while not (here / "k8sidx-store" / "manifest.json").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr.read() == "k8sidx: interrupted by Ctrl-C.\n"
    assert k8sidx("doctor").exit_code == 0


def test_a_locale_without_unicode_gets_escapes_not_a_traceback(log: Path) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PATH": "", "HOME": str(Path.cwd())}
    log.write_text(json.dumps(audit_event(1, userAgent="Zoë")) + "\n")
    arguments = ["hunt", "topn_user_agent", "--input", str(log), "-o"]
    for output, shown in (("table", b"Zo\\xeb"), ("csv", "Zoë".encode())):
        done = subprocess.run([*K8SIDX, *arguments, output], env=environment, capture_output=True)
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
        assert shown in done.stdout
