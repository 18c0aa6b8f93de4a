"""Redaction of free text: what a quick search rules out has no credential."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8sidx.events.normalize.redact_text import TEXT_HINTS, redact_text

PIECES = st.sampled_from(
    [
        *TEXT_HINTS,
        *("Negotiate ", "Bearer ", "PASSWORD", "Token", "https://", "a:b@host", "@", "%40"),
        *("=", ":", " ", "%20", "%3D", "%3a", '"', "%22", "--", "-p", "-u ", "&"),
        *("user", "A1b2C3d4", "ghp_" + "a" * 24, "x" * 20),
    ]
)
TEXTS = st.lists(PIECES, max_size=9).map("".join)


@given(TEXTS)
def test_ascii_text_is_redacted_as_the_same_text_beside_other_letters(text: str) -> None:
    """Only ASCII text is searched for hints; any other letter has every expression applied."""
    for prose in (False, True):
        # Before it: after it, a letter would be the value of an option.
        assert redact_text(f"é {text}", prose=prose) == f"é {redact_text(text, prose=prose)}"
