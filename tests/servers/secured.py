"""Servers with TLS, users and roles."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import ssl
import subprocess
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import urllib3
import yaml

from tests.servers.artifacts import SECURITY_PLUGIN
from tests.servers.certificates import write_certificates
from tests.servers.node import Node
from tests.servers.start import VERSIONS, java_for, make_node

OPENSEARCH_VERSION = "2.19.4"
"""The newest version whose security plugin is published as an artifact."""

_OPENSEARCH = {
    "plugins.security.ssl.transport.pemcert_filepath": "node.pem",
    "plugins.security.ssl.transport.pemkey_filepath": "node-key.pem",
    "plugins.security.ssl.transport.pemtrustedcas_filepath": "ca.pem",
    "plugins.security.ssl.transport.enforce_hostname_verification": "false",
    "plugins.security.ssl.http.enabled": "true",
    "plugins.security.ssl.http.pemcert_filepath": "node.pem",
    "plugins.security.ssl.http.pemkey_filepath": "node-key.pem",
    "plugins.security.ssl.http.pemtrustedcas_filepath": "ca.pem",
    "plugins.security.ssl.http.clientauth_mode": "OPTIONAL",
    "plugins.security.nodes_dn": "['CN=node,O=test']",
    "plugins.security.authcz.admin_dn": "['CN=admin,O=test']",
    "plugins.security.allow_default_init_securityindex": "true",
    "plugins.security.restapi.roles_enabled": "['all_access']",
}
_ELASTICSEARCH = {
    "xpack.security.enabled": "true",
    "xpack.security.http.ssl.enabled": "true",
    "xpack.security.http.ssl.key": "node-key.pem",
    "xpack.security.http.ssl.certificate": "node.pem",
    "xpack.security.http.ssl.certificate_authorities": "ca.pem",
    "xpack.security.http.ssl.client_authentication": "optional",
    "xpack.security.transport.ssl.enabled": "false",
    "resource.reload.interval.high": "200ms",
}


@dataclass(slots=True)
class Secured:
    """A running server with TLS.

    :ivar url: its ``https`` address.
    :ivar ca: the authority that signed its certificate.
    :ivar user: of the administrator.
    :ivar client: a certificate and its key that the server accepts (OpenSearch: as
        administrator; Elasticsearch: the connection, not a user).
    """

    node: Node
    product: str
    user: str
    password: str

    @property
    def url(self) -> str:
        return self.node.url

    @property
    def ca(self) -> Path:
        return self.node.folder / "config" / "ca.pem"

    @property
    def client(self) -> tuple[Path, Path]:
        config = self.node.folder / "config"
        return config / "admin.pem", config / "admin-key.pem"

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A request as the administrator; the answer must be a success.

        :return: the decoded answer.
        """
        context = ssl.create_default_context(cafile=str(self.ca))
        headers = urllib3.make_headers(basic_auth=f"{self.user}:{self.password}")
        headers["content-type"] = "application/json"
        with urllib3.PoolManager(ssl_context=context) as pool:
            answer = pool.request(
                method, self.url + path, body=orjson.dumps(body) if body else None, headers=headers
            )
        assert answer.status < 300, (method, path, answer.data)
        return orjson.loads(answer.data)

    def add_user(
        self,
        name: str,
        password: str,
        *,
        cluster: Sequence[str] = (),
        indices: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Make a user with one role of the same name.

        :param cluster: permissions (OpenSearch) or privileges (Elasticsearch) on the cluster.
        :param indices: by index pattern, what is allowed on those indices.
        """
        granted = list((indices or {}).items())
        if self.product == "opensearch":
            allowed = [
                {"index_patterns": [on], "allowed_actions": list(may)} for on, may in granted
            ]
            role = {"cluster_permissions": list(cluster), "index_permissions": allowed}
            api = "/_plugins/_security/api"
            self.request("PUT", f"{api}/roles/{name}", role)
            user = {"password": password, "opendistro_security_roles": [name]}
            self.request("PUT", f"{api}/internalusers/{name}", user)
        else:
            self._add_to_files(name, password, cluster, granted)

    def add_service_token(self, account: str) -> str:
        """A bearer token for one of Elasticsearch's service accounts, by its file of tokens."""
        name, secret = f"{account}/k8sidx", secrets.token_urlsafe(16)
        config = self.node.folder / "config"
        with (config / "service_tokens").open("a", encoding="utf-8") as tokens:
            tokens.write(_hashed(name, secret) + "\n")
        return b64encode(b"\x00\x01\x00\x01" + f"{name}:{secret}".encode()).decode()

    def _add_to_files(
        self, name: str, password: str, cluster: Sequence[str], granted: list[Any]
    ) -> None:
        """A user of Elasticsearch's file realm; the API for users needs a module that this
        distribution lacks. The server reads changed files again by itself."""
        config = self.node.folder / "config"
        may_on = [{"names": [on], "privileges": list(may)} for on, may in granted]
        roles = yaml.safe_load((config / "roles.yml").read_text("utf-8")) or {}
        roles[name] = {"cluster": list(cluster), "indices": may_on}
        (config / "roles.yml").write_text(yaml.safe_dump(roles), "utf-8")
        for file, line in (("users_roles", f"{name}:{name}"), ("users", _hashed(name, password))):
            # Of a name that is there already the new line counts, as in OpenSearch.
            there = (config / file).read_text("utf-8") if (config / file).exists() else ""
            others = [one for one in there.splitlines() if not one.startswith(f"{name}:")]
            (config / file).write_text("\n".join([*others, line, ""]), "utf-8")
        for _ in range(100):
            if self._lets_in(name, password):
                return
            time.sleep(0.1)
        raise AssertionError(f"Elasticsearch did not take the user {name}")

    def _lets_in(self, name: str, password: str) -> bool:
        context = ssl.create_default_context(cafile=str(self.ca))
        headers = urllib3.make_headers(basic_auth=f"{name}:{password}")
        with urllib3.PoolManager(ssl_context=context) as pool:
            answer = pool.request("GET", f"{self.url}/_security/_authenticate", headers=headers)
        return answer.status == 200 and orjson.loads(answer.data)["roles"] == [name]


def _hashed(name: str, password: str) -> str:
    """A line of a file of users or tokens, with the secret as Elasticsearch hashes it."""
    salt = secrets.token_bytes(32)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 10000, 32)
    return f"{name}:{{PBKDF2}}10000${b64encode(salt).decode()}${b64encode(digest).decode()}"


