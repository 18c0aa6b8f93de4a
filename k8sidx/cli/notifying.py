"""Targets of ``--notify``, and what came of sending to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.cli.options import configuration
from k8sidx.cli.output import print_message
from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from k8sidx.backends.store import Store
    from k8sidx.hunt.result import HuntResult
    from k8sidx.notify.deliver import Delivery
    from k8sidx.notify.target import Target


def targets_of(names: Sequence[str]) -> list[Target]:
    """Return the targets with these names in ``k8sidx.toml``, or with these URLs.

    :raises UsageError: if a name is not configured or a URL is not valid.
    """
    return [_target(name) for name in dict.fromkeys(names)]


def _target(name: str) -> Target:
    from k8sidx.notify.target import parse_target, text_of

    if ":" in name:
        return parse_target(name)
    configured = configuration().notify
    settings = configured.get(name)
    if settings is None:
        known = ", ".join(configured) or "none"
        raise UsageError(
            f"no notification target is called {name!r}.",
            remedy=f"Write [notify.{name}] in k8sidx.toml (there: {known}), or give a URL.",
        )
    if bool(settings.url) == bool(settings.url_file):
        raise UsageError(f"[notify.{name}] has either url or url_file.", remedy="Give one of them.")
    return parse_target(
        settings.url or text_of(Path(settings.url_file)),
        name=name,
        secret_file=Path(settings.secret_file) if settings.secret_file else None,
        level=settings.level,
        clusters=tuple(settings.clusters),
    )


def notify_folder(store: Store, inputs: Sequence[str]) -> Path:
    """Return the folder of the messages that wait: of the store, else of the user."""
    if not inputs:
        return store.state_folder / "notify"
    from k8sidx.backends.durable import user_state_folder

    return user_state_folder() / "notify"


def enqueue_findings(
    results: Sequence[HuntResult], targets: Sequence[Target], folder: Path
) -> None:
    """Write the messages about the findings into the targets' queues.

    :raises StoreError: if they cannot be written.
    """
    from k8sidx.notify.deliver import enqueue

    findings = [finding for result in results for finding in result.findings]
    enqueue(findings, targets, folder)


def deliver_queued(targets: Sequence[Target], folder: Path, *, quiet: bool) -> bool:
    """Send what waits for the targets; return whether they took everything."""
    if not targets:
        return True
    from k8sidx.notify.deliver import deliver

    deliveries = deliver(targets, folder)
    for delivery in deliveries:
        print_message(delivery_line(delivery), quiet=quiet and delivery.is_complete)
    return all(delivery.is_complete for delivery in deliveries)


def delivery_line(delivery: Delivery) -> str:
    """Return the summary of one target: ``soc: 2 messages sent, 1 not taken (HTTP 404).``"""
    parts = [f"{delivery.sent:,} message{'s' if delivery.sent != 1 else ''} sent"]
    if delivery.waiting:
        parts.append(f"{delivery.waiting:,} not sent yet; the next run with this target sends them")
    if delivery.refused:
        parts.append(f"{delivery.refused:,} not taken")
    if delivery.given_up:
        parts.append(f"{delivery.given_up:,} given up: too many waited")
    reason = f" ({delivery.reason})" if delivery.reason else ""
    return f"{delivery.target}: {', '.join(parts)}{reason}."
