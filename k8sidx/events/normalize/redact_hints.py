"""Quick tests of whether a body may hold a secret.

Most hold none, and decoding every body to find that out would cost more than everything else:
these look at the bytes of canonical JSON.
"""

from __future__ import annotations

import base64
import re

import re2  # type: ignore[import-untyped]

from k8sidx.events.normalize.program_names import COMMAND_HINTS
from k8sidx.events.normalize.redact_marks import MARK
from k8sidx.events.normalize.redact_text import SECRET_NAME, VALUE_HINTS

REDACTED_KINDS = (
    "Secret|ConfigMap|TokenRequest|TokenReview|CertificateSigningRequest|"
    "HelmRelease|HelmChart|HelmChartConfig|ExternalSecret|ClusterExternalSecret|PushSecret|"
    "SealedSecret|ClusterSecretStore"
)
"""Kinds that hold secrets, as alternatives of a regular expression."""
SUSPECT_KIND_JSON = re.compile(rf"kind[\\\": ]{{1,12}}(?:{REDACTED_KINDS})".encode())
# "kind" in Base64 and in Base64 of that, at each alignment; what gzip and zstd begin with in
# Base64; and "kind" in percent-encoded JSON or YAML.
_KIND_HINTS = (
    "a2luZ", "tpbm", "raW5k", "YTJsdV", "EybHVa", "hMmx1W", "dHBib", "RwYm", "0cGJt", "cmFXNW",
    "JhVzVr", "yYVc1a", "H4sI", "KLUv/", "kind%",
)  # fmt: skip
_PACKED_WORDS = (
    "password", "Password", "PASSWORD", "passwd", "token", "Token", "TOKEN", "secret", "Secret",
    "SECRET", "auths", "apiKey", "api_key", "API_KEY", "access_key", "ACCESS_KEY", "accessKey",
    "credential", "PRIVATE KEY", "Authorization",
)  # fmt: skip

_PACKED_MARKS = ("://", "eyJ", "ghp_", "glpat-", "earer ", "PASSW", "asswd")


def base64_forms(text: str) -> list[str]:
    """Return what Base64 has of a text, wherever in the bytes it begins."""
    forms = []
    for before, cut in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + text.encode()).decode()
        end = len(encoded) if not encoded.endswith("=") else len(encoded.rstrip("=")) - 1
        forms.append(encoded[cut:end])
    return forms


PACKED_HINTS = (
    *_KIND_HINTS,
    *(form for word in (*_PACKED_WORDS, *_PACKED_MARKS) for form in base64_forms(word)),
    *(twice for word in ("password", "token", "secret") for form in base64_forms(word)
      for twice in base64_forms(form)),
)  # fmt: skip
_PACKED = "|".join(map(re.escape, PACKED_HINTS))
_PACKED_JSON = re2.compile(_PACKED.encode())


def may_be_packed(text: str) -> bool:
    """Whether a text's encoding may hide an object with a kind, or a secret."""
    # re takes a hundred times as long for so many words.
    return _PACKED_JSON.search(text.encode("utf-8", "replace")) is not None


