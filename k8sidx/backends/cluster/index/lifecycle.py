"""Retention: ISM of OpenSearch, ILM of Elasticsearch, or neither."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from k8sidx.backends.cluster.http.api_errors import ClusterRefused, refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retrying import FORBIDDEN, expect_success, retrying_request
from k8sidx.backends.cluster.index.template import (
    ilm_policy,
    ism_policy,
    made_by_us,
    policy_description,
    policy_name,
)
from k8sidx.errors import StoreError

Parts = tuple[str, str, Mapping[str, Any]]
"""Method, path and body of a request."""

_NOT_OFFERED = frozenset({400, 405, 410, 501})
"""Statuses of paths that the server does not have: 400 without the plugin, 410 on Serverless."""


class Lifecycle(ABC):
    """The retention policy of a prefix, as it is on a cluster.

    :ivar name: name of the policy.
    :ivar available: the cluster has such policies, and this user may read them.
    :ivar forbidden: the error when this user may not read them; ``None`` otherwise.
    :ivar present: ours exists.
    """

    what = ""
    api = ""
    shows_on_indices = False
    """Whether an index names its policy in its settings."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self.prefix = prefix
        self.name = policy_name(prefix)
        self.path = f"{self.api}/{quote(self.name, safe='')}"
        answer = retrying_request(cluster, "GET", self.path)
        self.available = answer.status not in (*_NOT_OFFERED, FORBIDDEN)
        self.forbidden: ClusterRefused | None = None
        if answer.status == FORBIDDEN:
            self.forbidden = refusal(answer, f"the policy {self.name}")
        self.policy: Any = None
        if self.available and answer.status != 404:
            self.policy = expect_success(answer, "GET", self.path)
            if not self._is_ours():
                raise StoreError(
                    f"the {self.what} policy {self.name} is there already and was not made by "
                    "k8sidx.",
                    remedy="Choose another prefix with --index, or delete it.",
                )

    @property
    def present(self) -> bool:
        return self.policy is not None

    @property
    def why_not(self) -> str:
        """The note for a user who requested retention where there is none."""
        return (
            f"This cluster has no {self.what}: it does not delete old indices by itself. Delete "
            "those past their time yourself; their names hold the date."
        )

    def name_with(self, retention: str) -> str:
        """Return the policy's name, if it exists or will exist."""
        return self.name if retention or self.present else ""

    @abstractmethod
    def retention(self) -> str:
        """Return the age at which the present policy deletes; empty without one."""

    def is_as_wanted(self, retention: str) -> bool:
        """Whether the present policy deletes at that age."""
        return self.retention() == retention

    @abstractmethod
    def put(self, retention: str) -> Parts:
        """Return the request that creates or changes the policy."""

    @abstractmethod
    def attach(self, indices: str) -> Iterator[Parts]:
        """Return the requests that attach the policy to existing indices.

        :param indices: names, joined by commas, ready for a path.
        """

    @abstractmethod
    def _is_ours(self) -> bool: ...


class IndexStateManagement(Lifecycle):
    """OpenSearch's ISM. A policy is attached to new indices by its patterns."""

    what = "Index State Management"
    api = "/_plugins/_ism/policies"

    def _is_ours(self) -> bool:
        described = str(self.policy["policy"].get("description", ""))
        return described.startswith(policy_description(""))

    def retention(self) -> str:
        if not self.present:
            return ""
        for state in self.policy["policy"]["states"]:
            for transition in state.get("transitions", []):
                return str(transition.get("conditions", {}).get("min_index_age", ""))
        return ""

    def put(self, retention: str) -> Parts:
        path = self.path
        if self.present:
            number, term = self.policy["_seq_no"], self.policy["_primary_term"]
            path += f"?if_seq_no={number}&if_primary_term={term}"
        return "PUT", path, ism_policy(self.prefix, retention)

    def attach(self, indices: str) -> Iterator[Parts]:
        # "add" skips indices that have a policy, "change_policy" those that have none.
        for verb in ("add", "change_policy"):
            yield "POST", f"/_plugins/_ism/{verb}/{indices}", {"policy_id": self.name}


class IndexLifecycleManagement(Lifecycle):
    """Elasticsearch's ILM. A policy is attached to new indices by a setting of their template."""

    what = "Index Lifecycle Management"
    shows_on_indices = True
    api = "/_ilm/policy"

    def _is_ours(self) -> bool:
        return made_by_us(self.policy[self.name]["policy"].get("_meta"))

    def retention(self) -> str:
        if not self.present:
            return ""
        phases = self.policy[self.name]["policy"]["phases"]
        return str(phases.get("delete", {}).get("min_age", ""))

    def put(self, retention: str) -> Parts:
        return "PUT", self.path, ilm_policy(retention)

    def attach(self, indices: str) -> Iterator[Parts]:
        yield "PUT", f"/{indices}/_settings", {"index.lifecycle.name": self.name}


def lifecycle_of(cluster: Cluster, prefix: str) -> Lifecycle:
    """Return the retention policy of a prefix.

    :raises StoreError: when another policy, which k8sidx did not create, has its name.
    """
    elastic = cluster.product == "elasticsearch"
    return (IndexLifecycleManagement if elastic else IndexStateManagement)(cluster, prefix)
