"""Make the files that these tests compare with, with the code of a checkout.

::

    git worktree add ../old dfe4889
    python tests/compat/make.py ../old

writes, beside this module, with the package ``k8sidx`` of ``../old``:

======================  ==========================================================================
``event_ids.json``      by group and log: counts and digests of what ``k8sidx ship`` stores
``columns.json``        by log: a digest of each column stored
``findings.json``       by hunt: digests of what it finds in the demo's log
``setup.json``          digests of what ``k8sidx setup --dry-run`` asks of empty clusters
``state.json``          a state file, with names in braces for what differs by machine;
                        ``state_after.json``, when the log has grown
``store-dfe4889/``      a store of 2,500 generated events in five days, with daily summaries and
                        saved findings; they are in ``generated.log.zst``
``answers-dfe4889/``    what commands print over it; ``library.json`` and
                        ``library_compared.json``, by hunt, digests of what the library answers
======================  ==========================================================================

Without the shared data beside the checkout, what is kept of it stays as it is.

They prove that a change changed nothing, so they are made anew with the *old* code only. When
something has to become other, such as a hunt that asks another question, make them with the
commit that changes it, name the parts after the checkout (``make.py CHECKOUT event_ids setup``;
parts are the functions below), and see that their diff holds that and nothing else.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def event_ids(folder: Path) -> None:
    """``event_ids.json`` and ``columns.json``."""
    from tests.compat.shipping import COLUMNS_OF, DATA, FOLDERS, columns, inputs, shipped

    found = _kept("event_ids")
    found_columns = _kept("columns")
    for group in ("demo", *FOLDERS):
        if group != "demo" and not (DATA / group).is_dir():
            continue
        found[group] = {}
        for number, (name, path) in enumerate(inputs(group).items()):
            own = folder / group / str(number)
            own.mkdir(parents=True)
            found[group][name] = shipped(path, own)
            if name in COLUMNS_OF:
                found_columns[name] = columns(own / "store")
    _keep("event_ids", found)
    _keep("columns", found_columns)


def findings(folder: Path) -> None:
    """``findings.json``."""
    from tests.compat.library import findings as by_hunt
    from tests.compat.running import ROOT, printed
    from tests.compat.shipping import DEMO

    answer = printed(folder, "hunt", "--all", "--input", ROOT / DEMO, "-q", "-o", "json")
    _keep("findings", by_hunt(answer))


def setup(folder: Path) -> None:
    """``setup.json``."""
    from tests.compat.setting_up import planned

    _keep("setup", planned(folder))


def state(folder: Path) -> None:
    """``state.json`` and ``state_after.json``."""
    from tests.compat.following import append, ship, template_of, write_logs

    write_logs(folder)
    ship(folder, "store")
    _keep("state", template_of(folder))
    append(folder)
    ship(folder, "store")
    _keep("state_after", template_of(folder))


def store(folder: Path) -> None:
    """``store-dfe4889``, the log it is made of, and all that is answered over it."""
    from tests.compat.old_store import LOG, SAVING, STORE, asked
    from tests.compat.running import printed

    start = ("--from", "2026-11-18T06:00:00Z")
    printed(folder, "generate", "-o", LOG, "--events", "2500", *start, "--span", "4d", "-q")
    made = folder / "store"
    asked(folder, ("ship", str(LOG), "-o", "json"))
    asked(folder, ("baseline", "update", "-o", "csv"))
    asked(folder, SAVING)
    _keep_answers(folder)
    for lock in made.rglob("*.lock"):
        lock.unlink()
    (made / "staging").rmdir()
    shutil.rmtree(STORE, ignore_errors=True)
    shutil.copytree(made, STORE)


def answers(folder: Path) -> None:
    """What is answered over ``store-dfe4889`` as it is, of which ``store`` makes all."""
    from tests.compat.old_store import copied

    copied(folder)
    _keep_answers(folder)


def _keep_answers(folder: Path) -> None:
    from tests.compat.library import answers
    from tests.compat.old_store import ANSWERS, COMMANDS, LIBRARY, asked

    ANSWERS.mkdir(exist_ok=True)
    for name, command in COMMANDS.items():
        (ANSWERS / f"{name}.csv").write_bytes(asked(folder, command).encode())
    for name, command in LIBRARY.items():
        _keep(name, answers(asked(folder, command)))


PARTS: Mapping[str, Callable[[Path], None]] = {
    "event_ids": event_ids,
    "findings": findings,
    "setup": setup,
    "state": state,
    "store": store,
    "answers": answers,
}


def _kept(name: str) -> dict[str, Any]:
    path = HERE / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _keep(name: str, value: object) -> None:
    (HERE / f"{name}.json").write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", "utf-8")


def main(checkout: Path, parts: list[str]) -> None:
    """Make the parts named, or all."""
    # The tests of this checkout with the package of the other one.
    sys.path[0] = str(HERE.parents[1])
    import tests.compat.running  # noqa: F401

    sys.path.insert(0, str(checkout.resolve()))
    import k8sidx

    assert Path(k8sidx.__file__).is_relative_to(checkout.resolve())
    for part in parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            PARTS[part](Path(folder))
        sys.stderr.write(f"{part} made with {k8sidx.__file__}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
