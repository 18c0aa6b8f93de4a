"""Build hook: the native core, where cargo is found.

Without cargo, or when the build fails, k8sidx is installed without the core: everything works,
slower. With ``CI=true`` a build that fails ends the installation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

MODULE = "k8sidx/_core.abi3.so"
"""The core in the package: one file for all versions of Python from 3.11 on."""
LIBRARY = {"darwin": "lib_core.dylib"}.get(sys.platform, "lib_core.so")


class CoreBuildHook(BuildHookInterface[Any]):
    """Builds the core, and makes the wheel one for this platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the core to a wheel or an editable installation."""
        if self.target_name != "wheel" or not self._build():
            return
        build_data["artifacts"].append(MODULE)
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{next(sys_tags()).platform}"

    def _build(self) -> bool:
        if os.environ.get("K8SIDX_CORE") == "python":
            return False
        cargo = shutil.which("cargo")
        if cargo is None:
            self.app.display_warning("cargo is not there: k8sidx runs without its native core")
            return False
        core = Path(self.root) / "core"
        target = Path(os.environ.get("CARGO_TARGET_DIR", core / "target"))
        command = [cargo, "build", "--release", "--locked", "--quiet"]
        try:
            subprocess.run(command, cwd=core, check=True)  # noqa: S603 - no input of others
            # Replaced, not written over: a process may have it loaded.
            built, module = target / "release" / LIBRARY, Path(self.root) / MODULE
            aside = module.with_suffix(".new")
            shutil.copyfile(built, aside)
            aside.replace(module)
        except (OSError, subprocess.CalledProcessError) as error:
            if os.environ.get("CI") == "true":
                raise
            self.app.display_warning(
                f"the native core cannot be built ({error}): k8sidx runs without it"
            )
            return False
        return True
