"""Sentences on stories, and the commands that follow them up."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from k8sidx.hunt.actor_timeline import ActorTimeline
from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import Finding
from k8sidx.investigate.requests import Request
from k8sidx.show.render.sheet import readable_time

Requests = Mapping[str, Request]
"""Requests by auditID, without those whose auditID others have as well."""

_ANONYMOUS = ("system:anonymous", "system:unauthenticated")


def who(story: ActorTimeline, requests: Requests) -> str:
    """Return the actor, the users that it acts as, and its addresses."""
    acting: dict[str, None] = {}
    addresses: dict[str, None] = {}
    for finding in story.findings:
        request = requests.get(finding.audit_ids[0]) if finding.audit_ids else None
        if request and request.acting_as:
            acting[request.acting_as] = None
        address = finding.key.get("source.ip")
        if isinstance(address, str) and address not in story.actor:
            addresses[address] = None
    text = story.actor
    if acting:
        text += f" acting as {_few(list(acting), 'user')}"
    if addresses:
        text += f" from {_few(list(addresses), 'address')}"
    return text


def period_of(story: ActorTimeline) -> str:
    """Return the time of a story; empty without one."""
    first, last = readable_time(story.first_seen), readable_time(story.last_seen)
    return first if first == last else f"{first} to {last}"


def what(step: Sequence[Finding], requests: Requests) -> str:
    """Return the sentence of the request, or of the most urgent finding about several."""
    for finding in step:
        if finding.count == 1 and finding.audit_ids and finding.audit_ids[0] in requests:
            return requests[finding.audit_ids[0]].text
    return step[0].reason


def lead_of(steps: Sequence[Sequence[Finding]]) -> int:
    """Return the index of the most urgent step, the first of several."""
    return max(range(len(steps)), key=lambda index: (urgency(steps[index][0].level), -index))


def story_commands(story: ActorTimeline, options: str) -> list[str]:
    """Return commands that follow up a story, quoted for a shell.

    :param options: of commands that read the same events, for example ``--store audit``.
    """
    lead = max(story.findings, key=lambda finding: urgency(finding.level))
    commands = [timeline_command(lead), show_command(lead), f"k8sidx hunts show {lead.hunt}"]
    return usable(commands, options)


def step_commands(finding: Finding, options: str) -> list[str]:
    """Return commands that follow up a finding, quoted for a shell."""
    commands = [show_command(finding), history_command(finding)]
    return usable([*commands, f"k8sidx hunts show {finding.hunt}"], options)


def timeline_command(finding: Finding) -> str:
    """Return the command that lists what the actor of a finding did; empty without one."""
    key = finding.key
    user = finding.actor or key.get("user.username") or key.get("user.effective.name")
    if user and user not in _ANONYMOUS:
        return f"k8sidx timeline --actor {shlex.quote(str(user))}"
    address = key.get("source.ip")
    return f"k8sidx timeline --ip {shlex.quote(str(address))}" if address else ""


def show_command(finding: Finding) -> str:
    """Return the command that prints the first event of a finding; empty without one."""
    # A client chooses its auditID: one that begins with a dash would be an option.
    if not finding.audit_ids or finding.audit_ids[0].startswith("-"):
        return ""
    return f"k8sidx show {shlex.quote(finding.audit_ids[0])}"


def history_command(finding: Finding) -> str:
    """Return the command that lists what happened to the object of a finding; empty without one."""
    key = finding.key
    resource = str(key.get("objectRef.resource") or key.get("target.resource") or "")
    name = str(key.get("objectRef.name") or key.get("target.name") or "")
    if not resource or not name or "/" in resource:
        return ""
    namespace = key.get("objectRef.namespace")
    path = f"{namespace}/{name}" if namespace else name
    return f"k8sidx history {shlex.quote(f'{resource} {path}')}"


def usable(commands: Iterable[str], options: str) -> list[str]:
    """Return the commands with the options that name the events.

    A character that a terminal acts on cannot be typed: a command with one is left out.
    """
    return [
        command if command.startswith("k8sidx hunts") else f"{command}{options}"
        for command in commands
        if command and command.isprintable()
    ]


def _few(names: Sequence[str], noun: str) -> str:
    if len(names) <= 2:
        return " and ".join(names)
    return f"{len(names):,} {noun}{'es' if noun.endswith('s') else 's'}"
