"""Errors of single rules, while the others run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8sidx.cli.output import print_message
from k8sidx.errors import DifferentLogSource, InvalidHunt, K8sidxError

if TYPE_CHECKING:
    from k8sidx.hunt.definition import Hunt


class RuleErrors:
    """Prints each error to stderr and keeps them for the exit code.

    Rules about other logs are normal in a folder of rules: they are only counted.
    """

    def __init__(self, *, quiet: bool, verbose: bool = False) -> None:
        self.errors: list[K8sidxError] = []
        self.refused: list[tuple[Hunt, K8sidxError]] = []
        self.other_logs: list[DifferentLogSource] = []
        self._quiet = quiet
        self._verbose = verbose

    def unread(self, error: InvalidHunt) -> None:
        """Record a document that cannot be read as a hunt."""
        if isinstance(error, DifferentLogSource):
            self.other_logs.append(error)
        else:
            self.errors.append(error)

    def not_run(self, hunt: Hunt, error: K8sidxError) -> None:
        """Record a hunt that the engine cannot run."""
        self.errors.append(error)
        self.refused.append((hunt, error))

    def summarize(self, hunts: int) -> None:
        """Print which hunts the engine could not run, in one line where there are several.

        :param hunts: number of hunts that were selected.
        """
        if len(self.refused) == 1 or self._verbose:
            for hunt, error in self.refused:
                print_message(f"k8sidx: {hunt.id}: {error}")
        elif self.refused:
            hunt, error = self.refused[0]
            print_message(
                f"k8sidx: {len(self.refused):,} of {hunts:,} hunts cannot run here, for example "
                f"{hunt.id}: {error.message} -v lists all of them."
            )

    def settle(self, *, hunts: int) -> None:
        """Print the errors collected while reading rules.

        :param hunts: number of hunts that were read.
        :raises K8sidxError: the first error, when there is no hunt at all.
        """
        if not hunts and (self.errors or self.other_logs):
            raise (self.errors or self.other_logs)[0]
        for error in self.errors:
            print_message(f"k8sidx: {error}")
        if self.other_logs:
            number = len(self.other_logs)
            rules = "1 rule is" if number == 1 else f"{number:,} rules are"
            print_message(f"{rules} about other logs and left out.", quiet=self._quiet)
