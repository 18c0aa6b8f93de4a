"""Fields of k8sidx's own indices, for the query languages of search boxes."""

from __future__ import annotations

from k8sidx.backends.cluster.schema.profile import Paths, own_paths
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.names import EVENT_ID
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import Leaf, Scalar
from k8sidx.query.coerce import coerce
from k8sidx.query.networks import address_text, ranges
from k8sidx.show.translate.translatable import Bursts, NotTranslatable, Question, Top, differences

NO_AGGREGATION = "{language} has no aggregation: this is the condition alone, without {what}."


def paths_of(leaf: Leaf, language: str) -> Paths:
    """Return the paths of the field.

    :raises NotTranslatable: when it cannot be searched, or is the document's id.
    """
    path = resolve(leaf.field)
    paths = own_paths(path)
    if not paths.query or path.field.name == EVENT_ID:
        raise NotTranslatable(f"{leaf.field} cannot be searched with {language}.")
    return paths


def value_of(leaf: Leaf, value: Scalar) -> str | int | bool | None:
    """Return a value as the index stores it, or ``None`` when the field can never hold it.

    :raises NotTranslatable: for a time or a number with a fraction.
    """
    coerced = coerce(resolve(leaf.field).field, value)
    if coerced is None or isinstance(coerced, str | int):
        return coerced
    raise NotTranslatable(
        f"{leaf.field} is compared with {value!r}, which is neither text nor a whole number."
    )


def need_text(leaf: Leaf, paths: Paths, language: str) -> None:
    """Raise :class:`NotTranslatable` when the field is not text, so that no pattern matches it."""
    if paths.kind not in (Kind.KEYWORD, Kind.ADDRESS):
        raise NotTranslatable(f"{leaf.field} is not text, so {language} has no pattern for it.")


def bounds(networks: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the first and last address of each network; IPv6's largest are without IPv4."""
    return [
        (address_text(network.first), address_text(network.last))
        for text in networks
        for network in ranges(text)
    ]


def aggregation_notes(question: Question, language: str) -> tuple[str, ...]:
    """Return notes on the counting that the language lacks, or on other differences."""
    if isinstance(question, Top):
        what = f"the {question.limit} {'rarest' if question.rarest else 'most frequent'}"
        by = [column.field for column in question.by]
    elif isinstance(question, Bursts):
        counted = " and ".join(question.values) or "events"
        minutes = question.interval.total_seconds() / 60
        what = f"{question.at_least} or more {counted} within {minutes:g} minutes"
        by = list(question.by)
    else:
        return differences(question)
    what = f"counting ({what} by {', '.join(by)})"
    return (NO_AGGREGATION.format(language=language, what=what),)
