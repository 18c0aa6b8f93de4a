"""Delivery of findings to targets: once for each story, at least once on failure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from k8sidx.hunt.actor_timeline import CLUSTER, timelines_of
from k8sidx.hunt.result import UNNAMED, Finding
from k8sidx.notify.message import Message, held_back, message_of
from k8sidx.notify.queue import Queue
from k8sidx.notify.target import Target
from k8sidx.notify.transport import NotSent, send
from k8sidx.query.wildcard import to_regex, tokens

MAX_STORIES = 20
"""Stories that one run tells one by one; one message tells how many more there are."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Outcome of the messages for one target.

    :param waiting: messages that are sent at the next run.
    :param refused: messages that the target refused for good.
    :param given_up: messages that waited too long.
    :param reason: why messages wait or were refused.
    """

    target: str
    sent: int
    waiting: int = 0
    refused: int = 0
    given_up: int = 0
    reason: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the target has taken everything."""
        return not (self.waiting or self.refused or self.given_up)


def enqueue(findings: Sequence[Finding], targets: Iterable[Target], folder: Path) -> None:
    """Write the messages about findings into the queues of the targets that take them.

    :raises StoreError: if they cannot be written.
    """
    for target in targets:
        taken = [finding for finding in findings if _takes(target, finding)]
        stories = timelines_of(taken)
        messages = [message_of(story) for story in stories[:MAX_STORIES]]
        if more := stories[MAX_STORIES:]:
            messages.append(held_back(more))
        Queue(folder, target.url).add(messages)


def _takes(target: Target, finding: Finding) -> bool:
    cluster = str(finding.key.get(CLUSTER) or UNNAMED)
    return target.takes(finding.level) and (
        not target.clusters or any(_matches(pattern, cluster) for pattern in target.clusters)
    )


def _matches(pattern: str, cluster: str) -> bool:
    return re.fullmatch(to_regex(tokens(pattern)), cluster, re.DOTALL) is not None


def deliver(targets: Iterable[Target], folder: Path) -> list[Delivery]:
    """Send what waits for each target; the first failure ends a target's turn."""
    return [_deliver(target, Queue(folder, target.url)) for target in targets]


def _deliver(target: Target, queue: Queue) -> Delivery:
    sent = refused = 0
    reason = ""
    given_up = queue.drop_oldest()
    for path, message in queue.waiting():
        if message is None:
            reason = f"{queue.set_aside(path)} is damaged"
            refused += 1
            continue
        try:
            send(target, message)
        except NotSent as error:
            reason = str(error)
            if error.again:
                break
            refused += 1
        else:
            sent += 1
        queue.remove(path)
    waiting = sum(1 for _ in queue.waiting())
    return Delivery(target.name, sent, waiting, refused, given_up, reason)


def send_now(target: Target, message: Message) -> Delivery:
    """Send one message that is not kept if the target does not take it."""
    try:
        send(target, message)
    except NotSent as error:
        return Delivery(target.name, 0, refused=1, reason=str(error))
    return Delivery(target.name, 1)
