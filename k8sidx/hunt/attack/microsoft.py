"""Microsoft Threat Matrix for Kubernetes: techniques and the hunts for them.

Names and tactics from https://microsoft.github.io/Threat-Matrix-for-Kubernetes. Hunts
are assigned here: the matrix has no ids that Sigma's tags could name.
"""

from __future__ import annotations

from typing import NamedTuple

THREAT_TACTICS = (
    "initial-access", "execution", "persistence", "privilege-escalation", "defense-evasion",
    "credential-access", "discovery", "lateral-movement", "collection", "impact",
)  # fmt: skip
"""Tactics of the matrix in its order; it has not followed ATT&CK's split of Defense Evasion."""


class Threat(NamedTuple):
    """A technique of the matrix.

    :param tactics: in the matrix's own words, written as Sigma's tags.
    :param hunts: ids of the hunts that look for it.
    :param outside: why no audit log shows it; empty where one can.
    """

    name: str
    tactics: tuple[str, ...]
    hunts: tuple[str, ...]
    outside: str = ""


_PODS = ("privileged_pod", "host_pid_pod", "host_network_pod", "host_ipc_pod")
_HOSTPATH = ("sensitive_hostpath_pod", "hostpath_pod", "hostpath_persistent_volume")
_INSIDE = "it happens inside the container: a sensor on the node sees it"

THREATS: tuple[Threat, ...] = (
    Threat("Using cloud credentials", ("initial-access",),
           ("new_user_agent", "secret_access_new_caller", "aws_auth_changed",
            "threat_intel_source_ip", "system_principal_public_ip", "credential_two_places")),
    Threat("Compromised image in registry", ("initial-access",),
           ("unlisted_image_pod", "miner_image_pod", "debug_image_pod", "attack_image_pod")),
    Threat("Kubeconfig file", ("initial-access",),
           ("new_user_agent", "default_admin_user", "unlisted_user", "topn_user_by_ip",
            "credential_two_places", "masters_group_used")),
    Threat("Application vulnerability", ("initial-access",), (), _INSIDE),
    Threat("Exposed sensitive interfaces", ("initial-access", "discovery", "lateral-movement"),
           ("exposed_sensitive_service", "nodeport_service", "load_balancer_service",
            "anonymous_request_allowed", "external_ip_service")),
    Threat("Exec into container", ("execution",),
           ("pod_exec", "pod_attach", "exec_kube_system", "exec_forbidden_repeat",
            "node_proxy_exec")),
    Threat("bash or cmd inside container", ("execution",),
           ("exec_shell_or_tool", "exec_reverse_shell", "exec_download")),
    Threat("New container", ("execution",),
           ("activity_deployment_created", "pod_in_default_namespace", "pod_in_system_namespace",
            "ephemeral_container_added", "workload_change_new_caller")),
    Threat("Application exploit (RCE)", ("execution",), (), _INSIDE),
    Threat("SSH server running inside container", ("execution",), (), _INSIDE),
    Threat("Sidecar injection", ("execution",),
           ("ephemeral_container_added", "deployment_patched", "admission_webhook_changed")),
    Threat("Backdoor container", ("persistence",),
           ("daemonset_created", "deployment_patched", "controller_service_account_pod",
            "workload_change_new_caller")),
    Threat("Writable hostPath mount", ("persistence", "privilege-escalation", "lateral-movement"),
           _HOSTPATH),
    Threat("Kubernetes CronJob", ("persistence",), ("cronjob_changed", "job_changed")),
    Threat("Malicious admission controller", ("persistence", "credential-access"),
           ("admission_webhook_changed", "admission_policy_changed", "mutating_policy_made")),
    Threat("Container service account", ("persistence", "credential-access", "lateral-movement"),
           ("exec_service_account_token", "service_account_token_created",
            "service_account_rare_operation", "self_subject_review_workload",
            "service_account_forbidden", "legacy_token_used", "minted_token_used",
            "identity_foreign_caller", "credential_two_places")),
    Threat("Static pods", ("persistence",), ("static_pod_mirrored", "sensitive_hostpath_pod")),
    Threat("Privileged container", ("privilege-escalation",),
           (*_PODS, "dangerous_capabilities_pod", "unconfined_pod")),
    Threat("Cluster-admin binding", ("privilege-escalation",),
           ("cluster_admin_binding", "privileged_role_binding", "default_service_account_admin",
            "wildcard_role_bound", "authenticated_access_granted")),
    Threat("Access cloud resources", ("privilege-escalation", "lateral-movement"),
           ("exec_cloud_metadata", "aws_auth_changed")),
    Threat("Clear container logs", ("defense-evasion",), ("sensitive_hostpath_pod",)),
    Threat("Delete Kubernetes events", ("defense-evasion",), ("events_deleted",)),
    Threat("Pod or container name similarity", ("defense-evasion",),
           ("pod_in_system_namespace", "service_account_in_system_namespace")),
    Threat("Connect from proxy server", ("defense-evasion",),
           ("threat_intel_source_ip", "claimed_address_internal", "topn_source_ip")),
    Threat("List Kubernetes secrets", ("credential-access",),
           ("secret_list", "secret_list_sensitive_scope", "secret_dump_all_namespaces",
            "secret_read_burst")),
    Threat("Mount service principal", ("credential-access",),
           ("sensitive_hostpath_pod", "exec_sensitive_file")),
    Threat("Application credentials in configuration files",
           ("credential-access", "lateral-movement"),
           ("configmap_private_credentials", "secret_get", "exec_sensitive_file")),
    Threat("Access managed identity credentials", ("credential-access",),
           ("exec_cloud_metadata",)),
    Threat("Access Kubernetes API server", ("discovery",),
           ("self_subject_rules_review", "permission_enumeration_user",
            "multi_resource_discovery", "anonymous_endpoint_scan", "rbac_inventory_read",
            "rbac_list_refused", "permission_review_burst", "unversioned_program")),
    Threat("Access Kubelet API", ("discovery",),
           ("node_proxy_request", "node_proxy_exec", "node_proxy_role_created")),
    Threat("Network mapping", ("discovery",), ("exec_shell_or_tool",)),
    Threat("Instance Metadata API", ("discovery",), ("exec_cloud_metadata",)),
    Threat("Cluster internal networking", ("lateral-movement",),
           ("network_policy_deleted", "service_proxy_request", "pod_portforward")),
    Threat("CoreDNS poisoning", ("lateral-movement",), ("dns_config_changed",)),
    Threat("ARP poisoning and IP spoofing", ("lateral-movement",),
           ("dangerous_capabilities_pod", "host_network_pod")),
    Threat("Images from a private registry", ("collection",), ("image_pull_secrets_changed",)),
    Threat("Collecting data from pod", ("collection",), ("kubectl_cp_from_pod", "pod_log_burst")),
    Threat("Data destruction", ("impact",),
           ("workload_collection_deleted", "namespace_delete_storm", "workload_delete_burst",
            "secret_overwrite_burst", "namespace_deleted")),
    Threat("Resource hijacking", ("impact",), ("miner_image_pod", "system_priority_pod")),
    Threat("Denial of service", ("impact",),
           ("pod_eviction_storm", "node_deleted", "workload_delete_burst",
            "priority_class_changed")),
)  # fmt: skip
