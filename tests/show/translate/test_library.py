"""Every hunt of the library, in every language: a text, or a refusal that says what is lacking."""

from __future__ import annotations

import pytest

from docs.generate.translations import DOCUMENT, document
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_library
from k8sidx.show.translate.target import Target
from k8sidx.show.translate.translatable import NotTranslatable
from k8sidx.show.translate.translate import translate

LIBRARY = load_library()
KINDS = (
    "follow one another", "the time before", "usual in the same data", "fell silent",
    "where an identity acts otherwise", "the requests of one credential",
    "the places of successive requests",
)  # fmt: skip


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("hunt", LIBRARY, ids=lambda one: one.id)
def test_a_hunt_is_said_or_refused_by_name(hunt: Hunt, target: Target) -> None:
    try:
        text = translate(hunt, target).text
    except NotTranslatable as error:
        named = any(name in error.message for name in (*BY_NAME, *hunt.lists_missing, *KINDS))
        assert named
        assert error.message.startswith(f"{hunt.id} cannot be translated to {target}: ")
        return
    assert text.endswith("\n")
    assert all(sign.isprintable() or sign in "\n\t\r\f" for sign in text)


def test_the_document_says_what_can_be_said() -> None:
    assert DOCUMENT.read_text("utf-8") == document(LIBRARY), "python -m docs.generate.translations"
