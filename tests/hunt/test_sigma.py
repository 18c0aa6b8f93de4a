"""What Sigma says becomes the same condition of the algebra, or a named error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from k8sidx.errors import InvalidHunt
from k8sidx.hunt.kinds.threshold import ThresholdHunt
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.sigma.loader import read_hunts
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Wildcard,
)
from tests.building import event, row
from tests.hunt.run_hunt import correlation, sigma
from tests.query.evaluate import holds


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        ("verb: List", Compare("verb", "=", "List", ignore_case=True)),
        ("verb|cased: list", Compare("verb", "=", "list")),
        ("verb: [get, list]", OneOf("verb", ("get", "list"), ignore_case=True)),
        ("responseStatus.code: 403", Compare("responseStatus.code", "=", 403)),
        ("responseStatus.code: [401, 403]", OneOf("responseStatus.code", (401, 403))),
        ("responseStatus.code|gte: 400", Compare("responseStatus.code", ">=", 400)),
        ("responseStatus.code|lt: 400", Compare("responseStatus.code", "<", 400)),
        ("pod.privileged: true", Compare("pod.privileged", "=", True)),
        ("userAgent|contains: curl", Wildcard("userAgent", "*curl*", ignore_case=True)),
        ("userAgent|startswith: curl", Wildcard("userAgent", "curl*", ignore_case=True)),
        ("userAgent|endswith|cased: Go", Wildcard("userAgent", "*Go")),
        ("userAgent: 'a*b?c'", Wildcard("userAgent", "a*b?c", ignore_case=True)),
        (r"userAgent|contains: '50\*'", Wildcard("userAgent", r"*50\**", ignore_case=True)),
        (r"userAgent: 'a\*b'", Compare("userAgent", "=", "a*b", ignore_case=True)),
        ("userAgent: '*'", Present("userAgent")),
        ("userAgent|exists: true", Present("userAgent")),
        ("userAgent|exists: false", Not(Present("userAgent"))),
        ("userAgent: null", Not(Present("userAgent"))),
        ("userAgent|re: '^curl/[78]'", Regex("userAgent", "^curl/[78]")),
        ("userAgent|re|i: ^curl", Regex("userAgent", "^curl", ignore_case=True)),
        ("userAgent|re|m|s: a.b", Regex("userAgent", "(?ms)a.b")),
        ("source.ip|cidr: 192.0.2.0/24", InNetwork("source.ip", ("192.0.2.0/24",))),
        (
            "sourceIPs|cidr: [10.0.0.0/8, 'fd00::/8']",
            InNetwork("sourceIPs", ("10.0.0.0/8", "fd00::/8")),
        ),
        (
            "userAgent|contains|all: [a, b]",
            And((Wildcard("userAgent", "*a*", True), Wildcard("userAgent", "*b*", True))),
        ),
        (
            "user.groups: [a, null]",
            Or((Compare("user.groups", "=", "a", True), Not(Present("user.groups")))),
        ),
        ("verb|neq: get", Not(Compare("verb", "=", "get", ignore_case=True))),
        ("apiGroup: apps", Compare("objectRef.apiGroup", "=", "apps", ignore_case=True)),
        ("hostPath: '*'", Present("pod.host_paths")),
    ],
)
def test_a_detection_item(item: str, condition: Condition) -> None:
    assert sigma(f"{{s: {{{item}}}, condition: s}}").condition == condition


GET = Compare("verb", "=", "get", ignore_case=True)
PODS = Compare("objectRef.resource", "=", "pods", ignore_case=True)


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        ("a and b", And((GET, PODS))),
        ("a or b", Or((GET, PODS))),
        ("a and not b", And((GET, Not(PODS)))),
        ("1 of them", Or((GET, PODS))),
        ("all of them", And((GET, PODS))),
        ("not (a or b)", Not(Or((GET, PODS)))),
        ("[a, b]", Or((GET, PODS))),
    ],
)
def test_a_condition(said: str, condition: Condition) -> None:
    hunt = sigma(f"{{a: {{verb: get}}, b: {{objectRef.resource: pods}}, condition: {said}}}")
    assert hunt.condition == condition


@pytest.mark.parametrize(
    ("detection", "message"),
    [
        ("{s: {namespaces: x}, condition: s}", r"rule\.yml:3: rule 'A rule': no field is named"),
        ("{s: {requestObject: x}, condition: s}", "requestObject is stored, but not searched"),
        ("{s: [mimikatz], condition: s}", "keyword 'mimikatz' has no field"),
        (
            "{s: {responseStatus.code: '4*'}, condition: s}",
            "responseStatus.code .* cannot match a pattern",
        ),
        ("{s: {verb|gt: 3}, condition: s}", r"verb is not a number, which \|gt needs"),
        (
            "{s: {verb|cidr: 10.0.0.0/8}, condition: s}",
            r"not an address, which \|cidr needs",
        ),
        (
            "{s: {source.ip: '10.*'}, condition: s}",
            "is an address, which cannot match a pattern",
        ),
        ("{s: {verb|re: '(?=a)b'}, condition: s}", "invalid perl operator.*RE2 syntax"),
        ("{s: {verb|re: '('}, condition: s}", "not valid Sigma: Regular expression"),
        ("{s: {verb|re|expand: '%verbs%'}, condition: s}", r"verb: placeholders"),
        ("{s: {source.ip|expand: '%known%'}, condition: s}", "the list has 'carol'"),
        ("{s: {verb|fieldref: level}, condition: s}", "verb: FieldReference is not supported"),
        ("{s: {verb|loud: get}, condition: s}", "Unknown modifier 'loud'"),
        ("{s: {'@timestamp|hour': 3}, condition: s}", "parts of a time"),
        ("{s: {'@timestamp': never}, condition: s}", "'never' is not a valid time"),
        ("{s: {verb: get}, condition: t}", "Detection 't' not defined"),
        ("{s: {verb: get}}", "not valid Sigma: .*condition"),
        ("5", "not valid Sigma"),
    ],
)
def test_what_cannot_be_said_is_refused_with_rule_and_field(detection: str, message: str) -> None:
    with pytest.raises(InvalidHunt, match=message):
        sigma(detection)


S = "detection: {s: {verb: get}, condition: s}\n"
LOGSOURCE = "logsource: {product: kubernetes, service: audit}\n"
RULE = "title: T\n" + LOGSOURCE + S


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"f\.yml: this file contains no document"),
        ("- a", r"f\.yml:1: a Sigma document must be a mapping"),
        ("title: [", r"f\.yml:2: not valid YAML"),
        (LOGSOURCE + S, r"f\.yml:1: not valid Sigma: Sigma rule must have a title"),
        ("title: T\nlogsource: {product: windows}\n" + S, "is about windows, service any"),
        (RULE + "k8sidx: {kind: bottom}", r"f\.yml:4: k8sidx\.kind: .*'bottom'"),
        (
            RULE + "k8sidx: {finding_bye: [verb]}",
            r"f\.yml:4: k8sidx\.finding_bye is not a known option",
        ),
        (RULE + "k8sidx: {kind: top, by: []}", r"k8sidx\.by"),
        (RULE + "k8sidx: {kind: top, by: [verb], limit: 0}", r"k8sidx\.limit"),
        (RULE + "k8sidx: {kind: top, by: [verb, verb]}", "two columns have the same heading"),
        (RULE + "k8sidx: {kind: new, by: [wat]}", "no field is named 'wat'"),
        (RULE + "k8sidx: {kind: new, by: [verb], window: soon}", "k8sidx.window: 'soon' is no"),
        (RULE + "k8sidx: {finding_by: ['@timestamp']}", "is a time and makes no groups"),
        (RULE + "k8sidx: {reason: '{wat}'}", r"k8sidx\.reason: 'wat' is not a known name"),
        (RULE + "k8sidx: {level_needed: All}", r"k8sidx\.level_needed"),
        (RULE + "k8sidx: 5", "k8sidx must be a mapping"),
        ("title: T\nx: &a [1]\ny: *b", "not valid YAML"),
    ],
)
def test_a_document_that_cannot_be_read_says_where(text: str, message: str) -> None:
    with pytest.raises(InvalidHunt, match=message):
        read_hunts(text, file="f.yml", stem="f")


@pytest.mark.parametrize(
    ("condition", "at_least"), [("{gte: 5}", 5), ("{gt: 5}", 6), ("{gte: 2.5}", 3)]
)
def test_a_threshold_is_a_whole_number(condition: str, at_least: int) -> None:
    hunt = correlation(condition)
    assert isinstance(hunt, ThresholdHunt)
    assert hunt.at_least == at_least


@pytest.mark.parametrize(
    ("condition", "kind", "message"),
    [
        ("{lt: 5}", "event_count", "with lt looks for what is missing"),
        ("{eq: 5}", "event_count", "with eq"),
        ("{gte: 0}", "event_count", "at least 1"),
        ("{gte: 5, field: verb}", "value_sum", "type value_sum are not supported"),
        ("{gte: 2}", "temporal", "two rules or more"),
        ("{gte: 2}", "value_count", "without field reference"),
        ("{gte: 2, field: wat}", "value_count", "no field is named 'wat'"),
    ],
)
def test_correlations_that_are_not_supported(condition: str, kind: str, message: str) -> None:
    with pytest.raises(InvalidHunt, match=message):
        correlation(condition, kind=kind)


def test_a_missing_base_rule_is_named() -> None:
    text = (
        "title: C\ncorrelation: {type: event_count, rules: [nobody], timespan: 1m, "
        "group-by: [verb], condition: {gte: 1}}"
    )
    with pytest.raises(InvalidHunt, match="'nobody' not found"):
        read_hunts(text, file="f.yml", stem="f")


def test_a_file_of_several_rules_gives_several_hunts_in_order() -> None:
    text = "---\n".join(RULE.replace("title: T", f"title: T{n}") for n in (1, 2, 3))
    hunts = read_hunts(text, file="f.yml", stem="f")
    assert [(hunt.id, hunt.title) for hunt in hunts] == [
        ("f-1", "T1"),
        ("f-2", "T2"),
        ("f-3", "T3"),
    ]


def test_a_billion_laughs_is_refused() -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    with pytest.raises(InvalidHunt, match="too many nodes"):
        read_hunts(RULE + laughs, file="f.yml", stem="f")


def test_a_rule_without_level_is_medium() -> None:
    assert sigma("{s: {verb: get}, condition: s}").level == "medium"


def test_the_library_is_not_changed_by_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_hunts(["pod_exec"])[0].source == "library"


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("resource", "objectRef.resource"),
        ("username", "user.username"),
        ("kubernetes.audit.objectRef.resource", "objectRef.resource"),
        ("kubernetes.audit.annotations.authorization_k8s_io/decision",
         "annotations.authorization.k8s.io/decision"),
        ("kubernetes.audit.requestObject.spec.hostPID", "pod.host_pid"),
        ("kubernetes.audit.requestObject.spec.containers.securityContext.privileged",
         "pod.privileged"),
        ("requestObject.spec.template.spec.initContainers.image", "pod.images"),
        ("requestObject.spec.jobTemplate.spec.template.spec.volumes.hostPath.path",
         "pod.host_paths"),
        ("requestObject.spec.containers[0].securityContext.capabilities.add",
         "pod.capabilities"),
        ("requestObject.rules.verbs", "rbac.verbs"),
        ("requestObject.roleRef.name", "requestObject.roleRef.name"),
        ("requestObject.spec.type", "service.type"),
    ],
)  # fmt: skip
def test_names_that_others_use_mean_stored_fields(name: str, stored: str) -> None:
    assert sigma(f"{{s: {{'{name}|exists': true}}, condition: s}}").condition == Present(stored)


def test_an_error_names_the_line_of_the_field() -> None:
    text = RULE.replace("verb: get", "\n  verb: get,\n  wat|contains: x")
    with pytest.raises(InvalidHunt, match=r"f\.yml:5: .*'wat'"):
        read_hunts(text, file="f.yml", stem="f")


def test_a_test_that_no_event_passes_is_never_true_and_told() -> None:
    hunt = sigma("{s: {responseStatus.code: [ALLOW, 200]}, condition: s}")
    assert hunt.condition == Or((Or(()), Compare("responseStatus.code", "=", 200)))
    (one,) = hunt.impossible
    assert "responseStatus.code is of the kind integer and never 'ALLOW'" in one.about
    assert str(one.where) == "rule.yml:3"


@pytest.mark.parametrize(
    ("item", "resources"),
    [
        ("objectRef.resource: pods/exec", {"pods/exec"}),
        ("objectRef.resource: [pods/exec, secrets]", {"pods/exec", "secrets"}),
        ("objectRef.resource|endswith: /exec", {"pods/exec"}),
        ("objectRef.resource|re: ^pods/(exec|log)$", {"pods/exec", "pods/log"}),
        ("objectRef.subresource: pods/log", {"pods/log"}),
        ("objectRef.resource: pods", {"pods", "pods/exec", "pods/log"}),
    ],
)
def test_a_resource_with_a_slash_is_one_with_its_subresource(
    item: str, resources: set[str]
) -> None:
    hunt = sigma(f"{{s: {{{item}}}, condition: s}}")
    assert hunt.impossible == ()
    bodies = [
        event(resource=resource, subresource=subresource)
        for resource, _, subresource in (
            name.partition("/") for name in ("pods", "pods/exec", "pods/log", "secrets")
        )
    ]
    rows = [row(body) for body in bodies]
    holding = {
        values["target.resource"] for values in rows if holds(hunt.condition, values_of(values))
    }
    assert holding == resources


@pytest.mark.parametrize(
    "item",
    ["verb: impersonate", "stage: Complete", "annotations.authorization.k8s.io/decision: deny"],
)
def test_a_value_that_no_event_has_is_told(item: str) -> None:
    hunt = sigma(f"{{s: {{{item}}}, condition: s}}")
    assert [" is never " in test.about for test in hunt.impossible] == [True]


def values_of(stored: dict[str, Any]) -> Callable[[str], Sequence[Any]]:
    return lambda name: [stored[name]] if stored.get(name) else []
