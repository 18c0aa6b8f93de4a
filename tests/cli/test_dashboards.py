"""``k8sidx dashboards``: imports against scripted servers.

OpenSearch Dashboards and Kibana require a container engine, so their responses are scripted
after those of real servers (docs/dashboards.md).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import k8sidx
from tests.servers.scripted import Request, Script, ScriptedServer, reply

OSD = {"osd_name": "osd"}
KIBANA = {"kbn_name": "kibana"}


def frontend(version: str, named: dict[str, str], answer: bytes) -> Script:
    def script(request: Request) -> bytes:
        if request.target == "/api/status":
            return reply(200, {"name": "x", "version": {"number": version}}, **named)
        return answer

    return script


DONE = reply(200, {"success": True, "successCount": 20})


def test_an_import_sends_the_file_and_says_how_much_was_written() -> None:
    with ScriptedServer(frontend("3.1.0", OSD, DONE)) as server:
        result = k8sidx("dashboards", "import", "overview", "--url", server.url, "--overwrite")
    assert result.exit_code == 0, result.stderr
    assert "20 objects written to OpenSearch Dashboards 3.1.0" in result.stderr
    [_, sent] = server.requests
    assert (sent.method, sent.target) == ("POST", "/api/saved_objects/_import?overwrite=true")
    assert sent.headers["osd-xsrf"] == "true"
    assert b'filename="k8sidx.ndjson"' in sent.body
    shipped = Path(__file__).parents[2] / "dashboards" / "opensearch" / "overview.ndjson"
    assert shipped.read_bytes() in sent.body


def test_nothing_is_replaced_unasked() -> None:
    with ScriptedServer(frontend("3.1.0", OSD, DONE)) as server:
        k8sidx("dashboards", "import", "overview", "--url", server.url)
    assert server.requests[1].target == "/api/saved_objects/_import"


@pytest.mark.parametrize(
    ("version", "lens"), [("8.19.21", False), ("9.2.0", True)], ids=["Kibana 8", "Kibana 9"]
)
def test_kibana_gets_the_form_of_its_version(version: str, lens: bool) -> None:
    with ScriptedServer(frontend(version, KIBANA, DONE)) as server:
        result = k8sidx("dashboards", "import", "--url", server.url, "--space", "blue team")
    assert result.exit_code == 0, result.stderr
    sent = server.requests[1]
    assert sent.target == "/s/blue%20team/api/saved_objects/_import"
    assert sent.headers["kbn-xsrf"] == "true"
    assert (b"lnsDatatable" in sent.body) is lens


def test_a_tenant_is_named_in_a_header() -> None:
    with ScriptedServer(frontend("2.19.4", OSD, DONE)) as server:
        k8sidx("dashboards", "import", "--url", server.url, "--tenant", "security")
    assert server.requests[1].headers["securitytenant"] == "security"


def test_an_import_reports_the_outcome_of_each_object() -> None:
    errors = [
        {"type": "dashboard", "id": "a", "meta": {"title": "Mine"}, "error": {"type": "conflict"}},
        {
            "type": "visualization",
            "id": "b",
            "error": {
                "type": "missing_references",
                "references": [{"type": "index-pattern", "id": "p"}],
            },
        },
        {"type": "lens", "id": "c", "title": "L", "error": {"type": "unsupported_type"}},
        {"type": "search", "id": "d", "error": {"message": "mapping set to strict"}},
    ]
    answer = reply(200, {"success": False, "successCount": 1, "errors": errors})
    with ScriptedServer(frontend("3.1.0", OSD, answer)) as server:
        result = k8sidx("dashboards", "import", "--url", server.url)
    assert result.exit_code == 3
    assert "dashboard 'Mine' already exists; --overwrite replaces it." in result.stderr
    assert "visualization 'b' needs index-pattern 'p', which the server does not" in result.stderr
    assert "does not support the type lens" in result.stderr
    assert "search 'd': mapping set to strict." in result.stderr


def test_a_refused_file_is_reported_with_the_servers_reason() -> None:
    answer = reply(422, {"statusCode": 422, "message": "belongs to a more recent version"})
    with ScriptedServer(frontend("3.1.0", OSD, answer)) as server:
        result = k8sidx("dashboards", "import", "--url", server.url)
    assert result.exit_code == 3
    assert "belongs to a more recent version" in result.stderr


@pytest.mark.parametrize("status", [401, 403])
def test_missing_permissions_are_reported_with_a_remedy(status: int) -> None:
    with ScriptedServer(lambda _: reply(status, {"message": "no"})) as server:
        result = k8sidx("dashboards", "import", "--url", server.url)
    assert result.exit_code == 3
    assert "K8SIDX_USERNAME" in result.stderr


def test_credentials_of_the_environment_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8SIDX_USERNAME", "ana")
    monkeypatch.setenv("K8SIDX_PASSWORD", "pass")
    with ScriptedServer(frontend("3.1.0", OSD, DONE)) as server:
        k8sidx("dashboards", "import", "--url", server.url)
    assert all(one.headers["authorization"].startswith("Basic ") for one in server.requests)


def test_a_cluster_address_is_refused_as_a_frontend() -> None:
    with ScriptedServer(lambda _: reply(200, {"version": {"number": "3.8.0"}})) as server:
        result = k8sidx("dashboards", "import", "--url", server.url)
    assert result.exit_code == 3
    assert "neither OpenSearch Dashboards nor Kibana" in result.stderr


def test_a_flavor_of_the_other_product_is_refused() -> None:
    with ScriptedServer(frontend("9.2.0", KIBANA, DONE)) as server:
        result = k8sidx("dashboards", "import", "--url", server.url, "--flavor", "opensearch")
    assert result.exit_code == 2
    assert len(server.requests) == 1


def test_a_dry_run_prints_the_request_and_sends_nothing() -> None:
    result = k8sidx("dashboards", "import", "overview", "--dry-run", "--overwrite")
    assert result.exit_code == 0
    assert result.stdout.startswith("POST /api/saved_objects/_import?overwrite=true\n")
    assert '"type":"dashboard"' in result.stdout


def test_an_export_refuses_file_names_that_imports_refuse(tmp_path: Path) -> None:
    result = k8sidx("dashboards", "export", "-o", str(tmp_path / "file.json"))
    assert result.exit_code == 2
    assert ".ndjson" in result.stderr


def test_an_unknown_dashboard_is_an_error_that_lists_the_known_ones() -> None:
    result = k8sidx("dashboards", "export", "nothing")
    assert result.exit_code == 2
    assert "There are: overview, article" in result.stderr


def test_a_checked_file_with_a_problem_ends_with_2(tmp_path: Path) -> None:
    file = tmp_path / "bad.ndjson"
    file.write_text('{"type": "visualization", "id": "a", "attributes": {}}\n')
    result = k8sidx("dashboards", "check", str(file), "-o", "csv")
    assert result.exit_code == 2
    assert "no visState" in result.stdout
