"""What ``k8sidx setup`` asks of clusters that are empty, which a scripted server plays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.compat.running import digest_of, printed
from tests.servers.scripted import Request, ScriptedServer, reply

_ROOTS: Mapping[str, dict[str, Any]] = {
    "opensearch": {"version": {"number": "3.3.0", "distribution": "opensearch"}},
    "elasticsearch": {"version": {"number": "9.2.0", "build_flavor": "default"}},
    "elastic-serverless": {"version": {"number": "8.11.0", "build_flavor": "serverless"}},
}
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "plain": (),
    "all": ("--retention", "90d", "--replicas", "2", "--shards", "3"),
}


def planned(folder: Path) -> dict[str, Any]:
    """By product and options: the requests, and a digest of the body of each."""
    return {
        f"{product} {named}": [
            {
                "request": f"{one['method']} {one['path']}",
                "version": (one["body"] or {}).get("version"),
                "body": digest_of(one["body"]),
            }
            for one in _plan(folder, product, options)
        ]
        for product in _ROOTS
        for named, options in _OPTIONS.items()
        if not (product == "elastic-serverless" and options)
    }


def _plan(folder: Path, product: str, options: tuple[str, ...]) -> list[dict[str, Any]]:
    headers = {} if product == "opensearch" else {"x_elastic_product": "Elasticsearch"}

    def script(request: Request) -> bytes:
        if request.target == "/":
            return reply(200, _ROOTS[product], **headers)
        return reply(404, {"error": "not found", "status": 404}, **headers)

    with ScriptedServer(script) as server:
        command = ("setup", "--store", server.url, "--dry-run", "-q", "-o", "json")
        plan: list[dict[str, Any]] = json.loads(printed(folder, *command, *options))
    return plan
