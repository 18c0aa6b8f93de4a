"""Addresses of inputs in clouds: scheme, place, and options as in ``s3://logs/audit/?since=7d``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

from k8sidx.errors import UsageError
from k8sidx.query.durations import parse_moment, parse_span


@dataclass(frozen=True, slots=True)
class Address:
    """An input in a cloud.

    :param text: as the user gave it, without options: the name to print.
    :param host: what stands after ``://``, to the first slash: a bucket, a queue, brokers.
    :param path: what follows, without its first slash.
    :param options: by name, behind the question mark.
    """

    text: str
    scheme: str
    host: str
    path: str
    options: dict[str, str]

    def check_options(self, known: Collection[str]) -> None:
        """Raise for an option that this kind of input does not have.

        :raises UsageError: with the options that it has.
        """
        for name in self.options:
            if name not in known:
                raise UsageError(
                    f"{self.text} has no option {name!r}.",
                    remedy=f"Its options are: {', '.join(known)}.",
                )

    def moment(self, name: str) -> datetime | None:
        """Return an option that is a time, ISO-8601 or a span before now; ``None`` without it.

        :raises UsageError: when it is neither.
        """
        text = self.options.get(name)
        return None if text is None else parse_moment(text, datetime.now(UTC))

    def span(self, name: str, default: timedelta) -> timedelta:
        """Return an option that is a span, for example ``10m``.

        :raises UsageError: when it is not valid.
        """
        text = self.options.get(name)
        return default if text is None else parse_span(text)


def parse_address(given: str) -> Address:
    """Return the parts of an address.

    :raises UsageError: when it contains credentials or an option without a value.
    """
    text, _, query = given.partition("?")
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise UsageError(
            f"{parts.scheme}://… contains credentials, which would be saved and printed.",
            remedy="Give them to the provider's own variables or files; see docs/clouds.md.",
        )
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError as error:
        raise UsageError(
            f"the options of {text} are not valid: {query!r}.",
            remedy="Write NAME=VALUE, several with & between them, and quote the input.",
        ) from error
    host, _, path = text.partition("://")[2].partition("/")
    return Address(text, parts.scheme, unquote(host), path, options)
