"""``k8sidx serve`` command: receive the API server's audit webhook."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.exit import EXIT_REJECTED, EXIT_STORE, ends_with_exit_code
from k8sidx.cli.options import (
    OUTPUTS,
    SPOOL_SIZE,
    AddressDatabaseOption,
    DebugOption,
    LogFormatOption,
    MetricsOption,
    QuietOption,
    SpoolOption,
    SpoolSizeOption,
    configuration,
)
from k8sidx.cli.output import LogFormat, print_document, print_message, write_text
from k8sidx.cli.places import address_databases
from k8sidx.cli.size import parse_size
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, shown_location, takes_store
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import Output, load_format

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket
    from ssl import SSLContext

    from k8sidx.backends.store import Store
    from k8sidx.shipping.webhook.app import AsgiApp, WebhookApp
    from k8sidx.shipping.webhook.server import TlsFiles, TokenFile, WebhookServer

NAME = "serve"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx serve --listen :8443 --tls-cert tls.crt --tls-key tls.key --client-ca ca.crt\n"
    "  k8sidx serve --listen audit.example.com:8443 --tls-cert tls.crt --print-kubeconfig\n"
    "  k8sidx serve --print-policy"
)


@ends_with_exit_code
@takes_store
def command(
    store: StoreChoice = AS_CONFIGURED,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Listen on this address.")
    ] = "127.0.0.1:8443",
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            "--tls-cert", metavar="FILE", help="Serve TLS with this certificate (PEM), reloaded."
        ),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option("--tls-key", metavar="FILE", help="Use this private key (PEM), reloaded."),
    ] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(
            "--client-ca", metavar="FILE", help="Require client certificates of these CAs (PEM)."
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file", metavar="FILE", help="Require one of these bearer tokens, one a line."
        ),
    ] = None,
    health: Annotated[
        str | None,
        typer.Option(
            "--health",
            metavar="HOST:PORT",
            help="Serve /healthz and /readyz on this address as well, without TLS.",
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", metavar="NAME", help="Store this cluster name for requests to /."
        ),
    ] = None,
    dead_letter: Annotated[
        Path | None,
        typer.Option(
            "--dead-letter",
            metavar="FILE",
            help="Write rejected records to this file. [default: new files in the store]",
            show_default=False,
        ),
    ] = None,
    keep_secrets: Annotated[
        bool,
        typer.Option("--keep-secrets", help="Store the values of secrets and tokens as they are."),
    ] = False,
    address_database: AddressDatabaseOption = None,
    spool: SpoolOption = None,
    spool_size: SpoolSizeOption = SPOOL_SIZE,
    print_kubeconfig: Annotated[
        bool,
        typer.Option("--print-kubeconfig", help="Print the API server's webhook file and exit."),
    ] = False,
    print_policy: Annotated[
        bool, typer.Option("--print-policy", help="Print an audit policy for hunts and exit.")
    ] = False,
    output: Annotated[
        Output | None,
        typer.Option(
            "--output",
            "-o",
            metavar=OUTPUTS,
            help="Also write the counts to stdout in this format at the end.",
        ),
    ] = None,
    metrics: MetricsOption = None,
    log_format: LogFormatOption = LogFormat.TEXT,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Receive audit events from API servers, as their webhook backend."""
    name = configuration().cluster if cluster is None else cluster
    if print_policy or print_kubeconfig:
        _print_api_server_side(
            listen, tls_cert, name, client_ca, token_file, print_policy=print_policy
        )
        return
    tls = _tls(tls_cert, tls_key, client_ca)
    tokens = _tokens(token_file, tls)
    from k8sidx.cli.telemetry.metrics import Shipping
    from k8sidx.cli.telemetry.server import telemetry
    from k8sidx.shipping.pipeline import ShipOptions
    from k8sidx.shipping.signals import Stop
    from k8sidx.shipping.spool.spool import Spool
    from k8sidx.shipping.webhook.app import WebhookApp
    from k8sidx.shipping.webhook.receiver import Receiver

    opened = open_chosen(store, create=True)
    options = ShipOptions(
        cluster=name,
        keep_secrets=keep_secrets,
        dead_letter=dead_letter,
        give_up_after=float("inf"),
        address_databases=address_databases(address_database, quiet=quiet),
    )
    notify = partial(print_message, quiet=quiet)
    with ExitStack() as stack:
        folder = spool or _default_spool(opened)
        spooled = stack.enter_context(Spool(folder, parse_size(spool_size)))
        app = WebhookApp(spooled, name, tokens, print_message)
        stack.callback(app.close)
        stop = stack.enter_context(Stop())
        server = stack.enter_context(_server(app, listen, health, tls, tokens))
        notify(
            f"{_started(listen, server.ports[0], tls, tokens, folder)}, the store "
            f"{shown_location(store)}"
        )
        shipping = Shipping(spooled, app.counters)
        receiver = Receiver(
            spooled, opened, options, stop, print_message, server.stop, shipping.update
        )
        stack.enter_context(telemetry(shipping, metrics, quiet=quiet))
        report = receiver.run()
    from k8sidx.show.render.ship_summary import shipped_lines, spool_lines

    counters = app.counters
    notify(
        f"{counters.bodies:,} bodies ({counters.bytes:,} bytes) received, {counters.refused:,} "
        f"refused with 503, {counters.incomplete:,} incomplete, {counters.unauthorized:,} "
        "without a valid token."
    )
    for line in shipped_lines(report):
        notify(line)
    for line in spool_lines(report):
        print_message(line)
    if output is not None:
        print_document(load_format(output).shipped(report))
    if report.spool and report.spool.entries:
        if report.failure:
            raise report.failure
        raise typer.Exit(EXIT_STORE)
    if report.rejected:
        raise typer.Exit(EXIT_REJECTED)


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> TlsFiles | None:
    _require_library()
    from k8sidx.shipping.webhook.server import TlsFiles

    if certificate is None:
        if key or client_ca:
            raise UsageError(
                "--tls-key and --client-ca are for TLS, and there is no --tls-cert.",
                remedy="Give --tls-cert as well.",
            )
        return None
    return TlsFiles(certificate, key or certificate.with_suffix(".key"), client_ca)


