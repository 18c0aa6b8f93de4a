"""Generator of the table of metrics in ``docs/metrics.md``.

``python -m docs.generate.metrics docs/metrics.md`` rewrites the text between the markers.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from k8sidx.cli.telemetry.metrics import METRICS, PREFIX

_TABLE = re.compile(r"(<!-- metrics -->\n).*?(<!-- end -->)", re.DOTALL)


def with_current_table(text: str) -> str:
    """Return the page with its table up to date."""
    rows = "".join(
        f"| `{PREFIX}{name}{'_total' if metric.kind == 'counter' else ''}"
        f"{f'{{{metric.label}}}' if metric.label else ''}` | {metric.kind} | {metric.help} |\n"
        for name, metric in METRICS.items()
    )
    table = f"| metric | type | |\n| --- | --- | --- |\n{rows}"
    return _TABLE.sub(lambda match: match[1] + table + match[2], text)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_current_table(page.read_text("utf-8")), "utf-8")
