"""What users may do on secured servers: the least that shipping needs, and what is said."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner, Result

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.connection import ConnectionSettings, checked
from k8sidx.cli import app
from tests.building import event, write_log
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.servers.secured import Secured
from tests.shipping.clusters import shipped

PASSWORD = f"Gh7-{secrets.token_urlsafe(12)}"

LOOKING = {"opensearch": ["cluster:monitor/main"], "elasticsearch": ["monitor"]}
SHIPPING_CLUSTER = {
    "opensearch": ["cluster:monitor/main", "indices:data/write/bulk"],
    "elasticsearch": ["monitor"],
}
SHIPPING = {
    "opensearch": [
        "indices:admin/get",
        "indices:admin/create",
        "indices:data/write/bulk*",
        "indices:data/write/index",
    ],
    "elasticsearch": ["view_index_metadata", "create_index", "create"],
}
"""docs/clusters.md names these."""


class Place(NamedTuple):
    """A secured server, and an index prefix on it."""

    server: Secured
    prefix: str

    def user(
        self, name: str, cluster: Sequence[str], indices: Mapping[str, Sequence[str]]
    ) -> ConnectionSettings:
        self.server.add_user(name, PASSWORD, cluster=cluster, indices=indices)
        return checked({"username": name, "password": PASSWORD, "ca_cert": self.server.ca})

    def administrator(self) -> Cluster:
        return open_cluster(self.server.url, _administrator(self))

    def run(self, settings: ConnectionSettings, *arguments: str) -> Result:
        assert settings.password is not None
        environment = {
            "K8SIDX_USERNAME": settings.username,
            "K8SIDX_PASSWORD": settings.password.get_secret_value(),
            "K8SIDX_STORE": self.server.url,
            "K8SIDX_INDEX": self.prefix,
        }
        command = [*arguments, "--ca-cert", str(self.server.ca)]
        return CliRunner().invoke(app, command, env=environment)


@pytest.fixture(params=["secured_opensearch", "secured_elasticsearch"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    made = Place(request.getfixturevalue(request.param), unique_prefix())
    yield made
    cluster = made.administrator()
    remove_all(cluster, made.prefix)
    cluster.close()


def test_setup_says_which_permission_is_missing(place: Place) -> None:
    product = place.server.product
    indices = (f"{place.prefix}-*", f"findings-{place.prefix}*")  # setup looks at both
    settings = place.user("looker", LOOKING[product], dict.fromkeys(indices, SHIPPING[product]))
    refused = place.run(settings, "setup")
    assert refused.exit_code == 3
    missing = {"opensearch": "indices:admin/index_template/", "elasticsearch": "manage_index_temp"}
    assert missing[product] in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_shipper_needs_no_more_than_the_documented_role(place: Place, tmp_path: Path) -> None:
    product = place.server.product
    settings = place.user(
        "shipper", SHIPPING_CLUSTER[product], {f"{place.prefix}-*": SHIPPING[product]}
    )
    assert place.run(_administrator(place), "setup").exit_code == 0
    log = write_log(tmp_path / "a.log", [event(name=f"n{n}", seconds=n) for n in range(5)])
    first = shipped(place.server.url, place.prefix, log, folder=tmp_path, settings=settings)
    again = shipped(place.server.url, place.prefix, log, folder=tmp_path, settings=settings)
    assert (first.indexed, first.rejected, again.duplicates) == (5, 0, 5)


def test_a_shipper_without_a_template_says_what_to_do(place: Place, tmp_path: Path) -> None:
    product = place.server.product
    settings = place.user(
        "early", SHIPPING_CLUSTER[product], {f"{place.prefix}-*": SHIPPING[product]}
    )
    log = write_log(tmp_path / "a.log", [event()])
    refused = place.run(settings, "ship", str(log), "--dead-letter", str(tmp_path / "dead.jsonl"))
    assert refused.exit_code == 3
    assert "k8sidx setup" in refused.stderr
    cluster = place.administrator()
    for one in cluster.request("GET", f"/{place.prefix}-*/_mapping").json().values():
        assert one["mappings"]["dynamic"] == "false", "nothing is guessed"
    cluster.close()
    assert place.run(_administrator(place), "setup").exit_code == 0
    assert place.run(settings, "ship", str(log)).exit_code == 0


def _administrator(place: Place) -> ConnectionSettings:
    given: dict[str, Any] = {"username": place.server.user, "password": place.server.password}
    return checked({**given, "ca_cert": place.server.ca})
