"""Measures shipping and hunting against named references and prints the README's tables.

make bench             everything (about 20 minutes; 5 GB below benchmarks/work)
python benchmarks/measure.py ship hunt library input help
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from make_log import main as make_log
from processes import Contender, Cost, in_turn, run_once

HERE = Path(__file__).parent
WORK = HERE / "work"
K8SIDX = str(Path(sys.executable).parent / "k8sidx")


def log(events: int, files: int, a_day: int = 23) -> list[Path]:
    """A log of that size, made when it is not there."""
    folder = WORK / (f"{events}-in-{files}" + (f"-{a_day}-a-day" if a_day != 23 else ""))
    if not folder.is_dir():
        sys.argv = ["make_log", str(folder), "--events", str(events), "--files", str(files)]
        sys.argv += ["--a-day", str(a_day)]
        make_log()
    return sorted(folder.glob("*.gz"))


def line(name: str, cost: Cost, events: int) -> str:
    return (
        f"| {name} | {events / cost.wall:,.0f} | {cost.cpu / events * 1e6:.1f} | "
        f"{cost.wall:.1f} | {cost.memory:.0f} |"
    )


def ship() -> None:
    """Events a second into the embedded store, against DuckDB's read_json into Parquet."""
    store, parquet = WORK / "store", WORK / "reference.parquet"
    for cores, events, files in ((1, 200_000, 1), (2, 400_000, 8)):
        paths = [str(path) for path in log(events, files)]
        costs = in_turn(
            [
                Contender(
                    "k8sidx ship",
                    [K8SIDX, "ship", "-q", "--store", str(store), *paths],
                    lambda: shutil.rmtree(store, ignore_errors=True),
                ),
                Contender(
                    "DuckDB read_json → Parquet",
                    [sys.executable, str(HERE / "reference_ship.py"), str(cores), str(parquet),
                     *paths],
                ),
            ],
            cores,
        )  # fmt: skip
        print(f"\n{events:,} events in {files} gzip file(s), {cores} core(s)\n")
        print("| | events/s | CPU µs/event | wall s | peak MiB |\n| --- | --: | --: | --: | --: |")
        print(line("k8sidx ship", costs[0], events))
        print(line("DuckDB read_json → Parquet", costs[1], events))
        print(f"\nevents/s, ratio: {costs[1].wall / costs[0].wall:.2f}")
        size = sum(path.stat().st_size for path in (store / "events").rglob("*.parquet"))
        gzipped = sum(Path(path).stat().st_size for path in paths)
        print(f"disk: {size / events:.0f} B/event, {size / gzipped:.0%} of the gzipped input")


def big_store(a_day: int = 23) -> Path:
    """Two million events in a store; three copies of the demo a day make 30 days."""
    store = WORK / ("two-million-store" if a_day == 23 else f"two-million-{a_day}-a-day")
    if not store.is_dir():
        paths = [str(path) for path in log(2_000_000, 30, a_day)]
        cost = run_once([K8SIDX, "ship", "-q", "--store", str(store), *paths], 2)
        print(f"\n2,000,000 events shipped on 2 cores: {line('k8sidx ship', cost, 2_000_000)}")
    return store


def hunt() -> None:
    """Each top-N hunt over 2 million events against the same SQL typed by hand."""
    import duckdb

    from k8sidx.backends.embedded.store import EmbeddedStore
    from k8sidx.hunt.library.load import load_library
    from k8sidx.hunt.run import Window, run_hunt

    store = EmbeddedStore(big_store())
    hand = duckdb.connect(config={"threads": 2})
    parts = f"read_parquet('{store.path}/events/*/*.parquet')"
    pipelines = jq_pipelines()
    print("\n| hunt, 2,000,000 events, 2 cores | k8sidx ms | SQL by hand ms | ratio | "
          "zcat, jq, sort, uniq s | times faster |\n| --- | --: | --: | --: | --: | --: |")  # fmt: skip
    with store.engine(threads=2) as engine:
        for found in load_library():
            if not found.id.startswith("topn_"):
                continue
            sql = BY_HAND[found.id].format(events=parts)
            ours = result = best_of(lambda found=found: run_hunt(found, engine, Window()))  # type: ignore[misc]
            theirs = best_of(lambda sql=sql: hand.execute(sql).fetchall())  # type: ignore[misc]
            del result
            slow = pipelines.get(found.id)
            tail = f"{slow:.0f} | {slow / ours:,.0f}" if slow else "– | –"
            print(f"| `{found.id}` | {ours * 1000:.1f} | {theirs * 1000:.1f} | "
                  f"{ours / theirs:.2f} | {tail} |")  # fmt: skip


def library() -> None:
    """The whole library over 2 million events against one count by five fields."""
    import duckdb

    from k8sidx.backends.embedded.store import EmbeddedStore
    from k8sidx.hunt.library.load import load_library
    from k8sidx.hunt.run import Window, run_hunt, run_hunts

    store = EmbeddedStore(big_store())
    hand = duckdb.connect(config={"threads": 2})
    sql = GROUPED.format(events=f"read_parquet('{store.path}/events/*/*.parquet')")
    hunts = [hunt for hunt in load_library() if not hunt.stream]
    with store.engine(threads=2) as engine:
        ours = cost_of(lambda: run_hunts(hunts, engine, Window()))
        apart = cost_of(lambda: [run_hunt(hunt, engine, Window()) for hunt in hunts], 1)
    theirs = cost_of(lambda: hand.execute(sql).fetchall())
    print(
        f"\n| 2,000,000 events, {len(hunts)} hunts, 2 cores | wall s | CPU s |\n| --- | --: | --: |"
    )
    print(f"| the library, together | {ours[0]:.2f} | {ours[1]:.2f} |")
    print(f"| the library, one by one | {apart[0]:.2f} | {apart[1]:.2f} |")
    print(f"| one `count(*) … group by` of five fields | {theirs[0]:.3f} | {theirs[1]:.3f} |")
    print(f"| **ratio** | **{ours[0] / theirs[0]:.1f}** | **{ours[1] / theirs[1]:.1f}** |")


