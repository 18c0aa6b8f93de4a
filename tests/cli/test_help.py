"""Help texts: complete, fast to load, and equal to the reference."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docs.generate.cli import with_current_reference
from docs.generate.man import page
from k8sidx import __version__
from k8sidx.cli import COMMANDS, app

REFERENCE = Path(__file__).parents[2] / "docs" / "cli.md"
HEAVY = (
    "duckdb",
    "pyarrow",
    "sigma",
    "cryptography",
    "rich",
    "orjson",
    "lark",
    "prompt_toolkit",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"  k8sidx {command}" in result.stdout.partition("Example:")[2]


def test_help_lists_every_command_untruncated() -> None:
    result = CliRunner().invoke(app, ["--help"], terminal_width=80)
    assert result.exit_code == 0
    assert "..." not in result.stdout.partition("Commands:")[2]
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout


def test_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"k8sidx {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], (*HEAVY, "pydantic")),
        (["--version"], (*HEAVY, "pydantic")),
        (["hunt", "--help"], (*HEAVY, "pydantic")),
        (["findings", "list", "-h"], (*HEAVY, "pydantic")),
        # typer itself reads a command's options with pydantic.
        (["query", "--help", "--chart"], HEAVY),
    ],
)
def test_help_loads_nothing_heavy(arguments: list[str], heavy: tuple[str, ...]) -> None:
    program = (
        "import sys\n"
        "from k8sidx.__main__ import main\n"
        f"sys.argv = ['k8sidx', *{arguments}]\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        f"print('loaded', [name for name in {heavy} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("loaded []\n")
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [["--nonsense"], ["nonsense"], ["ship"], ["hunt", "--level", "loud"], ["hunts", "-o", "xml"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr


def test_the_reference_is_current() -> None:
    text = REFERENCE.read_text("utf-8")
    assert with_current_reference(text) == text, "run: python -m docs.generate.cli docs/cli.md"


def test_the_man_page_is_current_and_formats_without_a_warning() -> None:
    path = REFERENCE.with_name("k8sidx.1")
    assert path.read_text("utf-8") == page(), "run: python -m docs.generate.man docs/k8sidx.1"
    if not (formatter := shutil.which("groff") or shutil.which("nroff")):
        pytest.skip("no groff to format the man page with")
    arguments = [formatter, "-man", "-ww", "-Tutf8", str(path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "secret" in done.stdout


def test_the_reference_has_every_command() -> None:
    text = REFERENCE.read_text("utf-8")
    assert "<!-- common options -->\n| | |\n| --- | --- |\n| `--" in text
    for command in COMMANDS:
        assert f"\n## k8sidx {command}\n" in text
        assert f"[{command}](#k8sidx-{command})" in text
