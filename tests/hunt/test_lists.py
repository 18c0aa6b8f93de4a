"""Lists: what k8sidx ships, what the user adds, and what a rule makes of them."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from docs.generate.lists import DOCUMENT, document
from k8sidx.errors import InvalidHunt, UsageError
from k8sidx.hunt.lists import SHIPPED, Lists, ShippedList, is_network, lists_from, shipped_lists
from k8sidx.query.algebra import Condition, InNetwork, OneOf, Or, Wildcard
from k8sidx.query.networks import NetworkSet
from tests.building import event
from tests.hunt.run_hunt import results, sigma

HOLDS = {"users", "namespaces", "addresses", "agents", "paths", "images", "nodes"}


@pytest.mark.parametrize("one", shipped_lists().values(), ids=lambda one: one.name)
def test_a_shipped_list_says_what_it_is_and_where_it_is_from(one: ShippedList) -> None:
    assert one.about.endswith(".")
    assert one.holds in HOLDS
    assert all(name in shipped_lists() for name in one.includes)
    assert bool(one.entries) == bool(one.sources), "entries have sources"
    assert all(source.startswith("https://") for source in one.sources)
    assert len(set(one.entries)) == len(one.entries)
    assert bool(one.entries or one.includes) != one.needed
    if one.holds == "addresses":
        assert all(is_network(entry) for entry in one.entries)


def test_the_documentation_is_current() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "python -m docs.generate.lists"


def test_a_list_has_the_entries_of_those_that_it_includes() -> None:
    identities = SHIPPED.entries("platform_identities") or ()
    assert {"system:apiserver", "eks:node-manager", "aksService", "system:node:*"} <= {*identities}
    assert "masterclient" not in identities, "a person"


def test_entries_of_the_user_add_to_the_shipped_ones() -> None:
    lists = Lists({"kubernetes_namespaces": ["infra"], "mine": ["a", "b"]})
    assert lists.entries("kubernetes_namespaces") == (
        "kube-system", "kube-public", "kube-node-lease", "infra",
    )  # fmt: skip
    assert "infra" in (lists.entries("system_namespaces") or ())
    assert lists.entries("mine") == ("a", "b")
    assert lists.entries("threat_addresses") is None
    assert lists.entries("nobody") is None


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        (
            "verb|expand: '%known%'",
            Or((OneOf("verb", ("carol", "nowhere"), True), Wildcard("verb", "dave-*", True))),
        ),
        ("verb|expand|cased: '%anonymous_users%'",
         OneOf("verb", ("system:anonymous", "system:unauthenticated"))),
        ("verb|cased|expand: '%anonymous_users%'",
         OneOf("verb", ("system:anonymous", "system:unauthenticated"))),
        ("source.ip|expand: '%loopback_addresses%'",
         InNetwork("source.ip", ("127.0.0.0/8", "::1/128"))),
        (
            "verb|contains|expand: '%anonymous_users%'",
            Or((Wildcard("verb", "*system:anonymous*", True),
                Wildcard("verb", "*system:unauthenticated*", True))),
        ),
        ("verb|expand: 'a:%kubernetes_namespaces%'",
         OneOf("verb", ("a:kube-system", "a:kube-public", "a:kube-node-lease"), True)),
        ("verb|expand: '%nothing%'", Or(())),
        ("source.ip|expand: '%nothing%'", Or(())),
    ],
)  # fmt: skip
def test_a_placeholder_is_its_list(item: str, condition: Condition) -> None:
    assert sigma(f"{{s: {{{item}}}, condition: s}}").condition == condition


def test_a_list_too_long_for_patterns_is_refused() -> None:
    many = Lists({"known": [f"user-{number}" for number in range(10_001)]})
    with pytest.raises(InvalidHunt, match="more than 10,000 patterns"):
        sigma("{s: {verb|contains|expand: '%known%'}, condition: s}", lists=many)


def test_a_hunt_whose_list_is_missing_says_so_and_how_to_give_it(tmp_path: Path) -> None:
    hunt = sigma("{s: {source.ip|expand: '%threat_addresses%'}, condition: s}")
    assert hunt.lists_missing == ("threat_addresses",)
    found = results(tmp_path, [event()], hunt)
    assert (found.rows, found.findings) == ([], [])
    (why,) = found.cannot_judge
    assert why.kind == "list"
    assert found.remarks == (
        "cannot judge: it needs the list 'threat_addresses'. It holds addresses, one a line. "
        'Name the file in k8sidx.toml, under [lists]: threat_addresses = "threat_addresses.txt".',
    )


def test_a_list_of_an_unknown_name_may_be_a_slip(tmp_path: Path) -> None:
    hunt = sigma("{s: {verb|expand: '%system_namespace%'}, condition: s}")
    assert "Or is system_namespaces meant?" in results(tmp_path, [event()], hunt).remarks[0]


def test_a_file_holds_an_entry_a_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text("\ufeff# Tor exits\n\n192.0.2.1\n198.51.100.0/24 # a network\n2001:db8::1\n")
    lists = lists_from({"threat_addresses": [path]})
    assert lists.entries("threat_addresses") == ("192.0.2.1", "198.51.100.0/24", "2001:db8::1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"192.0.2.1\nevil.example\n",
            r"bad\.txt:2: .*contains addresses, and 'evil.example' is not one",
        ),
        (b"\xff", "it is not valid UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_wrong_list_is_named(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        lists_from({"threat_addresses": [path]})


def test_a_network_set_finds_what_the_networks_hold() -> None:
    networks = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::/0"]
    within = NetworkSet(networks)
    for text in ("10.1.2.3", "11.0.0.1", "192.0.2.7", "192.0.2.8", "2001:db8::9", "::1"):
        address = ipaddress.ip_address(text)
        expected = any(address in ipaddress.ip_network(one) for one in networks)
        assert (text in within) == expected, text
    assert "nonsense" not in within
