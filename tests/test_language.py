"""Style of docstrings and help texts: the language rule and the glossary of CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from k8sidx.cli import app
from tests.test_architecture import PACKAGE, ROOMS, ROOT

MAX_HELP = 80
"""Characters of a help text, its default in brackets not counted."""

_SOFTWARE = (
    r"k8sidx|software|(?:the )?(?:server|cluster|engine|store|index|command|client|hunt|query"
    r"|field|file|configuration|page|caller|answer|manifest|product|grammar|text)s?"
)
BANNED = {
    r"\A(?:What|Who|Whom|How)\b": "a noun phrase, or an imperative: Return …",
    r"(?<!there )(?<!There )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b)": "is not a …",
    rf"\b(?:{_SOFTWARE}) (?:says?|said|tells?|told|knows?|hears?|asks?)\b": (
        "returns, prints, contains, requests"
    ),
    r"\bis (?:told|asked)\b": "is called with, receives",
    r"\bgo(?:es)? on\b": "continues, resumes",
    r"\b(?:made|counted|asked) anew\b": "rebuilt, recounted",
    r"\bmend\b": "fix",
    r"\bknown good\b": "allow list",
}
"""Banned forms, and the preferred ones."""

BANNED_NAMES = frozenset({"one", "found", "held", "said", "told"})
"""Variable names that name nothing: say hunt, match, position, bucket, column, member."""

# Fragments in which a banned form is a name of the domain.
_NAMES = re.compile(r"``[^`]*``|:[a-z]+:`[^`]*`")


def violations(text: str) -> list[str]:
    """Return the banned forms in a text, each with the preferred form."""
    plain = " ".join(_NAMES.sub("``x``", text).split())
    return [
        f"{match[0]!r}: say {preferred}"
        for pattern, preferred in BANNED.items()
        for match in re.finditer(pattern, plain)
    ]


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every docstring, those of constants included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for statement in getattr(node, "body", ()) if isinstance(node, _SCOPES) else ():
            match statement:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield statement.lineno, text


_SCOPES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def banned_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of every variable or parameter with a banned name."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store(), lineno=line):
                pass
            case ast.arg(arg=name, lineno=line):
                pass
            case (
                ast.MatchAs(name=str(name), lineno=line)
                | ast.MatchStar(name=str(name), lineno=line)
            ):
                pass
            case _:
                continue
        if name in BANNED_NAMES:
            yield line, name


def files_of(room: str) -> list[Path]:
    """Return the modules of a room, a top-level module or package."""
    module = PACKAGE / f"{room}.py"
    return [module] if module.is_file() else sorted((PACKAGE / room).rglob("*.py"))


def help_texts() -> Iterator[tuple[str, str]]:
    """Yield each command and option with its help text."""
    yield from _help_of("k8sidx", typer.main.get_command(app))


def _help_of(name: str, command: Any) -> Iterator[tuple[str, str]]:
    yield name, command.help or ""
    for parameter in command.params:
        if parameter.name in ("install_completion", "show_completion"):
            continue
        yield f"{name} {max(parameter.opts, key=len)}", parameter.help or ""
    for sub_name, sub in getattr(command, "commands", {}).items():
        yield from _help_of(f"{name} {sub_name}", sub)


def test_help_texts_are_one_short_sentence() -> None:
    wrong = []
    for name, text in help_texts():
        sentence = re.sub(r"\s*\[default: [^\]]*\]$", "", text)
        if not re.fullmatch(r"[A-Z-][^\n]*\.", sentence) or re.search(r"\. [A-Z]", sentence):
            wrong.append(f"{name}: not one sentence: {text!r}")
        if len(sentence) > MAX_HELP:
            wrong.append(f"{name}: {len(sentence)} characters: {text!r}")
        wrong += [f"{name}: {problem}" for problem in violations(sentence)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_follow_the_language_rule(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {problem}"
        for path in files_of(room)
        for line, text in docstrings(path)
        for problem in violations(re.sub(r":param \w+:", "", text))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_variables_are_named_for_their_values(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in files_of(room)
        for line, name in banned_names(path.read_text("utf-8"))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "for number, one in pairs: pass",
        "[one for one in rows]",
        "def read(told): pass",
        "lambda said: 1",
        "with lock as held: pass",
        "if (found := 1): pass",
        "match value:\n    case [*one]: pass",
    ],
)
def test_banned_names_are_found(source: str) -> None:
    assert list(banned_names(source))


def test_members_of_others_may_have_banned_names() -> None:
    assert not list(banned_names("response.found; row['one']; call(found=True)"))


@pytest.mark.parametrize(
    "text",
    [
        "What a document's rows are.",
        "It is no format.",
        "The index says which.",
        "A caller is told which chunks are done.",
        "Files of known good.",
    ],
)
def test_banned_forms_are_found(text: str) -> None:
    assert violations(text)


@pytest.mark.parametrize(
    "text",
    ["Whether the index exists.", "It is no longer open.", "Print ``is no``.", "Return the rows."],
)
def test_allowed_forms_pass(text: str) -> None:
    assert not violations(text)
