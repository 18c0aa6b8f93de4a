"""Selection of hunts and of the time range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.cli.options import Level, configuration, time_zone
from k8sidx.cli.output import print_message
from k8sidx.errors import InvalidHunt, UsageError
from k8sidx.hunt.level import urgency

if TYPE_CHECKING:
    from k8sidx.backends.protocol import QueryOptions
    from k8sidx.hunt.definition import Hunt, KnownGood
    from k8sidx.hunt.lists import Lists
    from k8sidx.hunt.result import EventsJudged
    from k8sidx.hunt.run import Window


@dataclass(frozen=True, slots=True)
class Selection:
    """Hunts requested by the user.

    :param names: ids of library hunts, and Sigma rule files.
    :param everything: the whole library.
    :param tags: only hunts with one of these.
    :param level: only hunts of this level and above.
    :param known_good: allow-list files, in addition to those of the configuration.
    """

    names: tuple[str, ...] = ()
    everything: bool = False
    tags: tuple[str, ...] = ()
    level: Level | None = None
    known_good: tuple[str, ...] = ()


def selected_hunts(
    selection: Selection, on_error: Callable[[InvalidHunt], None] | None = None
) -> list[Hunt]:
    """Return the hunts to run, in the library's order or the order given.

    ``tags`` or ``level`` without names select from the whole library. Activity streams
    (:attr:`Hunt.stream`) run when they are named, or with the level ``informational``.

    Without a hunt of the level the list is empty.

    :param on_error: called for each document that cannot be read as a hunt, while the others
        are read; without it the first error is raised.
    :raises UsageError: when nothing is selected, or no hunt has the tag.
    """
    from k8sidx.hunt.allowlist import with_known_good
    from k8sidx.hunt.library.load import load_hunts, load_library

    lists = configured_lists()
    filters_library = bool(selection.everything or selection.tags or selection.level)
    if selection.names and selection.everything:
        raise UsageError("--all and single hunts exclude each other.", remedy="Give one of them.")
    if selection.names:
        hunts = load_hunts(selection.names, lists, on_error)
    elif filters_library:
        streams = selection.level is Level.INFORMATIONAL
        hunts = [hunt for hunt in load_library(lists) if streams or not hunt.stream]
    else:
        raise UsageError(
            "no hunt is named.",
            remedy="Give ids (k8sidx hunts lists them), Sigma rule files, or --all.",
        )
    if selection.tags:
        hunts = [hunt for hunt in hunts if any(has_tag(hunt.tags, tag) for tag in selection.tags)]
        if not hunts:
            raise UsageError(
                f"no hunt is tagged {' or '.join(selection.tags)}.",
                remedy="k8sidx hunts lists the tags.",
            )
    if selection.level:
        hunts = [hunt for hunt in hunts if urgency(hunt.level) >= urgency(selection.level)]
    return with_known_good(hunts, _known_good(selection.known_good), datetime.now(UTC).date())


def _known_good(more: Sequence[str]) -> list[KnownGood]:
    """Return the entries of the allow-list files in the configuration and on the command line."""
    from k8sidx.hunt.allowlist import read_known_good

    files = [*configuration().known_good, *more]
    return [entry for file in files for entry in read_known_good(Path(file))]


def configured_lists() -> Lists:
    """Return the shipped lists plus the entries of the files named in the configuration.

    :raises UsageError: when one of them cannot be read.
    """
    from k8sidx.hunt.impersonators import TrustedImpersonator
    from k8sidx.hunt.lists import CLUSTER_NETWORKS, SHIPPED, lists_from

    inside = SHIPPED.entries(CLUSTER_NETWORKS) or ()
    return lists_from(
        {name: [Path(file) for file in files] for name, files in configuration().lists.items()},
        [
            TrustedImpersonator(name, proxy.account, tuple(proxy.networks) or inside)
            for name, proxy in configuration().trusted_impersonators.items()
        ],
    )


def has_tag(tags: Sequence[str], selector: str) -> bool:
    """Whether a hunt has a Sigma tag, written as in Sigma or as in ATT&CK.

    ``T1078`` also means its sub-techniques; ``credential-access`` is Sigma's
    ``attack.credential-access``. Names that ATT&CK has replaced mean those of today.
    """
    from k8sidx.hunt.attack.tags import current_names

    names = [name for tag in tags for name in current_names(tag)]
    return any(
        name == wanted or name.startswith(f"{wanted}.")
        for wanted in current_names(selector)
        for name in names
    )


def window(since: str | None, until: str | None, baseline: str | None) -> Window:
    """Return the time range to hunt in.

    :raises UsageError: when a time is invalid or the range is empty.
    """
    from k8sidx.hunt.run import Window
    from k8sidx.query.durations import parse_span

    first, end = period(since, until)
    if baseline is None:
        return Window(since=first, until=end)
    return Window(since=first, until=end, baseline=parse_span(baseline))


def period(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the start (inclusive) and the end (exclusive) of the time range.

    :raises UsageError: when a time is invalid or the range is empty.
    """
    from k8sidx.query.durations import parse_moment

    if since is None and until is None:
        return None, None
    now, zone = datetime.now(UTC), time_zone()
    first = parse_moment(since, now, zone) if since is not None else None
    end = parse_moment(until, now, zone) if until is not None else None
    if first and end and first >= end:
        raise UsageError("--since is not before --until.", remedy="Swap them.")
    return first, end


def newest_needed(max_age: str | None) -> datetime | None:
    """Return the time that the newest event must reach; ``None`` for any.

    :raises UsageError: when the age is not a valid duration.
    """
    from k8sidx.query.durations import parse_span

    return None if max_age is None else datetime.now(UTC) - parse_span(max_age)


def is_too_old(judged: EventsJudged, needed: datetime | None) -> bool:
    """Whether the newest event is older than needed, which is printed; without events, too."""
    from k8sidx.show.render.sheet import readable_time

    if needed is None or (judged.newest is not None and judged.newest >= needed):
        return False
    newest = f"is of {readable_time(judged.newest)}" if judged.newest else "does not exist"
    print_message(
        f"k8sidx: the newest event {newest}, and --max-age needs one since {readable_time(needed)}."
    )
    return True


def answering(timeout: str | None, *, approximate: bool, quiet: bool = False) -> QueryOptions:
    """Return the options for running queries.

    :param quiet: drop notices about how they are answered.
    :raises UsageError: when the timeout is not a valid duration.
    """
    from k8sidx.backends.protocol import QueryOptions
    from k8sidx.query.durations import parse_span

    seconds = None if timeout is None else parse_span(timeout).total_seconds()
    return QueryOptions(approximate, seconds, lambda text: print_message(text, quiet=quiet))
