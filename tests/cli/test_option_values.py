"""Option values: sizes, tags, stores and time ranges."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.cli.selection import has_tag
from k8sidx.cli.size import parse_size
from k8sidx.cli.store import DEFAULT_STORE, StoreChoice, store_location
from k8sidx.errors import UsageError

TAGS = ("attack.credential-access", "attack.t1552.007", "attack.privilege_escalation")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("33554432", 33554432),
        ("500kB", 500_000),
        ("32MiB", 32 * 1024**2),
        ("1G", 10**9),
        ("2 KiB", 2048),
    ],
)
def test_parse_size_accepts_bytes_and_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "MiB", "-1", "1TB", "1.5M", "many"])
def test_parse_size_refuses_invalid_sizes(text: str) -> None:
    with pytest.raises(UsageError, match=r"not a valid size.*32MiB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("attack.t1552.007", True),
        ("T1552.007", True),
        ("t1552", True),
        ("t155", False),
        ("credential-access", True),
        ("credential_access", True),
        ("attack.Credential-Access", True),
        ("privilege-escalation", True),
        ("execution", False),
    ],
)
def test_a_tag_may_be_written_as_in_sigma_or_in_attack(asked: str, found: bool) -> None:
    assert has_tag(TAGS, asked) is found


def test_a_tag_of_an_earlier_attack_version_selects_what_replaced_it() -> None:
    now, before = ("attack.defense-impairment", "attack.t1685"), ("attack.defense-evasion",
                                                                  "attack.t1562.001")  # fmt: skip
    for asked in ("t1562", "T1562.001", "attack.defense_evasion", "t1685", "defense-impairment"):
        assert has_tag(now, asked) and has_tag(before, asked), asked
    assert not has_tag(now, "t1562.007")


def test_the_store_is_the_given_one_then_the_configured_then_the_default(here: Path) -> None:
    assert store_location(StoreChoice()) == DEFAULT_STORE
    (here / "k8sidx.toml").write_text('store = "configured"')
    assert store_location(StoreChoice()) == str(here / "configured")
    assert store_location(StoreChoice(store="given")) == "given"


def test_store_location_accepts_clusters_and_refuses_other_urls(here: Path) -> None:
    assert store_location(StoreChoice(store="HTTPS://search")) == "HTTPS://search"
    with pytest.raises(UsageError, match=r"s3:// is not a store.*path of a folder, or"):
        store_location(StoreChoice(store="s3://bucket/audit"))
    assert list(here.iterdir()) == []
