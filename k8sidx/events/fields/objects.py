"""The fields that are derived from the objects of requests: pods and what makes them, RBAC, others.

A part of the field table (:mod:`k8sidx.events.fields.table`).
"""

from __future__ import annotations

from k8sidx.events.fields.field import NAME_LENGTH, TEXT_LENGTH, Field, Kind, flag, keyword

POD: tuple[Field, ...] = (
    keyword("pod.owner_kind", "Kind of the controller that owns the object.", example="ReplicaSet"),
    keyword(
        "pod.workload",
        "The workload that the pod or template belongs to: the Deployment behind a ReplicaSet and "
        "its pods, the CronJob behind a Job; the object's own name where no controller owns it.",
        length=NAME_LENGTH,
        example="web",
    ),
    flag("pod.mirror", "The pod mirrors a static pod: a file on its node made it."),
    flag("pod.privileged", "A container of the pod (or pod template) is privileged."),
    flag("pod.host_network", "The pod uses the node's network."),
    flag("pod.host_pid", "The pod sees the node's processes."),
    flag("pod.host_ipc", "The pod shares the node's IPC."),
    flag("pod.allow_privilege_escalation", "A container may gain privileges."),
    flag("pod.run_as_root", "runAsUser is 0 or runAsNonRoot is false, for the pod or a container."),
    keyword(
        "pod.host_paths",
        "Node paths that the pod mounts, without `//` and `/./`.",
        many=True,
        length=NAME_LENGTH,
        example="/var/run/docker.sock",
    ),
    keyword(
        "pod.capabilities",
        "Kernel capabilities that a container adds.",
        many=True,
        example="SYS_ADMIN",
    ),
    keyword(
        "pod.images",
        "Images of all containers, init and ephemeral ones included.",
        many=True,
        length=NAME_LENGTH,
        example="alpine:3.20",
    ),
    keyword(
        "pod.image_names",
        "Last part of each image's name, without registry, tag and digest.",
        many=True,
        length=NAME_LENGTH,
        example="alpine",
    ),
    keyword("pod.containers", "Names of all containers.", many=True),
    keyword(
        "pod.commands",
        "Commands and arguments of all containers, one line each.",
        many=True,
        length=TEXT_LENGTH,
    ),
    keyword(
        "pod.escapes",
        "Further ways out of a container: `gitRepo`, `hostProcess`, `shareProcessNamespace`, and "
        "`sysctl:NAME` for sysctls that Kubernetes calls unsafe.",
        many=True,
        length=NAME_LENGTH,
        example="shareProcessNamespace",
    ),
    keyword("pod.service_account", "Service account of the pod."),
    keyword(
        "pod.host_ports",
        "Ports of the node that containers take, without those of a pod on the node's network.",
        many=True,
        example="8080",
    ),
    keyword(
        "pod.unconfined",
        "What of seccomp, apparmor and proc (procMount) does not confine a container.",
        many=True,
        example="seccomp",
    ),
    keyword("pod.node_name", "Node that the request chose, past the scheduler."),
    flag("pod.tolerates_all", "The pod tolerates every taint, also those of the control plane."),
    keyword("pod.priority_class", "Priority class of the pod.", example="system-cluster-critical"),
)

