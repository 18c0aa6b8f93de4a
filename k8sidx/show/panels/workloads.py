"""Workloads dashboard: secrets read, commands run, objects created and deleted."""

from __future__ import annotations

from k8sidx.query.algebra import (
    Compare,
    DateHistogram,
    Metric,
    Not,
    OneOf,
    Or,
    Order,
    Present,
    Query,
    Terms,
)
from k8sidx.show.panels.conditions import PEOPLE, SUCCEEDED, WRITTEN, for_resources, requests
from k8sidx.show.panels.overview import EVENTS
from k8sidx.show.panels.panel import COUNT, SPAN, Dashboard, Panel, Row
from k8sidx.show.panels.shared import (
    BUSY,
    CODE,
    CONTROLS,
    FIRST,
    LAST,
    MAX_ROWS,
    NAME,
    NAMESPACE,
    RESOURCE,
    USER,
    VERB,
    WHO,
    table,
    top,
)

_SECRETS = Compare("objectRef.resource", "=", "secrets")
_READ = OneOf("verb", ("get", "list", "watch"))
_SESSIONS = for_resources("pods/exec", "pods/attach", "pods/portforward")
_CREATED = OneOf("verb", ("create", "patch"))
_PODS = for_resources("pods")
_DANGEROUS = Or(
    (
        Compare("pod.privileged", "=", True),
        Compare("pod.host_network", "=", True),
        Compare("pod.host_pid", "=", True),
        Compare("pod.host_ipc", "=", True),
        Present("pod.host_paths"),
        Present("pod.capabilities"),
    )
)
_SYSTEM = OneOf("objectRef.namespace", ("kube-system", "kube-public", "default"))
_CONTROLLERS = for_resources(
    "deployments", "daemonsets", "statefulsets", "cronjobs", "jobs", "replicasets"
)
_BY_HAND = Not(Compare("user.controller", "=", True))
"""Excludes objects that controllers create for a workload: they count for its author."""

