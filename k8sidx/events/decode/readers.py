"""Registry of envelope readers."""

from __future__ import annotations

from k8sidx.events.decode.envelope import Reader
from k8sidx.events.decode.providers import (
    aks,
    apiserver,
    dead_letter,
    eks,
    gke,
    openshift,
    shippers,
)

READERS: tuple[Reader, ...] = (
    dead_letter.READER,
    shippers.LOOKALIKES,
    apiserver.EVENTS,
    apiserver.LISTS,
    eks.READER,
    gke.READER,
    aks.READER,
    openshift.READER,
    shippers.READER,
)
"""In the order in which they are tried: the first to return parts reads the record."""
