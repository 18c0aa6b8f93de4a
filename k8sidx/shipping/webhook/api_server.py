"""The API server's side of the audit webhook: its kubeconfig, ready to paste."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_FLAGS = """\
# Flags of the API server, with both files mounted into its pod. It reads them at its start only.
#   --audit-policy-file=/etc/kubernetes/audit/policy.yaml
#   --audit-webhook-config-file=/etc/kubernetes/audit/webhook.yaml
#   --audit-webhook-batch-max-wait=10s
# Keep --audit-log-path as well: events that wait in a batch when the API server dies are only in
# its log, and `k8sidx ship` of the log fills the gap.
"""


def kubeconfig(
    url: str, *, ca: Path | None, has_client_certificates: bool, has_tokens: bool
) -> str:
    """Return the file for ``--audit-webhook-config-file``, with comments.

    :param url: of the receiver, with the path of the cluster.
    :param ca: the CA of the receiver's certificate; ``None`` without TLS.
    """
    cluster: dict[str, Any] = {"server": url}
    user: dict[str, Any] = {}
    if ca is not None:
        cluster["certificate-authority"] = str(ca)
    if has_client_certificates:
        user["client-certificate"] = "/etc/kubernetes/audit/client.crt"
        user["client-key"] = "/etc/kubernetes/audit/client.key"
    if has_tokens:
        user["tokenFile"] = "/etc/kubernetes/audit/token"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "k8sidx", "cluster": cluster}],
        "users": [{"name": "api-server", "user": user}],
        "contexts": [{"name": "default", "context": {"cluster": "k8sidx", "user": "api-server"}}],
        "current-context": "default",
    }
    return _FLAGS + yaml.safe_dump(content, sort_keys=False)
