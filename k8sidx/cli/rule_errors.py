"""Rules that could not be read or run, while the others were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8sidx.cli.output import say
from k8sidx.errors import InvalidHunt, K8sidxError, OtherLog

if TYPE_CHECKING:
    from k8sidx.hunt.definition import Hunt


class Problems:
    """Tells each on stderr, and remembers them for the exit code.

    Rules about other logs are no problem in a folder of rules: they are counted.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.found: list[K8sidxError] = []
        self.other_logs: list[OtherLog] = []
        self._quiet = quiet

    def unread(self, error: InvalidHunt) -> None:
        """A document that no hunt can be made of."""
        if isinstance(error, OtherLog):
            self.other_logs.append(error)
        else:
            self.found.append(error)

    def not_run(self, hunt: Hunt, error: K8sidxError) -> None:
        """A hunt that the engine has no way to run."""
        self.found.append(error)
        say(f"k8sidx: {hunt.id}: {error}")

    def settle(self, *, hunts: int) -> None:
        """All rules have been read: tell of those that no hunt was made of.

        :param hunts: how many hunts were made of them.
        :raises K8sidxError: the first problem, when there is no hunt at all.
        """
        if not hunts and (self.found or self.other_logs):
            raise (self.found or self.other_logs)[0]
        for error in self.found:
            say(f"k8sidx: {error}")
        if self.other_logs:
            number = len(self.other_logs)
            said = "1 rule is" if number == 1 else f"{number:,} rules are"
            say(f"{said} about other logs and left out.", quiet=self._quiet)
