"""Every error k8sidx raises on purpose, and where in the input it happened.

The tree, with the exit code a command ends with (docs/cli.md)::

    K8sidxError
    ├── UsageError              2   the command, the configuration or a hunt is wrong
    │   ├── UnknownField        2   a name that is not in the field table
    │   ├── InvalidQuery        2   a query that contradicts itself
    │   ├── UnsupportedQuery    2   an engine cannot run it; raised when compiling, never later
    │   └── InvalidHunt         2   a Sigma document that cannot be read or run
    │       └── OtherLog        2   it is about other logs
    └── StoreError              3   the store cannot be reached, or refused us
        ├── StoreBusy           3   another process is writing
        ├── NotDelivered        3   a cluster took part of what was shipped
        ├── StoreVersion        3   made by another version of k8sidx
        ├── ClusterUnreachable  3   no whole answer came (k8sidx.backends.cluster.http.response)
        └── ClusterRefused      3   the answer is an error (k8sidx.backends.cluster.http.api_errors)

A record that cannot be stored is no exception: it is a
:class:`k8sidx.events.records.Rejected` that travels with the data to the
dead-letter file (exit code 4).
"""

from __future__ import annotations

from typing import NamedTuple


class Where(NamedTuple):
    """A place in an input: the file (or ``-``) and the 1-based line or record number."""

    source: str
    record: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.record}" if self.record else self.source


class K8sidxError(Exception):
    """Base of all errors that a user can do something about.

    :param message: one sentence, what is wrong.
    :param remedy: one sentence, what to do about it.
    :param where: the file and line it is about.
    """

    exit_code = 2

    def __init__(self, message: str, *, remedy: str = "", where: Where | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{place}{self.message}{remedy}"


class UsageError(K8sidxError):
    """The command line, the configuration or a file given to it is wrong."""


class UnknownField(UsageError):
    """A field name that is neither in the field table nor an alias of one."""


class InvalidQuery(UsageError):
    """A query that contradicts itself (a metric without a name, an order by nothing, …)."""


class UnsupportedQuery(UsageError):
    """An engine has no way to run this query; raised when it is compiled."""


class InvalidHunt(UsageError):
    """A hunt document that cannot be read, or asks for what k8sidx does not know."""


class OtherLog(InvalidHunt):
    """A Sigma rule about other logs than Kubernetes audit logs."""


class StoreError(K8sidxError):
    """The store cannot be reached, cannot be read, or refused us."""

    exit_code = 3


class StoreBusy(StoreError):
    """Another process holds the store's write lock."""


class NotDelivered(StoreError):
    """A cluster was away or busy for too long, or does not let us: events are left over."""


class StoreVersion(StoreError):
    """The store was written by a newer k8sidx, or needs a migration."""
