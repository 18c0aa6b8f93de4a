"""Generator of ``mappings/``: ``python -m docs.generate.template_files mappings``.

The files are for clusters set up with other tools; ``k8sidx setup`` sends the same requests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from k8sidx.backends.cluster.index.companions import companion_templates
from k8sidx.backends.cluster.index.target import DEFAULT_INDEX
from k8sidx.backends.cluster.index.template import (
    Body,
    IndexOptions,
    ilm_policy,
    index_templates,
    ism_policy,
    policy_name,
)

_RETENTION = "90d"


def files() -> Iterator[tuple[str, Body]]:
    """Yield the path and content of each file."""
    prefix = DEFAULT_INDEX
    with_lifecycle = IndexOptions(lifecycle=policy_name(prefix))
    for name, body in index_templates(prefix, IndexOptions(), "opensearch").items():
        yield f"opensearch/index-template-{name}.json", body
    for name, body in companion_templates(prefix, IndexOptions(), "opensearch").items():
        yield f"opensearch/index-template-{name}.json", body
    yield f"opensearch/ism-policy-{policy_name(prefix)}.json", ism_policy(prefix, _RETENTION)
    for name, body in index_templates(prefix, with_lifecycle, "elasticsearch").items():
        yield f"elasticsearch/index-template-{name}.json", body
    for name, body in companion_templates(prefix, with_lifecycle, "elasticsearch").items():
        yield f"elasticsearch/index-template-{name}.json", body
    yield f"elasticsearch/ilm-policy-{policy_name(prefix)}.json", ilm_policy(_RETENTION)
    serverless = {
        **index_templates(prefix, IndexOptions(), "elasticsearch", "elastic-serverless"),
        **companion_templates(prefix, IndexOptions(), "elasticsearch", "elastic-serverless"),
    }
    for name, body in serverless.items():
        yield f"elasticsearch/serverless/index-template-{name}.json", body


def main(folder: Path) -> None:
    for name, body in files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
