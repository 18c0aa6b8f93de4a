"""Valid queries with a mistake in them: what people mistype, and what attackers try."""

from __future__ import annotations

from random import Random

_PIECES = (
    "(", ")", "[", "]", "|", "||", ",", "/", "\\", '"', "'", "`", "#", "*", "?", "~", "=", "==",
    "!", "!=", "<", ">", "-", "+", "^", "%", ".", "..", "@", " as ", " by ", " not ", " in ",
    " like ", " and ", " or ", " desc", "stats ", "fields ", "filter ", "parse ", "sort ", "limit ",
    "limit -1", "limit 1e9", "limit 99999999999999999999", "dedup ", "bin(", "bin(0m)", "bin(5x)",
    "bin(99999999999999999999y)", "count(*)", "sum(sourceIPs)", "pct(responseStatus.code, 101)",
    "sourceIPs", "user.groups", "nothing", "user.nothing", "1e999", "0x10", "1.", ".5", "1..2",
    "true", "null", "/(/", "/[/", "/(?<a>/", "/(?=x)/", "/\\1/", "/x{1001}/", "\x00", "\ufeff",
    "\u2028", "\u00a0", "\r", "\n", "\t", "é", "\U0001f469", "\ud800", "{{", "${x}", "%s",
    "pattern", "join", "unnest", "SOURCE", "count_distinct(",
    "isIpInSubnet(sourceIPs.0, '10.0.0.0/33')",
    "substr(verb, -1)", "2 ^ 99999", "9 ^ 9 ^ 9 ^ 9",
)  # fmt: skip


def mutated(text: str, chance: Random, most: int = 3) -> str:
    """The text with one to ``most`` parts of it put in, taken out, doubled or exchanged."""
    for _ in range(chance.randint(1, most)):
        begin = chance.randint(0, len(text))
        end = min(len(text), begin + chance.randint(0, 8))
        match chance.choice(("put", "put", "replace", "take", "double", "cut", "swap")):
            case "put":
                text = text[:begin] + chance.choice(_PIECES) + text[begin:]
            case "replace":
                text = text[:begin] + chance.choice(_PIECES) + text[end:]
            case "take":
                text = text[:begin] + text[end:]
            case "double":
                text = text[:end] + text[begin:]
            case "cut":
                text = text[:begin]
            case "swap":
                text = text[:begin] + text[begin:end][::-1] + text[end:]
    return text
