"""Fixtures of the sources."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8sidx.shipping.sources.files import partial_lines


@pytest.fixture(scope="module")
def short_docker_parts() -> Iterator[None]:
    """Let the parts of Docker's lines be as short as those of a test."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(f"{partial_lines.__name__}.DOCKER_PART_BYTES", 1)
        yield
