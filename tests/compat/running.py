"""Commands run as a user runs them, in an environment that is nobody's; what they print and
leave behind. Of the package's modules these tests know the command line alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

_ENVIRONMENT = (
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "K8SIDX_STORE",
    "K8SIDX_INDEX",
    "K8SIDX_CLUSTER",
    "FORCE_COLOR",
    "COLUMNS",
)


def k8sidx(folder: Path, *arguments: object) -> Result:
    """Run a command in a folder, as from a pipe.

    :param folder: where nothing of the user's is seen.
    """
    from k8sidx.cli import app

    environment = dict.fromkeys(_ENVIRONMENT) | {"HOME": str(folder / "home")}
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, [str(one) for one in arguments], env=environment)


def printed(folder: Path, *arguments: object, code: int = 0) -> str:
    """What a command that ends with an exit code, by default that of success, writes to stdout."""
    result = k8sidx(folder, *arguments)
    assert result.exit_code == code, result.output
    return result.stdout


def kept(name: str) -> Any:
    """What was kept of the old code's answers, from ``name.json``."""
    return json.loads((HERE / f"{name}.json").read_text("utf-8"))


def digest(parts: Iterable[str]) -> str:
    """SHA-256 of texts, a line each."""
    made = hashlib.sha256()
    for part in parts:
        made.update(part.encode("utf-8", "surrogatepass") + b"\n")
    return made.hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    return digest([json.dumps(value, sort_keys=True)])
