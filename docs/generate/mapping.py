"""``docs/mapping.md`` from the field table: ``python -m docs.generate.mapping``."""

from __future__ import annotations

import json
import sys

from k8sidx.backends.cluster.index.mapping import field_count, flat_properties, mapping
from k8sidx.backends.cluster.index.template import FIELD_LIMIT, own_meta

_HEAD = """# The mapping of an index

<!-- Made by `python -m docs.generate.mapping` from k8sidx/events/fields/table.py. -->

What `GET /k8s-audit-*/_mapping` says on OpenSearch and Elasticsearch alike, the nesting of
`properties` written as dotted names. A test ships one hundred hostile events (unknown and
colliding keys, keys of dots, bodies of any type, values of every length) into real servers of
both products and compares: the mapping is this afterwards as it was before, and none of the
events is rejected.

"""


def document() -> str:
    """The page as Markdown."""
    total = field_count(mapping(own_meta())["properties"])
    lines = [f'  "{name}": {json.dumps(one)}' for name, one in flat_properties().items()]
    return (
        f"{_HEAD}Fields as a server counts them, objects, aliases and subfields included: "
        f"**{total}** of {FIELD_LIMIT} that `index.mapping.total_fields.limit` allows.\n\n"
        "```json\n{\n" + ",\n".join(lines) + "\n}\n```\n"
    )


if __name__ == "__main__":
    sys.stdout.write(document())
