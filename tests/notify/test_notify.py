"""Findings reach people: each story once, at least once on failure, with inert text."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from k8sidx.cli import app
from k8sidx.errors import UsageError
from k8sidx.hunt.actor_timeline import timelines_of
from k8sidx.hunt.result import Finding
from k8sidx.notify.deliver import MAX_STORIES, deliver, enqueue
from k8sidx.notify.message import Message, inert, message_of
from k8sidx.notify.queue import MAX_MESSAGES, Queue
from k8sidx.notify.services import SERVICES
from k8sidx.notify.target import SECRET_VARIABLE, Target, parse_target
from k8sidx.notify.transport import syslog_line
from tests.building import event
from tests.notify.receivers import Received, http_receiver, smtp_receiver, udp_receiver
from tests.stores import stored

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOSTILE = (
    "<!channel> <@U123> @here [click](http://evil.example/x) *bold* `code` <b>html</b> "
    "https://evil.example javascript://x www.evil.example \x1b[31m\r\nBcc: a@evil.example"
)


def finding(actor: str = "mallory", level: str = "high", **fields: Any) -> Finding:
    number = fields.pop("number", 0)
    return Finding(
        "secret_get",
        level,
        {"user.username": actor, **fields},
        1,
        NOW + timedelta(minutes=number),
        NOW + timedelta(minutes=number),
        f"{actor} read secret shop/db",
        (f"id-{actor}-{number}",),
    )


def story(*findings: Finding) -> Message:
    (only,) = timelines_of(findings)
    return message_of(only)


@pytest.fixture
def receiver() -> Iterator[Received]:
    with http_receiver() as received:
        yield received


def told(findings: list[Finding], target: Target, folder: Path) -> Any:
    enqueue(findings, [target], folder)
    (delivery,) = deliver([target], folder)
    return delivery


def test_a_story_is_one_message(receiver: Received, tmp_path: Path) -> None:
    findings = [finding(number=number) for number in range(3)] + [finding("trudy", "medium")]
    delivery = told(findings, parse_target(receiver.url), tmp_path)
    assert (delivery.sent, delivery.is_complete) == (2, True)
    first, second = (json.loads(body) for body in receiver.bodies)
    assert first["title"] == "high: mallory, 3 findings"
    assert [step["audit_ids"] for step in first["findings"]] == [
        [f"id-mallory-{number}"] for number in range(3)
    ]
    assert second["actor"] == "trudy"


def test_levels_and_clusters_choose_the_target(receiver: Received, tmp_path: Path) -> None:
    key = "orchestrator.cluster.name"
    target = parse_target(receiver.url, level="high", clusters=("prod-*",))
    findings = [
        finding(**{key: "prod-1"}),
        finding("trudy", **{key: "dev"}),
        finding("eve", "medium", **{key: "prod-1"}),
        finding("oscar"),
    ]
    told(findings, target, tmp_path)
    assert [json.loads(body)["cluster"] for body in receiver.bodies] == ["prod-1"]


def test_too_many_stories_are_summed_up(receiver: Received, tmp_path: Path) -> None:
    findings = [finding(f"user-{number}") for number in range(MAX_STORIES + 5)]
    told(findings, parse_target(receiver.url), tmp_path)
    assert len(receiver.bodies) == MAX_STORIES + 1
    assert "5 more stories were held back: 5 high" in json.loads(receiver.bodies[-1])["title"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again(status: int, receiver: Received, tmp_path: Path) -> None:
    receiver.answers = [status, status]
    assert told([finding()], parse_target(receiver.url), tmp_path).sent == 1
    assert len(receiver.bodies) == 3
    assert len(set(receiver.bodies)) == 1


def test_what_was_not_taken_is_sent_by_the_next_run(tmp_path: Path) -> None:
    with http_receiver() as received:
        url = received.url
        received.answers = [503] * 4
        first = told([finding()], parse_target(url), tmp_path)
        assert (first.sent, first.waiting, first.reason) == (0, 1, "HTTP 503")
        (second,) = deliver([parse_target(url)], tmp_path)
        assert (second.sent, second.waiting) == (1, 0)
        (third,) = deliver([parse_target(url)], tmp_path)
        assert third.sent == 0
    assert len({json.loads(body)["id"] for body in received.bodies}) == 1


def test_a_refusal_for_good_does_not_block_what_comes_after(
    receiver: Received, tmp_path: Path
) -> None:
    receiver.answers = [404]
    delivery = told([finding(), finding("trudy")], parse_target(receiver.url), tmp_path)
    assert (delivery.sent, delivery.refused, delivery.waiting) == (1, 1, 0)
    assert not delivery.is_complete


def test_a_redirect_is_not_followed(receiver: Received, tmp_path: Path) -> None:
    receiver.answers = [302]
    assert told([finding()], parse_target(receiver.url), tmp_path).refused == 1
    assert len(receiver.bodies) == 1


def test_messages_that_wait_are_private_and_bounded(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q", "http://127.0.0.1:1")
    message = story(finding())
    queue.add([message])
    (file,) = (tmp_path / "q").rglob("*.json")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    ((_, waiting),) = queue.waiting()
    assert waiting
    assert (waiting.id, waiting.steps, waiting.began) == (message.id, message.steps, NOW)
    for number in range(MAX_MESSAGES):
        (file.parent / f"{number:020}-x.json").write_text("{}")
    assert queue.drop_oldest() == 1


def test_a_damaged_message_is_set_aside_and_told(receiver: Received, tmp_path: Path) -> None:
    target = parse_target(receiver.url)
    enqueue([finding()], [target], tmp_path)
    (file,) = tmp_path.rglob("*.json")
    file.write_text("{")
    (delivery,) = deliver([target], tmp_path)
    assert (delivery.sent, delivery.refused) == (0, 1)
    assert "damaged" in delivery.reason
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".damaged"]
    assert deliver([target], tmp_path)[0].is_complete


def test_a_webhook_is_signed(
    receiver: Received, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "key")
    told([finding()], parse_target(receiver.url), tmp_path)
    digest = hmac.new(b"key", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert receiver.headers[0]["X-K8sidx-Signature"] == f"sha256={digest}"


def test_alertmanager_gets_an_alert(receiver: Received, tmp_path: Path) -> None:
    told([finding()], parse_target(f"alertmanager+{receiver.url}"), tmp_path)
    assert receiver.paths == ["/api/v2/alerts"]
    (alert,) = json.loads(receiver.bodies[0])
    assert alert["labels"]["severity"] == "high"
    assert alert["startsAt"].startswith("2026-11-23T12:00:00")
    assert all(isinstance(value, str) for value in alert["labels"].values())


def test_pagerduty_gets_its_key_and_one_incident_a_story(
    receiver: Received, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "routing")
    told([finding()], parse_target(f"pagerduty+{receiver.url}"), tmp_path)
    sent = json.loads(receiver.bodies[0])
    assert (sent["routing_key"], sent["payload"]["severity"]) == ("routing", "error")
    assert sent["dedup_key"] == story(finding()).id


def test_syslog_gets_one_line(tmp_path: Path) -> None:
    with udp_receiver() as (url, listening):
        told([finding(HOSTILE)], parse_target(url), tmp_path)
        line = listening.recv(65_536).decode()
    assert re.match(r"<107>1 2\d{3}-[\d-]+T[\d:.]+Z \S+ k8sidx - [0-9a-f]{32} - high: ", line)
    assert line.isprintable()


def test_mail_has_one_subject_and_no_header_of_the_log(tmp_path: Path) -> None:
    with smtp_receiver() as received:
        delivery = told([finding(HOSTILE)], parse_target(received.url), tmp_path)
    assert delivery.sent == 1, delivery.reason
    mail = message_from_bytes(received.bodies[0], policy=default)
    assert mail["To"] == "soc@example.com"
    assert mail["Bcc"] is None
    assert "1 finding" in mail["Subject"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_text_of_the_log_is_inert(service: str) -> None:
    message = story(finding(HOSTILE))
    body = json.loads(SERVICES[service]("http://127.0.0.1", "", message).body)
    if service == "webhook":
        del body["findings"]  # the data themselves, for scripts
    texts = list(_texts(body))
    for text in texts:
        assert not re.search(r"https?://(?!adaptivecards\.io/schemas)|www\.|javascript://|@", text)
        assert "\x1b" not in text
    if service == "slack":
        kinds = {block["text"]["type"] for block in body["blocks"]}
        assert kinds == {"plain_text"}
        assert "<!" not in body["text"]
    if service == "teams":
        assert {part["type"] for part in body["attachments"][0]["content"]["body"]} == {
            "RichTextBlock"
        }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)


@given(st.text(max_size=500))
def test_any_text_becomes_one_short_line_without_links(text: str) -> None:
    line = inert(text)
    assert line.isprintable()
    assert "://" not in line.replace("[:]//", "").replace("hxxp://", "").replace("hxxps://", "")
    assert "@" not in line


def test_a_message_of_syslog_is_valid_whatever_the_log_holds() -> None:
    assert syslog_line(story(finding("\ud800\n")), NOW, "").startswith(b"<107>1 2026-11-23T")


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://hooks.slack.com/services/T/B/X", "slack"),
        ("https://contoso.webhook.office.com/webhookb2/x", "teams"),
        ("https://prod-1.westeurope.logic.azure.com/workflows/x", "teams"),
        ("https://example.com/hook", "webhook"),
        ("slack+http://127.0.0.1/x", "slack"),
        ("alertmanager+https://am.example.com", "alertmanager"),
        ("syslog+tcp://log.example.com:6514", "syslog+tcp"),
    ],
)
def test_services_are_known_by_their_url(url: str, service: str) -> None:
    target = parse_target(url)
    assert target.service == service
    assert "/services/" not in target.name


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "https://",
        "nobody+https://x",
        "https://u:p@x",
        "smtp://x",
        "https://events.pagerduty.com/v2/enqueue",
        "http://x:99999",
    ],
)
def test_what_is_no_target_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_target(url)
    assert refusal.value.remedy


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def store(tmp_path: Path) -> str:
    secret = {"resource": "secrets", "namespace": "shop", "name": "db", "apiVersion": "v1"}
    stored(tmp_path / "store", [event(verb="get", objectRef=secret)])
    return str(tmp_path / "store")


def test_a_hunt_tells_each_finding_once(store: str, receiver: Received) -> None:
    hunt = ("hunt", "secret_get", "--store", store, "--notify", receiver.url + "?x")
    assert run(*hunt).exit_code == 2
    target = ("--new", "--save", "--notify", f"webhook+{receiver.url}")
    first = run(*hunt[:4], *target)
    assert first.exit_code == 0, first.stderr
    again = run(*hunt[:4], *target)
    assert again.exit_code == 0, again.stderr
    levels = [json.loads(body)["level"] for body in receiver.bodies]
    assert len(levels) <= 1


def test_a_target_that_is_away_shows_in_the_exit_code_and_is_told_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8sidx.notify.transport.ATTEMPTS", 1)
    monkeypatch.chdir(tmp_path)
    secret = {"resource": "pods", "subresource": "exec", "namespace": "kube-system", "name": "x"}
    body = event(
        verb="create",
        objectRef=secret,
        requestURI="/api/v1/namespaces/kube-system/pods/x/exec?command=sh",
    )
    stored(tmp_path / "store", [body])
    with http_receiver() as received:
        (tmp_path / "k8sidx.toml").write_text(
            f'[notify.soc]\nurl = "{received.url}"\nlevel = "informational"\n'
        )
        hunt = (
            "hunt", "--all", "--store", "store", "--new", "--save", "--notify", "soc",
        )  # fmt: skip
        received.answers = [503]
        away = run(*hunt)
        assert away.exit_code == 3, away.output
        assert "soc: 0 messages sent, " in away.stderr
        assert "not sent yet" in away.stderr
        assert run(*hunt).exit_code == 0
    ids = [json.loads(body)["id"] for body in received.bodies]
    assert len(ids) > 1
    assert len(set(ids)) == len(ids) - 1


def test_a_test_message_reaches_the_target(receiver: Received) -> None:
    assert run("notify", "test", receiver.url).exit_code == 0
    assert json.loads(receiver.bodies[0])["title"] == "k8sidx: test"
    assert run("notify", "test", "nobody").exit_code == 2
    receiver.answers = [400]
    failed = run("notify", "test", receiver.url)
    assert failed.exit_code == 3
    assert "HTTP 400" in failed.stderr
