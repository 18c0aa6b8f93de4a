"""A Sigma detection → a condition of the query algebra.

Sigma compares without regard to case unless ``|cased`` is said, and regular expressions
with regard to it unless ``|re|i`` is (Sigma specification, "Sigma Modifiers"). Whatever
the algebra cannot say raises :class:`~k8sidx.errors.InvalidHunt`: no part of a rule is
left out in silence. Placeholders (``|expand``) are lists (:mod:`k8sidx.hunt.lists`).
"""

from __future__ import annotations

import itertools
import math
import re
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
from k8sidx.hunt.definition import Impossible
from k8sidx.hunt.lists import SHIPPED, Lists, is_network
from k8sidx.hunt.sigma.field_names import stored_name
from k8sidx.hunt.sigma.location import Location
from k8sidx.query.algebra import (
    NEVER,
    And,
    Compare,
    Comparison,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Wildcard,
    check_condition,
)
from k8sidx.query.coerce import coerce

_KNOWN = frozenset((*BY_NAME, *ALIASES, *ECS))

MOST_PATTERNS = 10_000
"""Patterns that one value with placeholders may become."""

_COMPARISONS: dict[str, Comparison] = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_FLAGS = {SigmaRegularExpressionFlag.MULTILINE: "m", SigmaRegularExpressionFlag.DOTALL: "s"}


class NotRE2(Exception):
    """A regular expression that RE2 does not know, and so no engine."""


class QuietRE2(RE2RegexEngine):
    """RE2, as pySigma uses it by default, without its log on stderr."""

    def compile(self, pattern: str, flags: int = 0) -> RegexPattern:
        import re2  # type: ignore[import-untyped]

        options = re2.Options()
        options.log_errors = False
        try:
            return cast("RegexPattern", re2.compile(pattern, options))
        except re2.error as error:
            reason = error.args[0]
            text = reason.decode() if isinstance(reason, bytes) else str(reason)
            raise NotRE2(f"{text} (RE2 syntax)") from error

    @property
    def error(self) -> type[Exception]:
        return NotRE2


POLICY = SigmaPolicy(regex_engine=QuietRE2())


class RuleCondition(NamedTuple):
    """What a rule's detection became.

    :param lists_missing: lists that it names and nobody has given; without them the
        condition means nothing.
    :param impossible: tests that no event can pass.
    """

    condition: Condition
    lists_missing: tuple[str, ...] = ()
    impossible: tuple[Impossible, ...] = ()


def rule_condition(rule: SigmaRule, place: Location, lists: Lists = SHIPPED) -> RuleCondition:
    """The condition of a rule; of several conditions, any.

    :param place: where the rule stands, for errors.
    :param lists: what its placeholders mean.
    :raises InvalidHunt: for what is wrong with the rule, or has no equivalent here.
    """
    where = place.where
    reader = _Reader(f"rule {rule.title!r}", place, where, lists)
    try:
        parsed = [condition.parsed for condition in rule.detection.parsed_condition]
    except SigmaError as error:
        raise InvalidHunt(f"{reader.rule}: {error.args[0]}.", where=where) from error
    conditions = [reader.condition(one) for one in parsed]
    found = conditions[0] if len(conditions) == 1 else Or(tuple(conditions))
    try:
        check_condition(found)
    except InvalidQuery as error:
        raise InvalidHunt(f"{reader.rule}: {error.message}.", where=where) from error
    return RuleCondition(found, tuple(reader.missing), tuple(reader.impossible))


