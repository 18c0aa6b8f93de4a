"""A server in front of a real one that has what the test distributions lack: ISM, or ILM.

It keeps policies, as the documented APIs do, and passes everything else on. Elasticsearch's
setting ``index.lifecycle.name`` is taken out of what is passed on, for a server without ILM
does not know it, and remembered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from k8sidx.backends.cluster.http.client import Cluster

_POLICIES = ("/_plugins/_ism/policies/", "/_ilm/policy/")
_ATTACH = ("/_plugins/_ism/add/", "/_plugins/_ism/change_policy/")


class Lifecycles:
    """What the server was told.

    :ivar policies: bodies by name.
    :ivar attached: path and body of each request that puts indices under a policy.
    :ivar named: what templates and indices say of ``index.lifecycle.name``, by path.
    """

    def __init__(self, behind: Cluster) -> None:
        self.behind = behind
        self.url = ""
        self.policies: dict[str, Any] = {}
        self.changes: dict[str, int] = {}
        self.attached: list[tuple[str, Any]] = []
        self.named: dict[str, str] = {}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """What ISM or ILM answers; status 0 when it is none of theirs."""
        for api in _POLICIES:
            if path.startswith(api):
                name, _, conditions = path.removeprefix(api).partition("?")
                return self._policy(api, method, name, conditions, body)
        if path.startswith(_ATTACH):
            self.attached.append((path, body))
            return 200, {"updated_indices": 1, "failures": False, "failed_indices": []}
        if path.endswith("/_settings") and body:
            self.attached.append((path, body))
            return 200, {"acknowledged": True}
        return 0, None

    def _policy(
        self, api: str, method: str, name: str, conditions: str, body: Any
    ) -> tuple[int, Any]:
        count = self.changes.get(name, 0)
        if method == "PUT":
            is_ism = api == _POLICIES[0]
            if is_ism and count and conditions != f"if_seq_no={count}&if_primary_term=1":
                return 409, {"error": {"type": "version_conflict_engine_exception"}}
            self.policies[name], self.changes[name] = body["policy"], count + 1
            return 200, {"acknowledged": True}
        if name not in self.policies:
            return 404, {"error": {"type": "status_exception", "reason": "Policy not found"}}
        policy = self.policies[name]
        if api == _POLICIES[0]:
            return 200, {"_id": name, "_seq_no": count, "_primary_term": 1, "policy": policy}
        return 200, {name: {"version": count, "policy": policy}}


@contextmanager
def lifecycles(behind: Cluster) -> Iterator[Lifecycles]:
    """The server, running."""
    state = Lifecycles(behind)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"state": state}))
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: Lifecycles
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(raw) if raw else None
        status, said = self.state.answer(self.command, self.path, body)
        if status:
            self._send(status, json.dumps(said).encode(), {})
            return
        if isinstance(body, dict) and "template" in body:
            settings = body["template"]["settings"]
            self.state.named[self.path] = settings.pop("index.lifecycle.name", "")
        behind = self.state.behind
        answer = behind.request(self.command, self.path, body=body)
        content = answer.body
        if name := self.state.named.get(self.path):  # as Elasticsearch would give it back
            found = json.loads(content)
            if "index_templates" in found:
                template = found["index_templates"][0]["index_template"]["template"]
                template["settings"]["index"]["lifecycle"] = {"name": name}
                content = json.dumps(found).encode()
        product = {"x-elastic-product": "Elasticsearch"}
        elastic = behind.product == "elasticsearch"
        self._send(answer.status, content, product if elastic else {})

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing on the tests' stderr."""
