"""Check of ``k8sidx doctor`` for indices that other programs filled: which hunts can run there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from k8sidx.backends.check import Check, failed
from k8sidx.backends.protocol import ForeignIndex
from k8sidx.backends.store import Store
from k8sidx.errors import K8sidxError
from k8sidx.hunt.library.load import load_library

_REASONS = 3


def check_hunts(store: Store) -> Iterator[Check]:
    """Check how many hunts of the library the fields of an index of others allow; none of an own
    store, which has all fields."""
    hunts = [hunt for hunt in load_library() if not hunt.stream]
    try:
        with store.engine() as engine:
            if not isinstance(engine, ForeignIndex):
                return
            lacks = engine.lack_of([hunt.condition for hunt in hunts])
    except K8sidxError as error:
        yield failed("hunts", error)
        return
    reasons = Counter(lack for lack in lacks if lack)
    able = len(hunts) - reasons.total()
    seen = f"{able:,} of {len(hunts):,} hunts can run here"
    if not reasons:
        yield Check("hunts", "ok", seen)
        return
    because = " ".join(lack for lack, _ in reasons.most_common(_REASONS))
    yield Check("hunts", "warn", f"{seen}: {because}", "Let the shipper keep what is missing.")
