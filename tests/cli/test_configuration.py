"""What k8sidx.toml can say, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.configuration import load_configuration
from k8sidx.errors import UsageError


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    configuration = load_configuration([tmp_path])
    assert (configuration.store, configuration.cluster, configuration.source) == ("", "", None)


def test_the_first_folder_with_a_file_is_used_whole(tmp_path: Path) -> None:
    here, user = tmp_path / "here", tmp_path / "user"
    for folder, text in ((here, 'store = "audit"'), (user, 'store = "other"\ncluster = "prod"')):
        folder.mkdir()
        (folder / "k8sidx.toml").write_text(text)
    configuration = load_configuration([here, user])
    assert configuration.store == str(here / "audit")
    assert configuration.cluster == ""
    assert configuration.source == here / "k8sidx.toml"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("/srv/audit", "/srv/audit"), ("https://search:9200", "https://search:9200")],
)
def test_only_relative_stores_start_at_the_files_folder(
    tmp_path: Path, written: str, meant: str
) -> None:
    (tmp_path / "k8sidx.toml").write_text(f'store = "{written}"')
    assert load_configuration([tmp_path]).store == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stor = "x"', "no setting is named 'stor'. Did you mean store?"),
        ("zzz = 1", "no setting is named 'zzz'. There are: store, cluster, lists."),
        ("store = 5", "store: Input should be a valid string."),
        ("store = ", "not a TOML file"),
        ('source = "x"', "no setting is named 'source'"),
        ("\udcff", "not a TOML file"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "k8sidx.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as raised:
        load_configuration([tmp_path])
    assert str(raised.value).startswith(f"{path}: ")
    assert said in str(raised.value)
