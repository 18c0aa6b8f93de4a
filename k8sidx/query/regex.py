"""Regular expressions as Python reads them: RE2's syntax, but for what Python has otherwise."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern.

    :raises re.error: when Python does not read it.
    """
    with _read():
        return re.compile(pattern, flags)


def parsed(pattern: str, flags: int = 0) -> Any:
    """What the pattern is made of, as Python's own compiler has it.

    :raises re.error: when Python does not read it.
    """
    with _read():
        return re._parser.parse(pattern, flags)


@contextmanager
def _read() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # RE2's [[:alpha:]] and the like.
        try:
            yield
        except RecursionError:
            raise re.error("groups are nested too deeply") from None
