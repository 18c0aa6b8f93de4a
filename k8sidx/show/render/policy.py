"""Audit policies as sheets and lines: hidden requests, and costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from k8sidx import __version__
from k8sidx.hunt.policy.blind import Sight
from k8sidx.hunt.policy.cost import Costs
from k8sidx.hunt.policy.write import Written
from k8sidx.show.render.sheet import Sheet, quantity

SHOWN = 3
"""Kinds of hidden requests that a row of the table names."""


def sights_sheet(sights: Sequence[Sight]) -> Sheet:
    """Return a row for each hunt that the policy hides something from."""
    rows = [
        (
            sight.hunt.id,
            sight.hunt.level,
            sight.verdict,
            len(sight.hidden),
            sight.requests,
            _hidden(sight),
        )
        for sight in sights
        if sight.verdict != "sees"
    ]
    columns = ("hunt", "level", "verdict", "hidden", "requests", "what the policy does")
    return Sheet(columns, rows, "Hunts that the policy blinds")


def _hidden(sight: Sight) -> str:
    if not sight.requests:
        return "no example of a request is known: not checked"
    shown = [f"{hidden.request.text}: {hidden.reason}" for hidden in sight.hidden[:SHOWN]]
    more = len(sight.hidden) - len(shown)
    return "; ".join(shown) + (f"; {more:,} more" if more else "")


def sights_line(sights: Sequence[Sight], file: str) -> str:
    """Return the summary: ``p.yaml: 120 of 178 hunts see all that they are about, 58 blind.``"""
    counts = Counter(sight.verdict for sight in sights)
    parts = [f"{counts['sees']:,} of {quantity(len(sights), 'hunt')} see all that they are about"]
    parts += [
        f"{counts[verdict]:,} {text}"
        for verdict, text in (
            ("partly blind", "partly blind"),
            ("blind", "blind"),
            ("unknown", "not checked"),
        )
        if counts[verdict]
    ]
    return f"{file}: {', '.join(parts)}."


def dropping_lines(sights: Sequence[Sight], file: str) -> Iterator[str]:
    """Yield which hunts cannot find anything, or not everything, in events without those that a
    policy drops."""
    for verdict, text in (("blind", "blinds"), ("partly blind", "blinds in part")):
        names = [sight.hunt.id for sight in sights if sight.verdict == verdict]
        if names:
            yield f"dropping by {file} {text} {quantity(len(names), 'hunt')}: {', '.join(names)}."


def costs_sheet(costs: Costs) -> Sheet:
    """Return a row for each rule of a policy, and one for what no rule matches."""
    rows = [
        (
            cost.rule.line if cost.rule else None,
            cost.rule.level if cost.rule else "no rule matches",
            cost.events,
            costs.a_day(cost.events),
            round(100 * cost.events / costs.events, 1) if costs.events else None,
            round(cost.bytes / cost.events) if cost.events else None,
        )
        for cost in costs.rules
    ]
    columns = ("line", "level", "events", "events_a_day", "percent", "bytes_an_event")
    return Sheet(columns, rows, "Events of each rule")


def costs_line(costs: Costs) -> str:
    """Return the summary of what a policy logs of the events of a store."""
    if not costs.events:
        return "the store has no events in this period: nothing was measured."
    return (
        f"of {costs.a_day(costs.events):,} events a day in the store the policy logs "
        f"{costs.logged_a_day:,}. What the policy in force left out is not in the store."
    )


def policy_heading(hunts: int, written: Written, budget: int | None) -> list[str]:
    """Return the lines of comment at the beginning of a policy."""
    lines = [
        f"Audit policy for {quantity(hunts, 'hunt')}, by k8sidx {__version__}, "
        f"{datetime.now(UTC):%Y-%m-%d}.",
        "The first rule that matches a request decides.",
    ]
    if budget is not None and written.logged is not None:
        lines.append(
            f"Budget: {budget:,} events a day; of the events in the store it logs "
            f"{written.logged:,} a day."
        )
    if any(rule.level == "None" for rule in written.policy.rules):
        lines.append("Rules of level None also hide these requests when an attacker makes them.")
    return lines
