"""Targets of notifications, as URLs say them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from k8sidx.errors import UsageError
from k8sidx.hunt.level import urgency
from k8sidx.notify.services import SERVICES

SECRET_VARIABLE = "K8SIDX_NOTIFY_SECRET"  # noqa: S105 - the name of a variable
PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_HOSTS = {
    "hooks.slack.com": "slack",
    "hooks.slack-gov.com": "slack",
    "events.pagerduty.com": "pagerduty",
    "events.eu.pagerduty.com": "pagerduty",
}
_SUFFIXES = {
    ".webhook.office.com": "teams",
    ".logic.azure.com": "teams",
    ".api.powerplatform.com": "teams",
}
_OWN = ("syslog", "syslog+tcp", "smtp", "smtps")
REMEDY = (
    "Give https://… (a webhook; Slack, Teams and PagerDuty are recognized), SERVICE+https://… with "
    f"{', '.join(SERVICES)}, syslog://HOST:PORT, syslog+tcp://HOST:PORT, or "
    "smtp://HOST:PORT?from=A&to=B."
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where notifications are sent.

    :param service: a name in :data:`k8sidx.notify.services.SERVICES`, or ``syslog``,
        ``syslog+tcp``, ``smtp``, ``smtps``.
    :param secret: HMAC key, routing key, token or password; never printed.
    :param level: lowest level of findings to send.
    :param clusters: only findings in these; all if empty.
    :param name: what messages call it: the URL may be a secret.
    """

    service: str
    url: str
    name: str
    secret: str = ""
    level: str = "medium"
    clusters: tuple[str, ...] = ()

    def takes(self, level: str) -> bool:
        """Whether findings of a level are sent."""
        return urgency(level) >= urgency(self.level)


def parse_target(
    url: str,
    *,
    name: str = "",
    secret_file: Path | None = None,
    level: str = "medium",
    clusters: tuple[str, ...] = (),
) -> Target:
    """Return the target that a URL stands for.

    The secret is read from the file, else from the environment variable K8SIDX_NOTIFY_SECRET.

    :raises UsageError: if it is not such a URL, or if the service needs a secret and has none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"not a notification target: {error}.", remedy=REMEDY) from error
    if parts.username or parts.password:
        raise UsageError(
            "a notification target has credentials in its URL.",
            remedy=f"Put them into a file (secret_file) or into {SECRET_VARIABLE}.",
        )
    service, scheme = _service(parts.scheme.lower(), (parts.hostname or "").lower())
    if not service or not parts.hostname:
        raise UsageError("not a notification target.", remedy=REMEDY)
    plain = url if service in _OWN else urlunsplit(parts._replace(scheme=scheme))
    where = f"{service} ({parts.hostname}{f':{port}' if port else ''})"
    secret = text_of(secret_file) if secret_file else os.environ.get(SECRET_VARIABLE, "")
    if service == "pagerduty" and not secret:
        raise UsageError(
            "PagerDuty needs the routing key of an integration.",
            remedy=f"Put it into a file (secret_file) or into {SECRET_VARIABLE}.",
        )
    if service.startswith("smtp") and not {"from", "to"} <= parse_qs(parts.query).keys():
        raise UsageError("an e-mail target has a sender and receivers.", remedy=REMEDY)
    return Target(service, plain, name or where, secret, level, clusters)


def _service(scheme: str, host: str) -> tuple[str, str]:
    """Return the service and the scheme of its URL; empty if there is none."""
    if scheme in _OWN:
        return scheme, scheme
    prefix, plus, rest = scheme.rpartition("+")
    if rest not in ("http", "https"):
        return "", ""
    if plus:
        return (prefix, rest) if prefix in SERVICES else ("", "")
    if host in _HOSTS:
        return _HOSTS[host], rest
    return next((name for end, name in _SUFFIXES.items() if host.endswith(end)), "webhook"), rest


def text_of(file: Path) -> str:
    """Return the text of a file that contains a secret, without the line break at its end.

    :raises UsageError: if it cannot be read.
    """
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{file} cannot be read: {reason}.") from error
