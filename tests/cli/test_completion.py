"""Completions and the list of commands: from a generated description, without the commands."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from docs.generate.completion import description, helps
from k8sidx.cli import COMMANDS, app
from k8sidx.cli.application import help_only
from k8sidx.cli.fast_completion import candidates, completed
from k8sidx.cli.fast_help import SETTINGS, described_help
from k8sidx.cli.start import described, start
from k8sidx.insights.saved.saved import saved_names

GENERATED = Path(__file__).parents[2] / "k8sidx" / "cli" / "cli.json"


def values(*words: str) -> list[str]:
    items = candidates(words[:-1], words[-1], described())
    assert items is not None
    return [value for value, _ in items]


def test_the_description_is_current() -> None:
    text = GENERATED.read_text("utf-8")
    assert text == description(), "run: python -m docs.generate.completion k8sidx/cli/cli.json"


def test_the_description_of_the_help_is_current() -> None:
    text = GENERATED.with_name("help.json").read_text("utf-8")
    assert text == helps(), "run: python -m docs.generate.completion k8sidx/cli/cli.json"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_described_help_is_that_of_the_command(width: int) -> None:
    def compare(command: Any, path: list[str], parent: Any) -> None:
        context = typer.Context(
            command, info_name=([*path] or ["k8sidx"])[-1], parent=parent, **SETTINGS,
            terminal_width=width,
        )  # fmt: skip
        if path:
            assert described_help(path, terminal_width=width) == context.get_help(), path
        for name, child in getattr(command, "commands", {}).items():
            compare(child, [*path, name], context)

    compare(typer.main.get_command(app), [], None)


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (["help"], "Usage: k8sidx [OPTIONS] COMMAND"),
        (["help", "hunt"], "Usage: k8sidx hunt [OPTIONS]"),
        (["findings", "list", "-h"], "Usage: k8sidx findings list [OPTIONS]"),
        (["version"], "k8sidx "),
    ],
)
def test_help_is_printed_as_other_programs_are_asked_for_it(
    arguments: list[str], begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(SystemExit):
        start(arguments, {})
    assert capsys.readouterr().out.startswith(begins)


def test_the_help_of_a_command_has_the_defaults_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k8sidx.toml").write_text("[defaults.search]\nlimit = 7\n")
    with pytest.raises(SystemExit):
        start(["search", "--help"], {})
    assert "[default: 7, from k8sidx.toml]" in " ".join(capsys.readouterr().out.split())


def test_the_list_of_commands_is_that_of_the_whole_application() -> None:
    commands = described()["commands"]
    short = help_only({name: command["help"] for name, command in commands.items()})
    assert set(commands) == set(COMMANDS)
    printed = [CliRunner().invoke(each, ["--help"]).stdout for each in (short, app)]
    assert printed[0] == printed[1]


@pytest.mark.parametrize(
    ("words", "some"),
    [
        (("",), {"hunt", "ship", "schema"}),
        (("hu",), {"hunt", "hunts"}),
        (("findings", ""), {"list", "ack"}),
        (("hunt", "pod_e"), {"pod_exec"}),
        (("hunt", "--all", "--level", ""), {"low", "critical"}),
        (("hunt", "--tag", "T1552"), {"T1552.007"}),
        (("hunt", "--tag", "credential"), {"credential-access"}),
        (("hunts", "show", "pod_exec", "--as", "s"), {"sql", "sigma"}),
        (("timeline", "-o", ""), {"timesketch", "csv"}),
        (("schema", "hunt"), {"hunt", "hunts"}),
        (("hunt", "--known"), {"--known-good", "--known-good-from"}),
        (("hunt", "--", "pod_ex"), {"pod_exec"}),
        (("hunt", "--level", "low", "secret_li"), {"secret_list"}),
    ],
)
def test_a_word_is_completed(words: tuple[str, ...], some: set[str]) -> None:
    completions = values(*words)
    assert some <= set(completions)
    assert all(value.startswith(words[-1]) for value in completions)


def test_stores_and_profiles_are_completed_without_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "manifest.json").write_text("{}")
    (tmp_path / "k8sidx.toml").write_text(
        'store = "https://u:secret@a:9200"\n[profile.prod]\nstore = ["https://b:9200"]\n'
    )
    assert values("hunt", "--store", "") == ["https://b:9200", "audit"]
    assert values("hunt", "--profile", "p") == ["prod"]
    (tmp_path / "k8sidx.toml").write_text("not TOML")
    assert values("hunt", "--profile", "") == []


@pytest.mark.parametrize(
    ("shell", "environment", "text", "exit_code"),
    [
        ("bash", {"COMP_WORDS": "k8sidx hunt pod_exe", "COMP_CWORD": "2"}, "pod_exec", 0),
        ("bash", {"COMP_WORDS": "k8sidx hunt 'pod_exe", "COMP_CWORD": "2"}, "pod_exec", 0),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "k8sidx hunt pod_exe"},
         "_arguments '*: :((\"pod_exec\"))'", 0),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "k8sidx ship "}, "_files", 0),
        ("fish", {"_TYPER_COMPLETE_ARGS": "k8sidx ship ", "_TYPER_COMPLETE_FISH_ACTION": "is-args"},
         "", 1),
        ("fish", {"_TYPER_COMPLETE_ARGS": "k8sidx hunt pod_exe",
                  "_TYPER_COMPLETE_FISH_ACTION": "get-args"}, "pod_exec", 0),
    ],
)  # fmt: skip
def test_each_shell_gets_its_form(
    shell: str, environment: dict[str, str], text: str, exit_code: int
) -> None:
    answer = completed(f"complete_{shell}", environment, described())
    assert answer == (text, exit_code)


def test_saved_queries_are_completed_with_those_of_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("K8SIDX_QUERY_FOLDER", raising=False)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.cwli").write_text("# Mine\nlimit 1\n")
    (tmp_path / "k8sidx.toml").write_text('[query]\nfolder = "own"\n')
    shipped = sorted([*saved_names(None), "mine"])
    assert values("query", "") == [f"@{name}" for name in shipped]
    assert values("query", "@mi") == ["@mine"]
    assert values("query", "@", "mi") == ["mine"]  # as bash splits it
    assert values("query", "stats count(*)", "") == []


def test_the_source_of_a_completion_is_left_to_the_application() -> None:
    assert completed("source_bash", {}, described()) is None


def test_a_completion_imports_no_command() -> None:
    program = (
        "import sys\nfrom k8sidx.__main__ import main\nsys.argv = ['k8sidx']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('typer', 'pydantic', 'k8sidx.cli.hunt') if n in sys.modules])\n"
    )
    asked = {"_K8SIDX_COMPLETE": "complete_bash", "COMP_WORDS": "k8sidx hunt pod_exe"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **asked, "COMP_CWORD": "2"},
        check=True,
    )
    assert done.stdout == "pod_exec\n[]\n"