def _tokens(token_file: Path | None, tls: TlsFiles | None) -> TokenFile | None:
    from k8sidx.shipping.webhook.server import TokenFile

    if token_file is None:
        return None
    if tls is None:
        raise UsageError(
            "--token-file needs TLS: over plain http the API server leaves its token out, so that "
            "every body would be refused with 401 and lost.",
            remedy="Give --tls-cert and --tls-key, or leave --token-file out.",
        )
    return TokenFile(token_file)


def _require_library() -> None:
    try:
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "k8sidx serve needs an HTTP server, which is not installed.",
            remedy="Install it: pip install 'k8sidx[serve]'.",
        ) from error


def _server(
    app: WebhookApp,
    address: str,
    health: str | None,
    tls: TlsFiles | None,
    tokens: TokenFile | None,
) -> WebhookServer:
    from k8sidx.shipping.webhook.server import WebhookServer, listen

    context = None if tls is None else tls.context()
    listeners: list[tuple[socket, AsgiApp, SSLContext | None]] = [(listen(address), app, context)]
    if health is not None:
        listeners.append((listen(health), app.health_only, None))
    watched: list[tuple[list[Path], Callable[[], None]]] = []
    if tls is not None and context is not None:
        watched.append((tls.paths(), partial(tls.load, context)))
    if tokens is not None:
        watched.append((tokens.paths(), tokens.reload))
    return WebhookServer(listeners, watched, print_message)


def _default_spool(store: Store) -> Path:
    """Return the spool of a store: another address to listen on must not orphan it."""
    digest = hashlib.sha256("\n".join(store.state_key).encode()).hexdigest()
    return store.state_folder / f"serve-{digest[:16]}.spool"


def _started(
    address: str, port: int, tls: TlsFiles | None, tokens: TokenFile | None, spool: Path
) -> str:
    host = address.rpartition(":")[0] or "*"
    scheme = "http" if tls is None else "https"
    with_what = ["client certificates"] if tls and tls.client_ca else []
    with_what += ["bearer tokens"] if tokens else []
    access = (
        f" with {' and '.join(with_what)}" if with_what else ", open to everybody who reaches it"
    )
    return f"receiving audit events on {scheme}://{host}:{port}/{access}; the spool is {spool}"


def _print_api_server_side(
    address: str,
    certificate: Path | None,
    cluster: str,
    client_ca: Path | None,
    token_file: Path | None,
    *,
    print_policy: bool,
) -> None:
    from urllib.parse import quote

    from k8sidx.shipping.webhook.api_server import kubeconfig

    if print_policy:
        write_text(_audit_policy())
        return
    host, _, port = address.rpartition(":")
    path = f"/cluster/{quote(cluster, safe='')}" if cluster else "/"
    scheme = "https" if certificate else "http"
    text = kubeconfig(
        f"{scheme}://{host or 'localhost'}:{port}{path}",
        ca=Path("/etc/kubernetes/audit/ca.crt") if certificate else None,
        has_client_certificates=client_ca is not None,
        has_tokens=token_file is not None,
    )
    write_text(text)


def _audit_policy() -> str:
    """Return the policy that ``k8sidx policy print`` prints without further options."""
    from k8sidx.cli.selection import Selection, selected_hunts
    from k8sidx.hunt.policy.write import policy_for, policy_text
    from k8sidx.show.render.policy import policy_heading

    hunts = selected_hunts(Selection((), True, (), None))
    written = policy_for(hunts)
    return policy_text(written, policy_heading(len(hunts), written, None))
