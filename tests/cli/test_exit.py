"""Exit codes and error messages of commands."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.errors import InvalidHunt, StoreBusy, StoreError, UsageError, Where


def run(error: BaseException | None, *options: str) -> Result:
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.command()
    @ends_with_exit_code
    def fail(debug: Annotated[bool, typer.Option("--debug")] = False) -> None:
        print("data")  # noqa: T201
        if error:
            raise error

    return CliRunner().invoke(app, list(options))


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (None, 0, ""),
        (UsageError("wrong.", remedy="Do right."), 2, "k8sidx: wrong. Do right.\n"),
        (
            InvalidHunt("no title.", where=Where("rule.yml", 3)),
            2,
            "k8sidx: rule.yml:3: no title.\n",
        ),
        (StoreError("unreachable."), 3, "k8sidx: unreachable.\n"),
        (StoreBusy("busy."), 3, "k8sidx: busy.\n"),
        (OSError(28, "No space left on device", "x"), 3, "k8sidx: x: No space left on device.\n"),
        (KeyboardInterrupt(), 130, "k8sidx: interrupted by Ctrl-C.\n"),
        (BrokenPipeError(), 0, ""),
        (typer.Exit(4), 4, ""),
        (
            ValueError("oops"),
            70,
            "k8sidx: internal error: ValueError: oops. "
            "Please run again with --debug and report the output.\n",
        ),
        (UsageError("evil\x1b[2J\nline"), 2, "k8sidx: evil\\x1b[2J\\nline\n"),
    ],
)
def test_every_error_is_one_safe_line_and_an_exit_code(
    error: BaseException | None, exit_code: int, said: str
) -> None:
    result = run(error)
    assert result.exit_code == exit_code
    assert result.stderr == said
    assert result.stdout == "data\n"


def test_debug_adds_the_traceback_and_keeps_the_exit_code() -> None:
    result = run(ValueError("oops"), "--debug")
    assert result.exit_code == 70
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.endswith("k8sidx: internal error: ValueError: oops.\n")
