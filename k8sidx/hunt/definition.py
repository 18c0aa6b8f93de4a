"""Hunts as read from Sigma documents, whatever their kind.

A hunt is a Sigma document (https://github.com/SigmaHQ/sigma-specification). Options for
which Sigma has no key are under one extra key, ``k8sidx``
(:mod:`k8sidx.hunt.sigma.extension`). Kinds of hunts are listed in
:mod:`k8sidx.hunt.kinds.registry`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from k8sidx.errors import InvalidHunt, Where
from k8sidx.hunt.impersonators import TrustedImpersonator
from k8sidx.query.algebra import And, Condition, Leaf, Or, Query

if TYPE_CHECKING:
    from k8sidx.backends.protocol import Engine
    from k8sidx.hunt.kinds.time_window import Window
    from k8sidx.hunt.result import HuntResult

NOWHERE = Where("-")
LOOK_BACK = timedelta(minutes=10)
"""Time in which the stages of a request, and the copies that controllers make of a workload, are
logged."""
LIBRARY = "library"
"""``Hunt.source`` of the hunts that are shipped with k8sidx."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The article's eight steps of a threat hunt, a sentence or more each.

    :param environment: what is true of the environment.
    :param criterion: when the hunt has succeeded.
    :param hypothesis: what an attacker would do, and how that shows.
    :param data: which events it needs, and what they leave out.
    :param baseline: what is usual, and how to gather it.
    :param test: how the data support or reject the hypothesis.
    :param automation: how the pattern repeats by itself.
    :param next: what to look at after a finding, and what to hand to detection.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "str_strip_whitespace": True,
    }

    environment: str = ""
    criterion: str = ""
    hypothesis: str = ""
    data: str = ""
    baseline: str = ""
    test: str = ""
    automation: str = ""
    next: str = ""


class Impossible(NamedTuple):
    """A test of a rule that no audit.k8s.io/v1 event can pass.

    :param about: the field and the value.
    :param where: the file and line of the test.
    """

    about: str
    where: Where


@dataclass(frozen=True, slots=True)
class KnownGood:
    """An entry of an allow list (:mod:`k8sidx.hunt.allowlist`).

    :param hunts: ids of the hunts that it is about; ``*`` for every one.
    :param condition: the events that it suppresses.
    :param expires: the last day on which it holds.
    :param where: the file and line of the entry.
    """

    hunts: tuple[str, ...]
    condition: Condition
    reason: str
    expires: date
    where: Where
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt(ABC):
    """Base of all kinds of hunts.

    The fields of a subclass are the options of its kind under ``k8sidx``, with their types
    and defaults (:mod:`k8sidx.hunt.kinds.options`); those of a correlation are read from
    Sigma's own keys.

    :param id: the document's Sigma ``name``; without one, the name of its file.
    :param level: Sigma level: informational, low, medium, high, critical.
    :param condition: the events it is about.
    :param tags: Sigma tags, for example ``attack.t1613``.
    :param source: ``library``, or the file it was read from.
    :param where: the file and line at which its document begins.
    :param level_needed: lowest audit level that records what it needs.
    :param platforms_blind: platforms that cannot show it, and why.
    :param reason: the sentence of a finding (:mod:`k8sidx.hunt.finding_text`); empty for the
        default sentence of the kind.
    :param lists_missing: lists that its rules name and that are not configured: it cannot
        judge any event.
    :param impossible: tests of its rules that no event can pass.
    :param unexempted: the condition without the rule's exemptions; ``None`` without any.
    :param exempt_identities: tests of the caller's name in the exemptions.
    :param nodes_inside: whether requests from public addresses of the cluster's own nodes are
        left out.
    :param known_good: entries of the allow list that are about it, expired ones included.
    :param trusted_impersonators: proxies whose requests are those of the people behind them.
    :param stream: an activity stream, which reports and does not judge: runs only when it is
        named or informational hunts are requested.
    """

    kind: ClassVar[str]
    """Name of the kind in YAML, output and documentation."""
    facts: ClassVar[tuple[str, ...]]
    """Names that a ``reason`` can contain beside the finding's key."""
    documentation: ClassVar[str]
    """Paragraph about the kind in docs/hunts.md."""
    untranslatable: ClassVar[str] = ""
    """Clause on why no other query language can express it; empty where one can."""
    finds_requests: ClassVar[bool] = False
    """Whether its findings are about single callers, so that entries of an allow list can be
    suggested."""

    id: str
    title: str
    level: str
    condition: Condition
    uuid: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    source: str = LIBRARY
    where: Where = NOWHERE
    steps: Steps = field(default_factory=Steps)
    level_needed: str = "Metadata"
    platforms_blind: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    lists_missing: tuple[str, ...] = ()
    impossible: tuple[Impossible, ...] = ()
    unexempted: Condition | None = None
    exempt_identities: tuple[Leaf, ...] = ()
    nodes_inside: bool = False
    known_good: tuple[KnownGood, ...] = ()
    trusted_impersonators: tuple[TrustedImpersonator, ...] = ()
    stream: bool = False

    @property
    def look_back(self) -> timedelta:
        """Time before and after a new event in which the events of its finding lie, but for a
        baseline."""
        return LOOK_BACK

    @abstractmethod
    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return the rows and findings in a time window.

        :raises UnsupportedQuery: when the engine has no way to run it.
        :raises StoreError: when the store cannot be read.
        """

    @abstractmethod
    def key_names(self) -> Collection[str]:
        """Return the names of a finding's key that a ``reason`` can contain."""

    @abstractmethod
    def required_fields(self) -> Collection[str]:
        """Return the fields that are read beside those of the condition."""

    @abstractmethod
    def describe(self) -> str:
        """Return what it finds as a clause in Markdown, for docs/hunts.md."""

    def baseline_queries(self, window: Window | None = None) -> tuple[Query, ...]:
        """Return the queries about the baseline, in the form that daily summaries answer.

        Empty for kinds that compare with nothing.

        :param window: whose clusters are told apart; ``None`` for the events of one.
        """
        return ()

    def judges_clusters_alone(self, window: Window) -> bool:
        """Whether it runs once for each cluster: its numbers are those of all events."""
        return False

    def counts_only(self, window: Window) -> bool:
        """Whether it only counts in this window: no baseline and no evidence are read."""
        return False

    def restricted_to(self, condition: Condition) -> Self:
        """Return the hunt over those of its events that match a condition as well."""
        return replace(self, condition=And((self.condition, condition)))

    def judging(self, foreign: Condition) -> Self:
        """Return the hunt with its exemptions lifted for some callers.

        :param foreign: the requests of callers that are not exempt
            (:mod:`k8sidx.hunt.callers`).
        """
        if self.unexempted is None or not self.finds_requests:
            return self
        return replace(self, condition=widened(self.condition, self.unexempted, foreign))

    def conflict(self, extension: Where) -> InvalidHunt | None:
        """Return the error of options that contradict one another.

        :param extension: the file and line of the ``k8sidx`` key.
        """
        return None

    def invalid(self, message: str, remedy: str = "") -> InvalidHunt:
        """Return an error about the rule."""
        return InvalidHunt(f"rule {self.title!r}: {message}", remedy=remedy, where=self.where)


def widened(condition: Condition, unexempted: Condition | None, foreign: Condition) -> Condition:
    """Return the condition with its exemptions lifted for the requests of some callers."""
    if unexempted is None:
        return condition
    return Or((condition, And((foreign, unexempted))))
