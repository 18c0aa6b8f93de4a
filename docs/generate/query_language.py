"""Generator of the tables in ``docs/query.md``: ``python -m docs.generate.query_language``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from k8sidx.insights.language.aggregates import AGGREGATES
from k8sidx.insights.language.ast import COMMANDS, UNSUPPORTED, Entry
from k8sidx.insights.language.functions import FUNCTIONS, GROUPS
from k8sidx.insights.language.periods import UNITS

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = "| syntax | description | example |\n| --- | --- | --- |\n"
_FUNCTION_HEAD = "| syntax | returns | result | example |\n| --- | --- | --- | --- |\n"


def document(page: str) -> str:
    """Return the page with its tables up to date.

    :param page: Markdown; a table is between ``<!-- table: name -->`` and ``<!-- end -->``.
    """
    return _TABLE.sub(lambda found: f"{found[1]}{_tables()[found[2]]}{found[3]}", page)


def _tables() -> dict[str, str]:
    tables = {
        "commands": _HEAD + "".join(map(_line, COMMANDS.values())),
        "aggregates": _HEAD + "".join(map(_line, AGGREGATES.values())),
        "periods": _periods(),
        "missing": _missing(),
    }
    for group in dict.fromkeys(GROUPS.values()):
        entries = [entry for name, entry in FUNCTIONS.items() if GROUPS[name] == group]
        tables[group] = _FUNCTION_HEAD + "".join(map(_function_line, entries))
    return tables


def _line(entry: Entry) -> str:
    return _row(_code(entry.form), entry.about, _code(entry.example))


def _function_line(entry: Entry) -> str:
    gives = _code(entry.gives) if entry.gives else ""
    return _row(_code(entry.form), entry.about, gives, _code(entry.example))


def _periods() -> str:
    rows = (_row(*(", ".join(map(_code, written)),)) for written in UNITS.values())
    return "| unit |\n| --- |\n" + "".join(rows)


def _missing() -> str:
    rows = (_row(_code(name), instead) for name, instead in UNSUPPORTED.items())
    return "| command | instead |\n| --- | --- |\n" + "".join(rows)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(document(path.read_text("utf-8")), "utf-8")
