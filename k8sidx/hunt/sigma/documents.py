"""Parser of Sigma files: rules and correlations with their locations."""

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
from k8sidx.hunt.sigma.location import Location

_LOCATION = "k8sidx location"
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


def location_of(rule: SigmaRuleBase) -> Location:
    """Return the location of a rule in its file."""
    return cast("Location", rule.custom_attributes[_LOCATION])


def rules_of(
    files: Sequence[RuleFile], on_error: OnError
) -> list[tuple[RuleFile, list[SigmaRuleBase]]]:
    """Return the rules and correlations of each file that become hunts, in their order.

    A correlation can be about rules of its file and, by name, of the others.

    :param on_error: called with the error of each document that cannot be read, while the
        others are read.
    """
    parsed = [(file, _rules(file, on_error)) for file in files]
    everywhere = SigmaCollection(
        [rule for _, rules in parsed for rule in rules], resolve_references=False
    )
    resolved: list[tuple[RuleFile, SigmaCollection]] = []
    for file, rules in parsed:
        lookup = _Lookup(SigmaCollection(list(rules), resolve_references=False), everywhere)
        for rule in [rule for rule in rules if isinstance(rule, SigmaCorrelationRule)]:
            try:
                rule.resolve_rule_references(cast("SigmaCollection", lookup))
            except SigmaError as error:
                on_error(_invalid_sigma(error, location_of(rule).where))
                rules.remove(rule)
        resolved.append((file, SigmaCollection(list(rules), resolve_references=False)))
    return [(file, list(collection.get_output_rules())) for file, collection in resolved]


class _Lookup:
    """Lookup of rules by name or id, those of the correlation's own file first."""

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
        on_error(InvalidHunt("this file contains no document.", where=Where(file.name)))
        return []
    # Documents with an action continue one another; others are read one by one.
    together = any("action" in document or "filter" in document for document in documents)
    parts = [documents] if together else [[document] for document in documents]
    rules: list[SigmaRule | SigmaCorrelationRule] = []
    failed = False
    for part in parts:
        location: Location = part[0].get(_LOCATION, Location(file.name))
        try:
            complete = [_filtered(document, file) for document in part]
            rules += _parsed(complete, location.where if len(part) == 1 else Where(file.name))
        except InvalidHunt as error:
            failed = True
            on_error(error)
    if not rules and not failed:
        on_error(InvalidHunt("this file contains no rule.", where=Where(file.name)))
    for rule in rules:
        rule.custom_attributes.setdefault(_LOCATION, Location(file.name))
    return sorted(rules, key=lambda rule: location_of(rule).line)


def _filtered(document: dict[str, Any], file: RuleFile) -> dict[str, Any]:
    location: Location = document.get(_LOCATION, Location(file.name))
    return apply_filters(document, Where(location.file, location.filters))


def _parsed(
    documents: Sequence[dict[str, Any]], where: Where
) -> list[SigmaRule | SigmaCorrelationRule]:
    try:
        collection = SigmaCollection.from_dicts(
            cast("Any", list(documents)), policy=POLICY, resolve_references=False
        )
    except SigmaError as error:
        raise _invalid_sigma(error, where) from error
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        # pySigma checks most of a document, but not the type of every part.
        message = f"not valid Sigma: a part of it has the wrong type ({error})."
        raise InvalidHunt(message, where=where) from error
    return collection.rules


def _invalid_sigma(error: SigmaError, where: Where) -> InvalidHunt:
    message = str(error.args[0] if error.args else error).rstrip(".")
    return InvalidHunt(f"not valid Sigma: {message}.", where=where)


def _documents(text: str, file: str) -> list[dict[str, Any]]:
    """Return the YAML documents, each with its location."""
    try:
        loaded = list(_load(text, file))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1 if mark else 0)
        raise InvalidHunt(
            f"not valid YAML: {error.problem or error.context}.", where=where
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidHunt(f"not valid YAML: {error}.", where=Where(file)) from error
    documents = []
    for document, location in loaded:
        if not isinstance(document, dict):
            raise InvalidHunt("a Sigma document must be a mapping.", where=location.where)
        if "action" not in document:
            document[_LOCATION] = location
        documents.append(document)
    return documents


def _load(text: str, file: str) -> Iterator[tuple[Any, Location]]:
    """Yield the documents that are not empty."""
    loader = yaml.CSafeLoader(text)
    while loader.check_node() and (node := loader.get_node()):
        # Located first: construction resolves the merge keys of the node.
        location = _location(node, file)
        document = loader.construct_document(node)
        if document is not None:
            yield document, location


def _location(node: yaml.Node, file: str) -> Location:
    line = node.start_mark.line + 1
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    keys = {
        key.value: (key.start_mark.line + 1, value)
        for key, value in pairs
        if isinstance(key, yaml.ScalarNode)
    }
    extension_line, extension = keys.get("k8sidx", (line, None))
    filters = extension_line
    if isinstance(extension, yaml.MappingNode):
        filters = next(
            (
                key.start_mark.line + 1
                for key, _ in extension.value
                if isinstance(key, yaml.ScalarNode) and key.value == "filters"
            ),
            extension_line,
        )
    fields: dict[str, int] = {}
    _, detection = keys.get("detection", (line, None))
    if isinstance(detection, yaml.MappingNode):
        _add_fields(detection, fields, set())
    return Location(file, line, extension_line, filters, fields)


def _add_fields(node: yaml.Node, fields: dict[str, int], seen: set[int]) -> None:
    """Add the first line of each field; nodes that aliases repeat are visited once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _add_fields(item, fields, seen)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                fields.setdefault(key.value.partition("|")[0], key.start_mark.line + 1)
            _add_fields(value, fields, seen)
