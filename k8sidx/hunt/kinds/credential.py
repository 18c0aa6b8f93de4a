"""Credential hunts: one token or certificate in two places, and tokens that were minted and used.

``user.extra["authentication.kubernetes.io/credential-id"]`` identifies the token (JTI) or the
certificate (digest) of a request, since Kubernetes 1.32; the annotation
``authentication.kubernetes.io/issued-credential-id`` the token that a TokenRequest made.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.events.normalize.actors import network_of
from k8sidx.hunt.caller import is_private
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import fill, named, times
from k8sidx.hunt.kinds.evidence import (
    COUNT,
    EVIDENCE_METRICS,
    as_count,
    as_texts,
    exact_result,
    sort_key,
)
from k8sidx.hunt.kinds.time_window import CLUSTER, Window
from k8sidx.hunt.result import Finding, HuntResult, Unjudged
from k8sidx.query.algebra import And, Condition, OneOf, Present, Query, Terms, Wildcard

ID = "user.extra.authentication.kubernetes.io/credential-id"
ISSUED = "annotations.authentication.kubernetes.io/issued-credential-id"
TOKEN = "JTI="  # noqa: S105 - the prefix of a token's id

USED_WITHIN = timedelta(days=1)
"""Time in which the uses of a watched credential are compared."""

_USED_BY = (CLUSTER, ID, "user.username", "source.ip", "userAgent")
_MINTED_BY = (CLUSTER, ISSUED, "user.username", "source.ip")
_BOUND_TO = (CLUSTER, ID, "user.extra.authentication.kubernetes.io/node-name")
_NODES_AT = (CLUSTER, "user.username", "source.ip")
_NODE_USER = "system:node:"
_KEYS_AT_ONCE = 500
_OS = re.compile(r"\((\w+)/")


class Use(NamedTuple):
    """Requests of one credential from one address by one client."""

    cluster: Value
    credential: str
    user: str
    address: str
    agent: str
    requests: int
    first: datetime | None
    last: datetime | None
    audit_ids: tuple[str, ...]

    @property
    def client(self) -> tuple[str, str]:
        """The product of the user agent, and its operating system; empty where it names none."""
        system = _OS.search(self.agent)
        return self.agent.partition("/")[0], system[1] if system else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialHunt(Hunt):
    """Credentials in two places, or tokens used after somebody minted them.

    :param looks_for: ``places``: one credential from two networks. A token of a service account
        belongs to one pod, so two networks are enough; a certificate or another token is a
        person's, who moves: two clients as well, used at the same time. ``minted``: a token that
        a request of the rule minted, and its use. ``node``: a token bound to a node, used from the
        address of another node's kubelet beside its own place, or from a public one where the
        nodes are private.
    """

    kind = "credential"
    facts = ("times", "elsewhere", "by")
    documentation = (
        "`places`: one credential from two networks (/24 or /48). A service account's token "
        "belongs to one pod, so that two networks are enough. A certificate is a person's, who "
        "moves and whose provider changes addresses: its clients must differ, too, and their use "
        "overlap. `minted`: a token that a matching request minted, and its use. `node`: "
        "a token that is bound to a node, used from the address of another node beside its own "
        "place, or from outside. "
        "Nothing is judged "
        "where no event has a credential's id."
    )
    untranslatable = "it joins the requests of one credential"
    finds_requests = True

    looks_for: Literal["places", "minted", "node"]

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each credential and foreign place or use."""
        search = {"places": self._places, "minted": self._minted, "node": self._away_from_node}
        unsorted = search[self.looks_for](engine, window)
        findings = sorted(unsorted, key=lambda finding: sort_key(tuple(finding.key.values())))
        rows: list[tuple[Value, ...]] = [
            (*finding.key.values(), finding.first_seen, finding.last_seen, finding.count)
            for finding in findings
        ]
        columns = (*self.key_names(), "first_seen", "last_seen", "count")
        return exact_result(
            self, engine, columns, rows, findings, self._without_ids(engine, window)
        )

    @property
    def look_back(self) -> timedelta:
        return USED_WITHIN

    def key_names(self) -> Collection[str]:
        return (CLUSTER, "user.username", "source.ip", ID)

    def required_fields(self) -> Collection[str]:
        return {*_USED_BY, *_MINTED_BY, *_BOUND_TO}

    def describe(self) -> str:
        if self.looks_for == "places":
            return "one finding for each credential and place in which it is foreign"
        if self.looks_for == "node":
            return "one finding for each credential and place away from its node"
        return "one finding for each minted token and place from which it was used"

    def _places(self, engine: Engine, window: Window) -> Iterator[Finding]:
        by_credential: dict[tuple[Value, str], list[Use]] = {}
        for use in _uses(engine, window, self.condition):
            by_credential.setdefault((use.cluster, use.credential), []).append(use)
        for uses in by_credential.values():
            home = max(uses, key=lambda use: (use.requests, str(use.first)))
            away = [use for use in uses if any(_apart(use, other) for other in uses)
                    and network_of(use.address) != network_of(home.address)]  # fmt: skip
            for address in dict.fromkeys(use.address for use in away):
                yield self._finding(
                    [use for use in away if use.address == address],
                    elsewhere=f"{home.address} by {home.agent}",
                )

    def _minted(self, engine: Engine, window: Window) -> Iterator[Finding]:
        rows = engine.run(_grouped(And((self.condition, Present(ISSUED))), _MINTED_BY, window)).rows
        minted = {(row[0], str(row[1])): (str(row[2]), str(row[3])) for row in rows}
        ids = sorted({credential for _, credential in minted})
        uses: dict[tuple[Value, str, str], list[Use]] = {}
        for start in range(0, len(ids), _KEYS_AT_ONCE):
            used = OneOf(ID, tuple(ids[start : start + _KEYS_AT_ONCE]))
            for use in _uses(engine, window, used):
                if (use.cluster, use.credential) in minted:
                    key = (use.cluster, use.credential, use.address)
                    uses.setdefault(key, []).append(use)
        for (cluster, credential, _), together in uses.items():
            user, address = minted[cluster, credential]
            yield self._finding(together, by=f"{user} from {address}")

    def _away_from_node(self, engine: Engine, window: Window) -> Iterator[Finding]:
        kubelets = Wildcard("user.username", f"{_NODE_USER}*")
        node_of: dict[tuple[Value, str], set[str]] = {}
        for cluster, user, address in _distinct(engine, kubelets, _NODES_AT, window):
            name = str(user).removeprefix(_NODE_USER)
            node_of.setdefault((cluster, str(address)), set()).add(name)
        if not node_of:
            return
        bound = {
            (cluster, str(credential)): str(node)
            for cluster, credential, node in _distinct(engine, self.condition, _BOUND_TO, window)
        }
        all_private = all(is_private(address) for _, address in node_of)
        uses: dict[tuple[Value, str, str], list[Use]] = {}
        addresses: dict[tuple[Value, str], set[str]] = {}
        for use in _uses(engine, window, self.condition):
            addresses.setdefault((use.cluster, use.credential), set()).add(use.address)
            own = bound.get((use.cluster, use.credential), "")
            others = node_of.get((use.cluster, use.address), {own})
            if own not in others or (all_private and not is_private(use.address)):
                uses.setdefault((use.cluster, use.credential, use.address), []).append(use)
        for (cluster, credential, address), together in uses.items():
            is_node = (cluster, address) in node_of
            if is_node and len(addresses[cluster, credential]) == 1:
                continue  # a token with one place is its pod's, whatever its node was named
            here = ", ".join(sorted(node_of.get((cluster, address), {"no node"})))
            own = bound.get((cluster, credential), "")
            yield self._finding(together, elsewhere=f"its pod is on {own}, the address is {here}")

    def _finding(self, uses: Sequence[Use], elsewhere: str = "", by: str = "") -> Finding:
        use = uses[0]
        values = (use.cluster, use.user, use.address, use.credential)
        key: dict[str, Value] = dict(zip(self.key_names(), values, strict=True))
        requests = sum(each.requests for each in uses)
        facts = {"times": times(requests), "elsewhere": elsewhere, "by": by}
        default = f"{self.title}: {named(key)}, {facts['times']}"
        return Finding(
            self.id,
            self.level,
            key,
            requests,
            min((each.first for each in uses if each.first), default=None),
            max((each.last for each in uses if each.last), default=None),
            fill(self.reason, key, facts) if self.reason else default,
            tuple(dict.fromkeys(each for part in uses for each in part.audit_ids))[:20],
        )

    def _without_ids(self, engine: Engine, window: Window) -> tuple[Unjudged, ...]:
        """Return that nothing can be judged where events exist and none has a credential's id."""
        anything = Query(since=window.since, until=window.until, metrics=(COUNT,))
        if _count(engine, replace(anything, where=Present(ID))):
            return ()
        events = _count(engine, anything)
        if not events:
            return ()
        why = "no event has the id of its credential: API servers log it since Kubernetes 1.32."
        return (Unjudged("platform", why, events),)


