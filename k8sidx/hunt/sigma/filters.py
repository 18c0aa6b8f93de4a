"""Shared Sigma filters: one definition of what many rules leave out.

``k8sidx/hunt/filters.yml`` has them as filter documents of the Sigma specification
(https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-filters-specification.md).
A rule names them under ``k8sidx.filters``; here they are merged into its detection, so that
everything after sees a rule that is complete.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

import yaml

from k8sidx.errors import InvalidHunt, Where

_WORD = re.compile(r"[^\s()]+")


@dataclass(frozen=True, slots=True)
class SharedFilter:
    """A filter of the library.

    :param selections: its search identifiers and what they match.
    :param condition: which of them an event must match, or must not.
    :param exemptions: selections that leave out callers by what they can choose.
    :param text: the lines of its selections as they are written, from column 0.
    """

    name: str
    title: str
    selections: Mapping[str, Any]
    condition: str
    text: str
    exemptions: tuple[str, ...] = ()


@cache
def shared_filters() -> dict[str, SharedFilter]:
    """Return the filters of the library by name."""
    text = (resources.files("k8sidx.hunt") / "filters.yml").read_text(encoding="utf-8")
    filters = [_filter(document) for document in re.split(r"^---\n", text, flags=re.MULTILINE)]
    return {shared.name: shared for shared in filters}


def _filter(text: str) -> SharedFilter:
    document = yaml.load(text, yaml.CSafeLoader)
    body = dict(document["filter"])
    condition = body.pop("condition")
    del body["rules"]
    _, _, after = text.partition("\n  rules:")
    lines = after.partition("\n")[2].partition("\n  condition:")[0].splitlines()
    return SharedFilter(
        document["name"],
        document["title"],
        body,
        condition,
        "\n".join(line.removeprefix("  ") for line in lines),
        tuple(document.get("exemptions", ())),
    )


def filters_named(document: Mapping[str, Any], where: Where) -> list[SharedFilter]:
    """Return the filters that a document names, in its order.

    :param where: the place of ``k8sidx.filters``, for errors.
    :raises InvalidHunt: for names that are not filters, and documents without a detection.
    """
    extension = document.get("k8sidx")
    names = extension.get("filters") if isinstance(extension, Mapping) else None
    if names is None:
        return []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _invalid(
            "a list of names is needed.", "For example, filters: [not_refused, not_dry_run].", where
        )
    if not isinstance(document.get("detection"), Mapping):
        raise _invalid(
            "this document has no detection to filter.",
            "Name filters in each rule that a correlation refers to.",
            where,
        )
    known = shared_filters()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            remedy = f"{hint}There are: {', '.join(known)}."
            raise _invalid(f"no filter is named {name!r}.", remedy, where)
    return [known[name] for name in dict.fromkeys(names)]


def apply_filters(document: dict[str, Any], where: Where) -> dict[str, Any]:
    """Return the document with the filters that it names in its detection.

    :param where: the place of ``k8sidx.filters``, for errors.
    :raises InvalidHunt: for filters that the document cannot have.
    """
    filters = filters_named(document, where)
    if not filters:
        return document
    detection = document["detection"]
    selections = {name: body for name, body in detection.items() if name != "condition"}
    conditions = detection.get("condition")
    for shared in filters:
        for name, body in shared.selections.items():
            if name in selections:
                raise _invalid(
                    f"{shared.name} brings a selection {name!r}, which is there already.",
                    "Rename the rule's selection, or leave out the filter.",
                    where,
                )
            _check_patterns(conditions, name, shared.name, where)
            selections[name] = body
    return document | {"detection": selections | {"condition": joined(conditions, filters)}}


def joined(condition: object, filters: Sequence[SharedFilter]) -> object:
    """Return the condition of a rule, or each of its conditions, and those of the filters."""
    if isinstance(condition, list):
        return [joined(part, filters) for part in condition]
    if not isinstance(condition, str):
        return condition  # pySigma reports it
    return " and ".join(_operand(part) for part in (condition, *(f.condition for f in filters)))


def _operand(condition: str) -> str:
    """Return the condition in parentheses where ``and`` would bind tighter than its ``or``."""
    depth = 0
    for word in re.findall(r"[()]|[^\s()]+", condition):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word.lower() == "or":
            return f"({condition.strip()})"
    return condition.strip()


def _check_patterns(condition: object, name: str, filter_name: str, where: Where) -> None:
    """Raise where ``1 of them`` and the like would mean a selection of a filter, too."""
    texts = condition if isinstance(condition, list) else [condition]
    for pattern in [word for text in texts for word in _WORD.findall(str(text))]:
        if pattern.lower() == "them" or ("*" in pattern and fnmatchcase(name, pattern)):
            raise _invalid(
                f"{pattern!r} in the condition would include {name!r} of {filter_name}.",
                "Name the rule's own selections in its condition.",
                where,
            )


def _invalid(message: str, remedy: str, where: Where) -> InvalidHunt:
    return InvalidHunt(f"k8sidx.filters: {message}", remedy=remedy, where=where)
