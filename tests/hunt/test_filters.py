"""Filters that rules share."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from sigma.filters import SigmaFilter

from k8sidx.errors import InvalidHunt
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import library_ids, load_library
from k8sidx.hunt.sigma.conditions import POLICY
from k8sidx.hunt.sigma.filters import shared_filters
from k8sidx.hunt.sigma.loader import read_hunts
from k8sidx.query.algebra import And, Compare, Not, Or, Wildcard
from k8sidx.query.derived import outcomes
from k8sidx.show.translate.sigma import to_sigma

HUNT = resources.files("k8sidx.hunt")
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "rules.md"
RULE = """\
title: T
logsource: {product: kubernetes, service: audit}
detection:
  selection:
    verb: get  # a comment
  condition: %s
k8sidx:
  filters: [%s]
"""
GET = Compare("verb", "=", "get", ignore_case=True)
NOT_REFUSED = Not(outcomes()["failure"])
NOT_DRY_RUN = Not(Compare("request.dry_run", "=", True))


def hunt(text: str) -> Hunt:
    (only,) = read_hunts(text, file="f.yml", stem="f")
    return only


def rule(filters: str, condition: str = "selection") -> Hunt:
    return hunt(RULE % (condition, filters))


def test_filters_follow_the_rule_s_condition_in_the_order_in_which_it_names_them() -> None:
    assert rule("not_refused, not_dry_run").condition == And((GET, NOT_REFUSED, NOT_DRY_RUN))
    assert rule("not_dry_run, not_refused").condition == And((GET, NOT_DRY_RUN, NOT_REFUSED))


def test_a_filter_that_is_named_twice_applies_once() -> None:
    assert rule("not_refused, not_refused").condition == And((GET, NOT_REFUSED))


def test_no_filter_leaves_a_rule_as_it_is() -> None:
    assert rule("").condition == GET


def test_a_filter_applies_to_all_sides_of_an_or() -> None:
    text = (RULE % ("selection or other", "not_refused")).replace(
        "  condition", "  other:\n    verb: 'w*'\n  condition"
    )
    either = Or((GET, Wildcard("verb", "w*", ignore_case=True)))
    assert hunt(text).condition == And((either, NOT_REFUSED))


def test_a_filter_applies_to_each_of_several_conditions() -> None:
    one = And((GET, NOT_REFUSED))
    assert rule("not_refused", "[selection, selection]").condition == Or((one, one))


def test_a_filter_can_say_what_an_event_must_have() -> None:
    assert rule("created").condition == And(
        (
            GET,
            Or(
                (
                    Compare("verb", "=", "create", ignore_case=True),
                    And(
                        (
                            Compare("verb", "=", "patch", ignore_case=True),
                            Compare("responseStatus.code", "=", 201),
                        )
                    ),
                )
            ),
        )
    )


def test_rules_of_a_correlation_name_filters_of_their_own() -> None:
    base = (RULE % ("selection", "not_refused")).replace("title: T", "title: B\nname: base")
    correlation = (
        "title: C\ncorrelation: {type: event_count, rules: [base], timespan: 1m, "
        "group-by: [verb], condition: {gte: 2}}\n"
    )
    assert hunt(f"{base}---\n{correlation}").condition == And((GET, NOT_REFUSED))


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        (RULE % ("selection", "not_refuse"), "no filter is named 'not_refuse'",
         "Did you mean not_refused"),
        (RULE % ("selection", "wat"), "no filter is named 'wat'", "There are: created, "),
        (RULE % ("selection", "[a]"), "a list of names is needed", "filters: [not_refused"),
        (RULE % ("1 of them", "not_refused"), "'them' in the condition would include 'refused'",
         "Name the rule's own selections"),
        (RULE % ("1 of re*", "not_refused"), "'re*' in the condition would include 'refused'",
         "Name the rule's own selections"),
        ((RULE % ("selection", "not_refused")).replace("selection", "refused"),
         "not_refused brings a selection 'refused'", "Rename the rule's selection"),
        (RULE % ("selection", "not_platform, not_platform_itself"),
         "not_platform_itself brings a selection 'platform'", "leave out the filter"),
        ("title: C\ncorrelation: {type: event_count, rules: [x], timespan: 1m, group-by: [verb],"
         "\n  condition: {gte: 2}}\n\n\n\nk8sidx:\n  filters: [not_refused]\n",
         "this document has no detection", "each rule that a correlation refers to"),
    ],
)  # fmt: skip
def test_a_filter_that_a_rule_cannot_have_is_an_error_with_file_line_and_remedy(
    text: str, message: str, remedy: str
) -> None:
    with pytest.raises(InvalidHunt) as caught:
        hunt(text)
    assert str(caught.value.where) == "f.yml:8"
    assert message in caught.value.message
    assert remedy in caught.value.remedy


STYLES = {
    "block": RULE % ("selection", "not_refused, created"),
    "list": (RULE % ("selection", "")).replace("[]", "\n    - not_refused\n    - created"),
    "two lines": RULE % ("selection", "not_refused,\n    created"),
    "deeper": (RULE % ("selection", "not_refused")).replace("\n  ", "\n    "),
    "quoted": RULE % ("'selection'", "not_refused"),
    "folded": RULE % (">-\n    selection", "not_refused"),
    "several": RULE % ("[selection, selection]", "not_refused"),
    "flow": "{title: T, logsource: {product: kubernetes, service: audit}, detection: {s: {verb: "
    "get}, condition: s}, k8sidx: {filters: [not_refused], finding_by: [verb]}}",
    "either": (RULE % ("selection or other", "not_refused")).replace(
        "  condition", "  other: {verb: list}\n  condition"
    ),
    "two rules": RULE % ("selection", "not_refused") + "---\n" + RULE % ("selection", "created"),
    "none": (RULE % ("selection", "")).replace("k8sidx:\n  filters: []\n", ""),
}


@pytest.mark.parametrize("style", STYLES)
def test_a_rule_stands_alone_in_sigma_however_it_is_written(style: str, tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_text(STYLES[style])
    hunts = read_hunts(STYLES[style], file="f.yml", stem="f", source=str(path))
    printed = to_sigma(hunts[0]).text
    assert not any("filters" in str(document) for document in yaml.safe_load_all(printed))
    alone = read_hunts(printed, file="f.yml", stem="f")
    assert [one.condition for one in alone] == [one.condition for one in hunts]
    if style not in ("folded", "several", "flow", "quoted"):
        assert "# a comment" in printed


def test_every_hunt_of_the_library_stands_alone_in_sigma() -> None:
    for original in load_library():
        (alone,) = read_hunts(to_sigma(original).text, file="f.yml", stem=original.id)
        assert alone.condition == original.condition, original.id


def test_filters_are_documents_of_the_sigma_specification() -> None:
    documents = list(yaml.safe_load_all((HUNT / "filters.yml").read_text("utf-8")))
    assert [document["name"] for document in documents] == list(shared_filters())
    for document in documents:
        read = SigmaFilter.from_dict(document, policy=POLICY)
        assert read.to_dict()["filter"]["rules"] == ["k8sidx.filters"]


def test_every_filter_is_used_and_documented() -> None:
    used = Counter(
        name
        for identifier in library_ids()
        for document in _documents(identifier)
        for name in document.get("k8sidx", {}).get("filters", ())
    )
    assert used.keys() == shared_filters().keys()
    assert min(used.values()) > 1
    page = DOCUMENTATION.read_text("utf-8")
    for shared in shared_filters().values():
        assert f"| `{shared.name}` |" in page


def test_a_selection_that_many_rules_share_is_a_filter() -> None:
    selections = Counter(
        json.dumps(body)
        for identifier in library_ids()
        for document in _documents(identifier)
        for name, body in document.get("detection", {}).items()
        if name != "condition"
    )
    assert [body for body, times in selections.items() if times > 7] == []


def _documents(identifier: str) -> list[dict[str, Any]]:
    text = (HUNT / "library" / f"{identifier}.yml").read_text("utf-8")
    return list(yaml.safe_load_all(text))
