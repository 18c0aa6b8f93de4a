"""Which indices an ``--index`` means."""

from __future__ import annotations

import pytest

from k8sidx.backends.cluster.index.target import DEFAULT_INDEX, Target, parse_target
from k8sidx.errors import UsageError


def test_a_prefix_means_its_dated_indices() -> None:
    target = parse_target(DEFAULT_INDEX)
    assert (target.prefix, target.dated) == ("k8s-audit", "k8s-audit-*")


@pytest.mark.parametrize("pattern", ["filebeat-*", "logs-a,logs-b", "*:kubeaudit*", "a*,-ab*"])
def test_a_pattern_is_searched_as_it_is_and_takes_no_events(pattern: str) -> None:
    target = Target(pattern) if ":" in pattern else parse_target(pattern)
    assert target.dated == pattern
    with pytest.raises(UsageError, match="events go to a prefix"):
        _ = target.prefix


@pytest.mark.parametrize(
    "name", ["", "K8s", "a/b", "a b", "_all", "-a", "+a", ".", "a,,b", "a,", "a#b", "ä", "a" * 201]
)
def test_what_no_index_is_called_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="not a valid index name"):
        parse_target(name)
