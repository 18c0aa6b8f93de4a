"""Functions: their arguments, results and documentation.

A function takes values and returns one. Where an argument is missing the result is missing, too,
without a call, unless ``takes_missing`` is set.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.insights.language import values
from k8sidx.insights.language.arithmetic import numeric
from k8sidx.insights.language.ast import Entry
from k8sidx.insights.language.values import as_moment, as_number, as_text
from k8sidx.query.networks import NetworkSet


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    :param name: as CloudWatch writes it.
    :param group: its section in the documentation.
    :param least: the smallest number of arguments.
    :param most: the largest number; ``None`` for any number.
    :param run: computes the value from the arguments' values.
    :param entry: its documentation.
    :param takes_missing: it is called where an argument is missing, too.
    :param takes_lists: a list may be an argument.
    """

    name: str
    group: str
    least: int
    most: int | None
    run: Callable[..., Any]
    entry: Entry
    takes_missing: bool = False
    takes_lists: bool = False


_RESULTS: dict[str, str] = {
    "ispresent": 'ispresent("") = 1',
    "coalesce": 'coalesce(1 / 0, "none") = none',
    "abs": "abs(-2) = 2",
    "ceil": "ceil(1.2) = 2",
    "floor": "floor(1.8) = 1",
    "greatest": "greatest(1, 3, 2) = 3",
    "least": "least(1, 3, 2) = 1",
    "log": "log(1) = 0",
    "sqrt": "sqrt(9) = 3",
    "isempty": 'isempty("") = 1',
    "isblank": 'isblank(" ") = 1',
    "concat": 'concat("a", 1, 1 / 0) = a1',
    "ltrim": 'ltrim("/api/", "/") = api/',
    "rtrim": 'rtrim("/api/", "/") = /api',
    "trim": 'trim(" api ") = api',
    "strlen": 'strlen("kubectl") = 7',
    "toupper": 'toupper("get") = GET',
    "tolower": 'tolower("GET") = get',
    "substr": 'substr("kubectl", 4, 2) = ct',
    "replace": 'replace("a.b.c", ".", "/") = a/b/c',
    "strcontains": 'strcontains("kubectl", "ctl") = 1',
    "datediff": 'datediff("2026-11-23T00:00:00Z", "2026-11-23T00:00:01Z") = 1000',
    "fromMillis": "fromMillis(0) = 1970-01-01T00:00:00Z",
    "toMillis": 'toMillis("1970-01-01T00:00:01Z") = 1000',
    "datefloor": 'datefloor("2026-11-23T20:27:30Z", 5m) = 2026-11-23T20:25:00Z',
    "dateceil": 'dateceil("2026-11-23T20:27:30Z", 1mo) = 2026-12-01T00:00:00Z',
    "isValidIp": 'isValidIp("10.0.0.300") = 0',
    "isValidIpv4": 'isValidIpv4("10.0.0.1") = 1',
    "isValidIpv6": 'isValidIpv6("10.0.0.1") = 0',
    "isIpInSubnet": 'isIpInSubnet("10.0.1.11", "10.0.0.0/8") = 1',
    "isIpv4InSubnet": 'isIpv4InSubnet("fd00::1", "10.0.0.0/8") = 0',
    "isIpv6InSubnet": 'isIpv6InSubnet("fd00::1", "fd00::/8") = 1',
    "jsonParse": 'jsonParse("12") + 1 = 13',
    "jsonStringify": 'jsonStringify("a") = "a"',
}
"""An example of the result of each function."""


def _present(value: Any) -> int:
    return int(value is not None and value != [])


def _coalesce(*arguments: Any) -> Any:
    return next((item for item in arguments if item is not None), None)


