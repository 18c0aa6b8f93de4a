"""The hunt library as it is listed."""

from __future__ import annotations

import io

import pytest

from k8sidx.hunt.kinds.match import MatchHunt
from k8sidx.query.algebra import Always
from k8sidx.show.render.library import library_sheet, print_library
from k8sidx.show.render.terminal import console_on


def hunt(*, tags: tuple[str, ...] = (), references: tuple[str, ...] = ()) -> MatchHunt:
    return MatchHunt(
        id="pod_exec",
        title="Command run\x1b in a pod",
        level="low",
        condition=Always(),
        tags=tags,
        references=references,
        finding_by=("verb",),
    )


@pytest.mark.parametrize(
    ("tags", "listed"),
    [
        (("attack.execution", "attack.t1609", "attack.t1552.007"), "T1609, T1552.007"),
        (("attack.credential_access", "cve.2024-1"), "credential-access"),
        ((), ""),
    ],
)
def test_techniques_are_listed_and_without_one_the_tactics(
    tags: tuple[str, ...], listed: str
) -> None:
    assert library_sheet([hunt(tags=tags)]).rows[0][3] == listed


@pytest.mark.parametrize(
    ("references", "listed"),
    [
        (
            ("https://a.example/x", "https://b.example/", "https://a.example/y"),
            "a.example, b.example",
        ),
        (("no address", "http://["), "library"),
        ((), "library"),
    ],
)
def test_the_source_is_the_sites_that_the_hunt_refers_to(
    references: tuple[str, ...], listed: str
) -> None:
    assert library_sheet([hunt(references=references)]).rows[0][4] == listed


def test_on_a_terminal_there_are_two_safe_lines_a_hunt() -> None:
    stream = io.StringIO()
    print_library(console_on(stream), [hunt(tags=("attack.t1609",))])
    assert [line.rstrip() for line in stream.getvalue().splitlines()] == [
        "pod_exec  low  Command run\\x1b in a pod",
        "               T1609 · library",
    ]
