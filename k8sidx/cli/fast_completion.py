"""Completions out of the description of the commands, within the time of a key press.

What it does not know is left to typer, which imports every command.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Items = list[tuple[str, str]]
"""Values with their help."""


class Answer(NamedTuple):
    """The output of a completion."""

    text: str
    exit_code: int = 0


def completed(wanted: str, environment: Mapping[str, str], described: Any) -> Answer | None:
    """Return the completions in a shell's form; ``None`` for what is not known here.

    :param wanted: for example ``complete_zsh``.
    :param described: the commands, see :mod:`k8sidx.cli.start`.
    """
    instruction, _, shell = wanted.partition("_")
    if instruction != "complete" or shell not in ("bash", "zsh", "fish"):
        return None
    words, incomplete = _words(shell, environment)
    items = candidates(words, incomplete, described)
    if items is None:
        return None
    return _answer(shell, items, environment.get("_TYPER_COMPLETE_FISH_ACTION", ""))


def candidates(words: Sequence[str], incomplete: str, described: Any) -> Items | None:
    """Return the values that may follow.

    :param words: those before the incomplete one, without the program.
    :returns: ``None`` for what is not known here.
    """
    node, pending, only_arguments = described, "", False
    given: list[str] = []
    for word in words:
        if pending:
            pending = ""
        elif word == "--":
            only_arguments = True
        elif word.startswith("-") and not only_arguments:
            kind = node["options"].get(word.partition("=")[0], {}).get("value", "")
            pending = kind if kind and "=" not in word else ""
        elif word in node.get("commands", {}):
            node = node["commands"][word]
        else:
            given.append(word)
    if incomplete.startswith("-") and not pending and not only_arguments:
        if "=" in incomplete:
            return None
        items = [
            (name, option["help"]) for name, option in node["options"].items() if name[:2] == "--"
        ]
    elif not pending and "commands" in node:
        items = [(name, command["help"]) for name, command in node["commands"].items()]
    else:
        kind = pending or node.get("argument", "file")
        values = _saved(given) if kind == "saved" else _values(kind, described)
        if values is None:
            return None
        items = [(value, "") for value in values]
    return [item for item in items if item[0].startswith(incomplete)]


def _values(kind: str, described: Any) -> Sequence[str] | None:
    """Return the values of a kind; none where the shell completes files."""
    match kind:
        case "hunt":
            return _hunts()
        case "store":
            return list(dict.fromkeys(_stores()))
        case "profile":
            return list(_configuration().get("profile", {}))
        case "file" | "text":
            return []
    lists: Sequence[str] = described["values"].get(kind, ())
    return lists or kind.split("|")


def _saved(given: Sequence[str]) -> list[str]:
    """Return the names of saved queries, each with the ``@`` unless it is a word before.

    bash treats ``@`` as a separate word and expects only the text after it.

    :param given: the arguments before.
    """
    if given and given[-1] != "@":
        return []
    folders = [Path(__file__).parents[1] / "insights" / "saved"]
    queries = _configuration().get("query", {})
    if named := os.environ.get("K8SIDX_QUERY_FOLDER") or queries.get("folder"):
        folders.append(Path(str(named)).expanduser())
    names = {file.stem for folder in folders for file in folder.glob("*.cwli")}
    return [name if given else f"@{name}" for name in sorted(names)]


def _hunts() -> list[str]:
    library = Path(__file__).parents[1] / "hunt" / "library"
    return sorted(file.stem for file in library.iterdir() if file.suffix == ".yml")


def _stores() -> Iterator[str]:
    """Yield the stores of the configuration, without credentials, and those in the folder."""
    configuration = _configuration()
    for section in (configuration, *configuration.get("profile", {}).values()):
        store = section.get("store", [])
        yield from (
            each
            for each in ([store] if isinstance(store, str) else store)
            if "@" not in each and each.isprintable()
        )
    for manifest in sorted(Path().glob("*/manifest.json")):
        yield str(manifest.parent)


def _configuration() -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(Path("k8sidx.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # The command itself names what is wrong with it.


def _words(shell: str, environment: Mapping[str, str]) -> tuple[list[str], str]:
    if shell == "bash":
        words = _split(environment.get("COMP_WORDS", ""))
        at = int(environment.get("COMP_CWORD", "1"))
        return words[1:at], words[at] if at < len(words) else ""
    text = environment.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(text)[1:]
    if words and not text.endswith(" "):
        return words[:-1], words[-1]
    return words, ""


def _split(text: str) -> list[str]:
    """Return the words of a line that may end within a quotation."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return words


def _answer(shell: str, items: Items, action: str) -> Answer:
    if shell == "fish":
        if action == "is-args":
            return Answer("", 0 if items else 1)
        return Answer("\n".join(f"{value}\t{text}" if text else value for value, text in items))
    if shell == "bash":
        return Answer("\n".join(value for value, _ in items))
    if not items:
        return Answer("_files")
    listed = "\n".join(
        f'"{_zsh(value)}":"{_zsh(text)}"' if text else f'"{_zsh(value)}"' for value, text in items
    )
    return Answer(f"_arguments '*: :(({listed}))'")


def _zsh(text: str) -> str:
    for character, escaped in (('"', '""'), ("'", "''"), ("$", "\\$"), ("`", "\\`"), (":", r"\\:")):
        text = text.replace(character, escaped)
    return text