def _apart(first: Use, second: Use) -> bool:
    """Whether two uses of a credential are not those of one holder."""
    families = {":" in first.address, ":" in second.address}
    if len(families) == 2 or network_of(first.address) == network_of(second.address):
        return False
    if first.credential.startswith(TOKEN) and first.user.startswith("system:serviceaccount:"):
        return True
    return first.client != second.client and _overlap(first, second)


def _overlap(first: Use, second: Use) -> bool:
    if first.first is None or second.first is None or first.last is None or second.last is None:
        return False
    return first.first <= second.last and second.first <= first.last


def _uses(engine: Engine, window: Window, condition: Condition) -> Iterator[Use]:
    rows = engine.run(_grouped(And((condition, Present(ID))), _USED_BY, window)).rows
    width = len(_USED_BY)
    for row in rows:
        cluster, *texts = row[:width]
        credential, user, address, agent = (str(value or "") for value in texts)
        count, first, last, audit_ids = row[width:]
        if address:
            yield Use(
                cluster, credential, user, address, agent, as_count(count),
                first if isinstance(first, datetime) else None,
                last if isinstance(last, datetime) else None,
                as_texts(audit_ids),
            )  # fmt: skip


def _grouped(condition: Condition, names: Sequence[str], window: Window) -> Query:
    return Query(
        where=condition,
        since=window.since,
        until=window.until,
        group_by=tuple(Terms(name, keep_missing=True) for name in names),
        metrics=(COUNT, *EVIDENCE_METRICS),
    )


def _distinct(
    engine: Engine, condition: Condition, names: Sequence[str], window: Window
) -> Iterator[tuple[Value, ...]]:
    """Yield the combinations of values that events have."""
    for row in engine.run(_grouped(condition, names, window)).rows:
        yield row[: len(names)]


def _count(engine: Engine, query: Query) -> int:
    rows = engine.run(query).rows
    return as_count(rows[0][0]) if rows else 0
