"""Server of ``--metrics``: /metrics in Prometheus' format, /healthz and /readyz."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from k8sidx.cli.output import print_event
from k8sidx.cli.telemetry.metrics import METRICS, PREFIX, Sample
from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

REPORT_SECONDS = 60.0
"""Interval at which the counts are logged."""
_LAST_PORT = 65535


class Source(Protocol):
    """Source of metrics."""

    @property
    def is_ready(self) -> bool:
        """Whether it does its work at the moment."""

    def samples(self) -> Iterator[Sample]:
        """Yield the present values."""

    def line(self) -> tuple[str, dict[str, float]]:
        """Return the counts as a sentence, and by name."""


@contextmanager
def telemetry(source: Source, address: str | None, *, quiet: bool) -> Iterator[None]:
    """Log the counts every minute, and serve metrics, as long as the block runs.

    :param address: to listen on, ``HOST:PORT`` or ``:PORT``; ``None`` for the log alone.
    :raises UsageError: when it cannot be listened on, or prometheus_client is not installed.
    """
    ended = threading.Event()

    def log() -> None:
        while not ended.wait(REPORT_SECONDS):
            text, counts = source.line()
            print_event(text, counts, quiet=quiet)

    with _serving(source, address):
        threading.Thread(target=log, name="k8sidx-counts", daemon=True).start()
        try:
            yield
        finally:
            ended.set()


@contextmanager
def _serving(source: Source, address: str | None) -> Iterator[int]:
    """Serve in a thread; return the port."""
    if address is None:
        yield 0
        return
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Silent(WSGIRequestHandler):
        timeout = 10

        def log_message(self, format: str, *arguments: Any) -> None:
            """Log nothing: a scrape is not an event."""

    host, port = _address(address)
    app = application(source)
    try:
        server = make_server(host, port, app, Server, Silent)
    except OSError as error:
        raise UsageError(
            f"{address} cannot be listened on: {(error.strerror or str(error)).lower()}.",
            remedy="Give --metrics another address, or end what is listening there.",
        ) from error
    threading.Thread(target=server.serve_forever, name="k8sidx-metrics", daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def application(source: Source) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Return the WSGI application.

    :raises UsageError: when prometheus_client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, make_wsgi_app
    except ImportError as error:
        raise UsageError(
            "--metrics needs prometheus_client, which is not installed.",
            remedy="Install it: pip install 'k8sidx[metrics]'.",
        ) from error

    class Collector:
        def collect(self) -> Iterator[Family]:
            yield from _families(source.samples())

    registry = CollectorRegistry()
    registry.register(Collector())
    metrics = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            body: Iterable[bytes] = metrics(environ, start)
            return body
        is_well = path == "/healthz" or (path == "/readyz" and source.is_ready)
        status = "200 OK" if is_well else "503 Service Unavailable"
        if path not in ("/healthz", "/readyz"):
            status = "404 Not Found"
        start(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{status.partition(' ')[2].lower()}\n".encode()]

    return answer


def _families(samples: Iterable[Sample]) -> Iterator[Family]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    families: dict[str, Any] = {}
    for name, value, label in samples:
        metric = METRICS[name]
        if name not in families:
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            labels = [metric.label] if metric.label else None
            families[name] = kind(f"{PREFIX}{name}", metric.help, labels=labels)
        families[name].add_metric([label] if metric.label else [], value)
    return iter(families.values())


def _address(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
        raise UsageError(
            f"{address!r} is not an address to listen on.", remedy="Give HOST:PORT, or :PORT."
        )
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)  # noqa: S104
