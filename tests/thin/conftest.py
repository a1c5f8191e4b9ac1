"""An installation of hsched in a folder of its own, with the thin client of this source tree."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsched.native import build_hook
from tests.e2e.shell import Shell

#: A build that was given no name calls itself so.
BUILD = "-" * 16

#: What pip makes of an entry point, and a note that it was used.
_SCRIPT = """#!{python}
import os, sys
sys.path.insert(0, {lib!r})
with open(os.environ["HOME"] + "/scripts", "a", errors="surrogateescape") as notes:
    print(*sys.argv[1:], file=notes)
from hsched.cli.{module} import main
main()
"""


class Installation:
    """Programs in ``bin``, and the package in ``lib``."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.bin, self.lib = folder / "bin", folder / "lib"
        self.bin.mkdir()
        for name in build_hook.COMMANDS:
            shutil.copy(program, self.bin / name)
        for name, module in (("hsched-python", "plain"), ("hstart", "hstart"), ("hstop", "hstop")):
            script = self.bin / name
            script.write_text(
                _SCRIPT.format(python=sys.executable, lib=str(self.lib), module=module)
            )
            script.chmod(0o755)
        package = Path(build_hook.__file__).parents[1]
        left_out = shutil.ignore_patterns("__pycache__", "bin", "*.c", "*.h")
        shutil.copytree(package, self.lib / "hsched", ignore=left_out)
        (self.lib / "hsched/native/build-id").write_text(BUILD)


class Terminal(Shell):
    """A terminal in which the programs of an installation are found first."""

    def __init__(self, installation: Installation) -> None:
        super().__init__()
        self.installation = installation
        del self.env["PYTHONDONTWRITEBYTECODE"]  # with it, all is plain Python
        self.env["PATH"] = f"{installation.bin}:{self.env['PATH']}"

    @property
    def warm_folder(self) -> Path:
        """Where the socket of the warm process is."""
        return self.state / ".warm"

    def start(self, *words: str) -> None:
        """Start a scheduler, and wait until commands are warm."""
        self.ok("hstart", *words)
        self.until(self.is_warm, "the warm process answers")

    def is_warm(self) -> bool:
        """Whether a command is served by the warm process just now."""
        self.plain_commands()
        self.ok("hsubmit", "--version")
        return not self.plain_commands()

    def plain_commands(self) -> list[str]:
        """Return the commands that were plain Python since the last call."""
        notes = self.home / "scripts"
        found = notes.read_text().splitlines() if notes.exists() else []
        notes.unlink(missing_ok=True)
        return found

    def warm_pid(self) -> int:
        """Return the pid of the warm process; 0 where there is none."""
        for pid in self.processes():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/fd/3").readlink().name == f"{BUILD}.lock":
                    return pid
        return 0

    def children(self) -> list[int]:
        """Return the commands that the warm process has running."""
        pid = self.warm_pid()
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(one) for one in pids if title(one) not in ("hsched-spare", "hsched-warm", "")]


def title(pid: str) -> str:
    """Return the name of a process; nothing where it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The thin client; ``HSCHED_THIN_PROGRAM`` may name another one (a sanitized build)."""
    if given := os.environ.get("HSCHED_THIN_PROGRAM"):
        return Path(given)
    target = tmp_path_factory.mktemp("thin") / "thin"
    if not build_hook.compile_thin(target, BUILD):
        pytest.skip("no C compiler")
    return target


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Installation:
    """One installation for all tests that leave it as it is."""
    return Installation(tmp_path_factory.mktemp("installed"), program)


@pytest.fixture(scope="module")
def warm(installation: Installation) -> Iterator[Terminal]:
    """A terminal with a scheduler and a warm process, shared by the tests of a file."""
    terminal = Terminal(installation)
    try:
        terminal.start("2")
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def terminal(installation: Installation) -> Iterator[Terminal]:
    """A terminal without a scheduler, for one test alone."""
    alone = Terminal(installation)
    try:
        yield alone
    finally:
        alone.close()
