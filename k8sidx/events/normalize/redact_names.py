"""Values that the name of their member, or of their sibling, marks as secret.

``password: …``, ``clientSecret: …``, ``{"name": "DB_PASSWORD", "value": …}`` and the like, in
objects of any kind. What only refers to a secret stays: its name, its key, a path, a template.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from functools import lru_cache
from typing import Any

from k8sidx.events.normalize.redact_marks import MARK, is_mark, opaque

_WORDS = (
    "password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential",
    "apikey", "accesskey", "privatekey", "secretkey", "accountkey", "sharedkey", "signingkey",
    "encryptionkey", "masterkey", "authkey", "sessionkey", "licensekey", "clientkey",
    "storagekey", "userkey", "rootkey", "hmackey", "webhookkey", "servicekey", "deploykey",
    "authorization", "bearer", "connectionstring", "connstr", "cookie", "jwt", "mnemonic",
    "htpasswd", "pgpass", "netrc",
    "certificatekey", "unsealkey",
)  # fmt: skip
# What may follow: passwordHash, tokenValue, secret2, stringData.
_TAILS = (
    r"(?:s|value|data|string|text|plain|plaintext|raw|base64|b64|encoded|hash|hashed|content|"
    r"contents|env|literal|yaml|json|new|old|current|previous|\d+)*"
)
_NAME = re.compile(rf"(?:{'|'.join(_WORDS)}){_TAILS}$")
# Of these, only whole words are meant: not bypass, not compass.
_WHOLE_WORD = re.compile(r"(?:^|[^a-z])(?:pass|pw|psk|dsn)\d*$")
_LOGIN = re.compile(r"(?:^|[^a-z]|basic)auth$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^a-z0-9]+")
_MAP = re.compile(r"(?:s|data|env|values?)$")
"""Ends of secret names of objects all texts of which are secret."""
_SECRET_NAMES = re.compile(r"secrets$")
_REFERENCE = re.compile(
    r"(?:pull|existing|tls|ca|cert|certificate|credentials?|password|from|target|source|"
    r"ingresskubernetesioauth)secrets?$"
)
"""Such names often have the name of a Secret for a value."""
_DOCUMENTS = (
    "kubeconfig", "dockerconfigjson", "dockerconfig", "dockercfg", "userdata", "cloudinit",
    "cloudconfig", "ignitionconfig", "customdata",
)  # fmt: skip
_DOCUMENT = re.compile(
    rf"(?:{'|'.join(_DOCUMENTS)})(?:base64|b64|raw|text|data|content|yaml|json)*$"
)
"""Names of documents that hold logins; not all of their forms can be read."""
VALUE_NAMES = frozenset(
    {
        "content", "data", "default", "inline", "list", "literal", "plain", "plaintext",
        "plaintextvalue", "raw", "string", "stringvalue", "text", "val", "value", "secret",
        "base64", "hash",
        "defaultvalue", "newvalue", "parametervalue", "valuestring", "values",
    }
)  # fmt: skip
LABEL_NAMES = frozenset(
    {
        "env", "field", "header", "id", "key", "label", "name", "option", "parameter",
        "parameterkey", "parametername", "path", "property", "variable", "envname", "setting",
    }
)  # fmt: skip
_REFERRING = re.compile(
    r"(?:name|namespace|ref|reference|key|path|file|type|kind|version|id|arn|url|uri|host|port|"
    r"user|region|role|driver|provider|audience|enabled|optional|store|engine|source|property|"
    r"scope|issuer|method|mode|policy|algorithm|encoding|class|prefix|format|strategy|ttl|"
    r"duration|interval|seconds|status|reason|message|description|time)s?$"
)
"""Members of such an object that refer to a secret, or describe it."""
_OBJECT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9./-]{0,251}[a-z0-9])?")
_WORD_VALUES = frozenset(
    {
        "", "true", "false", "yes", "no", "on", "off", "none", "null", "nil", "enabled",
        "disabled", "optional", "required", "*",
    }
)  # fmt: skip
_ELSEWHERE = re.compile(
    r"\$\([\w.-]+\)|\$?\{[\w.:-]+\}|\$[A-Za-z_]\w*|\{\{[^{}]*\}\}|<[\w -]+>|"
    r"/(?:var|etc|run|mnt|opt|home|tmp|usr|vault|secrets)/[\w./-]*|"
    r"system:serviceaccount:[\w.:-]+|arn:[\w:/.*-]+|(?:vault|ref\+\w+|op|awssm|gcpsm):[\w/#.+:-]+"
)
"""Values that are put in from elsewhere."""
_STRING_DATA = "stringdata"
NAME_WORDS = (*_WORDS, *_DOCUMENTS, "pass", "pw", "psk", "dsn", "auth", _STRING_DATA)
"""One of these is in every name that marks a value as secret, in lower case and without what is
neither a letter nor a digit; where a name is not ASCII, that does not hold."""
_BESIDE_A_KEY = frozenset({"secretName", "secretRef", "remoteRef", "sourceRef", "secretNamespace"})
_KEY_IN_SECRET = re.compile(r"[\w.-]{1,253}")


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


def plain_letters(text: str) -> str:
    """Return a text with fullwidth and other compatible letters as the letters of ASCII."""
    return text if text.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=8192)
def _squashed(name: str) -> str:
    return _OTHER.sub("", plain_letters(name[-200:]).lower())


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether the value of a member of that name is a secret: ``adminPassword``, ``api_key``."""
    if _NAME.search(_squashed(name)):
        return True
    plain = plain_letters(name[-200:])
    return _WHOLE_WORD.search(_CAMEL.sub("_", plain).lower()) is not None


