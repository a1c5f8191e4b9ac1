"""The driver's side of a warm interpreter: it is started, and ends with us."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from hsched.errors import WrongUsage
from hsched.experiment.folders import search_path

_CODE = """\
import sys
sys.path[:] = {path!r}
from hsched.experiment.warm import main
main({address!r}, {preload!r})
"""

#: More characters than this before the name of a socket, and it would be too long.
_LONGEST = 70


class Warmth:
    """An interpreter that runs tasks by forks; ``address`` is where it listens."""

    def __init__(self, preload: Sequence[str], log: Path) -> None:
        """Start it; what it has to say goes to ``log``.

        Raises:
            WrongUsage: a module to be imported before the first task is not there.
        """
        for name in preload:
            if find_spec(name) is None:
                raise WrongUsage(f"warm={list(preload)!r}: there is no module {name}")
        place = tempfile.gettempdir()
        place = place if len(place) < _LONGEST else "/tmp"
        self._folder = tempfile.mkdtemp(prefix="hsched-warm-", dir=place)  # private
        self.address = os.path.join(self._folder, "socket")
        code = _CODE.format(path=list(search_path()), address=self.address, preload=list(preload))
        ours, theirs = os.pipe()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            listener.listen(128)
            _spawn(code, theirs=ours, listener=listener.fileno(), log=log)
        os.close(ours)
        self._lifeline = theirs

    def close(self) -> None:
        """Let it end, once its tasks have ended."""
        os.close(self._lifeline)
        with contextlib.suppress(OSError):
            shutil.rmtree(self._folder)


def _spawn(code: str, theirs: int, listener: int, log: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_DUP2, theirs, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(log), flags, 0o666),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        (os.POSIX_SPAWN_DUP2, listener, 3),
    ]
    command = [sys.executable, "-c", code]
    # In a session of its own, so that Ctrl-C is not meant for it.
    os.posix_spawn(sys.executable, command, os.environ, file_actions=actions, setsid=True)
