"""Credentials among the words of commands: options and operands of known programs, options of
unknown ones, standard input.

``mysql -pX``, ``htpasswd -b f user X``, ``curl -u user:X``, ``echo X | docker login …``,
``kinit user <<< X``. Of an unknown program the word after ``-p`` is replaced unless it is a
number, a range or list of ports, a path, a file or a lower-case word; with a user's name in the
same command any word is, but for numbers and paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

import re2  # type: ignore[import-untyped]

from k8sidx.events.normalize.program_names import NAMES, OPTION_LETTERS, ORDINARY
from k8sidx.events.normalize.redact_names import is_plain, is_secret_name

_OPTIONS: tuple[tuple[str, str], ...] = (
    (r"mysql\w*|mariadb[\w-]*|mycli", "p"),
    (r"mongo\w*|cqlsh|cypher-shell|rdesktop|ncftp\w*|psexec\w*|sshpass", "p"),
    (r"useradd|usermod|groupmod", "p"),
    (r"redis-cli|valkey-cli|keydb-cli", "a"),
    (r"ldap\w+", "w"),
    (r"sqlcmd|bcp|zip|unzip|ipmitool|mosquitto_[ps]ub|tsql", "P"),
    (r"openssl", "kK"),
    (r"snmp\w+", "AXc"),
    (r"7z[az]?r?", "p"),
    (r"curl|wget", "b"),
)  # fmt: skip
"""Programs, and the letters of their options whose value is a credential."""
_ATTACHED_ONLY = re.compile(r"7z[az]?r?")
_LOGINS: tuple[tuple[str, str, str], ...] = (
    (r"curl|wget", "uU", ":"),
    (r"https?|xh|ab|httpie", "aA", ":"),
    (r"smb\w+|rpcclient|net", "U", "%"),
    (r"lftp", "u", ","),
)
"""Programs, the letters of their options whose value is a login, and what parts the name from the
password in it."""
_LAST_OPERAND: tuple[tuple[str, str, int], ...] = (
    (r"mkpasswd|wpa_passphrase|grub-crypt", r".*", 1),
    (r"openssl", r"passwd", 1),
    (r"mysqladmin", r"password", 1),
    (r"rclone", r"obscure", 1),
    (r"rabbitmqctl", r"add_user|change_password|authenticate_user", 1),
    (r"vault|bw|op|infisical|doppler", r"login|unlock|signin", 1),
    (r"net", r"user", 1),
    (r"mc|mcli", r"alias|config|admin", 2),
    (r"redis-cli|valkey-cli|keydb-cli", r"auth|requirepass|masterauth", 1),
)  # fmt: skip
"""Programs, the word that introduces it, and how many of the last operands are credentials."""
_PROGRAMS_OF_A_COMMAND = 16
_WORDS_OF_A_PROGRAM = 2_000
"""Each program is looked at with the words behind it, and a client may send any number."""
_WITH_BATCH = re.compile(r"htpasswd|mosquitto_passwd|htdigest")
_READERS = re.compile(
    r"su|sudo|doas|kinit|passwd|chpasswd|cryptsetup|smbpasswd|ssh-add|pdbedit|veracrypt|chap-secrets"
)
"""Programs that read a password from standard input."""
_READING = re.compile(
    r"--?(?:[\w-]*stdin|with-token|passphrase-fd(?:=0)?|pass(?:word)?-?(?:fd|file)?(?:=(?:-|0|/dev/stdin))?|S)|"
    r"login|stdin|/dev/stdin"
)
"""Words of programs that read one then."""
_WRITERS = frozenset({"echo", "printf", "print"})
_EVIDENCE = re.compile(r"-u\S*|-U\S*|--?user\S*|login|signin|auth|connect")
_NUMBERS = re.compile(r"[\d.,:+-]+(?:/(?:tcp|udp))?")
_PATH = re.compile(r"[./~$%{}<>@*\[(-].*|.*[/*\\{}$=()<>].*|[\w-]+\.[a-z][a-z0-9]{0,4}", re.DOTALL)
_LOWER_WORD = re.compile(r"[a-z]+(?:[_.-][a-z]+)*|[A-Z_]+|[A-Z]?[a-z]+")
_STRONG = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[\w+/=!#$%^&*~@-]{8,}")
_WRAPPERS = frozenset(
    {"sudo", "doas", "env", "time", "exec", "nohup", "nice", "command", "then", "do", "else", "!",
     "{", "if", "while", "until"}
)  # fmt: skip
_VARIABLE = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_WINDOWS = re.compile(r"/(?:p|pw|pwd|pass|password):([^=]+)", re.IGNORECASE)
_KNOWN = re.compile(
    "|".join(
        [
            *(programs for programs, _ in _OPTIONS),
            *(programs for programs, _, _ in _LOGINS),
            *(programs for programs, _, _ in _LAST_OPERAND),
            _WITH_BATCH.pattern,
            "sqlplus|sqlldr|expdp|impdp|rman|expect|spawn",
        ]
    )
)
_ORACLE = re.compile(r"[\w.-]+/([^\s@/]+)@.*|[\w.-]+/([^\s@/]+)")
_SENT = re.compile(r"send(?:_user)?\s+(?:--\s+)?[\"']?((?:(?!\\[rn])[^\s\"'])+)")
_SENT_WORD = re.compile(r"[\"']?((?:(?!\\[rn])[^\s\"'])+)")
_SETTING = frozenset({"set", "config", "put", "--global", "--local", "--system", "--add"})

_HINT = re2.compile(
    (
        r"\b(?:" + "|".join(map(re.escape, NAMES)).replace("\\ ", r"[ \x1f]") + r")(?:[\s\x1f]|$)|"
        rf"(?:^|[\s\x1f])-[{OPTION_LETTERS}]|/[pP]:|-stdin|with-token|<<<|requirepass|"
        r"masterauth|(?i:pass|pw|psk|dsn)\d*="
    ).encode()
)
# Operators end commands; a line that a backslash continues is one.
_TOKEN = re.compile(
    r"(?P<operator>\|[|&]?|&&?|;+|[()`]|<<<|(?<!\\)\n)|"
    r"(?P<word>(?:\[redacted[ +-]by[ +-]k8sidx[^\]]{0,80}\]|"
    r"\"(?:[^\"\\]|\\.)*+\"|'[^']*+'|\\[^\n]|[^\s|;&()`<\"'\\]|[\"'\\]|<(?!<<))++)",
    re.DOTALL,
)
_OPERATOR = re.compile(r"\|[|&]?|&&?|;|<<<")
_LONGEST = 262_144
"""Characters of a text whose words are looked at; a password is not in a longer command."""

Span = tuple[int, int]


class _Word:
    """A word of a command.

    :ivar text: without its quotes.
    :ivar start: where that begins in what the word stands in.
    """

    __slots__ = ("secret", "start", "text")

    def __init__(self, text: str, start: int) -> None:
        quoted = len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]
        self.text = text[1:-1] if quoted else text
        self.start = start + quoted
        self.secret: Span | None = None

    def mask(self, start: int = 0, end: int | None = None) -> None:
        """Note that a part of the word is a credential."""
        value = self.text[start:end].strip("\"'")
        offset = self.text.find(value, start)
        if value and not is_plain(value) and "[redacted" not in value and not value.startswith("-"):
            self.secret = (self.start + offset, self.start + offset + len(value))


@lru_cache(maxsize=2048)
def secret_spans(text: str) -> tuple[Span, ...]:
    """Return where in a command line, or a script, credentials stand."""
    if len(text) > _LONGEST or not may_be_command(text):
        return ()
    commands: list[list[_Word]] = [[]]
    operators: list[str] = []
    for match in _TOKEN.finditer(text):
        if match["operator"]:
            operators.append(match["operator"])
            commands.append([])
        else:
            commands[-1].append(_Word(match["word"], match.start()))
    _mark(commands, operators)
    return tuple(word.secret for command in commands for word in command if word.secret)


def masked_words(words: list[str], mark: str) -> list[str]:
    """Return the words of a command with credentials replaced."""
    made = [_Word(word, 0) for word in words]
    commands: list[list[_Word]] = [[]]
    operators: list[str] = []
    for word in made:
        if _OPERATOR.fullmatch(word.text):
            operators.append(word.text)
            commands.append([])
        else:
            commands[-1].append(word)
    _mark(commands, operators)
    return [
        f"{text[: word.secret[0]]}{mark}{text[word.secret[1] :]}" if word.secret else text
        for text, word in zip(words, made, strict=True)
    ]


def may_be_command(text: str) -> bool:
    """Whether a text has the name of a program that is known, or a short option."""
    return _HINT.search(text.encode("utf-8", "replace")) is not None


def masked(text: str, mark: str) -> str:
    """Return a command line or a script with credentials replaced; the same text if there are
    none."""
    for start, end in sorted(secret_spans(text), reverse=True):
        text = f"{text[:start]}{mark}{text[end:]}"
    return text


def _mark(commands: list[list[_Word]], operators: list[str]) -> None:
    for number, words in enumerate(commands):
        if not words:
            continue
        operator = operators[number - 1] if number else ""
        if operator == "<<<":
            _mark_input(commands[number - 1], words[:1])
            words = words[1:]
        elif operator in ("|", "|&") and _reads_password(words):
            before = commands[number - 1]
            if before and _base(before[0].text) in _WRITERS:
                _mark_written(before)
        _mark_command(words)


def _mark_input(reader: list[_Word], words: list[_Word]) -> None:
    for word in words:
        if _reads_password(reader) or not _is_ordinary(word.text):
            word.mask(_after_login(word.text) if reader[:1] else 0)


def _after_login(text: str) -> int:
    """Return where the password begins in ``user:password``."""
    match = re.match(r"[\w.-]+:(?!//)", text)
    return match.end() if match else 0


def _mark_written(words: list[_Word]) -> None:
    for word in words[1:]:
        if word.text[:1] != "-" and "%" not in word.text.replace("%%", ""):
            word.mask(_after_login(word.text))


def _reads_password(words: list[_Word]) -> bool:
    return any(
        _READERS.fullmatch(_base(word.text)) or _READING.fullmatch(word.text) for word in words
    )


def _mark_command(words: list[_Word]) -> None:
    """Mark the credentials of one command, whatever runs it (``sudo``, ``env``, ``sh -c``)."""
    texts = [word.text for word in words]
    named = (index for index, text in enumerate(texts) if _is_known(text))
    for index in islice(named, _PROGRAMS_OF_A_COMMAND):
        name, others = _base(texts[index]), words[index + 1 : index + 1 + _WORDS_OF_A_PROGRAM]
        _mark_options(name, others)
        _mark_operands(name, others)
    has_login = "login" in texts
    if has_login or _program(texts) not in ORDINARY:
        _mark_unknown(words, has_user=any(_EVIDENCE.fullmatch(text) for text in texts))
    for before, name, word in zip(texts, texts[1:], words[2:], strict=False):
        if before in _SETTING and is_secret_name(name) and not name.startswith("set-"):
            word.mask()
    for word in words:
        name, equals, _ = word.text.partition("=")
        if equals and _VARIABLE.fullmatch(name) and is_secret_name(name):
            word.mask(len(name) + 1)


def _program(words: list[str]) -> str:
    """Return the name of the program that a command runs."""
    for word in words:
        name = _base(word)
        if name and word[:1] != "-" and name not in _WRAPPERS:
            return name
    return ""


def _mark_options(name: str, words: list[_Word]) -> None:
    for letters in (letters for programs, letters in _OPTIONS if re.fullmatch(programs, name)):
        attached_only = _ATTACHED_ONLY.fullmatch(name) is not None
        for word, start in _values(words, letters, attached_only=attached_only):
            word.mask(start)
    for word in words if name == "openssl" else ():
        if word.text.startswith("pass:"):
            word.mask(5)
    for programs, letters, between in _LOGINS:
        if re.fullmatch(programs, name) is None:
            continue
        names = ("--user", "--proxy-user", "--auth") if between == ":" else ()
        for word, start in _values(words, letters, names):
            at = word.text.find(between, start)
            if at >= 0:
                word.mask(at + 1)


def _values(
    words: list[_Word], letters: str, names: Iterable[str] = (), *, attached_only: bool = False
) -> Iterable[tuple[_Word, int]]:
    """Yield the values of options by their letters, alone or at the end of several, and names."""
    for index, word in enumerate(words):
        text = word.text
        match = re.match(rf"-[a-zA-Z]{{0,6}}?[{letters}](?==?)", text)
        is_named = next((name for name in names if text == name), None)
        with_value = next((name for name in names if text.startswith(f"{name}=")), None)
        if with_value:
            yield word, len(with_value) + 1
        elif is_named or (match and match.end() == len(text)):
            if index + 1 < len(words) and not attached_only:
                yield words[index + 1], 0
        elif text[:1] == "-" and text[1:2] and text[1] in letters and text[:2] != "--":
            yield word, 2


def _mark_operands(name: str, words: list[_Word]) -> None:
    operands = [word for word in words if word.text[:1] != "-"]
    in_batch = any(re.fullmatch(r"-[a-zA-Z]*b[a-zA-Z]*", word.text) for word in words)
    if _WITH_BATCH.fullmatch(name) and in_batch and len(operands) > 1:
        operands[-1].mask()
    for programs, introduction, count in _LAST_OPERAND:
        if re.fullmatch(programs, name) is None:
            continue
        introduced = [
            i for i, word in enumerate(operands) if re.fullmatch(introduction, word.text, re.I)
        ]
        rest = (
            operands
            if introduction == ".*"
            else operands[introduced[0] + 1 :]
            if introduced
            else []
        )
        rest = [word for word in rest if not (name == "net" and word.text[:1] == "/")]
        if name == "mc" or name == "mcli":
            rest = rest if len(rest) > 3 else []
        if introduction == "user":
            rest = rest if len(rest) > 1 else []
        for word in rest[-count:]:
            word.mask(word.text.find("=") + 1)
    if name in ("sqlplus", "sqlldr", "expdp", "impdp", "rman") and operands:
        for word in operands[:1]:
            if (match := _ORACLE.fullmatch(word.text)) is not None:
                word.mask(*match.span(1 if match[1] else 2))
    if name == "expect" or name == "spawn":
        for before, word in zip(["", *(word.text for word in words)], words, strict=False):
            for match in _SENT.finditer(word.text):
                word.mask(*match.span(1))
            is_sent = before.strip("\"'") == "send"
            if is_sent and (match_word := _SENT_WORD.match(word.text)) is not None:
                word.mask(*match_word.span(1))


def _mark_unknown(words: list[_Word], *, has_user: bool) -> None:
    """Mark what options of an unknown program give."""
    for index, word in enumerate(words):
        text = word.text
        value = words[index + 1] if index + 1 < len(words) else None
        if (match := _WINDOWS.fullmatch(text)) is not None:
            word.mask(match.start(1))
        elif text in ("-p", "-P", "-pw", "-W", "-w") and value is not None:
            if not _is_ordinary(value.text, has_user=has_user and text in ("-p", "-pw", "-P")):
                value.mask()
        elif re.fullmatch("-[kKtTsSxXaA]", text) and value is not None:
            if _is_strong(value.text):
                value.mask()
        elif text[:2] in ("-p", "-P") and _is_strong(text[2:]):
            word.mask(2)


def _is_ordinary(text: str, *, has_user: bool = False) -> bool:
    """Whether the value of an option is nothing that a password looks like."""
    if len(text) < 4 or _NUMBERS.fullmatch(text) or _PATH.fullmatch(text) or " " in text:
        return True
    return not has_user and _LOWER_WORD.fullmatch(text) is not None


def _is_strong(text: str) -> bool:
    return _STRONG.fullmatch(text) is not None and _PATH.fullmatch(text) is None


@lru_cache(maxsize=4096)
def _is_known(word: str) -> bool:
    return word[:1] != "-" and _KNOWN.fullmatch(_base(word)) is not None


@lru_cache(maxsize=4096)
def _base(word: str) -> str:
    """Return the name of a program, without its path and an assignment in front."""
    return "" if _ASSIGNMENT.match(word) else word.rpartition("/")[2].lower()
