"""Share of redaction in the CPU of ``ship``: the demo's log with it, and with none at all.

``--keep-secrets`` is no measure of it: ids are those of the redacted events either way. Here
the functions that redact are replaced in the process that ships, and the native core gets no
words to look for; the product has no such option.

python benchmarks/redaction.py [ROUNDS]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WORK = Path(__file__).parent / "work" / "redaction"
RETURNS_A_VALUE = frozenset(
    {"redact_json", "redact_uri", "redact_text", "redact_name", "redact_message", "clean_reference"}
)
"""Functions that return what is left; the others change an object, and return whether they did."""
NOWHERE = b"\xff"
"""A word that is in no text: it is not UTF-8."""


def main() -> None:
    """Ship in turn with and without redaction, with each core, and print the least of each."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    log = ROOT / "demo" / "audit.ndjson.zst"
    print("| core | with redaction | without any | redaction |\n| --- | --: | --: | --: |")
    for core in ("native", "python"):
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(rounds):
            for redacts in seconds:
                seconds[redacts].append(_ship(log, core, redacts))
        with_it, without = (min(seconds[redacts]) for redacts in (True, False))
        share = (with_it - without) / with_it
        print(f"| {core} | {with_it:.2f} s | {without:.2f} s | {share:.1%} |")


def _ship(log: Path, core: str, redacts: bool) -> float:
    """Return the CPU seconds of a ship in one process."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    driver = [sys.executable, __file__, "ship", "yes" if redacts else "no"]
    before = os.times()
    subprocess.run(
        [*driver, "-q", "--store", str(WORK / "store"), str(log)],
        check=True,
        env={**os.environ, "K8SIDX_CORE": core},
        # The process that ships is the worker as well, on one core.
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    )
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def ship(redacts: bool, arguments: list[str]) -> None:
    """Run ``k8sidx ship`` in this process."""
    # Imported in both cases: start-up is no part of the difference.
    import k8sidx.shipping.worker  # noqa: F401
    from k8sidx.cli.start import start

    if not redacts:
        _redact_nothing()
    sys.argv[1:] = ["ship", *arguments]
    start(sys.argv[1:], os.environ)


def _redact_nothing() -> None:
    from k8sidx.events import core
    from k8sidx.events.normalize import event, parts
    from k8sidx.events.normalize.redact_kinds import KIND_OF_RESOURCE

    KIND_OF_RESOURCE.clear()
    for module in (core, event, parts):
        for name in dir(module):
            if name in RETURNS_A_VALUE:
                setattr(module, name, _unchanged)
            elif name.startswith("redact_"):
                setattr(module, name, _no_change)
    event._HINTS = _Nothing()
    words = core._words()
    few = {"marks": 2, "applied": 3, "mask": 3}
    for name in words.keys() - {"writes", "workloads"}:
        words[name] = [NOWHERE] * few.get(name, 0)
    words["mask"][0] = b""
    # Every kind is one to redact: the core does not judge an object beyond its kind.
    words["parts"] = [b""]
    core._words = lambda: words


def _unchanged(value: Any, *_: Any, **__: Any) -> Any:
    return value


def _no_change(*_: Any, **__: Any) -> bool:
    return False


class _Nothing:
    def search(self, _: bytes) -> None:
        """Find nothing."""


if __name__ == "__main__":
    if sys.argv[1:2] == ["ship"]:
        ship(sys.argv[2] == "yes", sys.argv[3:])
    else:
        main()