RBAC: tuple[Field, ...] = (
    keyword(
        "rbac.role",
        "Role that a binding grants, from the request, else the answer.",
        length=NAME_LENGTH,
        example="cluster-admin",
    ),
    keyword("rbac.role_kind", "Its kind.", example="ClusterRole"),
    keyword(
        "rbac.subjects",
        "Subjects of a binding as kind/namespace/name, kept together.",
        many=True,
        length=2048,
        example="ServiceAccount/shop/cart",
    ),
    keyword("rbac.verbs", "Verbs in the rules of a role.", many=True, example="*"),
    keyword("rbac.resources", "Resources in the rules of a role.", many=True, example="secrets"),
    keyword(
        "rbac.api_groups", "API groups in the rules of a role; `core` for the empty one.", many=True
    ),
    keyword(
        "rbac.rules",
        "What each rule allows as verb:group/resource, so that verb and resource of one rule "
        "stay together.",
        many=True,
        length=NAME_LENGTH,
        example="get:core/secrets",
    ),
    keyword(
        "csr.subject",
        "Subject of a certificate request (RFC 4514).",
        length=NAME_LENGTH,
        example="O=system:masters,CN=mallory",
    ),
    keyword(
        "csr.signer_name",
        "Signer of a certificate request.",
        example="kubernetes.io/kube-apiserver-client",
    ),
    keyword("csr.usages", "Usages of a certificate request.", many=True, example="client auth"),
)

OBJECTS: tuple[Field, ...] = (
    keyword("service.type", "Type of a service.", length=64, example="NodePort"),
    keyword("service.ports", "Ports of a service.", many=True, example="6379"),
    keyword(
        "service.external_ips",
        "Addresses outside the cluster that a service takes (spec.externalIPs).",
        many=True,
        example="203.0.113.7",
    ),
    keyword(
        "service.apps",
        "What a service is in front of: its name, and the values of app labels of it and of its "
        "selector.",
        many=True,
        length=NAME_LENGTH,
        example="kubernetes-dashboard",
    ),
    flag(
        "service.internal",
        "The load balancer of a service is internal, or takes listed address ranges only.",
    ),
    flag("ingress.without_tls", "The Ingress that the request holds has no TLS."),
    keyword(
        "namespace.pod_security",
        "Pod Security level that the request enforces in a namespace; `none` where it takes the "
        "label away.",
        example="privileged",
    ),
    keyword(
        "serviceaccount.image_pull_secrets",
        "Secrets that a service account pulls images with, of the request.",
        many=True,
    ),
    keyword(
        "serviceaccount.cloud_identity",
        "Cloud role or account that annotations of the request bind a service account to.",
        many=True,
        length=NAME_LENGTH,
        example="arn:aws:iam::111122223333:role/reader",
    ),
    Field(
        "token.expiration_seconds",
        Kind.INTEGER,
        "Lifetime that a TokenRequest asks for.",
        example="3600",
    ),
    keyword(
        "review.user",
        "User whom a SubjectAccessReview is about.",
        length=NAME_LENGTH,
        example="system:serviceaccount:monitoring:prometheus",
    ),
    keyword(
        "review.access",
        "What a SubjectAccessReview is about, as verb:group/resource.",
        length=NAME_LENGTH,
        example="create:core/nodes/proxy",
    ),
    keyword(
        "ingress.injections",
        "Annotations and paths of an Ingress with characters that configuration of nginx is made "
        "of, and snippets of it.",
        many=True,
        length=NAME_LENGTH,
        example="nginx.ingress.kubernetes.io/auth-url",
    ),
    keyword(
        "object.settings",
        "Settings of the object of the request that hunts look for, each a word or a word and a "
        "value: `interactive`, `user-namespace`, `break-glass`, `managed-by:gitops` of pods and "
        "templates; `ownerReferences`, `taints`, `label:` of nodes; `adminAccess` of claims; "
        "`allows-all:` of network policies; `external-name:`, `backend-namespace:`, "
        "`repository:`, `priority-level:`, `conversion:Webhook`, `validation:without-Deny`.",
        many=True,
        length=NAME_LENGTH,
        example="allows-all:ingress",
    ),
    keyword(
        "volume.host_path",
        "Node path behind a PersistentVolume, of hostPath or local.",
        length=NAME_LENGTH,
        example="/var/lib/docker",
    ),
    keyword(
        "configmap.credentials",
        "Keys of a ConfigMap whose values look like credentials: a password, a passphrase, an "
        "access key or a private key. The values are redacted.",
        many=True,
        example="application.properties",
    ),
)
