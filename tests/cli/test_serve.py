"""Options of ``k8sidx serve``, and the files that it prints for the API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from k8sidx.cli import app
from k8sidx.events.audit_policy import parse_policy
from k8sidx.generate.attacks import NOT_IN_ONE_LOG
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.policy.blind import sights

HIDDEN_BEFORE = {"events_deleted", "source_silent", "configmap_private_credentials"}
"""Hunts that a policy of its own blinded."""


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["serve", *map(str, arguments)])


def test_token_file_is_refused_over_plain_http_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    result = run("--token-file", tmp_path / "token", "--store", tmp_path / "store")
    assert result.exit_code == 2
    assert "over plain http the API server leaves its token out" in result.stderr
    assert not (tmp_path / "store").exists()


def test_empty_token_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    result = run("--token-file", tmp_path / "token", "--tls-cert", tmp_path / "tls.crt")
    assert result.exit_code == 2
    assert "is empty" in result.stderr


def test_address_that_cannot_be_listened_on_is_refused(tmp_path: Path) -> None:
    for address in ("8443", "host:port", "192.0.2.1:1", "127.0.0.1:99999"):
        result = run("--listen", address, "--store", tmp_path / "store")
        assert result.exit_code == 2, result.output
        assert address in result.stderr


def test_kubeconfig_is_what_the_api_server_reads() -> None:
    result = run(
        "--listen", "audit.example.com:8443", "--tls-cert", "tls.crt", "--client-ca", "ca.crt",
        "--token-file", "token", "--cluster", "team a", "--print-kubeconfig",
    )  # fmt: skip
    assert result.exit_code == 0
    content = yaml.safe_load(result.stdout)
    cluster = content["clusters"][0]["cluster"]
    assert cluster["server"] == "https://audit.example.com:8443/cluster/team%20a"
    assert cluster["certificate-authority"]
    assert set(content["users"][0]["user"]) == {"client-certificate", "client-key", "tokenFile"}
    assert content["contexts"][0]["name"] == content["current-context"]


def test_policy_is_that_of_policy_print_which_blinds_no_hunt_that_one_log_can_show() -> None:
    printed = run("--print-policy")
    assert printed.exit_code == 0
    assert printed.stdout == CliRunner().invoke(app, ["policy", "print"]).stdout
    policy = parse_policy(printed.stdout)
    seen = {sight.hunt.id: sight.verdict for sight in sights(policy, load_library())}
    assert {hunt for hunt, verdict in seen.items() if verdict != "sees"} <= NOT_IN_ONE_LOG
    assert {seen[hunt] for hunt in HIDDEN_BEFORE} == {"sees"}
