"""Redaction of free text: URIs, commands, messages, user agents, annotation values.

Credentials are found by what introduces them, as they are or percent-encoded once or
twice: ``Authorization: Bearer …``, ``password=…``, ``--token …``, ``https://user:…@host``,
JSON web tokens, private keys, and the tokens of well-known services by their prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote_plus, unquote_plus

import re2  # type: ignore[import-untyped]

from k8sidx.events.normalize.program_names import PROGRAM_HINTS
from k8sidx.events.normalize.redact_marks import MARK, URI_MARK
from k8sidx.events.normalize.redact_names import plain_letters
from k8sidx.events.normalize.redact_programs import (
    masked,
    masked_words,
    may_be_command,
)
from k8sidx.events.normalize.service_tokens import SERVICE_TOKEN, SERVICE_TOKEN_HINTS

SECRET_NAME = (
    r"(?:pass[_.-]?(?:word|wd|phrase)|pwd|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|"
    r"secret[_.-]?key|account[_.-]?key|client[_.-]?secret|credential|authorization|subscription[_.-]?key|auth[_.-]?key|session[_.-]?key|bearer)s?(?:[_-]?\d{1,4})?"
)
"""Names of variables, parameters and options whose value is a credential."""

NEEDLESS_HINTS = tuple(f"%{digits}" for digits in ("4", "5", "6", "7", "25", "2d", "2D"))
"""One of these is in every text with letters that are percent-encoded."""
TEXT_HINTS = (
    *SERVICE_TOKEN_HINTS,
    "pass", "pwd", "-pw", "-psk", "secret", "token", "key", "credential", "auth", "bearer",
    "basic", "eyJ", "://",
    "%3a%2f", "%3a//", "%253a%252f", "mysql", "mariadb", "redis-cli", "mongo", "curl", "wget",
    "login", "openssl", "ldap", "sqlcmd", "bcp", "cookie", "sig=", "sig%", "nature=", "nature%",
    "code=", "code%", "jwt=", "jwt%", "from-literal", *NEEDLESS_HINTS, *PROGRAM_HINTS,
)  # fmt: skip
"""One of these is in every text that has a credential, in letters of either case."""
_HINT = re2.compile(("(?i)" + "|".join(map(re.escape, TEXT_HINTS))).encode())
_NAMES = (
    "pass", "pwd", "-pw", "-psk", "secret", "token", "key", "credential", "auth", "bearer",
    "cookie",
)  # fmt: skip
_SCHEMES = ("bearer", "basic", "negotiate")
_ADDRESSES = ("://", "%3a%2f", "%3a//", "%253a%252f")
_PROGRAMS = (
    "mysql", "mariadb", "mongo", "sshpass", "redis-cli", "curl", "wget", "login", "openssl", "ldap",
    "sqlcmd", "bcp",
)  # fmt: skip
_SIGNATURES = (
    "sig=", "sig%", "nature=", "nature%", "code=", "code%", "pass=", "pass%", "auth=", "auth%",
    "jwt=", "jwt%", "key=", "key%",
)  # fmt: skip
# In the URI of an exec the next word of the command is the next parameter.
_SPACE = r"(?:\s|\+|%20|%2520|%09|&command=)"
# What stands before a value gives nothing back: a mark would be read as a value otherwise.
_EQUALS = rf"{_SPACE}*(?:=|%3[dD]|%253[dD]){_SPACE}*+"
_COLON = rf"{_SPACE}*(?::|%3[aA]|%253[aA]){_SPACE}*+"
_QUOTE = r"(?:[\"']|%2[27]|%252[27]|\\\\?\")"
# A value ends where a URI's parameter, a quoted text or a word of a command ends.
_END = r"(?=[&\s\"',;)}\]]|\\\\?[\"']|%26|%2526|%2[270]|%252[270]|\+|%0[aA]|$)"
_VALUE = rf"(?:(?!\[redacted)[^&\s\"'])+?{_END}"

# "invalid bearer token" is prose: a token has a digit or a capital letter.
_BEARER = re.compile(
    rf"((?:bearer|basic|negotiate){_SPACE}++{_QUOTE}?+)"
    rf"((?=(?-i:(?:(?!\[redacted)[^&\s\"'])*[0-9A-Z])){_VALUE})",
    re.IGNORECASE,
)
_SCHEME = rf"(?:(?:bearer|basic|negotiate|token|apikey|digest|aws4-hmac-sha256){_SPACE}++)?+"
# password=…, "password":"…"; not: secrets "db-token": the object has been modified
_ASSIGNED = re.compile(
    rf"({SECRET_NAME}(?:{_QUOTE}?{_EQUALS}{_QUOTE}?+|{_QUOTE}{_COLON}{_QUOTE}){_SCHEME})({_VALUE})",
    re.IGNORECASE,
)
# X-Api-Key: …, in commands and URIs; in prose this would be any sentence about a token.
_HEADER = re.compile(rf"({SECRET_NAME}{_COLON}{_QUOTE}?+{_SCHEME})({_VALUE})", re.IGNORECASE)
_AUTHORIZATION = re.compile(
    r"(authorization:\s*(?:digest|aws4-hmac-sha256|hmac|hawk|oauth)\s+)"
    r"((?!\[redacted)[^\"'\n&]+)",
    re.IGNORECASE,
)
# The same in prose, where the value can hardly be a word.
_PROSE_HEADER = re.compile(
    rf"((?:{SECRET_NAME}|cookie):\s*{_SCHEME}(?:[\w.-]+=)?)"
    r"((?=[^\s,;]*\d)(?=[^\s,;]*[A-Za-z])(?!\[redacted)[^\s,;:\"']{8,})",
    re.IGNORECASE,
)
# --password hunter2, in a command line and as parameters of a URI.
_OPTION = re.compile(
    rf"((?:^|[\s/=&+(\[{{;,|\"']|%20|%3[dD])--?(?:[\w-]*(?:{SECRET_NAME}|pass|pw|psk)){_SPACE}++{_QUOTE}?+)"
    rf"((?!-){_VALUE})",
    re.IGNORECASE,
)
# The next word of a command, or what follows the option without a space.
_PROGRAM_OPTION = re.compile(
    rf"((?:(?:mysql|mariadb|mongo|sshpass)[\w-]*\b.{{0,300}}?{_SPACE}-p|"
    rf"(?:docker|podman|nerdctl|buildah|skopeo|helm|crane|oras|az|argocd)\b.{{0,300}}?{_SPACE}login\b"
    rf".{{0,300}}?{_SPACE}-p|"
    rf"redis-cli\b.{{0,300}}?{_SPACE}-a|"
    rf"ldap[a-z]+\b.{{0,300}}?{_SPACE}-w|(?:sqlcmd|bcp)\b.{{0,300}}?{_SPACE}-P|"
    rf"openssl\b.{{0,300}}?{_SPACE}-(?:pass(?:in|out)?{_SPACE}+(?:pass(?::|%3[aA]|%253[aA]))|[kK]{_SPACE})|"
    rf"(?:curl|wget)\b.{{0,300}}?{_SPACE}(?:-b|--cookie)(?:{_SPACE}+|=)|"
    rf"(?:curl|wget)\b.{{0,300}}?{_SPACE}(?:-u|--user)(?:{_SPACE}*|=)"
    rf"[^\s:&%+]+(?::|%3[aA]|%253[aA])){_SPACE}*+{_QUOTE}?+)({_VALUE})",
    re.IGNORECASE | re.DOTALL,
)
_NEEDLESS = re.compile(r"%(?:25)*(4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a]|2d|5f|2e)", re.IGNORECASE)
_OPTIONS_OF_A_PROGRAM = 100
_WORDS_OF_A_COMMAND = 10_000
_COOKIE = re.compile(
    rf"(cookie{_COLON}{_QUOTE}?+)((?:(?!\[redacted|%2[27]|%252[27])[^&\"'])+)", re.IGNORECASE
)
# Signed addresses, and the code of an OAuth answer.
_SIGNED = re.compile(
    r"((?:[?&;]|^|%3f|%26|%253f|%2526)(?:sig|code|key|pass|auth|jwt|(?:x-(?:amz|goog)-)?signature)(?:=|%3d|%253d))"
    rf"((?=[^&\s]{{8}}){_VALUE})",
    re.IGNORECASE,
)
_SIGNED_HINT = re.compile(r"://|[?&]\w+=[^&]*&|sig=", re.IGNORECASE)
_URL = re.compile(
    r"([a-z][a-z0-9+.-]{1,20}(?::|%3a|%253a)(?:/|%2f|%252f){2}"
    r"[^\s/:@%&\"'?#]{0,200}(?::|%3a|%253a))"
    r"((?!\[redacted)(?:[^\s/&\"'?#]{1,500}(?=@|%40|%2540)|"
    r"(?!\d{1,5}(?:[/?#]|%2f))[^\s@&\"']{1,200}(?=@[\w.-]+(?:[:/?#\s]|$))))",
    re.IGNORECASE,
)
# A login that is a token: https://TOKEN@host. A user's name has no digits and capital letters.
_TOKEN_LOGIN = re.compile(
    r"([a-z][a-z0-9+.-]{1,20}://)((?=[^\s/@]*\d)(?=[^\s/@]*[A-Z])(?=[^\s/@]*[a-z])[\w-]{12,200}|"
    r"[0-9a-f]{24,64})(?=@)"
)
_ORACLE = re.compile(r"(jdbc:oracle:[a-z]+:[\w.-]+/)([^\s@/\"']{1,200})(?=@)", re.IGNORECASE)
_JWT = re.compile(r"eyJ[\w-]{8,2000}+(?:\.|%2[eE]|%252[eE])[\w-]{8,}(?:\.|%2[eE]|%252[eE])[\w-]*")
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)|"
    r"(?<=Private-Lines: )\d{1,5}\s.*?(?=Private-MAC|$)",
    re.DOTALL,
)
# In texts of any meaning only what cannot be read as anything else is a credential.
_LONG_BEARER = re.compile(
    r"(\b(?:bearer|basic)\s+)((?=[^\s\"']*[0-9])[\w.~+/-]{12,}=*)", re.IGNORECASE
)
_ASSIGNED_VALUE = re.compile(
    r"((?:pass(?:word|wd|phrase)|pwd|token|(?:api|secret|access|account|private|auth)[_.-]?key|"
    r"client[_.-]?secret)(?:\s*=\s*[\"']?|%3[dD]))((?!\[redacted)[^\s\"'&;,$({<]{6,})",
    re.IGNORECASE,
)


# user:password@tcp(host)/db; ... IDENTIFIED BY '...'; machine ... password ...; echo a:b | chpasswd
_STATEMENT = re.compile(
    r"(\w[\w.-]*:(?=[^\s@]{1,200}@(?:tcp|unix)\()|\b(?:identified\s+by|password)\s+'|"
    r"\bmachine\s+\S+\s+login\s+\S+\s+password\s+|\becho\s+[\"']?[\w.-]+:)"
    r"((?!\[redacted)(?:[^\s@'\"]+(?=@(?:tcp|unix)\()|[^\s'\"]+(?='|\s|$|[\"'\s|]+chpasswd)))",
    re.IGNORECASE,
)
_STATEMENT_HINTS = ("@tcp(", "@unix(", "dentified by '", "DENTIFIED BY '", "assword '", "ASSWORD '",
                    "machine ", "chpasswd")  # fmt: skip
_FROM_LITERAL = re.compile(
    rf"(--from-literal(?:{_SPACE}++|=|%3[dD]|%253[dD]){_QUOTE}?+[\w.-]+(?:=|%3[dD]|%253[dD]))"
    rf"{_QUOTE}?+({_VALUE})",
    re.IGNORECASE,
)


_TAILS = ("assword", "asswd", "assphrase", "pwd", "oken", "ey", "ecret")
VALUE_HINTS = (
    *SERVICE_TOKEN_HINTS,
    *("PRIVATE KEY", "Private-Lines", "eyJ", "...|", "earer ", "EARER ", "asic ", "BASIC "),
    *(f"{name}{equals}" for tail in _TAILS for name in (tail, tail.upper())
      for equals in ("=", " =", "%3")),
    *_STATEMENT_HINTS, *NEEDLESS_HINTS, "jdbc:oracle", "sig=", "ignature=",
)  # fmt: skip
"""One of these, or a login in a URL, is in every text that :func:`redact_value` changes; the case
is that of the usual spellings."""
URL_HINT = "://"
_VALUE_HINT = re2.compile("|".join(map(re.escape, (URL_HINT, *VALUE_HINTS))).encode())


def redact_text(text: str, *, mark: str = MARK, prose: bool = False) -> str:
    """Return the text with credentials replaced; the same object when there are none.

    :param mark: the replacement.
    :param prose: the text is a sentence, in which a colon assigns nothing.
    """
    # A search for plain text takes a hundredth of the time of these expressions.
    if text.isascii() and _HINT.search(text.encode()) is None:
        return text
    if (plain := _with_plain_letters(text)) != text:
        redacted = redact_text(plain, mark=mark, prose=prose)
        if redacted != plain:
            return redacted
    lower = text.lower() if text.isascii() else None
    keep = _keep_first_group(mark)
    redacted = _KEY_BLOCK.sub(mark, text) if _has_key(text) else text
    redacted = _JWT.sub(mark, redacted) if "eyJ" in redacted else redacted
    if _has(lower, _ADDRESSES):
        redacted = _URL.sub(keep, redacted)
        redacted = _TOKEN_LOGIN.sub(keep, redacted)
    if _has(lower, _SCHEMES):
        redacted = _BEARER.sub(keep, redacted)
    if _has(lower, _NAMES):
        redacted = _ASSIGNED.sub(keep, redacted)
        redacted = _AUTHORIZATION.sub(keep, redacted)
        redacted = (_PROSE_HEADER if prose else _HEADER).sub(keep, redacted)
        redacted = _OPTION.sub(keep, redacted)
    if "from-literal" in redacted:
        redacted = _FROM_LITERAL.sub(keep, redacted)
    if _has(lower, _PROGRAMS):
        redacted = _redact_program_options(redacted, keep)
    redacted = masked(redacted, mark)
    if not prose and _has(lower, ("cookie",)):
        redacted = _COOKIE.sub(keep, redacted)
    if _has(lower, _SIGNATURES):
        redacted = _SIGNED.sub(keep, redacted)
    redacted = SERVICE_TOKEN.sub(mark, redacted)
    if "jdbc:oracle" in redacted:
        redacted = _ORACLE.sub(keep, redacted)
    if any(hint in redacted for hint in _STATEMENT_HINTS):
        redacted = _STATEMENT.sub(keep, redacted)
    return text if redacted == text else redacted


def _with_plain_letters(text: str) -> str:
    """Return a text with the letters that need no percent-encoding, nor another form, as they are
    (RFC 3986 section 6.2.2.2)."""
    if "%" in text:
        text = _NEEDLESS.sub(lambda match: chr(int(match[1], 16)), text)
    return plain_letters(text)


def redact_headers(text: str) -> str:
    """Return a text of any object without what follows the name of a header; the same text if
    there is nothing."""
    keep = _keep_first_group(MARK)
    redacted = _PROSE_HEADER.sub(keep, _AUTHORIZATION.sub(keep, text))
    return text if redacted == text else redacted


def _has_key(text: str) -> bool:
    return "PRIVATE KEY" in text or "Private-Lines" in text


def redact_value(text: str) -> str:
    """Return a text of any object without private keys, JSON web tokens, tokens of services,
    credentials in URLs, ``Bearer ...`` and ``password=...``; the same text if there are none."""
    if text.isascii() and _VALUE_HINT.search(text.encode()) is None:
        return text
    if (plain := _with_plain_letters(text)) != text:
        redacted = redact_value(plain)
        redacted = redact_text(plain) if redacted == plain and "=" in plain else redacted
        if redacted != plain:
            return redacted
    keep = _keep_first_group(MARK)
    redacted = _KEY_BLOCK.sub(MARK, text) if _has_key(text) else text
    redacted = _JWT.sub(MARK, redacted) if "eyJ" in redacted else redacted
    redacted = SERVICE_TOKEN.sub(MARK, redacted)
    if "://" in redacted and "@" in redacted:
        redacted = _URL.sub(keep, redacted)
        redacted = _TOKEN_LOGIN.sub(keep, redacted)
    redacted = _LONG_BEARER.sub(keep, redacted)
    if "=" in redacted or "%3" in redacted:
        redacted = _ASSIGNED_VALUE.sub(keep, redacted)
        redacted = _SIGNED.sub(keep, redacted) if _SIGNED_HINT.search(redacted) else redacted
    if "jdbc:oracle" in redacted:
        redacted = _ORACLE.sub(keep, redacted)
    if any(hint in redacted for hint in _STATEMENT_HINTS):
        redacted = _STATEMENT.sub(keep, redacted)
    return text if redacted == text else redacted


def _has(lower: str | None, hints: tuple[str, ...]) -> bool:
    """Whether one of the hints can be in a text.

    :param lower: the text in lower case; None for what is not ASCII: ``re`` counts a few
        letters, such as U+017F, as other cases of ASCII ones.
    """
    return lower is None or any(hint in lower for hint in hints)


_INTRODUCTION = re.compile(
    rf"(?:--?[\w-]*(?:{SECRET_NAME}|pass|pw|psk)|(?s:.)*{SECRET_NAME}[\"']?\s*[:=]|"
    r"(?s:.)*\b(?:bearer|basic|negotiate))",
    re.IGNORECASE,
)


def introduces_secret(word: str) -> bool:
    """Whether the next word of a command is a credential: ``--token``, ``key:``, ``Bearer``."""
    return _INTRODUCTION.fullmatch(word[-200:]) is not None


_COMMAND = re.compile(r"(?:^|\s)-{1,2}\w")


def redact_command(text: str) -> str:
    """Return a text of any object without credentials if it is a command, or a script of them."""
    is_command = ("-" in text and _COMMAND.search(text)) or may_be_command(text)
    return redact_text(text) if is_command else text


def redact_programs(line: str) -> str:
    """Return the words of a command without what options of programs introduce; the same text
    when there is nothing."""
    if not _has(line.lower() if line.isascii() else None, _PROGRAMS):
        return line
    redacted = _redact_program_options(line, _keep_first_group(MARK))
    return line if redacted == line else redacted


def _redact_program_options(text: str, keep: Callable[[re.Match[str]], str]) -> str:
    # A match begins with the program, so that one pass finds one of its options.
    for _ in range(_OPTIONS_OF_A_PROGRAM):
        before, text = text, _PROGRAM_OPTION.sub(keep, text)
        if text == before:
            break
    return text


def _keep_first_group(mark: str) -> Callable[[re.Match[str]], str]:
    return lambda match: match[0] if mark in match[2] else f"{match[1]}{mark}"


@lru_cache(maxsize=4096)
def _redact_short_uri(uri: str) -> str:
    return _redact_uri(uri)


def _redact_uri(uri: str) -> str:
    redacted = redact_text(uri, mark=URI_MARK)
    return _redact_command_of(redacted) if "command=" in redacted else redacted


def _redact_command_of(uri: str) -> str:
    """Redact the words of the command in an exec's query, as those of a container."""
    start, _, query = uri.partition("?")
    parameters = query.split("&")
    places = [at for at, text in enumerate(parameters) if text.startswith("command=")]
    if not places or len(places) > _WORDS_OF_A_COMMAND:
        return uri
    words = [unquote_plus(parameters[at][8:]) for at in places]
    marked = [masked(word, MARK) for word in words]
    if may_be_command("\x1f".join(words)):
        marked = masked_words(marked, MARK)
    for at, word, made in zip(places, words, marked, strict=True):
        if made != word:
            pieces = (quote_plus(piece, safe="/:@,=-_.~") for piece in made.split(MARK))
            parameters[at] = f"command={URI_MARK.join(pieces)}"
    redacted = f"{start}?{'&'.join(parameters)}"
    return uri if redacted == uri else redacted


# The core has the same test (core/src/event.rs).
_ODD = re.compile(r"[?=@%_ \"'A-Z]|[^\x00-\x7f]")


def is_odd(text: str) -> bool:
    """Whether a URI or a name has more than the letters of ordinary ones; no other has a
    credential."""
    return _ODD.search(text) is not None


def redact_uri(uri: str) -> str:
    """Return a requestURI without credentials; the same object when there are none."""
    # Most URIs have no query, and a path without any of these has no credential.
    if not is_odd(uri):
        return uri
    # Clients repeat themselves; what is long is an attacker's, or a token.
    redacted = _redact_short_uri(uri) if len(uri) < 300 else _redact_uri(uri)
    return uri if redacted == uri else redacted
