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
"""What servers answer where nothing handles a path: 400 without the plugin, 410 Serverless."""


class Lifecycle(ABC):
    """The retention policy of a prefix, as it is on a cluster.

    :ivar name: of the policy.
    :ivar available: the cluster has such policies, and shows them to us.
    :ivar forbidden: why it does not show them to us; ``None`` where it has none.
    :ivar present: ours is there.
    """

    what = ""
    api = ""
    shows_on_indices = False
    """An index says by a setting of its own which policy it is under."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self.prefix = prefix
        self.name = policy_name(prefix)
        self.path = f"{self.api}/{quote(self.name, safe='')}"
        answer = retrying_request(cluster, "GET", self.path)
        self.available = answer.status not in (*_NOT_OFFERED, FORBIDDEN)
        self.forbidden: ClusterRefused | None = None
        if answer.status == FORBIDDEN:
            self.forbidden = refusal(answer, f"the policy {self.name}")
        self.found: Any = None
        if self.available and answer.status != 404:
            self.found = expect_success(answer, "GET", self.path)
            if not self._is_ours():
                raise StoreError(
                    f"the {self.what} policy {self.name} is there already and was not made by "
                    "k8sidx.",
                    remedy="Choose another prefix with --index, or delete it.",
                )

    @property
    def present(self) -> bool:
        return self.found is not None

    @property
    def why_not(self) -> str:
        """What to tell a user who asked for retention where there is none."""
        return (
            f"This cluster has no {self.what}: it does not delete old indices by itself. Delete "
            "those past their time yourself; their names hold the date."
        )

    def name_with(self, retention: str) -> str:
        """The policy's name, when it is there or will be."""
        return self.name if retention or self.present else ""

    @abstractmethod
    def retention(self) -> str:
        """The age at which the policy that is there deletes; empty without one."""

    def is_as_wanted(self, retention: str) -> bool:
        """Whether the policy that is there deletes at that age."""
        return self.retention() == retention

    @abstractmethod
    def put(self, retention: str) -> Parts:
        """The request that makes or changes the policy."""

    @abstractmethod
    def attach(self, indices: str) -> Iterator[Parts]:
        """The requests that put existing indices under the policy.

        :param indices: names, joined by commas, ready for a path.
        """

    @abstractmethod
    def _is_ours(self) -> bool: ...


class IndexStateManagement(Lifecycle):
    """OpenSearch's plugin. New indices come under a policy by the patterns in it."""

    what = "Index State Management"
    api = "/_plugins/_ism/policies"

    def _is_ours(self) -> bool:
        described = str(self.found["policy"].get("description", ""))
        return described.startswith(policy_description(""))

    def retention(self) -> str:
        if not self.present:
            return ""
        for state in self.found["policy"]["states"]:
            for transition in state.get("transitions", []):
                return str(transition.get("conditions", {}).get("min_index_age", ""))
        return ""

    def put(self, retention: str) -> Parts:
        path = self.path
        if self.present:
            number, term = self.found["_seq_no"], self.found["_primary_term"]
            path += f"?if_seq_no={number}&if_primary_term={term}"
        return "PUT", path, ism_policy(self.prefix, retention)

    def attach(self, indices: str) -> Iterator[Parts]:
        # "add" leaves indices alone that are under a policy, "change_policy" all others.
        for verb in ("add", "change_policy"):
            yield "POST", f"/_plugins/_ism/{verb}/{indices}", {"policy_id": self.name}


class IndexLifecycleManagement(Lifecycle):
    """Elasticsearch's. New indices come under a policy by the setting in their template."""

    what = "Index Lifecycle Management"
    shows_on_indices = True
    api = "/_ilm/policy"

    def _is_ours(self) -> bool:
        return made_by_us(self.found[self.name]["policy"].get("_meta"))

    def retention(self) -> str:
        if not self.present:
            return ""
        phases = self.found[self.name]["policy"]["phases"]
        return str(phases.get("delete", {}).get("min_age", ""))

    def put(self, retention: str) -> Parts:
        return "PUT", self.path, ilm_policy(retention)

    def attach(self, indices: str) -> Iterator[Parts]:
        yield "PUT", f"/{indices}/_settings", {"index.lifecycle.name": self.name}


def lifecycle_of(cluster: Cluster, prefix: str) -> Lifecycle:
    """The retention policy of a prefix.

    :raises StoreError: when its name is taken by a policy that is not ours.
    """
    elastic = cluster.product == "elasticsearch"
    return (IndexLifecycleManagement if elastic else IndexStateManagement)(cluster, prefix)
