"""Events that stores and engines could answer differently for."""

from __future__ import annotations

from typing import Any

from tests.building import at, event

KELVIN = "\u212aelvin"
LONG_S = "u\u017fer"
PRECOMPOSED = "jos\u00e9"
COMBINING = "jose\u0301"
LAST_OF_BMP = "\uffee-halfwidth"
ASTRAL = "\U00010348-gothic"
EMOJI = "\U0001f469\u200d\U0001f4bb dev"


def timed(moment: str, name: str, **more: Any) -> dict[str, Any]:
    """An event at a moment as it stands in the log."""
    return {
        **event(name=name, **more),
        "requestReceivedTimestamp": moment,
        "stageTimestamp": moment,
    }


def uri(name: str, user: str) -> dict[str, Any]:
    """A list of commands as exec writes them, empty and repeated ones included."""
    commands = "&".join(f"command={one}" for one in ("/bin/sh", "-c", "id", "", "id"))
    path = f"/api/v1/namespaces/shop/pods/{name}/exec?{commands}&container=app"
    return event("create", name=name, subresource="exec", requestURI=path, code=101, user=user)


MANY = [
    event("list", "secrets", name="arrays", source=["203.0.113.9", "10.0.0.7", "10.0.0.7"]),
    {**event(name="groups", seconds=1),
     "user": {"username": "carol", "groups": ["b", "a", "b", "system:masters"]}},
    {**event(name="no-groups", seconds=2), "user": {"username": "dave", "groups": []}},
    {**event(name="empty-group", seconds=3), "user": {"username": "erin", "groups": ["", "a"]}},
    {**event(name="no-user", seconds=4), "user": {}},
    event(name="no-agent", seconds=5, agent=""),
    event(name="no-source", seconds=6, source=[]),
    {**event(name="no-object", seconds=7), "objectRef": None, "requestURI": "/healthz"},
    {**event(name="no-status", seconds=8), "responseStatus": None},
    {**event(name="no-level", seconds=9), "level": None},
    uri("exec", user="mallory"),
]  # fmt: skip

TIMES = [
    timed("2026-11-23T12:00:00.000000Z", "tie-1", user="tied"),
    timed("2026-11-23T12:00:00.000000Z", "tie-2", user="tied"),
    timed("2026-11-23T12:00:00.000000Z", "tie-3", user="tied"),
    timed("2026-11-23T12:00:00.000001Z", "a-microsecond-later", user="tied"),
    timed("2026-11-23T11:59:59.999999Z", "a-microsecond-before", user="tied"),
    timed("2026-11-23T23:59:59.999999Z", "end-of-day"),
    timed("2026-11-24T00:00:00.000000Z", "next-day"),
    timed("2026-11-24T01:30:00+05:45", "katmandu"),
    timed("1969-12-31T23:59:59.999999Z", "before-1970"),
    timed("1969-12-31T00:00:00.000001Z", "before-1970-too"),
    timed("1960-02-29T12:00:00.123456Z", "sixties"),
    timed("2262-04-12T00:00:00.000001Z", "after-2262"),
    timed("2300-01-01T00:00:00.000003Z", "far-1", user="far"),
    timed("2300-01-01T00:00:00.000004Z", "far-2", user="far"),
    timed("9999-12-31T23:59:59.999999Z", "last-year", user="far"),
    timed("0002-01-01T00:00:00.000001Z", "second-year", user="far"),
    {**event(name="timeless-1"), "stageTimestamp": None, "requestReceivedTimestamp": None},
    {**event(name="timeless-2"), "stageTimestamp": "0001-01-01T00:00:00Z",
     "requestReceivedTimestamp": None},
    {**event(name="slow", user="slow"), "requestReceivedTimestamp": at(0),
     "stageTimestamp": at(3600)},
    {**event(name="slower", user="slow"), "requestReceivedTimestamp": at(0),
     "stageTimestamp": at(86_400 * 200)},
]  # fmt: skip

TEXTS = [
    event(name=f"text-{place}", user=user, seconds=100 + place, code=code)
    for place, (user, code) in enumerate(
        [
            ("alice", 200), ("Alice", 403), ("ALICE", 404), ("alicf", 500), ("kelvin", 200),
            (KELVIN, 200), ("user", 201), (LONG_S, 409), (PRECOMPOSED, 200), (COMBINING, 200),
            ("JOS\u00c9", 200), (LAST_OF_BMP, 200), (ASTRAL, 200), (EMOJI, 200),
            ("100%_sure\\*", 200), ("x'; DROP TABLE events; --", 200), ("a*b?c", 200),
            ("line\nbreak", 200), ("tab\tand \"quotes\"", 200), ("[set]{1,2}(a|b)^$.#@&<>~+", 200),
            ("\u0000nul", 200), ("i\u0307stanbul", 200), ("\u0130STANBUL", 200), (" ", 200),
        ]
    )
]  # fmt: skip

LONG = [
    event(name="long-agent-1", agent="curl/" + "x" * 3000 + "1", seconds=200),
    event(name="long-agent-2", agent="curl/" + "x" * 3000 + "2", seconds=201),
    event(name="long-uri", seconds=202, requestURI="/api/v1/pods?labelSelector=" + "é" * 9000),
    event(name="n" * 9000, user="u" * 8500, seconds=203),
    event(name="long-wide", user="\U0001f469" * 8200, seconds=204),
]

ADDRESSES = [
    event(name=f"address-{place}", user="walker", seconds=300 + place, source=source)
    for place, source in enumerate(
        [
            ["1.2.3.4"], ["::ffff:1.2.3.4"], ["2001:db8::1"], ["2001:DB8:0::1"], ["fe80::1"],
            ["not an address", "10.9.8.7"], ["unknown"], ["255.255.255.255", "0.0.0.1"],
            ["::1", "127.0.0.1", "10.0.0.1"], ["010.0.0.1"],
        ]
    )
]  # fmt: skip

_ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "b", "annotations": {"a/b": "c", "": "d"}},
    "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [
        {"kind": "User", "name": "eve"},
        {"kind": "ServiceAccount", "name": "sa", "namespace": "shop"},
        {"kind": "Group", "name": "system:masters"},
    ],
}

BODIES = [
    event("create", "rolebindings", name="binding", seconds=400, level="RequestResponse",
          requestObject=_ROLE, responseObject={**_ROLE, "big": 2**70, "part": 1e-7, "a": [[{}]]}),
    event("patch", "pods", name="patched", seconds=401, level="Request",
          requestObject=[{"op": "add", "path": "/a.b", "value": None}, 1.5, "x", True]),
    event("create", "pods", name="privileged", seconds=402, level="Request", code=201,
          requestObject={"kind": "Pod", "metadata": {"name": "p"}, "spec": {
              "hostNetwork": True,
              "containers": [{"name": "c", "image": "alpine:3", "command": ["sh", "-c", ""],
                              "securityContext": {"privileged": True,
                                                  "capabilities": {"add": ["SYS_ADMIN"]}}}]}}),
]  # fmt: skip

EVENTS: list[dict[str, Any]] = [*MANY, *TIMES, *TEXTS, *LONG, *ADDRESSES, *BODIES]
