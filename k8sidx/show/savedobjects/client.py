"""Client for the saved objects import of OpenSearch Dashboards and Kibana."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from k8sidx.backends.cluster.http.client import Answer, Cluster
from k8sidx.errors import StoreError, UsageError
from k8sidx.show.savedobjects.new_ids import with_new_ids
from k8sidx.show.savedobjects.search_source import Flavor

STATUS = "/api/status"
_IMPORT = "/api/saved_objects/_import"
_LENS_SINCE = 9
_REFUSED = (401, 403)


@dataclass(frozen=True, slots=True)
class Frontend:
    """Product and version at an address.

    :param product: ``OpenSearch Dashboards`` or ``Kibana``.
    :param version: for example ``(2, 19, 4)``; empty when it is not told.
    :param flavor: of the files that it accepts.
    """

    product: str
    version: tuple[int, ...]
    flavor: Flavor

    def __str__(self) -> str:
        return " ".join([self.product, ".".join(map(str, self.version))]).strip()


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The space or tenant that contains the objects.

    :param space: Kibana's space; empty for the default one.
    :param tenant: tenant of OpenSearch Dashboards' security plugin; empty for the user's own.
    """

    space: str = ""
    tenant: str = ""

    @property
    def prefix(self) -> str:
        """Path before that of a request."""
        return f"/s/{quote(self.space, safe='')}" if self.space else ""

    @property
    def headers(self) -> dict[str, str]:
        """Headers of a request that changes something."""
        named = {"osd-xsrf": "true", "kbn-xsrf": "true"}
        return named | ({"securitytenant": self.tenant} if self.tenant else {})


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
    :param new_ids: ids that the server chose instead of those of the file, by type and id.
    """

    count: int
    problems: tuple[str, ...]
    new_ids: dict[tuple[str, str], str] = field(default_factory=dict)


def recognize(server: Cluster, expected: Flavor | None = None) -> Frontend:
    """Request the product and the version of the server.

    :param expected: flavor that the user names; it stands in where the server does not tell its
        version without credentials.
    :raises StoreError: when it is neither product, or refuses the request.
    :raises UsageError: when it is the other product.
    """
    answer = server.request("GET", STATUS)
    product = _product(answer)
    number = str(_json_object(answer).get("version", {}).get("number", ""))
    version = tuple(int(part) for part in number.split("-")[0].split(".") if part.isdigit())
    if answer.status < 300 and product and version:
        return Frontend(product, version, _flavor(product, version, expected, server))
    hidden = answer.status in _REFUSED or _is_login(answer) or (answer.status < 300 and product)
    if hidden and expected:
        named = "OpenSearch Dashboards" if expected == "opensearch" else "Kibana"
        return Frontend(product or named, (), _flavor(product or named, (), expected, server))
    if hidden:
        raise _no_credentials(server, product or "it", "does not tell its version without")
    if 300 <= answer.status < 400:
        raise StoreError(
            f"{server.url} redirects to {answer.headers.get('location', 'another address')}.",
            remedy="Give --url the address with its base path.",
        )
    refuse(answer, server)
    raise StoreError(
        f"{server.url} is neither OpenSearch Dashboards nor Kibana.",
        remedy="Give --url the address that you open in a browser, often with port 5601.",
    )


def _product(answer: Answer) -> str:
    """Return the product that an answer names in its headers, whatever its status."""
    if "kbn-name" in answer.headers:
        return "Kibana"
    return "OpenSearch Dashboards" if "osd-name" in answer.headers else ""


def _is_login(answer: Answer) -> bool:
    location = answer.headers.get("location", "").lower()
    return 300 <= answer.status < 400 and ("login" in location or "/auth" in location)


def _flavor(
    product: str, version: tuple[int, ...], expected: Flavor | None, server: Cluster
) -> Flavor:
    if expected:
        if (expected == "opensearch") != (product != "Kibana"):
            raise UsageError(
                f"{server.url} is {product}, which cannot import the flavor {expected}."
            )
        return expected
    if product != "Kibana":
        return "opensearch"
    return "kibana" if version[0] >= _LENS_SINCE else "kibana-8"


def _no_credentials(server: Cluster, product: str, what: str) -> StoreError:
    return StoreError(
        f"{server.url}: {product} {what} credentials.",
        remedy="Give credentials with write access to saved objects: K8SIDX_USERNAME and "
        "K8SIDX_PASSWORD, or --api-key-file; or name the product with --flavor.",
    )


def import_request(content: bytes, *, overwrite: bool, tenancy: Tenancy | None = None) -> Request:
    """Return the request that imports a file."""
    tenancy = tenancy or Tenancy()
    boundary = f"k8sidx-{secrets.token_hex(12)}"
    disposition = 'Content-Disposition: form-data; name="file"; filename="k8sidx.ndjson"'
    head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/ndjson\r\n\r\n"
    headers = {"content-type": f"multipart/form-data; boundary={boundary}", **tenancy.headers}
    query = f"?{urlencode({'overwrite': 'true'})}" if overwrite else ""
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return Request(f"{tenancy.prefix}{_IMPORT}{query}", headers, body)


def import_file(
    server: Cluster, content: bytes, *, overwrite: bool, tenancy: Tenancy
) -> ImportResult:
    """Import a file, and correct the ids in its texts where the server chose others.

    Kibana gives an object a new id when another space has its id already. It corrects references,
    but not the ids in a text, for example in the address behind a field.

    :raises StoreError: when the server refuses the file as a whole.
    """
    result = send_import(server, import_request(content, overwrite=overwrite, tenancy=tenancy))
    corrected = with_new_ids(content, result.new_ids)
    if not corrected:
        return result
    again = send_import(server, import_request(corrected, overwrite=True, tenancy=tenancy))
    return ImportResult(result.count, result.problems + again.problems, result.new_ids)


def send_import(server: Cluster, request: Request) -> ImportResult:
    """Import a file and return the outcome of each object.

    :raises StoreError: when the server refuses the file as a whole.
    """
    answer = server.request("POST", request.path, body=request.body, headers=request.headers)
    refuse(answer, server)
    summary = _json_object(answer)
    errors = summary.get("errors") or []
    problems = tuple(_sentence(error) for error in errors if isinstance(error, dict))
    new_ids = {
        (str(entry.get("type")), str(entry.get("id"))): str(entry["destinationId"])
        for entry in summary.get("successResults") or []
        if entry.get("destinationId") not in (None, entry.get("id"))
    }
    return ImportResult(int(summary.get("successCount", 0)), problems, new_ids)


def refuse(answer: Answer, server: Cluster) -> None:
    """Raise the refusal of an answer that is not a success.

    :raises StoreError: when the server refuses the request.
    :raises UsageError: when there is no such page.
    """
    if answer.status < 300:
        return
    message = str(_json_object(answer).get("message") or "").strip()
    reason = f": {message}" if message else ""
    if _is_login(answer):
        raise _no_credentials(server, _product(answer) or "it", "refuses requests without")
    if answer.status in _REFUSED:
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
