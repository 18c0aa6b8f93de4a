"""Sigma documents → hunts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule, SigmaRuleBase

from k8sidx.errors import InvalidHunt, Where
from k8sidx.fields.lookup import resolve
from k8sidx.fields.table import Kind
from k8sidx.hunt import block as blocks
from k8sidx.hunt.definition import (
    LIBRARY,
    Column,
    Hunt,
    MatchHunt,
    NewHunt,
    SpikeHunt,
    Steps,
    ThresholdHunt,
    TopHunt,
)
from k8sidx.hunt.lists import SHIPPED, Lists
from k8sidx.hunt.sentence import FACTS, names_in
from k8sidx.hunt.sigma import POLICY, field_name, rule_condition
from k8sidx.query.algebra import Condition, Or

_LINE = "k8sidx document line"
_BLOCK_LINE = "k8sidx block line"
_COUNTED = (SigmaCorrelationType.EVENT_COUNT, SigmaCorrelationType.VALUE_COUNT)


def read_hunts(
    text: str, *, file: str, stem: str, source: str = LIBRARY, lists: Lists = SHIPPED
) -> list[Hunt]:
    """All hunts of a file, in the order of its documents.

    :param file: its name, for errors.
    :param stem: id of a hunt whose document has no ``name``.
    :param lists: what placeholders mean.
    :raises InvalidHunt: when a document cannot be read, or asks for what k8sidx does not know.
    """
    documents = _documents(text, file)
    if not documents:
        raise InvalidHunt("there is no document in this file.", where=Where(file))
    rules = _rules(documents, file)
    hunts: list[Hunt] = []
    for place, rule in enumerate(rules, 1):
        usual = stem if len(rules) == 1 else f"{stem}-{place}"
        hunts.append(_Document(rule, file, rule.name or usual, source, lists).hunt())
    return hunts


def _documents(text: str, file: str) -> list[dict[str, Any]]:
    """The YAML documents, each with the lines that it and its ``k8sidx`` key begin at."""
    try:
        nodes = [node for node in yaml.compose_all(text, yaml.CSafeLoader) if node is not None]
        loaded = [one for one in yaml.load_all(text, yaml.CSafeLoader) if one is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1 if mark else 0)
        raise InvalidHunt(
            f"no valid YAML: {error.problem or error.context}.", where=where
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidHunt(f"no valid YAML: {error}.", where=Where(file)) from error
    documents = []
    for node, document in zip(nodes, loaded, strict=False):
        line = node.start_mark.line + 1
        if not isinstance(document, dict) or not isinstance(node, yaml.MappingNode):
            raise InvalidHunt("a Sigma document is a mapping.", where=Where(file, line))
        lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
        if "action" not in document:
            document |= {_LINE: line, _BLOCK_LINE: lines.get("k8sidx", line)}
        documents.append(document)
    return documents


def _rules(documents: Sequence[dict[str, Any]], file: str) -> list[SigmaRuleBase]:
    line = documents[0].get(_LINE, 0) if len(documents) == 1 else 0
    try:
        collection = SigmaCollection.from_dicts(cast("Any", list(documents)), policy=POLICY)
    except SigmaError as error:
        message = str(error.args[0] if error.args else error).rstrip(".")
        raise InvalidHunt(f"no valid Sigma: {message}.", where=Where(file, line)) from error
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        # pySigma checks most of a document, but not the type of every part.
        message = f"no valid Sigma: a part of it has the wrong type ({error})."
        raise InvalidHunt(message, where=Where(file, line)) from error
    rules = list(collection.get_output_rules())
    if not rules:
        raise InvalidHunt("there is no rule in this file.", where=Where(file))
    return sorted(rules, key=lambda rule: int(rule.custom_attributes.get(_LINE, 0)))


class _Document:
    """One rule or correlation on its way to a hunt."""

    def __init__(
        self, rule: SigmaRuleBase, file: str, identifier: str, source: str, lists: Lists
    ) -> None:
        self.rule = rule
        self.lists = lists
        self.lists_missing: dict[str, None] = {}
        self.file = file
        self.where = Where(file, int(rule.custom_attributes.get(_LINE, 0)))
        self.block_where = Where(file, int(rule.custom_attributes.get(_BLOCK_LINE, 0)))
        self.said = f"rule {rule.title!r}"
        self.id = identifier
        self.source = source
        self.block = blocks.read_block(
            rule.custom_attributes.get("k8sidx"),
            correlation=isinstance(rule, SigmaCorrelationRule),
            where=self.block_where,
        )

    def hunt(self) -> Hunt:
        if isinstance(self.rule, SigmaCorrelationRule):
            return self.threshold(self.rule)
        rule = cast("SigmaRule", self.rule)
        condition = self.condition(rule)
        common = self.common()
        match self.block:
            case blocks.TopBlock() as top:
                columns = tuple(self.column(one) for one in top.by)
                headings = [column.name for column in columns]
                if len({*headings, top.count}) <= len(headings):
                    raise self.error("two columns have the same heading.", "")
                self.check_reason(headings, "top")
                return TopHunt(
                    **common,
                    condition=condition,
                    by=columns,
                    count=top.count,
                    limit=top.limit,
                    keep_missing=top.keep_missing,
                )
            case blocks.NewBlock() as new:
                self.check_reason(new.by, "new")
                return NewHunt(
                    **common,
                    condition=condition,
                    by=self.fields(new.by),
                    window=new.window,
                    history=new.history,
                )
            case blocks.SpikeBlock() as spike:
                self.check_reason((), "spike")
                return SpikeHunt(
                    **common,
                    condition=condition,
                    interval=spike.interval,
                    at_least=spike.at_least,
                    deviations=spike.deviations,
                    history=spike.history,
                    who=self.fields((spike.who,))[0],
                )
        match = cast("blocks.MatchBlock", self.block)
        self.check_reason(match.finding_by, "match")
        return MatchHunt(**common, condition=condition, finding_by=self.fields(match.finding_by))

    def common(self) -> dict[str, Any]:
        """What all kinds of hunts have."""
        rule, block = self.rule, self.block
        return {
            "id": self.id,
            "title": rule.title,
            "level": str(rule.level) if rule.level else "medium",
            "uuid": str(rule.id or ""),
            "description": (rule.description or "").strip(),
            "tags": tuple(str(tag) for tag in rule.tags),
            "references": tuple(str(one) for one in rule.references),
            "falsepositives": tuple(str(one) for one in rule.falsepositives),
            "source": self.source,
            "steps": Steps(**{k: v.strip() for k, v in block.steps.model_dump().items()}),
            "level_needed": block.level_needed,
            "platforms_blind": tuple(block.platforms_blind.items()),
            "reason": block.reason,
            "lists_missing": tuple(self.lists_missing),
        }

    def threshold(self, rule: SigmaCorrelationRule) -> ThresholdHunt:
        counted = rule.condition
        if rule.type not in _COUNTED or not isinstance(counted, SigmaCorrelationCondition):
            raise self.error(
                f"correlations of the type {rule.type} are not supported.",
                "There are event_count and value_count.",
            )
        if len(rule.aliases):
            raise self.error("aliases in correlations are not supported.", "")
        if counted.op.name not in ("GT", "GTE"):
            raise self.error(
                f"a correlation with {counted.op.name.lower()} looks for what is missing, "
                "which is not supported.",
                "There are gt and gte.",
            )
        at_least = math.ceil(counted.count)
        if counted.op.name == "GT":
            at_least = math.floor(counted.count) + 1
        if at_least < 1:
            raise self.error("a correlation's threshold is at least 1.", "")
        named = counted.fieldref or []
        values = self.fields([named] if isinstance(named, str) else named)
        group_by = self.fields(rule.group_by or [])
        self.check_reason(rule.group_by or [], "threshold")
        condition = self.base_condition(rule)
        return ThresholdHunt(
            **self.common(),
            condition=condition,
            group_by=group_by,
            values=values if rule.type is SigmaCorrelationType.VALUE_COUNT else (),
            at_least=at_least,
            timespan=timedelta(seconds=rule.timespan.seconds),
        )

    def base_condition(self, rule: SigmaCorrelationRule) -> Condition:
        conditions = []
        for reference in rule.referenced_rules:
            base = reference.rule
            if not isinstance(base, SigmaRule):
                raise self.error(
                    f"it is about the correlation {reference.reference!r}.",
                    "A correlation can be about rules only.",
                )
            conditions.append(self.condition(base))
        return conditions[0] if len(conditions) == 1 else Or(tuple(conditions))

    def condition(self, rule: SigmaRule) -> Condition:
        logsource = rule.logsource
        if (logsource.product, logsource.service) != ("kubernetes", "audit"):
            raise InvalidHunt(
                f"rule {rule.title!r} is about {logsource.product or 'any product'}, "
                f"service {logsource.service or 'any'}.",
                remedy="k8sidx runs rules with product: kubernetes and service: audit.",
                where=self.where,
            )
        where = Where(self.file, int(rule.custom_attributes.get(_LINE, 0)))
        found = rule_condition(rule, where, self.lists)
        self.lists_missing |= dict.fromkeys(found.lists_missing)
        return found.condition

    def column(self, said: str | Mapping[str, str]) -> Column:
        if isinstance(said, str):
            return Column(self.fields((said,))[0], said)
        if len(said) != 1:
            raise InvalidHunt("k8sidx.by: a column has one name.", where=self.block_where)
        name, field = next(iter(said.items()))
        return Column(self.fields((field,))[0], name)

    def fields(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names of the fields, each once: a table has no column twice."""
        found = tuple(field_name(str(name), self.said, self.where) for name in names)
        if len(set(found)) != len(found):
            raise self.error(f"a field is named twice: {', '.join(found)}.", "")
        times = [name for name in found if resolve(name).field.kind is Kind.TIME]
        if times:
            raise self.error(f"{times[0]} is a time and makes no groups.", "")
        return found

    def check_reason(self, key: Iterable[str], kind: str) -> None:
        known = {*key, *FACTS[kind]}
        for name in names_in(self.block.reason):
            if name not in known:
                raise InvalidHunt(
                    f"k8sidx.reason: nothing is named {name!r} here.",
                    remedy=f"There are: {', '.join(sorted(known))}.",
                    where=self.block_where,
                )

    def error(self, message: str, remedy: str) -> InvalidHunt:
        return InvalidHunt(f"{self.said}: {message}", remedy=remedy, where=self.where)
