"""Completions and the list of commands: from a generated description, without the commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docs.generate.completion import description
from k8sidx.cli import COMMANDS, app
from k8sidx.cli.application import help_only
from k8sidx.cli.fast_completion import candidates, completed
from k8sidx.cli.start import described

GENERATED = Path(__file__).parents[2] / "k8sidx" / "cli" / "cli.json"


def values(*words: str) -> list[str]:
    items = candidates(words[:-1], words[-1], described())
    assert items is not None
    return [value for value, _ in items]


def test_the_description_is_current() -> None:
    text = GENERATED.read_text("utf-8")
    assert text == description(), "run: python -m docs.generate.completion k8sidx/cli/cli.json"


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


def test_saved_queries_are_left_to_the_application() -> None:
    assert candidates(["query"], "@", described()) is None
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
