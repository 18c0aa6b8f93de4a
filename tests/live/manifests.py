"""The chart and the kustomize bases, as a real API server admits them.

``kubectl apply --dry-run=server`` runs defaulting, strict validation and admission. Admission
judges workloads with warnings alone, so the pod of each workload is sent as well, into the
namespace with the Pod Security labels that the manifests give it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.manifests import EVERYTHING, KUSTOMIZE, documents, rendered
from tests.live.control_plane import ControlPlane

CHARTS = {
    "chart": EVERYTHING,
    "chart without the follower": f"{EVERYTHING},follow.enabled=false",
}
"""Values by name: with the follower the namespace is privileged, without it restricted."""
_FIRST = ("Namespace", "ServiceAccount")


def refusals(plane: ControlPlane, folder: Path) -> Iterator[tuple[str, int, list[str]]]:
    """Yield each set of manifests with its number of objects and what was refused or warned of."""
    for name, values in CHARTS.items():
        yield name, *_dry_run(plane, folder, rendered(values))
    for base in sorted({path.parent for path in KUSTOMIZE}):
        built = plane.kubectl("kustomize", str(base)).stdout
        yield f"kustomize {base.name}", *_dry_run(plane, folder, documents(built))


def _dry_run(
    plane: ControlPlane, folder: Path, objects: Sequence[dict[str, Any]]
) -> tuple[int, list[str]]:
    first = [each for each in objects if each["kind"] in _FIRST]
    pods = [pod for each in objects for pod in _pods(each)]
    refused = _apply(plane, folder, first)
    refused += _apply(plane, folder, [*objects, *pods], "--dry-run=server")
    return len(objects) + len(pods), refused


def _apply(
    plane: ControlPlane, folder: Path, objects: Sequence[dict[str, Any]], *options: str
) -> list[str]:
    """Return what is printed about objects that are not accepted without a warning."""
    path = folder / "manifests.yaml"
    path.write_text(yaml.safe_dump_all(objects), "utf-8")
    done = plane.kubectl("apply", "--filename", str(path), *options, check=False)
    refused = [line for line in done.stderr.splitlines() if line.strip()]
    accepted = len(done.stdout.splitlines())
    if accepted != len(objects):
        refused.append(f"{accepted} of {len(objects)} objects accepted")
    return refused


def _pods(workload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    spec = workload.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    if template is None:
        return
    claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())]
    volumes = [{"name": name, "emptyDir": {}} for name in claims]
    metadata = {key: workload["metadata"][key] for key in ("name", "namespace")}
    yield {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], **metadata},
        "spec": {**template["spec"], "volumes": [*template["spec"]["volumes"], *volumes]},
    }
