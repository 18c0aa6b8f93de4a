"""Imports saved objects into OpenSearch Dashboards or Kibana, and says in plain words what
became of each object."""

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
    """What answers at an address.

    :param product: ``OpenSearch Dashboards`` or ``Kibana``.
    :param version: such as ``(2, 19, 4)``.
    """

    product: str
    version: tuple[int, ...]

    @property
    def flavor(self) -> Flavor:
        """The files that it takes."""
        if self.product != "Kibana":
            return "opensearch"
        return "kibana" if self.version[0] >= _LENS_SINCE else "kibana-8"

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.version))}"


@dataclass(frozen=True, slots=True)
class Request:
    """The import, as it is sent.

    :param path: with the query, without the address.
    """

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import.

    :param count: objects that were written.
    :param problems: a sentence for each object that was not.
    """

    count: int
    problems: tuple[str, ...]


def recognize(server: Cluster) -> Frontend:
    """Ask the address what it is.

    :raises StoreError: when it is neither, or refuses us.
    """
    answer = server.request("GET", STATUS)
    _refuse(answer, server)
    product = "OpenSearch Dashboards" if "osd-name" in answer.headers else ""
    if "kbn-name" in answer.headers:
        product = "Kibana"
    said = _said(answer)
    number = str(said.get("version", {}).get("number", ""))
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
    """The request that imports a file.

    :param space: Kibana's space; the default one without.
    :param tenant: tenant of OpenSearch Dashboards' security; the user's own without.
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


def send_import(server: Cluster, request: Request) -> Imported:
    """Import, and read what the server says of each object.

    :raises StoreError: when the server refuses the file as a whole.
    """
    answer = server.request("POST", request.path, body=request.body, headers=request.headers)
    _refuse(answer, server)
    said = _said(answer)
    errors = said.get("errors") or []
    problems = tuple(_sentence(one) for one in errors if isinstance(one, dict))
    return Imported(int(said.get("successCount", 0)), problems)


def _refuse(answer: Answer, server: Cluster) -> None:
    if answer.status < 400:
        return
    message = str(_said(answer).get("message") or "").strip()
    told = f": {message}" if message else ""
    if answer.status in (401, 403):
        raise StoreError(
            f"{server.url} refuses us ({answer.status}){told}.",
            remedy="Give credentials that may write saved objects: K8SIDX_USERNAME and "
            "K8SIDX_PASSWORD, or --api-key-file.",
        )
    if answer.status == 404:
        raise UsageError(
            f"{server.url} has no such page ({answer.status}){told}.",
            remedy="Check the address, its base path, and --space.",
        )
    raise StoreError(f"{server.url} refuses the request ({answer.status}){told}.")


def _said(answer: Answer) -> dict[str, Any]:
    try:
        said = answer.json()
    except StoreError:
        return {}
    return said if isinstance(said, dict) else {}


def _sentence(one: dict[str, Any]) -> str:
    """What went wrong with one object."""
    error = one.get("error") or {}
    title = one.get("title") or (one.get("meta") or {}).get("title") or one.get("id")
    subject = f"{one.get('type')} {title!r}"
    match error.get("type"):
        case "conflict" | "ambiguous_conflict":
            return f"{subject} is there already; --overwrite replaces it."
        case "missing_references":
            names = ", ".join(
                f"{reference.get('type')} {reference.get('id')!r}"
                for reference in error.get("references", [])
            )
            return f"{subject} needs {names}, which the server does not have."
        case "unsupported_type":
            return f"{subject}: the server does not know objects of the type {one.get('type')}."
        case _:
            return f"{subject}: {error.get('message') or error.get('type') or 'refused'}."
