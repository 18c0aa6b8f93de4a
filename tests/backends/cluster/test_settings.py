"""Settings of a connection: what goes before what, and no secret in what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.backends.connection import checked, from_environment, merged
from k8sidx.errors import UsageError


def test_the_environment_names_every_setting() -> None:
    environment = {"K8SIDX_USERNAME": "u", "K8SIDX_CA_CERT": "/ca.pem", "K8SIDX_READ_TIMEOUT": "5"}
    settings = checked(from_environment({**environment, "K8SIDX_TOKEN": "", "HOME": "/"}))
    assert (settings.username, settings.ca_cert) == ("u", Path("/ca.pem"))
    assert (settings.read_timeout, settings.token) == (5.0, None)


def test_what_comes_first_goes_first_and_the_rest_is_kept() -> None:
    settings = merged(
        [
            ("the environment", {"password": "mine"}),
            ("k8sidx.toml", {"username": "u", "password": "other", "read_timeout": 7}),
        ]
    )
    assert settings.password is not None
    assert (settings.username, settings.password.get_secret_value()) == ("u", "mine")
    assert settings.read_timeout == 7


def test_another_way_to_say_who_one_is_replaces_the_later_ones() -> None:
    settings = merged(
        [
            ("the command line", {"api_key_file": Path("/key")}),
            ("the environment", {"username": "u", "password": "p"}),
            ("k8sidx.toml", {"aws_service": "es", "ca_cert": "/ca"}),
        ]
    )
    assert settings.api_key_file == Path("/key")
    assert (settings.username, settings.password, settings.api_key) == ("", None, None)
    assert (settings.aws_service, settings.ca_cert) == ("", Path("/ca"))


def test_a_value_and_its_file_replace_each_other() -> None:
    settings = merged([("a", {"password_file": "/p"}), ("b", {"username": "u", "password": "x"})])
    assert (settings.password, settings.password_file) == (None, Path("/p"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"username": "u", "api_key": "s3cr3t"}, "several kinds of credentials: username, api_key"),
        ({"password": "s3cr3t", "password_file": "/f"}, "both password and password_file"),
        ({"read_timeout": "s3cr3t"}, "read_timeout: Input should be a valid number"),
        ({"read_timeout": 0}, "read_timeout: Input should be greater than 0"),
        ({"aws_service": "s3cr3t"}, "aws_service: Input should be"),
    ],
)
def test_what_is_wrong_is_named_not_shown(settings: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        merged([("k8sidx.toml", settings)])
    assert said in str(raised.value)
    assert "s3cr3t" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_secrets_are_not_in_a_settings_repr() -> None:
    settings = checked({"password": "s3cr3t", "proxy": "http://u:s3cr3t@proxy"})
    assert "s3cr3t" not in f"{settings!r}{settings}"
