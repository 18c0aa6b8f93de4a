"""Fields of requestURI beyond objectRef: dry run, exec's command, the container."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

from k8sidx.events.decode.event_model import NOTHING, AuditEvent, ObjectReference
from k8sidx.events.normalize.json_tree import Fields

LOG = "log"
_WITH_COMMAND = frozenset({"exec", "attach", LOG, "portforward"})
_READ = frozenset({"command", "container"})
_PARAMETER = re.compile("[^&]+")
MAX_PARAMETERS = 10_000
"""Parameters of a query that are read; a client may send any number."""


def path(uri: str) -> str:
    """Return the path of the URI, percent-decoded."""
    return unquote(uri.partition("?")[0], errors="replace")


def query_fields(uri: str, subresource: str) -> dict[str, Any]:
    """Return the fields from the query string of a request.

    The command of exec stands only there, as repeated ``command=`` (apiserver: audit
    events of exec have no requestObject).
    """
    _path, _, query = uri.partition("?")
    if not query:
        return {}
    fields: dict[str, Any] = {}
    if "dryRun=All" in query and "&dryRun=All&" in f"&{query}&":
        fields["request.dry_run"] = True
    if subresource not in _WITH_COMMAND or "=" not in query:
        return fields
    parameters = _parameters(query)
    command = [value for key, value in parameters if key == "command"]
    if command:
        fields["exec.command"] = command
        fields["exec.command_line"] = " ".join(command)
    container = next((value for key, value in parameters if key == "container"), "")
    if container:
        fields["exec.container"] = container
    return fields


def _parameters(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a query; of a query with very many, only those that are read.

    Others in front of a command must not hide it.
    """
    if query.count("&") >= MAX_PARAMETERS:
        named = (match[0] for match in _PARAMETER.finditer(query) if _is_read(match[0]))
        query = "&".join(islice(named, MAX_PARAMETERS))
    return parse_qsl(query, keep_blank_values=True)


def _is_read(parameter: str) -> bool:
    return unquote_plus(parameter.partition("=")[0]) in _READ


def resource_of(uri: str | None) -> str:
    """Return the resource, with its subresource, that a path is about.

    For events without objectRef: what they hold is as secret as with it.
    """
    names = path(uri or "").strip("/").split("/")
    start = {"api": 2, "apis": 3}.get(names[0])
    names = names[start:] if start else []
    if names[:1] == ["watch"]:
        names = names[1:]
    if names[:1] == ["namespaces"] and len(names) > 2:
        names = names[2:]
    return "/".join((names[0], *names[2:3])) if names else ""


def uri_fields(
    event: AuditEvent, reference: ObjectReference, uri: str | None, target: str, extra: Fields
) -> None:
    """Add the fields that requestURI alone has.

    :param uri: requestURI as it is stored.
    :param target: resource, or resource/subresource, of the request.
    """
    if not uri:
        return
    subresource = reference.subresource or ""
    if "?" in uri:
        fields = query_fields(uri, subresource)
        if "request.dry_run" in fields and not _query_counts(event):
            del fields["request.dry_run"]
        extra.update(fields)
    if not target or subresource == "proxy":
        extra["url.path"] = path(uri)


def _query_counts(event: AuditEvent) -> bool:
    """Whether the API server reads the options in the query of the request.

    For a deletion it does only where there is no body; where the policy left the body out,
    a query that says dry run could stand beside one that does not.
    """
    if event.verb not in ("delete", "deletecollection"):
        return True
    return event.requestObject is NOTHING and event.level in ("Request", "RequestResponse")
