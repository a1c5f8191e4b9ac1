"""The build: compile the shim and the thin client where a C compiler is, and place the man pages.

Hatchling runs this for a wheel and for an editable install.  With a compiler
the wheel carries ``hsched-shim`` and the thin client, and is for this platform.  Without
one it is pure Python and a warning says so: jobs are held by the slower Python shim, and
the commands are scripts.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = Path(__file__).resolve().parent
_FLAGS = ("-O2", "-std=c11", "-D_GNU_SOURCE")

#: Without a C library, whose own start takes longer than all the rest.
_FREESTANDING = ("-ffreestanding", "-fno-stack-protector", "-nostdlib", "-static", "-s")

#: The commands that stand as the thin client, or else as scripts.
COMMANDS = ("hhold", "hjobs", "hkill", "hnslots", "hrelease", "hstatus", "hsubmit", "hupdate")

_SHELLS = {
    "bash": "bash-completion/completions",
    "fish": "fish/vendor_completions.d",
    "zsh": "zsh/site-functions",
}

_SCRIPT = """#!python
import sys

from hsched.cli.{name} import main

sys.exit(main())
"""


def compile_shim(target: Path) -> bool:
    """Compile the shim to ``target``; return whether that could be done.

    Static where the C library allows it, so that it starts faster and runs on
    any machine of this kind.  ``CC`` names the compiler.  A shim that runs keeps
    its file: the new one takes its name.
    """
    return _compile(_FOLDER, [("-static",), ()], target)


def compile_thin(target: Path, build: str) -> bool:
    """Compile the thin client of ``build`` to ``target``; return whether that could be done."""
    libc = "-DHSCHED_LIBC"
    ways = [_FREESTANDING, (libc, "-static", "-s"), (libc,)]
    return _compile(_FOLDER / "thin", [(f'-DHSCHED_BUILD="{build}"', *way) for way in ways], target)


def build_id() -> str:
    """Return the name of this build, 16 hex digits: a digest of all sources of the package."""
    package = _FOLDER.parent
    digest = hashlib.sha256()
    for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".c", ".h")):
        content = path.read_bytes()
        digest.update(b"%s %d\n" % (os.fsencode(path.relative_to(package)), len(content)))
        digest.update(content)
    return digest.hexdigest()[:16]


def make_commands(folder: Path) -> bool:
    """Fill ``folder`` with the short commands; return whether they are the thin client."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    program, note, build = folder / "thin", _FOLDER / "build-id", build_id()
    note.unlink(missing_ok=True)
    if not compile_thin(program, build):
        for name in COMMANDS:
            (folder / name).write_text(_SCRIPT.format(name=name), encoding="ascii")
            (folder / name).chmod(0o755)
        return False
    for name in COMMANDS:
        shutil.copy(program, folder / name)
    program.unlink()
    note.write_text(f"{build}\n", encoding="ascii")
    return True


def _compile(folder: Path, ways: list[tuple[str, ...]], target: Path) -> bool:
    sources = sorted(str(source) for source in folder.glob("*.c"))
    given = shlex.split(os.environ.get("CC", ""))
    for compiler in [given] if given else [["cc"], ["gcc"], ["clang"]]:
        for way in ways:
            if _compiles([*compiler, *_FLAGS, *way], sources, target):
                return True
    return False


def _compiles(compiler: list[str], sources: list[str], target: Path) -> bool:
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        done = subprocess.run([*compiler, "-o", fresh, *sources], capture_output=True, check=False)
    except OSError:
        return False
    if done.returncode != 0:
        fresh.unlink(missing_ok=True)
        return False
    fresh.replace(target)
    return True


def _completions(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file that a shell loads, and where the shell looks for it."""
    for shell, place in _SHELLS.items():
        for path in sorted((folder / shell).iterdir()):
            yield str(path), f"share/{place}/{path.name}"


class ShimBuildHook(BuildHookInterface[Any]):
    """Adds what a plain copy of the source cannot: what is compiled, man pages and completions."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Extend ``build_data``; ``version`` is ``standard`` or ``editable``."""
        target = _FOLDER / "hsched-shim"
        if compile_shim(target):
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"
            build_data["artifacts"].append("/hsched/native/hsched-shim")
        else:
            target.unlink(missing_ok=True)
            self.app.display_warning("no C compiler: jobs will be held by the Python shim")
        if make_commands(_FOLDER / "bin"):
            build_data["artifacts"].append("/hsched/native/build-id")
        for name in COMMANDS:
            build_data["shared_scripts"][str(_FOLDER / "bin" / name)] = name
        for file, place in _completions(Path(self.root, "completions")):
            build_data["shared_data"][file] = place
        unit = str(Path(self.root, "systemd/hsched.service"))
        build_data["shared_data"][unit] = "share/systemd/user/hsched.service"
        for page in sorted(Path(self.root, "man").glob("*.[17]")):
            build_data["shared_data"][str(page)] = f"share/man/man{page.suffix[1:]}/{page.name}"
