"""A server with the saved objects API of OpenSearch Dashboards or Kibana.

It stands for the products, which cannot be had from a package registry. It keeps objects, and
follows what their documentation and published sources say of this API:

- every answer names the product in a header (``kbn-name``, ``osd-name``);
- a request that changes something needs the header ``kbn-xsrf`` or ``osd-xsrf``;
- without credentials, Kibana's ``/api/status`` tells neither version nor build (``redacted`` in
  packages/core/status), OpenSearch Dashboards' security plugin answers 401;
- paths begin with the base path, then, in Kibana, ``/s/<space>``;
- ``_import`` takes a file whose name ends in ``.ndjson``, refuses what is there without
  ``overwrite``, writes nothing where an index pattern or a search is missing, and refuses
  attributes that a strict schema does not have;
- Kibana's types are ``multiple-isolated``: an id that another space has is replaced by a new one,
  which ``successResults`` tell as ``destinationId``, and ``originId`` keeps the old one; references
  are corrected (src/core/server/saved_objects/import/check_origin_conflicts.ts);
- the objects of OpenSearch Dashboards are those of the tenant in ``securitytenant``.
"""

from __future__ import annotations

import base64
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import NAMESPACE_URL, uuid5

import orjson

from k8sidx.show.savedobjects.products import KIBANA, OPENSEARCH_DASHBOARDS
from tests.servers.scripted import Request, ScriptedServer, reply

Objects = dict[tuple[str, str], dict[str, Any]]
CHECKED = ("index-pattern", "search")
"""Types that a reference may not miss (validate_references.ts)."""


