"""Transports of notifications: HTTP, syslog (RFC 5424), e-mail."""

from __future__ import annotations

import smtplib
import socket
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import urllib3
from urllib3.util import Retry, Timeout

from k8sidx.notify.message import Message
from k8sidx.notify.services import MESSAGE_ID, SERVICES
from k8sidx.notify.target import Target

ATTEMPTS = 4
"""Requests of one message in one run, with exponential back-off or as ``Retry-After`` says."""
_SECONDS = Timeout(connect=5, read=15)
_RETRIED = (408, 425, 429, 500, 502, 503, 504)
_MAX_ANSWER = 2_000
_SYSLOG_FACILITY = 13  # log audit
_SYSLOG_SEVERITY = {"critical": 2, "high": 3, "medium": 4, "low": 5}
_SYSLOG_PORT, _SMTP_PORT, _SMTPS_PORT = 514, 25, 465


class NotSent(Exception):
    """A message that a target did not take.

    :ivar again: whether it may take it later.
    """

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def send(target: Target, message: Message) -> None:
    """Send a message; return when the target has taken it.

    :raises NotSent: if it has not.
    """
    if target.service in SERVICES:
        _post(target, message)
    elif target.service.startswith("syslog"):
        _syslog(target, message)
    else:
        _mail(target, message)


def _post(target: Target, message: Message) -> None:
    post = SERVICES[target.service](target.url, target.secret, message)
    retry = Retry(
        total=ATTEMPTS - 1,
        redirect=False,
        backoff_factor=0.5,
        status_forcelist=_RETRIED,
        allowed_methods=None,
        raise_on_status=False,
    )
    try:
        with urllib3.PoolManager(timeout=_SECONDS, retries=retry) as pool:
            answer = pool.request(
                "POST", post.url, body=post.body, headers=dict(post.headers), preload_content=False
            )
            text = answer.read(_MAX_ANSWER, decode_content=False).decode("utf-8", "replace")
            answer.close()
    except urllib3.exceptions.HTTPError as error:
        # The error's own text has the URL, which may be a secret.
        raise NotSent(f"no answer ({type(error).__name__})", again=True) from None
    if not 200 <= answer.status < 300:
        reason = f"HTTP {answer.status}: {text.strip()[:200]}".rstrip(": ")
        raise NotSent(reason, again=answer.status in _RETRIED)


def _syslog(target: Target, message: Message) -> None:
    parts = urlsplit(target.url)
    host_and_port = (parts.hostname or "", parts.port or _SYSLOG_PORT)
    line = syslog_line(message, datetime.now(UTC), socket.gethostname())
    try:
        if target.service == "syslog":
            family, kind, *_, address = socket.getaddrinfo(*host_and_port, type=socket.SOCK_DGRAM)[
                0
            ]
            with socket.socket(family, kind) as out:
                out.sendto(line, address)
        else:
            with socket.create_connection(host_and_port, timeout=15) as out:
                out.sendall(b"%d %s" % (len(line), line))  # octet counting, RFC 6587
    except OSError as error:
        raise NotSent(error.strerror or str(error), again=True) from error


def syslog_line(message: Message, moment: datetime, host: str) -> bytes:
    """Return a message in the form of RFC 5424: title and steps in one line of UTF-8."""
    priority = _SYSLOG_FACILITY * 8 + _SYSLOG_SEVERITY.get(message.level, 6)
    time = f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
    text = " | ".join((message.title, *message.lines))
    head = f"<{priority}>1 {time} {host or '-'} k8sidx - {message.id} -"
    return f"{head} {text}".encode("utf-8", "replace")


def _mail(target: Target, message: Message) -> None:
    parts = urlsplit(target.url)
    options = parse_qs(parts.query)
    mail = EmailMessage()
    mail["From"], mail["To"] = options["from"][0], ", ".join(options["to"])
    mail["Subject"] = f"[k8sidx] {message.title}"
    mail["Message-ID"] = f"<{message.id}@k8sidx.invalid>"
    mail[MESSAGE_ID] = message.id
    mail.set_content("\n".join((message.title, "", *message.lines)) + "\n")
    host = parts.hostname or ""
    try:
        if target.service == "smtps":
            context = ssl.create_default_context()
            port = parts.port or _SMTPS_PORT
            connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=15, context=context)
        else:
            connection = smtplib.SMTP(host, parts.port or _SMTP_PORT, timeout=15)
        with connection:
            connection.ehlo()
            encrypted = target.service == "smtps"
            if not encrypted and connection.has_extn("starttls"):
                connection.starttls(context=ssl.create_default_context())
                encrypted = True
            if user := options.get("user"):
                if not encrypted:
                    raise NotSent("no password is sent without TLS", again=False)
                connection.login(user[0], target.secret)
            connection.send_message(mail)
    except smtplib.SMTPResponseException as error:
        again = 400 <= error.smtp_code < 500
        raise NotSent(f"SMTP {error.smtp_code}", again=again) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(f"no delivery ({type(error).__name__})", again=True) from error
