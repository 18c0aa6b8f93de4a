"""Pretty-printer of expressions, for explanations."""

from __future__ import annotations

from k8sidx.insights.language.ast import MESSAGE
from k8sidx.insights.plan.logical import (
    AllOf,
    AnyOf,
    Apply,
    BoundExpression,
    Column,
    Compared,
    Constant,
    Contains,
    DateFloor,
    FieldRef,
    InList,
    JsonPath,
    Measure,
    Negated,
    RegexGroup,
    RegexMatch,
    Source,
    Stored,
)


def pretty(expression: BoundExpression) -> str:
    """Return the expression as text; columns of rows by their number."""
    match expression:
        case Constant(value=value):
            return repr(value) if isinstance(value, str) else str(value)
        case FieldRef(source=source):
            return _source(source)
        case Apply(name=name, arguments=arguments, detail=detail):
            return f"{name}({', '.join([*map(pretty, arguments), *map(str, detail)])})"
        case DateFloor(moment=moment, period=period):
            return f"datefloor({pretty(moment)}, {period.count}{period.unit})"
        case Compared(operator=operator, left=left, right=right):
            return f"{pretty(left)} {operator} {pretty(right)}"
        case InList(item=item, options=options):
            return f"{pretty(item)} in [{', '.join(pretty(part) for part in options)}]"
        case Contains(item=item, part=text):
            return f"{pretty(item)} like {text!r}"
        case RegexMatch(item=item, pattern=pattern):
            return f"{pretty(item)} like /{pattern}/"
        case RegexGroup(item=item, pattern=pattern, group=group):
            return f"group {group} of /{pattern}/ in {pretty(item)}"
        case AllOf(parts=parts):
            return " and ".join(f"({pretty(part)})" for part in parts)
        case AnyOf(parts=parts):
            return " or ".join(f"({pretty(part)})" for part in parts)
        case Negated(part=part):
            return f"not ({pretty(part)})"


def pretty_measure(measure: Measure) -> str:
    """Return the aggregate as text."""
    argument = f", {measure.argument:g}" if measure.argument else ""
    operand = "*" if measure.operand is None else pretty(measure.operand)
    return f"{measure.aggregate.name}({operand}{argument})"


def _source(source: Source) -> str:
    if isinstance(source, Stored):
        return source.name
    if isinstance(source, Column):
        return f"column {source.index + 1}"
    return source.path if isinstance(source, JsonPath) else MESSAGE
