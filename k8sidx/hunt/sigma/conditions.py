"""Sigma detections as conditions of the query algebra.

Sigma compares without regard to case unless ``|cased`` is set, and regular expressions with
regard to it unless ``|re|i`` is (Sigma specification, "Sigma Modifiers"). Whatever the algebra
cannot express raises :class:`~k8sidx.errors.InvalidHunt`: no part of a rule is silently left out.
Placeholders (``|expand``) are lists (:mod:`k8sidx.hunt.lists`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, cast

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaError
from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RE2RegexEngine, RegexPattern
from sigma.rule import SigmaRule
from sigma.rule.detection import SigmaDetections
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaStringPartType,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from k8sidx.errors import InvalidHunt, InvalidQuery, UnknownField, Where
from k8sidx.events.fields.lookup import ALIASES, BY_NAME, ECS, resolve
from k8sidx.events.fields.table import Field, Kind
from k8sidx.events.outcome import OUTCOMES
from k8sidx.hunt.definition import Impossible
from k8sidx.hunt.lists import SHIPPED, Lists, is_network
from k8sidx.hunt.sigma.exemptions import (
    NEVER_FIELD,
    exemptions_of,
    only_selections,
    without_selections,
)
from k8sidx.hunt.sigma.field_names import stored_name
from k8sidx.hunt.sigma.field_values import is_value, with_subresource
from k8sidx.hunt.sigma.location import Location
from k8sidx.query.algebra import (
    NEVER,
    And,
    Compare,
    Comparison,
    Condition,
    InNetwork,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Wildcard,
    check_condition,
    leaves,
    rewritten,
)
from k8sidx.query.coerce import coerce
from k8sidx.query.derived import OUTCOME, outcome_condition
from k8sidx.query.regex import InvalidRegex, compiled
from k8sidx.query.simplify import any_of
from k8sidx.query.wildcard import escape

_KNOWN = frozenset((*BY_NAME, *ALIASES, *ECS))

_CALLER_NAMES = ("user.username", "user.effective.name", "user.kind")

MOST_PATTERNS = 10_000
"""Patterns that one value with placeholders may become at most."""

_COMPARISONS: dict[str, Comparison] = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_FLAGS = {SigmaRegularExpressionFlag.MULTILINE: "m", SigmaRegularExpressionFlag.DOTALL: "s"}


class QuietRE2(RE2RegexEngine):
    """RE2, as pySigma uses it by default, without its log on stderr."""

    def compile(self, pattern: str, flags: int = 0) -> RegexPattern:
        try:
            return cast("RegexPattern", compiled(pattern))
        except InvalidRegex as error:
            raise InvalidRegex(f"{error.message} (RE2 syntax)") from error

    @property
    def error(self) -> type[Exception]:
        return InvalidRegex


POLICY = SigmaPolicy(regex_engine=QuietRE2())


class RuleCondition(NamedTuple):
    """The condition of a rule's detection.

    :param lists_missing: lists that it names and that are not configured; without them the
        condition has no meaning.
    :param impossible: tests that no event can pass.
    :param unexempted: the condition without the exemptions of the rule; ``None`` without any.
    :param identities: tests of the caller's name that its exemptions contain.
    """

    condition: Condition
    lists_missing: tuple[str, ...] = ()
    impossible: tuple[Impossible, ...] = ()
    unexempted: Condition | None = None
    identities: tuple[Leaf, ...] = ()


def rule_condition(rule: SigmaRule, location: Location, lists: Lists = SHIPPED) -> RuleCondition:
    """Return the condition of a rule; of several conditions, any.

    :param location: the location of the rule, for errors.
    :param lists: the entries of its placeholders.
    :raises InvalidHunt: when the rule has an error, or a part without an equivalent here.
    """
    where = location.where
    reader = _Reader(f"rule {rule.title!r}", location, where, lists)
    condition = reader.detections(rule.detection)
    unmet = tuple(reader.unmet)
    exempt = exemptions_of(rule, where)
    unexempted = reader.detections(without_selections(rule, exempt)) if exempt else None
    names = leaves(reader.detections(only_selections(rule, exempt))) if exempt else ()
    return RuleCondition(
        condition,
        tuple(reader.missing),
        (*reader.impossible, *unmet),
        unexempted,
        tuple(dict.fromkeys(leaf for leaf in names if leaf.field in _CALLER_NAMES)),
    )


def field_name(name: str, rule: str, where: Where) -> str:
    """Return the stored name of a field that a rule names.

    :raises InvalidHunt: when there is no such field, or when it cannot be searched.
    """
    name = stored_name(name, _KNOWN)
    try:
        field = resolve(name).field
    except UnknownField as error:
        raise InvalidHunt(f"{rule}: {error.message}", remedy=error.remedy, where=where) from error
    if field.kind is Kind.JSON:
        raise InvalidHunt(
            f"{rule}: {name} is stored, but not searched.",
            remedy="docs/fields.md lists the fields that are promoted from it.",
            where=where,
        )
    return name


@dataclass(frozen=True, slots=True)
class _Reader:
    """Translates the conditions of one rule.

    :ivar unmet: tests of values that no event has; of alternatives, where that is true of all.
    """

    rule: str
    location: Location
    where: Where
    lists: Lists
    missing: dict[str, None] = field(default_factory=dict)
    impossible: dict[Impossible, None] = field(default_factory=dict)
    unmet: dict[Impossible, None] = field(default_factory=dict)

    def detections(self, detections: SigmaDetections) -> Condition:
        """Return the condition of the detections; of several conditions, any.

        :raises InvalidHunt: when it is not valid, or nested more deeply than can be read.
        """
        try:
            return self._detections(detections)
        except RecursionError as error:
            message = f"{self.rule}: the condition is nested too deeply."
            raise InvalidHunt(message, where=self.where) from error

    def _detections(self, detections: SigmaDetections) -> Condition:
        try:
            parsed = [condition.parsed for condition in detections.parsed_condition]
        except SigmaError as error:
            raise InvalidHunt(f"{self.rule}: {error.args[0]}.", where=self.where) from error
        conditions = [self.condition(item) for item in parsed]
        condition = conditions[0] if len(conditions) == 1 else Or(tuple(conditions))
        try:
            check_condition(condition)
        except InvalidQuery as error:
            raise InvalidHunt(f"{self.rule}: {error.message}.", where=self.where) from error
        return rewritten(condition, self.of_event)

    def condition(self, node: object) -> Condition:
        if isinstance(node, ConditionAND):
            return And(tuple(self.condition(item) for item in node.args))
        if isinstance(node, ConditionOR):
            readers = [replace(self, unmet={}) for _ in node.args]
            pairs = zip(readers, node.args, strict=True)
            parts = [reader.condition(item) for reader, item in pairs]
            if all(reader.unmet for reader in readers):
                for reader in readers:
                    self.unmet.update(reader.unmet)
            return any_of(parts)
        if isinstance(node, ConditionNOT):
            return Not(self.condition(node.args[0]))
        if isinstance(node, ConditionFieldEqualsValueExpression):
            if node.field == NEVER_FIELD:
                return NEVER
            reader = replace(self, where=self.location.of_field(node.field))
            name = field_name(node.field, self.rule, reader.where)
            return reader.value(name, node.value)
        if isinstance(node, ConditionValueExpression):
            raise self.error(
                f"the keyword {str(node.value)!r} has no field.",
                "Name the field to search: audit events have no free text.",
            )
        raise self.error("the condition is empty.", "")

    def value(self, name: str, value: SigmaType) -> Condition:
        field = resolve(name).field
        if isinstance(value, SigmaNull):
            return Not(Present(name))
        if isinstance(value, SigmaExists):
            return Present(name) if value.exists else Not(Present(name))
        if isinstance(value, SigmaExpansion):
            return any_of([self.value(name, item) for item in value.values])
        if isinstance(value, SigmaString):
            return self.text(name, field, value)
        if isinstance(value, SigmaTimestampPart):
            raise self.error(f"{name}: parts of a time cannot be compared.", "")
        if isinstance(value, SigmaNumber):
            return self.checked(name, field, Compare(name, "=", value.number))
        if isinstance(value, SigmaBool):
            return self.checked(name, field, Compare(name, "=", value.boolean))
        if isinstance(value, SigmaCompareExpression):
            return self.comparison(name, field, value)
        if isinstance(value, SigmaRegularExpression):
            return self.regex(name, field, value)
        if isinstance(value, SigmaCIDRExpression):
            if field.kind is not Kind.ADDRESS:
                raise self.error(f"{name} is not an address, which |cidr needs.", "")
            return InNetwork(name, (str(value.network),))
        modifier = type(value).__name__.removeprefix("Sigma")
        raise self.error(f"{name}: {modifier} is not supported.", "")

    def text(self, name: str, field: Field, value: SigmaString) -> Condition:
        ignore_case = not isinstance(value, SigmaCasedString)
        name, field = with_subresource(name, field, str(value))
        if value.contains_placeholder():
            return self.listed(name, field, value, ignore_case)
        if value.s == [SpecialChars.WILDCARD_MULTI]:
            return Present(name)
        if not value.contains_special():
            plain = "".join(str(part) for part in value.s)
            return self.checked(name, field, Compare(name, "=", plain, ignore_case))
        self.need_text(name, field, "a pattern")
        return Wildcard(name, _pattern(value), ignore_case)

    def listed(self, name: str, field: Field, value: SigmaString, ignore_case: bool) -> Condition:
        """Return the value with each combination of entries in the place of its placeholders."""
        choices: list[tuple[object, ...]] = []
        for part in value.s:
            if not isinstance(part, Placeholder):
                choices.append((part,))
                continue
            entries = self.lists.entries(part.name)
            if entries is None:
                self.missing[part.name] = None
            choices.append(entries or ())
        if len(value.s) == 1:
            return self.members(name, field, cast("tuple[str, ...]", choices[0]), ignore_case)
        if math.prod(map(len, choices)) > MOST_PATTERNS:
            raise self.error(
                f"{name}: {value} means more than {MOST_PATTERNS:,} patterns.",
                "Compare with whole values, or shorten the list.",
            )
        texts = [self.joined(parts) for parts in itertools.product(*choices)]
        made: list[Condition] = []
        for text in texts:
            combined = (SigmaString if ignore_case else SigmaCasedString)()
            combined.s = text
            made.append(self.text(name, field, combined))
        return any_of(made) if made else NEVER

    def joined(self, parts: Sequence[object]) -> list[SigmaStringPartType]:
        """Return the parts of a value, entries parsed as Sigma parses values."""
        merged: list[SigmaStringPartType] = []
        for part in parts:
            for item in (
                SigmaString(part).s if isinstance(part, str) else [cast("SpecialChars", part)]
            ):
                if merged and isinstance(merged[-1], str) and isinstance(item, str):
                    merged[-1] += item
                else:
                    merged.append(item)
        return merged

    def members(
        self, name: str, field: Field, entries: Sequence[str], ignore_case: bool
    ) -> Condition:
        """Return that the whole value is one of the entries: however many, few conditions."""
        if field.kind is Kind.ADDRESS:
            wrong = next((entry for entry in entries if not is_network(entry)), None)
            if wrong is not None:
                raise self.error(f"{name} is an address, and the list has {wrong!r}.", "")
            return InNetwork(name, tuple(entries)) if entries else NEVER
        exact: list[str] = []
        alternatives: list[Condition] = []
        for entry in entries:
            pattern = SigmaString(entry)
            if pattern.contains_special() or with_subresource(name, field, entry)[0] != name:
                cased = pattern if ignore_case else SigmaCasedString.from_sigma_string(pattern)
                alternatives.append(self.text(name, field, cased))
            else:
                exact.append("".join(str(part) for part in pattern.s))
        if exact:
            self.checked(name, field, Compare(name, "=", exact[0]))
            alternatives.insert(0, OneOf(name, tuple(exact), ignore_case))
        return alternatives[0] if len(alternatives) == 1 else Or(tuple(alternatives))

    def comparison(self, name: str, field: Field, value: SigmaCompareExpression) -> Condition:
        op = _COMPARISONS.get(value.op.name)
        if op is None or not field.is_number:
            raise self.error(f"{name} is not a number, which |{value.op.name.lower()} needs.", "")
        return Compare(name, op, value.number.number)

    def regex(self, name: str, field: Field, value: SigmaRegularExpression) -> Condition:
        self.need_text(name, field, "a regular expression")
        pattern = str(value.regexp)
        name, field = with_subresource(name, field, pattern)
        if value.contains_placeholder():
            raise self.error(
                f"{name}: placeholders (|expand) in expressions are not supported.", ""
            )
        flags = "".join(sorted(_FLAGS[flag] for flag in value.flags if flag in _FLAGS))
        ignore_case = SigmaRegularExpressionFlag.IGNORECASE in value.flags
        return Regex(name, f"(?{flags}){pattern}" if flags else pattern, ignore_case)

    def checked(self, name: str, field: Field, leaf: Compare) -> Condition:
        """Return the comparison, or one that never holds, which is recorded, when no value of the
        field's kind passes it."""
        try:
            possible = coerce(field, leaf.value) is not None
        except InvalidQuery as error:
            raise self.error(error.message, error.remedy) from error
        if not possible:
            about = f"{name} is of the kind {field.kind.value} and never {leaf.value!r}"
            self.impossible[Impossible(about, self.where)] = None
            return NEVER
        if not is_value(leaf):
            self.unmet[Impossible(f"{name} is never {leaf.value!r}", self.where)] = None
        return leaf

    def of_event(self, leaf: Leaf) -> Condition:
        """Return a comparison with ``event.outcome`` as one with what the API server logged:
        earlier versions derived it from less, and stored no denials."""
        if leaf.field != OUTCOME or not isinstance(leaf, Compare | OneOf):
            return leaf
        words = leaf.values if isinstance(leaf, OneOf) else (leaf.value,)
        unknown = next((word for word in words if str(word).lower() not in OUTCOMES), None)
        if unknown is not None:
            about = f"{OUTCOME} is one of {', '.join(OUTCOMES)} and never {unknown!r}"
            self.impossible[Impossible(about, self.where)] = None
        return outcome_condition(leaf)

    def need_text(self, name: str, field: Field, what: str) -> None:
        if field.kind is Kind.ADDRESS:
            raise self.error(
                f"{name} is an address, which cannot match {what}.", "Write a network with |cidr."
            )
        if field.kind is not Kind.KEYWORD:
            raise self.error(
                f"{name} is of the kind {field.kind.value}, which cannot match {what}.",
                "Compare numbers with |gt, |gte, |lt or |lte.",
            )

    def error(self, message: str, remedy: str) -> InvalidHunt:
        return InvalidHunt(f"{self.rule}: {message}", remedy=remedy, where=self.where)


def _pattern(value: SigmaString) -> str:
    wildcards = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}
    return "".join(
        wildcards[part] if isinstance(part, SpecialChars) else escape(str(part)) for part in value.s
    )