@lru_cache(maxsize=8192)
def _names_a_login(name: str) -> bool:
    return _LOGIN.search(_CAMEL.sub("_", name[-200:]).lower()) is not None


@lru_cache(maxsize=8192)
def _is_document(name: str) -> bool:
    return _DOCUMENT.search(_squashed(name)) is not None


def is_plain(value: str) -> bool:
    """Whether a value is one that anybody may see: a word such as ``true``, a mark, or what
    stands for a value from elsewhere."""
    if len(value) <= 10 and value.strip().lower() in _WORD_VALUES:
        return True
    return is_mark(value) or _ELSEWHERE.fullmatch(value) is not None


def is_secret_member(name: str, value: str) -> bool:
    """Whether a text is secret because of the name of its member."""
    if not is_secret_name(name):
        return _names_a_login(name) and _is_login(value)
    if is_plain(value):
        return False
    refers = _REFERENCE.search(_squashed(name)) is not None
    return not (refers and _OBJECT_NAME.fullmatch(value))


def _is_login(value: str) -> bool:
    """Whether a text is ``user:password``, or that in Base64."""
    if is_mark(value) or len(value) > 10_000:
        return False
    if ":" in value:
        return re.fullmatch(r"[^\s:/]+:[^\s/][^\s]*", value) is not None
    try:
        return b":" in base64.b64decode(value, validate=True)
    except ValueError:
        return False


def redact_members(node: dict[str, Any]) -> bool:
    """Mask the members of one object that are secret by their own or their sibling's name.

    :returns: whether anything was replaced.
    """
    changed = False
    for name, value in node.items():
        if isinstance(value, str):
            if is_secret_member(name, value):
                if not _is_key_in_secret(name, value, node):
                    node[name] = MARK
                    changed = True
            elif _is_document(name) and not is_plain(value):
                node[name] = opaque(value)
                changed = True
        elif isinstance(value, list | dict):
            if is_secret_name(name) or _squashed(name) == _STRING_DATA:
                changed |= _mask_below(name, value)
        elif type(value) in (int, float) and _is_password(name):
            node[name] = MARK
            changed = True
    return changed | _redact_labelled(node)


def _is_password(name: str) -> bool:
    """Whether even a number is secret: there are many tokens, and one password."""
    squashed = _squashed(name)
    return squashed.endswith(("password", "passwd", "passphrase", "passcode"))


def _is_key_in_secret(name: str, value: str, node: dict[str, Any]) -> bool:
    """Whether ``secretKey`` and the like is the name of a key, beside that of a Secret."""
    return (
        _squashed(name).endswith("key")
        and not _BESIDE_A_KEY.isdisjoint(node)
        and _KEY_IN_SECRET.fullmatch(value) is not None
    )


def _mask_below(name: str, child: Any) -> bool:
    """Mask what an object or a list has whose own name says secret."""
    squashed = _squashed(name)
    if isinstance(child, list):
        return _mask_entries(child, but_names=_SECRET_NAMES.search(squashed) is not None)
    return _mask_values(child, whole=_MAP.search(squashed) is not None)


def _mask_entries(entries: list[Any], *, but_names: bool) -> bool:
    changed = False
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            changed |= _mask_values(entry, whole=False)
        elif isinstance(entry, str) and not (
            is_plain(entry) or (but_names and _OBJECT_NAME.fullmatch(entry))
        ):
            entries[index] = MARK
            changed = True
    return changed


def _mask_values(node: dict[str, Any], *, whole: bool) -> bool:
    changed = False
    for key, value in node.items():
        squashed = _squashed(key)
        if squashed not in VALUE_NAMES and not (whole and _REFERRING.search(squashed) is None):
            continue
        if isinstance(value, list):
            changed |= _mask_entries(value, but_names=False)
        elif isinstance(value, str) and not is_plain(value):
            node[key] = MARK
            changed = True
    return changed


def _redact_labelled(node: dict[str, Any]) -> bool:
    """Mask the value beside a name that says secret: ``{"name": …, "value": …}``."""
    values = [key for key in node if _squashed(key) in VALUE_NAMES]
    if not values or "operator" in node:
        return False
    labels = [
        label
        for key, label in node.items()
        if isinstance(label, str) and _squashed(key) in LABEL_NAMES and is_secret_name(label)
    ]
    changed = False
    for key in values if labels else ():
        value = node[key]
        if isinstance(value, list):
            changed |= _mask_entries(value, but_names=False)
            continue
        if isinstance(value, str):
            if is_plain(value):
                continue
        elif type(value) not in (int, float) or not any(map(_is_password, labels)):
            continue
        node[key] = MARK
        changed = True
    return changed
