"""Addresses of clusters: several nodes, no credentials in what is shown."""

from __future__ import annotations

import pytest

from k8sidx.backends.cluster.http.address import is_cluster, parse_location
from k8sidx.errors import UsageError

WORD = "s3cr3t"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("https://search:9200", "https://search:9200"),
        ("https://search/", "https://search"),
        ("https://search:443/es/", "https://search/es"),
        ("HTTP://Search:9200", "http://search:9200"),
        ("http://[::1]:9200", "http://[::1]:9200"),
        ("https://a:9200, https://b:9200,https://a:9200", "https://a:9200,https://b:9200"),
        (f"https://elastic:{WORD}@search:9200", "https://search:9200"),
    ],
)
def test_what_is_shown(written: str, shown: str) -> None:
    assert str(parse_location(written)) == shown


def test_a_port_left_out_is_the_schemes() -> None:
    [one, two] = parse_location("https://a,http://b").nodes
    assert (one.port, two.port) == (443, 80)


def test_credentials_are_taken_out_decoded() -> None:
    location = parse_location("https://a%40b:p%2Fw@one:9200,https://a%40b:p%2Fw@two:9200")
    assert location.username == "a@b"
    assert location.password is not None
    assert location.password.get_secret_value() == "p/w"
    assert "p/w" not in repr(location)


@pytest.mark.parametrize(
    "wrong",
    [
        "https://",
        f"https://elastic:{WORD}/x@search:9200",
        f"https://elastic:{WORD}@search:port",
        f"https://elastic:{WORD}@search:9200?a=b",
        f"https://elastic:{WORD}@one,ftp://two",
        f"https://elastic:{WORD}@one,https://other:x@two",
        f"https://elastic:{WORD}@[::1:9200",
    ],
)
def test_what_is_wrong_is_refused_without_repeating_a_password(wrong: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_location(wrong)
    chain: BaseException | None = raised.value
    while chain is not None:
        assert WORD not in str(chain)
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)


@pytest.mark.parametrize(
    ("location", "is_one"),
    [("https://a", True), ("HTTP://a", True), ("./store", False), ("https", False)],
)
def test_a_cluster_is_told_from_a_folder(location: str, is_one: bool) -> None:
    assert is_cluster(location) is is_one
