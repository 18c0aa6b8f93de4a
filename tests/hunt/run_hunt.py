"""Hunts over a few events, and Sigma documents written in a line or two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunt
from k8sidx.hunt.sigma.loader import read_hunts
from tests.stores import stored

ALL_TIME = Window()


def results(
    folder: Path, events: Sequence[dict[str, Any]], hunt: Hunt | str, window: Window = ALL_TIME
) -> HuntResult:
    """What a hunt gives over the events."""
    one = load_hunts([hunt])[0] if isinstance(hunt, str) else hunt
    with stored(folder / "store", events).engine() as engine:
        return run_hunt(one, engine, window)


LISTS = Lists({"known": ["carol", "dave-*", "nowhere"], "nothing": []})


def sigma(detection: str, *, more: str = "", lists: Lists = LISTS) -> Hunt:
    """A Sigma rule with this detection; ``more`` are further lines of the document."""
    return read_hunts(
        "title: A rule\nlogsource: {product: kubernetes, service: audit}\n"
        f"detection: {detection}\n{more}",
        file="rule.yml",
        stem="rule",
        lists=lists,
    )[0]


def correlation(condition: str, *, timespan: str = "5m", kind: str = "event_count") -> Hunt:
    """A Sigma correlation over all requests of a user."""
    return read_hunts(
        f"""
title: A correlation
name: correlation
correlation:
  type: {kind}
  rules: [base]
  group-by: [user.username]
  timespan: {timespan}
  condition: {condition}
---
title: Base
name: base
logsource: {{product: kubernetes, service: audit}}
detection: {{s: {{user.username|exists: true}}, condition: s}}
""",
        file="correlation.yml",
        stem="correlation",
    )[0]
