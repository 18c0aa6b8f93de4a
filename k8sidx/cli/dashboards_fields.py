"""Fields of the indices that dashboards are exported for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8sidx.cli.options import configuration
from k8sidx.cli.output import print_message
from k8sidx.cli.store import StoreChoice, connection_settings
from k8sidx.errors import K8sidxError, StoreError

if TYPE_CHECKING:
    from k8sidx.show.panels.panel import Dashboard
    from k8sidx.show.savedobjects.adapt import Adapted
    from k8sidx.show.savedobjects.identifiers import Names
    from k8sidx.show.savedobjects.index_fields import IndexFields

_REASONS = 3


def over_index(
    selected: Sequence[Dashboard], index: str, store: StoreChoice, *, verbose: bool, quiet: bool
) -> tuple[Sequence[Dashboard], Names]:
    """Return the dashboards that the fields of the indices allow, and the names of their objects.

    The indices are looked at when the store is a cluster. One that only the configuration names may
    not be meant for this command: its errors are printed then.

    :raises StoreError: when the indices have no audit events that can be searched, or of several
        shapes, or no panel is left.
    """
    from k8sidx.backends.cluster.index.target import parse_target
    from k8sidx.show.savedobjects.adapt import adapt
    from k8sidx.show.savedobjects.identifiers import Names

    target = parse_target(index)
    fields = _fields(index, store)
    if fields is None:
        if target.is_pattern:
            print_message(
                f"The panels are over k8sidx's own fields, since {index} was not looked at; "
                "--store URL looks at its fields.",
                quiet=quiet,
            )
        return selected, Names(index)
    if fields.mapped is None:
        return selected, Names(index)
    adapted = adapt(selected, fields)
    _print_adapted(adapted, index, verbose=verbose, quiet=quiet)
    if adapted.panels and adapted.panels == len(adapted.left_out):
        raise StoreError(
            f"{index} has the fields of none of the panels.",
            remedy="Import its events with k8sidx ship 'URL/INDEX' first.",
        )
    return adapted.dashboards, Names(index, fields)


def _fields(index: str, store: StoreChoice) -> IndexFields | None:
    """Return the fields of the indices; ``None`` without a cluster, or without such indices."""
    from k8sidx.backends.cluster.store import ClusterStore
    from k8sidx.backends.connection import ClusterOptions
    from k8sidx.backends.open import is_cluster, open_store
    from k8sidx.show.savedobjects.index_fields import read_fields

    configured = configuration()
    location = store.store or configured.store or ""
    if not is_cluster(location):
        return None
    try:
        options = ClusterOptions(index, connection_settings(store, configured))
        opened = open_store(location, create=True, cluster=lambda: options)
        if not isinstance(opened, ClusterStore):
            return None
        fields = read_fields(opened.cluster, opened.pattern)
    except K8sidxError as error:
        if store.store is not None:
            raise
        print_message(f"The indices were not looked at: {error.message}")
        return None
    if fields is None:
        print_message(f"There is no index {index} yet: the panels are over k8sidx's own fields.")
    return fields


def _print_adapted(adapted: Adapted, index: str, *, verbose: bool, quiet: bool) -> None:
    from k8sidx.show.render.sheet import quantity

    if adapted.left_out:
        reasons = Counter(reason.rstrip(".") for _, reason in adapted.left_out)
        because = "; ".join(reason for reason, _ in reasons.most_common(_REASONS))
        print_message(
            f"{len(adapted.left_out):,} of {quantity(adapted.panels, 'panel')} left out: {because}."
            f"{'' if verbose else ' -v lists them.'}"
        )
    if adapted.replaced:
        panels = len({panel for panel, _ in adapted.replaced})
        print_message(
            f"{quantity(panels, 'panel')} with other fields of {index} than usual"
            f"{'' if verbose else ' (-v lists them)'}.",
            quiet=quiet,
        )
    if verbose:
        for panel, reason in adapted.left_out:
            print_message(f"  left out: {panel}: {reason}")
        for panel, text in adapted.replaced:
            print_message(f"  {panel}: {text}")
