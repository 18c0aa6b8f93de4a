"""Hunt library as a sheet and on a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8sidx.show.render.escape import visible
from k8sidx.show.render.sheet import Sheet

if TYPE_CHECKING:
    from rich.console import Console

    from k8sidx.hunt.definition import Hunt

_HOST = re.compile(r"https?://([\w.-]+)")
COLUMNS = ("id", "title", "level", "attack", "source")


def library_sheet(hunts: Sequence[Hunt]) -> Sheet:
    """Return one row per hunt, with its ATT&CK techniques and its source."""
    rows = [(hunt.id, hunt.title, hunt.level, attack(hunt), source(hunt)) for hunt in hunts]
    return Sheet(COLUMNS, rows, "Hunts")


def attack(hunt: Hunt) -> str:
    """Return the techniques, ``T1552.007, T1613``, or the tactics if a hunt has none."""
    names = [tag.removeprefix("attack.") for tag in hunt.tags if tag.startswith("attack.")]
    techniques = [name.upper() for name in names if name[:1] in "tT" and name[1:2].isdigit()]
    return ", ".join(techniques or [name.replace("_", "-") for name in names])


def source(hunt: Hunt) -> str:
    """Return the sites that the hunt references, or the file that it was read from."""
    hosts = [match[1] for match in map(_HOST.match, hunt.references) if match]
    return ", ".join(dict.fromkeys(hosts)) or hunt.source


def print_library(console: Console, hunts: Sequence[Hunt]) -> None:
    """Print two lines per hunt, which also fit a narrow terminal."""
    from rich.table import Table
    from rich.text import Text

    from k8sidx.show.render.terminal import level_text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for hunt in hunts:
        text = Text(visible(hunt.title))
        text.append(f"\n{visible(attack(hunt))} · {visible(source(hunt))}", style="dim")
        grid.add_row(Text(visible(hunt.id)), level_text(hunt.level), text)
    console.print(grid)
