"""The library finds in the demo's log what it found."""

from __future__ import annotations

from pathlib import Path

from tests.compat.library import findings
from tests.compat.running import ROOT, kept, printed
from tests.compat.shipping import DEMO


def test_the_library_over_the_demo_log(tmp_path: Path) -> None:
    answer = printed(tmp_path, "hunt", "--all", "--input", ROOT / DEMO, "-q", "-o", "json")
    assert findings(answer) == kept("findings")
