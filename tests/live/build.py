"""Build of kube-apiserver, kubectl and etcd from their Go modules, once.

The module in ``kube/`` pins every dependency as Kubernetes was released with. Binaries are kept in
the cache of the test servers, under the digest of the module.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.servers.artifacts import cache_folder

MODULE = Path(__file__).parent / "kube"
PROGRAMS = {
    "etcd": "./etcd",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
}
_VERSIONS = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


class CannotBuild(Exception):
    """The programs cannot be built here; the message says why."""


def binaries() -> Path:
    """Return the folder of the programs, which are built where they are missing.

    :raises CannotBuild: without Go, or when a module cannot be downloaded.
    """
    folder = cache_folder() / f"kube-{_digest()}"
    missing = [name for name in PROGRAMS if not (folder / name).exists()]
    if not missing:
        return folder
    if shutil.which("go") is None:
        raise CannotBuild("there is no go on PATH")
    for name in missing:
        print(f"building {name} (once; kube-apiserver takes minutes) …", flush=True)
        _build(name, folder)
    return folder


def _build(name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"v{_kubernetes()}"
    major, minor, _ = stamp.removeprefix("v").split(".")
    values = {"gitVersion": stamp, "gitMajor": major, "gitMinor": minor}
    flags = "-s -w " + " ".join(
        f"-X {package}.{key}={value}" for package in _VERSIONS for key, value in values.items()
    )
    aside = folder / f"{name}.{os.getpid()}"
    command = ["go", "build", "-p", "2", "-trimpath", "-ldflags", flags, "-o", str(aside)]
    settings = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod -buildvcs=false", "CGO_ENABLED": "0"}
    made = subprocess.run(
        ["nice", "-n", "5", *command, PROGRAMS[name]],
        cwd=MODULE,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise CannotBuild(f"go build of {name} failed: {made.stderr.strip()[-500:]}")
    aside.replace(folder / name)


def _kubernetes() -> str:
    """Return the version of Kubernetes that the module pins."""
    for line in (MODULE / "go.mod").read_text("utf-8").splitlines():
        name, _, version = line.strip().partition(" ")
        if name == "k8s.io/kubernetes":
            return version.removeprefix("v")
    raise CannotBuild("go.mod does not pin k8s.io/kubernetes")


def _digest() -> str:
    content = b"".join(
        path.read_bytes() for path in (MODULE / "go.mod", MODULE / "etcd" / "main.go")
    )
    return hashlib.sha256(content).hexdigest()[:12]
