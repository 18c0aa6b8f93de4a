"""Manifests of ``deploy/``: commands that exist, pods that Pod Security admits, files that fit."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import typer
import yaml
from packaging.requirements import Requirement

from k8sidx.backends.open import open_store
from k8sidx.cli import app
from k8sidx.errors import UsageError
from tests.deploy.manifests import (
    CHART,
    DEPLOY,
    EVERYTHING,
    FOR_VERSION,
    KUSTOMIZE,
    ROOT,
    UNITS,
    VERSION,
    Command,
    commands_of,
    compose_commands,
    documents,
    pod_specs,
    rendered,
    unit_commands,
)
from tests.servers.emulators import HELM, NoEmulator, go_tool

KUSTOMIZED = [one for path in KUSTOMIZE for one in documents(path.read_text("utf-8"))]


def assert_valid(command: Command) -> None:
    """Parse the arguments as the command line does; values are not looked at."""
    group = typer.main.get_command(app)
    context = click.Context(group)  # type: ignore[arg-type]
    arguments = list(command.arguments)
    while hasattr(group, "commands"):
        name = arguments.pop(0)
        assert name in group.commands, f"{command.origin}: there is no command {name}"
        group = group.commands[name]
    options = {text for parameter in group.params for text in parameter.opts}
    given = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    assert set(given) <= options, f"{command.origin}: {set(given) - options}"
    group.make_parser(context).parse_args(arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "command",
    [*commands_of("kustomize", KUSTOMIZED), *unit_commands(), *compose_commands()],
    ids=lambda command: f"{command.origin}-{command.arguments[0]}",
)
def test_command_of_a_manifest_exists_with_its_options(command: Command) -> None:
    assert_valid(command)


def test_commands_of_the_chart_exist_with_their_options() -> None:
    commands = commands_of("chart", rendered(EVERYTHING))
    assert sorted(command.arguments[0] for command in commands) == [
        "report",
        "serve",
        "ship",
        "watch",
    ]
    for command in commands:
        assert_valid(command)


def assert_hardened(pod: dict[str, Any]) -> None:
    """Check what Pod Security's restricted level requires, save for the folders of the follower."""
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["requests"] and container["resources"]["limits"]["memory"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    follows = "--follow" in container["args"]
    assert follows or pod["securityContext"]["runAsNonRoot"] is True
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert all(mount["name"] in volumes for mount in container["volumeMounts"]
               if container["args"][0] != "serve" or mount["name"] != "spool")  # fmt: skip
    assert follows or not any("hostPath" in volume for volume in pod["volumes"])
    assert not any("PASSWORD" in entry["name"] and "value" in entry
                   for entry in container.get("env", ()))  # fmt: skip


def test_pods_of_the_kustomize_bases_are_hardened() -> None:
    pods = [pod for document in KUSTOMIZED for pod in pod_specs(document)]
    assert len(pods) == 4
    for pod in pods:
        assert_hardened(pod)


def test_pods_of_the_chart_are_hardened() -> None:
    pods = [pod for document in rendered(EVERYTHING) for pod in pod_specs(document)]
    assert len(pods) == 4
    for pod in pods:
        assert_hardened(pod)


def test_helm_accepts_the_chart_and_refuses_it_without_a_store() -> None:
    try:
        helm = str(go_tool(HELM))
    except NoEmulator as error:
        pytest.skip(str(error))
    lint = [helm, "lint", "--strict", str(CHART), *FOR_VERSION, "--set", EVERYTHING]
    done = subprocess.run(lint, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    bare = subprocess.run(
        [helm, "template", str(CHART), *FOR_VERSION], capture_output=True, text=True, check=False
    )
    assert "store.url is required" in bare.stderr
    inline = [helm, "template", str(CHART), *FOR_VERSION]
    inline += ["--set", "store.url=https://user:secret@host:9200"]
    refused = subprocess.run(inline, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "at '/store/url'" in refused.stderr


def assert_conforms(document: dict[str, Any]) -> None:
    """Check an object strictly against the schema of Kubernetes' OpenAPI."""
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_objects_of_the_kustomize_bases_conform_to_the_schemas() -> None:
    for document in KUSTOMIZED:
        if document["kind"] != "Kustomization":
            assert_conforms(document)


def test_objects_of_the_chart_conform_to_the_schemas() -> None:
    for document in rendered(EVERYTHING):
        assert_conforms(document)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze here")
    program = tmp_path / "k8sidx"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in [*UNITS, *DEPLOY.glob("systemd/*.timer")]:
        text = unit.read_text("utf-8").replace("/usr/local/bin/k8sidx", str(program))
        (tmp_path / unit.name).write_text(text, "utf-8")
    units = sorted(str(path) for path in tmp_path.glob("k8sidx-*"))
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert not complaints, done.stderr


def test_every_folder_of_kustomize_names_its_files() -> None:
    for path in DEPLOY.glob("kustomize/*/kustomization.yaml"):
        named = yaml.safe_load(path.read_text("utf-8"))["resources"]
        others = {other.name for other in path.parent.glob("*.yaml")} - {path.name}
        assert set(named) == others


def test_image_has_a_pinned_version_of_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = {
        line.partition("==")[0].lower().replace("_", "-"): line.partition("==")[2]
        for line in (DEPLOY / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    extras = re.search(r"ARG EXTRAS=(\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"))
    assert extras is not None
    wanted = list(project["dependencies"])
    for extra in extras[1].split(","):
        wanted += project["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pinned[requirement.name]), requirement


def test_embedded_store_without_its_packages_is_an_error_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the image for shipping."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pyarrow") as raised:
        open_store(str(tmp_path / "store"), create=True)
    assert "pip install k8sidx" in raised.value.remedy


def test_table_of_extras_names_each_of_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    named = set(re.findall(r"^\| `([a-z]+)` \| .* \| .* \| \d+ \|$", text, re.MULTILINE))
    assert named == set(project["optional-dependencies"]) - {"dev"}


def test_versions_of_images_and_chart_are_the_package_s() -> None:
    from k8sidx import __version__

    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["version"] == chart["appVersion"] == __version__
    images = {pod["containers"][0]["image"] for one in KUSTOMIZED for pod in pod_specs(one)}
    assert images == {f"ghcr.io/k8sidx/k8sidx:{__version__}"}


def test_workflow_publishes_on_tags_alone() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert set(workflow["jobs"]) == {"wheels", "source", "image", "publish"}
    assert workflow["jobs"]["publish"]["if"] == "github.event_name == 'push'"
    assert workflow[True]["push"] == {"tags": ["v[0-9]+.[0-9]+.[0-9]+*"]}
    targets = workflow["jobs"]["image"]["strategy"]["matrix"]["target"]
    stages = re.findall(r"^FROM \S+ AS (\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"), re.M)
    assert set(targets) <= set(stages)
