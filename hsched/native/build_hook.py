"""The build: compile the shim where a C compiler is, and place the man pages.

Hatchling runs this for a wheel and for an editable install.  With a compiler
the wheel carries ``hsched-shim`` and is for this platform; without one it is
pure Python, a warning says so, and jobs are held by the slower Python shim.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = Path(__file__).resolve().parent
_FLAGS = ("-O2", "-std=c11", "-D_GNU_SOURCE")


def compile_shim(target: Path) -> bool:
    """Compile the shim to ``target``; return whether that could be done.

    Static where the C library allows it, so that it starts faster and runs on
    any machine of this kind.  ``CC`` names the compiler.  A shim that runs keeps
    its file: the new one takes its name.
    """
    given = shlex.split(os.environ.get("CC", ""))
    for compiler in [given] if given else [["cc"], ["gcc"], ["clang"]]:
        for linkage in (["-static"], []):
            if _compiles([*compiler, *_FLAGS, *linkage], target):
                return True
    return False


def _compiles(compiler: list[str], target: Path) -> bool:
    sources = sorted(str(source) for source in _FOLDER.glob("*.c"))
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


class ShimBuildHook(BuildHookInterface[Any]):
    """Adds what a plain copy of the source cannot: the compiled shim, the man pages."""

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
        for page in sorted(Path(self.root, "man").glob("*.[17]")):
            build_data["shared_data"][str(page)] = f"share/man/man{page.suffix[1:]}/{page.name}"
