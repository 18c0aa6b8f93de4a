"""Loader of hunts from Sigma documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, cast

from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule

from k8sidx.errors import InvalidHunt
from k8sidx.hunt.definition import LIBRARY, Hunt
from k8sidx.hunt.lists import SHIPPED, Lists
from k8sidx.hunt.sigma.correlation import correlation_hunt
from k8sidx.hunt.sigma.documents import OnError, RuleFile, rules_of
from k8sidx.hunt.sigma.extension import option_names
from k8sidx.hunt.sigma.rule import RuleReader


def read_hunts(
    text: str, *, file: str, stem: str, source: str = LIBRARY, lists: Lists = SHIPPED
) -> list[Hunt]:
    """Return all hunts of a file, in the order of its documents.

    :param file: its name, for errors.
    :param stem: id of a hunt whose document has no ``name``.
    :param lists: values of placeholders.
    :raises InvalidHunt: when a document cannot be read, or contains something
        unsupported.
    """

    def fail(error: InvalidHunt) -> NoReturn:
        raise error

    return read_files([RuleFile(text, file, stem, source)], lists, fail)


def read_files(files: Sequence[RuleFile], lists: Lists, on_error: OnError) -> list[Hunt]:
    """Return all hunts of some files, in the order of files and documents.

    :param on_error: called with the error of each document that is not a valid hunt, while
        the others are read.
    """
    hunts: list[Hunt] = []
    for file, rules in rules_of(files, on_error):
        for number, rule in enumerate(rules, 1):
            default_id = file.stem if len(rules) == 1 else f"{file.stem}-{number}"
            try:
                hunts.append(_hunt(RuleReader(rule, rule.name or default_id, file.source, lists)))
            except InvalidHunt as error:
                on_error(error)
    return hunts


def _hunt(reader: RuleReader) -> Hunt:
    rule = reader.rule
    if isinstance(rule, SigmaCorrelationRule):
        hunt = correlation_hunt(reader, rule)
    else:
        hunt = _rule_hunt(reader, cast("SigmaRule", rule))
    if error := hunt.conflict(reader.extension_where):
        raise error
    reader.check_reason(hunt)
    return hunt


def _rule_hunt(reader: RuleReader, rule: SigmaRule) -> Hunt:
    kind = reader.kind
    read = reader.condition(rule)
    options = {name: getattr(reader.extension, name) for name in option_names(kind)}
    return kind(**reader.common(), condition=read.condition, unexempted=read.unexempted, **options)
