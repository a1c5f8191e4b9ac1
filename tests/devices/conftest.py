"""The fake NVML, compiled once, and terminals that see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.devices.fake import Fake, compile_library
from tests.e2e.conftest import shell
from tests.e2e.shell import Shell

__all__ = ["shell"]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the fake libnvidia-ml.so.1 is."""
    return compile_library(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def nvml(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """An NVML without devices, for processes that this one starts."""
    fake = Fake(library, tmp_path / "nvml.txt")
    for name, value in fake.env.items():
        monkeypatch.setenv(name, value)
    return fake


@pytest.fixture
def lab(shell: Shell, nvml: Fake) -> Shell:
    """A terminal that sees the fake NVML."""
    shell.env.update(nvml.env)
    return shell
