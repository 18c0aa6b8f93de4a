"""``k8sidx dashboards import`` and ``remove`` with a server that keeps objects."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from tests.cli.conftest import k8sidx
from tests.servers.saved_objects import SavedObjectsServer
from tests.servers.scripted import ScriptedServer, reply

USER = ("ana", "secret")
COMMANDS = ["import", "remove"]


def dashboards(command: str, server: SavedObjectsServer, *more: str) -> tuple[int, str]:
    result = k8sidx("dashboards", command, "--url", server.url, *more)
    return result.exit_code, result.stdout + result.stderr


@pytest.fixture
def kibana() -> Iterator[SavedObjectsServer]:
    with SavedObjectsServer("kibana", "9.2.0", spaces=("blue", "red team")) as server:
        yield server


@pytest.fixture
def guarded() -> Iterator[SavedObjectsServer]:
    with SavedObjectsServer("kibana", "8.19.0", user=USER) as server:
        yield server


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("product", ["kibana", "opensearch"])
def test_missing_credentials_are_named_as_such(command: str, product: str) -> None:
    with SavedObjectsServer(product, "9.2.0", user=USER) as server:
        code, text = dashboards(command, server)
    assert code == 3
    assert "credentials" in text
    assert "K8SIDX_USERNAME" in text
    assert "neither" not in text


def test_a_login_page_means_missing_credentials() -> None:
    login = reply(302, b"", location="/login?next=%2Fapi%2Fstatus")
    with ScriptedServer(lambda _: login) as server:
        result = k8sidx("dashboards", "import", "--url", server.url)
    assert result.exit_code == 3
    assert "credentials" in result.stderr


def test_a_base_path_that_is_missing_is_named() -> None:
    with ScriptedServer(lambda _: reply(302, b"", location="/kibana/")) as server:
        result = k8sidx("dashboards", "import", "--url", server.url)
    assert result.exit_code == 3
    assert "redirects to /kibana/" in result.stderr
    assert "base path" in result.stderr


def test_a_named_flavor_stands_in_for_a_hidden_version(guarded: SavedObjectsServer) -> None:
    """The status is hidden; the import itself asks for credentials."""
    code, text = dashboards("import", guarded, "--flavor", "kibana-8")
    assert (code, "refused the credentials (401)" in text) == (3, True)


def test_credentials_open_the_server(
    guarded: SavedObjectsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8SIDX_USERNAME", USER[0])
    monkeypatch.setenv("K8SIDX_PASSWORD", USER[1])
    code, text = dashboards("import", guarded)
    assert (code, "written to Kibana 8.19.0" in text) == (0, True), text


def pattern_in(server: SavedObjectsServer, space: str) -> tuple[str, str]:
    """Return the id of the events' pattern of a space, and the address behind a finding."""
    objects = server.stored[space]
    [events] = [
        obj for obj in objects.values()
        if obj["type"] == "index-pattern" and obj["attributes"]["title"] == "k8s-audit-*"
    ]  # fmt: skip
    [findings] = [
        obj for obj in objects.values()
        if obj["type"] == "index-pattern" and obj["attributes"]["title"].startswith("findings-")
    ]  # fmt: skip
    formats = orjson.loads(findings["attributes"]["fieldFormatMap"])
    return events["id"], formats["finding.query"]["params"]["urlTemplate"]


def test_links_work_in_every_space(kibana: SavedObjectsServer) -> None:
    for options, space in ((), "default"), (("--space", "blue"), "blue"):
        code, text = dashboards("import", kibana, *options)
        assert code == 0, text
        identifier, address = pattern_in(kibana, space)
        assert f"index:'{identifier}'" in address
    first, second = (pattern_in(kibana, space)[0] for space in ("default", "blue"))
    assert first != second


