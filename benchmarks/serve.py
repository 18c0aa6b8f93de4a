"""``k8sidx serve`` at the rate of one API server at most: how fast it answers, what it costs.

Ten bodies of 400 events a second (the API server's limit), over a few connections, each sent when
it is due whether the one before was answered or not. The reference is ``k8sidx ship`` of the same
bodies as files, in the same run.

    python benchmarks/serve.py --seconds 20
"""

from __future__ import annotations

import argparse
import http.client
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import SimpleQueue

from make_log import copies, demo_lines

BODY_EVENTS = 400
CONNECTIONS = 4


def bodies(count: int) -> list[bytes]:
    """Event lists as the API server sends them."""
    lines = copies(count * BODY_EVENTS, 0, demo_lines())
    made = []
    for _ in range(count):
        items = b",".join(next(lines).rstrip(b"\n") for _ in range(BODY_EVENTS))
        made.append(
            b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[%s]}\n'
            % items
        )
    return made


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def shipped(folder: Path, made: list[bytes]) -> float:
    """CPU seconds of shipping the bodies as files."""
    (folder / "bodies").mkdir()
    for number, body in enumerate(made):
        (folder / "bodies" / f"{number}.json").write_bytes(body)
    before = children_seconds()
    store = str(folder / "shipped")
    command = [sys.executable, "-m", "k8sidx", "ship", "-q", "--store", store]
    subprocess.run([*command, str(folder / "bodies")], check=True)
    return children_seconds() - before


def served(folder: Path, made: list[bytes], rate: float) -> tuple[float, list[float], int, float]:
    """CPU seconds, the seconds of each answer, the most bytes in the spool, seconds to drain."""
    before = children_seconds()
    command = [sys.executable, "-m", "k8sidx", "serve", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, "--store", str(folder / "served")], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    port = int(process.stderr.readline().split("://")[1].split("/")[0].rpartition(":")[2])
    due: SimpleQueue[tuple[float, bytes] | None] = SimpleQueue()
    answers: list[float] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while (task := due.get()) is not None:
            connection.request("POST", "/", task[1])
            response = connection.getresponse()
            assert response.status == 200, response.status
            response.read()
            answers.append(time.monotonic() - task[0])

    def spooled() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/readyz")
        size: int = json.loads(connection.getresponse().read())["spool_bytes"]
        connection.close()
        return size

    senders = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    began, most = time.monotonic(), 0
    for number, body in enumerate(made):
        moment = began + number / rate
        time.sleep(max(0.0, moment - time.monotonic()))
        due.put((moment, body))
        if not number % 10:
            most = max(most, spooled())
    for _ in senders:
        due.put(None)
    for sender in senders:
        sender.join()
    ended = time.monotonic()
    while spooled():
        time.sleep(0.1)
    drained = time.monotonic() - ended
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 0, process.returncode
    return children_seconds() - before, sorted(answers), most, drained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=float, default=10.0, help="bodies a second")
    options = parser.parse_args()
    made = bodies(int(options.seconds * options.rate))
    folder = Path(tempfile.mkdtemp())
    try:
        reference = shipped(folder, made)
        processor, answers, most, drained = served(folder, made, options.rate)
    finally:
        shutil.rmtree(folder)
    print("| events/s | answer p50 ms | p99 ms | spool at most MB | drained s | CPU of ship |")
    print("| --: | --: | --: | --: | --: | --: |")
    rate = f"{options.rate * BODY_EVENTS:,.0f}"
    middle, late = (answers[int(len(answers) * share)] * 1000 for share in (0.5, 0.99))
    spool = f"{most / 1e6:,.1f} | {drained:.1f}"
    print(f"| {rate} | {middle:.0f} | {late:.0f} | {spool} | {processor / reference:.2f} |")


if __name__ == "__main__":
    main()
