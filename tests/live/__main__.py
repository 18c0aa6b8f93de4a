"""``make live``: a real API server's events on both ways, and an attack that people hear of.

Its audit webhook posts to ``k8sidx serve``, its audit log is followed by ``k8sidx ship``, and both
sides are killed and started again in the middle. Then the log, the store of the webhook and the
store of the follower are compared by the events' ids, and an attack is made while ``k8sidx watch``
looks.

Ends with 1 when an event is missing or came twice, or when a finding did not arrive, once.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import Query
from k8sidx.shipping.pipeline import ship
from tests.live.build import CannotBuild, binaries
from tests.live.control_plane import MALLORY, Command, ControlPlane, free_port
from tests.live.manifests import refusals
from tests.notify.receivers import Received, http_receiver
from tests.servers.certificates import write_certificates
from tests.servers.emulators import alertmanager, build_go_tools

THREADS = 4
REQUESTS = 300
"""Requests of each thread in each of the phases."""
WITHIN = 10.0
"""Seconds in which a finding reaches its targets."""
HUNTS = ("--level", "high")
EVENTS = Query(select=("event.id", "@timestamp"))


class Live:
    """One run, with its processes, files and verdict."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.failed = False
        self.received, self.followed = folder / "webhook-store", folder / "followed-store"
        port = free_port()
        write_certificates(folder / "receiver", ("tls",))
        self._tls = ["--tls-cert", str(folder / "receiver" / "tls.pem"),
                     "--tls-key", str(folder / "receiver" / "tls-key.pem")]  # fmt: skip
        (folder / "token").write_text("a-token-of-the-api-server\n")
        self._listen = ["--listen", f"127.0.0.1:{port}", "--token-file", str(folder / "token")]
        self.serve = self._command("serve", "serve", *self._listen, *self._tls,
                                   "--store", str(self.received))  # fmt: skip
        self.plane = ControlPlane(programs, folder, folder / "policy.yaml", folder / "webhook.yaml")
        self.follow = self._command(
            "follow", "ship", "--follow", str(self.plane.log), "--store", str(self.followed)
        )
        self._number = 0

    def write_api_server_side(self) -> None:
        """Write what ``serve`` prints for the API server, with this machine's paths."""
        printed = _printed("serve", *self._listen, *self._tls, "--print-kubeconfig")
        ca, token = self.folder / "receiver" / "ca.pem", self.folder / "token"
        printed = re.sub(r"certificate-authority: .*", f"certificate-authority: {ca}", printed)
        printed = re.sub(r"tokenFile: .*", f"tokenFile: {token}", printed)
        (self.folder / "webhook.yaml").write_text(printed)
        (self.folder / "policy.yaml").write_text(_printed("serve", "--print-policy"))

    def watching(self, *targets: str) -> Command:
        """Return the command that watches the store of the webhook."""
        notify = [word for target in targets for word in ("--notify", target)]
        return self._command("watch", "watch", "--store", str(self.received), "--every", "1s",
                             *HUNTS, *notify)  # fmt: skip

    def traffic(self) -> None:
        """Send requests of several clients at once: reads, writes, refusals."""
        self._number += 1
        clients = [
            threading.Thread(target=self._client, args=(f"live-{self._number}-{n}",))
            for n in range(THREADS)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()

    def _client(self, name: str) -> None:
        plane = self.plane
        plane.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        path = f"/api/v1/namespaces/{name}/configmaps"
        for number in range(REQUESTS // 3):
            plane.request("POST", path, {"metadata": {"name": f"m{number}"}, "data": {"a": "b"}})
            plane.request("GET", f"{path}/m{number}")
            plane.request("GET", "/api/v1/nodes", token=MALLORY)

    def say(self, text: str, *, good: bool = True) -> None:
        """Print a line of the verdict."""
        self.failed = self.failed or not good
        print(f"{'' if good else 'FAILED: '}{text}", flush=True)

    def _command(self, name: str, *arguments: str) -> Command:
        return Command(sys.executable, self.folder, name, arguments)


def main() -> int:
    """Run everything; return the exit code."""
    try:
        programs = binaries()
        build_go_tools()
    except (CannotBuild, OSError, subprocess.CalledProcessError) as error:
        print(f"make live: SKIPPED: {error}. Nothing was compared.")
        return 0
    with tempfile.TemporaryDirectory(prefix="k8sidx-live-") as name, ExitStack() as stack:
        live = Live(Path(name), programs)
        live.write_api_server_side()
        live.plane.prepare()
        for command in (live.serve, live.follow):
            command.start()
            stack.callback(command.stop)
        live.serve.wait_for("receiving audit events")
        stack.callback(live.plane.stop)
        live.plane.start()
        live.say("kube-apiserver is ready, with the policy that k8sidx prints")
        _admit(live)
        _break_both_sides(live)
        _attack(live)
        live.plane.stop_api_server()
        _compare(live)
        return int(live.failed)


def _break_both_sides(live: Live) -> None:
    live.traffic()
    with _meanwhile(live.traffic):
        live.serve.kill()
        live.follow.kill()
        time.sleep(2)
        live.serve.start()
        live.follow.start()
    live.say("k8sidx serve and ship --follow were killed under load, and started again")
    live.plane.stop_api_server()
    live.plane.start_api_server()
    live.say("kube-apiserver was stopped and started again")
    live.traffic()


def _admit(live: Live) -> None:
    """Give the API server everything that is to be deployed."""
    for name, objects, refused in refusals(live.plane, live.folder):
        live.say(
            f"{name}: {objects} objects, {len(refused)} refused or warned of"
            + "".join(f"\n    {line}" for line in refused),
            good=bool(objects) and not refused,
        )


def _attack(live: Live) -> None:
    """Give away cluster-admin while k8sidx watches, and wait for the messages."""
    with http_receiver() as slack, http_receiver() as pager, ExitStack() as stack:
        alerts = stack.enter_context(alertmanager(live.folder, pager.url))
        watch = live.watching(f"slack+{slack.url}", f"alertmanager+{alerts}")
        watch.start()
        stack.callback(watch.stop)
        watch.wait_for("watching ")
        _until(lambda: list((live.received / "state").glob("watch-*.json")), 120)
        time.sleep(5)
        made = time.monotonic()
        live.plane.kubectl(
            "create", "clusterrolebinding", "gift", "--clusterrole=cluster-admin",
            "--user=mallory",
        )  # fmt: skip

        def about_it(receiver: Received) -> int:
            return sum(b"cluster-admin" in body for body in receiver.bodies)

        _until(lambda: about_it(slack) and about_it(pager), 60)
        took = time.monotonic() - made
        live.say(
            f"an attack with kubectl was at Slack and, by Alertmanager, at a pager in {took:.1f} s",
            good=bool(about_it(slack) and about_it(pager)) and took <= WITHIN,
        )
        time.sleep(WITHIN)
        times = (about_it(slack), about_it(pager))
        live.say(f"messages about it: {times[0]} and {times[1]}", good=times == (1, 1))


def _compare(live: Live) -> None:
    """Compare the log with both stores, event by event."""
    logs = sorted(str(path) for path in live.plane.log.parent.iterdir())
    reference = EmbeddedStore(live.folder / "reference-store")
    report = ship(logs, reference)
    expected = _events(reference)
    live.say(
        f"the log: {report.indexed:,} events in {len(logs)} files, {report.rejected} rejected",
        good=bool(expected) and not report.rejected and report.failure is None,
    )
    followed, received = EmbeddedStore(live.followed), EmbeddedStore(live.received)
    _until(lambda: _events(followed).keys() == expected.keys(), 60)
    codes = live.follow.stop(), live.serve.stop()
    live.say(f"ship --follow and serve ended with {codes[0]} and {codes[1]}", good=not any(codes))
    for name, store in (("followed", followed), ("received", received)):
        events = _events(store)
        twice = sum(len(times) - 1 for times in events.values())
        missing = [expected[event][0] for event in expected.keys() - events.keys()]
        more = len(events.keys() - expected.keys())
        late = sum(live.plane.was_stopping(moment) for moment in missing)
        # The API server closes its webhook when it is told to stop, and lives on for a while.
        unsent = late if name == "received" else 0
        live.say(
            f"{name}: {len(events):,} events, {twice} twice, {more} not in the log, "
            f"{len(missing)} missing, {late} of them logged while the API server was stopping",
            good=not (twice or more or len(missing) > unsent),
        )
    missing_before = len(expected.keys() - _events(received).keys())
    filled = ship(logs, received)
    live.say(
        f"shipping the log into the webhook's store: {filled.indexed:,} indexed, "
        f"{filled.duplicates:,} duplicates",
        good=filled.indexed == missing_before and _events(received).keys() == expected.keys(),
    )


def _events(store: EmbeddedStore) -> dict[str, list[datetime]]:
    """Return the times of the events by their ids: several times for one that came twice."""
    events: dict[str, list[datetime]] = {}
    with store.engine() as engine:
        for event, moment in engine.run(EVENTS).rows:
            assert isinstance(moment, datetime), "an API server's event has a time"
            events.setdefault(str(event), []).append(moment)
    return events


@contextmanager
def _meanwhile(work: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _until(is_so: Callable[[], object], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.2)


def _printed(*arguments: str) -> str:
    command = [sys.executable, "-m", "k8sidx", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
