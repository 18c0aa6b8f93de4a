"""Keys of ConfigMaps that hold credentials are told, their values are not kept."""

from __future__ import annotations

import pytest

from tests.building import event, row


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ({"app.properties": "user = x\npassword = hunter2\n"}, ["app.properties"]),
        ({"a.json": '{"password": "hunter2"}'}, ["a.json"]),
        ({"a.yml": "db:\n  passphrase: hunter2\n"}, ["a.yml"]),
        ({"spring": "spring.datasource.password=hunter2"}, ["spring"]),
        ({"aws": "aws_access_key_id = AKIAEXAMPLE"}, ["aws"]),
        ({"DB_PASSWORD": "hunter2", "DB_HOST": "db"}, ["DB_PASSWORD"]),
        ({"key.pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIE"}, ["key.pem"]),
        ({"a": "password = ${DB_PASSWORD}"}, None),
        ({"a": "password: {{ .Values.password }}"}, None),
        ({"a": 'password = ""'}, None),
        ({"a": "password: null"}, None),
        ({"a": "password_encryption = scram-sha-256"}, None),
        ({"a": "ask for the password"}, None),
        ({"DB_PASSWORD": ""}, None),
        ({"a": 7}, None),
        ("password=hunter2", None),
    ],
)
def test_keys_whose_values_look_like_credentials(data: object, keys: list[str] | None) -> None:
    stored = row(event("create", "configmaps", requestObject={"data": data}))
    assert stored.get("configmap.credentials") == keys
    assert "hunter2" not in str(stored.get("configmap.credentials"))


def test_values_that_would_be_slow_to_search_are_searched_in_time() -> None:
    hostile = "password" * 8_000 + " " * 60_000
    stored = row(event("create", "configmaps", requestObject={"data": {"a": hostile}}))
    assert "configmap.credentials" not in stored
