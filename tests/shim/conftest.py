"""Every test of a shim runs on both of them: they keep one contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsched.native import shim_command
from hsched.native.build_hook import compile_shim
from tests.shim.harness import Spawner, no_process_left_behind


@pytest.fixture(scope="session")
def compiled_shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim of this source tree; ``HSCHED_SHIM`` may name another one (a sanitized build)."""
    given = os.environ.get("HSCHED_SHIM", "")
    if "/" in given:
        return Path(given)
    target = tmp_path_factory.mktemp("shim") / "hsched-shim"
    if not compile_shim(target):
        pytest.skip("no C compiler")
    return target


@pytest.fixture(params=["c", "python"])
def shim(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Spawner]:
    """A spawner of one of the two shims; nothing of its jobs survives the test."""
    choice = request.param
    if choice == "c":
        choice = str(request.getfixturevalue("compiled_shim"))
    monkeypatch.setenv("HSCHED_SHIM", choice)
    spawner = Spawner(shim_command(), tmp_path)
    with no_process_left_behind():
        yield spawner
    for held in spawner.held:
        held.close()
