"""Exception hierarchy, with exit codes and positions in the input.

The tree, with the exit code of a command (docs/cli.md)::

    K8sidxError
    ├── UsageError              2   the command, the configuration or a hunt is invalid
    │   ├── SourceError         2   an input in a cloud cannot be read
    │   │   └── SourceUnavailable  2   for a reason that may pass
    │   ├── UnknownField        2   a name that is not in the field table
    │   ├── InvalidQuery        2   a query that contradicts itself
    │   ├── UnsupportedQuery    2   an engine cannot run it; raised at compilation, never later
    │   └── InvalidHunt         2   a Sigma document that cannot be read or run
    │       └── DifferentLogSource 2  a rule about other logs
    └── StoreError              3   the store is unreachable or refused the request
        ├── StoreBusy           3   another process is writing
        ├── NotDelivered        3   a cluster accepted only part of the events
        ├── StoreVersion        3   made by another version of k8sidx
        ├── ClusterUnreachable  3   no complete response (k8sidx.backends.cluster.http.response)
        └── ClusterRefused      3   an error response (k8sidx.backends.cluster.http.api_errors)

A record that cannot be stored does not raise: it becomes a
:class:`k8sidx.events.records.Rejected` that travels with the data to the
dead-letter file (exit code 4).
"""

from __future__ import annotations

from typing import NamedTuple


class Where(NamedTuple):
    """Position in an input: the file (or ``-``) and the 1-based line or record number."""

    source: str
    record: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.record}" if self.record else self.source


class K8sidxError(Exception):
    """Base class of errors that a user can act on.

    :param message: one sentence that states the problem.
    :param remedy: one sentence that states the fix.
    :param where: file and line of the problem.
    """

    exit_code = 2

    def __init__(self, message: str, *, remedy: str = "", where: Where | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.where = where

    def __str__(self) -> str:
        prefix = f"{self.where}: " if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{prefix}{self.message}{remedy}"


class UsageError(K8sidxError):
    """The command line, the configuration or a file given to it is invalid."""


class SourceError(UsageError):
    """An input in a cloud cannot be read: credentials, permissions, a name that does not exist."""


class SourceUnavailable(SourceError):
    """An input in a cloud cannot be read for now: throttling, an outage, the network."""


class UnknownField(UsageError):
    """A name that is neither a field in the field table nor an alias of one."""


class InvalidQuery(UsageError):
    """An inconsistent query (a metric without a name, an order by nothing, …)."""


class UnsupportedQuery(UsageError):
    """An engine cannot run this query; raised at compilation."""


class MissingColumns(UnsupportedQuery):
    """The store was made by a version that did not have the fields of a query."""

    exit_code = 3


class InvalidHunt(UsageError):
    """A hunt document that cannot be read or requires an unsupported feature."""


class DifferentLogSource(InvalidHunt):
    """A Sigma rule about other logs than Kubernetes audit logs."""


class StoreError(K8sidxError):
    """The store is unreachable, unreadable or refused the request."""

    exit_code = 3


class StoreBusy(StoreError):
    """Another process holds the store's write lock."""


class NotDelivered(StoreError):
    """A cluster was unreachable, overloaded or refused access: events remain undelivered."""


class StoreVersion(StoreError):
    """The store was written by a newer k8sidx, or needs a migration."""
