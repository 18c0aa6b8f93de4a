"""``docs/fields.md`` from the field table: ``python -m docs.generate.fields``."""

from __future__ import annotations

import sys

from k8sidx.events.fields.findings import FINDING_ONLY
from k8sidx.events.fields.objects import OBJECTS, POD, RBAC
from k8sidx.events.fields.table import AUDIT, BODIES, DERIVED, IDENTITY, WHOLE, Field

_GROUPS: tuple[tuple[str, str, tuple[Field, ...]], ...] = (
    ("Identity and time", "What every event has.", IDENTITY),
    ("The event", "Values of audit.k8s.io/v1 as the API server wrote them.", AUDIT),
    ("From the request and response objects", "Promoted, so that they can be grouped by.", BODIES),
    ("Derived", "What a hunter asks for and no single audit field says.", DERIVED),
    ("Pods and workload templates", "Of creates, updates and patches.", POD),
    ("RBAC and certificates", "Of creates, updates and patches.", RBAC),
    ("Services and other objects", "Of creates, updates and patches.", OBJECTS),
    ("The rest of the event", "Kept whole, not indexed.", WHOLE),
    (
        "Saved findings",
        "What `hunt --save` keeps has these, and of the above what applies.",
        FINDING_ONLY,
    ),
)

_HEAD = """# Fields

<!-- Made by `python -m docs.generate.fields` from k8sidx/events/fields/table.py. -->

Every stored field. Queries and hunts may use a field's name, its other names, and for
lists the position of an element where positions are kept (`sourceIPs.0`,
`requestObject.subjects.0.name`). A list matches when any of its values does.

"""


def document() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for title, about, fields in _GROUPS:
        parts.append(f"## {title}\n\n{about}\n\n")
        parts.append("| field | type | says | other names |\n| --- | --- | --- | --- |\n")
        parts += [_line(field) for field in fields]
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _line(field: Field) -> str:
    kind = f"list of {field.kind.value}" if field.many else field.kind.value
    example = f" Example: `{field.example}`." if field.example else ""
    ecs = [field.ecs] if field.ecs and field.ecs != field.name else []
    names = [*field.aliases, *ecs]
    if field.positions:
        names += [f"{field.name} at position 0..{field.positions - 1}"]
    others = ", ".join(f"`{name}`" for name in names)
    return f"| `{field.name}` | {kind} | {field.about}{example} | {others} |\n"


if __name__ == "__main__":
    sys.stdout.write(document())