class SavedObjectsServer:
    """The server, while it is used as a context manager.

    :param product: ``kibana`` or ``opensearch``.
    :param base: base path.
    :param user: name and password that requests need; empty for none.
    :param spaces: Kibana's spaces besides the default one.
    :ivar stored: objects by space or tenant, then by type and id.
    """

    def __init__(
        self,
        product: str,
        version: str,
        *,
        base: str = "",
        user: tuple[str, str] | None = None,
        spaces: tuple[str, ...] = (),
    ) -> None:
        self.kibana = product == "kibana"
        self.version, self.base, self.user, self.spaces = version, base, user, spaces
        self.stored: dict[str, Objects] = {}
        self.server = ScriptedServer(self._answer)
        self.url = self.server.url + base

    def __enter__(self) -> SavedObjectsServer:
        self.server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.server.__exit__(kind, error, at)

    def _reply(self, status: int, body: Any) -> bytes:
        named = {"kbn_name": "kibana"} if self.kibana else {"osd_name": "dashboards"}
        return reply(status, body, **named)

    def _refuse(self, status: int, message: str) -> bytes:
        return self._reply(status, {"statusCode": status, "message": message})

    def _answer(self, request: Request) -> bytes:
        split = urlsplit(request.target)
        if not split.path.startswith(f"{self.base}/"):
            return self._refuse(404, "Not Found")
        path, place = split.path.removeprefix(self.base), "default"
        if self.kibana and path.startswith("/s/"):
            place, _, rest = path.removeprefix("/s/").partition("/")
            place, path = unquote(place), f"/{rest}"
            if place not in self.spaces:
                return self._refuse(404, "Not Found")
        if not self.kibana:
            place = request.headers.get("securitytenant", "private")
        known = self._is_user(request)
        if path == "/api/status":
            return self._status(known)
        if not known:
            return self._refuse(401, "Unauthorized")
        guard = "kbn-xsrf" if self.kibana else "osd-xsrf"
        if request.method != "GET" and guard not in request.headers:
            return self._refuse(400, f"Request must contain a {guard} header.")
        objects = self.stored.setdefault(place, {})
        if path == "/api/saved_objects/_import" and request.method == "POST":
            return self._import(request, parse_qs(split.query), place, objects)
        if path == "/api/saved_objects/_find":
            return self._find(parse_qs(split.query), objects)
        if path.startswith("/api/saved_objects/") and request.method == "DELETE":
            kind, _, identifier = path.removeprefix("/api/saved_objects/").partition("/")
            gone = objects.pop((kind, unquote(identifier)), None)
            return self._reply(200, {}) if gone else self._refuse(404, "Saved object not found")
        return self._refuse(404, "Not Found")

    def _is_user(self, request: Request) -> bool:
        if self.user is None:
            return True
        text = ":".join(self.user).encode()
        return request.headers.get("authorization") == f"Basic {base64.b64encode(text).decode()}"

    def _status(self, known: bool) -> bytes:
        overall = {"overall": {"level": "available"}}
        if known:
            version = {"number": self.version, "build_number": 1}
            return self._reply(200, {"name": "one", "version": version, "status": overall})
        return self._reply(200, {"status": overall}) if self.kibana else self._refuse(401, "no")

    def _import(
        self, request: Request, query: dict[str, list[str]], place: str, objects: Objects
    ) -> bytes:
        head, _, rest = request.body.partition(b"\r\n\r\n")
        if b'.ndjson"' not in head:
            return self._refuse(400, "Invalid file extension")
        lines = rest.rpartition(b"\r\n--")[0].splitlines()
        file = [obj for obj in map(orjson.loads, lines) if "type" in obj]
        keys = [(obj["type"], obj["id"]) for obj in file]
        if len(set(keys)) != len(keys):
            return self._refuse(400, "Non-unique import objects detected")
        overwrite = query.get("overwrite") == ["true"]
        errors = [error for obj in file if (error := self._error(obj, keys, objects, overwrite))]
        if any(error["error"]["type"] in ("missing_references", "conflict") for error in errors):
            return self._reply(200, {"success": False, "successCount": 0, "errors": errors})
        refused = {(error["type"], error["id"]) for error in errors}
        new_ids = {key: new for key in keys if (new := self._new_id(key, place, objects))}
        results = []
        for obj in file:
            key = (obj["type"], obj["id"])
            if key in refused:
                continue
            result = {"type": obj["type"], "id": obj["id"]}
            stored = orjson.loads(orjson.dumps(obj))
            for reference in stored["references"]:
                target = (reference["type"], reference["id"])
                reference["id"] = new_ids.get(target, reference["id"])
            if key in new_ids:
                stored |= {"id": new_ids[key], "originId": obj["id"]}
                result["destinationId"] = new_ids[key]
            objects[(stored["type"], stored["id"])] = stored
            results.append(result)
        answer = {
            "success": not errors, "successCount": len(results), "successResults": results,
            **({"errors": errors} if errors else {}),
        }  # fmt: skip
        return self._reply(200, answer)

    def _error(
        self, obj: dict[str, Any], keys: list[tuple[str, str]], objects: Objects, overwrite: bool
    ) -> dict[str, Any] | None:
        about = {
            "type": obj["type"],
            "id": obj["id"],
            "meta": {"title": obj["attributes"]["title"]},
        }
        key = (obj["type"], obj["id"])
        missing = [
            {"type": reference["type"], "id": reference["id"]}
            for reference in obj["references"]
            if reference["type"] in CHECKED
            and (reference["type"], reference["id"]) not in {*keys, *objects}
        ]
        if missing:
            return {**about, "error": {"type": "missing_references", "references": missing}}
        if not overwrite and (key in objects or self._origin(key, objects)):
            return {**about, "error": {"type": "conflict"}}
        product = KIBANA if self.kibana else OPENSEARCH_DASHBOARDS
        schema = product.attributes.get(obj["type"])
        unknown = [name for name in obj["attributes"] if schema and schema.introduced(name) is None]
        if unknown:
            message = f"[attributes.{unknown[0]}]: definition for this key is missing"
            return {**about, "error": {"type": "unknown", "message": message}}
        return None

    def _origin(self, key: tuple[str, str], objects: Objects) -> str:
        """The id in this space of an object that was imported from this one."""
        kind, identifier = key
        return next(
            (o["id"] for o in objects.values() if (o["type"], o.get("originId")) == key), ""
        ) or ("" if self.kibana or kind else identifier)

    def _new_id(self, key: tuple[str, str], place: str, objects: Objects) -> str:
        if not self.kibana or key in objects:
            return ""
        elsewhere = any(key in there for name, there in self.stored.items() if name != place)
        made = str(uuid5(NAMESPACE_URL, f"{place}/{key}")) if elsewhere else ""
        return self._origin(key, objects) or made

    def _find(self, query: dict[str, list[str]], objects: Objects) -> bytes:
        page, size = int(query["page"][0]), int(query["per_page"][0])
        found = [
            {
                "type": obj["type"],
                "id": obj["id"],
                "attributes": {"title": obj["attributes"]["title"]},
                **({"originId": obj["originId"]} if "originId" in obj else {}),
            }
            for obj in objects.values()
            if obj["type"] in query["type"]
        ]
        shown = found[(page - 1) * size : page * size]
        answer = {"page": page, "per_page": size, "total": len(found), "saved_objects": shown}
        return self._reply(200, answer)
