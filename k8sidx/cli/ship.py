"""``k8sidx ship`` command: store audit logs."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from k8sidx.cli import progress
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
from k8sidx.cli.output import LogFormat, print_document, print_message
from k8sidx.cli.places import address_databases
from k8sidx.cli.size import parse_size
from k8sidx.cli.store import (
    AS_CONFIGURED,
    StoreChoice,
    connection_settings,
    open_chosen,
    shown_location,
    takes_store,
)
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import Output, load_format

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from k8sidx.backends.documents import DocumentShard
    from k8sidx.backends.store import Store
    from k8sidx.cli.telemetry.metrics import Shipping
    from k8sidx.events.audit_policy import AuditPolicy
    from k8sidx.shipping.pipeline import ShipProgress, ShipReport
    from k8sidx.shipping.state import State

NAME = "ship"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx ship audit.log --cluster production\n"
    "  zcat audit.log.gz | k8sidx ship -\n"
    "  k8sidx ship --follow '/var/log/kubernetes/audit/*.log' --cluster production"
)
FORMATS = ("auto", "apiserver", "eks", "gke", "aks", "openshift", "rancher", "shipper")
"""Equal to :data:`k8sidx.events.decode.envelope.FORMATS`, which is slow to import."""
GIVE_UP_SECONDS = 900.0


@ends_with_exit_code
@takes_store
def command(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Read these files, globs, folders or cloud addresses; - for stdin.",
            show_default=False,
        ),
    ],
    store: StoreChoice = AS_CONFIGURED,
    format_: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help=f"Input format: {', '.join(FORMATS)}."),
    ] = "auto",
    dead_letter: Annotated[
        Path | None,
        typer.Option(
            "--dead-letter",
            metavar="FILE",
            help="Write rejected records to this file. [default: a new file in the store]",
            show_default=False,
        ),
    ] = None,
    keep_secrets: Annotated[
        bool,
        typer.Option("--keep-secrets", help="Store the values of secrets and tokens as they are."),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="NAME", help="Store this cluster name with the events."),
    ] = None,
    max_record_size: Annotated[
        str,
        typer.Option("--max-record-size", metavar="SIZE", help="Reject records longer than this."),
    ] = "32MiB",
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            "-f",
            help="Keep reading the inputs as they grow and rotate, until interrupted.",
        ),
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="FILE",
            help="Save each input's position in this file and resume from it. "
            "[default: with --follow, a file in the store or below ~/.local/state]",
            show_default=False,
        ),
    ] = None,
    spool: SpoolOption = None,
    spool_size: SpoolSizeOption = SPOOL_SIZE,
    give_up_after: Annotated[
        str | None,
        typer.Option(
            "--give-up-after",
            metavar="SPAN",
            help="Give up after the cluster has accepted nothing for this long. "
            "[default: 15m, with --follow never]",
            show_default=False,
        ),
    ] = None,
    relabel: Annotated[
        bool,
        typer.Option(
            "--relabel",
            help="Also give events that are stored already the name of --cluster.",
        ),
    ] = False,
    drop: Annotated[
        Path | None,
        typer.Option(
            "--drop",
            metavar="POLICY.yaml",
            help="Leave out the events that this audit policy does not log, and count them.",
            show_default=False,
        ),
    ] = None,
    address_database: AddressDatabaseOption = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Reject what would be skipped as not an audit event."),
    ] = False,
    output: Annotated[
        Output | None,
        typer.Option(
            "--output",
            "-o",
            metavar=OUTPUTS,
            help="Also write the counts to stdout in this format.",
        ),
    ] = None,
    metrics: MetricsOption = None,
    log_format: LogFormatOption = LogFormat.TEXT,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Store audit events, each exactly once even if shipped twice."""
    from k8sidx.cli.telemetry.metrics import Shipping
    from k8sidx.cli.telemetry.server import telemetry
    from k8sidx.events.core import choice
    from k8sidx.shipping.pipeline import ShipOptions, check_relabel, ship
    from k8sidx.shipping.signals import Stop
    from k8sidx.shipping.spool.spool import Spool
    from k8sidx.shipping.state import State, default_state

    options = ShipOptions(
        cluster=configuration().cluster if cluster is None else cluster,
        format=format_,
        keep_secrets=keep_secrets,
        dead_letter=dead_letter,
        record_limit=parse_size(max_record_size),
        give_up_after=_give_up_seconds(give_up_after, follow=follow),
        follow=follow,
        strict=strict,
        relabel=relabel,
        drop=_policy(drop, quiet=quiet),
        address_databases=address_databases(address_database, quiet=quiet),
    )
    check_relabel(options, resumes=state is not None or spool is not None)
    if metrics is not None and not follow:
        raise UsageError("--metrics is for runs that do not end.", remedy="Add --follow.")
    opened = open_chosen(store, create=True)
    inputs, documents = _documents(inputs, store, follow=follow or spool is not None)
    resumable = default_state(inputs, opened)
    if state is None and follow and any(name != "-" for name in inputs):
        state = resumable
    beside = state or (resumable if follow else None)
    spool_folder = spool or (beside and beside.with_name(f"{beside.name}.spool"))
    notify = partial(print_message, quiet=quiet)
    if debug:
        core = choice()
        print_message(f"core: {core.name} ({core.reason})")
    with (
        nullcontext() if state is None else State(state) as kept,
        nullcontext()
        if spool_folder is None
        else Spool(spool_folder, parse_size(spool_size), create=spool is not None) as spooled,
        Stop() as stop,
        progress.shipping(quiet=quiet) as on_progress,
        ExitStack() as stack,
    ):
        shipping = Shipping(spooled)
        if follow:
            notify(_started(inputs, shown_location(store), kept, spool_folder))
            stack.enter_context(telemetry(shipping, metrics, quiet=quiet))
        report = ship(
            inputs,
            opened,
            options,
            partial(_progressed, shipping, on_progress),
            partial(_waiting, shipping, notify),
            stop=stop,
            state=kept,
            spool=spooled,
            documents=documents,
        )
    if report.read or not stop.signal or (report.spool and report.spool.entries):
        _print_report(report, output, quiet=quiet)
    if options.cluster and not relabel and report.duplicates and not report.failure:
        _print_other_clusters(opened, options.cluster, report.duplicates)
    if report.failure:
        raise report.failure
    if report.spool and report.spool.entries:
        raise typer.Exit(EXIT_STORE)
    if stop.signal and not (follow and stop.signal is Signals.SIGTERM):
        _stopped(stop.signal)
    if report.rejected or report.not_understood:
        raise typer.Exit(EXIT_REJECTED)


