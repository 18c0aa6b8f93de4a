"""Exit codes and one-line error messages of commands."""

from __future__ import annotations

import functools
import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

from k8sidx.cli.defaults import announce, blamed
from k8sidx.cli.output import LogFormat, print_message, use_log_format
from k8sidx.errors import K8sidxError

EXIT_FINDINGS = 1
"""``hunt --fail-on`` has findings of that level or above."""
EXIT_USAGE = 2
"""An invalid query, rule or dashboards file; the same code as a command-line error."""
EXIT_STORE = 3
"""The store is unreachable, or accepted only part of the request."""
EXIT_REJECTED = 4
"""Some records were rejected, the others were read; or there was nothing to judge: no events with
``--fail-on``, or none that are new enough for ``--max-age``."""
EXIT_BUG = 70
"""EX_SOFTWARE of BSD's sysexits.h: an error not caused by the user."""
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

P = ParamSpec("P")


def ends_with_exit_code(command: Callable[P, None]) -> Callable[P, None]:
    """Run a command so that no traceback reaches a user without ``--debug``.

    A reader that closes the pipe early (``| head``) has enough: exit code 0.
    """

    @functools.wraps(command)
    def ended(*args: P.args, **kwargs: P.kwargs) -> None:
        debug = bool(kwargs.get("debug"))
        log_format = kwargs.get("log_format")
        use_log_format(log_format if isinstance(log_format, LogFormat) else None)
        try:
            announce()
            command(*args, **kwargs)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort):
            raise
        except K8sidxError as error:
            blame = blamed(str(error)) if error.exit_code == EXIT_USAGE else ""
            _end(f"{error}{blame}", error.exit_code, debug)
        except BrokenPipeError:
            _abandon_stdout()
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            _end("interrupted by Ctrl-C.", EXIT_INTERRUPTED, debug)
        except OSError as error:
            _end(_system_error(error), EXIT_STORE, debug)
        except Exception as error:  # noqa: BLE001 - the last stop before the user
            about = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            advice = "" if debug else " Please run again with --debug and report the output."
            _end(f"internal error: {about}.{advice}", EXIT_BUG, debug)

    return ended


def _end(message: str, exit_code: int, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    print_message(f"k8sidx: {message}")
    raise typer.Exit(exit_code) from None


def _system_error(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}." if error.filename else f"{reason}."


def _abandon_stdout() -> None:
    # Python flushes stdout once more when it exits and would complain on stderr.
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, io.UnsupportedOperation):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
