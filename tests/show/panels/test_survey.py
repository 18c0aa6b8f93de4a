"""Given a log, this is what a report says of it over time, and of its quality."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from k8sidx.show.panels.survey import Survey, survey
from tests.building import START, event
from tests.stores import stored


def surveyed(folder: Path, events: list[dict[str, object]]) -> Survey:
    with stored(folder / "store", events).engine() as engine:
        return survey(engine, None, None)


def test_a_time_line_counts_requests_by_interval(tmp_path: Path) -> None:
    events = [event(seconds=60 * at, name=str(at)) for at in range(120)]
    events += [event(seconds=60 * at, name=f"no-{at}", code=403) for at in range(0, 120, 2)]
    [line, *_] = surveyed(tmp_path, events).lines
    assert line.panel.id == "outcome-over-time"
    assert line.interval == timedelta(minutes=2)
    assert [(name, sum(values)) for name, values in line.series] == [
        ("success", 120), ("failure", 60),
    ]  # fmt: skip
    assert len(line.starts) == 60
    assert line.starts[0] == START


def test_a_time_without_events_is_a_gap(tmp_path: Path) -> None:
    events = [event(seconds=60 * at, name=str(at)) for at in range(60) if not 20 <= at < 30]
    [gap] = surveyed(tmp_path, events).gaps
    assert (gap.since, gap.until) == (
        START + timedelta(minutes=20), START + timedelta(minutes=30),
    )  # fmt: skip


def test_cut_and_undated_events_are_counted(tmp_path: Path) -> None:
    cut = event(name="cut")
    cut["annotations"]["audit.k8s.io/truncated"] = "true"
    undated = event(name="undated")
    del undated["stageTimestamp"], undated["requestReceivedTimestamp"]
    found = surveyed(tmp_path, [event(), cut, undated])
    assert (found.truncated, found.undated) == (1, 1)


def test_an_empty_log_has_nothing_to_draw(tmp_path: Path) -> None:
    found = surveyed(tmp_path, [])
    assert (found.lines, found.gaps) == ((), ())