def cost_of(run: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Least wall and CPU seconds of several runs in a warm process."""
    taken = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(one[0] for one in taken), min(one[1] for one in taken)


GROUPED = (
    'SELECT "user.effective.name", "source.ip", "verb", "target.resource", "objectRef.namespace", '
    "count(*) FROM {events} GROUP BY ALL"
)
"""The key of a plain rule's findings."""


def best_of(run: Callable[[], object], times: int = 9) -> float:
    """Median seconds of several runs in a warm process."""
    run()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return median(taken)


NOT_SYSTEM = '("user.username" IS NULL OR "user.username" NOT LIKE \'%system%\')'
BY_HAND = {
    "topn_user_agent": 'SELECT "userAgent", count(*) n FROM {events} WHERE "userAgent" IS NOT NULL '
    "GROUP BY 1 ORDER BY n DESC, 1 LIMIT 10",
    "topn_source_ip": 'SELECT "sourceIPs"[1], count(*) n FROM {events} '
    'WHERE "sourceIPs"[1] IS NOT NULL AND "sourceIPs"[1] NOT LIKE \'%::1%\' '
    "GROUP BY 1 ORDER BY n DESC, 1 LIMIT 10",
    "topn_user_by_agent": 'SELECT "userAgent", "user.username", count(*) n FROM {events} '
    f'WHERE "userAgent" IS NOT NULL AND {NOT_SYSTEM} '
    "GROUP BY ALL ORDER BY n DESC, 1, 2 LIMIT 10",
    "topn_user_by_ip": 'SELECT "sourceIPs"[1], "user.username", count(*) n FROM {events} '
    f'WHERE "sourceIPs"[1] IS NOT NULL AND {NOT_SYSTEM} '
    "GROUP BY ALL ORDER BY n DESC, 1, 2 LIMIT 10",
    "topn_status_code": 'SELECT "responseStatus.code", count(*) n FROM {events} '
    'WHERE "responseStatus.code" IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT 10',
    "topn_forbidden_user": 'SELECT "annotations.authorization.k8s.io/decision", "user.username", '
    "count(*) n FROM {events} WHERE \"annotations.authorization.k8s.io/decision\" LIKE '%forbid%' "
    f"AND {NOT_SYSTEM} GROUP BY ALL ORDER BY n DESC, 1, 2 LIMIT 10",
    "topn_forbidden_list_resource": 'SELECT "responseStatus.code", '
    '"annotations.authorization.k8s.io/decision", "verb", "user.username", "objectRef.resource", '
    'count(*) n FROM {events} WHERE "responseStatus.code" = 403 AND "verb" = \'list\' '
    f"AND {NOT_SYSTEM} GROUP BY ALL ORDER BY n DESC, 1, 2, 3, 4, 5 LIMIT 10",
}
JQ = {
    "topn_user_agent": ".userAgent // empty",
    "topn_user_by_agent": 'select((.user.username // "") | test("system") | not) | '
    "[.userAgent, .user.username] | @csv",
    "topn_forbidden_list_resource": 'select(.responseStatus.code == 403 and .verb == "list" and '
    '((.user.username // "") | test("system") | not)) | '
    "[.verb, .user.username, .objectRef.resource] | @csv",
}


def pipeline(expression: str, files: list[Path]) -> list[str]:
    named = " ".join(str(path) for path in files)
    return ["sh", "-c", f"zcat {named} | jq -r '{expression}' | sort | uniq -c | sort -rn | head"]


def jq_pipelines() -> dict[str, float]:
    """Seconds of the shell pipeline over the same 2 million events, one run each."""
    files = log(2_000_000, 30)
    found = {}
    for hunt_id, expression in JQ.items():
        found[hunt_id] = run_once(pipeline(expression, files), 2).wall
    return found


def input_() -> None:
    """A hunt straight over 200,000 events in a gzip file, against the shell pipeline."""
    files = log(200_000, 1)
    print("\n| hunt over a gzip file of 200,000 events, 2 cores | k8sidx s | "
          "zcat, jq, sort, uniq s | times faster |\n| --- | --: | --: | --: |")  # fmt: skip
    for hunt_id, expression in JQ.items():
        ours, theirs = in_turn(
            [
                Contender("k8sidx", [K8SIDX, "hunt", hunt_id, "-q", "--input", str(files[0])]),
                Contender("jq", pipeline(expression, files)),
            ],
            2,
        )
        print(f"| `{hunt_id}` | {ours.wall:.2f} | {theirs.wall:.2f} | "
              f"{theirs.wall / ours.wall:.1f} |")  # fmt: skip


def help_() -> None:
    """Start-up: k8sidx --help against python -c pass."""
    ours, bare = in_turn(
        [Contender("k8sidx", [K8SIDX, "--help"]), Contender("p", [sys.executable, "-c", "pass"])],
        2,
        runs=9,
    )
    print(f"\n`k8sidx --help`: {ours.wall:.3f} s; `python -c pass`: {bare.wall:.3f} s")


if __name__ == "__main__":
    WORK.mkdir(exist_ok=True)
    parts = {"ship": ship, "hunt": hunt, "library": library, "input": input_, "help": help_}
    for part in sys.argv[1:] or parts:
        parts[part]()