def _progressed(
    shipping: Shipping, show: Callable[[ShipProgress], None] | None, progress: ShipProgress
) -> None:
    shipping.update(progress)
    if show is not None:
        show(progress)


def _waiting(shipping: Shipping, notify: Callable[[str], None], line: str) -> None:
    shipping.waiting()
    notify(line)


def _started(inputs: Sequence[str], store: str, state: State | None, spool: Path | None) -> str:
    """Return the line on what is followed, from where, and where to."""
    from k8sidx.show.render.sheet import quantity

    known = len(state.register.items()) if state is not None else 0
    if state is None:
        where = "from now"
    elif known:
        where = f"from the positions of {quantity(known, 'file')} in {state.path}"
    else:
        where = "from the beginning"
    return (
        f"following {', '.join(inputs)} {where} into {store}"
        f"{f'; the spool is {spool}' if spool else ''}"
    )


def _print_other_clusters(store: Store, name: str, duplicates: int) -> None:
    """Print that events which were stored before keep the cluster that they were stored with."""
    from k8sidx.hunt.events_judged import events_judged

    with store.engine() as engine:
        others = [
            other for other in events_judged(engine, None, None).cluster_names if other != name
        ]
    if others:
        print_message(
            f"duplicates ({duplicates:,}) keep the cluster name that they were stored with: "
            f"--cluster {name} does not change it, --relabel does. The store also has events of: "
            f"{', '.join(others)}."
        )


def _policy(path: Path | None, *, quiet: bool) -> AuditPolicy | None:
    """Return the policy of ``--drop``, and print which hunts go blind by it."""
    if path is None:
        return None
    from k8sidx.cli.selection import Selection, selected_hunts
    from k8sidx.events.audit_policy import read_policy
    from k8sidx.hunt.policy.blind import only_dropping, sights
    from k8sidx.show.render.policy import dropping_lines

    policy = read_policy(path)
    hunts = selected_hunts(Selection((), True, (), None))
    for line in dropping_lines(sights(only_dropping(policy), hunts), str(path)):
        print_message(line, quiet=quiet)
    return policy


def _documents(
    inputs: Sequence[str], store: StoreChoice, *, follow: bool
) -> tuple[list[str], dict[str, Sequence[DocumentShard]]]:
    """Return the inputs that are files, and the indices that the others name.

    :param follow: the inputs have to stay readable, as indices do not.
    :raises UsageError: for an address without an index, or with ``--follow`` or ``--spool``.
    """
    from k8sidx.backends.open import is_cluster, open_documents

    addresses = [name for name in inputs if is_cluster(name)]
    if addresses and follow:
        raise UsageError(
            "an index is read once, without --follow and --spool.",
            remedy="Run the command with --state FILE again and again: it reads what is new.",
        )
    settings = connection_settings(store, configuration()) if addresses else None
    documents: dict[str, Sequence[DocumentShard]] = {}
    for address in addresses:
        if settings is not None:
            shards = open_documents(address, settings)
            documents[shards[0].name.rpartition("/")[0] + "/" + address.rpartition("/")[2]] = shards
    return [name for name in inputs if name not in addresses], documents


def _give_up_seconds(give_up_after: str | None, *, follow: bool) -> float:
    """Return the seconds to wait for a cluster that accepts nothing."""
    from k8sidx.query.durations import parse_span

    if give_up_after is None:
        return float("inf") if follow else GIVE_UP_SECONDS
    return parse_span(give_up_after).total_seconds()


def _stopped(by: Signals) -> NoReturn:
    """Exit with the signal's code; everything read has been stored."""
    print_message(f"k8sidx: interrupted by {'Ctrl-C' if by is Signals.SIGINT else by.name}.")
    raise typer.Exit(128 + by)


def _print_report(report: ShipReport, output: Output | None, *, quiet: bool) -> None:
    from k8sidx.show.render.ship_summary import (
        not_understood_lines,
        shipped_lines,
        spool_lines,
    )

    for line in shipped_lines(report):
        print_message(line, quiet=quiet)
    for line in [*not_understood_lines(report), *spool_lines(report)]:
        print_message(line)
    if output is not None:
        print_document(load_format(output).shipped(report))