LAST_APPLIED = b"last-applied-configuration"
_OTHER_APPLIED = (b"com/last-applied", b"kapp.k14s.io/original", b"rio.cattle.io/applied")
APPLIED_TEXTS = tuple(hint.decode() for hint in (LAST_APPLIED, *_OTHER_APPLIED))
# In compact JSON an unescaped quote is never inside a text, so this finds just the annotation
# of kubectl, wherever in an object it stands.
KUBECTL_KEY = b"kubectl.kubernetes.io/last-applied-configuration"
LIKE_MARK = b"[redacted"
"""Such a text is not replaced without a closer look."""
_KUBECTL = b'"' + KUBECTL_KEY + b'":'
KUBECTL_ENTRY = re.compile(_KUBECTL + rb'"(?!' + re.escape(LIKE_MARK) + rb')(?:[^"\\]|\\.)*+"')
KUBECTL_MARK = _KUBECTL + f'"{MARK}"'.encode()
KUBECTL_FIELD = b'"f:' + _KUBECTL[1:]
# Keys are sorted: a variable's name stands before its value.
_VARIABLE = re.compile(
    rb'"name":"[^"]*?(?:' + SECRET_NAME.encode() + rb'|auth|conn|cookie)[^"]*","value":"(?!")',
    re.IGNORECASE,
)
# The credentials that redact_text finds, as they stand in JSON; a member of that name with an
# object or a list is none.
_CREDENTIAL = re2.compile(
    rb"(?i)(?:" + SECRET_NAME.encode() + rb")(?:[\\\"']*\s*(?:=|%3d|%253d)|[\\\"']*\s*:\s*[^\[{\s]|"
    rb'\s+[^\s"]|","[^-])|pass","|from-literal'
    rb"|(?:bearer|basic|negotiate)\s+\S|eyJ|PRIVATE KEY|gh[pousr]_|github_pat_|glpat-|xox[abprs]-"
    rb"|sk_live_|hvs\.|npm_|mysql|mariadb|mongo|sshpass|redis-cli|login|openssl|ldap|sqlcmd|bcp|cookie|curl\s|wget\s|curl\W|wget\W"
    + b"|"
    + b"|".join(re.escape(hint.encode()) for hint in COMMAND_HINTS)
    + rb'|[\s"=][-/](?:[pwktsxa]|pw|psk)(?:[\s"=:]|\w)|(?:pass|pw|psk|dsn)[0-9]*='
    rb"|(?:://|%3a%2f%2f|%253a%252f%252f)[^\s/@\"]*(?:@|%40|%2540)",
)
_VALUE_JSON = re2.compile("|".join(map(re.escape, VALUE_HINTS)).encode())
_URL_LOGIN = re.compile(rb"://[^\s@\"]{1,300}@(?!sha256:)")


def _spelt(*stems: str) -> tuple[str, ...]:
    """Return stems with the words of each written together and between marks."""
    return tuple(
        dict.fromkeys(
            between.join(stem.lower().split(" "))
            for stem in stems
            for between in (("", "_", "-", ".", " ") if " " in stem else ("",))
        )
    )


ESCAPE_HINTS = (
    *(f"\\{start}{digit}" for start in ("u00", "x") for digit in "4567"),
    *(f"\\{start}{digit}" for start in ("u", "u0") for digit in "123456789abcdefABCDEF"),
)
"""One of these is in every text that has letters in escapes."""
_TAILS = ("value", "data", "string", "text", "hash", "plain", "env", "raw", "base64")
_ENDING = (
    '":"', '":["', 's":"', 's":["', 's":{"', "\\", "s\\", ":", "s:", "'", "=", " =",
    '","', " ", "=>",
)  # fmt: skip
NAME_HINTS = (
    *_spelt(
        "ass word", "asswd", "ass phrase", "ass code", "redential", "pi key", "ccess key",
        "rivate key", "ecret key", "ccount key", "hared key", "igning key", "ncryption key",
        "aster key", "uth key", "ession key", "icense key", "lient key", "torage key", "ser key",
        "oot key", "mac key", "ebhook key", "ervice key", "eploy key", "onnection string",
        "onn str", "nemonic", "pgpass", "netrc", "ube config", "ocker config", "ocker cfg",
        "ser data", "ertificate key", "nseal key",
        "loud init", "loud config", "gnition config", "ustom data",
    ),
    *(
        stem + ending
        for stem in _spelt(
            "oken", "ecret", "uthorization", "earer", "ookie", "jwt", "Jwt", "pwd", "Pwd", "pass",
            "Pass", "pw", "Pw", "psk", "Psk", "dsn", "Dsn", "auth", "Auth",
        )
        for ending in _ENDING
    ),
    *(
        stem
        for tail in _TAILS
        for stem in _spelt(f"oken {tail}", f"ecret {tail}")
    ),
    *(f"{stem}{digit}" for stem in ("oken", "OKEN", "ecret", "ECRET") for digit in range(10)),
    *(f"{stem}{between}{digit}" for stem in ("oken", "OKEN", "ecret", "ECRET")
      for between in "_-" for digit in range(10)),
    *ESCAPE_HINTS,
    "mysql", "mariadb", "mongo", "redis-cli", "sshpass", "curl ", "wget ", "login ", "ldap",
    "sqlcmd", "openssl ", *COMMAND_HINTS, 'tringData":{"', "tringData\\", "tringData:",
)  # fmt: skip
"""One of these is in every body with a member whose name says that its value is secret
(:mod:`k8sidx.events.normalize.redact_names`), or with a text that assigns a value to such a name;
case counts for nothing."""
_NAME_JSON = re2.compile(("(?i)" + "|".join(map(re.escape, NAME_HINTS))).encode())
VALUE_MEMBER = b'alue":"'
"""A value beside its name, or at its path in a patch."""
_LABELLED = re2.compile(
    rb'(?i)"[a-z]*(?:name|key|header|field|id|env|label|option|parameter|path|property|variable|'
    rb'setting)":"[^"]*(?:pass|pwd|pw|psk|dsn|secret|token|key|credential|auth|bearer|cookie|jwt|'
    rb'mnemonic|netrc|string|str|value")[^"]*"'
)

