"""Sigma documents → hunts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, cast

from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule

from k8sidx.errors import InvalidHunt
from k8sidx.hunt.definition import LIBRARY, Hunt, MatchHunt, NewHunt, SilentHunt, SpikeHunt, TopHunt
from k8sidx.hunt.kinds.controller_copies import CONTROLLER
from k8sidx.hunt.lists import SHIPPED, Lists
from k8sidx.hunt.sigma import extension as blocks
from k8sidx.hunt.sigma.correlation import correlation_hunt
from k8sidx.hunt.sigma.documents import OnError, RuleFile, rules_of
from k8sidx.hunt.sigma.rule import RuleReader


def read_hunts(
    text: str, *, file: str, stem: str, source: str = LIBRARY, lists: Lists = SHIPPED
) -> list[Hunt]:
    """All hunts of a file, in the order of its documents.

    :param file: its name, for errors.
    :param stem: id of a hunt whose document has no ``name``.
    :param lists: what placeholders mean.
    :raises InvalidHunt: when a document cannot be read, or asks for what k8sidx does not know.
    """

    def fail(error: InvalidHunt) -> NoReturn:
        raise error

    return read_files([RuleFile(text, file, stem, source)], lists, fail)


def read_files(files: Sequence[RuleFile], lists: Lists, on_error: OnError) -> list[Hunt]:
    """All hunts of some files, in the order of files and documents.

    :param on_error: told of each document that no hunt can be made of; the others are.
    """
    hunts: list[Hunt] = []
    for file, rules in rules_of(files, on_error):
        for number, rule in enumerate(rules, 1):
            usual = file.stem if len(rules) == 1 else f"{file.stem}-{number}"
            try:
                hunts.append(_hunt(RuleReader(rule, rule.name or usual, file.source, lists)))
            except InvalidHunt as error:
                on_error(error)
    return hunts


def _hunt(reader: RuleReader) -> Hunt:
    if isinstance(reader.rule, SigmaCorrelationRule):
        return correlation_hunt(reader, reader.rule)
    condition = reader.condition(cast("SigmaRule", reader.rule))
    common = reader.common()
    match reader.block:
        case blocks.TopBlock() as top:
            columns = tuple(reader.column(one) for one in top.by)
            headings = [column.name for column in columns]
            if len({*headings, top.count}) <= len(headings):
                raise reader.error("two columns have the same heading.", "")
            reader.check_reason(headings, "top")
            return TopHunt(
                **common,
                condition=condition,
                rarest=top.rarest,
                by=columns,
                count=top.count,
                limit=top.limit,
                keep_missing=top.keep_missing,
            )
        case blocks.NewBlock() as new:
            reader.check_reason(new.by, "new")
            return NewHunt(
                **common,
                condition=condition,
                by=reader.fields(new.by),
                window=new.window,
                history=new.history,
            )
        case blocks.SpikeBlock() as spike:
            reader.check_reason((), "spike")
            return SpikeHunt(
                **common,
                condition=condition,
                interval=spike.interval,
                at_least=spike.at_least,
                deviations=spike.deviations,
                history=spike.history,
                who=reader.fields((spike.who,))[0],
            )
        case blocks.SilentBlock() as silent:
            reader.check_reason(silent.by, "silent")
            return SilentHunt(
                **common,
                condition=condition,
                by=reader.fields(silent.by),
                interval=silent.interval,
                gaps=silent.gaps,
                at_least=silent.at_least,
                history=silent.history,
            )
    match = cast("blocks.MatchBlock", reader.block)
    reader.check_reason(match.finding_by, "match")
    finding_by, echoes_of = reader.fields(match.finding_by), reader.fields(match.echoes_of)
    if echoes_of and not {CONTROLLER, *echoes_of} <= set(finding_by):
        raise InvalidHunt(
            "k8sidx.echoes_of: its fields are some of finding_by.",
            remedy=f"Add them, and {CONTROLLER}, to finding_by.",
            where=reader.block_where,
        )
    return MatchHunt(**common, condition=condition, finding_by=finding_by, echoes_of=echoes_of)