WORKLOADS = Dashboard(
    "workloads",
    "Kubernetes audit: secrets and workloads",
    "Who reads secrets, runs commands in pods, makes workloads and removes things.",
    (
        Row(
            13,
            (
                Panel("exec-over-time", "Sessions in pods over time",
                      "When does somebody exec, attach or forward a port?", "timeline",
                      Query(where=_SESSIONS, group_by=(DateHistogram(SPAN), RESOURCE),
                            metrics=(COUNT,)), (35,)),
                Panel("secrets-over-time", "Secret reads over time",
                      "When are secrets read, and how?", "timeline",
                      Query(where=requests(_SECRETS, _READ),
                            group_by=(DateHistogram(SPAN), VERB), metrics=(COUNT,)), (32,)),
            ),
        ),
        Row(
            14,
            (
                Panel("exec-commands", "Commands run in pods",
                      "What is run, by whom and where?", "table",
                      table(requests(_SESSIONS), USER,
                            Terms("exec.command_line", "command", keep_missing=True), RESOURCE,
                            NAMESPACE, NAME, CODE), (35,)),
            ),
        ),
        Row(
            14,
            (
                Panel("dangerous-pods", "Pods with power over their node",
                      "Who makes pods or templates that are privileged, use the node's "
                      "namespaces, mount its paths or add capabilities?", "table",
                      table(requests(_DANGEROUS, WRITTEN, _BY_HAND), USER, RESOURCE, NAMESPACE,
                            NAME, CODE), (37,)),
            ),
        ),
        Row(
            13,
            (
                Panel("secrets-by-user", "Secret reads by user",
                      "Who reads secrets, of how many namespaces and names?", "table",
                      Query(where=requests(_SECRETS, _READ), group_by=(USER,),
                            metrics=(Metric("namespaces", "count_distinct", "objectRef.namespace"),
                                     Metric("names", "count_distinct", "objectRef.name"), LAST,
                                     COUNT),
                            order=BUSY, limit=MAX_ROWS), (33,)),
                Panel("exec-by-user", "Sessions by user", "Who opens sessions in pods?",
                      "table", top(_SESSIONS, *WHO, limit=MAX_ROWS), (35,)),
            ),
            (29, 19),
        ),
        Row(
            13,
            (
                Panel("secrets-by-namespace", "Secret reads by user and namespace",
                      "Who reads the secrets of which namespace?", "table",
                      table(requests(_SECRETS, _READ), USER, NAMESPACE, CODE), (33,)),
                Panel("pods-by-namespace", "Pods made by namespace", "Where?", "bars",
                      top(requests(_PODS, Compare("verb", "=", "create"), SUCCEEDED),
                          Terms("objectRef.namespace", "namespace")), (36,)),
            ),
            (32, 16),
        ),
        Row(
            13,
            (
                Panel("host-paths", "Node paths mounted", "Which paths of nodes are mounted?",
                      "table",
                      table(requests(Present("pod.host_paths"), WRITTEN, _BY_HAND),
                            Terms("pod.host_paths", "path"), USER, NAMESPACE), (37,)),
            ),
        ),
        Row(
            14,
            (
                Panel("dangerous-images", "Their images",
                      "Which images run with power over their node?", "table",
                      table(requests(_DANGEROUS, WRITTEN, _BY_HAND),
                            Terms("pod.images", "image"), USER, NAMESPACE), (37,)),
            ),
        ),
        Row(
            13,
            (
                Panel("pods-over-time", "Pods made over time",
                      "When are pods made, and where?", "timeline",
                      Query(where=requests(_PODS, Compare("verb", "=", "create"), SUCCEEDED),
                            group_by=(DateHistogram(SPAN),
                                      Terms("objectRef.namespace", "namespace")),
                            metrics=(COUNT,)), (36,)),
                Panel("new-images", "Newest images", "Which image was first seen last?", "table",
                      Query(where=requests(Present("pod.images"), WRITTEN),
                            group_by=(Terms("pod.images", "image"),),
                            metrics=(FIRST, COUNT),
                            order=(Order("first seen", descending=True),), limit=MAX_ROWS), (38,)),
            ),
        ),
        Row(
            14,
            (
                Panel("config-writes", "Secrets and ConfigMaps changed",
                      "Who changes which configuration, aws-auth and coredns included?", "table",
                      table(requests(OneOf("objectRef.resource", ("secrets", "configmaps")),
                                     WRITTEN),
                            USER, VERB, RESOURCE, NAMESPACE, NAME), (34,)),
            ),
        ),
        Row(
            14,
            (
                Panel("controllers", "Workloads changed", "Who changes which workload?", "table",
                      table(requests(_CONTROLLERS, WRITTEN, PEOPLE), USER, VERB, RESOURCE,
                            NAMESPACE, NAME), (39,)),
            ),
        ),
        Row(
            14,
            (
                Panel("system-pods", "Pods in system namespaces",
                      "Who makes pods in kube-system and default, besides controllers?", "table",
                      table(requests(_PODS, _CREATED, _SYSTEM, _BY_HAND), USER, NAMESPACE, NAME,
                            CODE), (38,)),
            ),
        ),
        Row(
            13,
            (
                Panel("ephemeral", "Ephemeral containers", "Who debugs running pods?", "table",
                      table(requests(for_resources("pods/ephemeralcontainers")), USER,
                            NAMESPACE, NAME, CODE),
                      (38,)),
            ),
        ),
        Row(
            14,
            (
                Panel("exposed", "Services that face outwards",
                      "Who opens node ports and load balancers?", "table",
                      table(requests(OneOf("service.type", ("NodePort", "LoadBalancer")), WRITTEN),
                            USER, Terms("service.type", "type"), NAMESPACE, NAME, CODE), (40,)),
            ),
        ),
        Row(
            13,
            (
                Panel("ingress", "Ingresses changed", "Who changes the ways in?", "table",
                      table(requests(for_resources("ingresses"), WRITTEN), USER, VERB,
                            NAMESPACE, NAME),
                      (40,)),
                Panel("ingress-without-tls", "Ingresses without TLS",
                      "How many ways in were made without encryption?", "number",
                      Query(where=requests(Compare("ingress.without_tls", "=", True), WRITTEN),
                            metrics=(Metric("without TLS", "count"),)), (40,)),
            ),
            (36, 12),
        ),
        Row(
            14,
            (
                Panel("deletions", "Deleted",
                      "Who removes what? Events and namespaces included.", "table",
                      table(requests(OneOf("verb", ("delete", "deletecollection"))), USER, VERB,
                            RESOURCE, NAMESPACE), (41,)),
            ),
        ),
        Row(20, (EVENTS,)),
    ),
    CONTROLS,
)  # fmt: skip
