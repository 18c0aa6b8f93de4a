"""Manifests of ``deploy/``: the containers and units in them, and what Helm makes of the chart."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.servers.emulators import HELM, NoEmulator, go_tool

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "k8sidx"
KUSTOMIZE = sorted(DEPLOY.glob("kustomize/*/*.yaml"))
UNITS = sorted(DEPLOY.glob("systemd/*.service"))

VERSION = "1.34"
"""Of Kubernetes, whose schemas kubernetes-validate has: kubeconform would fetch them."""
FOR_VERSION = ("--kube-version", VERSION)
"""For Helm: one that is built from its module alone takes every cluster for v1.20."""

EVERYTHING = (
    "store.url=https://search.example.com:9200,store.credentialsSecret=c,store.useApiKey=true,"
    "store.caSecret=ca,cluster=prod,serve.enabled=true,serve.tlsSecret=tls,"
    "serve.clientCaSecret=client,serve.tokenSecret=tokens,report.enabled=true,"
    "watch.enabled=true,watch.configSecret=config,watch.notify[0]=soc,"
    "namespace.create=true,openshift.enabled=true"
)
"""Values that make every template yield something."""


class Command(NamedTuple):
    """A command of k8sidx in a manifest."""

    origin: str
    arguments: list[str]


def documents(text: str) -> list[dict[str, Any]]:
    """Return the documents of a YAML text."""
    return [one for one in yaml.safe_load_all(text) if one]


@cache
def rendered(values: str) -> list[dict[str, Any]]:
    """Return what Helm makes of the chart; a test ends here without Helm."""
    try:
        helm = go_tool(HELM)
    except NoEmulator as error:
        pytest.skip(str(error))
    command = [str(helm), "template", "k8sidx", str(CHART), "--namespace", "audit"]
    command += [*FOR_VERSION, "--set", values]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return documents(made.stdout)


def pod_specs(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the specifications of pods in a document."""
    if isinstance(document, dict):
        if "containers" in document:
            yield document
        for value in document.values():
            yield from pod_specs(value)
    elif isinstance(document, list):
        for value in document:
            yield from pod_specs(value)


def commands_of(origin: str, found: list[dict[str, Any]]) -> list[Command]:
    """Return the commands of all containers."""
    return [
        Command(origin, container["args"])
        for document in found
        for pod in pod_specs(document)
        for container in pod["containers"]
    ]


def unit_commands() -> list[Command]:
    """Return the commands of the systemd units."""
    commands = []
    for unit in UNITS:
        (line,) = [
            line for line in unit.read_text("utf-8").splitlines() if line.startswith("ExecStart=")
        ]
        words = shlex.split(line.partition("=")[2])
        assert words[0] == "/usr/local/bin/k8sidx"
        commands.append(Command(unit.name, words[1:]))
    return commands


def compose_commands() -> list[Command]:
    """Return the commands of the services that run k8sidx."""
    services = yaml.safe_load((DEPLOY / "compose/docker-compose.yml").read_text("utf-8"))[
        "services"
    ]
    return [
        Command(name, [str(word) for word in service["command"]])
        for name, service in services.items()
        if service.get("command")
    ]
