"""A fake NVML: the C library beside this file, and the text that says what it tells."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("nvml.c")


def compile_library(folder: Path) -> Path:
    """Compile the library into ``folder``, and return that."""
    target = folder / "libnvidia-ml.so.1"
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O1"]
    subprocess.run(["cc", *flags, "-o", target, SOURCE], check=True)
    return folder


class Fake:
    """What NVML tells from now on: one of these per test."""

    def __init__(self, library: Path, script: Path) -> None:
        self._script = script
        #: What a process needs in its environment in order to see the fake.
        self.env = {"LD_LIBRARY_PATH": str(library), "FAKE_NVML": str(script)}
        self.tell()

    def tell(self, *lines: str) -> None:
        """Tell what ``lines`` say (see the C source), from the next call on."""
        fresh = self._script.with_suffix(".new")
        fresh.write_text("".join(f"{line}\n" for line in lines))
        os.replace(fresh, self._script)
