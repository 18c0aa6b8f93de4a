"""Hunts → the Kibana Query Language, over k8sidx's own indices.

OpenSearch Dashboards has the same language as DQL. The grammar is kuery's
(https://github.com/elastic/kibana, packages/kbn-es-query/grammar/grammar.peggy): in quotes only
``\\`` and ``"`` mean anything, without quotes ``\\():<>"*{}``. It has no regular expressions,
and tells upper from lower case.
"""

from __future__ import annotations

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
from k8sidx.query.networks import ranges
from k8sidx.query.simplify import flat
from k8sidx.query.wildcard import folds, joined, pattern_parts, plain_text
from k8sidx.show.translate.index_fields import aggregation_notes, need_text, paths_of, value_of
from k8sidx.show.translate.translatable import (
    CannotBeSaid,
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
    "event.outcome": ("success", "failure", "unknown"),
    "user.kind": ("human", "serviceaccount", "node", "control-plane", "anonymous", "unknown"),
    "verb": (),
}
"""Fields whose values Kubernetes or k8sidx write, always in the same case; without values:
in lower case."""
LOWER = (
    "objectRef.apiGroup",
    "objectRef.namespace",
    "objectRef.resource",
    "objectRef.subresource",
    "target.resource",
)
"""Names that Kubernetes has in lower case only: another case is a request for nothing."""
_CASE = (
    "KQL tells upper from lower case: {fields} written otherwise than in lower case, which is "
    "nothing that Kubernetes has, is not found."
)


def to_kql(hunt: Hunt) -> Translation:
    """The hunt's condition as one line.

    :raises CannotBeSaid: when KQL has no way to say it.
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
    """A condition as a clause that can stand beside *and*, *or* and *not*.

    :raises CannotBeSaid: when KQL has no way to say it.
    """
    match condition:
        case Always():
            return "*"
        case And(parts):
            return joined(" and ", [kql_text(one) for one in parts], "*")
        case Or(parts):
            return joined(" or ", [kql_text(one) for one in parts], "(not *)")
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
                raise CannotBeSaid(f"KQL cannot compare {leaf.field} {op} {value!r}.")
            return f"{paths.query} {op} {_value(wanted)}"
        case InNetwork(networks=networks):
            if any(len(ranges(one)) > 1 for one in networks):
                raise CannotBeSaid(f"KQL has no networks of IPv6 without IPv4 ({leaf.field}).")
            found = [f'{paths.network}: "{network}"' for network in networks]
            return joined(" or ", found, "(not *)")
        case Regex():
            raise CannotBeSaid(f"KQL has no regular expressions, such as that of {leaf.field}.")
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
    """The text in the only case that the field has.

    :raises CannotBeSaid: when it may have any.
    """
    if not folds(text, ignore_case=ignore_case):
        return text
    name = resolve(leaf.field).field.name
    if name in _WORDS:
        known = {word.lower(): word for word in _WORDS[name]}
        return known.get(text.lower(), text.lower())
    if name in LOWER:
        return text.lower()
    raise CannotBeSaid(f"KQL tells upper from lower case, and {leaf.field} is compared without.")


def _value(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return f'"{quoted(value)}"'


def quoted(text: str) -> str:
    """Text to stand in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("\n", "\\n").replace("\t", "\\t")


def _pattern(leaf: Wildcard, name: str) -> str:
    plain = plain_text(leaf.pattern)
    if plain is not None:
        return _equal(leaf, name, (plain,), ignore_case=leaf.ignore_case)
    pattern = leaf.pattern
    if folds(pattern, ignore_case=leaf.ignore_case):
        words = _WORDS.get(resolve(leaf.field).field.name, ())
        if any(word != word.lower() for word in words):
            raise CannotBeSaid(f"KQL tells upper from lower case, and {leaf.field} has both.")
        pattern = _cased(leaf, pattern, ignore_case=True)
    written = []
    for sign, wild in pattern_parts(pattern):
        if sign.isspace() or (wild and sign == "?"):
            what = "a blank" if sign.isspace() else "a single unknown character (?)"
            raise CannotBeSaid(f"KQL has no pattern with {what}, as that of {leaf.field}.")
        written.append(sign if wild or sign not in '\\():<>"*{}' else f"\\{sign}")
    return f"{name}: {''.join(written)}"
