"""Identities of managed platforms and distributions, with what they do in ordinary hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8sidx.generate.platforms import aks, eks, gke, openshift, rancher
from k8sidx.generate.platforms.model import Identity

PLATFORMS: Mapping[str, Sequence[Identity]] = {
    "aks": aks.IDENTITIES,
    "eks": eks.IDENTITIES,
    "gke": gke.IDENTITIES,
    "k3s": rancher.K3S,
    "openshift": openshift.IDENTITIES,
    "rancher": rancher.IDENTITIES,
}
"""The identities of each platform, by its name."""

EGRESS = {"aks": aks.EGRESS}
"""The public address of all nodes and pods of a platform, where they have one."""