def start_secured_opensearch() -> Secured:
    """OpenSearch with the security plugin. End it with ``node.stop()``.

    :raises CannotStart: when it cannot be had on this machine.
    :raises NotStarted: when it does not come up.
    """
    plugin = f"{SECURITY_PLUGIN}:{OPENSEARCH_VERSION}.0"
    node = make_node("opensearch", OPENSEARCH_VERSION, _OPENSEARCH, plugins=(plugin,))
    config = node.folder / "config"
    write_certificates(config)
    shipped = node.home / "plugins" / "opensearch-security" / "config"
    shutil.copytree(shipped, config / "opensearch-security", dirs_exist_ok=True)
    return _started(node, "opensearch", "admin", "admin")  # the plugin's own demo account


def start_secured_elasticsearch() -> Secured:
    """Elasticsearch with TLS and security. End it with ``node.stop()``.

    :raises CannotStart: when it cannot be had on this machine.
    :raises NotStarted: when it does not come up.
    """
    version = VERSIONS["elasticsearch"]
    node = make_node("elasticsearch", version, _ELASTICSEARCH)
    write_certificates(node.folder / "config")
    password = secrets.token_urlsafe(12)
    _set_bootstrap_password(node, java_for("elasticsearch", version).home, password)
    return _started(node, "elasticsearch", "elastic", password)


def _started(node: Node, product: str, user: str, password: str) -> Secured:
    node.url = node.url.replace("http:", "https:")
    node.user, node.ca = f"{user}:{password}", node.folder / "config" / "ca.pem"
    node.start()
    return Secured(node, product, user, password)


def _set_bootstrap_password(node: Node, java: Path, password: str) -> None:
    environment = {
        **os.environ,
        "ES_JAVA_HOME": str(java),
        "ES_PATH_CONF": str(node.folder / "config"),
        "CLI_JAVA_OPTS": "-Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    }
    tool = str(node.home / "bin" / "elasticsearch-keystore")
    for arguments, given in (
        (["create"], ""),
        (["add", "-x", "-f", "bootstrap.password"], password),
    ):
        subprocess.run(
            [tool, *arguments],
            input=given.encode(),
            env=environment,
            check=True,
            capture_output=True,
        )
