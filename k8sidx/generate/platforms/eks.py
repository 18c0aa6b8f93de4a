"""Identities of Amazon EKS.

Sources: docs.aws.amazon.com/eks/latest/userguide/default-roles-users.html and published logs.
Components of the managed control plane act from addresses of Amazon's own network; node groups
and add-ons are managed by functions outside, whose role is one of Amazon's.
"""

from __future__ import annotations

from k8sidx.generate.platforms.model import Identity, elects, every_hour, program, reflects
from k8sidx.generate.step import ask

CONTROL_PLANE = "10.0.113.236"
LAMBDA = "203.0.113.24"
NODE, NODE_ADDRESS = "system:node:ip-192-168-3-178.us-west-2.compute.internal", "192.168.3.178"
ADDON = "system:serviceaccount:kube-system:"


def _managed_by(role: str) -> dict[str, list[str]]:
    arn = f"arn:aws:sts::602401143452:assumed-role/AWSWesleyClusterManagerLambda-{role}/0b1c"
    return {
        "accessKeyId": ["ASIAEXAMPLE"],
        "arn": [arn],
        "canonicalArn": [f"arn:aws:iam::602401143452:role/AWSWesleyClusterManagerLambda-{role}"],
        "sessionName": ["0b1c"],
    }


IDENTITIES = (
    Identity(
        "eks:node-manager",
        "eksNodeManager/v1",
        LAMBDA,
        [*every_hour(6, ask("list", "nodes"), ask("get", "configmaps", "aws-auth",
                                                  namespace="kube-system")),
         *every_hour(2, ask("create", "pods", "web-7d9f-abcde", subresource="eviction"),
                     ask("patch", "nodes", "ip-192-168-3-179.us-west-2.compute.internal")),
         *every_hour(1, ask("delete", "nodes", "ip-192-168-3-179.us-west-2.compute.internal"))],
        groups=(),
        extra=_managed_by("NodeManagerRole-16UPVDKA1KBGI"),
    ),
    Identity(
        "eks:addon-manager",
        "Go-http-client/1.1",
        "203.0.113.25",
        [*every_hour(4, ask("patch", "daemonsets", "aws-node", namespace="kube-system",
                            body={"spec": {"template": {"spec": {"hostNetwork": True}}}}),
                     ask("patch", "clusterroles", "aws-node"),
                     ask("patch", "clusterrolebindings", "aws-node"),
                     ask("get", "deployments", "coredns", namespace="kube-system"))],
        groups=(),
        extra=_managed_by("AddonManagerRole-1BCDEFGHIJKLM"),
    ),
    Identity(
        "eks:certificate-controller", program("eks-certificates-controller"), CONTROL_PLANE,
        [*reflects("certificatesigningrequests"), *elects("eks-certificates-controller"),
         *every_hour(2, ask("update", "certificatesigningrequests", "csr-6plsz",
                            subresource="approval"),
                     ask("update", "certificatesigningrequests", "csr-6plsz",
                         subresource="status"))],
        groups=(),
    ),
    Identity(
        "eks:cloud-controller-manager", "aws-cloud-controller-manager/v1.33.0 (linux/amd64)",
        CONTROL_PLANE,
        [*reflects("nodes", "services"), *elects("cloud-controller-manager"),
         *every_hour(6, ask("patch", "nodes", NODE[12:], subresource="status"),
                     ask("create", "serviceaccounts", "service-controller",
                         namespace="kube-system", subresource="token"))],
        groups=(),
    ),
    Identity(
        "eks:k8s-metrics", program("eks-k8s-metrics"), CONTROL_PLANE,
        every_hour(60, ask("list", "nodes"), ask("list", "pods", namespace=""),
                   ask("get", "", path="/metrics"), ask("list", "deployments", namespace="")),
        groups=(),
    ),
    Identity(
        "eks:network-policy-controller", program("controller"), CONTROL_PLANE,
        [*reflects("networkpolicies", "pods", "namespaces", "services"),
         *elects("amazon-network-policy-controller-k8s")],
        groups=(),
    ),
    Identity(
        "eks:coredns-autoscaler", program("coredns-autoscaler"), CONTROL_PLANE,
        [*reflects("nodes"), *elects("eks-coredns-autoscaler"),
         *every_hour(4, ask("get", "deployments", "coredns", namespace="kube-system"))],
        groups=(),
    ),
    Identity(
        "eks:vpc-resource-controller", program("vpc-resource-controller"), CONTROL_PLANE,
        [*reflects("nodes", "pods"), *elects("cp-vpc-resource-controller"),
         *every_hour(6, ask("patch", "nodes", NODE[12:], subresource="status"))],
        groups=(),
    ),
    Identity(
        "eks:az-poller", program("az-poller"), CONTROL_PLANE, reflects("nodes"), groups=(),
    ),
    Identity(
        "eks:nodewatcher", program("node-watcher"), CONTROL_PLANE, reflects("nodes"), groups=(),
    ),
    Identity(
        "eks:cluster-event-watcher", program("cluster-event-watcher"), CONTROL_PLANE,
        reflects("events"), groups=(),
    ),
    Identity(
        "eks:fargate-scheduler", program("fargate-scheduler"), CONTROL_PLANE,
        [*reflects("pods", "nodes"), *elects("eks-fargate-scheduler")], groups=(),
    ),
    Identity(
        "eks:pod-identity-mutating-webhook", program("pod-identity-webhook"), CONTROL_PLANE,
        reflects("serviceaccounts"), groups=(),
    ),
    Identity(
        "eks:authenticator", program("aws-iam-authenticator"), CONTROL_PLANE,
        every_hour(8, ask("watch", "configmaps", "aws-auth", namespace="kube-system")), groups=(),
    ),
    Identity(
        NODE,
        "kubelet/v1.33.5-eks-113cf36 (linux/amd64) kubernetes/a4ef1a6",
        NODE_ADDRESS,
        [*elects(NODE[12:], "kube-node-lease"),
         *every_hour(12, ask("patch", "nodes", NODE[12:], subresource="status")),
         *every_hour(4, ask("create", "serviceaccounts", "aws-node", namespace="kube-system",
                            subresource="token"))],
        extra={"arn": ["arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0"],
               "sessionName": ["i-0123456789abcdef0"]},
    ),
    Identity(
        f"{ADDON}aws-node", "aws-k8s-agent/v1.20.0 (linux/amd64)", NODE_ADDRESS,
        [*every_hour(12, ask("list", "pods", namespace=""), ask("get", "nodes", NODE[12:])),
         *every_hour(2, ask("patch", "nodes", NODE[12:]))],
    ),
    Identity(
        f"{ADDON}ebs-csi-controller-sa", program("csi-provisioner"), "192.168.3.44",
        [*reflects("persistentvolumes", "nodes"), *elects("ebs-csi-aws-com")],
    ),
    Identity(
        f"{ADDON}aws-load-balancer-controller", "elbv2.k8s.aws/v2.8.2", "192.168.3.45",
        [*reflects("ingresses", "services", "secrets", "pods", "nodes"),
         *every_hour(4, ask("patch", "ingresses", "shop", subresource="status"))],
    ),
    Identity(
        "system:serviceaccount:amazon-guardduty:aws-guardduty-agent", program("guardduty"),
        NODE_ADDRESS, every_hour(6, ask("get", "nodes", NODE[12:])),
    ),
    Identity(
        "system:serviceaccount:amazon-cloudwatch:cloudwatch-agent", program("cloudwatch-agent"),
        NODE_ADDRESS,
        [*reflects("pods", "nodes", "services"),
         *every_hour(30, ask("get", "configmaps", "cwagent-clusterleader",
                             namespace="amazon-cloudwatch"))],
    ),
)  # fmt: skip
"""The requests of an ordinary hour in a small cluster."""
