"""Files of Sigma → their rules and correlations, each with the place that it stands at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError, SigmaRuleNotFoundError
from sigma.rule import SigmaRule, SigmaRuleBase

from k8sidx.errors import InvalidHunt, Where
from k8sidx.hunt.sigma.conditions import POLICY
from k8sidx.hunt.sigma.filters import apply_filters
from k8sidx.hunt.sigma.location import Place

_PLACE = "k8sidx place"
OnError = Callable[[InvalidHunt], None]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file of Sigma documents.

    :param stem: id of a hunt whose document has no ``name``.
    :param source: :attr:`k8sidx.hunt.definition.Hunt.source` of its hunts.
    """

    text: str
    name: str
    stem: str
    source: str


def place_of(rule: SigmaRuleBase) -> Place:
    """Where a rule stands."""
    return cast("Place", rule.custom_attributes[_PLACE])


def rules_of(
    files: Sequence[RuleFile], on_error: OnError
) -> list[tuple[RuleFile, list[SigmaRuleBase]]]:
    """The rules and correlations of each file that hunts are made of, in their order.

    A correlation can be about rules of its file and, by name, of the others.

    :param on_error: told of each document that cannot be read; the others are.
    """
    read = [(file, _rules(file, on_error)) for file in files]
    everywhere = SigmaCollection(
        [rule for _, rules in read for rule in rules], resolve_references=False
    )
    found: list[tuple[RuleFile, SigmaCollection]] = []
    for file, rules in read:
        lookup = _Lookup(SigmaCollection(list(rules), resolve_references=False), everywhere)
        for rule in [one for one in rules if isinstance(one, SigmaCorrelationRule)]:
            try:
                rule.resolve_rule_references(cast("SigmaCollection", lookup))
            except SigmaError as error:
                on_error(_no_sigma(error, place_of(rule).where))
                rules.remove(rule)
        found.append((file, SigmaCollection(list(rules), resolve_references=False)))
    return [(file, list(collection.get_output_rules())) for file, collection in found]


class _Lookup:
    """Rules by name or id, those of the correlation's own file first."""

    def __init__(self, *collections: SigmaCollection) -> None:
        self._collections = collections

    def __getitem__(self, name: str) -> SigmaRule | SigmaCorrelationRule:
        for collection in self._collections[:-1]:
            try:
                return collection[name]
            except SigmaRuleNotFoundError:
                continue
        return self._collections[-1][name]


def _rules(file: RuleFile, on_error: OnError) -> list[SigmaRule | SigmaCorrelationRule]:
    try:
        documents = _documents(file.text, file.name)
    except InvalidHunt as error:
        on_error(error)
        return []
    if not documents:
        on_error(InvalidHunt("there is no document in this file.", where=Where(file.name)))
        return []
    # Documents with an action continue one another; others are read one by one.
    together = any("action" in one or "filter" in one for one in documents)
    parts = [documents] if together else [[one] for one in documents]
    rules: list[SigmaRule | SigmaCorrelationRule] = []
    failed = False
    for part in parts:
        place: Place = part[0].get(_PLACE, Place(file.name))
        try:
            complete = [_filtered(document, file) for document in part]
            rules += _parsed(complete, place.where if len(part) == 1 else Where(file.name))
        except InvalidHunt as error:
            failed = True
            on_error(error)
    if not rules and not failed:
        on_error(InvalidHunt("there is no rule in this file.", where=Where(file.name)))
    for rule in rules:
        rule.custom_attributes.setdefault(_PLACE, Place(file.name))
    return sorted(rules, key=lambda rule: place_of(rule).line)


def _filtered(document: dict[str, Any], file: RuleFile) -> dict[str, Any]:
    place: Place = document.get(_PLACE, Place(file.name))
    return apply_filters(document, Where(place.file, place.filters))


def _parsed(
    documents: Sequence[dict[str, Any]], where: Where
) -> list[SigmaRule | SigmaCorrelationRule]:
    try:
        collection = SigmaCollection.from_dicts(
            cast("Any", list(documents)), policy=POLICY, resolve_references=False
        )
    except SigmaError as error:
        raise _no_sigma(error, where) from error
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        # pySigma checks most of a document, but not the type of every part.
        message = f"no valid Sigma: a part of it has the wrong type ({error})."
        raise InvalidHunt(message, where=where) from error
    return collection.rules


def _no_sigma(error: SigmaError, where: Where) -> InvalidHunt:
    message = str(error.args[0] if error.args else error).rstrip(".")
    return InvalidHunt(f"no valid Sigma: {message}.", where=where)


def _documents(text: str, file: str) -> list[dict[str, Any]]:
    """The YAML documents, each with its place."""
    try:
        read = list(_read(text, file))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1 if mark else 0)
        raise InvalidHunt(
            f"no valid YAML: {error.problem or error.context}.", where=where
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidHunt(f"no valid YAML: {error}.", where=Where(file)) from error
    documents = []
    for document, place in read:
        if not isinstance(document, dict):
            raise InvalidHunt("a Sigma document is a mapping.", where=place.where)
        if "action" not in document:
            document[_PLACE] = place
        documents.append(document)
    return documents


def _read(text: str, file: str) -> Iterator[tuple[Any, Place]]:
    """The documents that are not empty."""
    loader = yaml.CSafeLoader(text)
    while loader.check_node() and (node := loader.get_node()):
        # Asked first: a document that is made resolves the merge keys of its node.
        place = _place(node, file)
        document = loader.construct_document(node)
        if document is not None:
            yield document, place


def _place(node: yaml.Node, file: str) -> Place:
    line = node.start_mark.line + 1
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    keys = {
        key.value: (key.start_mark.line + 1, value)
        for key, value in pairs
        if isinstance(key, yaml.ScalarNode)
    }
    block, extension = keys.get("k8sidx", (line, None))
    filters = block
    if isinstance(extension, yaml.MappingNode):
        filters = next(
            (
                key.start_mark.line + 1
                for key, _ in extension.value
                if isinstance(key, yaml.ScalarNode) and key.value == "filters"
            ),
            block,
        )
    fields: dict[str, int] = {}
    _, detection = keys.get("detection", (line, None))
    if isinstance(detection, yaml.MappingNode):
        _add_fields(detection, fields, set())
    return Place(file, line, block, filters, fields)


def _add_fields(node: yaml.Node, fields: dict[str, int], seen: set[int]) -> None:
    """Remember where fields are named; what aliases repeat is looked at once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _add_fields(one, fields, seen)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                fields.setdefault(key.value.partition("|")[0], key.start_mark.line + 1)
            _add_fields(value, fields, seen)
