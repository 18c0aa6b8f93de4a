"""Checks of ``k8sidx doctor`` that do not depend on the store: software and configuration."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from k8sidx import __version__
from k8sidx.backends.check import Check, failed
from k8sidx.errors import K8sidxError
from k8sidx.events.core import VARIABLE, choice


def check_software() -> Check:
    """Return the versions that a bug report needs."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "pyarrow", "pysigma"))
    seen = f"k8sidx {__version__}, Python {platform.python_version()}, {libraries}"
    return Check("software", "ok", seen)


def check_core() -> Check:
    """Return which core reads events, and why."""
    try:
        core = choice()
    except K8sidxError as error:
        return failed("core", error)
    if core.name == "native":
        return Check("core", "ok", f"native: {core.reason}")
    mend = "To ship faster, install k8sidx where cargo (Rust) is found."
    is_chosen = core.reason.startswith(VARIABLE)
    return Check("core", "ok", f"python: {core.reason}", "" if is_chosen else mend)


def check_configuration(load: Callable[[], Path | None]) -> Check:
    """Check that the configuration can be read.

    :param load: reads it; returns the file in effect, raises :class:`K8sidxError`.
    """
    try:
        source = load()
    except K8sidxError as error:
        return failed("configuration", error)
    return Check("configuration", "ok", str(source) if source else "no file, the defaults")
