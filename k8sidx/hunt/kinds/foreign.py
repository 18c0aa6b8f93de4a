"""Foreign-caller hunts: identities of the platform where, or as, the data do not show them.

:mod:`k8sidx.hunt.callers` describes what the data show of an identity.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.callers import BY, ForeignCaller, callers_of, callers_question, platform_identities
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import fill, named, times
from k8sidx.hunt.kinds.evidence import exact_result, finding_of, sort_key
from k8sidx.hunt.kinds.time_window import EXTENT, Window
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.query.algebra import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignHunt(Hunt):
    """Requests of an identity from an address, or with a client, that is foreign to it."""

    kind = "foreign"
    facts = ("times", "why")
    documentation = (
        "requests of an identity from an address, or with a client, that the data do not show for "
        "it, with one finding per identity, address and client. The baseline shows what is usual "
        "where there is one; without it, controllers act from the control plane's addresses, "
        "kubelets from their nodes, other accounts from inside the cluster, and none of them with "
        "a client that people use."
    )
    untranslatable = "it compares with where an identity acts otherwise"

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each foreign caller."""
        foreign = callers_of(self.condition, engine, window, engine).foreign
        chosen = self._chosen(engine, window)
        callers = sorted(
            (caller for caller in foreign if _values(caller) in chosen),
            key=lambda caller: sort_key(_values(caller)),
        )
        findings = [self._finding(caller) for caller in callers]
        rows: list[tuple[Value, ...]] = [
            (*finding.key.values(), finding.first_seen, finding.last_seen, finding.count)
            for finding in findings
        ]
        columns = (*BY, "first_seen", "last_seen", "count")
        return exact_result(self, engine, columns, rows, findings)

    def _chosen(self, engine: Engine, window: Window) -> set[tuple[Value, ...]]:
        """Return the callers that the condition is about: others only show places."""
        question = callers_question(self.condition)
        rows = engine.run(question.replace(since=window.since, until=window.until)).rows
        return {tuple(value or None for value in row[: len(BY)]) for row in rows}

    def _finding(self, foreign: ForeignCaller) -> Finding:
        caller = foreign.caller
        key = dict(zip(BY, _values(foreign), strict=True))
        facts = {"times": times(caller.requests), "why": foreign.why}
        default = f"{self.title}: {named(key)}, {facts['times']}; {foreign.why}"
        reason = fill(self.reason, key, facts) if self.reason else default
        return finding_of(self, key, (caller.requests, *caller.evidence), reason)

    def key_names(self) -> Collection[str]:
        return BY

    def required_fields(self) -> Collection[str]:
        return BY

    def baseline_queries(self, window: Window | None = None) -> tuple[Query, ...]:
        return (EXTENT, callers_question(platform_identities()))

    def describe(self) -> str:
        return "one finding for each identity, address and client that the data do not show for it"


def _values(foreign: ForeignCaller) -> tuple[Value, ...]:
    caller = foreign.caller
    return caller.cluster, caller.user, caller.address, caller.agent or None