def field_name(name: str, rule: str, where: Where) -> str:
    """The stored name of a field as a rule calls it.

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
    """Translates the conditions of one rule."""

    rule: str
    place: Location
    where: Where
    lists: Lists
    missing: dict[str, None] = field(default_factory=dict)
    impossible: dict[Impossible, None] = field(default_factory=dict)

    def condition(self, node: object) -> Condition:
        if isinstance(node, ConditionAND):
            return And(tuple(self.condition(one) for one in node.args))
        if isinstance(node, ConditionOR):
            return _any_of([self.condition(one) for one in node.args])
        if isinstance(node, ConditionNOT):
            return Not(self.condition(node.args[0]))
        if isinstance(node, ConditionFieldEqualsValueExpression):
            reader = replace(self, where=self.place.of_field(node.field))
            name = field_name(node.field, self.rule, reader.where)
            return reader.value(name, node.value)
        if isinstance(node, ConditionValueExpression):
            raise self.error(
                f"the keyword {str(node.value)!r} stands without a field.",
                "Name the field it is looked for in: audit events have no free text.",
            )
        raise self.error("the condition is empty.", "")

    def value(self, name: str, value: SigmaType) -> Condition:
        field = resolve(name).field
        if isinstance(value, SigmaNull):
            return Not(Present(name))
        if isinstance(value, SigmaExists):
            return Present(name) if value.exists else Not(Present(name))
        if isinstance(value, SigmaExpansion):
            return _any_of([self.value(name, one) for one in value.values])
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
                raise self.error(f"{name} holds no addresses, |cidr needs them.", "")
            return InNetwork(name, (str(value.network),))
        modifier = type(value).__name__.removeprefix("Sigma")
        raise self.error(f"{name}: {modifier} is not supported.", "")

    def text(self, name: str, field: Field, value: SigmaString) -> Condition:
        ignore_case = not isinstance(value, SigmaCasedString)
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
        """The value with each combination of entries in the place of its placeholders."""
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
            one = (SigmaString if ignore_case else SigmaCasedString)()
            one.s = text
            made.append(self.text(name, field, one))
        return _any_of(made) if made else NEVER

    def joined(self, parts: Sequence[object]) -> list[SigmaStringPartType]:
        """Parts of a value, entries read as Sigma reads values."""
        found: list[SigmaStringPartType] = []
        for part in parts:
            for one in (
                SigmaString(part).s if isinstance(part, str) else [cast("SpecialChars", part)]
            ):
                if found and isinstance(found[-1], str) and isinstance(one, str):
                    found[-1] += one
                else:
                    found.append(one)
        return found

    def members(
        self, name: str, field: Field, entries: Sequence[str], ignore_case: bool
    ) -> Condition:
        """The whole value is one of the entries: however many, few conditions."""
        if field.kind is Kind.ADDRESS:
            wrong = next((one for one in entries if not is_network(one)), None)
            if wrong is not None:
                raise self.error(f"{name} holds addresses, and the list has {wrong!r}.", "")
            return InNetwork(name, tuple(entries)) if entries else NEVER
        exact: list[str] = []
        found: list[Condition] = []
        for entry in entries:
            one = SigmaString(entry)
            if one.contains_special():
                cased = one if ignore_case else SigmaCasedString.from_sigma_string(one)
                found.append(self.text(name, field, cased))
            else:
                exact.append("".join(str(part) for part in one.s))
        if exact:
            self.checked(name, field, Compare(name, "=", exact[0]))
            found.insert(0, OneOf(name, tuple(exact), ignore_case))
        return found[0] if len(found) == 1 else Or(tuple(found))

    def comparison(self, name: str, field: Field, value: SigmaCompareExpression) -> Condition:
        op = _COMPARISONS.get(value.op.name)
        if op is None or not field.is_number:
            raise self.error(f"{name} holds no numbers, |{value.op.name.lower()} needs them.", "")
        return Compare(name, op, value.number.number)

    def regex(self, name: str, field: Field, value: SigmaRegularExpression) -> Condition:
        self.need_text(name, field, "a regular expression")
        pattern = str(value.regexp)
        if value.contains_placeholder():
            raise self.error(
                f"{name}: placeholders (|expand) in expressions are not supported.", ""
            )
        flags = "".join(sorted(_FLAGS[flag] for flag in value.flags if flag in _FLAGS))
        ignore_case = SigmaRegularExpressionFlag.IGNORECASE in value.flags
        return Regex(name, f"(?{flags}){pattern}" if flags else pattern, ignore_case)

    def checked(self, name: str, field: Field, leaf: Compare) -> Condition:
        """The comparison; one that no value of the field's kind passes never holds, and is told."""
        try:
            possible = coerce(field, leaf.value) is not None
        except InvalidQuery as error:
            raise self.error(error.message, error.remedy) from error
        if not possible:
            about = f"{name} is of the kind {field.kind.value} and never {leaf.value!r}"
            self.impossible[Impossible(about, self.where)] = None
            return NEVER
        return leaf

    def need_text(self, name: str, field: Field, what: str) -> None:
        if field.kind is Kind.ADDRESS:
            raise self.error(f"{name} holds addresses, not {what}.", "Write a network with |cidr.")
        if field.kind is not Kind.KEYWORD:
            raise self.error(
                f"{name} is of the kind {field.kind.value} and has no {what}.",
                "Compare numbers with |gt, |gte, |lt or |lte.",
            )

    def error(self, message: str, remedy: str) -> InvalidHunt:
        return InvalidHunt(f"{self.rule}: {message}", remedy=remedy, where=self.where)


def _any_of(conditions: list[Condition]) -> Condition:
    """Any of them; equalities of one field are put together."""
    first = conditions[0]
    if len(conditions) == 1:
        return first
    equal = [one for one in conditions if isinstance(one, Compare) and one.op == "="]
    if isinstance(first, Compare) and len(equal) == len(conditions):
        alike = {(one.field, one.ignore_case) for one in equal}
        if len(alike) == 1:
            return OneOf(first.field, tuple(one.value for one in equal), first.ignore_case)
    networks = [one for one in conditions if isinstance(one, InNetwork)]
    if len(networks) == len(conditions) and len({one.field for one in networks}) == 1:
        return InNetwork(networks[0].field, tuple(n for one in networks for n in one.networks))
    return Or(tuple(conditions))


def _pattern(value: SigmaString) -> str:
    signs = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}
    return "".join(
        signs[part] if isinstance(part, SpecialChars) else re.sub(r"[*?\\]", r"\\\g<0>", str(part))
        for part in value.s
    )
