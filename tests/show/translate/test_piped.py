"""Hunts as ES|QL and PPL: commands around the query string that is tested as Lucene."""

from __future__ import annotations

import json

from k8sidx.errors import UnsupportedQuery
from k8sidx.hunt.library.load import load_library
from k8sidx.show.translate.lucene import to_lucene
from k8sidx.show.translate.piped import to_esql, to_ppl

LIBRARY = {hunt.id: hunt for hunt in load_library()}


def test_esql_searches_with_the_query_string_of_lucene() -> None:
    assert len(LUCENE) > 150
    for hunt, query in LUCENE.items():
        source, search, *_ = to_esql(LIBRARY[hunt]).text.split("\n| ")
        assert source == "FROM k8s-audit-*"
        start, end = "WHERE QSTR(", ")"
        assert (search[: len(start)], search[-1]) == (start, end)
        # The escapes are those of JSON; other control characters stand as they are.
        assert json.loads(search[len(start) : -1], strict=False) == query


def test_ppl_searches_with_the_query_string_of_lucene() -> None:
    for hunt, query in LUCENE.items():
        text = to_ppl(LIBRARY[hunt]).text
        start = 'source = k8s-audit-*\n| where query_string(["*"], "'
        quoted = query.replace("\\", "\\\\").replace('"', '\\"')
        assert text.startswith(f'{start}{quoted}")\n| '), hunt


def test_a_top_counts_and_sorts() -> None:
    hunt = LIBRARY["topn_user_agent"]
    assert to_esql(hunt).text.splitlines()[2:] == [
        "| STATS events = COUNT(*) BY `userAgent`",
        "| SORT events DESC",
        "| LIMIT 10",
    ]
    assert to_ppl(hunt).text.splitlines()[2:] == [
        "| stats count() as events by `userAgent`",
        "| sort - events",
        "| head 10",
    ]


def test_a_burst_of_different_values_counts_groups_once_more() -> None:
    hunt = LIBRARY["anonymous_endpoint_scan"]
    translation = to_esql(hunt)
    keys = "`user.username`, `source.ip.keyword`, `userAgent`"
    assert translation.text.splitlines()[2:] == [
        f"| STATS events = COUNT(*) BY {keys}, `requestURI`, "
        "interval = BUCKET(@timestamp, 300 seconds)",
        f"| STATS events = COUNT(*) BY {keys}, interval",
        "| WHERE events >= 6",
        "| SORT events DESC",
    ]
    assert "Intervals stand side by side" in translation.notes[0]
    assert to_ppl(hunt).text.splitlines()[-4:] == [
        f"| stats count() as events by {keys}, `requestURI`, span(`@timestamp`, 300s) as interval",
        f"| stats count() as events by {keys}, interval",
        "| where events >= 6",
        "| sort - events",
    ]


def test_events_are_the_newest_with_their_columns() -> None:
    *_, order, shown, limit = to_esql(LIBRARY["pod_exec"]).text.splitlines()
    assert (order, limit) == ("| SORT `@timestamp` DESC", "| LIMIT 1000")
    assert shown.startswith("| KEEP `@timestamp`, `auditID`, `message`, `user.effective.name`")


def _lucene() -> dict[str, str]:
    texts = {}
    for name, hunt in LIBRARY.items():
        try:
            texts[name] = to_lucene(hunt).text.removesuffix("\n")
        except UnsupportedQuery:
            continue
    return texts


LUCENE = _lucene()
