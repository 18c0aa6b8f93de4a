"""Requests of the services that take notifications over HTTP.

Sources: Slack incoming webhooks and Block Kit ``plain_text`` objects
(https://api.slack.com/messaging/webhooks), Teams workflows and Adaptive Cards 1.4
(https://adaptivecards.io/explorer/RichTextBlock.html), PagerDuty Events API v2
(https://developer.pagerduty.com/docs/events-api-v2/trigger-events/), Alertmanager API v2
(https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from k8sidx import __version__
from k8sidx.notify.message import Message

SIGNATURE = "X-K8sidx-Signature"
MESSAGE_ID = "X-K8sidx-Message-Id"
_SLACK_HEADER, _SLACK_SECTION = 150, 2_900
_PAGERDUTY = {"critical": "critical", "high": "error", "medium": "warning"}
_PAGERDUTY_SUMMARY = 1_024


class Post(NamedTuple):
    """A request: POST of a JSON document."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def _post(url: str, document: Any, headers: Mapping[str, str] | None = None) -> Post:
    own = {"Content-Type": "application/json", "User-Agent": f"k8sidx/{__version__}"}
    return Post(url, orjson.dumps(document, default=str), {**own, **(headers or {})})


def webhook(url: str, secret: str, message: Message) -> Post:
    """Return the message as JSON, signed with HMAC-SHA256 if there is a secret."""
    post = _post(url, message.document(), {MESSAGE_ID: message.id})
    if not secret:
        return post
    digest = hmac.new(secret.encode(), post.body, hashlib.sha256).hexdigest()
    return post._replace(headers={**post.headers, SIGNATURE: f"sha256={digest}"})


def slack(url: str, secret: str, message: Message) -> Post:
    """Return blocks of plain text, in which Slack interprets nothing."""
    text = "\n".join(message.lines)[:_SLACK_SECTION]
    blocks = [
        {"type": "header", "text": _plain(message.title[:_SLACK_HEADER])},
        {"type": "section", "text": _plain(text or "-")},
    ]
    fallback = _slack_escaped(message.title)
    return _post(
        url,
        {"text": fallback, "blocks": blocks, "unfurl_links": False, "unfurl_media": False},
    )


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _slack_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(url: str, secret: str, message: Message) -> Post:
    """Return an Adaptive Card of text runs, which have no Markdown."""
    runs = [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line, **style}]}
        for line, style in (
            (message.title, {"weight": "Bolder", "size": "Medium"}),
            *((line, {}) for line in message.lines),
        )
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": runs,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _post(url, {"type": "message", "attachments": [attachment]})


def pagerduty(url: str, secret: str, message: Message) -> Post:
    """Return a trigger event; the secret is the integration's routing key."""
    payload = {
        "summary": message.title[:_PAGERDUTY_SUMMARY],
        "source": message.cluster or "kubernetes",
        "severity": _PAGERDUTY.get(message.level, "info"),
        "group": message.actor,
        "class": "k8sidx",
        "custom_details": {"steps": list(message.lines)},
    }
    if message.began:
        payload["timestamp"] = message.began.isoformat()
    event = {
        "routing_key": secret,
        "event_action": "trigger",
        "dedup_key": message.id,
        "client": "k8sidx",
        "payload": payload,
    }
    return _post(url, event)


def alertmanager(url: str, secret: str, message: Message) -> Post:
    """Return one alert of API v2; a secret is sent as a bearer token."""
    labels = {
        "alertname": "K8sidxFinding",
        "severity": message.level,
        "actor": message.actor,
        "cluster": message.cluster,
        "message_id": message.id,
    }
    alert: dict[str, Any] = {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {"summary": message.title, "description": "\n".join(message.lines)},
    }
    if message.began:
        alert["startsAt"] = message.began.isoformat()
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return _post(f"{url.rstrip('/')}/api/v2/alerts", [alert], headers)


SERVICES: Mapping[str, Callable[[str, str, Message], Post]] = {
    "webhook": webhook,
    "slack": slack,
    "teams": teams,
    "pagerduty": pagerduty,
    "alertmanager": alertmanager,
}
