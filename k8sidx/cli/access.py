"""``k8sidx access`` command: the rights that an actor used, as roles of RBAC."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.inputs import separate_inputs
from k8sidx.cli.investigation import investigating
from k8sidx.cli.options import (
    DebugOption,
    InputOption,
    QuietOption,
    SinceOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.output import write_text
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, takes_store
from k8sidx.errors import UsageError


class Manifest(StrEnum):
    """Formats of the manifests."""

    YAML = "yaml"
    JSON = "json"


NAME = "access"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx access alice\n"
    "  k8sidx access system:serviceaccount:ci:deployer --resource-names --name deployer -o json"
)


@ends_with_exit_code
@takes_store
def command(
    words: Annotated[
        list[str],
        typer.Argument(metavar="ACTOR", help="Name a user or NAMESPACE:NAME of a service account."),
    ],
    resource_names: Annotated[
        bool,
        typer.Option(
            "--resource-names", help="Restrict rules to the objects named, where they are few."
        ),
    ] = False,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Set the name of the roles.")
    ] = "used-rights",
    since: SinceOption = None,
    until: UntilOption = None,
    input_: InputOption = None,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: Annotated[
        Manifest, typer.Option("--output", "-o", metavar="yaml|json", help="Set the format.")
    ] = Manifest.YAML,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Print the rights that an actor used, as roles of RBAC."""
    from k8sidx.investigate.access import access_of
    from k8sidx.investigate.nearest import unknown_actor
    from k8sidx.investigate.selectors import full_name
    from k8sidx.show.render.escape import json_text
    from k8sidx.show.render.yaml import yaml_text

    texts, inputs = separate_inputs(words, input_ or [])
    if len(texts) != 1:
        raise UsageError(f"expected one actor, got {len(texts)}.")
    actor = full_name(texts[0])
    with investigating(store, inputs, (since, until), timeout, quiet=quiet) as investigation:
        access = access_of(
            investigation.engine, actor, investigation.period, name, with_names=resource_names
        )
        if not access.allowed and not access.denied:
            raise unknown_actor(investigation.engine, investigation.period, texts[0])
        if output is Manifest.JSON:
            listed = {"apiVersion": "v1", "kind": "List", "items": access.roles}
            write_text(json_text(listed) + "\n")
        else:
            write_text("---\n".join(yaml_text(role) for role in access.roles))
        if not access.roles:
            investigation.notice(f"{actor} used no right: every request was refused.")
        for request, events in sorted(access.denied.items()):
            investigation.notice(
                f"not included, since it was refused ({events:,} events): {request}"
            )
        investigation.notice("the rights are those of the events: a longer period may show more.")
        investigation.print_scope()
