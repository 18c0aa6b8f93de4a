"""Hunts as Kibana Query Language, over k8sidx's own indices.

OpenSearch Dashboards has the same language as DQL. The grammar is kuery's
(https://github.com/elastic/kibana, packages/kbn-es-query/grammar/grammar.peggy): in quotes only
``\\`` and ``"`` are special, without quotes ``\\():<>"*{}``. It has no regular expressions, and is
case-sensitive.
"""

from __future__ import annotations

from k8sidx.events.accounts import KINDS
from k8sidx.events.fields.lookup import resolve
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
    Regex,
    Scalar,
    Wildcard,
    leaves,
)
from k8sidx.query.casefold import folds
from k8sidx.query.derived import outcomes
from k8sidx.query.networks import ranges
from k8sidx.query.simplify import flat
from k8sidx.query.wildcard import literal, tokens
from k8sidx.show.translate.clauses import joined
from k8sidx.show.translate.index_fields import aggregation_notes, need_text, paths_of, value_of
from k8sidx.show.translate.translatable import (
    NotTranslatable,
    Translation,
    question_of,
    refuse_unprintable,
    whole_condition,
)

_LANGUAGE = "KQL"
_WORDS = {
    "stage": ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"),
    "level": ("None", "Metadata", "Request", "RequestResponse"),
    "annotations.authorization.k8s.io/decision": ("allow", "forbid"),
    "event.outcome": tuple(outcomes()),
    "user.kind": KINDS,
    "verb": (),
}
"""Fields whose values Kubernetes or k8sidx write, always in the same case; without values: in
lower case."""
LOWER = (
    "objectRef.apiGroup",
    "objectRef.namespace",
    "objectRef.resource",
    "objectRef.subresource",
    "target.resource",
)
"""Names that Kubernetes has in lower case only: in another case they match nothing."""
_CASE = (
    "KQL is case-sensitive: {fields} is matched in lower case only, the one that Kubernetes uses."
)


def to_kql(hunt: Hunt) -> Translation:
    """Translate the hunt's condition to one line.

    :raises NotTranslatable: when KQL has no equivalent.
    """
    question = question_of(hunt)
    refuse_unprintable(question.condition)
    condition = flat(whole_condition(question))
    notes = (*aggregation_notes(question, _LANGUAGE), *_case_notes(condition))
    return Translation(kql_text(condition) + "\n", notes)


def _case_notes(condition: Condition) -> tuple[str, ...]:
    names = [
        name
        for leaf in leaves(condition)
        if getattr(leaf, "ignore_case", False) and (name := resolve(leaf.field).field.name) in LOWER
    ]
    fields = " or ".join(dict.fromkeys(names))
    return (_CASE.format(fields=fields),) if fields else ()


def kql_text(condition: Condition) -> str:
    """Return a condition as a clause that can stand beside *and*, *or* and *not*.

    :raises NotTranslatable: when KQL has no equivalent.
    """
    match condition:
        case Always():
            return "*"
        case And(parts):
            return joined(" and ", [kql_text(part) for part in parts], "*")
        case Or(parts):
            return joined(" or ", [kql_text(part) for part in parts], "(not *)")
        case Not(inner):
            return f"(not {kql_text(inner)})"
    return _leaf(condition)


def _leaf(leaf: Leaf) -> str:
    paths = paths_of(leaf, _LANGUAGE)
    match leaf:
        case Present():
            return f"{paths.query}: *"
        case Compare(op="=", value=value, ignore_case=fold):
            return _equal(leaf, paths.query, (value,), ignore_case=fold)
        case OneOf(values=values, ignore_case=fold):
            return _equal(leaf, paths.query, values, ignore_case=fold)
        case Compare(op=op, value=value, ignore_case=fold):
            wanted = value_of(leaf, value)
            if wanted is None:
                return "(not *)"
            if isinstance(wanted, bool) or folds(value, ignore_case=fold):
                raise NotTranslatable(f"KQL cannot compare {leaf.field} {op} {value!r}.")
            return f"{paths.query} {op} {_value(wanted)}"
        case InNetwork(networks=networks):
            if any(len(ranges(network)) > 1 for network in networks):
                raise NotTranslatable(f"KQL has no networks of IPv6 without IPv4 ({leaf.field}).")
            tests = [f'{paths.network}: "{network}"' for network in networks]
            return joined(" or ", tests, "(not *)")
        case Regex():
            raise NotTranslatable(
                f"KQL has no regular expressions, and {leaf.field} is compared with one."
            )
    need_text(leaf, paths, _LANGUAGE)
    return _pattern(leaf, paths.query)


def _equal(leaf: Leaf, name: str, values: tuple[Scalar, ...], *, ignore_case: bool) -> str:
    clauses = []
    for value in values:
        wanted = value_of(leaf, value)
        if wanted is None:
            continue
        if isinstance(wanted, str):
            wanted = _cased(leaf, wanted, ignore_case=ignore_case)
        clauses.append(_value(wanted))
    listed = joined(" or ", clauses, "")
    return f"{name}: {listed}" if listed else "(not *)"


def _cased(leaf: Leaf, text: str, *, ignore_case: bool) -> str:
    """Return the text in the only case that the field has.

    :raises NotTranslatable: when it may have any.
    """
    if not folds(text, ignore_case=ignore_case):
        return text
    name = resolve(leaf.field).field.name
    if name in _WORDS:
        known = {word.lower(): word for word in _WORDS[name]}
        return known.get(text.lower(), text.lower())
    if name in LOWER:
        return text.lower()
    raise NotTranslatable(
        f"KQL is case-sensitive, and {leaf.field} is compared without regard to case."
    )


def _value(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return f'"{quoted(value)}"'


def quoted(text: str) -> str:
    """Return text to stand in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("\n", "\\n").replace("\t", "\\t")


def _pattern(leaf: Wildcard, name: str) -> str:
    plain = literal(leaf.pattern)
    if plain is not None:
        return _equal(leaf, name, (plain,), ignore_case=leaf.ignore_case)
    pattern = leaf.pattern
    if folds(pattern, ignore_case=leaf.ignore_case):
        words = _WORDS.get(resolve(leaf.field).field.name, ())
        if any(word != word.lower() for word in words):
            raise NotTranslatable(
                f"KQL is case-sensitive, and {leaf.field} has upper and lower case."
            )
        pattern = _cased(leaf, pattern, ignore_case=True)
    written = []
    for character, is_wildcard in tokens(pattern):
        if character.isspace() or (is_wildcard and character == "?"):
            what = "a blank" if character.isspace() else "a single unknown character (?)"
            raise NotTranslatable(
                f"KQL has no pattern with {what}, and {leaf.field} is compared with one."
            )
        written.append(
            character if is_wildcard or character not in '\\():<>"*{}' else f"\\{character}"
        )
    return f"{name}: {''.join(written)}"
