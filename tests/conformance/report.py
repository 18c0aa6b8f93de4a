"""What each engine answered for each operation, as a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from k8sidx.backends.cluster.http.client import Cluster
from tests.servers.find import Servers
from tests.servers.fixtures import or_skip
from tests.servers.start import VERSIONS, CannotStart

SAME = "same rows"
_PLACE = re.compile(r" \(\d+\)$")

_HEAD = """# Conformance of the engines

<!-- Made by `make conformance`. -->

Every operation of the query algebra and every hunt of the library, over the same events, on every
engine. *same* means the same rows as DuckDB, in the same order if the query defines one (a query
for events always does); a number is the number of queries of that kind that were compared. An
unsupported operation is refused with a named error before any request is sent.

"""


@dataclass(slots=True)
class Report:
    """The outcomes of one run.

    :ivar versions: engines by the name of their server, as they name themselves.
    :ivar missing: servers that could not be had, and why.
    """

    outcomes: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """All of it in plain values, for the controller of pytest-xdist."""
        return {
            "outcomes": self.outcomes,
            "versions": self.versions,
            "missing": self.missing,
        }

    def take(self, told: Mapping[str, Any]) -> None:
        """Add what a worker told; each engine has its tests on one worker."""
        for operation, engines in told["outcomes"].items():
            self.outcomes.setdefault(operation, {}).update(engines)
        self.versions |= told["versions"]
        self.missing |= told["missing"]

    def add(self, operation: str, engine: str, outcome: str) -> None:
        """Note what an engine did with one query of an operation."""
        name = _PLACE.sub("", operation)
        self.outcomes.setdefault(name, {}).setdefault(engine, []).append(outcome)

    def cluster(self, servers: Servers, name: str) -> Cluster:
        """The server of that name; a test without it is skipped, and the report says so."""
        try:
            cluster = servers.get(name)
        except CannotStart as error:
            self.missing[name] = str(error)
            or_skip(error)
        self.versions[name] = f"{cluster.product} {'.'.join(map(str, cluster.version))}"
        return cluster

    def summary(self) -> list[str]:
        """One line for each engine."""
        counts: dict[str, Counter[str]] = {}
        for engines in self.outcomes.values():
            for engine, outcomes in engines.items():
                said = ("same" if one == SAME else "refused" for one in outcomes)
                counts.setdefault(engine, Counter()).update(said)
        return [
            f"conformance of {self.versions.get(engine, engine)}: "
            + ", ".join(f"{number} {word}" for word, number in sorted(counts[engine].items()))
            for engine in filter(counts.__contains__, VERSIONS)
        ]

    def document(self) -> str:
        """The table as Markdown."""
        engines = [name for name in VERSIONS if name in self.versions]
        lines = [_HEAD]
        for name, reason in self.missing.items():
            lines.append(f"Not run: {name}: {reason.splitlines()[0]}\n\n")
        if not any(name.startswith("hunt ") for name in self.outcomes):
            lines.append("Hunts were not compared in this run; the test suite compares them.\n\n")
        titles = [self.versions[one] for one in engines]
        lines.append(f"| operation | {' | '.join(titles)} |\n")
        lines.append(f"| --- |{' --- |' * len(engines)}\n")
        for operation, found in self.outcomes.items():
            cells = [_cell(found.get(engine, [])) for engine in engines]
            lines.append(f"| {_escaped(operation)} | {' | '.join(cells)} |\n")
        return "".join(lines)


def _cell(outcomes: list[str]) -> str:
    if not outcomes:
        return "not run"
    counted = Counter(outcomes)
    if set(counted) == {SAME}:
        return "same" if len(outcomes) == 1 else f"same ({len(outcomes)})"
    parts = []
    for outcome, number in counted.items():
        told = "same" if outcome == SAME else f"refused: {_escaped(outcome)}"
        parts.append(f"{told} ({number})" if number > 1 else told)
    return "; ".join(parts)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
