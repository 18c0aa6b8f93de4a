"""The hunts of the article: top-N tables, refusals, secrets, exec, clients."""

from __future__ import annotations

from tests.building import event
from tests.hunt.library.cases import burst, pair, usual

SYSTEM = "system:serviceaccount:kube-system:deployment-controller"
QUIET_HOUR = [event(seconds=minute * 60 - 7000, name=f"p{minute}") for minute in range(60)]

PAIRS = {
    "topn_user_agent": pair(event(), event(userAgent=None)),
    "topn_source_ip": pair(event(), event(source="::1")),
    "topn_user_by_agent": pair(event(), event(user=SYSTEM)),
    "topn_user_by_ip": pair(event(), event(user=SYSTEM)),
    "topn_status_code": pair(event(), event(stage="RequestReceived", responseStatus=None)),
    "topn_forbidden_user": pair(event(code=403), event(code=403, user=SYSTEM)),
    "topn_forbidden_list_resource": pair(event("list", code=403), event("get", code=403)),
    "unauthorized_or_forbidden": pair(
        event(code=401, stage="ResponseStarted", user="", annotations=None), event(code=404)
    ),
    "forbidden_surge": pair(
        burst(40, code=403, name="p{n}", every=0.1),
        burst(20, code=403, name="p{n}", every=0.1),
        before=QUIET_HOUR,
    ),
    "forbidden_burst_user": pair(
        [event("list", f"kind{n}", code=403, seconds=n) for n in range(4)],
        [event("list", f"kind{n % 3}", code=403, seconds=n) for n in range(9)],
    ),
    "forbidden_list_burst": pair(
        burst(5, verb="list", resource="secrets", namespace="ns-{n}", code=403),
        burst(5, verb="list", resource="secrets", namespace="ns-{n}"),
    ),
    "new_user_agent": pair(
        event(agent="curl/8.5.0"),
        event(agent="kubectl/v1.38.0"),
        before=[*usual(), event(seconds=-60)],
    ),
    "secret_read_burst": pair(
        burst(4, resource="secrets", name="s{n}"), burst(9, resource="secrets", name="s")
    ),
    "secret_get_denied": pair(
        burst(5, resource="secrets", name="s{n}", code=403),
        burst(5, resource="secrets", name="s{n}", code=403, user=SYSTEM),
    ),
    "pod_exec": pair(
        event("get", name="web", subresource="exec", code=101),
        event("get", name="web", subresource="exec", code=403),
    ),
    "exec_forbidden_repeat": pair(
        burst(3, verb="create", name="web-{n}", subresource="exec", code=403),
        burst(3, verb="create", name="web-{n}", subresource="exec", code=101),
    ),
}  # fmt: skip
