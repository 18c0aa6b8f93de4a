"""A planted secret is in nothing that k8sidx makes of an event, whatever it came in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.backends.cluster.index.document import as_text, document
from k8sidx.backends.embedded.storage.columns import to_table
from k8sidx.events.decode.decode import decode
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.records import Chunk, Event
from tests.events.canaries import ENVELOPES, Plant, plants


def events_of(text: str) -> list[Normalized]:
    made = []
    for record in decode(Chunk("log", 1, text.encode())):
        assert isinstance(record, Event), record
        made.append(Normalizer().normalize(record.audit, record.rest, record.context, record.size))
    return made


@settings(max_examples=300, deadline=None)
@given(plant=plants(), envelope=st.sampled_from(sorted(ENVELOPES)))
def test_a_secret_is_in_no_column_and_no_document(plant: Plant, envelope: str) -> None:
    text = ENVELOPES[envelope](plant.body)
    if json.dumps(plant.body) == text:
        assert any(form in text for form in plant.forms), "nothing was planted"
    events = events_of(text)
    assert events
    for event in events:
        written = document(event)
        packed = f"{to_table([event]).to_pylist()} {written!r} {as_text(written)!r}"
        leaked = [form for form in plant.forms if form in packed]
        assert not leaked, packed


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_event_is_the_one_of_the_line(envelope: str) -> None:
    body = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "x", "verb": "get"}
    [bare] = events_of(json.dumps(body))
    assert {event.values.id for event in events_of(ENVELOPES[envelope](body))} == {bare.values.id}
