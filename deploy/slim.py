"""Files of installed packages that no program needs: their tests, headers and stubs.

``python deploy/slim.py FOLDER`` removes them from a folder of ``pip install --target``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

FOLDERS = ("tests", "test", "include", "__pycache__")
SUFFIXES = (".pyi", ".pxd", ".pyx", ".c", ".h", ".hpp", ".cpp", ".a")
UNUSED = (
    "bin",
    "botocore/data/*/*/examples-1.json",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_substrait*",
    "pyarrow/_flight*",
    "pyarrow/_substrait*",
    "pyarrow/src",
    "grpc*",
    "opensearch_protobufs*",
    "opensearch/protobufs",
    "zstandard/_cffi*",
)
"""Parts of a package that k8sidx does not import."""
AWS_SERVICES = ("logs", "s3", "sqs", "sso", "sso-oidc", "sts", "signin")
"""Services of AWS that k8sidx, or the search for credentials, requests."""


def slim(folder: Path) -> int:
    """Remove what no program needs.

    :returns: bytes that are left.
    """
    for pattern in UNUSED:
        for path in list(folder.glob(pattern)):
            _remove(path)
    data = folder / "botocore" / "data"
    for service in list(data.glob("*")) if data.is_dir() else ():
        if service.is_dir() and service.name not in AWS_SERVICES:
            _remove(service)
    for path in sorted(folder.rglob("*")):
        if path.name in FOLDERS if path.is_dir() else path.suffix in SUFFIXES:
            _remove(path)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.stdout.write(f"{slim(Path(sys.argv[1])) / 1e6:,.0f} MB\n")
