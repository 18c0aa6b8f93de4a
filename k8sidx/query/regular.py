"""Regular expressions as Python reads them: RE2's syntax, but for what Python has otherwise."""

from __future__ import annotations

import re
import warnings
from typing import Any


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern.

    :raises re.error: when Python does not read it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # RE2's [[:alpha:]] and the like.
        return re.compile(pattern, flags)


def parsed(pattern: str, flags: int = 0) -> Any:
    """What the pattern is made of, as Python's own compiler has it.

    :raises re.error: when Python does not read it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re._parser.parse(pattern, flags)
