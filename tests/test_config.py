"""Configuration file: settings, paths and errors."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from k8sidx.config import Configuration, load_configuration
from k8sidx.errors import UsageError

SETTINGS = [name for name in Configuration.model_fields if name != "source"]


def test_defaults_apply_without_a_file(tmp_path: Path) -> None:
    configuration = load_configuration([tmp_path])
    assert (configuration.store, configuration.cluster, configuration.source) == ("", "", None)


def test_only_the_first_file_is_read(tmp_path: Path) -> None:
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


def test_the_folder_of_queries_starts_at_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "k8sidx.toml").write_text('[query]\nfolder = "own"')
    assert load_configuration([tmp_path]).query.folder == str(tmp_path / "own")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stor = "x"', "unknown setting 'stor'. Did you mean store?"),
        (
            "zzz = 1",
            f"unknown setting 'zzz'. Settings: {', '.join(SETTINGS)}.",
        ),
        ('[query]\nfolde = "x"', "unknown setting 'folde'. Did you mean folder?"),
        ("query = 5", "query: Input should be a valid dictionary"),
        ("[query]\nfolder = 5", "query.folder: Input should be a valid string."),
        ("store = 5", "store: Input should be a valid string."),
        ("store = ", "not a TOML file"),
        ('source = "x"', "unknown setting 'source'"),
        ("\udcff", "not a TOML file"),
    ],
)
def test_an_invalid_file_is_named_with_the_problem(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "k8sidx.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as raised:
        load_configuration([tmp_path])
    assert str(raised.value).startswith(f"{path}:")
    assert said in str(raised.value)


LINES = """\
store = "here"
lists.a = [
  "a.txt",
]
lists.b = 5
[profile.prod]
store = "there"
[profile.prod.connection]
username = 5
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (LINES, 5),
        (LINES.replace("b = 5", "b = 'b'"), 9),
        (LINES.replace("b = 5", "b = 'b'").replace("username = 5", "usernam = 'a'"), 9),
        ("store = 'x'\n\n# a comment\nstor = 'x'", 4),
        ("[profile]\nprod = 3", 1),
        ("store = 'x'\nquery.folde = 'x'", 2),
    ],
)
def test_an_error_names_the_line_of_the_setting(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "k8sidx.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        load_configuration([tmp_path])
    assert str(raised.value).startswith(f"{path}:{line}: ")


def test_connection_settings_and_several_nodes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "k8sidx.toml"
    path.write_text(
        'store = ["https://one:9200", "https://two:9200"]\nindex = "audit"\n'
        '[connection]\nusername = "shipper"\npassword_file = "secret"\nca_cert = "/etc/ca.pem"\n'
    )
    configuration = load_configuration([tmp_path])
    assert configuration.store == "https://one:9200,https://two:9200"
    assert configuration.index == "audit"
    assert configuration.connection.username == "shipper"
    assert configuration.connection.password_file == tmp_path / "secret"
    assert configuration.connection.ca_cert == Path("/etc/ca.pem")


@pytest.mark.parametrize(
    "text",
    [
        '[connection]\npassword = "s3cr3t"',
        '[connection]\napi_key = "s3cr3t"',
        '[connection]\ntoken = "s3cr3t"',
        '[connection]\nproxy = "http://u:s3cr3t@proxy:3128"',
        'store = "https://u:s3cr3t@search"',
    ],
)
def test_a_world_readable_secret_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k8sidx.toml"
    path.write_text(text)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="contains a secret but is world-readable") as raised:
        load_configuration([tmp_path])
    assert "chmod 600" in raised.value.remedy
    path.chmod(0o640)
    assert load_configuration([tmp_path]).source == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[connection]\npasword = "s3cr3t"', "'pasword'. Did you mean password?"),
        ('[connection]\npassword = ["s3cr3t"]', "connection.password: Input should be"),
        ('connection = "s3cr3t"', "connection: Input should be"),
        ('store = ["https://u:s3cr3t@a', "not a TOML file"),
    ],
)
def test_an_invalid_secret_is_not_repeated(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "k8sidx.toml").write_text(text)
    with pytest.raises(UsageError) as raised:
        load_configuration([tmp_path])
    assert said in str(raised.value)
    assert "s3cr3t" not in "".join(traceback.format_exception(raised.value))


PROFILES = """
store = "here"
tz = "Europe/Berlin"
[connection]
username = "base"
password_file = "base.txt"
[profile.prod]
store = "https://search:9200"
[profile.prod.connection]
api_key_file = "key.txt"
[profile.lab]
store = "lab"
"""


def test_a_profile_replaces_settings_and_a_connection_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "k8sidx.toml").write_text(PROFILES)
    prod = load_configuration([tmp_path], "prod")
    assert (prod.store, prod.tz) == ("https://search:9200", "Europe/Berlin")
    assert prod.connection.api_key_file == tmp_path / "key.txt"
    assert prod.connection.username == ""
    lab = load_configuration([tmp_path], "lab")
    assert (lab.store, lab.connection.username) == (str(tmp_path / "lab"), "base")
    assert load_configuration([tmp_path]).store == str(tmp_path / "here")


@pytest.mark.parametrize(
    ("text", "profile", "message"),
    [
        (PROFILES, "prdo", "Did you mean prod?"),
        ("", "prod", "there is no profile 'prod'"),
        ("profile = 3", "", "profiles are tables"),
        ("[profile.x]\nstoer = 'a'", "", "unknown setting 'stoer'"),
        ("[profile.x]\n[profile.x.profile.y]\n", "", "unknown setting 'profile'"),
    ],
)
def test_a_wrong_profile_is_an_error_also_when_it_is_not_used(
    tmp_path: Path, text: str, profile: str, message: str
) -> None:
    (tmp_path / "k8sidx.toml").write_text(text)
    with pytest.raises(UsageError) as raised:
        load_configuration([tmp_path], profile)
    assert message in str(raised.value)


def test_a_secret_in_any_profile_needs_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "k8sidx.toml"
    path.write_text("[profile.x.connection]\nusername = 'a'\npassword = 'b'\n")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="world-readable"):
        load_configuration([tmp_path])
    with pytest.raises(UsageError, match="there is no profile"):
        load_configuration([], "prod")
