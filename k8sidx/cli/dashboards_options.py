"""Options of the ``k8sidx dashboards`` commands."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from k8sidx.show.panels.panel import Dashboard


class FlavorChoice(StrEnum):
    """Product and saved-object format."""

    OPENSEARCH = "opensearch"
    KIBANA = "kibana"
    KIBANA_8 = "kibana-8"


FlavorOption = Annotated[
    FlavorChoice,
    typer.Option(
        "--flavor",
        metavar="opensearch|kibana|kibana-8",
        help="Target OpenSearch Dashboards 2 and 3, Kibana 9 (Lens) or Kibana 8 (classic).",
    ),
]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID", help="Select dashboards by id. [default: all]", show_default=False
    ),
]
IndexOption = Annotated[
    str,
    typer.Option(
        "--index",
        envvar="K8SIDX_INDEX",
        metavar="INDEX",
        help="Use the indices with this prefix or pattern.",
    ),
]
DEFAULT_INDEX = "k8s-audit"
"""Equal to :data:`k8sidx.backends.cluster.index.target.DEFAULT_INDEX`."""
VerboseOption = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="List panels that an index of others lacks fields for."),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Look at the fields of the indices in this cluster.",
        show_default=False,
    ),
]
DetectedFlavorOption = Annotated[
    FlavorChoice | None,
    typer.Option(
        "--flavor",
        metavar="opensearch|kibana|kibana-8",
        help="Expect this product, also where it hides its version. [default: detected]",
        show_default=False,
    ),
]
UrlOption = Annotated[
    str,
    typer.Option(
        "--url", metavar="URL", help="Connect to OpenSearch Dashboards or Kibana at this URL."
    ),
]
SpaceOption = Annotated[str, typer.Option("--space", metavar="NAME", help="Use this Kibana space.")]
TenantOption = Annotated[
    str,
    typer.Option("--tenant", metavar="NAME", help="Use this OpenSearch Dashboards tenant."),
]
ApiKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--api-key-file",
        metavar="FILE",
        help="Read the API key from this file.",
        show_default=False,
    ),
]
CaCertOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-cert",
        metavar="FILE",
        help="Trust these CA certificates (PEM) instead of the system's.",
        show_default=False,
    ),
]


def chosen_dashboards(names: list[str] | None) -> list[Dashboard]:
    from k8sidx.show.panels.library import dashboards

    every = {page.id: page for page in dashboards()}
    unknown = [name for name in names or [] if name not in every]
    if unknown:
        raise UsageError(
            f"no dashboard is named {unknown[0]!r}.", remedy=f"There are: {', '.join(every)}."
        )
    return [every[name] for name in names] if names else list(every.values())
