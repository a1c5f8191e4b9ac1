"""The other programs that are measured in the same run."""

from __future__ import annotations

import os
import shutil
import subprocess

#: Command -> the Debian package that has it.
PACKAGES = {
    "tsp": "task-spooler",
    "parallel": "parallel",
    "nq": "nq",
    "xargs": "findutils",
}


def missing() -> list[str]:
    """Return the commands that are not here."""
    return [command for command in PACKAGES if shutil.which(command) is None]


def install() -> str:
    """Install what is missing where that can be done; return what to say about it, if anything."""
    wanted = [PACKAGES[command] for command in missing()]
    if not wanted:
        return ""
    if os.geteuid() or shutil.which("apt-get") is None:
        return f"not measured, because not installed: {', '.join(missing())}; " + (
            f"`apt-get install {' '.join(wanted)}` has them on Debian and its kin"
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", "-y", *wanted]):
        done = subprocess.run(
            ["apt-get", *words], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            return f"not measured, because apt-get could not install {wanted}: {reason[0]}"
    return ""


def have(command: str) -> bool:
    """Whether a command is here."""
    return shutil.which(command) is not None
