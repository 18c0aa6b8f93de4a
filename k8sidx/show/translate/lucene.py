"""Hunts as Lucene query strings, over k8sidx's own indices.

The syntax is that of ``query_string``
(https://www.elastic.co/docs/reference/query-languages/query-dsl/query-dsl-query-string-query).
Texts stand in quotes, where only ``\\`` and ``"`` are special; patterns have every character
escaped except letters and digits. *and*, *or* and *not* never stand beside one another without
parentheses, since Lucene has no precedence.
"""

from __future__ import annotations

from k8sidx.backends.cluster.engine.regex import LONGEST
from k8sidx.backends.cluster.engine.regex import lucene as expression_of
from k8sidx.hunt.definition import Hunt
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Scalar,
    Wildcard,
)
from k8sidx.query.casefold import folds
from k8sidx.query.simplify import flat
from k8sidx.query.wildcard import literal, to_regex, tokens
from k8sidx.show.translate.clauses import either_case, joined
from k8sidx.show.translate.index_fields import (
    aggregation_notes,
    bounds,
    need_text,
    paths_of,
    value_of,
)
from k8sidx.show.translate.translatable import (
    NotTranslatable,
    Translation,
    question_of,
    refuse_unprintable,
    whole_condition,
)

_LANGUAGE = "Lucene"
_EVERYTHING, _NOTHING = "*:*", "(*:* AND NOT *:*)"
_RANGES = {"<": "{{* TO {0}}}", "<=": "[* TO {0}]", ">": "{{{0} TO *}}", ">=": "[{0} TO *]"}
_LINES = (
    "Its regular expressions contain line breaks and tabs as they are, which a search box may "
    "drop: send the text as query_string."
)


def to_lucene(hunt: Hunt) -> Translation:
    """Translate the hunt's condition to one line, unless a regular expression has line breaks.

    :raises NotTranslatable: when Lucene has no equivalent.
    :raises UnsupportedQuery: for a regular expression that Lucene does not support.
    """
    question = question_of(hunt)
    refuse_unprintable(question.condition)
    text = lucene_text(flat(whole_condition(question)))
    notes = aggregation_notes(question, _LANGUAGE)
    if "\n" in text:
        notes = (*notes, _LINES)
    return Translation(text + "\n", notes)


def lucene_text(condition: Condition) -> str:
    """Return a condition as a clause that can stand beside ``AND``, ``OR`` and ``NOT``.

    :raises NotTranslatable: when Lucene has no equivalent.
    """
    match condition:
        case Always():
            return _EVERYTHING
        case And(parts):
            return joined(" AND ", [lucene_text(part) for part in parts], _EVERYTHING)
        case Or(parts):
            return joined(" OR ", [lucene_text(part) for part in parts], _NOTHING)
        case Not(inner):
            # Alone, a clause of NOT matches nothing: it excludes from the matches of others.
            return f"({_EVERYTHING} AND NOT {lucene_text(inner)})"
    return _leaf(condition)


def _leaf(leaf: Leaf) -> str:
    paths = paths_of(leaf, _LANGUAGE)
    name = _escaped(paths.query)
    match leaf:
        case Present():
            return f"_exists_:{name}"
        case Compare(op="=", value=value, ignore_case=fold):
            return _equal(leaf, name, (value,), ignore_case=fold)
        case OneOf(values=values, ignore_case=fold):
            return _equal(leaf, name, values, ignore_case=fold)
        case Compare(op=op, value=value, ignore_case=fold):
            wanted = value_of(leaf, value)
            if wanted is None:
                return _NOTHING
            if isinstance(wanted, bool) or folds(value, ignore_case=fold):
                raise NotTranslatable(f"Lucene cannot compare {leaf.field} {op} {value!r}.")
            return f"{name}:{_RANGES[op].format(_value(wanted))}"
        case InNetwork(networks=networks):
            field = _escaped(paths.network)
            tests = [f'{field}:["{first}" TO "{last}"]' for first, last in bounds(networks)]
            return joined(" OR ", tests, _NOTHING)
    need_text(leaf, paths, _LANGUAGE)
    if isinstance(leaf, Wildcard):
        return _pattern(leaf, name)
    body = expression_of(leaf.pattern, ignore_case=leaf.ignore_case)
    return f"{name}:{_expression(name, body)}"


def _equal(leaf: Leaf, name: str, values: tuple[Scalar, ...], *, ignore_case: bool) -> str:
    """Return any of the values: exact ones as they are, others as an expression of both cases."""
    clauses = []
    for value in values:
        wanted = value_of(leaf, value)
        if wanted is None:
            continue
        if isinstance(wanted, str) and folds(wanted, ignore_case=ignore_case):
            clauses.append(_expression(name, either_case(wanted, _escaped)))
        else:
            clauses.append(_value(wanted))
    listed = joined(" OR ", clauses, "")
    return f"{name}:{listed}" if listed else _NOTHING


def _value(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f'"{value}"' if value < 0 else str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _pattern(leaf: Wildcard, name: str) -> str:
    plain = literal(leaf.pattern)
    if plain is not None:
        return _equal(leaf, name, (plain,), ignore_case=leaf.ignore_case)
    parts = list(tokens(leaf.pattern))
    if not folds(leaf.pattern, ignore_case=leaf.ignore_case):
        written = (part.text if part.is_wildcard else _escaped(part.text) for part in parts)
        return f"{name}:{''.join(written)}"
    body = to_regex(parts, lambda character: either_case(character, _escaped))
    return f"{name}:{_expression(name, body)}"


def _expression(name: str, body: str) -> str:
    """Return a regular expression between slashes.

    :raises NotTranslatable: when it is too long for an index.
    """
    if len(body) > LONGEST:
        raise NotTranslatable(f"an expression for {name} needs more than {LONGEST} characters.")
    if body.endswith("\\\\"):
        body = f"({body})"  # Else the backslash would escape the slash that ends it.
    return f"/{body}/"


def _escaped(text: str) -> str:
    """Return text of which nothing is an operator, a wildcard or the end of a word."""
    return "".join(
        character
        if character.isalnum() or character in "._" or not character.isascii()
        else f"\\{character}"
        for character in text
    )
