"""The shim that holds each job: which program it is, and how to talk to it.

The compiled ``hsched-shim`` and ``shim.py`` keep one contract, stated at the
head of ``shim.c``.  The broker spawns what :func:`shim_command` names with the
words of :func:`shim_argv`, hands it a plan (:mod:`hsched.native.plan`) and
reads its record (:mod:`hsched.native.record`).
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Sequence

_FOLDER = os.path.dirname(os.path.abspath(__file__))

#: Where the build puts the compiled shim.
COMPILED_SHIM = os.path.join(_FOLDER, "hsched-shim")
PYTHON_SHIM = os.path.join(_FOLDER, "shim.py")
_JOBSERVER = os.path.join(_FOLDER, "jobserver.py")


def jobserver_command() -> list[str]:
    """Return the program that makes a jobserver; slots, folder and the command follow."""
    return [sys.executable, "-I", "-S", _JOBSERVER]


def shim_command() -> list[str]:
    """Return the program to spawn, and the words it needs before the shim's own.

    ``HSCHED_SHIM`` chooses: ``c``, ``python``, or the path of a compiled shim;
    by default it is the compiled one where it runs on this machine.
    """
    return list(_command(os.environ.get("HSCHED_SHIM", "")))


def shim_argv(command: Sequence[str], job_id: str) -> list[str]:
    """Return the argv with which to spawn ``command[0]`` for one job.

    ``ps`` then shows ``hsched-shim ID``, after the interpreter if there is one.
    """
    return [*(command if len(command) > 1 else ()), "hsched-shim", job_id]


def nursery_argv() -> list[str]:
    """Return the argv with which to spawn the compiled shim as a nursery.

    The last word is room for the title of the shims that are forked from it.
    """
    return ["hsched-shim", "--nursery", "-" * 96]


@functools.cache
def _command(choice: str) -> tuple[str, ...]:
    if "/" in choice:
        return (choice,)
    if choice == "c" or (choice != "python" and _runs(COMPILED_SHIM)):
        return (COMPILED_SHIM,)
    return (sys.executable, "-I", "-S", PYTHON_SHIM)


def _runs(program: str) -> bool:
    """Try it: the package may have been copied to another kind of machine."""
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    try:
        pid = os.posix_spawn(program, ["hsched-shim", "--version"], {}, file_actions=silent)
    except OSError:
        return False
    return os.waitpid(pid, 0)[1] == 0
