"""Client for the saved objects import of OpenSearch Dashboards and Kibana."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from k8sidx.backends.cluster.http.client import Answer, Cluster
from k8sidx.errors import StoreError, UsageError
from k8sidx.show.savedobjects.common import Flavor

STATUS = "/api/status"
_IMPORT = "/api/saved_objects/_import"
_LENS_SINCE = 9


@dataclass(frozen=True, slots=True)
class Frontend:
    """Product and version at an address.

    :param product: ``OpenSearch Dashboards`` or ``Kibana``.
    :param version: for example ``(2, 19, 4)``.
    """

    product: str
    version: tuple[int, ...]

    @property
    def flavor(self) -> Flavor:
        """Flavor of the files that it accepts."""
        if self.product != "Kibana":
            return "opensearch"
        return "kibana" if self.version[0] >= _LENS_SINCE else "kibana-8"

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.version))}"


@dataclass(frozen=True, slots=True)
class Request:
    """Import request.

    :param path: with the query, without the address.
    """

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Outcome of an import.

    :param count: objects that were written.
    :param problems: a sentence for each object that was not.
    """

    count: int
    problems: tuple[str, ...]


def recognize(server: Cluster) -> Frontend:
    """Request the product and the version of the server.

    :raises StoreError: when it is neither product, or refuses the request.
    """
    answer = server.request("GET", STATUS)
    _refuse(answer, server)
    product = "OpenSearch Dashboards" if "osd-name" in answer.headers else ""
    if "kbn-name" in answer.headers:
        product = "Kibana"
    status = _json_object(answer)
    number = str(status.get("version", {}).get("number", ""))
    parts = tuple(int(part) for part in number.split("-")[0].split(".") if part.isdigit())
    if not product or not parts:
        raise StoreError(
            f"{server.url} is neither OpenSearch Dashboards nor Kibana.",
            remedy="Give --url the address that you open in a browser, often with port 5601.",
        )
    return Frontend(product, parts)


def import_request(
    content: bytes, *, overwrite: bool, space: str = "", tenant: str = ""
) -> Request:
    """Return the request that imports a file.

    :param space: Kibana's space; empty for the default one.
    :param tenant: tenant of OpenSearch Dashboards' security plugin; empty for the user's own.
    """
    boundary = f"k8sidx-{secrets.token_hex(12)}"
    disposition = 'Content-Disposition: form-data; name="file"; filename="k8sidx.ndjson"'
    head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/ndjson\r\n\r\n"
    headers = {
        "content-type": f"multipart/form-data; boundary={boundary}",
        "osd-xsrf": "true",
        "kbn-xsrf": "true",
    }
    if tenant:
        headers["securitytenant"] = tenant
    prefix = f"/s/{quote(space, safe='')}" if space else ""
    query = f"?{urlencode({'overwrite': 'true'})}" if overwrite else ""
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return Request(f"{prefix}{_IMPORT}{query}", headers, body)


def send_import(server: Cluster, request: Request) -> ImportResult:
    """Import a file and return the outcome of each object.

    :raises StoreError: when the server refuses the file as a whole.
    """
    answer = server.request("POST", request.path, body=request.body, headers=request.headers)
    _refuse(answer, server)
    summary = _json_object(answer)
    errors = summary.get("errors") or []
    problems = tuple(_sentence(error) for error in errors if isinstance(error, dict))
    return ImportResult(int(summary.get("successCount", 0)), problems)


def _refuse(answer: Answer, server: Cluster) -> None:
    if answer.status < 400:
        return
    message = str(_json_object(answer).get("message") or "").strip()
    reason = f": {message}" if message else ""
    if answer.status in (401, 403):
        raise StoreError(
            f"{server.url} refused the credentials ({answer.status}){reason}.",
            remedy="Give credentials with write access to saved objects: K8SIDX_USERNAME and "
            "K8SIDX_PASSWORD, or --api-key-file.",
        )
    if answer.status == 404:
        raise UsageError(
            f"{server.url} has no such page ({answer.status}){reason}.",
            remedy="Check the address, its base path, and --space.",
        )
    raise StoreError(f"{server.url} refused the request ({answer.status}){reason}.")


def _json_object(answer: Answer) -> dict[str, Any]:
    try:
        body = answer.json()
    except StoreError:
        return {}
    return body if isinstance(body, dict) else {}


def _sentence(entry: dict[str, Any]) -> str:
    """Return the error of one object as a sentence."""
    error = entry.get("error") or {}
    title = entry.get("title") or (entry.get("meta") or {}).get("title") or entry.get("id")
    subject = f"{entry.get('type')} {title!r}"
    match error.get("type"):
        case "conflict" | "ambiguous_conflict":
            return f"{subject} already exists; --overwrite replaces it."
        case "missing_references":
            names = ", ".join(
                f"{reference.get('type')} {reference.get('id')!r}"
                for reference in error.get("references", [])
            )
            return f"{subject} needs {names}, which the server does not have."
        case "unsupported_type":
            return f"{subject}: the server does not support the type {entry.get('type')}."
        case _:
            return f"{subject}: {error.get('message') or error.get('type') or 'refused'}."
