"""Defaults of options in ``k8sidx.toml``: precedence, errors, announcements."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from k8sidx.cli.defaults import _NARROWING, _NEVER, read_defaults
from k8sidx.cli.start import described
from k8sidx.errors import UsageError
from tests.cli.conftest import EVENTS, k8sidx
from tests.stores import stored

FILE = """\
tz = "Europe/Berlin"
[defaults]
output = "json"
limit = 3
[defaults.search]
limit = 2
[profile.prod.defaults]
limit = 4
output = "jsonl"
[profile.lab.defaults.search]
limit = 1
"""


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(tmp_path_factory.mktemp("defaults") / "store", EVENTS).path


@pytest.fixture
def file(here: Path, shared_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file, and a store of seven events."""
    monkeypatch.setenv("K8SIDX_STORE", str(shared_store))
    monkeypatch.delenv("K8SIDX_PROFILE", raising=False)
    path = here / "k8sidx.toml"
    path.write_text(FILE)
    return path


def rows(*arguments: str) -> int:
    """Return how many requests a search lists."""
    printed = k8sidx("search", "pods", *arguments)
    assert printed.exit_code == 0, printed.output
    if printed.stdout.startswith("{\n"):
        return len(json.loads(printed.stdout)["events"])
    return len(printed.stdout.splitlines())


def test_the_command_line_wins_then_the_profile_then_the_commands_own_default(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows() == 2
    assert rows("--limit", "5") == 5
    assert rows("--profile", "prod") == 4
    assert rows("--profile", "lab") == 1
    monkeypatch.setenv("K8SIDX_PROFILE", "prod")
    assert rows() == 4
    assert rows("--profile", "lab") == 1
    assert rows("--profile", "lab", "-o", "csv") == 2  # with the header


def test_a_default_is_read_in_the_zone_of_the_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('tz = "Europe/Berlin"\n[defaults]\nsince = "2024-05-01 12:00:04"\n')
    assert rows("-o", "json") == 3
    monkeypatch.setenv("K8SIDX_TZ", "Asia/Tokyo")
    assert rows("-o", "json") == 7


def test_a_group_and_a_command_of_a_group_have_defaults(file: Path) -> None:
    assert k8sidx("hunts").stdout.startswith("[")
    assert k8sidx("hunts", "show", "pod_exec", "-o", "json").stdout.startswith("{")
    assert k8sidx("hunts", "show", "pod_exec", "--as", "sql").stdout.startswith("--")
    file.write_text('[defaults.hunts.show]\nas = "sigma"\n')
    assert k8sidx("hunts", "show", "pod_exec").stdout.startswith("title: ")
    file.write_text('[defaults]\noutput = "csv"\n[defaults.dashboards.list]\noutput = "json"\n')
    assert k8sidx("dashboards", "list").stdout.startswith("[")


def test_a_flag_of_the_file_is_switched_off_on_the_command_line(file: Path) -> None:
    file.write_text("[defaults.hunt]\nsave = true\n")
    saved = Path(store_path()) / "findings"
    assert k8sidx("hunt", "topn_user_by_agent", "--no-save").exit_code == 0
    assert not saved.exists()
    assert k8sidx("hunt", "topn_user_by_agent").exit_code == 0
    assert saved.exists()
    assert k8sidx("hunt", "topn_user_by_agent", "--input", "x", "--no-save").exit_code != 70


def store_path() -> str:
    return os.environ["K8SIDX_STORE"]


def test_help_prints_a_default_with_its_file(file: Path) -> None:
    printed = " ".join(k8sidx("search", "--help").stdout.split())
    assert "[default: 2, from k8sidx.toml]" in printed
    assert "[default: json, from k8sidx.toml]" in printed
    assert "[default: table" not in printed
    printed = " ".join(k8sidx("search", "--profile", "lab", "--help").stdout.split())
    assert "[default: 1, from k8sidx.toml]" in printed
    file.write_text("[defaults.hunt]\nsave = true\n")
    assert "--save / --no-save" in k8sidx("hunt", "--help").stdout


def test_a_relative_path_starts_at_the_folder_of_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('[defaults.hunt]\nknown_good = "good.toml"\ninput = ["-", "s3://b/k"]\n')
    (file.parent / "below").mkdir()
    user = file.parent / "home" / "k8sidx.toml"
    user.parent.mkdir()
    file.rename(user)
    monkeypatch.setattr("k8sidx.cli.defaults.configuration_folders", lambda: [user.parent])
    printed = " ".join(k8sidx("hunt", "--help").stdout.split())
    assert f"[default: {user.parent / 'good.toml'}, from" in printed.replace("- ", "-") or (
        str(user.parent / "good.toml") in printed.replace(" ", "")
    )
    assert "[default: -, s3://b/k, from k8sidx.toml]" in printed


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[defaults.hunt]\n\nlevl = 'high'", 3, "k8sidx hunt has no option --levl. Did you"),
        ("[defaults]\nlevl = 'high'", 2, "commands have no option --levl. Did you mean level?"),
        ("[defaults.hnt]\nlevel = 1", 1, "[defaults.hnt]: there is no command k8sidx hnt. Did"),
        ("[defaults.findings.lst]\n", 1, "[defaults.findings.lst]: there is no command k8sidx "
         "findings lst. Did you mean list?"),
        ("[defaults.hunt.x]\nlevel = 'high'", 1, "[defaults.hunt.x]: there is no command"),
        ("[defaults.hunt]\nlevel = 'hgih'", 2, "level: 'hgih' is not a valid value. Did you mean"),
        ("[defaults.hunt]\nsave = 'yes'", 2, "save: 'yes' is not true or false."),
        ("[defaults.hunt]\nsince = ['1d']", 2, "since: only one value is possible."),
        ("[defaults.hunt]\nlevel = true", 2, "level: True is not a text or a number."),
        ("[defaults.search]\nlimit = 'many'", 2, "limit: "),
        ("[defaults]\nquiet = true", 2, "quiet cannot be a default. A run would not print"),
        ("[defaults]\nstore = 'a'", 2, "store cannot be a default. It is a setting of the file"),
        ("[defaults.ship]\ncluster = 'a'", 2, "cluster cannot be a default. It is a setting"),
        ("[defaults.timeline]\nno_findings = true", 2, "no_findings: write findings = false"),
        ("[profile.a.defaults]\nlevl = 'x'", 2, "commands have no option --levl."),
        ("[profile.a]\ndefaults = 5", 2, "defaults are a table: [defaults]."),
        ("defaults = 5", 1, "defaults are a table: [defaults]."),
    ],
)  # fmt: skip
def test_a_wrong_default_is_an_error_with_its_line(
    file: Path, text: str, line: int, message: str
) -> None:
    file.write_text(text)
    printed = k8sidx("search", "pods")
    assert printed.exit_code == 2
    assert f"{file}:{line}: {message}" in printed.stderr
    assert printed.stdout == ""


