"""Regular expressions in RE2's syntax: compiled by RE2, parsed by Python.

DuckDB searches with RE2, so RE2 decides what a valid expression is and which values match it.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

from k8sidx.errors import InvalidQuery


class InvalidRegex(InvalidQuery):
    """A regular expression that RE2 does not accept; the message is RE2's reason."""


@lru_cache(maxsize=256)
def compiled(pattern: str, *, ignore_case: bool = False) -> Any:
    """Compile a pattern with RE2.

    :returns: a pattern object with the methods of Python's ``re.Pattern``.
    :raises InvalidRegex: when RE2 does not accept it.
    """
    import re2  # type: ignore[import-untyped]  # Loads a library, and most commands need none.

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(pattern, options)
    except UnicodeEncodeError:
        raise InvalidRegex("it contains half a surrogate pair") from None
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidRegex(text) from error


def syntax_tree(pattern: str, flags: int = 0) -> Any:
    """Parse a pattern with Python's own parser, for translation to other dialects.

    It stands on ``re._parser``, a private module of CPython: tests/query/test_regex.py holds
    the form of its trees, and runs on each supported version of Python.

    :raises re.error: when Python has no such syntax, although RE2 may.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # RE2's [[:alpha:]] and the like.
        try:
            return re._parser.parse(pattern, flags)
        except RecursionError:
            raise re.error("groups are nested too deeply") from None


def escape(text: str) -> str:
    """Return the expression that matches this text alone."""
    import re2

    escaped: str = re2.escape(text)
    return escaped
