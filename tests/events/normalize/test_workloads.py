"""Fields of workloads, services and other objects that hunts read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.building import event, row


def controlled(kind: str, owner: str, **labels: str) -> dict[str, Any]:
    return {
        "labels": labels,
        "ownerReferences": [{"kind": "Other"}, {"kind": kind, "name": owner, "controller": True}],
    }


def made(resource: str = "pods", *, name: str = "", verb: str = "create", **body: Any) -> Any:
    """Fields of a request for an object."""
    return row(event(verb, resource, name=name, requestObject=body))


def pod(**spec: Any) -> Any:
    return made(spec=spec)


def container(**security: Any) -> Any:
    return pod(containers=[{"name": "c", "securityContext": security}])


@pytest.mark.parametrize(
    ("resource", "name", "metadata", "workload"),
    [
        ("deployments", "web", {"name": "web"}, "web"),
        ("deployments", "web", {}, "web"),
        ("replicasets", "", controlled("Deployment", "web"), "web"),
        ("pods", "", controlled("ReplicaSet", "web-5cf", **{"pod-template-hash": "5cf"}), "web"),
        # The hash of an old cluster is written otherwise in the name than in the label.
        ("pods", "", controlled("ReplicaSet", "a-b-5cf", **{"pod-template-hash": "31"}), "a-b"),
        ("pods", "", controlled("ReplicaSet", "web-5cf"), "web-5cf"),
        ("pods", "", controlled("DaemonSet", "agent"), "agent"),
        ("pods", "", controlled("StatefulSet", "db"), "db"),
        ("cronjobs", "warm", {"name": "warm"}, "warm"),
        ("deploymentconfigs", "web", {"name": "web"}, "web"),
        ("jobs", "", controlled("CronJob", "warm"), "warm"),
        ("jobs", "", {"name": "warm-29387712"}, "warm"),
        ("pods", "", controlled("Job", "warm-29387712"), "warm"),
        ("pods", "", controlled("Job", "once"), "once"),
        ("pods", "", {"generateName": "debug-"}, "debug"),
        ("pods", "debug-29387712", {}, "debug-29387712"),
    ],
)
def test_a_workload_and_what_controllers_make_of_it_have_one_name(
    resource: str, name: str, metadata: dict[str, Any], workload: str
) -> None:
    assert made(resource, name=name, metadata=metadata, spec={})["pod.workload"] == workload


@pytest.mark.parametrize(
    ("user", "controller"),
    [
        ("system:serviceaccount:kube-system:replicaset-controller", True),
        ("system:kube-controller-manager", True),
        ("system:serviceaccount:shop:replicaset-controller", None),
        ("system:serviceaccount:kube-system:coredns", None),
    ],
)
def test_a_controller_is_known_by_its_account(user: str, controller: bool | None) -> None:
    assert row(event(user=user)).get("user.controller") is controller


def test_whoever_impersonates_a_controller_is_none() -> None:
    controller = "system:serviceaccount:kube-system:replicaset-controller"
    body = event(user="mallory", impersonatedUser={"username": controller})
    assert "user.controller" not in row(body)
    assert (
        row(event(user=controller, impersonatedUser={"username": "bob"})).get("user.controller")
        is None
    )


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("alpine", "alpine"),
        ("docker.io/library/Alpine:3.20", "alpine"),
        ("registry:5000/a/b/tool@sha256:00ff", "tool"),
        ("registry:5000/a/tool:1@sha256:00ff", "tool"),
    ],
)
def test_name_of_an_image(image: str, name: str) -> None:
    assert pod(containers=[{"image": image}])["pod.image_names"] == [name]


@pytest.mark.parametrize(
    ("fields", "unconfined"),
    [
        (container(seccompProfile={"type": "Unconfined"}), ["seccomp"]),
        (container(appArmorProfile={"type": "Unconfined"}), ["apparmor"]),
        (container(procMount="Unmasked"), ["proc"]),
        (pod(securityContext={"seccompProfile": {"type": "Unconfined"}}), ["seccomp"]),
        (
            made(
                "deployments",
                spec={
                    "template": {
                        "metadata": {
                            "annotations": {
                                "container.apparmor.security.beta.kubernetes.io/c": "unconfined"
                            }
                        },
                        "spec": {"containers": [{"name": "c"}]},
                    }
                },
            ),
            ["apparmor"],
        ),
        (container(seccompProfile={"type": "RuntimeDefault"}), None),
        (container(), None),
    ],
)
def test_confinement_that_is_switched_off(fields: Any, unconfined: list[str] | None) -> None:
    assert fields.get("pod.unconfined") == unconfined


@pytest.mark.parametrize(
    ("tolerations", "everything"),
    [
        ([{"operator": "Exists"}], True),
        ([{"operator": "Exists", "effect": "NoSchedule"}], True),
        ([{"operator": "Exists", "effect": "NoExecute"}], None),
        ([{"operator": "Exists", "key": "node.kubernetes.io/not-ready"}], None),
    ],
)
def test_a_pod_that_tolerates_every_taint(tolerations: Any, everything: bool | None) -> None:
    assert pod(tolerations=tolerations).get("pod.tolerates_all") is everything


def test_where_and_with_what_rank_a_pod_runs() -> None:
    fields = pod(nodeName="cp-1", priorityClassName="system-node-critical")
    assert fields["pod.node_name"] == "cp-1"
    assert fields["pod.priority_class"] == "system-node-critical"


def test_ports_of_the_node_are_those_that_a_pod_of_its_own_network_takes() -> None:
    ports = [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81}]
    assert pod(containers=[{"ports": ports}])["pod.host_ports"] == ["8080"]
    on_the_node = pod(hostNetwork=True, containers=[{"ports": ports}])
    assert "pod.host_ports" not in on_the_node


def test_a_mirror_pod_is_marked() -> None:
    metadata = {"annotations": {"kubernetes.io/config.mirror": "f00"}}
    assert made(metadata=metadata, spec={})["pod.mirror"] is True


@pytest.mark.parametrize("path", ["/etc", "//etc", "/./etc/", "/etc//.", "///etc"])
def test_a_node_path_is_the_same_however_it_is_written(path: str) -> None:
    assert pod(volumes=[{"hostPath": {"path": path}}])["pod.host_paths"] == ["/etc"]


def test_a_workload_has_its_name_without_its_body() -> None:
    assert row(event("patch", "deployments", name="web"))["pod.workload"] == "web"
    assert "pod.workload" not in row(event("get", "deployments", name="web"))


def test_of_an_ephemeral_container_only_it_counts() -> None:
    spec: dict[str, Any] = {
        "containers": [{"image": "web", "securityContext": {"privileged": True}}],
        "ephemeralContainers": [{"image": "nicolaka/netshoot"}],
    }
    body = event("patch", name="p", subresource="ephemeralcontainers", requestObject={"spec": spec})
    fields = row(body)
    assert fields["pod.image_names"] == ["netshoot"]
    assert fields["pod.workload"] == "p"
    assert "pod.privileged" not in fields
    spec["ephemeralContainers"][0]["securityContext"] = {"privileged": True}
    assert row(body)["pod.privileged"] is True


def test_a_part_of_a_template_says_only_what_it_says() -> None:
    spec = {"template": {"spec": {"containers": [{"name": "c", "image": "web:2"}]}}}
    whole = {"template": {"spec": {"hostPID": True, "containers": [{"name": "c"}]}}}
    fields = row(
        event(
            "patch",
            "deployments",
            name="web",
            requestObject={"spec": spec},
            responseObject={"spec": whole},
        )
    )
    assert fields["pod.images"] == ["web:2"]
    assert "pod.host_pid" not in fields


def test_a_command_of_exec_in_the_body_counts_where_the_uri_has_none() -> None:
    body = event(
        "create",
        name="p",
        subresource="exec",
        requestObject={"command": ["cat", "/etc/shadow"], "container": "web"},
    )
    assert row(body)["exec.command_line"] == "cat /etc/shadow"
    body["requestURI"] += "?command=id"
    assert row(body)["exec.command"] == ["id"]


def service(**spec: Any) -> Any:
    return made("services", metadata={"name": "svc", "labels": {"app": "redis"}}, spec=spec)


def test_what_a_service_opens_and_what_is_behind_it() -> None:
    fields = service(
        type="LoadBalancer",
        ports=[{"port": 6379}, {"port": 80, "targetPort": "http"}],
        externalIPs=["203.0.113.7"],
        selector={"app.kubernetes.io/name": "cache"},
    )
    assert fields["service.type"] == "LoadBalancer"
    assert fields["service.ports"] == ["6379", "80"]
    assert fields["service.external_ips"] == ["203.0.113.7"]
    assert fields["service.apps"] == ["svc", "redis", "cache"]
    assert "service.internal" not in fields


@pytest.mark.parametrize(
    ("metadata", "spec", "internal"),
    [
        ({"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}, {}, True),
        ({"networking.gke.io/load-balancer-type": "Internal"}, {}, True),
        ({}, {"loadBalancerSourceRanges": ["10.0.0.0/8"]}, True),
        ({}, {"loadBalancerSourceRanges": ["10.0.0.0/8", "0.0.0.0/0"]}, None),
        ({"service.beta.kubernetes.io/azure-load-balancer-internal": "false"}, {}, None),
    ],
)
def test_a_load_balancer_that_not_everybody_reaches(
    metadata: dict[str, str], spec: dict[str, Any], internal: bool | None
) -> None:
    fields = made("services", metadata={"annotations": metadata}, spec=spec)
    assert fields.get("service.internal") is internal


RULES = [{"host": "shop.example.com"}]


@pytest.mark.parametrize(
    ("verb", "body", "without"),
    [
        ("create", {"spec": {"rules": RULES}}, True),
        ("create", {"spec": {"rules": RULES, "tls": []}}, True),
        ("create", {"spec": {"defaultBackend": {"service": {"name": "x"}}}}, True),
        ("create", {"spec": {"rules": RULES, "tls": [{"secretName": "s"}]}}, None),
        ("create", {"spec": {}}, None),
        ("patch", {"kind": "Ingress", "spec": {"rules": RULES}}, True),
        ("patch", {"spec": {"rules": RULES}}, None),
    ],
)
def test_an_ingress_without_tls(verb: str, body: dict[str, Any], without: bool | None) -> None:
    fields = row(event(verb, "ingresses", name="shop", requestObject=body))
    assert fields.get("ingress.without_tls") is without


@pytest.mark.parametrize(
    ("body", "level"),
    [
        ({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
         "privileged"),
        ({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}}, "none"),
        ([{"op": "remove", "path": "/metadata/labels/pod-security.kubernetes.io~1enforce"}],
         "none"),
        ({"metadata": {"labels": {"team": "shop"}}}, None),
    ],
)  # fmt: skip
def test_the_pod_security_level_that_a_request_sets(body: Any, level: str | None) -> None:
    fields = row(event("patch", "namespaces", name="shop", requestObject=body))
    assert fields.get("namespace.pod_security") == level


def test_secrets_that_images_are_pulled_with() -> None:
    fields = made("serviceaccounts", imagePullSecrets=[{"name": "registry"}, {"name": 7}])
    assert fields["serviceaccount.image_pull_secrets"] == ["registry"]


@pytest.mark.parametrize("kind", ["hostPath", "local"])
def test_the_node_path_behind_a_volume(kind: str) -> None:
    assert made("persistentvolumes", spec={kind: {"path": "/etc"}})["volume.host_path"] == "/etc"