def test_another_import_into_a_second_space_replaces_the_same_objects(
    kibana: SavedObjectsServer,
) -> None:
    dashboards("import", kibana)
    dashboards("import", kibana, "--space", "blue")
    before = pattern_in(kibana, "blue")
    code, text = dashboards("import", kibana, "--space", "blue", "--overwrite")
    assert code == 0, text
    assert pattern_in(kibana, "blue") == before
    assert len(kibana.stored["blue"]) == len(kibana.stored["default"])


def test_a_base_path_and_a_space_are_part_of_the_address() -> None:
    with SavedObjectsServer("kibana", "9.2.0", base="/kibana", spaces=("red team",)) as server:
        code, text = dashboards("import", server, "overview", "--space", "red team")
    assert code == 0, text
    assert set(server.stored) == {"red team"}


def test_a_tenant_has_objects_of_its_own() -> None:
    with SavedObjectsServer("opensearch", "3.1.0") as server:
        dashboards("import", server, "overview", "--tenant", "security")
        assert set(server.stored) == {"security"}
        code, text = dashboards("remove", server, "--tenant", "security", "--yes")
    assert (code, server.stored["security"]) == (0, {}), text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_of_the_other_product_is_refused(command: str) -> None:
    with SavedObjectsServer("opensearch", "3.1.0") as server:
        code, text = dashboards(command, server, "--space", "blue")
    assert (code, "has no spaces" in text) == (2, True)
    with SavedObjectsServer("kibana", "9.2.0") as server:
        code, text = dashboards(command, server, "--tenant", "blue")
    assert (code, "has no tenants" in text) == (2, True)


def test_an_unknown_space_is_reported(kibana: SavedObjectsServer) -> None:
    code, text = dashboards("import", kibana, "--space", "nobody")
    assert (code, "--space" in text) == (2, True)


def test_removed_dashboards_leave_nothing_of_k8sidx_and_everything_else(
    kibana: SavedObjectsServer,
) -> None:
    dashboards("import", kibana)
    dashboards("import", kibana, "--index", "prod")
    others = {key for key in kibana.stored["default"] if "prod" in key[1]}
    code, text = dashboards("remove", kibana, "--yes")
    assert code == 0, text
    assert set(kibana.stored["default"]) == others
    assert len(others) > 10


def test_a_removed_dashboard_leaves_what_others_use(kibana: SavedObjectsServer) -> None:
    dashboards("import", kibana, "overview", "denied")
    code, text = dashboards("remove", kibana, "denied", "--yes")
    assert code == 0, text
    left = {identifier for _, identifier in kibana.stored["default"]}
    assert {"k8sidx-overview", "k8sidx-events-pattern", "k8sidx-panel-events"} <= left
    assert "k8sidx-denied" not in left
    assert "kept, which other dashboards" in text


def test_objects_that_have_other_ids_in_a_second_space_are_removed(
    kibana: SavedObjectsServer,
) -> None:
    dashboards("import", kibana)
    dashboards("import", kibana, "--space", "blue")
    code, text = dashboards("remove", kibana, "--space", "blue", "--yes")
    assert (code, kibana.stored["blue"]) == (0, {}), text
    assert kibana.stored["default"]


def test_a_panel_of_an_older_version_is_removed_too() -> None:
    with SavedObjectsServer("opensearch", "2.19.4") as server:
        dashboards("import", server)
        old = {"type": "visualization", "id": "k8sidx-panel-old", "attributes": {"title": "Old"}}
        server.stored["private"]["visualization", "k8sidx-panel-old"] = old
        code, text = dashboards("remove", server, "--yes")
    assert (code, server.stored["private"]) == (0, {}), text


def test_nothing_is_removed_unasked(kibana: SavedObjectsServer) -> None:
    dashboards("import", kibana, "overview")
    before = dict(kibana.stored["default"])
    code, text = dashboards("remove", kibana, "overview")
    assert (code, "--yes" in text) == (2, True)
    code, text = dashboards("remove", kibana, "overview", "--dry-run")
    assert (code, "dashboard,k8sidx-overview" in text) == (0, True)
    assert kibana.stored["default"] == before