def test_help_works_with_a_file_that_is_not_valid_and_doctor_reports_it(file: Path) -> None:
    file.write_text("[defaults.hunt]\nlevl = 'high'")
    assert k8sidx("search", "--help").exit_code == 0
    printed = k8sidx("doctor")
    assert printed.exit_code == 2
    assert f"{file}:2: k8sidx hunt has no option --levl" in printed.stdout


def test_a_default_that_leaves_something_out_is_printed_even_if_quiet(file: Path) -> None:
    file.write_text('[defaults]\nsince = "2024-05-01T10:00:03"\ntimeout = "5m"\n')
    announced = f"k8sidx: {file} sets --since 2024-05-01T10:00:03.\n"
    assert k8sidx("search", "pods", "-q").stderr == announced
    assert k8sidx("search", "pods", "-q", "--since", "2024-05-01").stderr == ""
    assert "sets" not in k8sidx("doctor").stderr


def test_an_error_about_a_default_names_the_file(file: Path) -> None:
    file.write_text('[defaults]\nsince = "yesterdayy"\ntimeout = "5m"\n')
    printed = k8sidx("search", "pods", "-q")
    assert printed.exit_code == 2
    assert printed.stderr.splitlines()[-1].endswith(f"({file} sets --since yesterdayy.)")


def test_every_option_that_leaves_something_out_or_has_no_default_exists() -> None:
    def names(node: dict[str, object]) -> Iterator[str]:
        options, commands = node["options"], node.get("commands", {})
        assert isinstance(options, dict) and isinstance(commands, dict)
        yield from (name[2:] for name in options)
        for child in commands.values():
            yield from names(child)

    known = set(names(described()))
    assert {name.replace("_", "-") for name in _NARROWING} <= known
    assert known >= _NEVER.keys()


def test_config_show_lists_values_with_their_source(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f'{FILE}[connection]\npassword = "s3cret"\nusername = "u"\n')
    file.chmod(0o600)
    monkeypatch.setenv("K8SIDX_API_KEY", "s3cret")
    printed = k8sidx("config", "show", "--profile", "prod", "-o", "csv")
    assert "s3cret" not in printed.output
    table = {(r["command"], r["setting"]): (r["value"], r["source"])
             for r in csv.DictReader(StringIO(printed.stdout))}  # fmt: skip
    assert table["", "profile"] == ("prod", "command line")
    assert table["", "store"][1] == "K8SIDX_STORE"
    assert table["", "index"] == ("k8s-audit", "built in")
    assert table["", "tz"] == ("Europe/Berlin", f"{file}:1")
    assert table["", "connection.password"] == ("(set, not printed)", f"{file}:13")
    assert table["", "connection.api_key"] == ("(set, not printed)", "K8SIDX_API_KEY")
    assert table["search", "limit"] == ("2", f"{file}:6")


def test_config_show_of_a_command_lists_what_it_uses(file: Path) -> None:
    printed = k8sidx("config", "show", "search", "--profile", "prod", "-o", "csv").stdout
    lines = [row[1:] for row in csv.reader(StringIO(printed))][1:]
    assert lines == [["limit", "4", f"{file}:8"], ["output", "jsonl", f"{file}:9"]]
    assert k8sidx("config", "show", "findings", "lst").exit_code == 2


def test_defaults_of_an_unknown_profile_are_refused(file: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean prod"):
        read_defaults("prdo")
