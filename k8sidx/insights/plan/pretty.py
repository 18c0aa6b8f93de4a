"""Expressions in words, for people who ask what is done."""

from __future__ import annotations

from k8sidx.insights.language.ast import MESSAGE
from k8sidx.insights.plan.logical import (
    AllOf,
    Among,
    AnyOf,
    Apply,
    Column,
    Compared,
    Constant,
    Contains,
    Extracted,
    Floor,
    Found,
    Inside,
    Meaning,
    Measure,
    Negated,
    Of,
    Source,
    Stored,
)


def worded(one: Meaning) -> str:
    """The expression in words; columns of rows by their place."""
    match one:
        case Constant(value=value):
            return repr(value) if isinstance(value, str) else str(value)
        case Of(source=source):
            return _source(source)
        case Apply(name=name, arguments=arguments, detail=detail):
            return f"{name}({', '.join([*map(worded, arguments), *map(str, detail)])})"
        case Floor(moment=moment, period=period):
            return f"datefloor({worded(moment)}, {period.count}{period.unit})"
        case Compared(operator=operator, left=left, right=right):
            return f"{worded(left)} {operator} {worded(right)}"
        case Among(item=item, options=options):
            return f"{worded(item)} in [{', '.join(worded(part) for part in options)}]"
        case Contains(item=item, part=text):
            return f"{worded(item)} like {text!r}"
        case Found(item=item, pattern=pattern):
            return f"{worded(item)} like /{pattern}/"
        case Extracted(item=item, pattern=pattern, group=group):
            return f"group {group} of /{pattern}/ in {worded(item)}"
        case AllOf(parts=parts):
            return " and ".join(f"({worded(part)})" for part in parts)
        case AnyOf(parts=parts):
            return " or ".join(f"({worded(part)})" for part in parts)
        case Negated(part=part):
            return f"not ({worded(part)})"


def worded_measure(one: Measure) -> str:
    """The aggregate in words."""
    argument = f", {one.argument:g}" if one.argument else ""
    return f"{one.aggregate.name}({'*' if one.of is None else worded(one.of)}{argument})"


def _source(source: Source) -> str:
    if isinstance(source, Stored):
        return source.name
    if isinstance(source, Column):
        return f"column {source.place + 1}"
    return source.path if isinstance(source, Inside) else MESSAGE
