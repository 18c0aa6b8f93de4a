"""Activity streams: every creation and deletion that took place."""

from __future__ import annotations

from tests.building import event
from tests.hunt.library.cases import Pair, pair
from tests.hunt.library.workloads import dry

STREAMS = {
    "deployment": "deployments",
    "service": "services",
    "configmap": "configmaps",
    "namespace": "namespaces",
    "serviceaccount": "serviceaccounts",
    "role": "roles",
    "clusterrole": "clusterroles",
    "rolebinding": "rolebindings",
    "clusterrolebinding": "clusterrolebindings",
    "secret": "secrets",
}


def created(resource: str) -> Pair:
    return pair(
        [event("create", resource, name="one", code=201)],
        [
            event("create", resource, name="one", code=409),
            event("patch", resource, name="one"),
            event("delete", resource, name="one"),
            event("create", resource, name="one", subresource="token"),
            dry(event("create", resource, name="one")),
        ],
    )


def deleted(resource: str) -> Pair:
    return pair(
        [event("delete", resource, name="one")],
        [
            event("delete", resource, name="one", code=404),
            event("create", resource, name="one"),
            event("deletecollection", resource),
        ],
    )


PAIRS = {
    **{f"activity_{kind}_created": created(resource) for kind, resource in STREAMS.items()},
    **{f"activity_{kind}_deleted": deleted(resource) for kind, resource in STREAMS.items()},
}