BODY_HINTS = (
    *_OTHER_APPLIED,
    b'"env":[',
    b'"httpHeaders":[',
    b"@",
    b'"command":[',
    b'"args":[',
    b"/env/",
    b"/args",
    b"/command",
    *(hint.encode() for hint in (*PACKED_HINTS, *VALUE_HINTS, *NAME_HINTS)),
    VALUE_MEMBER,
)
"""A body of a type that holds no other objects, without a backslash and any of these, is not
suspect, unless an applied configuration is left in it: :func:`is_suspect` looks further only
where one of them is."""
KIND_HINTS = tuple(kind.encode() for kind in REDACTED_KINDS.split("|"))
"""Without these as well, no body is."""


def is_suspect(body: bytes, embedding: bool) -> bool:
    """Whether a body may hold a secret: most hold none, which must be found out quickly."""
    return (
        not body.isascii()
        or ((embedding or b"\\" in body) and SUSPECT_KIND_JSON.search(body) is not None)
        or _has_secret_variable(body)
        or b"/env/" in body
        or _has_secret_argument(body)
        or b"com/last-applied" in body
        or b"kapp.k14s.io/original" in body
        or b"rio.cattle.io/applied" in body
        or (LAST_APPLIED in body and has_other_applied(body))
        or _PACKED_JSON.search(body) is not None
        or _VALUE_JSON.search(body) is not None
        or _NAME_JSON.search(body) is not None
        or (VALUE_MEMBER in body and _LABELLED.search(body) is not None)
    )


def has_other_applied(body: bytes) -> bool:
    """Whether an applied configuration is left: in a text, in a patch, or that of another tool.
    The names of managed fields are none."""
    known = body.count(KUBECTL_MARK) + body.count(KUBECTL_FIELD)
    return body.count(LAST_APPLIED) != known


def _has_secret_variable(body: bytes) -> bool:
    if b"@" in body and _URL_LOGIN.search(body) is not None:
        return True
    lists = b'"env":[' in body or b'"httpHeaders":[' in body
    return lists and _VARIABLE.search(body) is not None


def _has_secret_argument(body: bytes) -> bool:
    """Whether a command, an argument or a variable may have a credential."""
    if not (
        b'"command":[' in body
        or b'"args":[' in body
        or b'"env":[' in body
        or b"/args" in body
        or b"/command" in body
    ):
        return False
    return _CREDENTIAL.search(body) is not None


_TYPED_GROUPS = frozenset({"core", "apps", "batch", "policy", "authorization.k8s.io"})


_TYPED_RESOURCES = frozenset(
    {
        "bindings", "cronjobs", "daemonsets", "deployments", "endpoints", "events", "jobs",
        "localsubjectaccessreviews", "namespaces", "nodes", "persistentvolumeclaims",
        "persistentvolumes", "poddisruptionbudgets", "pods", "replicasets",
        "selfsubjectaccessreviews", "selfsubjectrulesreviews", "services", "statefulsets",
        "subjectaccessreviews",
    }
)  # fmt: skip


def embeds_objects(resource: str, group: str) -> bool:
    """Whether bodies of a resource can hold a Secret inside another object.

    Kubernetes' own types cannot: the API server logs them as typed objects. Custom
    resources, lists over many types and templates can.
    """
    return group not in _TYPED_GROUPS or resource not in _TYPED_RESOURCES