def _textual(run: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of texts one of values."""

    def textual(*arguments: Any) -> Any:
        texts = [as_text(item) for item in arguments]
        return None if any(text is None for text in texts) else run(*texts)

    return textual


def _concat(*arguments: Any) -> str:
    return "".join(as_text(item) or "" for item in arguments)


def _is_empty(value: Any) -> int:
    return int(not as_text(value))


def _is_blank(value: Any) -> int:
    return int(not (as_text(value) or "").strip())


def _substr(value: Any, start: Any, length: Any = None) -> str | None:
    text, first = as_text(value), as_number(start)
    count = math.inf if length is None else as_number(length)
    if text is None or first is None or count is None:
        return None
    begin = max(0, int(first))
    end = len(text) if count == math.inf else begin + max(0, int(count))
    return text[begin:end]


def _replace(text: str, find: str, put: str) -> str:
    return text.replace(find, put) if find else text


def _datediff(first: Any, second: Any) -> Any:
    begin, end = as_moment(first), as_moment(second)
    if begin is None or end is None:
        return None
    return values.canonical_number((end - begin) / timedelta(milliseconds=1))


def _from_millis(value: Any) -> Any:
    number = as_number(value)
    return None if number is None else values.from_milliseconds(number)


def _to_millis(value: Any) -> Any:
    moment = as_moment(value)
    return None if moment is None else values.milliseconds(moment)


def _address(value: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(as_text(value) or "")
    except ValueError:
        return None


def _is_address(*kinds: type) -> Callable[[Any], int]:
    return lambda value: int(isinstance(_address(value), kinds))


def in_network(network: str, version: int | None) -> Callable[[Any], int]:
    """Return a test of a value: whether it is an address in the network.

    :param version: 4 or 6, when only addresses and networks of that version are meant.
    :raises InvalidQuery: when it is not a valid network.
    """
    networks = NetworkSet([network])
    if version is not None and ipaddress.ip_network(network, strict=False).version != version:
        return lambda value: 0

    def test(value: Any) -> int:
        address = _address(value)
        if address is None or version not in (None, address.version):
            return 0
        return int(str(address) in networks)

    return test


def _json_parse(value: Any) -> Any:
    try:
        return plain_json(msgspec.json.decode(as_text(value) or ""))
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):  # the last: [[[[…
        return None


def _json_stringify(value: Any) -> str:
    return canonical_json(as_text(value) if not _is_json(value) else value).decode()


def _is_json(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def plain_json(value: Any) -> Any:
    """Return a JSON value as a value: objects and arrays as their canonical text."""
    if isinstance(value, dict | list):
        return canonical_json(value).decode()
    return values.canonical_number(value) if isinstance(value, float) else value


def _function(
    name: str,
    group: str,
    arguments: tuple[int, int | None],
    run: Callable[..., Any],
    form: str,
    about: str,
    example: str,
    **more: bool,
) -> Function:
    entry = Entry(form, about, example, _RESULTS[name])
    return Function(name, group, *arguments, run, entry, **more)


_GENERAL = (
    _function("ispresent", "general", (1, 1), _present, "ispresent(field)",
              "1 where the field has a value, else 0",
              "filter ispresent(responseStatus.code) | stats count(*) by responseStatus.code",
              takes_missing=True, takes_lists=True),
    _function("coalesce", "general", (1, None), _coalesce, "coalesce(value, …)",
              "the first value that is not missing",
              'stats count(*) by coalesce(impersonatedUser.username, user.username, "nobody")',
              takes_missing=True),
)  # fmt: skip

_NUMERIC = (
    _function("abs", "numeric", (1, 1), numeric(abs), "abs(number)", "without its sign",
              "fields abs(responseStatus.code - 404) as away | limit 5"),
    _function("ceil", "numeric", (1, 1), numeric(math.ceil), "ceil(number)", "rounded up",
              "stats count(*) by ceil(responseStatus.code / 100)"),
    _function("floor", "numeric", (1, 1), numeric(math.floor), "floor(number)", "rounded down",
              "stats count(*) by floor(responseStatus.code / 100) as class"),
    _function("greatest", "numeric", (1, None), numeric(max), "greatest(number, …)",
              "the largest", "stats greatest(min(event.bytes), 1000)"),
    _function("least", "numeric", (1, None), numeric(min), "least(number, …)", "the smallest",
              "stats least(max(event.bytes), 1000)"),
    _function("log", "numeric", (1, 1), numeric(math.log), "log(number)",
              "the natural logarithm", "stats count(*) by floor(log(event.bytes)) as magnitude"),
    _function("sqrt", "numeric", (1, 1), numeric(math.sqrt), "sqrt(number)",
              "the square root", "stats sqrt(count(*)) by verb"),
)  # fmt: skip

_TEXT = (
    _function("isempty", "string", (1, 1), _is_empty, "isempty(text)",
              "1 where the text is missing or empty", "filter isempty(userAgent) | limit 5",
              takes_missing=True),
    _function("isblank", "string", (1, 1), _is_blank, "isblank(text)",
              "1 where the text is missing or only white space",
              "filter isblank(userAgent) | limit 5", takes_missing=True),
    _function("concat", "string", (1, None), _concat, "concat(text, …)",
              "the texts one after the other; a missing one is empty",
              'stats count(*) by concat(objectRef.namespace, "/", objectRef.resource) as what',
              takes_missing=True),
    _function("ltrim", "string", (1, 2), _textual(str.lstrip), "ltrim(text[, characters])",
              "without white space, or these characters, at the beginning",
              'stats count(*) by ltrim(requestURI, "/")'),
    _function("rtrim", "string", (1, 2), _textual(str.rstrip), "rtrim(text[, characters])",
              "without them at the end", 'stats count(*) by rtrim(requestURI, "/")'),
    _function("trim", "string", (1, 2), _textual(str.strip), "trim(text[, characters])",
              "without them at both ends", 'stats count(*) by trim(requestURI, "/")'),
    _function("strlen", "string", (1, 1), _textual(len), "strlen(text)",
              "the number of characters", "stats max(strlen(userAgent)) as longest"),
    _function("toupper", "string", (1, 1), _textual(str.upper), "toupper(text)",
              "in capitals", "stats count(*) by toupper(verb) as method"),
    _function("tolower", "string", (1, 1), _textual(str.lower), "tolower(text)",
              "in small letters", "stats count(*) by tolower(user.username)"),
    _function("substr", "string", (2, 3), _substr, "substr(text, start[, length])",
              "a part; the first character is at 0",
              "stats count(*) by substr(userAgent, 0, 7) as client"),
    _function("replace", "string", (3, 3), _textual(_replace), "replace(text, find, put)",
              "with every occurrence of one text replaced by another",
              'stats count(*) by replace(user.username, "system:serviceaccount:", "sa:") as who'),
    _function("strcontains", "string", (2, 2), _textual(lambda a, b: int(b in a)),
              "strcontains(text, part)", "1 where the part is in the text, else 0",
              'stats sum(strcontains(userAgent, "kubectl")) as kubectl by verb'),
)  # fmt: skip

_DATE = (
    _function("datediff", "date", (2, 2), _datediff, "datediff(first, second)",
              "milliseconds from the first moment to the second",
              "fields datediff(requestReceivedTimestamp, stageTimestamp) as took | limit 5"),
    _function("fromMillis", "date", (1, 1), _from_millis, "fromMillis(number)",
              "the moment so many milliseconds after 1970",
              "fields fromMillis(1764000000000) as then | limit 1"),
    _function("toMillis", "date", (1, 1), _to_millis, "toMillis(moment)",
              "milliseconds since 1970", "fields toMillis(@timestamp) as ms | limit 5"),
)  # fmt: skip

_IP = (
    _function("isValidIp", "ip", (1, 1),
              _is_address(ipaddress.IPv4Address, ipaddress.IPv6Address), "isValidIp(text)",
              "1 where the text is an address",
              "filter not isValidIp(sourceIPs.0) | stats count(*)"),
    _function("isValidIpv4", "ip", (1, 1), _is_address(ipaddress.IPv4Address),
              "isValidIpv4(text)", "1 where it is an IPv4 address",
              "stats count(*) by isValidIpv4(sourceIPs.0) as v4"),
    _function("isValidIpv6", "ip", (1, 1), _is_address(ipaddress.IPv6Address),
              "isValidIpv6(text)", "1 where it is an IPv6 address",
              "stats count(*) by isValidIpv6(sourceIPs.0) as v6"),
)  # fmt: skip

_JSON = (
    _function("jsonParse", "json", (1, 1), _json_parse, "jsonParse(text)",
              "the value of a JSON text; objects and arrays stay text",
              'fields jsonParse("12") + 1 as thirteen | limit 1'),
    _function("jsonStringify", "json", (1, 1), _json_stringify, "jsonStringify(value)",
              "the value as JSON text", "fields jsonStringify(verb) as quoted | limit 1"),
)  # fmt: skip

_ALL = (*_GENERAL, *_NUMERIC, *_TEXT, *_DATE, *_IP, *_JSON)
BY_NAME: dict[str, Function] = {entry.name.lower(): entry for entry in _ALL}
"""Functions of plain values, by name in lower case."""

SPECIAL: dict[str, Entry] = {
    "bin": Entry("bin(period)", "the start of the period that @timestamp is in",
                 "stats count(*) by bin(1h)"),
    "datefloor": Entry("datefloor(moment, period)", "the start of the period",
                       "stats count(*) by datefloor(@timestamp, 1d) as day"),
    "dateceil": Entry("dateceil(moment, period)", "the start of the next period",
                      "stats count(*) by dateceil(@timestamp, 1d) as until"),
    "now": Entry("now()", "seconds since 1970, now",
                 "filter toMillis(@timestamp) / 1000 > now() - 3600 | limit 5"),
    "isIpInSubnet": Entry('isIpInSubnet(text, "network")', "1 where the address is in the network",
                          'filter isIpInSubnet(sourceIPs.0, "10.0.0.0/8") | limit 5'),
    "isIpv4InSubnet": Entry('isIpv4InSubnet(text, "network")', "the same of IPv4 alone",
                            'filter isIpv4InSubnet(sourceIPs.0, "10.0.0.0/8") | limit 5'),
    "isIpv6InSubnet": Entry('isIpv6InSubnet(text, "network")', "the same of IPv6 alone",
                            'filter isIpv6InSubnet(sourceIPs.0, "fd00::/8") | limit 5'),
}  # fmt: skip
"""Functions whose arguments are not plain values."""

GROUPS: dict[str, str] = {
    **{entry.name: entry.group for entry in _ALL},
    **dict.fromkeys(("bin", "datefloor", "dateceil", "now"), "date"),
    **dict.fromkeys(("isIpInSubnet", "isIpv4InSubnet", "isIpv6InSubnet"), "ip"),
}
FUNCTIONS: dict[str, Entry] = {
    **{entry.name: entry.entry for entry in _ALL},
    **{name: item._replace(gives=_RESULTS.get(name, "")) for name, item in SPECIAL.items()},
}
"""Documentation of all functions, by name as they are written."""
