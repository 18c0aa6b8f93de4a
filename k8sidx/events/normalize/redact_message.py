"""Redaction of the messages of errors, which quote pieces of what was refused."""

from __future__ import annotations

import re

from k8sidx.events.normalize.redact_marks import MARK
from k8sidx.events.normalize.redact_text import SECRET_NAME, redact_text

# The API server quotes the body around the byte that it could not decode.
_CONTEXT = re.compile(r"\.\.\.\|.*?\|\.\.\.", re.DOTALL)
_INVALID_VALUE = re.compile(
    r"((?:Invalid|Unsupported|Duplicate) value: )"
    r"((?!\"?\[redacted)(?:\"(?:[^\"\\]|\\.)*\"|\{.*|[^\s:,]+))",
    re.DOTALL,
)
# unable to parse "...", cannot unmarshal `...` into; not: secrets "db" not found
_QUOTED = re.compile(
    r"((?:pars(?:e|ing)|unmarshal\w*|decod(?:e|ing)|convert\w*|value|literal|string|data)\s*:?\s*)"
    r"((?!\"\[redacted)(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|'[^']*'))",
    re.IGNORECASE,
)
_SECRET_FIELD = re.compile(rf"{SECRET_NAME}\]?: \w+ value: ", re.IGNORECASE)
_OBJECT = re.compile(r"\{[^{}]{0,200}kind[\\\"': ]{1,12}(?:Secret|ConfigMap|TokenRe)\w*")


def redact_message(message: str, *, quotes_secrets: bool) -> str:
    """Return a status message without the pieces of a body that it quotes.

    :param quotes_secrets: the request was about an object that holds secrets.
    """
    redacted = _CONTEXT.sub(f"...|{MARK}|...", message) if "...|" in message else message
    if "{" in redacted and (kind := _OBJECT.search(redacted)) is not None:
        end = max(redacted.rfind("}") + 1, kind.end())
        redacted = redacted[: kind.start()] + MARK + redacted[end:]
    redacted = redact_text(redacted, prose=True)
    if quotes_secrets or _SECRET_FIELD.search(redacted):
        redacted = _INVALID_VALUE.sub(rf'\1"{MARK}"', redacted)
        redacted = _QUOTED.sub(rf'\1"{MARK}"', redacted)
    return redacted
